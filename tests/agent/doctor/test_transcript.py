"""The transcript that doctor writes: nothing private in it, and it can be replayed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from agent.doctor.context import Patient
from agent.doctor.finding import Finding
from agent.doctor.layers import CHECKS
from agent.doctor.run import examine
from at.protocol import AtProtocol, Reply
from at.urcs import URCS
from tests.agent.conftest import Running
from tests.agent.doctoring import Report, doctor
from tests.at import replay
from tests.at.peer import Peer
from tests.support.agent import Agent, simulated

OF_MODEM = ("dialogue", "identity", "SIM", "network", "messages")
PRIVATE = ("490154203237518", "89441000303211234567", "447785016005", "234100123456789")


def recorded(folder: Path, personality: str) -> tuple[Path, Report]:
    path = folder / "recorded.at"
    with simulated(folder, personality) as modem:
        modem.deliver_text("+447700900123", "the secret text", announce=False)
        modem.call(lambda s: setattr(s.core.device.radio, "registration", 3))
        report = doctor(Agent(folder, port=modem.path), "--transcript", str(path))
    return path, report


async def _examined_again(folder: Path, answers: Mapping[str, bytes]) -> list[Finding]:
    config, socket = str(folder / "agent.toml"), folder / "run" / "control.sock"
    async with Peer(answers, default=None) as peer:
        patient = Patient(config_path=config, port_named=peer.path, socket=socket)
        return await examine(patient, CHECKS, within_s=30.0, tell=lambda _: None)


@pytest.mark.parametrize("personality", ["generic", "quectel-ec25"])
def test_replay_on_a_pty_gives_the_same_verdicts(tmp_path: Path, personality: str) -> None:
    path, report = recorded(tmp_path, personality)
    assert "network: registration for LTE" in report.errors
    answers = {turn.line: turn.after for turn in replay.read(path) if turn.line is not None}
    again = asyncio.run(_examined_again(tmp_path, answers))
    replayed = {
        f"{one.layer}: {one.check}": one.verdict.value for one in again if one.layer in OF_MODEM
    }
    assert replayed == {key: word for key, word in report.verdicts().items() if key in replayed}
    assert len(replayed) > 15


def test_replay_to_the_protocol_leaves_nothing_over(tmp_path: Path) -> None:
    turns = replay.read(recorded(tmp_path, "generic")[0])
    known, protocol = replay.Commands(), AtProtocol(URCS)
    for turn in turns:
        if turn.line is not None:
            command = known.find(turn)
            protocol.start(command)
            replies = [one for one in protocol.feed(turn.after) if isinstance(one, Reply)]
            turn.outcome = [replay._outcome(command, reply) for reply in replies]
            assert len(turn.outcome) == 1
    replay.play_to_protocol(turns, octet_by_octet=True)


def test_nothing_private_is_written_directly_or_through_the_agent(
    running: Running, tmp_path: Path
) -> None:
    paths = [recorded(tmp_path, "generic")[0], tmp_path / "agent.at"]
    assert doctor(running.agent, "--transcript", str(paths[1])).status == 0
    for path in paths:
        written = path.read_text()
        assert "> AT+CGSN" in written
        assert "secret" not in written
        for number in PRIVATE:
            assert number not in written
        assert len(replay.read(path)) > 15


def test_transcript_of_no_modem_says_so(tmp_path: Path) -> None:
    path = tmp_path / "none.at"
    assert doctor(Agent(tmp_path), "--transcript", str(path)).status == 69
    assert path.read_text().startswith("# no modem answered; written by modem-agent doctor")


def test_transcript_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    done = agent.main("doctor", "--transcript", str(tmp_path / "no" / "where.at"))
    assert done.returncode == 1
    assert "where.at" in done.stderr
