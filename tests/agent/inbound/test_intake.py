from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from agent.app import App
from agent.inbound.message import Arrival
from agent.journal.rows import CommandRow, command
from tests.agent.parts import NOW, TurnedClock, arrival, make_app


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    made = await make_app(tmp_path, TurnedClock())
    yield made
    await made.journal.close()


async def admit(app: App, one: Arrival) -> tuple[str, CommandRow | None]:
    recorded = await app.intake.admit(one)
    n = recorded.command
    row = None if n is None else await app.journal.read(lambda db: command(db, n))
    return recorded.judgement.verdict, row


async def reports(app: App, n: int) -> list[tuple[str, str]]:
    return await app.journal.read(
        lambda db: db.execute(
            "SELECT kind, channel FROM reports WHERE command = ? ORDER BY n", (n,)
        ).fetchall()
    )


async def test_an_accepted_command_its_message_and_its_id_are_one_commit(app: App) -> None:
    before = app.journal.commits
    verdict, row = await admit(app, arrival("mark id=a"))
    assert app.journal.commits == before + 1
    assert verdict == "accepted"
    assert row is not None
    assert (row.id, row.state, row.command, row.reply_to) == ("a", "accepted", "mark", "000")


async def test_a_refused_command_is_told_and_its_id_stays_free(app: App) -> None:
    verdict, row = await admit(app, arrival("mark id=a nonsense=1"))
    assert (verdict, row.state if row else "") == ("rejected", "rejected")
    assert row is not None
    assert await reports(app, row.n) == [("result", "sms")]
    verdict, row = await admit(app, arrival("mark id=a"))
    assert verdict == "accepted"


async def test_a_repeat_is_a_duplicate_and_told_as_one(app: App) -> None:
    _, first = await admit(app, arrival("mark id=a"))
    verdict, again = await admit(app, arrival("mark id=a"))
    assert verdict == "duplicate"
    assert first is not None
    assert again is not None
    assert again.n == first.n
    assert await reports(app, first.n) == [("duplicate", "sms")]


async def test_json_and_line_form_of_one_command_are_the_same_request(app: App) -> None:
    await admit(app, arrival("set enable=1 id=a"))  # no such property: refused
    await admit(app, arrival("mark id=a"))
    verdict, _ = await admit(app, arrival('{"cmd":"mark","id":"a"}'))
    assert verdict == "duplicate"


async def test_repeats_of_one_message_are_told_three_times_then_once_a_minute(
    tmp_path: Path,
) -> None:
    clock = TurnedClock()
    app = await make_app(tmp_path, clock)
    _, first = await admit(app, arrival("mark id=a"))
    assert first is not None
    for _ in range(10):
        await admit(app, arrival("mark id=a"))
    assert len(await reports(app, first.n)) == 3
    clock.turn(61)
    await admit(app, arrival("mark id=a"))
    await admit(app, arrival("mark id=a"))
    assert len(await reports(app, first.n)) == 4
    await app.journal.close()


async def test_an_id_that_came_by_sms_is_known_when_it_comes_by_mqtt(app: App) -> None:
    await admit(app, arrival("mark id=a"))
    verdict, _ = await admit(app, arrival("mark id=a", channel="mqtt"))
    assert verdict == "duplicate"


async def test_a_command_that_changes_something_needs_an_id(app: App) -> None:
    verdict, row = await admit(app, arrival("mark", channel="mqtt"))
    assert verdict == "rejected"
    assert row is not None
    assert (row.reason, row.detail) == ("parse", "id")
    verdict, _ = await admit(app, arrival("ping", channel="mqtt"))
    assert verdict == "accepted"
    verdict, _ = await admit(app, arrival("mark", channel="mqtt", id="from-correlation"))
    assert verdict == "accepted"


async def test_the_payload_s_id_goes_before_the_sid_and_the_sid_before_the_fingerprint(
    app: App,
) -> None:
    sid = "DC" + "0123456789abcdef" * 2
    for text, id_ in (
        (f"{sid} mark id=own", "own"),
        (f"{sid} mark", sid.upper()),
        ("mark", "0123456789ab"),
    ):
        _, row = await admit(app, arrival(text))
        assert row is not None
        assert row.id == id_


async def test_a_wait_leaves_the_command_scheduled(app: App) -> None:
    for n, when in enumerate(("+90s", "NextBoot")):
        _, row = await admit(app, arrival(f"mark when={when} id=w{n}"))
        assert row is not None
        assert row.state == "scheduled"
    _, row = await admit(app, arrival("mark when=Immediate id=now"))
    assert row is not None
    assert row.state == "accepted"


async def test_an_absolute_time_without_a_clock_is_refused_and_never_run_now(app: App) -> None:
    for words in ("when=2030-01-01T00:00:00Z", "exp=2030-01-01T00:00:00Z", "exp=+1h"):
        verdict, row = await admit(app, arrival(f"mark {words} id=a"))
        assert verdict == "rejected"
        assert row is not None
        assert row.reason == "clock"


async def test_what_came_too_late_is_expired_by_the_time_stamp_of_the_message(
    tmp_path: Path,
) -> None:
    app = await make_app(tmp_path, TurnedClock(trust=True))
    late = arrival("mark exp=+1h id=a", sent_at=NOW - timedelta(hours=2))
    verdict, row = await admit(app, late)
    assert verdict == "rejected"
    assert row is not None
    assert row.reason == "expired"
    await app.journal.close()


@pytest.mark.parametrize(
    ("one", "verdict"),
    [
        (arrival("mark id=a", sender="+4915112345678"), "stranger"),
        (arrival("good morning"), "not-a-command"),
        (arrival("what=ever you like"), "not-a-command"),
        (Arrival("sms", NOW, sender="000", data=b"\xff\xfe"), "not-a-command"),
        (Arrival("sms", NOW, sender="000", verdict="junk"), "junk"),
    ],
    ids=["stranger", "free text", "half a line", "octets", "junk"],
)
async def test_what_is_no_command_makes_no_command_row_and_no_report(
    app: App, one: Arrival, verdict: str
) -> None:
    assert await admit(app, one) == (verdict, None)
    told = await app.journal.read(lambda db: db.execute("SELECT * FROM reports").fetchall())
    assert told == []


async def test_a_command_that_is_off_or_not_open_to_a_channel_is_denied(tmp_path: Path) -> None:
    more = {"command": {"mark": {"exec": ["/bin/true"], "channels": ["mqtt"]}}}
    app = await make_app(tmp_path, None, more)
    _, row = await admit(app, arrival("mark id=a"))
    assert row is not None
    assert (row.reason, row.detail) == ("denied", "channel")
    _, row = await admit(app, arrival("sms to=+491 text=x id=b"))
    assert row is not None
    assert (row.reason, row.detail) == ("denied", "off")
    await app.journal.close()


@pytest.mark.parametrize(
    ("to", "detail"),
    [
        ("KORE", "to is not a number: 'K' at character 1"),
        ('"0171,12"', "to is not a number: ',' at character 5"),
    ],
)
async def test_an_sms_to_what_is_no_number_is_refused(tmp_path: Path, to: str, detail: str) -> None:
    app = await make_app(tmp_path, None, {"command": {"sms": {"enabled": True}}})
    _, row = await admit(app, arrival(f"sms to={to} text=x id=b"))
    assert row is not None
    assert (row.reason, row.detail) == ("bad-args", detail)
    _, row = await admit(app, arrival('sms to="+49 171-1" text=x id=c'))
    assert row is not None
    assert row.state == "accepted"
    await app.journal.close()


@pytest.fixture
async def open_app(tmp_path: Path) -> AsyncIterator[App]:
    """An agent whose platform is open, so that what changes something must be signed."""
    (tmp_path / "key").write_text("a key\n")
    more = {
        "platforms": {"enabled": ["super-sim", "connectivitypro"]},
        "security": {"keys": {"0": {"file": str(tmp_path / "key")}}},
    }
    made = await make_app(tmp_path, TurnedClock(), more)
    yield made
    await made.journal.close()


def signed(app: App, text: str, c: int) -> str:
    from agent.payload.request import read  # noqa: PLC0415
    from agent.payload.signatures import key_of, sign_request  # noqa: PLC0415

    request = read(text, known=app.registry, cut_risk=False).request
    assert request is not None
    m = sign_request(request, key_of(b"a key"), "gw", "0", str(c))
    return f"{text} c={c} m={m}"


async def test_with_an_open_platform_only_reading_goes_unsigned(open_app: App) -> None:
    _, row = await admit(open_app, arrival("mark id=a"))
    assert row is not None
    assert row.reason == "signature"
    verdict, row = await admit(open_app, arrival("ping id=b"))
    assert verdict == "accepted"
    assert row is not None
    assert (row.space, row.free) == ("open", True)


async def test_a_signed_command_runs_and_its_counter_only_once(open_app: App) -> None:
    verdict, row = await admit(open_app, arrival(signed(open_app, "mark id=a", 100)))
    assert verdict == "accepted"
    assert row is not None
    assert (row.space, row.key, row.free) == ("", "0", False)
    verdict, _ = await admit(open_app, arrival(signed(open_app, "mark id=a", 100)))
    assert verdict == "duplicate"
    verdict, row = await admit(open_app, arrival(signed(open_app, "mark id=b", 100)))
    assert verdict == "rejected"
    assert row is not None
    assert row.reason == "replay"


async def test_an_unsigned_command_cannot_squat_on_the_id_of_a_signed_one(open_app: App) -> None:
    await admit(open_app, arrival("ping id=a"))
    verdict, _ = await admit(open_app, arrival(signed(open_app, "mark id=a", 5)))
    assert verdict == "accepted"


async def test_a_refused_signature_claims_neither_counter_nor_id(open_app: App) -> None:
    good = signed(open_app, "mark id=a", 7)
    forged = good[:-1] + ("A" if good[-1] != "A" else "B")
    _, row = await admit(open_app, arrival(forged))
    assert row is not None
    assert row.reason == "signature"
    verdict, _ = await admit(open_app, arrival(good))
    assert verdict == "accepted"


async def test_after_failed_signatures_replies_fall_silent_but_a_valid_one_is_heard(
    open_app: App,
) -> None:
    counts = []
    for n in range(6):
        _, row = await admit(open_app, arrival(f"mark id=f{n} c={n + 1} m=AAAAAAAAAA"))
        assert row is not None
        counts.append(len(await reports(open_app, row.n)))
    assert counts[:3] == [1, 1, 1]
    assert counts[3:] == [0, 0, 0]
    verdict, _ = await admit(open_app, arrival(signed(open_app, "mark id=good", 50)))
    assert verdict == "accepted"


async def test_counters_may_come_out_of_order_within_the_window(open_app: App) -> None:
    for n, c in enumerate((100, 98, 99, 150)):
        verdict, _ = await admit(open_app, arrival(signed(open_app, f"mark id=w{n}", c)))
        assert verdict == "accepted", c
