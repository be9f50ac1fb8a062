"""The HTTP server: every platform below its own prefix, the control API, the page."""

from __future__ import annotations

import asyncio
import http
import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from agent.simulator.callbacks import Caller
from agent.simulator.centre import Centre
from agent.simulator.platform import BODY_MAX, READ_WITHIN_S, Platform, Surroundings
from agent.simulator.world import World
from agent.simulator.world_clock import WorldClock

__all__ = ["Server"]

log = logging.getLogger(__name__)

SAVE_AFTER_S: Final = 0.2  # changes that come together are written together
END_WITHIN_S: Final = 1.0  # for requests that are under way
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """Builds the platforms of a world around one message centre, and serves them.

    state: the file that the platforms' records are kept in, None: nowhere.
    """

    def __init__(
        self,
        world: World,
        clock: WorldClock,
        centre: Centre,
        kinds: Mapping[str, type[Platform]],
        *,
        state: Path | None = None,
    ) -> None:
        self.world = world
        self.clock = clock
        self.centre = centre
        self.caller = Caller(clock)
        self.url = ""
        self._state = state
        self._saving: asyncio.TimerHandle | None = None
        self._runner: web.AppRunner | None = None
        self.platforms: dict[str, Platform] = {}
        tokens: dict[str, tuple[str, datetime]] = {}
        for name, kind in kinds.items():
            sims = tuple(sim for sim in world.sims.values() if name in sim.known)
            around = Surroundings(
                world.platforms[name],
                sims,
                tokens,
                clock,
                centre,
                self.caller,
                base_url=lambda name=name: f"{self.url}/{name}",  # type: ignore[misc]  # bound now
                changed=self._changed,
            )
            self.platforms[name] = kind(around)
            centre.route(self.platforms[name])

    async def start(self, host: str, port: int, *more: web.AbstractRouteDef) -> None:
        """Listen; `url` is set then. more: routes beside those of the platforms."""
        self._load()
        application = web.Application(client_max_size=BODY_MAX)
        application.add_routes(more)
        for name, platform in self.platforms.items():
            guarded = _guard(platform)
            part = web.Application(client_max_size=BODY_MAX, middlewares=[guarded])
            part.add_routes(platform.routes())
            application.add_subapp(f"/{name}", part)
        application.add_routes(_at_root(self.platforms.values()))
        self._runner = web.AppRunner(
            application, access_log=None, handle_signals=False, shutdown_timeout=END_WITHIN_S
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        bound_host, bound_port = self._runner.addresses[0][:2]
        shown = f"[{bound_host}]" if ":" in bound_host else bound_host
        self.url = self.caller.own_url = f"http://{shown}:{bound_port}"

    async def close(self) -> None:
        """Stop serving, give up callbacks, keep the state."""
        if self._runner is not None:
            await self._runner.cleanup()
        await self.caller.close()
        if self._saving is not None:
            self._saving.cancel()
            self._save()

    # ---- state in a file ------------------------------------------------------------------

    def _changed(self) -> None:
        if self._state is not None and self._saving is None:
            self._saving = asyncio.get_running_loop().call_later(SAVE_AFTER_S, self._save)

    def _save(self) -> None:
        self._saving = None
        if self._state is None:
            return
        state: dict[str, Any] = {name: platform.dump() for name, platform in self.platforms.items()}
        state["waiting"] = self.centre.dump()
        aside = self._state.with_name(self._state.name + ".new")
        aside.write_text(json.dumps(state, indent=1), encoding="utf-8")
        aside.replace(self._state)

    def _load(self) -> None:
        if self._state is None or not self._state.exists():
            return
        state: dict[str, Any] = json.loads(self._state.read_text(encoding="utf-8"))
        for name, platform in self.platforms.items():
            if name in state:
                platform.load(state[name])
        self.centre.load(state.get("waiting", ()), self.world.sims, self.platforms)


def _at_root(platforms: Iterable[Platform]) -> list[web.RouteDef]:
    """Return the routes at the root; of those that share one, who knows the client answers."""
    handlers: dict[tuple[str, str], list[Handler]] = {}
    for platform in platforms:
        for route in platform.root_routes():
            assert isinstance(route, web.RouteDef)  # noqa: S101 - platforms give nothing else
            handlers.setdefault((route.method, route.path), []).append(route.handler)
    return [
        web.route(method, path, _first_that_knows(asked))
        for (method, path), asked in handlers.items()
    ]


def _first_that_knows(asked: list[Handler]) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        answer = await asked[0](request)
        for handler in asked[1:]:
            if answer.status != http.HTTPStatus.UNAUTHORIZED:
                break
            answer = await handler(request)
        return answer

    return handle


def _guard(platform: Platform) -> Any:
    """Give the middleware that tells what HTTP itself refuses in the platform's own form."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            async with asyncio.timeout(READ_WITHIN_S):
                return await handler(request)
        except web.HTTPException as refused:
            return platform.error(refused.status, refused.reason)
        except TimeoutError:
            return platform.error(408, "Request Timeout")
        except (UnicodeDecodeError, ValueError) as error:
            return platform.error(400, f"not readable: {error}")

    return guard
