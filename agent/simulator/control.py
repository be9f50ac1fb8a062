"""The control API of the simulator (`/_control/`): its state, and what is to go wrong."""

from __future__ import annotations

import dataclasses
import ipaddress
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from aiohttp import web

from agent.simulator import client
from agent.simulator.centre import Delivery
from agent.simulator.modems import Modems
from agent.simulator.page import CALLBACK_PATH
from agent.simulator.server import Server
from at.simulator import PtyModem, operate

__all__ = ["Control"]

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Control:
    """For tests and for the page; loopback only."""

    def __init__(self, server: Server, modems: Modems) -> None:
        self._server = server
        self._modems = modems

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the routes."""
        return [
            web.get("/_control/state", self._told(self._state)),
            web.post("/_control/send", self._told(self._send)),
            web.post("/_control/faults", self._told(self._faults)),
            web.post("/_control/advance", self._told(self._advance)),
            web.post("/_control/modem", self._told(self._modem)),
        ]

    def _told(self, handler: Any) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            if not ipaddress.ip_address(request.remote or "0.0.0.0").is_loopback:  # noqa: S104 - compared
                return _answer({"error": "only from this machine"}, 403)
            if not _own(request):
                return _answer({"error": "not from another site's page"}, 403)
            try:
                told = await handler(request)
            except (ValueError, KeyError, TypeError) as error:
                text = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
                return _answer({"error": text}, 400)
            return _answer(told)

        return handle

    async def _state(self, _: web.Request) -> dict[str, Any]:
        return self.state()

    def state(self) -> dict[str, Any]:
        """Return everything that there is to see."""
        server = self._server
        return {
            "time": server.clock.now(),
            "sims": {
                sim.name: {
                    "modem": modem.path if modem is not None else None,
                    "waiting": server.centre.waiting(sim),
                    "stored": _stored(modem) if modem is not None else 0,
                    "sent": len(modem.sent) if modem is not None else 0,
                    "known": {platform: dict(names) for platform, names in sim.known.items()},
                }
                for sim in server.world.sims.values()
                for modem in [self._modems.by_sim.get(sim.name)]
            },
            "platforms": {name: platform.messages() for name, platform in server.platforms.items()},
            "deliveries": [_delivery(one) for one in server.centre.deliveries],
            "originated": list(server.centre.originated),
            "callbacks": list(server.caller.made),
            "faults": server.centre.impairments.told(),
        }

    async def _send(self, request: web.Request) -> dict[str, Any]:
        """Send a text as a client of a platform; tell the request and its answer."""
        body = await _object(request)
        name, sim, text = (str(body[key]) for key in ("platform", "sim", "text"))
        world, url = self._server.world, self._server.url
        device = world.sims[sim].known.get(name) if sim in world.sims else None
        if device is None:
            raise ValueError(f"{name} knows no SIM {sim}")
        account = client.Account(
            name, f"{url}/{name}", world.platforms[name], device, f"{url}{CALLBACK_PATH}"
        )
        try:
            exchange = await client.send(account, text)
        except OSError as error:
            raise ValueError(f"the platform did not answer: {error}") from None
        return dataclasses.asdict(exchange)

    async def _faults(self, request: web.Request) -> dict[str, Any]:
        self._server.centre.impairments.set(await _object(request))
        return {"faults": self._server.centre.impairments.told()}

    async def _advance(self, request: web.Request) -> dict[str, Any]:
        body = await _object(request)
        seconds = body["seconds"]
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise ValueError("seconds must be a number")
        await self._server.clock.advance(float(seconds))
        return {"time": self._server.clock.now()}

    async def _modem(self, request: web.Request) -> dict[str, Any]:
        """Carry out an operation of the simulated modem's own control; sim: which one."""
        body = await _object(request)
        op = body.pop("op")
        name = body.pop("sim", None) or next(iter(self._modems.by_sim), "")
        modem = self._modems.by_sim.get(name)
        if modem is None:
            raise ValueError(f"no SIM {name} in a modem")
        return operate(modem, str(op), **body)


def _own(request: web.Request) -> bool:
    """Whether no page of another site made a browser ask (nor by a name that it rebound)."""
    origin = request.headers.get("Origin")
    if origin is None:
        return request.headers.get("Sec-Fetch-Site", "none") in {"none", "same-origin"}
    host = request.url.host or ""
    named = host == "localhost" or host.replace(".", "").isdigit() or ":" in host
    return named and origin == f"http://{request.host}"


def _stored(modem: PtyModem) -> int:
    return sum(memory.used for memory in modem.store.memories.values())


def _delivery(one: Delivery) -> dict[str, Any]:
    return {
        "number": one.number,
        "sim": one.sim.name,
        "from": str(one.parts[0].originator),
        "text": "".join(part.user_data.text or "" for part in one.parts),
        "parts": len(one.parts),
        "state": one.state,
        "attempts": one.attempts,
        "history": [{"at": at, "what": what} for at, what in one.history],
    }


async def _object(request: web.Request) -> dict[str, Any]:
    body = json.loads(await request.read() or b"{}")
    if not isinstance(body, dict):
        raise TypeError("the body must be a JSON object")
    return body


def _answer(told: Any, status: int = 200) -> web.Response:
    return web.Response(
        text=json.dumps(told, default=_plain, ensure_ascii=False),
        status=status,
        content_type="application/json",
    )


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(value)
