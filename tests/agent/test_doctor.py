"""doctor on the port of a simulated modem: what it says of each trouble, and its exit status."""

from __future__ import annotations

import grp
import json
import os
import select
import subprocess
import sys
import threading
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.cli.doctor import worst
from agent.cli.main import main
from agent.doctor import dialogue, network, port
from agent.doctor.finding import Finding, Means, Verdict
from at import discovery
from at.errors import PortBusyError
from at.simulator import PtyModem
from tests.agent.doctoring import Simulated, doctor, examine
from tests.support.agent import Agent, simulated


@pytest.fixture
def modem(tmp_path: Path) -> Iterator[Simulated]:
    with simulated(tmp_path) as running:
        yield running


@pytest.fixture
def silence(tmp_path: Path) -> Iterator[tuple[str, int]]:
    """A serial line with nobody at its other end: its path, and that end."""
    master, slave = os.openpty()
    tty.setraw(slave)
    yield os.ttyname(slave), master
    os.close(slave)
    os.close(master)


def change(modem: Simulated, action: Callable[[PtyModem], object]) -> None:
    modem.call(action)


def test_healthy_gateway_has_no_error_and_every_layer(modem: Simulated, tmp_path: Path) -> None:
    report = examine(tmp_path, port=modem.path)
    assert report.status == 0
    assert report.errors == []
    assert list(dict.fromkeys(row["layer"] for row in report.rows.values())) == [
        "configuration", "agent", "journal", "port", "dialogue", "identity", "SIM", "network",
        "messages", "clock", "broker", "budget", "platforms",
    ]  # fmt: skip
    assert report["network: signal"]["seen"] == "-79 dBm"
    assert report["messages: service centre"]["seen"] == "+447785016005"
    assert report["platforms: senders"]["seen"].startswith("super-sim (closed): 000")


def test_json_is_one_list_of_rows_with_five_texts(modem: Simulated, tmp_path: Path) -> None:
    done = Agent(tmp_path, port=modem.path).main("doctor", "--json")
    found = json.loads(done.stdout)
    assert isinstance(found, list)
    for row in found:
        assert list(row) == ["layer", "check", "verdict", "seen", "remedy"]
        assert all(isinstance(value, str) for value in row.values())
        assert row["verdict"] in set(Verdict)
        assert row["seen"]
    for row in found:
        assert row["remedy"] or row["verdict"] not in {"warning", "error"}


def test_nothing_of_the_modem_is_changed_but_its_echo(modem: Simulated, tmp_path: Path) -> None:
    before = modem.call(lambda s: (s.core.device.settings.cnmi, s.store.chosen))
    examine(tmp_path, port=modem.path)
    after = modem.call(lambda s: (s.core.device.settings.cnmi, s.store.chosen))
    assert after == before
    assert modem.call(lambda s: s.core.device.stored_settings) is None
    assert modem.sent == []


def locked(s: PtyModem) -> None:
    s.core.device.sim.state = "SIM PIN"


def puk(s: PtyModem) -> None:
    s.core.device.sim.state = "SIM PUK"
    s.core.device.sim.pin_tries = 0


def no_card(s: PtyModem) -> None:
    s.core.device.sim.state = ""


def denied(s: PtyModem) -> None:
    s.core.device.radio.registration = 3


def searching(s: PtyModem) -> None:
    s.core.device.radio.registration = 2


def radio_off(s: PtyModem) -> None:
    s.core.device.radio.functionality = 4


def full(s: PtyModem) -> None:
    s.fill("SM")


def no_centre(s: PtyModem) -> None:
    s.core.device.sim.smsc = ""


@pytest.mark.parametrize(
    ("trouble", "key", "seen", "remedy"),
    [
        (locked, "SIM: state", "wants its PIN", "pin_file"),
        (puk, "SIM: state", "wants its PUK", "by hand"),
        (no_card, "SIM: state", "no SIM", "holder"),
        (denied, "network: registration for LTE", "denied", "activated"),
        (searching, "network: registration for circuits", "searching", "antenna"),
        (radio_off, "network: radio", "+CFUN: 4", "AT+CFUN=1"),
        (full, "messages: storage", "SM 30 of 30: full", "start the agent"),
        (no_centre, "messages: service centre", "none", "AT+CSCA"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_trouble_is_an_error_with_its_remedy(
    trouble: Callable[[PtyModem], None],
    key: str,
    seen: str,
    remedy: str,
    modem: Simulated,
    tmp_path: Path,
) -> None:
    change(modem, trouble)
    report = examine(tmp_path, port=modem.path)
    assert report.status == 1
    assert key in report.errors
    assert seen in report[key]["seen"]
    assert remedy in report[key]["remedy"]


def test_no_domain_is_blamed_for_a_sim_that_is_locked(modem: Simulated, tmp_path: Path) -> None:
    change(modem, locked)
    report = examine(tmp_path, port=modem.path)
    assert report.errors == ["SIM: state"]
    assert report["network: registration for LTE"]["seen"] == "because of: SIM: state"
    assert report["SIM: tries left"]["seen"] == "3 for the PIN"


def test_pin_is_never_tried(modem: Simulated, tmp_path: Path) -> None:
    change(modem, locked)
    (tmp_path / "pin").write_text("9999\n")
    (tmp_path / "pin").chmod(0o600)
    settings = {"modem": {"pin_file": str(tmp_path / "pin")}}
    report = examine(tmp_path, port=modem.path, settings=settings)
    assert report.status == 0
    assert report["SIM: state"]["verdict"] == "note"
    assert "which the agent enters" in report["SIM: state"]["seen"]
    assert modem.call(lambda s: s.core.device.sim.pin_tries) == 3
    refused = tmp_path / "state" / "refused-pins.json"
    refused.write_text('[""]')  # of a card that does not tell its number before its PIN
    report = examine(tmp_path, port=modem.path, settings=settings)
    assert "has refused the PIN" in report["SIM: state"]["seen"]
    assert str(refused) in report["SIM: state"]["remedy"]
    assert modem.call(lambda s: s.core.device.sim.pin_tries) == 3


def test_last_tries_weak_signal_and_a_memory_that_fills_are_warnings(
    modem: Simulated, tmp_path: Path
) -> None:
    def act(s: PtyModem) -> None:
        s.core.device.sim.pin_tries = 2
        s.core.device.radio.rssi = 3
        s.fill("SM", leave=4)

    change(modem, act)
    report = examine(tmp_path, port=modem.path)
    assert report.status == 0
    for key in ("SIM: tries left", "network: signal", "messages: storage"):
        assert report[key]["verdict"] == "warning"
    assert report["network: signal"]["seen"] == "-107 dBm, weak"


def test_missing_port_is_no_modem(tmp_path: Path) -> None:
    report = examine(tmp_path)
    assert report.status == 69
    assert report.errors == ["port: name"]
    assert "no such file" in report["port: name"]["seen"]
    assert report["SIM: state"]["seen"] == "because of: port: name"


def test_file_that_is_no_device_is_no_modem(tmp_path: Path) -> None:
    report = examine(tmp_path, port=str(tmp_path / "agent.toml"))
    assert (report.status, report.errors) == (69, ["port: name"])


def test_holder_of_the_port_is_named(modem: Simulated, tmp_path: Path) -> None:
    program = tmp_path / "logger.py"
    program.write_text(
        "import serial, sys\n"
        "port = serial.Serial(sys.argv[1], exclusive=True)\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, program, modem.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        report = examine(tmp_path, port=modem.path)
        assert holder.stdin is not None
        holder.stdin.close()
    assert report.status == 69
    assert report.errors == ["port: holder"]
    assert f"logger.py (pid {holder.pid})" in report["port: holder"]["seen"]
    assert report["port: holder"]["remedy"] == "stop it first"


def test_port_without_a_modem_is_told_from_one_at_another_speed(
    silence: tuple[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialogue, "PATIENCE_S", 0.8)
    path, other_end = silence
    report = examine(tmp_path, port=path)
    assert (report.status, report.errors) == (69, ["dialogue: answers AT"])
    assert "not one octet" in report["dialogue: answers AT"]["seen"]

    done = threading.Event()

    def babble() -> None:
        while not done.is_set():
            if select.select([other_end], [], [], 0.05)[0]:
                os.read(other_end, 100)
                os.write(other_end, b"\xf0\x0f\xaa")

    talker = threading.Thread(target=babble)
    talker.start()
    report = examine(tmp_path, port=path)
    done.set()
    talker.join()
    assert report.status == 69
    assert "modem.baudrate" in report["dialogue: answers AT"]["remedy"]


def test_group_of_the_port_is_named_to_who_may_not_open_it(
    modem: Simulated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = modem.path
    Path(path).chmod(0o660)
    os.chown(path, 0, 20)
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda one, mode: one != path and allowed(one, mode))
    report = examine(tmp_path, port=path)
    assert (report.status, report.errors) == (69, ["port: permissions"])
    assert "usermod -aG dialout" in report["port: permissions"]["remedy"]


def test_user_of_the_service_is_thought_of_when_root_asks(
    modem: Simulated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = modem.path
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(port, "SERVICE_USER", "nobody")
    Path(path).chmod(0o600)
    report = examine(tmp_path, port=path)
    assert report["port: permissions"]["verdict"] == "warning"
    assert "the service's nobody may not" in report["port: permissions"]["seen"]
    os.chown(path, 0, grp.getgrnam("dialout").gr_gid)
    Path(path).chmod(0o660)
    assert examine(tmp_path, port=path)["port: permissions"]["verdict"] == "ok"


def test_holder_of_a_port_that_was_to_be_found_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reason = "/dev/ttyUSB2: held by minicom (pid 7); quit minicom; /dev/ttyUSB3: no AT port"

    async def refuse(_port: str, **_how: object) -> None:
        raise PortBusyError("auto", reason, "minicom (pid 7)")

    one = discovery.Candidate("/dev/null", "/dev/null", "1-1", "2c7c", "0125", 2, "option", "", 0)
    monkeypatch.setattr(port, "candidates", lambda: [one])
    monkeypatch.setattr(port, "open_modem", refuse)
    report = examine(tmp_path, port="auto")
    assert (report.status, report.errors) == (69, ["port: holder"])
    assert report["port: holder"]["seen"] == reason
    assert "--port" in report["port: holder"]["remedy"]


def test_cause_of_a_denial_is_read_where_the_modem_tells_it() -> None:
    line = '+CEREG: 3,3,"1A2B","01234567",7,0,13'
    answer = network._asking("+CEREG").parse((line,))
    assert (answer.registered, answer.technology, answer.cause) == (False, 7, 13)
    assert "roaming" in network.CAUSES[13]
    assert network._asking("+CREG").parse(("+CREG: 0,3",)).cause is None


def test_name_that_stays_is_proposed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = tmp_path / "by-id" / "usb-Maker_Modem-if02-port0"
    link.parent.mkdir()
    link.symlink_to("/dev/ttyUSB2")
    monkeypatch.setattr(port, "SERIAL", tmp_path)
    assert port._stable_name("/dev/ttyUSB2") == str(link)
    assert port._stable_name("/dev/ttyUSB3") is None
    assert port._stable_name(str(link)) is None


def test_unusable_configuration_is_its_own_status(modem: Simulated, tmp_path: Path) -> None:
    report = examine(tmp_path, settings={"modem": {"poll_s": "often"}})
    assert report.status == 78
    assert report.errors == ["configuration: file"]
    assert "modem.poll_s" in report["configuration: file"]["seen"]
    assert report["port: name"]["verdict"] == "skipped"
    report = examine(tmp_path, "--port", modem.path, settings={"modem": {"poll_s": "often"}})
    assert report.status == 78
    assert report["network: signal"]["verdict"] == "ok"


def test_port_alone_is_examined_without_a_configuration(
    modem: Simulated, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path))
        patch.setenv("TMPDIR", str(tmp_path))
        assert main(["doctor", "--port", modem.path]) == 0
    told = capsys.readouterr().out
    assert "note    configuration file: none; only the port that was named is looked at" in told
    assert "ok      network signal: -79 dBm" in told


def test_time_is_bounded(modem: Simulated, tmp_path: Path) -> None:
    modem.faults.deaf = True  # AT is answered, nothing else is
    report = examine(tmp_path, "--timeout", "1.5", port=modem.path)
    assert report.status == 1
    assert "--timeout" in report["platforms: senders"]["seen"]


def test_journal_that_was_damaged_is_told(modem: Simulated, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "journal.db").write_bytes(b"no journal" * 500)
    (state / "journal.db.damaged-20261121T000000.000Z").write_bytes(b"")
    report = examine(tmp_path, port=modem.path)
    assert report.status == 1
    assert "journal: content" in report.errors
    assert report["journal: set aside"]["verdict"] == "warning"


def test_full_disk_is_told(
    modem: Simulated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage:
        free = 20_000_000

    monkeypatch.setattr("shutil.disk_usage", lambda _path: Usage)
    assert examine(tmp_path, port=modem.path)["journal: space"]["verdict"] == "warning"
    Usage.free = 0
    assert examine(tmp_path, port=modem.path)["journal: space"]["verdict"] == "error"


@pytest.mark.parametrize(
    ("errors", "status"),
    [
        ((), 0),
        (("failed",), 1),
        (("failed", "no-modem"), 69),
        (("no-modem", "configuration", "failed"), 78),
    ],
)
def test_exit_status_is_that_of_the_gravest_error(errors: tuple[Means, ...], status: int) -> None:
    harmless = [Finding("x", "y", Verdict.WARNING, "z", "", "configuration")]
    found = [Finding("x", "y", Verdict.ERROR, "z", "", means) for means in errors]
    assert worst([*harmless, *found]) == status


def test_at_lines_reach_a_modem_that_is_found_by_itself(
    modem: Simulated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = modem.path
    one = discovery.Candidate(path, path, "1-1", "2c7c", "0125", 2, "option", "Maker Modem", 0)
    monkeypatch.setattr(discovery, "candidates", lambda *_: [one])
    monkeypatch.setattr(port, "candidates", lambda *_: [one])
    agent = Agent(tmp_path, settings={"modem": {"port": "auto"}})
    assert agent.main("at", "+CSQ").stdout.splitlines() == ["+CSQ: 17,99", "OK"]
    report = doctor(agent)
    assert report.status == 0
    assert report["port: name"]["seen"] == f"auto: {path} (Maker Modem)"
    assert report["port: opens"]["seen"] == path
