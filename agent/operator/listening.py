"""Receives the platforms' callbacks and pushes, one path each: `/super-sim` and so on."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from aiohttp import web

from agent.operator.inventory import Inventory
from agent.operator.pushes import PLATFORMS, Event, ForgedError, MalformedError, Push, Reader
from agent.operator.received import Log, read

__all__ = ["Listener"]

BODY_MAX: Final = 256 * 1024
BODY_S: Final = 30.0  # a body takes no longer
REMEMBERED: Final = 10_000
AGAIN_S: Final = 600.0  # one SMS under two ids comes within this time

Key = tuple[str, ...]


class Listener:
    """Hands on each event once, after it is on disk.

    emit: takes the event's object. complain: is told of calls that are refused.
    """

    def __init__(
        self,
        inventory: Inventory,
        log: Log,
        emit: Callable[[dict[str, Any]], None],
        complain: Callable[[str], object],
    ) -> None:
        self._inventory = inventory
        self._log = log
        self._emit = emit
        self._complain = complain
        self._known: OrderedDict[Key, float] = OrderedDict()
        for event in read(inventory.log):
            self._remember(_keys(event), _seconds(str(event.get("at"))))

    async def serve(self, host: str, port: int, ended: asyncio.Event) -> None:
        """Serve until `ended`; raises OSError where the address is not to be had."""
        app = web.Application(client_max_size=BODY_MAX)
        for name, reader in PLATFORMS.items():
            for path in (f"/{name}", f"/{name}/"):
                for method in reader.methods:
                    app.router.add_route(method, path, self._handler(name, reader))
        runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            name = f"[{host}]" if ":" in host else host
            self._complain(f"listening at http://{name}:{runner.addresses[0][1]}/")
            await ended.wait()
        finally:
            await runner.cleanup()

    def _handler(self, name: str, reader: Reader) -> Callable[[web.Request], Any]:
        async def handle(request: web.Request) -> web.Response:
            try:
                async with asyncio.timeout(BODY_S):
                    body = await request.read()
            except TimeoutError:
                return web.Response(status=408)
            origin = self._inventory.public_url or f"{request.scheme}://{request.host}"
            push = Push(
                request.method,
                origin + request.rel_url.raw_path,
                request.rel_url.raw_query_string,
                {key.lower(): value for key, value in request.headers.items()},
                body,
                time.time(),
            )
            return web.Response(status=self._take(name, reader, push))

        return handle

    def _take(self, name: str, reader: Reader, push: Push) -> int:
        """Take a call; returns the HTTP status for it."""
        try:
            events, proven = reader.events(push, self._inventory.accounts.get(name))
        except ForgedError:
            self._complain(f"{name}: a call without the platform's signature was refused")
            return 403
        except MalformedError as error:
            self._complain(f"{name}: {error}")
            return 400
        for event in events:
            told = self._told(name, event, proven, push.now)
            keys = _keys(told)
            if self._is_repeat(keys, push.now):
                continue
            try:
                self._log.append(told)
            except OSError as error:
                self._complain(f"{self._inventory.log}: {error.strerror}")
                return 503  # the platform calls again
            self._remember(keys, push.now)
            self._emit(told)
        return 200

    def _told(self, name: str, event: Event, proven: bool | None, now: float) -> dict[str, Any]:
        return {
            "at": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "platform": name,
            "device": self._device(name, event),
            "sim": event.sims[0] if event.sims else None,
            "direction": "from_sim" if event.from_device else "to_sim",
            "id": event.id,
            "status": event.status,
            "text": event.text,
            "part": event.part,
            "verified": proven,
        }

    def _device(self, name: str, event: Event) -> str | None:
        sims = {one.removeprefix("+") for one in event.sims}
        for device in self._inventory.devices.values():
            if device.account.platform == name and sims & set(device.known.values()):
                return device.name
        return None

    def _is_repeat(self, keys: list[Key], now: float) -> bool:
        seen, *alike = keys
        return seen in self._known or any(
            now - self._known.get(key, now - AGAIN_S) < AGAIN_S for key in alike
        )

    def _remember(self, keys: list[Key], now: float) -> None:
        for key in keys:
            self._known[key] = now
            self._known.move_to_end(key)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)


def _keys(event: dict[str, Any]) -> list[Key]:
    """Give what an event is known by: its id and status; one from a device by its text as well."""
    platform, text = str(event.get("platform")), event.get("text")
    keys: list[Key] = [(platform, str(event.get("id")), str(event.get("status")))]
    if event.get("direction") == "from_sim" and text and not event.get("part"):
        keys.append((platform, "text", str(event.get("sim")), str(text)))
    return keys


def _seconds(text: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return 0.0
