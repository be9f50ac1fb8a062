"""The link keeps the modem ready: absent, gone, back under another name, restarted, mute."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from agent.app import App
from agent.system.events import Event
from at.errors import CommandTimeoutError, PortError
from at.profiles import GENERIC
from at.simulator import PtyModem
from tests.agent.parts import NOW, TurnedClock, make_app, stored

PATIENCE_S = 40.0


class Bench:
    def __init__(self, app: App, modem: PtyModem) -> None:
        self.app, self.modem = app, modem
        self.states: list[str] = []
        app.events.watch(self._watch)

    def _watch(self, event: Event) -> None:
        if event.kind == "link":
            self.states.append(event.state)

    async def until(self, probe: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not probe():  # noqa: ASYNC110 - what is waited for is outside
                await asyncio.sleep(0.005)

    async def ready(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self.app.link.wait_ready()

    async def recovery(self) -> list[str]:
        return [
            rung
            for (rung,) in await self.app.journal.read(
                lambda db: db.execute("SELECT rung FROM recovery ORDER BY n").fetchall()
            )
        ]

    async def taken(self, text: str) -> None:
        """Bring a message without a word and wait until it is in the journal and off the SIM."""
        raw = stored(text).raw
        self.modem.deliver(raw, announce=False)
        self.app.link.bell.ring()
        await self.until(lambda: not self.modem.store.used)
        rows = await self.app.journal.read(
            lambda db: db.execute("SELECT 1 FROM segments WHERE raw = ?", (raw,)).fetchall()
        )
        assert len(rows) == 1


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """A link and an inbox that run, at a modem that is not there yet."""
    modem = PtyModem(link=tmp_path / "modem")
    app = await make_app(
        tmp_path, TurnedClock(), {"modem": {"port": str(tmp_path / "modem"), "poll_s": 60}}
    )
    tasks = [
        asyncio.ensure_future(app.link.run()),
        asyncio.ensure_future(app.inbox.run()),
    ]
    yield Bench(app, modem)
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    await app.journal.close()


async def test_a_modem_that_is_not_there_is_waited_for(bench: Bench) -> None:
    await asyncio.sleep(0.05)
    assert bench.app.link.state in ("absent", "opening")
    async with bench.modem:
        await bench.ready()
        assert bench.app.link.identity is not None
        assert bench.states[-1] == "ready"
        await bench.taken("ping id=a")
    assert await bench.recovery() == []


async def test_a_modem_that_is_unplugged_and_comes_back_is_initialised_in_full(
    bench: Bench,
) -> None:
    async with bench.modem:
        await bench.ready()
        bench.modem.vanish()
        await bench.until(lambda: not bench.app.link._ready.is_set())
        bench.modem.appear()
        await bench.ready()
        await bench.taken("ping id=a")
    # A device that vanishes is no error: nothing was reset for it.
    assert not set(await bench.recovery()) & {"reset", "power-cycle", "back-off"}


async def test_a_modem_that_comes_back_under_another_name_is_found(bench: Bench) -> None:
    async with bench.modem:
        await bench.ready()
        before = bench.modem.path
        bench.modem.vanish()
        await bench.until(lambda: not bench.app.link._ready.is_set())
        bench.modem.appear(another_name=True)
        await bench.ready()
        assert bench.modem.path != before
        await bench.taken("ping id=a")


async def test_what_was_stored_while_the_modem_was_away_is_found(bench: Bench) -> None:
    async with bench.modem:
        await bench.ready()
        bench.modem.vanish(power_lost=False)
        await bench.until(lambda: not bench.app.link._ready.is_set())
        bench.modem.deliver(stored("ping id=a").raw, announce=False)
        bench.modem.appear(power_lost=False)
        await bench.until(lambda: not bench.modem.store.used)


async def test_a_suspicion_brings_both_sides_back_in_step(bench: Bench) -> None:
    async with bench.modem:
        await bench.ready()
        bench.app.link.suspect(CommandTimeoutError("+CMGL", 5.0, "result"))
        await bench.until(lambda: "recovering" in bench.states)
        await bench.ready()
        await bench.taken("ping id=a")
    assert await bench.recovery() == ["resynchronise"]


async def test_the_ladder_starts_at_its_foot_for_every_new_trouble(bench: Bench) -> None:
    clock = bench.app.clock
    assert isinstance(clock, TurnedClock)
    async with bench.modem:
        for n in range(3):
            await bench.ready()
            clock.turn(3600)
            bench.app.link.suspect(CommandTimeoutError("+CMGL", 5.0, "result"))
            await bench.until(lambda n=n: bench.states.count("recovering") > n)  # type: ignore[misc]
        await bench.ready()
    assert await bench.recovery() == ["resynchronise"] * 3
    assert clock.now > NOW


async def test_the_state_is_told_and_has_a_time(bench: Bench) -> None:
    async with bench.modem:
        await bench.ready()
    assert bench.states[:1] == ["opening"]
    assert bench.states[-1] == "ready"
    assert bench.app.link.since == NOW


async def test_bring_up_that_somebody_wanted_takes_no_rung(bench: Bench) -> None:
    async with bench.modem:
        for n in range(3):
            await bench.ready()
            bench.app.link.renew("AT+CMGF at the console")
            await bench.until(lambda n=n: bench.states.count("ready") > n + 1)  # type: ignore[misc]
        await bench.taken("ping id=a")
    assert await bench.recovery() == []


@pytest.mark.parametrize(("imei", "told"), [(None, "not known which modem"), ("35", "asked")])
async def test_reset_with_auto_reaches_no_other_modem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, imei: str | None, told: str
) -> None:
    asked: list[object] = []

    async def open_modem(port: str, **options: object) -> None:
        asked.append((port, options["imei"]))
        raise PortError(port, "asked")

    monkeypatch.setattr("agent.modem.link.open_modem", open_modem)
    app = await make_app(tmp_path, TurnedClock(), {"modem": {"port": "auto"}})
    if imei is not None:
        app.link.identity = SimpleNamespace(imei=imei, profile=GENERIC)  # type: ignore[assignment]
    assert told in await app.link._reset()
    assert asked == ([] if imei is None else [("auto", imei)])
    await app.journal.close()
