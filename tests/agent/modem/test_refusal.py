"""What a modem refuses, or does not answer: the one is told and waited for, the other climbs."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from agent.app import App
from agent.modem import recovery_ladder
from agent.modem.recovery_ladder import LADDER, refusal_pauses
from at import modem
from at.bringup import discovery
from tests.agent.parts import TurnedClock, make_app
from tests.at.peer import ERROR, OK, Peer
from tests.at.store.test_dialects import answers


@contextlib.asynccontextmanager
async def linked(folder: Path, peer: Peer) -> AsyncIterator[App]:
    """A link that runs at this peer."""
    app = await make_app(folder, TurnedClock(), {"modem": {"port": peer.path, "poll_s": 60}})
    async with running(app):
        yield app


@contextlib.asynccontextmanager
async def running(app: App) -> AsyncIterator[None]:
    task = asyncio.ensure_future(app.link.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await app.journal.close()


async def until(probe: Callable[[], object]) -> None:
    async with asyncio.timeout(20.0):
        while not probe():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)


async def recovery(app: App) -> list[str]:
    rows = await app.journal.read(lambda db: db.execute("SELECT rung FROM recovery").fetchall())
    return [rung for (rung,) in rows]


@pytest.mark.parametrize("refused", ["+CMGF=0", "E0"])
async def test_lasting_refusal_is_told_and_tried_again_slowly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    monkeypatch.setattr(recovery_ladder, "REFUSED_S", 0.05)
    async with Peer(answers()) as peer:
        peer.answers[refused] = ERROR
        async with linked(tmp_path, peer) as app:
            await until(lambda: peer.lines.count(f"AT{refused}") >= 3)
            await until(lambda: app.link.state == "backing-off")
            assert app.link.reason.endswith(f"AT{refused}: ERROR")
            assert app.link.told == "backing-off"
            assert await recovery(app) == []
            peer.answers[refused] = OK
            await until(lambda: app.link.state == "ready")
            assert app.link.reason == ""


async def test_refused_modem_is_reset_where_somebody_wants_it(tmp_path: Path) -> None:
    async with Peer(answers()) as peer:
        peer.answers["+CMGF=0"] = ERROR
        async with linked(tmp_path, peer) as app:
            await until(lambda: app.link.state == "backing-off")
            app.link.reset("asked")
            await until(lambda: "AT+CFUN=1,1" in peer.lines)
            assert await recovery(app) == ["reset"]


def test_pauses_grow_to_minutes() -> None:
    pauses = list(itertools.islice(refusal_pauses(), 9))
    assert pauses == [15, 30, 60, 120, 240, 480, 960, 960, 960]


async def test_cause_stays_in_sight_while_the_ladder_is_climbed(tmp_path: Path) -> None:
    async with Peer(answers()) as peer, linked(tmp_path, peer) as app:
        await until(lambda: app.link.state == "ready")
        app.link.ladder = app.link.ladder[1:]  # reopen first
        peer.mute = True
        app.link._distrust("AT+CMGL: no result within 5 s")
        await until(lambda: app.link.state in {"opening", "starting"})
        assert app.link.reason == "AT+CMGL: no result within 5 s"


async def test_radio_that_was_off_is_told(tmp_path: Path) -> None:
    async with Peer(answers()) as peer:
        peer.answers["+CFUN?"] = b"\r\n+CFUN: 4\r\n" + OK
        async with linked(tmp_path, peer) as app:
            details: list[str] = []
            app.events.watch(lambda event: details.append(event.detail))
            await until(lambda: app.link.state == "ready")
            told = "the radio was off (+CFUN: 4), and has been switched on"
            assert app.link.reason == told
            assert told in details


async def test_mute_modem_is_reset_with_auto_and_no_other_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modem, "PROBE", replace(modem.PROBE, timeout_s=0.1))
    monkeypatch.setattr(modem, "RESYNC_TIMEOUT_S", 0.1)
    monkeypatch.setattr(modem.Modem.resynchronise, "__defaults__", (0.1,))
    monkeypatch.setattr(discovery, "PROBE_TIMEOUT_S", 0.1)
    theirs = answers() | {"+CGSN": b"\r\n490154203237500\r\n" + OK}
    async with Peer(answers()) as ours, Peer(theirs) as another:
        found = [
            discovery.Candidate(peer.path, peer.path, "1-1", "2c7c", "0125", n, "option", "", n)
            for n, peer in enumerate((ours, another))
        ]
        monkeypatch.setattr(discovery, "candidates", lambda _root=None: found)
        app = await make_app(tmp_path, TurnedClock(), {"modem": {"port": "auto", "poll_s": 60}})
        app.link.ladder = [
            replace(rung, patience_s=0.1, settle_s=0.0, after_s=0.0) for rung in LADDER
        ]

        def wake(_: str) -> bytes:
            ours.answers, ours.default = answers(), OK
            return OK

        async with running(app):
            await until(lambda: app.link.state == "ready")
            ours.answers, ours.default = {"+CFUN=1,1": wake}, None
            app.link._distrust("AT+CMGL: no result within 5 s")
            await until(lambda: "AT+CFUN=1,1" in ours.lines)
            await until(lambda: app.link.state == "ready")
        assert "AT+CFUN=1,1" not in another.lines
