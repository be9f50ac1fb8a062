"""A flood of unproven commands against one that is proven: the row of docs/security.md, inside."""

from __future__ import annotations

import asyncio
from pathlib import Path

from agent.commands.scheduler import Scheduler
from agent.journal.rows import CommandRow
from tests.agent.parts import TurnedClock, arrival, make_app
from tests.e2e.threats import KEY, signed


async def test_a_signed_command_is_served_before_a_flood_of_unsigned_ones(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_bytes(KEY)
    more = {
        "platforms": {
            "enabled": ["super-sim", "connectivitypro"]
        },  # open: signatures are asked for
        "security": {"keys": {"0": {"file": str(key)}}},
    }
    app = await make_app(tmp_path, more=more)
    try:
        for n in range(40):
            await app.intake.admit(arrival(f"ping id=flood{n}"))
        await app.intake.admit(arrival(signed(KEY, 7, "mark", id_="mine")))
        started: list[CommandRow] = []
        one = asyncio.Event()

        def start(row: CommandRow) -> None:
            started.append(row)
            one.set()

        scheduler = Scheduler(
            app.journal,
            TurnedClock(),
            app.registry,
            app.planner,
            app.events,
            per_minute=1,
            start=start,
            wake_others=lambda: None,
        )
        running = asyncio.ensure_future(scheduler.run())
        async with asyncio.timeout(5):
            await one.wait()
        running.cancel()
        await asyncio.wait([running])
        # One start a minute: it went to the command that somebody proved to have sent.
        assert [row.id for row in started] == ["mine"]
    finally:
        await app.journal.close()
