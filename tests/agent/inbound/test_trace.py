"""The checks of a message are kept with it, and told as they were made."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from agent.app import App
from agent.cli.explain import lines
from agent.cli.history import HEADING, row
from agent.inbound.explain import explain
from agent.inbound.message import Arrival
from agent.journal import schema
from agent.journal.file import open_file
from agent.journal.history import Filters, Item, selected
from agent.journal.rows import CommandRow, command, insert, move_command
from agent.journal.timeline import road
from agent.journal.trace import ORDER, Step, decode, encode, told
from agent.payload.request import EVERY_COMMAND, read
from agent.payload.signatures import sign_request
from tests.agent.parts import NOW, TurnedClock, arrival, make_app

KEYS = {"0": b"a key", "next": b"another key"}
MORE: Mapping[str, Any] = {
    "platforms": {"enabled": ["super-sim", "connectivitypro"]},
    "command": {
        "mark": {"exec": ["/bin/true", "{n}"], "args": {"n": {"type": "integer"}}},
        "barred": {"exec": ["/bin/true"], "channels": ["mqtt"]},
    },
}


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    """An agent whose platform is open, so that what changes something must be signed."""
    for key_id, key in KEYS.items():
        (tmp_path / key_id).write_bytes(key)
    keys = {key_id: {"file": str(tmp_path / key_id)} for key_id in KEYS}
    more = {**MORE, "security": {"keys": keys}}
    made = await make_app(tmp_path, TurnedClock(trust=True), more)
    yield made
    await made.journal.close()


def signed(text: str, c: int, k: str = "0") -> str:
    """Sign a text as a third party would: whatever the agent thinks of the command."""
    claimed = read(f"{text} k={k} c={c} m=AAAAAAAAAA", known=EVERY_COMMAND).signed
    assert claimed is not None
    return f"{text} k={k} c={c} m={sign_request(claimed, KEYS[k], 'gw', k, str(c))}"


async def admit(app: App, one: Arrival) -> CommandRow:
    n = (await app.intake.admit(one)).command
    assert n is not None
    return await app.journal.read(lambda db: command(db, n))


async def items(app: App) -> list[Item]:
    return await app.journal.read(lambda db: list(selected(db, Filters(limit=100))))


async def explained(app: App, one: Arrival) -> dict[str, Any]:
    return await app.journal.read(lambda db: explain(db, app.judge, app.config, one))


def checks(steps: list[dict[str, str]]) -> dict[str, str]:
    return {step["check"]: step["text"] or step["result"] for step in steps}


REFUSED = [
    ("barred id=r1", "denied"),
    ("mark n=1 exp=2020-01-01T00:00:00Z id=r2", "expired"),
    ("mark n=x id=r3", "bad-args"),
    ("mark n=1 when=tomorrow id=r4", "bad-args"),
    ("marc n=1 id=r5", "unknown-command"),
    ("mark n=2 id=known", "id-conflict"),
]


@pytest.mark.parametrize(("text", "reason"), REFUSED)
async def test_whoever_signed_is_told_of_the_refusal_also_after_others_failed_to(
    app: App, text: str, reason: str
) -> None:
    await admit(app, arrival(signed("mark n=1 id=known", 1)))
    for n in range(4):
        await admit(app, arrival(f"mark n=1 id=f{n} c={n + 10} m=AAAAAAAAAA"))
    refused = await admit(app, arrival(signed(text, 100)))
    assert (refused.state, refused.reason, refused.key) == ("rejected", reason, "0")
    assert refused.free  # it claimed no counter: whoever has it may send it again
    item = (await items(app))[-1]
    assert [report["kind"] for report in item["reports"]] == ["result"]
    assert item["command"]["key"] == "0"


async def test_whoever_signed_what_could_not_be_read_stands_on_the_road(app: App) -> None:
    one = arrival(signed("mark n=x id=a", 5))
    assert "signed    validly, with key 0" in lines(await explained(app, one))
    await admit(app, one)
    (item,) = await items(app)
    steps = await app.journal.read(lambda db: road(db, item))
    assert ("signed", "validly signed with key 0") in [(s["step"], s["text"]) for s in steps]


async def test_outcome_that_nobody_is_told_says_why(tmp_path: Path) -> None:
    app = await make_app(tmp_path, None, {"report": {"policy": "errors"}})
    row = await admit(app, arrival("ping id=a"))

    def succeed(db: sqlite3.Connection) -> None:
        for trigger in ("start", "succeed"):
            move_command(db, row.n, trigger, {"finished_at": NOW})
        app.planner.outcome(db, command(db, row.n), NOW)

    await app.journal.commit(succeed)
    (item,) = await items(app)
    assert item["untold"] == "report.policy is errors"
    await app.journal.close()


async def test_replay_is_told_to_its_signer(app: App) -> None:
    await admit(app, arrival(signed("mark n=1 id=a", 5)))
    for n in range(4):
        await admit(app, arrival(f"mark n=1 id=f{n} c={n + 10} m=AAAAAAAAAA"))
    replay = await admit(app, arrival(signed("mark n=2 id=b", 5)))
    assert (replay.reason, replay.key) == ("replay", "0")
    item = (await items(app))[-1]
    assert [report["kind"] for report in item["reports"]] == ["result"]
    seen = checks(item["checks"])
    assert seen["signature"] == "valid, key 0"
    assert seen["counter"].startswith("rejected replay c=5")
    assert seen["permission"] == "skipped"


async def test_forged_refusal_is_silent_and_says_why_nobody_is_told(app: App) -> None:
    for n in range(5):
        await admit(app, arrival(f"mark n=1 id=f{n} c={n + 10} m=AAAAAAAAAA"))
    first, *_, last = await items(app)
    assert (len(first["reports"]), first["untold"]) == (1, None)
    assert (last["reports"], last["untold"]) == ([], "silenced after failed signatures")
    told_now = await explained(app, arrival("mark n=1 id=g c=1 m=AAAAAAAAAA"))
    assert "told      nobody: silenced after failed signatures" in lines(told_now)


async def test_repeat_keeps_the_key_that_it_was_signed_with(app: App) -> None:
    await admit(app, arrival(signed("mark n=1 id=a", 5)))
    await app.intake.admit(arrival(signed("mark n=1 id=a", 6, "next")))
    first, again = await items(app)
    assert again["verdict"] == "duplicate"
    assert checks(first["checks"])["signature"] == "valid, key 0"
    assert checks(again["checks"])["signature"] == "valid, key next"


async def test_each_repeat_has_the_reports_that_it_caused(app: App) -> None:
    for _ in range(6):
        await app.intake.admit(arrival("ping id=a"))
    first, *repeats = await items(app)
    assert [len(item["reports"]) for item in repeats] == [1, 1, 1, 0, 0]
    assert repeats[-1]["untold"] == "told a moment ago"
    assert first["reports"] == []


async def test_what_explain_foretells_is_what_is_recorded(app: App) -> None:
    texts = [
        "ping id=a",
        "ping id=a",
        "hello there",
        "mark id=b",
        signed("mark n=1 exp=2030-01-01T00:00:00Z id=c", 7),
        "{",
        "frobnicate x=1",
    ]
    for text in texts:
        foretold = await explained(app, arrival(text))
        await app.intake.admit(arrival(text))
        item = (await items(app))[-1]
        assert item["checks"] == foretold["steps"], text
        assert len([s for s in foretold["steps"] if s["result"] == "decided"]) == (
            item["verdict"] != "accepted"
        )


async def test_refusal_of_reason_error_names_its_check(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.inbound.judge.boot_id", lambda: None)
    told_now = await explained(app, arrival(signed("reboot id=a", 5)))
    assert (told_now["reason"], told_now["detail"]) == ("error", "no boot id to be had")
    (decided,) = [step for step in told_now["steps"] if step["result"] == "decided"]
    assert decided["check"] == "clock"


async def test_message_that_its_channel_refuses_is_decided_before_all_checks(app: App) -> None:
    retained = Arrival("mqtt", NOW, text="ping", verdict="rejected", reason="denied", detail="x")
    await app.intake.admit(retained)
    (item,) = await items(app)
    assert item["checks"][0] == {
        "check": "channel",
        "result": "decided",
        "text": "rejected denied x",
    }
    assert {step["result"] for step in item["checks"][1:]} == {"skipped"}


async def test_publication_of_a_message_is_no_report_of_its_outcome(tmp_path: Path) -> None:
    more = {"mqtt": {"url": "mqtt://127.0.0.1:1"}, "report": {"route": "none"}}
    app = await make_app(tmp_path, None, more)
    await admit(app, arrival("mark nonsense=1 id=a"))
    await app.journal.commit(lambda db: db.execute("UPDATE reports SET state = 'reported'"))
    (item,) = await items(app)
    assert [report["kind"] for report in item["reports"]] == ["received"]
    assert row(item)[HEADING.index("TOLD")] == "-"
    steps = await app.journal.read(lambda db: road(db, item))
    assert ("untold", "the route is none") in [(step["step"], step["text"]) for step in steps]
    await app.journal.close()


@pytest.mark.parametrize(
    ("report", "channel", "why"),
    [
        ({"policy": "none"}, "sms", "report.policy is none"),
        ({"route": "none"}, "sms", "the route is none"),
        ({"route": "origin"}, "console", "asked at the console"),
        ({"route": "sms"}, "mqtt", "there is no address to answer"),
    ],
)
async def test_explain_says_why_nobody_would_be_told(
    tmp_path: Path, report: dict[str, str], channel: str, why: str
) -> None:
    app = await make_app(tmp_path, None, {"report": report})
    one = arrival("ping", channel=channel)
    told_now = await explained(app, one)
    assert (told_now["reports"], told_now["untold"]) == ([], why)
    assert f"told      nobody: {why}" in lines(told_now)
    await app.journal.close()


def test_trace_is_short_and_read_back() -> None:
    steps = (Step("sender", "+"), Step("payload", "+"), Step("signature", "+", "a.key_id:-1"))
    assert decode(encode(steps)) == steps
    everything = [Step(name, "+") for name in ORDER]
    assert len(encode(everything)) == 16
    assert decode("s+?!x+p!") == (Step("sender", "+"), Step("payload", "!"))  # a newer agent's


def test_message_from_before_the_traces_says_that_they_are_not_recorded(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    clock = TurnedClock()
    old = schema._MIGRATIONS[:3]
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        for step in old:
            db.executescript(step)
        db.execute(f"PRAGMA user_version = {len(old)}")
        db.execute("INSERT INTO meta VALUES ('created_at', '2026-06-01T12:00:00.000Z')")
        db.execute(
            "INSERT INTO messages (received_at, channel, sender, text, verdict)"
            " VALUES ('2026-06-01T12:00:00.000Z', 'sms', '000', 'hello', 'not-a-command')"
        )
    reopened, _ = open_file(path, clock)
    with contextlib.closing(reopened) as db:
        (item,) = selected(db, Filters())
        assert item["checks"] is None
        assert item["untold"] is None
        values = {"received_at": NOW, "channel": "sms", "sender": "000", "verdict": "stranger"}
        insert(db, "messages", {**values, "trace": "s!"})
        assert [one["checks"] is None for one in selected(db, Filters())] == [True, False]


def test_every_result_of_every_check_has_its_words() -> None:
    about = dict.fromkeys(("verdict", "reason", "detail", "sender", "channel"), "x")
    about |= dict.fromkeys(("platform", "command", "id"), "x")
    for text in ("s+p+g+(0)d+c+j+t+a+", "s-p+god+c-jot-a+", "s+p+g-d!"):
        assert all(
            step["text"] for step in told(decode(text), about) if step["result"] != "skipped"
        )
