"""`set` and `get`: properties checked as a whole, applied in order, remembered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.app import App
from agent.journal.rows import CommandRow, command
from tests.agent.parts import TurnedClock, arrival, make_app


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    note = ["/bin/sh", "-c", f"echo $0 >>{tmp_path}/applied"]
    properties = {
        "first": {"type": "boolean", "exec": [*note, "first={value}"]},
        "second": {"type": "integer", "min": 1, "max": 9, "exec": [*note, "second={value}"]},
        "broken": {"type": "string", "exec": ["/bin/sh", "-c", "exit 4", "{value}"]},
        "third": {"type": "string", "exec": [*note, "third={value}"]},
        "plain": {"type": "string"},
        "read": {"type": "string", "get_exec": ["/bin/echo", "from outside"]},
    }
    made = await make_app(tmp_path, TurnedClock(), {"property": properties})
    yield made
    await made.journal.close()


def applied(tmp_path: Path) -> list[str]:
    path = tmp_path / "applied"
    return path.read_text().split() if path.exists() else []


async def run(app: App, text: str) -> CommandRow:
    recorded = await app.intake.admit(arrival(text, fingerprint=f"{abs(hash(text)):x}"[:12]))
    n = recorded.command
    assert n is not None
    row = await app.journal.read(lambda db: command(db, n))
    if row.state == "accepted":
        await app.executor.execute(row)
    return await app.journal.read(lambda db: command(db, n))


async def test_properties_are_applied_in_the_order_of_the_configuration(
    app: App, tmp_path: Path
) -> None:
    row = await run(app, "third=x second=2 first=on")
    assert row.state == "succeeded"
    assert applied(tmp_path) == ["first=true", "second=2", "third=x"]
    assert list(row.result) == ["first", "second", "third"]


async def test_all_are_checked_before_any_is_applied(app: App, tmp_path: Path) -> None:
    row = await run(app, "first=on second=10")
    assert (row.state, row.reason) == ("rejected", "bad-args")
    row = await run(app, "first=on unheard=of")
    assert row.reason in ("bad-args", "unknown-command")
    assert applied(tmp_path) == []


async def test_the_first_failure_ends_it_with_a_result_for_each(app: App, tmp_path: Path) -> None:
    row = await run(app, "first=1 broken=x third=x")
    assert (row.state, row.reason) == ("failed", "exit-4")
    assert list(row.result) == ["first", "broken", "third"]
    assert (row.result["broken"], row.result["third"]) == ("exit-4", "skipped")
    assert applied(tmp_path) == ["first=true"]


@pytest.mark.parametrize(
    ("written", "value"), [("True", "true"), ("off", "false"), ("YES", "true"), ("0", "false")]
)
async def test_booleans_come_in_many_words_and_leave_as_two(
    app: App, tmp_path: Path, written: str, value: str
) -> None:
    await run(app, f"first={written}")
    assert applied(tmp_path) == [f"first={value}"]


async def test_the_platform_s_own_property_payload_is_a_set(app: App, tmp_path: Path) -> None:
    row = await run(app, '{"first":"True","when":"Immediate"}')
    assert (row.command, row.state) == ("set", "succeeded")
    assert applied(tmp_path) == ["first=true"]


async def test_get_tells_what_was_applied_last_or_what_the_program_says(app: App) -> None:
    assert (await run(app, "get name=plain")).state == "failed"
    await run(app, "plain=one")
    await run(app, "plain=two")
    assert dict((await run(app, "get name=plain id=g")).result) == {"plain": "two"}
    assert dict((await run(app, "get name=read")).result) == {"read": "from outside"}


@pytest.mark.parametrize("value", ["-rf", "--help", "$(id)", "`id`", "a b", ";reboot"])
async def test_a_value_is_one_argument_and_never_an_option_or_a_shell_word(
    app: App, tmp_path: Path, value: str
) -> None:
    quoted = f'"{value}"'
    row = await run(app, f"third={quoted}")
    if row.state == "succeeded":
        text = (tmp_path / "applied").read_text()
        assert text == f"third={value}\n"
    else:
        assert row.reason == "bad-args"
        assert applied(tmp_path) == []
