from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from agent import receipts
from agent.app import App
from agent.sending import NotSentError, queue_send
from at import sms
from at.errors import AtError, CommandTimeoutError, SendUnknownError
from at.result_codes import command_error
from tests.agent.parts import NOW, TurnedClock, make_app

if TYPE_CHECKING:
    from pytest_mock import MockerFixture


class Mouth:
    """A modem that sends, or fails as it is told."""

    def __init__(self) -> None:
        self.sent: list[sms.Submit] = []
        self.ends: list[AtError | int] = []

    async def send(self, submit: sms.Submit, *, more: bool = False) -> int:
        self.sent.append(submit)
        end = self.ends.pop(0) if self.ends else len(self.sent)
        if isinstance(end, AtError):
            raise end
        return end


class Bench:
    def __init__(self, app: App, clock: TurnedClock, mouth: Mouth) -> None:
        self.app, self.clock, self.mouth = app, clock, mouth

    async def queue(self, text: str = "hello", recipient: str = "+491", **how: Any) -> int:
        return await self.app.journal.commit(
            lambda db: queue_send(
                db, id_=None, recipient=recipient, body=text, now=self.clock.now, **how
            )
        )

    async def send_next(self) -> float | None:
        return await self.app.sending._send_next()

    async def receive(self, report: sms.StatusReport) -> str:
        return await self.app.journal.commit(
            lambda db: receipts.match(db, report, self.clock.now, self.app.planner)
        )

    async def row(self, n: int) -> dict[str, Any]:
        def work(db: sqlite3.Connection) -> dict[str, Any]:
            cursor = db.execute("SELECT * FROM sends WHERE n = ?", (n,))
            return dict(zip([c[0] for c in cursor.description], cursor.fetchone(), strict=True))

        return await self.app.journal.read(work)


@pytest.fixture
async def bench(tmp_path: Path, mocker: MockerFixture) -> AsyncIterator[Bench]:
    clock = TurnedClock()
    app = await make_app(tmp_path, clock, {"budget": {"sms_per_hour": 8, "sms_per_day": 12}})
    mouth = Mouth()

    async def messages() -> Mouth:
        return mouth

    mocker.patch.object(app.link, "messages", messages)
    app.link._ready.set()
    yield Bench(app, clock, mouth)
    await app.journal.close()


async def test_a_queued_sms_is_sent_once_and_keeps_its_references(bench: Bench) -> None:
    n = await bench.queue("x" * 200)
    assert await bench.send_next() == 0.0
    row = await bench.row(n)
    assert row["state"] == "sent"
    assert [one["reference"] for one in json.loads(row["refs"])] == [1, 2]
    assert await bench.send_next() is None
    assert len(bench.mouth.sent) == 2


async def test_an_unknown_outcome_is_its_own_end_and_never_repeated(bench: Bench) -> None:
    n = await bench.queue()
    bench.mouth.ends = [SendUnknownError("no answer after Ctrl-Z")]
    await bench.send_next()
    assert (await bench.row(n))["state"] == "unknown"
    assert await bench.send_next() is None
    assert len(bench.mouth.sent) == 1


async def test_a_temporary_error_is_tried_again_and_a_permanent_one_is_not(bench: Bench) -> None:
    n = await bench.queue()
    bench.mouth.ends = [command_error("+CMGS=20", "+CMS ERROR: 332")]  # network timeout
    wait_s = await bench.send_next()
    assert wait_s
    assert (await bench.row(n))["state"] == "queued"
    await bench.send_next()
    assert (await bench.row(n))["state"] == "sent"
    n = await bench.queue()
    bench.mouth.ends = [command_error("+CMGS=20", "+CMS ERROR: 10")]  # call barred
    await bench.send_next()
    assert (await bench.row(n))["state"] == "failed"


async def test_with_one_segment_gone_the_others_are_not_started_anew(bench: Bench) -> None:
    n = await bench.queue("x" * 400)
    bench.mouth.ends = [1, CommandTimeoutError("+CMGS", 60.0, "prompt")]
    await bench.send_next()
    row = await bench.row(n)
    assert row["state"] == "failed"
    assert len(json.loads(row["refs"])) == 1
    assert await bench.send_next() is None


async def test_what_was_under_way_at_a_crash_is_unknown_and_not_sent_again(bench: Bench) -> None:
    n = await bench.queue()
    await bench.app.journal.commit(
        lambda db: db.execute("UPDATE sends SET state = 'sending' WHERE n = ?", (n,))
    )
    task = asyncio.ensure_future(bench.app.sending.run())
    for _ in range(500):
        if (await bench.row(n))["state"] != "sending":
            break
        await asyncio.sleep(0.005)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert (await bench.row(n))["state"] == "unknown"
    assert bench.mouth.sent == []


async def test_over_the_budget_of_an_hour_it_waits_until_the_first_is_an_hour_old(
    bench: Bench,
) -> None:
    for _ in range(8):
        await bench.queue()
        assert await bench.send_next() == 0.0
        bench.clock.turn(60)
    n = await bench.queue()
    wait_s = await bench.send_next()
    assert wait_s is not None
    assert wait_s == pytest.approx(3600 - 8 * 60, abs=2)
    assert (await bench.row(n))["state"] == "queued"
    bench.clock.turn(wait_s)
    assert await bench.send_next() == 0.0
    assert (await bench.row(n))["state"] == "sent"


async def test_the_budget_of_a_day_holds_too(bench: Bench) -> None:
    sent = 0
    for _ in range(24 * 4):
        await bench.queue()
        sent += await bench.send_next() == 0.0
        bench.clock.turn(900)
    assert sent == 12


async def test_unsigned_and_refused_messages_may_cause_a_quarter_of_it(bench: Bench) -> None:
    for _ in range(2):
        await bench.queue(free=True)
        assert await bench.send_next() == 0.0
    await bench.queue(free=True)
    assert await bench.send_next()
    with pytest.raises(NotSentError):
        await bench.app.sending.transmit("000", "free", free=True)
    assert (await bench.app.sending.transmit("000", "earned")).references


@pytest.mark.parametrize("days", [-300, 300])
async def test_a_wall_clock_that_is_set_does_not_block_the_way_out(bench: Bench, days: int) -> None:
    for _ in range(8):
        await bench.queue()
        await bench.send_next()
    bench.clock.set(timedelta(days=days).total_seconds())
    bench.clock.turn(3601)
    n = await bench.queue()
    await bench.send_next()
    assert (await bench.row(n))["state"] == "sent"


async def test_what_cannot_be_encoded_is_refused_for_good(bench: Bench) -> None:
    with pytest.raises(NotSentError) as caught:
        await bench.app.sending.transmit("", "hello")
    assert caught.value.permanent
    with pytest.raises(NotSentError) as caught:
        await bench.app.sending.transmit("000", "x" * 200, max_segments=1)
    assert caught.value.permanent
    assert bench.mouth.sent == []


def report(reference: int, status: int, recipient: str = "+491") -> sms.StatusReport:
    stamp = sms.Timestamp.of(NOW)
    return sms.StatusReport(
        reference=reference,
        recipient=sms.Address.parse(recipient),
        timestamp=stamp,
        discharged=stamp,
        status=status,
    )


@pytest.mark.parametrize(
    ("statuses", "state"),
    [
        ([0x00, 0x00], "delivered"),
        ([0x00], "sent"),
        ([0x20, 0x00], "sent"),
        ([0x00, 0x46], "failed"),
    ],
)
async def test_delivery_reports_are_matched_to_what_was_sent(
    bench: Bench, statuses: list[int], state: str
) -> None:
    n = await bench.queue("x" * 200, want_report=True)
    await bench.send_next()
    for reference, status in enumerate(statuses, 1):
        await bench.receive(report(reference, status))
    assert (await bench.row(n))["state"] == state


async def test_a_delivery_report_of_somebody_else_s_message_changes_nothing(bench: Bench) -> None:
    n = await bench.queue()
    await bench.send_next()
    for stranger in (report(9, 0), report(1, 0, "+999")):
        told = await bench.receive(stranger)
        assert told == "of no message sent here"
    assert (await bench.row(n))["state"] == "sent"
