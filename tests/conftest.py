"""What holds for every test: nothing of the surroundings leaks in, and no run is like a lottery."""

from __future__ import annotations

import pytest
from hypothesis import settings

# Slow machines are not failures, and a failure must come back when it is looked for.
settings.register_profile("modem-agent", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("modem-agent")

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
