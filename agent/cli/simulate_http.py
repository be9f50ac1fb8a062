"""`modem-agent simulate --http`: the SMS platforms' APIs in front of simulated modems."""

from __future__ import annotations

import argparse
import asyncio
import json
import shlex
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent.simulator.running import Running
    from agent.simulator.world import World

OK, FAILED, USAGE, CONFIGURATION = 0, 1, 2, 78
CALLBACKS = "/_page/callback"  # of a made-up world: the simulator takes them itself


def add_options(parser: argparse.ArgumentParser) -> None:
    """Register the options that go with --http."""
    group = parser.add_argument_group("the platforms' HTTP APIs")
    group.add_argument("--http", metavar="HOST:PORT", help="serve them here; port 0: a free one")
    group.add_argument("--world", type=Path, metavar="FILE", help="accounts, SIMs, modems (TOML)")
    group.add_argument("--state", type=Path, metavar="FILE", help="keep the APIs' records here")
    group.add_argument(
        "--speed", type=float, default=1.0, metavar="N", help="divides the platforms' waiting times"
    )


def run(options: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM; 0 ended so, 1 it cannot start, 2 usage, 78 world file."""
    host, _, port = options.http.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) < 65536) or options.speed <= 0:
        return _complain("--http takes HOST:PORT, --speed a number above 0", USAGE)
    from agent.simulator.world import WorldError, made_up, read  # noqa: PLC0415

    try:
        world = read(options.world) if options.world else made_up(options.link, CALLBACKS)
    except (WorldError, OSError) as error:
        return _complain(str(error), CONFIGURATION)
    try:
        return asyncio.run(_serve(world, host.strip("[]") or "127.0.0.1", int(port), options))
    except ImportError:
        return _missing()
    except OSError as error:
        return _complain(f"cannot start: {error}", FAILED)


def _missing() -> int:
    return _complain("aiohttp is missing; install with pip install '.[simulator]'", FAILED)


def _complain(text: str, status: int) -> int:
    print(f"modem-agent simulate: {text}", file=sys.stderr)
    return status


async def _serve(world: World, host: str, port: int, options: argparse.Namespace) -> int:
    from agent.simulator.running import simulated  # noqa: PLC0415 - aiohttp, for this alone

    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    async with simulated(
        world,
        host,
        port,
        speed=options.speed,
        state=options.state,
        personality=options.personality,
        seed=options.seed,
    ) as running:
        told = _told(running)
        print(json.dumps(told) if options.json else "\n".join(_lines(told)), flush=True)
        await ended.wait()
    return OK


def _told(running: Running) -> dict[str, Any]:
    """Return where everything is; `modem` and `device` are those of the first SIM."""
    first = next(iter(running.world.sims.values()))
    modems = {name: modem.path for name, modem in running.modems.by_sim.items()}
    platforms = {}
    for name in running.server.platforms:
        known = {sim.name: dict(sim.known.get(name, {})) for sim in running.world.sims.values()}
        platforms[name] = {
            "url": f"{running.server.url}/{name}",
            "credentials": dict(running.world.platforms[name]),
            "device": known.get(first.name, {}),
        }
    return {
        "modem": str(first.modem or modems.get(first.name, "")),
        "modems": modems,
        "url": running.server.url,
        "platforms": platforms,
    }


def _lines(told: dict[str, Any]) -> list[str]:
    """Say where everything is, and one line for each platform that works as it stands."""
    lines = [f"modem   {told['modem']}", f"page    {told['url']}/", ""]
    for name, platform in told["platforms"].items():
        if platform["device"]:
            lines += [f"# {name}", _CURL[name](platform, told["url"]), ""]
    return lines


def _token(url: str, path: str, key: str, fields: dict[str, str], *, as_json: bool = False) -> str:
    """Give the shell word that asks for a token: the part of an answer behind its key."""
    if as_json:
        body = shlex.quote(json.dumps(fields))
        ask = f"curl -sS {url}{path} -H 'Content-Type: application/json' -d {body}"
    else:
        pairs = " ".join(f"-d {shlex.quote(f'{k}={v}')}" for k, v in fields.items())
        ask = f"curl -sS {url}{path} {pairs}"
    return f'$({ask} | sed \'s/.*"{key}": *"\\([^"]*\\)".*/\\1/\')'


def _bearer(token: str) -> str:
    return f'-H "Authorization: Bearer {token}"'


def _oauth(platform: dict[str, Any], url: str, path: str) -> str:
    account = platform["credentials"]
    fields = {
        "grant_type": "client_credentials",
        "client_id": str(account["client_id"]),
        "client_secret": str(account["client_secret"]),
    }
    return _bearer(_token(url, path, "access_token", fields))


def _programmable_wireless(platform: dict[str, Any], url: str) -> str:
    bearer = _oauth(platform, url, "/api-services/v1/auth/token")
    sim = platform["device"]["unique_name"]
    fields = f"-d Sim={sim} --data-urlencode 'Command=ping' -d IncludeSid=start"
    return f"curl -sS {platform['url']}/v1/Commands {bearer} {fields}"


def _super_sim(platform: dict[str, Any], url: str) -> str:
    bearer = _oauth(platform, url, "/api-services/v1/auth/token")
    sim = platform["device"]["unique_name"]
    fields = f"-d Sim={sim} --data-urlencode 'Payload=ping'"
    return f"curl -sS {platform['url']}/v1/SmsCommands {bearer} {fields}"


def _connectivitypro(platform: dict[str, Any], url: str) -> str:
    account = platform["credentials"]
    bearer = _oauth(platform, url, "/Api/api/token")
    body = json.dumps({"iccid": platform["device"]["iccid"], "message": "ping"})
    return (
        f"curl -sS '{platform['url']}/sms/v1/messages/send?account-id={account['account_id']}'"
        f" {bearer} -H 'x-api-key: {account['api_key']}' -H 'Content-Type: application/json'"
        f" -d {shlex.quote(body)}"
    )


def _m2m_portal(platform: dict[str, Any], _: str) -> str:
    account, device = platform["credentials"], platform["device"]
    body = (
        '<send_sms version="1" api_id="1"><authentication>'
        f"<username>{account['username']}</username><password>{account['password']}</password>"
        f"</authentication><iccid>{device['iccid']}</iccid>"
        "<message_text>ping</message_text></send_sms>"
    )
    head = "-H 'Content-Type: application/xml'"
    return f"curl -sS {platform['url']}/ {head} -d {shlex.quote(body)}"


def _emnify(platform: dict[str, Any], url: str) -> str:
    fields = {"application_token": str(platform["credentials"]["application_token"])}
    bearer = _bearer(_token(url, "/api/v1/authenticate", "auth_token", fields, as_json=True))
    body = shlex.quote(json.dumps({"source_address": "12345", "payload": "ping"}))
    path = f"/api/v1/endpoint/{platform['device']['endpoint_id']}/sms"
    head = "-H 'Content-Type: application/json'"
    return f"curl -sS -i {platform['url']}{path} {bearer} {head} -d {body}"


_CURL = {
    "programmable-wireless": _programmable_wireless,
    "super-sim": _super_sim,
    "connectivitypro": _connectivitypro,
    "m2m-portal": _m2m_portal,
    "emnify": _emnify,
}
