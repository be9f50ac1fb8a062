"""`modem-agent demo --http`: from each platform's HTTP API to the agent, and back to the API."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

from agent.demo.stage import StageError, agent_process
from agent.demo.timeline import Timeline
from agent.simulator import client
from agent.simulator.page import CALLBACK_PATH
from agent.simulator.platforms.m2m_portal import ORIGINATOR
from agent.simulator.running import Running, simulated
from agent.simulator.world import PLATFORMS, made_up

__all__ = ["play_http"]

T = TypeVar("T")

SIM: Final = "gateway-17"
WAIT_S: Final = 20.0
LOOK_EVERY_S: Final = 0.02
HTTP_MOST: Final = 600  # characters shown of a body
NO_ANSWERS_LISTED: Final = frozenset({"m2m-portal"})  # its query tells messages to the device only
FINAL: Final = frozenset({"delivered", "Success", "DELIVERED"})

_CONFIG: Final = """\
# Written by `modem-agent demo --http`. Everything stays on this machine.
[device]
id = "{device}"

[modem]
port = "{port}"

[platforms]
enabled = {platforms}
[platforms.m2m-portal]
senders = ["{portal}"]
reply_to = "{portal}"
[platforms.emnify]
senders = ["{emnify}"]
reply_to = "{emnify}"

[security]
require_signature = "never"     # for the demonstration only: anybody's commands run

[journal]
path = "{journal}"

[command.beacon]
exec = ["/bin/echo", "beacon {{state}}"]
[command.beacon.args.state]
type = "string"
choices = ["on", "off"]
required = true
"""


class _Player:
    """Shows one platform after the other and notes what was not as it must be."""

    def __init__(self, running: Running, journal: Path, timeline: Timeline) -> None:
        self._running = running
        self._journal = journal
        self._timeline = timeline
        self.failures: list[str] = []

    async def play(self, number: int, platform: str) -> None:
        """Send one command through a platform and show its road."""
        timeline, server = self._timeline, self._running.server
        id_ = f"demo-{number}"
        text = f"beacon state=on id={id_}"
        timeline.head(f"\n{number}. {platform}")
        account = client.Account(
            platform,
            f"{server.url}/{platform}",
            self._running.world.platforms[platform],
            self._running.world.sims[SIM].known[platform],
            f"{server.url}{CALLBACK_PATH}",
        )
        exchange = await client.send(account, text)
        path = exchange.url.removeprefix(server.url)
        timeline.event("in", f"HTTP {exchange.method}", f"{path} {exchange.form}", HTTP_MOST)
        timeline.event("in", f"     {exchange.status}", exchange.answer or "(no body)", HTTP_MOST)
        if not exchange.accepted:
            self.failures.append(f"{platform} did not take the command")
            return
        await self._after(platform, id_)
        listed = await client.read_back(account)
        wanted = [text] if platform in NO_ANSWERS_LISTED else [text, f"{id_} OK"]
        missing = [one for one in wanted if one not in listed.answer]
        if missing:
            self.failures.append(f"{platform} does not list {missing[0]!r}")
        path = listed.url.removeprefix(server.url)
        told = "does not list them all" if missing else f"lists {' and '.join(map(repr, wanted))}"
        timeline.event("dim", f"HTTP {listed.method}", f"{path.partition('?')[0]} {told}")

    async def _after(self, platform: str, id_: str) -> None:
        """Show what follows: the SMS, what the agent made of it, its answer, the callbacks."""
        told = self._running.control.state
        say = self._timeline.event

        def delivered() -> dict[str, Any] | None:
            return next((one for one in told()["deliveries"] if one["text"].endswith(id_)), None)

        if sms := await self._seen(delivered, platform, "SMS"):
            say("in", f"SMS  {sms['from']} -> box", sms["text"])
        if row := await self._seen(lambda: self._run(id_), platform, "outcome in the journal"):
            say("dim", "     verdict", f"{row[0]}, then {row[1]}")

        def answered() -> dict[str, Any] | None:
            found = (one for one in told()["originated"] if str(one["text"]).startswith(id_))
            return next(found, None)

        if answer := await self._seen(answered, platform, "answer"):
            say("out", f"SMS  box -> {answer['to']}", answer["text"])

        def called() -> list[dict[str, Any]] | None:
            calls = [one for one in told()["callbacks"] if one["platform"] == platform]
            answers = [one for one in calls if f"{id_} OK" in one["body"].replace("+", " ")]
            return calls if answers and all(one["status"] for one in calls) else None

        for call in await self._seen(called, platform, "callback with the answer") or ():
            say("mqtt", f"HTTP callback {call['method']}", call["body"], HTTP_MOST)

        def final() -> dict[str, Any] | None:
            outward = (one for one in told()["platforms"][platform] if id_ in one["text"])
            return next((one for one in outward if one["status"] in FINAL), None)

        if one := await self._seen(final, platform, "delivery in the API"):
            say("dim", "     status in the API", one["status"])

    def _run(self, id_: str) -> tuple[str, str] | None:
        """Return verdict and final state of a command by its id."""
        try:
            with contextlib.closing(_open(self._journal)) as db:
                row: tuple[str, str] | None = db.execute(
                    "SELECT m.verdict, c.state FROM messages m JOIN commands c ON c.n = m.command"
                    " WHERE c.id = ? AND c.finished_at IS NOT NULL",
                    (id_,),
                ).fetchone()
        except sqlite3.OperationalError:
            return None  # the agent is still coming up
        return row

    async def _seen(self, probe: Callable[[], T | None], platform: str, what: str) -> T | None:
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            if (found := probe()) is not None:
                return found
            await asyncio.sleep(LOOK_EVERY_S)
        self.failures.append(f"{platform}: no {what} in {WAIT_S:g} s")
        return None


def _open(journal: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{journal}?mode=ro", uri=True)


def _read_back(journal: Path, timeline: Timeline) -> list[str]:
    """Print what the journal says of all commands; return where that is not what must be."""
    with contextlib.closing(_open(journal)) as db:
        rows = db.execute(
            "SELECT m.platform, m.sender, m.verdict, c.id, c.state FROM messages m"
            " JOIN commands c ON c.n = m.command ORDER BY m.n"
        ).fetchall()
    timeline.head("\nRead back from the journal")
    timeline.table([(row[0], " ".join(map(str, row[1:]))) for row in rows])
    as_must = [row[0] for row in rows] == list(PLATFORMS)
    as_must = as_must and all((row[2], row[4]) == ("accepted", "succeeded") for row in rows)
    return [] if as_must else ["the journal's verdicts are not what they must be"]


async def _play(folder: Path, *, keep: bool) -> int:
    timeline = Timeline()
    config, journal = folder / "demo.toml", folder / "journal.db"
    config.write_text(
        _CONFIG.format(
            device=SIM,
            port=folder / "modem",
            platforms=json.dumps(PLATFORMS),
            portal=ORIGINATOR,
            emnify=client.EMNIFY_SOURCE,
            journal=journal,
        ),
        encoding="utf-8",
    )
    world = made_up(folder / "modem", CALLBACK_PATH)
    async with simulated(world, "127.0.0.1", 0) as running, agent_process(folder, config):
        timeline.head("modem-agent demo --http: a real agent process, five simulated platforms")
        timeline.say(f"serial port  {running.modems.by_sim[SIM].path}")
        timeline.say(f"page         {running.server.url}/")
        player = _Player(running, journal, timeline)
        for number, platform in enumerate(PLATFORMS, 1):
            await player.play(number, platform)
        wrong = player.failures + _read_back(journal, timeline)
        for one in wrong:
            timeline.say(f"NOT AS IT MUST BE: {one}", "bad")
        if not wrong:
            timeline.head(
                "\nEach command ran once, and each answer came back to its platform's API."
            )
        if keep:
            timeline.head(f"\nLeft running (Ctrl-C ends it). Page: {running.server.url}/")
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
        return 1 if wrong else 0


def play_http(*, keep: bool) -> int:
    """Run the demonstration over the platforms; 0 where everything was as it must be.

    keep: leave everything running until it is interrupted. Raises StageError.
    """
    with tempfile.TemporaryDirectory(prefix="modem-agent-demo-") as folder:
        try:
            return asyncio.run(_play(Path(folder), keep=keep))
        except KeyboardInterrupt:
            return 0 if keep else 130
        except (OSError, sqlite3.Error) as error:
            raise StageError(f"cannot play: {error}") from error
