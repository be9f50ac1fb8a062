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

from agent.app import App
from agent.journal.journal import JournalUnavailableError
from agent.sms import delivery_reports
from agent.sms.queue import BACK_OFF_S, LOOK_EVERY_S, queue_send
from agent.sms.sender import NotSentError
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

    async def send_next(self) -> float:
        return await self.app.send_queue.send_next()

    async def receive(self, report: sms.StatusReport) -> str:
        return await self.app.journal.commit(
            lambda db: delivery_reports.match(db, report, self.clock.now, self.app.planner)
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
    assert await bench.send_next() == LOOK_EVERY_S
    assert len(bench.mouth.sent) == 2


async def test_an_unknown_outcome_is_its_own_end_and_never_repeated(bench: Bench) -> None:
    n = await bench.queue()
    bench.mouth.ends = [SendUnknownError("no answer after Ctrl-Z")]
    await bench.send_next()
    assert (await bench.row(n))["state"] == "unknown"
    assert await bench.send_next() == LOOK_EVERY_S
    assert len(bench.mouth.sent) == 1


async def test_a_temporary_error_is_tried_again_and_a_permanent_one_is_not(bench: Bench) -> None:
    n = await bench.queue()
    bench.mouth.ends = [command_error("+CMGS=20", "+CMS ERROR: 332")]  # network timeout
    await bench.send_next()
    assert (await bench.row(n))["state"] == "queued"
    bench.clock.turn(await bench.send_next())
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
    assert await bench.send_next() == LOOK_EVERY_S


async def test_what_was_under_way_at_a_crash_is_unknown_and_not_sent_again(bench: Bench) -> None:
    n = await bench.queue()
    await bench.app.journal.commit(
        lambda db: db.execute("UPDATE sends SET state = 'sending' WHERE n = ?", (n,))
    )
    task = asyncio.ensure_future(bench.app.send_queue.run())
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
    n = await bench.queue(want_report=True)
    await bench.send_next()
    for stranger in (report(9, 0), report(1, 0, "+999")):
        told = await bench.receive(stranger)
        assert told == "of no message sent here"
    assert (await bench.row(n))["state"] == "sent"


@pytest.mark.parametrize(
    ("sent_to", "told"),
    [
        ("07700900123", "+447700900123"),
        ("+447700900123", "07700900123"),
        ("00447700900123", "+447700900123"),
        ("+447700900123", "447700900123"),
        ("+79211234567", "89211234567"),
        ("+390612345678", "0612345678"),
    ],
)
async def test_a_delivery_report_in_another_form_of_the_number_is_matched(
    bench: Bench, sent_to: str, told: str
) -> None:
    n = await bench.queue(recipient=sent_to, want_report=True)
    await bench.send_next()
    assert await bench.receive(report(1, 0, told)) == f"send {n}"
    assert (await bench.row(n))["state"] == "delivered"


async def test_of_two_numbers_that_end_alike_the_time_decides_or_nothing(bench: Bench) -> None:
    bench.mouth.ends = [7, 7]
    first = await bench.queue(recipient="+441700900123", want_report=True)
    await bench.send_next()
    bench.clock.turn(3600)
    second = await bench.queue(recipient="+442700900123", want_report=True)
    await bench.send_next()
    assert await bench.receive(report(7, 0, "0700900123")) == f"send {first}"
    assert (await bench.row(second))["state"] == "sent"


async def test_of_two_that_nothing_tells_apart_none_is_taken(bench: Bench) -> None:
    bench.mouth.ends = [7, 7]
    sends = [await bench.queue(recipient=f"+44{n}700900123", want_report=True) for n in (1, 2)]
    for _ in sends:
        await bench.send_next()
    assert await bench.receive(report(7, 0, "0700900123")) == "of one of several messages sent here"
    assert [(await bench.row(n))["state"] for n in sends] == ["sent", "sent"]


@pytest.mark.parametrize(
    ("sent_to", "told"), [("2936", "102936"), ("000", "1000"), ("KORE", "CORE")]
)
async def test_short_codes_and_names_match_whole(bench: Bench, sent_to: str, told: str) -> None:
    await bench.queue(recipient=sent_to, want_report=True)
    await bench.send_next()
    assert await bench.receive(report(1, 0, told)) == "of no message sent here"


async def test_a_delivery_report_is_not_for_what_asked_for_none(bench: Bench) -> None:
    bench.mouth.ends = [7, 7]
    asked = await bench.queue(want_report=True)
    await bench.send_next()
    reply = await bench.queue()
    await bench.send_next()
    assert await bench.receive(report(7, 0)) == f"send {asked}"
    assert (await bench.row(reply))["state"] == "sent"
    assert await bench.receive(report(7, 0)) == "of no message sent here"


UNREACHABLE = "+CMS ERROR: 38"  # network out of order: in practice, for this number
NO_SERVICE = "+CMS ERROR: 331"


async def test_a_number_that_cannot_be_reached_holds_up_nobody_else(bench: Bench) -> None:
    deaf = await bench.queue(recipient="+49100")
    others = [await bench.queue(recipient=f"+4920{n}") for n in range(3)]
    bench.mouth.ends = [command_error("+CMGS=20", UNREACHABLE)]
    for _ in range(4):
        assert await bench.send_next() == 0.0
    assert [(await bench.row(n))["state"] for n in others] == ["sent"] * 3
    assert (await bench.row(deaf))["state"] == "queued"
    assert await bench.send_next() == pytest.approx(BACK_OFF_S[0])


async def test_its_tries_grow_rare_for_all_that_goes_to_it_until_the_72_hours_are_over(
    bench: Bench,
) -> None:
    first = await bench.queue(recipient="+49100")
    second = await bench.queue(recipient="+49100")
    while (await bench.row(first))["state"] == "queued":
        bench.mouth.ends = [command_error("+CMGS=20", UNREACHABLE)]
        bench.clock.turn(await bench.send_next())
        bench.clock.set(-3600)
    assert (await bench.row(first))["state"] == "failed"
    assert len(bench.mouth.sent) < 6 + 72 * 2 + 2
    assert (await bench.row(second))["state"] in ("queued", "failed")


async def test_trouble_of_the_link_holds_up_all_and_being_woken_does_not_cut_it_short(
    bench: Bench,
) -> None:
    for n in range(3):
        await bench.queue(recipient=f"+4910{n}")
    bench.mouth.ends = [command_error("+CMGS=20", NO_SERVICE)]
    await bench.send_next()
    for _ in range(20):
        bench.clock.turn(1)
        assert await bench.send_next() > 0
    assert len(bench.mouth.sent) == 1
    bench.clock.turn(BACK_OFF_S[0])
    for _ in range(3):
        assert await bench.send_next() == 0.0
    assert len(bench.mouth.sent) == 4


async def test_when_every_number_fails_it_is_not_the_numbers(bench: Bench) -> None:
    for n in range(40):
        await bench.queue(recipient=f"+491{n:03}")
    bench.mouth.ends = [command_error("+CMGS=20", UNREACHABLE)] * 40
    for _ in range(200):
        if await bench.send_next() > 0:
            bench.clock.turn(1)
    assert len(bench.mouth.sent) < 10


async def test_what_left_the_modem_is_booked_also_where_the_disk_was_full_meanwhile(
    bench: Bench, mocker: MockerFixture
) -> None:
    mocker.patch("agent.sms.queue.RETRY_S", 0.01)
    n = await bench.queue()
    commit, refused = bench.app.journal.commit, [0]

    async def refusing(work: Any, **how: Any) -> Any:
        if bench.mouth.sent and refused[0] < 3:
            refused[0] += 1
            raise JournalUnavailableError("full")
        return await commit(work, **how)

    mocker.patch.object(bench.app.journal, "commit", refusing)
    await bench.send_next()
    assert (await bench.row(n))["state"] == "sent"
    assert refused == [3]


async def test_more_segments_than_the_budget_are_refused_for_good(bench: Bench) -> None:
    n = await bench.queue("x" * 153 * 9)
    assert await bench.send_next() == 0.0
    row = await bench.row(n)
    assert row["state"] == "failed"
    assert row["error"] == "9 segments are more than the SMS budget (8 in one hour)"
    with pytest.raises(NotSentError) as caught:
        await bench.app.sending.transmit("000", "x" * 153 * 9)
    assert caught.value.permanent
    assert bench.mouth.sent == []


async def test_a_budget_of_nothing_sends_nothing(tmp_path: Path) -> None:
    app = await make_app(tmp_path, None, {"budget": {"sms_per_hour": 0, "sms_per_day": 5}})
    for free in (False, True):
        assert app.sending.most_segments(free=free) == 0
        with pytest.raises(NotSentError) as caught:
            await app.sending.transmit("000", "hello", free=free)
        assert caught.value.permanent
    await app.journal.close()


async def test_whoever_waits_for_the_turn_is_asked_again_whether_it_is_still_wanted(
    bench: Bench,
) -> None:
    wanted = [True]
    await bench.app.sending.turn.acquire()
    waiting = asyncio.ensure_future(
        bench.app.sending.transmit("000", "late", wanted=lambda _: wanted[0])
    )
    await asyncio.sleep(0.01)
    wanted[0] = False
    bench.app.sending.turn.release()
    with pytest.raises(NotSentError) as caught:
        await waiting
    assert caught.value.unwanted
    assert bench.mouth.sent == []


async def test_those_that_wait_for_the_turn_do_not_all_take_the_last_of_the_budget(
    bench: Bench,
) -> None:
    sending = bench.app.sending

    async def send() -> None:
        references = (await sending.transmit("000", "x")).references
        await bench.app.journal.commit(
            lambda db: sending.record(
                db, "000", "x", references=references, trigger="sent", command=None, free=False
            )
        )

    ends = await asyncio.gather(*(send() for _ in range(12)), return_exceptions=True)
    assert len(bench.mouth.sent) == 8
    assert sum(isinstance(end, NotSentError) for end in ends) == 4
