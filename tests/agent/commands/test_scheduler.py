from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from agent.app import App
from agent.commands.scheduler import LOOK_EVERY_S
from agent.journal.rows import CommandRow, command
from tests.agent.parts import NOW, TurnedClock, arrival, make_app

if TYPE_CHECKING:
    from pytest_mock import MockerFixture

BOOT = "0" * 32
OTHER_BOOT = "1" * 32
SETTINGS = {
    "command": {
        "mark": {"exec": ["/bin/true"]},
        "other": {"exec": ["/bin/true"]},
    },
    "budget": {"commands_per_minute": 5},
}


class Bench:
    """A scheduler whose commands are only noted, not run."""

    def __init__(self, app: App, clock: TurnedClock) -> None:
        self.app = app
        self.clock = clock
        self.started: list[CommandRow] = []

    async def accept(self, text: str, **how: Any) -> int:
        recorded = await self.app.intake.admit(arrival(text, received_at=self.clock.now, **how))
        assert recorded.judgement.verdict == "accepted", recorded.judgement
        assert recorded.command is not None
        return recorded.command

    async def dispatch(self) -> float:
        return await self.app.scheduler._dispatch()

    async def row(self, n: int) -> CommandRow:
        return await self.app.journal.read(lambda db: command(db, n))

    def ids(self) -> list[str]:
        return [row.id for row in self.started]

    def finish(self, id_: str) -> None:
        self.app.scheduler.done(next(row for row in self.started if row.id == id_))


@pytest.fixture
async def bench(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mocker: MockerFixture
) -> AsyncIterator[Bench]:
    monkeypatch.setenv("BOOT_ID", BOOT)
    clock = TurnedClock()
    app = await make_app(tmp_path, clock, SETTINGS)
    made = Bench(app, clock)
    mocker.patch.object(app.scheduler, "_start", made.started.append)
    yield made
    await app.journal.close()


async def test_commands_of_one_resource_run_one_after_another_in_order(bench: Bench) -> None:
    for n in range(3):
        await bench.accept(f"mark id=a{n}")
    await bench.dispatch()
    assert bench.ids() == ["a0"]
    await bench.dispatch()
    assert bench.ids() == ["a0"]
    bench.finish("a0")
    await bench.app.journal.commit(
        lambda db: db.execute("UPDATE commands SET state = 'succeeded' WHERE id = 'a0'")
    )
    await bench.dispatch()
    assert bench.ids() == ["a0", "a1"]


async def test_commands_of_different_resources_run_side_by_side(bench: Bench) -> None:
    await bench.accept("mark id=a")
    await bench.accept("other id=b")
    await bench.dispatch()
    assert sorted(bench.ids()) == ["a", "b"]


async def test_over_the_budget_of_a_minute_a_command_waits(bench: Bench) -> None:
    for n in range(7):
        await bench.accept(f"ping id=p{n}")
    for _ in range(5):
        await bench.dispatch()
        bench.finish(bench.ids()[-1])
        await bench.app.journal.commit(
            lambda db: db.execute(
                "UPDATE commands SET state = 'succeeded' WHERE id = ?", (bench.ids()[-1],)
            )
        )
        bench.clock.turn(1)
    assert await bench.dispatch() == pytest.approx(55)
    assert len(bench.ids()) == 5
    bench.clock.turn(55)
    await bench.dispatch()
    assert len(bench.ids()) == 6


async def test_a_delay_is_counted_from_acceptance_whatever_the_wall_clock_does(
    bench: Bench,
) -> None:
    await bench.accept("mark when=+90s id=a")
    assert await bench.dispatch() == pytest.approx(90)
    bench.clock.set(timedelta(days=300).total_seconds())
    assert await bench.dispatch() == pytest.approx(90)
    bench.clock.set(-timedelta(days=600).total_seconds())
    bench.clock.turn(89)
    assert await bench.dispatch() == pytest.approx(1)
    assert bench.ids() == []
    bench.clock.turn(1)
    await bench.dispatch()
    assert bench.ids() == ["a"]


async def test_a_time_waits_for_that_time(bench: Bench) -> None:
    bench.clock.trust = True
    await bench.accept("mark when=2026-06-01T12:10:00Z id=a")
    assert await bench.dispatch() == pytest.approx(600)
    bench.clock.turn(600)
    await bench.dispatch()
    assert bench.ids() == ["a"]


async def test_a_time_is_not_taken_for_come_while_the_clock_is_not_trusted(bench: Bench) -> None:
    bench.clock.trust = True
    await bench.accept("mark when=2026-06-01T12:10:00Z id=a")
    bench.clock.trust = False
    bench.clock.turn(3000)
    assert await bench.dispatch() == pytest.approx(30)
    assert bench.ids() == []


async def test_a_schedule_missed_by_more_than_an_hour_is_expired_and_told(bench: Bench) -> None:
    bench.clock.trust = True
    n = await bench.accept("mark when=2026-06-01T12:10:00Z id=a")
    bench.clock.turn(600 + 3601)
    await bench.dispatch()
    row = await bench.row(n)
    assert (row.state, row.reason) == ("expired", "expired")
    told = await bench.app.journal.read(
        lambda db: db.execute("SELECT kind FROM reports WHERE command = ?", (n,)).fetchall()
    )
    assert told == [("result",)]
    assert bench.ids() == []


async def test_what_waits_in_the_queue_past_its_expiry_is_not_run(bench: Bench) -> None:
    bench.clock.trust = True
    await bench.accept("mark id=first")
    n = await bench.accept("mark exp=+10m id=a")
    await bench.dispatch()
    bench.clock.turn(601)
    bench.finish("first")
    await bench.app.journal.commit(
        lambda db: db.execute("UPDATE commands SET state = 'succeeded' WHERE id = 'first'")
    )
    await bench.dispatch()
    assert (await bench.row(n)).state == "expired"
    assert bench.ids() == ["first"]


async def test_next_boot_waits_for_another_boot_id(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.accept("mark when=NextBoot id=a")
    assert await bench.dispatch() == LOOK_EVERY_S
    await bench.app.scheduler.adopt()
    assert await bench.dispatch() == LOOK_EVERY_S
    monkeypatch.setenv("BOOT_ID", OTHER_BOOT)
    await bench.dispatch()
    assert bench.ids() == ["a"]


async def test_a_delay_goes_on_after_a_boot_where_the_clock_can_tell(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.clock.trust = True
    await bench.accept("mark when=+1h id=a")
    monkeypatch.setenv("BOOT_ID", OTHER_BOOT)
    bench.clock.turn(600)
    bench.clock.up_s = 20.0  # it has booted since
    await bench.app.scheduler.adopt()
    assert await bench.dispatch() == pytest.approx(3000)


async def test_a_delay_is_counted_anew_after_a_boot_without_a_clock(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.accept("mark when=+1h id=a")
    monkeypatch.setenv("BOOT_ID", OTHER_BOOT)
    bench.clock.up_s = 20.0
    await bench.app.scheduler.adopt()
    assert await bench.dispatch() == pytest.approx(3600)
    assert bench.ids() == []


async def test_what_is_due_by_its_schedule_goes_before_a_backlog(bench: Bench) -> None:
    bench.clock.trust = True
    await bench.accept("other when=2026-06-01T12:00:01Z id=due")
    for n in range(20):
        await bench.accept(f"mark id=a{n}")
    bench.clock.turn(2)
    await bench.dispatch()
    assert bench.ids()[0] == "due"


async def test_no_more_than_eight_run_at_once(tmp_path: Path, mocker: MockerFixture) -> None:
    commands = {f"c{n}": {"exec": ["/bin/true"]} for n in range(12)}
    app = await make_app(tmp_path, TurnedClock(NOW), {"command": commands})
    bench = Bench(app, TurnedClock(NOW))
    mocker.patch.object(app.scheduler, "_start", bench.started.append)
    for n in range(12):
        await bench.accept(f"c{n} id=x{n}")
    await bench.dispatch()
    assert len(bench.ids()) == 8
    await app.journal.close()
