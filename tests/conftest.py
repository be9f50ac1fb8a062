"""What holds for every test: nothing of the surroundings leaks in, and no run is like a lottery."""

from __future__ import annotations

import signal

import pytest
from hypothesis import settings

# Slow machines are not failures, and a failure must come back when it is looked for.
settings.register_profile("modem-agent", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("modem-agent")

# A background shell's children ignore SIGINT, nohup's SIGHUP, and hand that on to their own: the
# programs under test are started as from a terminal.
for number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(number) is signal.SIG_IGN:
        restored = number == signal.SIGINT
        signal.signal(number, signal.default_int_handler if restored else signal.SIG_DFL)

# What systemd and desktops set, and the agent reads.
SURROUNDINGS = (
    "BOOT_ID",
    "CREDENTIALS_DIRECTORY",
    "JOURNAL_STREAM",
    "NOTIFY_SOCKET",
    "RUNTIME_DIRECTORY",
    "STATE_DIRECTORY",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
    "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_STATE_HOME",
)


@pytest.fixture(autouse=True)
def _plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SURROUNDINGS:
        monkeypatch.delenv(name, raising=False)
