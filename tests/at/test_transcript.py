"""Transcript: what is written down can be replayed and holds nothing private."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from at import sms
from at.bringup.bringup import BringUp, bring_up
from at.modem import Modem
from at.simulator import PtyModem
from at.store.messages import MessageStore
from at.transcript import Transcript
from tests.at import replay

NUMBER = "+447700900123"
SECRET = "the secret text"


async def record(mode: str) -> str:
    transcript = Transcript()
    time = sms.Timestamp.of(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    (part,) = sms.segment(SECRET, reference=0)
    async with PtyModem() as simulated:
        simulated.core.device.sim.state = "SIM PIN"
        modem = await Modem.open(simulated.path)
        modem.tap = transcript.tap
        wanted = BringUp(sms_mode=mode, pin="1234")  # type: ignore[arg-type]  # a word of its type
        store = MessageStore.of(modem, await bring_up(modem, wanted))
        simulated.deliver(sms.Deliver(sms.Address.parse(NUMBER), time, part), announce=False)
        (stored,) = await store.list_stored()
        await store.delete(stored)
        await store.send(sms.Submit(sms.Address.parse(NUMBER), part))
        await modem.close()
    return transcript.render("a test")


async def test_pdu_mode_leaves_nothing_private() -> None:
    written = await record("pdu")
    for private in ("447700900123", "490154203237518", "89441000303211234567", '"1234"'):
        assert private not in written
    hexes = [line.split()[-1] for line in written.splitlines() if len(line) > 40]
    assert not any(SECRET in str(sms_text(line)) for line in hexes)
    assert 'AT+CPIN="****"' in written


def sms_text(line: str) -> str | None:
    try:
        tpdu = sms.decode(line).tpdu
    except sms.DecodeError:
        return None
    return tpdu.user_data.text if isinstance(tpdu, sms.Deliver | sms.Submit) else None


async def test_text_mode_leaves_nothing_private() -> None:
    written = await record("text")
    for text in (SECRET, NUMBER):
        assert text not in written
        assert text.encode("utf-16-be").hex().upper() not in written


async def test_what_is_written_can_be_replayed(tmp_path: Path) -> None:
    path = tmp_path / "recorded.at"
    path.write_text(await record("pdu"))
    turns = replay.read(path)
    assert len([turn for turn in turns if turn.line is not None]) > 15
    for turn in turns:
        turn.outcome.clear()
    lines = [turn.line for turn in turns if turn.line is not None]
    assert lines[0] == "E0"
    assert any(line.startswith("+CMGS=") for line in lines)
