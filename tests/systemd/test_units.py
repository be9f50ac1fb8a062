"""The shipped unit, users and rules, judged by systemd's own tools."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.install.shipped import packaged
from agent.system.sd_notify import watchdog_period_s

EXPOSURE_MAX = 1.5  # systemd-analyze's scale of 0 (nothing) to 10
TIMEOUT_S = 60


def tool(name: str) -> str:
    path = shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def run(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit as it stands, its program replaced by one that is there."""
    text = packaged("modem-agent.service").read_text()
    assert text.count("ExecStart=/opt/modem-agent/bin/modem-agent ") == 1
    path = tmp_path / "modem-agent.service"
    path.write_text(text.replace("/opt/modem-agent/bin/modem-agent", "/bin/true"))
    return path


def settings(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, value in re.findall(r"(?m)^([A-Za-z]+)=(.*)$", text):
        found.setdefault(key, []).append(value)
    return found


def test_systemd_finds_nothing_wrong_with_the_unit(unit: Path) -> None:
    done = run(tool("systemd-analyze"), "verify", str(unit))
    assert (done.returncode, done.stderr.strip()) == (0, "")


def test_verify_would_notice_a_mistake(unit: Path) -> None:
    unit.write_text(unit.read_text().replace("WatchdogSec=60", "WatchdogSecs=60"))
    done = run(tool("systemd-analyze"), "verify", str(unit))
    assert "WatchdogSecs" in done.stderr


def test_the_sandbox_leaves_little_exposed(unit: Path) -> None:
    done = run(
        tool("systemd-analyze"),
        "security",
        "--offline=true",
        "--no-pager",
        f"--threshold={EXPOSURE_MAX * 10:.0f}",
        str(unit),
    )
    assert done.returncode == 0, done.stdout
    exposure = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert exposure is not None
    assert float(exposure[1]) <= EXPOSURE_MAX


def test_the_unit_promises_what_the_agent_keeps(unit: Path) -> None:
    found = settings(unit.read_text())
    assert found["Type"] == ["notify"]
    assert found["Restart"] == ["always"]
    assert found["RestartPreventExitStatus"] == ["78"]
    assert found["StartLimitIntervalSec"] == ["0"]
    assert found["User"] == ["modem-agent"]
    assert "BindsTo" not in found
    assert "DynamicUser" not in found
    assert "BOOT_ID=%b" in found["Environment"][0].split()
    for key in ("StateDirectory", "RuntimeDirectory", "ConfigurationDirectory"):
        assert found[key] == ["modem-agent"]
    assert {line.split()[0] for line in found["DeviceAllow"]} == {
        "char-ttyUSB",
        "char-ttyACM",
        "char-ttyAMA",
        "char-ttyS",
    }
    microseconds = str(int(found["WatchdogSec"][0]) * 1_000_000)
    env = {"NOTIFY_SOCKET": "/run/systemd/notify", "WATCHDOG_USEC": microseconds}
    assert watchdog_period_s(env) == 60.0


def test_the_user_is_made_with_its_group(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    shipped = tmp_path / "modem-agent.conf"
    shipped.write_bytes(packaged("modem-agent.sysusers.conf").read_bytes())
    done = run(tool("systemd-sysusers"), f"--root={tmp_path}", str(shipped))
    assert done.returncode == 0, done.stderr
    passwd = (tmp_path / "etc" / "passwd").read_text()
    assert re.search(r"(?m)^modem-agent:.*:/var/lib/modem-agent:.*nologin$", passwd)
    group = (tmp_path / "etc" / "group").read_text()
    assert re.search(r"(?m)^dialout:.*:modem-agent$", group)


POLKIT = """
var rules = [];
var polkit = { addRule: function (rule) { rules.push(rule); },
               Result: { YES: "yes", NOT_HANDLED: null } };
%s
process.stdout.write(String(rules[0]({ id: process.argv[2] }, { user: process.argv[1] })));
"""


@pytest.fixture
def may() -> Callable[[str, str], bool]:
    node = tool("node")
    script = POLKIT % packaged("modem-agent.polkit.rules").read_text()

    def ask(user: str, action: str) -> bool:
        done = run(node, "-e", script, user, action)
        assert done.returncode == 0, done.stderr
        return done.stdout == "yes"

    return ask


def test_the_agent_may_reboot_and_nothing_else(may: Callable[[str, str], bool]) -> None:
    reboot = "org.freedesktop.login1.reboot"
    for action in (reboot, f"{reboot}-multiple-sessions", f"{reboot}-ignore-inhibit"):
        assert may("modem-agent", action)
        assert not may("someone", action)
    assert not may("modem-agent", "org.freedesktop.login1.power-off")
    assert not may("modem-agent", "org.freedesktop.systemd1.manage-units")


def test_every_udev_line_is_a_rule_with_known_keys() -> None:
    """Version 252 has no `udevadm verify`; this is the part of it that catches slips."""
    matches = r'(ACTION|SUBSYSTEM|ENV\{\w+\})(==|!=)"[^"]+"'
    assigns = r'(SYMLINK\+=|TAG\+=|GOTO=|LABEL=|ENV\{\w+\}=)"[^"]+"'
    rule = re.compile(rf"({matches}|{assigns})(, ({matches}|{assigns}))*")
    lines = packaged("modem-agent.udev.rules").read_text().splitlines()
    # Rules that are commented out have no space after the sign; they must be right as well.
    rules = [line.removeprefix("#") for line in lines if line and not re.match(r"#( |$)", line)]
    assert len(rules) >= 6
    assert not [line for line in rules if not rule.fullmatch(line)]
    gone = {name for line in rules for name in re.findall(r'GOTO="(\w+)"', line)}
    labels = {name for line in rules for name in re.findall(r'LABEL="(\w+)"', line)}
    assert gone == labels
