"""doctor on the port of a simulated modem: what it says of each trouble, and its exit status."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.cli.doctor import worst
from agent.cli.main import main
from agent.doctor import network
from agent.doctor.finding import Finding, Means, Verdict
from at.simulator import PtyModem
from tests.agent.doctoring import Simulated, doctor, examine
from tests.at.peer import ERROR, OK, Peer
from tests.at.store.test_dialects import answers
from tests.support.agent import Agent, simulated


@pytest.fixture
def modem(tmp_path: Path) -> Iterator[Simulated]:
    with simulated(tmp_path) as running:
        yield running


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


def test_cause_of_a_denial_is_read_where_the_modem_tells_it() -> None:
    line = '+CEREG: 3,3,"1A2B","01234567",7,0,13'
    answer = network._asking("+CEREG").parse((line,))
    assert (answer.registered, answer.technology, answer.cause) == (False, 7, 13)
    assert "roaming" in network.CAUSES[13]
    assert network._asking("+CREG").parse(("+CREG: 0,3",)).cause is None


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


async def test_modem_with_text_mode_alone_is_well_where_the_mode_is_left_to_it(
    tmp_path: Path,
) -> None:
    taken = answers() | {
        "+CMGF=?": b"\r\n+CMGF: (1)\r\n" + OK,
        "+CMGF?": b"\r\n+CMGF: 1\r\n" + OK,
        "+CMGF=0": ERROR,
    }
    async with Peer(taken) as peer:
        for mode, verdict in (("auto", "ok"), ("pdu", "error")):
            settings = {"modem": {"sms_mode": mode}}
            report = await asyncio.to_thread(
                examine, tmp_path / mode, port=peer.path, settings=settings
            )
            assert report["messages: format"]["verdict"] == verdict
            assert ("auto" in report["messages: format"]["remedy"]) == (mode == "pdu")


@pytest.mark.parametrize("refused", ["E0", "+CMGF", "all"])
async def test_device_that_refuses_what_the_agent_needs_is_an_error(
    refused: str, tmp_path: Path
) -> None:
    every = ("E0", "+CMGF", "+CPMS", "+CNMI")
    chosen = tuple(every if refused == "all" else [refused])
    taken = {line: answer for line, answer in answers().items() if not line.startswith(chosen)}
    taken |= {f"{name}*": ERROR for name in chosen}
    async with Peer(taken) as peer:
        report = await asyncio.to_thread(examine, tmp_path, port=peer.path)
    assert report.status == 1
    if refused != "+CMGF":
        assert "ATE0 is refused" in report["dialogue: echo"]["seen"]
    if refused != "E0":
        assert "AT+CMGF=0: ERROR" in report["messages: format"]["seen"]
    if refused == "all":
        assert report["messages: storage"]["verdict"] == "warning"
        assert report["messages: announcing"]["verdict"] == "warning"


@pytest.mark.parametrize(("answer", "verdict"), [("yes", "ok"), ("no", "warning")])
def test_clock_is_trusted_where_a_program_says_that_it_is_synchronised(
    tmp_path: Path, answer: str, verdict: str
) -> None:
    """Without a network's time; chrony and ntpsec are asked in the same way."""
    program = tmp_path / "bin" / "timedatectl"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho {answer}\n")
    program.chmod(0o755)
    agent = Agent(tmp_path, env={"PATH": f"{program.parent}:/usr/bin:/bin"})
    assert doctor(agent)["clock: trusted"]["verdict"] == verdict
