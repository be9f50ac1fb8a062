"""What is shown of the agent as a service, each scene a few facts with their figures."""

from __future__ import annotations

import contextlib
import io
import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from agent.cli.main import main as modem_agent
from tests.systemd.boot.air import PORT, UNIT, Air
from tests.systemd.boot.container import REBOOTED, Container
from tests.systemd.boot.waiting import until

__all__ = ["AFTER", "BEFORE", "FILES", "POLKIT_RULE", "Scene", "configured", "signed"]

DEVICE: Final = "gateway-trial"
CONFIG: Final = "/etc/modem-agent/modem-agent.toml"
SECRET: Final = "/etc/modem-agent/secrets/key-0"
KEY: Final = "a key that only root may read, 32"
JOURNAL: Final = "/var/lib/modem-agent/journal.db"
POLKIT_RULE: Final = "/etc/polkit-1/rules.d/50-modem-agent.rules"
READY_S: Final = 30.0
REBOOT_S: Final = 60.0
QUIET_S: Final = 7.0  # three times the unit's RestartSec=
WATCHDOG_SLACK_S: Final = 15.0

Told = Iterator[str]

# require_signature: a reboot that is obeyed proves that the credential was read.
_CONFIG: Final = """\
[device]
id = "{device}"
[modem]
port = "{port}"
poll_s = 5
[platforms]
enabled = ["super-sim"]
[security]
require_signature = "always"
[security.keys.0]
file = "key-0"
[budget]
sms_per_hour = 60   # a quarter of it for what is unsigned
[command.whoami]
exec = ["/usr/bin/id"]
read_only = true
[command.look]
exec = ["/usr/bin/ls", "-l", "{{where}}"]
read_only = true
[command.look.args.where]
type = "string"
[command.open]
exec = ["/usr/bin/head", "--bytes=0", "{{what}}"]
read_only = true
[command.open.args.what]
type = "string"
"""


def configured(port: str) -> dict[str, tuple[int, str]]:
    """Return the files of an operator, for a modem at this port."""
    return {
        CONFIG: (0o644, _CONFIG.format(device=DEVICE, port=port)),
        SECRET: (0o600, KEY + "\n"),
        "/etc/systemd/system/modem-agent.service.d/credentials.conf": (
            0o644,
            f"[Service]\nLoadCredential=key-0:{SECRET}\n",
        ),
    }


FILES: Final = {
    **configured(f"socket://127.0.0.1:{PORT}"),
    "/etc/systemd/system/simulated-modem.service": (0o644, UNIT),
}


def signed(command: str, folder: Path) -> str:
    """Sign a command with the command line, as an operator does."""
    key = folder / "key-0"
    key.write_text(KEY + "\n")
    key.chmod(0o600)
    words = [
        "--json",
        "--key-file",
        str(key),
        "--device-id",
        DEVICE,
        "--c",
        str(time.time_ns() // 1000),
    ]
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        assert modem_agent(["sign", *words, "--platform", "super-sim", *command.split()]) == 0
    message: str = json.loads(told.getvalue())["message"]
    return message


# ---- the first boot, without the polkit rule ---------------------------------------------------


def it_starts(box: Container, _: Air, __: Path) -> Told:
    until(lambda: active(box), READY_S, "the unit is active")
    unit = box.properties(
        "MainPID",
        "NRestarts",
        "ExecMainStartTimestampMonotonic",
        "ActiveEnterTimestampMonotonic",
    )
    took_s = (
        int(unit["ActiveEnterTimestampMonotonic"]) - int(unit["ExecMainStartTimestampMonotonic"])
    ) / 1e6
    assert unit["NRestarts"] == "0", unit
    yield f"READY=1 {took_s:.2f} s after the start"
    process = proc_status(box, unit["MainPID"])
    uid = box.run("id", "-u", "modem-agent").strip()
    assert set(process["Uid"].split()) == {uid} != {"0"}, process["Uid"]
    assert process["CapEff"] == process["CapBnd"] == "0" * 16, process["CapBnd"]
    assert (process["NoNewPrivs"], process["Seccomp"]) == ("1", "2")
    yield f"runs as modem-agent (uid {uid}), no capabilities, NoNewPrivs, seccomp filter"
    assert box.run("stat", "-c", "%U:%a", "/var/lib/modem-agent").strip() == "modem-agent:700"
    assert box.run("stat", "-c", "%U:%a", JOURNAL).strip() == "modem-agent:600"
    yield "journal in the state folder, 0700, its file 0600"


def a_command_runs(box: Container, air: Air, _: Path) -> Told:
    reply, took_s = air.exchange("ping id=p1", "p1")
    assert reply.startswith("p1 OK up="), reply
    yield f"SMS `ping id=p1` -> {reply!r} after {took_s:.2f} s"
    reply, _took = air.exchange("whoami id=w1", "w1")
    assert "(modem-agent)" in reply, reply
    yield f"SMS `whoami id=w1` -> {reply!r}"
    reply, _took = air.exchange("look where=/root id=l1", "l1")
    assert reply.startswith("l1 ER"), reply
    yield f"SMS `look where=/root id=l1` -> {reply!r}"


def the_socket_is_for_root_and_the_group(box: Container, _: Air, __: Path) -> Told:
    tool = "/opt/modem-agent/bin/modem-agent"
    status = json.loads(box.run(tool, "status", "--json"))
    line = box.properties("StatusText")["StatusText"]
    assert "ready" in line, line
    yield f"`systemctl status` says: {line}"
    modem = status["modem"]
    yield f"`modem-agent status` as root: {modem['link']}, {modem['operator']}"
    gid = box.run("id", "-g", "modem-agent").strip()
    member = ("setpriv", "--reuid=4000", "--regid=4000", f"--groups={gid}", tool, "send", "ping")
    assert " succeeded" in box.run(*member)
    yield "a member of the group modem-agent may command it"
    stranger = ("setpriv", "--reuid=4000", "--regid=4000", "--clear-groups", tool, "send", "ping")
    assert " succeeded" not in box.run(*stranger, check=False)
    yield "another user may not"


def the_credential_is_read(box: Container, air: Air, folder: Path) -> Told:
    assert box.run("stat", "-c", "%U:%a", SECRET).strip() == "root:600"
    reply, _ = air.exchange("restart id=c1", "c1")
    assert reply.startswith("c1 ER signature"), reply
    yield f"unsigned `restart id=c1` -> {reply!r}"
    before = box.properties("MainPID")["MainPID"]
    reply, took_s = air.exchange(signed("restart id=c2", folder), "c2")
    assert reply.startswith("c2 OK"), reply
    assert box.properties("MainPID")["MainPID"] != before
    yield f"signed with the key of LoadCredential= -> {reply!r} after {took_s:.2f} s, new process"


def without_the_rule_a_reboot_is_refused(box: Container, air: Air, folder: Path) -> Told:
    reply, took_s = air.exchange(signed("reboot id=n1", folder), "n1")
    assert reply.startswith("n1 ER error"), reply
    assert "polkit" in reply, reply
    yield f"no polkit rule: `reboot id=n1` -> {reply!r} after {took_s:.2f} s"


def the_watchdog_starts_it_again(box: Container, air: Air, _: Path) -> Told:
    unit = box.properties("MainPID", "WatchdogUSec", "NRestarts")
    box.run("systemctl", "kill", "--kill-whom=main", "--signal=STOP", "modem-agent")
    start = time.monotonic()
    patience_s = watchdog_s(unit["WatchdogUSec"]) + WATCHDOG_SLACK_S
    restarts = unit["NRestarts"]
    until(
        lambda: box.properties("NRestarts")["NRestarts"] != restarts and active(box),
        patience_s,
        "the watchdog started the agent again",
    )
    took_s = time.monotonic() - start
    assert box.properties("MainPID")["MainPID"] != unit["MainPID"]
    said = box.journal()
    assert "Watchdog timeout" in said, said
    limit = unit["WatchdogUSec"]
    yield f"stopped by SIGSTOP, killed and active again after {took_s:.1f} s (limit {limit})"
    assert "Fatal Python error: Aborted" in said, said
    yield "where it hung is in the journal, as a traceback of every thread"
    reply, _took = air.exchange("ping id=p2", "p2")
    yield f"SMS `ping id=p2` -> {reply!r}"


def the_rule_allows_the_reboot(box: Container, air: Air, folder: Path) -> Told:
    rule = box.root / POLKIT_RULE.lstrip("/")
    box.run("cp", f"{POLKIT_RULE}.aside", POLKIT_RULE)  # polkitd looks for itself
    assert rule.is_file()
    time.sleep(2.0)  # it tells nobody when it has read it
    boots.append(box.read("/proc/sys/kernel/random/boot_id").strip())
    air.deliver(signed("reboot id=r1", folder))
    start = time.monotonic()
    status = box.wait(REBOOT_S)
    assert status == REBOOTED, f"nspawn ended with {status}"
    yield f"SMS `reboot id=r1`: down after {time.monotonic() - start:.1f} s, exit status {status}"
    with contextlib.closing(sqlite3.connect(box.root / JOURNAL.lstrip("/"))) as db:
        (state,) = db.execute("SELECT state FROM commands WHERE id = 'r1'").fetchone()
    assert state == "running", state
    yield "while the box is down the journal says: running"


# ---- the second boot ---------------------------------------------------------------------------

boots: list[str] = []


def the_reboot_is_told(box: Container, air: Air, _: Path) -> Told:
    now = box.read("/proc/sys/kernel/random/boot_id").strip()
    assert now != boots[-1]
    yield f"another boot id: {boots[-1][:8]}… -> {now[:8]}…"
    start = time.monotonic()
    reply = air.answer("r1")
    assert reply.startswith("r1 OK boot=changed"), reply
    yield f"reply SMS {reply!r}, {time.monotonic() - start:.1f} s after the boot"
    tool = "/opt/modem-agent/bin/modem-agent"
    row = json.loads(box.run(tool, "history", "--id", "r1", "--json"))
    assert row["command"]["state"] == "succeeded", row
    until(
        lambda: "reported" in box.run(tool, "history", "--id", "r1", "--json"), 10.0, "it is told"
    )
    assert len([text for text in air.sent() if text.startswith("r1 ")]) == 1
    yield "history: succeeded, reported; told once"


def a_broken_configuration_is_not_tried_again(box: Container, air: Air, _: Path) -> Told:
    path = box.root / CONFIG.lstrip("/")
    good = path.read_text()
    path.write_text(good.replace("require_signature", "require_signatures"))
    box.run("systemctl", "restart", "modem-agent", check=False)
    names = ("ActiveState", "ExecMainStatus", "NRestarts")
    time.sleep(QUIET_S)
    unit = box.properties(*names)
    assert unit == {"ActiveState": "failed", "ExecMainStatus": "78", "NRestarts": "0"}, unit
    assert "require_signatures" in box.journal()
    yield f"exit status 78, failed, no restart within {QUIET_S:g} s; the journal names the key"
    path.write_text(good)
    box.run("systemctl", "restart", "modem-agent")
    reply, _took = air.exchange("ping id=p3", "p3")
    yield f"mended and started: SMS `ping id=p3` -> {reply!r}"


def it_is_taken_out_again(box: Container, _: Air, __: Path) -> Told:
    start = time.monotonic()
    out = box.run("/opt/modem-agent/bin/modem-agent", "install", "--uninstall", "--json")
    told = {step["subject"]: step["outcome"] for step in json.loads(out)["steps"]}
    assert told[CONFIG] == "kept", told
    assert told["/etc/systemd/system/modem-agent.service"] == "removed", told
    assert not active(box)
    took_s = time.monotonic() - start
    yield f"`install --uninstall`: stopped and removed after {took_s:.1f} s, configuration kept"


def nothing_went_wrong_unseen(box: Container, _: Air, __: Path) -> Told:
    said = box.run("journalctl", "--unit=modem-agent", "--output=cat")
    assert "Traceback (most recent call last)" not in said, said
    yield f"no traceback in {len(said.splitlines())} lines of journal"


Scene = Callable[[Container, Air, Path], Told]
BEFORE: Final[tuple[Scene, ...]] = (
    it_starts,
    a_command_runs,
    the_socket_is_for_root_and_the_group,
    the_credential_is_read,
    without_the_rule_a_reboot_is_refused,
    the_watchdog_starts_it_again,
    the_rule_allows_the_reboot,
)
AFTER: Final[tuple[Scene, ...]] = (
    the_reboot_is_told,
    a_broken_configuration_is_not_tried_again,
    nothing_went_wrong_unseen,
    it_is_taken_out_again,
)


def active(box: Container) -> bool:
    """Whether the unit is active; its watchdog and READY=1 say so, not its process alone."""
    return box.properties("ActiveState", "SubState") == {
        "ActiveState": "active",
        "SubState": "running",
    }


def proc_status(box: Container, pid: str) -> dict[str, str]:
    """Return the lines of a process's status inside."""
    lines = box.read(f"/proc/{pid}/status").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def watchdog_s(text: str) -> float:
    """Read a time span as systemctl shows it ("1min", "1min 30s")."""
    units = {"min": 60.0, "s": 1.0, "ms": 0.001}
    total = 0.0
    for word in text.split():
        number = word.rstrip("abcdefghijklmnopqrstuvwxyz")
        total += float(number) * units[word[len(number) :]]
    return total
