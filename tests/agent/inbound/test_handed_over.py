"""Messages handed over: journalled first, believed when read twice alike, never left unanswered."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from agent.app import App
from agent.journal.history import Filters, selected
from at import sms
from at.modem import Modem
from at.store.messages import MessageStore
from at.store.stored import Stored
from at.store.text_mode import TextMode
from at.urcs import URCS, MessageDelivered
from tests.agent.parts import NOW, TurnedClock, make_app, stored
from tests.at.peer import OK, Peer, until


class Handing:
    """A modem that hands over, as far as the inbox asks it."""

    def __init__(self, app: App, *, refuses: bool = True) -> None:
        self.refuses = refuses
        self.answered: list[str] = []
        self._journal = app.journal.path

    def on_disk(self, raw: str) -> bool:
        with contextlib.closing(sqlite3.connect(self._journal)) as db:
            return bool(db.execute("SELECT 1 FROM segments WHERE raw = ?", (raw,)).fetchone())

    async def refuse(self, one: Stored) -> None:
        assert self.on_disk(one.raw)
        self.answered.append("refused")

    async def delete(self, one: Stored) -> None:
        assert self.on_disk(one.raw)
        self.answered.append("received")


def odd(text: str = "mark id=a", more: str = "") -> Stored:
    whole = stored(text)
    return replace(
        whole, raw=whole.raw + more, direct=True, proven=False, flags=("trailing",), index=0
    )


async def take(app: App, handing: Handing, one: Stored) -> None:
    await app.inbox._take(handing, [one])  # type: ignore[arg-type]  # what the inbox asks of it


async def verdicts(app: App) -> list[str]:
    rows = await app.journal.read(lambda db: db.execute("SELECT verdict FROM messages").fetchall())
    return [row[0] for row in rows]


@pytest.mark.parametrize(("alike", "came"), [(True, 2), (False, 4)])
@pytest.mark.parametrize("restarts", [False, True])
async def test_odd_message_handed_over_twice_alike_is_taken(
    tmp_path: Path, *, alike: bool, came: int, restarts: bool
) -> None:
    answered: list[str] = []
    app = await make_app(tmp_path)
    for n in range(came):
        handing = Handing(app)
        await take(app, handing, odd(more="" if alike else f"{n:02X}"))
        answered += handing.answered
        if restarts:
            await app.journal.close()
            app = await make_app(tmp_path)
    found = await verdicts(app)
    apart = await app.journal.read(
        lambda db: db.execute("SELECT count(*) FROM segments WHERE message IS NULL").fetchone()
    )
    await app.journal.close()
    assert answered == ["refused"] * (came - 1) + ["received"]
    assert found == ["accepted" if alike else "unproven-read"]
    assert apart == (0,)


async def test_odd_messages_handed_over_by_turns_are_each_read_twice(tmp_path: Path) -> None:
    app = await make_app(tmp_path)
    handing = Handing(app)
    for _ in range(2):
        for text in ("mark id=a", "mark id=b", "mark id=c"):
            await take(app, handing, odd(text))
    found = await verdicts(app)
    await app.journal.close()
    assert handing.answered == ["refused"] * 3 + ["received"] * 3
    assert found == ["accepted"] * 3


async def test_odd_message_that_does_not_come_again_gets_its_verdict(tmp_path: Path) -> None:
    clock = TurnedClock()
    app = await make_app(tmp_path, clock)
    await take(app, Handing(app), odd())
    (seen,) = await app.journal.read(lambda db: list(selected(db, Filters())))
    assert seen["verdict"] == "unproven-read"
    clock.turn(2 * 86400)
    await app.inbox._give_up_incomplete()
    found = await verdicts(app)
    await app.journal.close()
    assert found == ["unproven-read"]


async def test_message_that_cannot_be_refused_is_kept_unproven_and_acknowledged(
    tmp_path: Path,
) -> None:
    app = await make_app(tmp_path)
    handing = Handing(app, refuses=False)
    await take(app, handing, odd())
    found = await verdicts(app)
    await app.journal.close()
    assert handing.answered == ["received"]
    assert found == ["unproven-read"]


BARE = [
    '+CMT: "+447700900123",,"26/06/01,12:00:00+00"',
    '+CMT: "+447700900123","","26/06/01,12:00:00+00"',
    '+CMT: "+447700900123","26/06/01,12:00:00+00"',
    '+CMT: "+447700900123",,',
    '+CMT: "+447700900123",',
    '+CMT: "+447700900123"',
    "+CMT: +447700900123,,26/06/01,12:00:00+00",
    "+CMT: ,,",
    "+CMT: ",
    '+CMT: "000",,"26/06/01,12:00:00+00",145',
    '+CMT: "+4477',
]


@pytest.mark.parametrize("header", BARE)
@pytest.mark.parametrize("charset", ["GSM", "IRA", "UCS2"])
async def test_text_mode_header_without_coding_gets_a_verdict_and_never_runs(
    tmp_path: Path, header: str, charset: str
) -> None:
    text = "mark id=a"
    line = text.encode("utf-16-be").hex().upper() if charset == "UCS2" else text
    async with Peer() as peer:
        peer.answers["+CNMA"] = OK
        modem = await Modem.open(peer.path, urcs=(*TextMode(charset).urcs, *URCS))
        messages = MessageStore(modem, "text", charset=charset, acknowledging=True)
        heard: list[object] = []
        modem.on_urc = heard.append
        peer.say(f"\r\n{header}\r\n{line}\r\n".encode())
        await until(lambda: heard)
        (news,) = heard
        assert isinstance(news, MessageDelivered)
        app = await make_app(tmp_path)
        await app.inbox._take(messages, [messages.delivered(news)])
        found = await verdicts(app)
        await app.journal.close()
        await modem.close()
    assert found == ["unsupported"]
    assert peer.lines[-1] == "AT+CNMA"


@pytest.mark.parametrize("shown", [True, False])
@pytest.mark.parametrize("charset", ["GSM", "UCS2"])
async def test_two_parts_in_text_mode_are_joined_or_unsupported(
    tmp_path: Path, charset: str, *, shown: bool
) -> None:
    text = "mark id=a " + "x" * 200
    parts = sms.segment(text, reference=7)
    async with Peer() as peer:
        peer.answers["+CNMA"] = OK
        modem = await Modem.open(peer.path, urcs=(*TextMode(charset).urcs, *URCS))
        messages = MessageStore(modem, "text", charset=charset, acknowledging=True)
        heard: list[object] = []
        modem.on_urc = heard.append
        app = await make_app(tmp_path)
        for part in parts:
            pdu = sms.encode(sms.Deliver(sms.Address.parse("000"), sms.Timestamp.of(NOW), part))
            length, octets = _user_data(pdu)
            body = octets.hex().upper() if shown else "mark id=a"
            head = f'+CMT: "000",,"26/06/01,12:00:00+00",129,68,0,0,"+44",145,{length}'
            peer.say(f"\r\n{head}\r\n{body}\r\n".encode())
            await until(lambda: heard)
            news = heard.pop()
            assert isinstance(news, MessageDelivered)
            await app.inbox._take(messages, [messages.delivered(news)])
        found = await verdicts(app)
        await app.journal.close()
        await modem.close()
    assert found == (["rejected"] if shown else ["unsupported"] * len(parts))
    assert peer.lines.count("AT+CNMA") == len(parts)


@pytest.mark.parametrize("header", BARE)
@pytest.mark.parametrize("empty", ["\r\n", ""])
async def test_empty_message_in_text_mode_is_told_all_the_same(
    monkeypatch: pytest.MonkeyPatch, header: str, empty: str
) -> None:
    monkeypatch.setattr("at.modem.UNFOLLOWED_S", 0.02)
    async with Peer() as peer:
        heard: list[object] = []
        urcs = (*TextMode("GSM").urcs, *URCS)
        modem = await Modem.open(peer.path, urcs=urcs, on_urc=heard.append)
        peer.say(f"\r\n{header}\r\n{empty}".encode())
        await until(lambda: heard)
        await modem.close()
    assert heard == [MessageDelivered(header.rstrip(), "")]


def _user_data(pdu: bytes) -> tuple[int, bytes]:
    """TP-UDL and TP-UD of a message without a service centre from 000."""
    at = 1 + 1 + 2 + 2 + 2 + 7
    return pdu[at], pdu[at + 1 :]
