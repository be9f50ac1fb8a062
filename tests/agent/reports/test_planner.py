from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agent.app import App
from agent.config.model import ReportConfig
from agent.journal.rows import CommandRow, command, update
from agent.reports.planner import Planner
from tests.agent.parts import NOW, TurnedClock, arrival, make_app


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    made = await make_app(tmp_path, TurnedClock())
    yield made
    await made.journal.close()


async def row_of(app: App, channel: str = "sms", **columns: Any) -> CommandRow:
    recorded = await app.intake.admit(arrival("mark id=a", channel=channel))
    n = recorded.command
    assert n is not None

    def work(db: Any) -> CommandRow:
        db.execute("UPDATE commands SET state = ?", (columns.pop("state", "succeeded"),))
        if columns:
            update(db, "commands", n, columns)
        return command(db, n)

    return await app.journal.commit(work)


async def planned(
    app: App, row: CommandRow, *, has_mqtt: bool = True, **config: Any
) -> list[tuple[str, int, int]]:
    """(channel, is a fall-back, seconds it waits) of the reports of an outcome."""
    planner = Planner(ReportConfig(**config), has_mqtt)

    def work(db: Any) -> list[tuple[str, int, int]]:
        planner.outcome(db, row, NOW)
        rows = db.execute(
            "SELECT channel, fallback, round((julianday(not_before) - julianday(created_at))"
            " * 86400) FROM reports ORDER BY channel"
        )
        return [(channel, fallback, int(wait)) for channel, fallback, wait in rows]

    return await app.journal.commit(work)


MQTT, SMS = ("mqtt", 0, 0), ("sms", 0, 0)


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        ("sms", [SMS]),
        ("mqtt", [MQTT]),
        ("both", [MQTT, SMS]),
        ("mqtt-then-sms", [MQTT, ("sms", 1, 60)]),
        ("origin", [SMS]),
        ("none", []),
    ],
)
async def test_where_a_command_by_sms_is_told(
    app: App, route: str, expected: list[tuple[str, int, int]]
) -> None:
    row = await row_of(app, route="")
    assert await planned(app, row, route=route) == expected


@pytest.mark.parametrize("route", ["sms", "mqtt", "both", "mqtt-then-sms", "origin"])
async def test_a_command_by_mqtt_is_told_there(app: App, route: str) -> None:
    row = await row_of(app, "mqtt", route="")
    assert await planned(app, row, route=route) == [MQTT]


async def test_without_a_broker_there_is_nothing_to_wait_for(app: App) -> None:
    row = await row_of(app, route="")
    assert await planned(app, row, has_mqtt=False, route="mqtt-then-sms") == [SMS]


async def test_the_route_of_the_message_goes_before_that_of_the_configuration(app: App) -> None:
    row = await row_of(app, route="both")
    assert await planned(app, row, route="none") == [MQTT, SMS]


async def test_without_an_address_there_is_no_sms(app: App) -> None:
    row = await row_of(app, route="", reply_to="")
    assert await planned(app, row, route="both") == [MQTT]


@pytest.mark.parametrize(
    ("state", "policy", "told"),
    [
        ("succeeded", "all", True),
        ("succeeded", "errors", False),
        ("succeeded", "none", False),
        ("failed", "errors", True),
        ("rejected", "errors", True),
        ("interrupted", "errors", True),
        ("failed", "none", False),
        ("accepted", "errors", False),
        ("scheduled", "errors", False),
        ("running", "errors", False),
        ("running", "all", True),
    ],
)
async def test_the_policy_concerns_sms_alone(app: App, state: str, policy: str, told: bool) -> None:
    row = await row_of(app, route="", state=state)
    assert await planned(app, row, route="both", policy=policy) == [MQTT, SMS][: 1 + told]
