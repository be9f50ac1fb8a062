"""`modem-agent sign`: the signed message to paste into a platform's console."""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.exits import CONFIGURATION, DONE, FAILED, USAGE
from agent.config.loader import load
from agent.config.model import Config, ConfigError
from agent.config.paths import counters_path
from agent.payload import request as grammar
from agent.payload import signatures
from agent.payload.arguments import validate
from agent.payload.counters import CounterError, next_counter
from agent.payload.fit import Fit, fit, septets
from agent.payload.platforms import ROWS, Platform

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Mapping, Sequence

    from agent.payload.arguments import ArgSpec

SHORT_KEY_OCTETS = 16

_KEY_ID = re.compile(r"[A-Za-z0-9._:-]{1,36}")


class _Failure(Exception):  # noqa: N818 - an exit status with its sentence
    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, slots=True)
class _Setting:
    """What is needed beside the command: from the options first, then from the configuration."""

    key: bytes
    device_id: str
    known: Container[str]
    platforms: Collection[Platform]
    specs: Mapping[str, Mapping[str, ArgSpec]]


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the sub-command; its `func` takes the parsed options and gives the exit status."""
    parser = subparsers.add_parser(
        "sign",
        help="sign a command and print the message to paste",
        description="Signs a command and prints the message to paste into a platform's console. "
        "Without --key-file or --device-id the configuration's are used.",
    )
    parser.add_argument(
        "command", nargs="*", help="the command in line or JSON form; none or -: from stdin"
    )
    parser.add_argument("--config", default=argparse.SUPPRESS, help="configuration file")
    parser.add_argument("--key-file", type=Path, help="file that holds the key")
    parser.add_argument("--device-id", help="device.id of the agent that shall obey")
    parser.add_argument("--k", default=signatures.DEFAULT_KEY_ID, help="key id (default: 0)")
    parser.add_argument("--c", help="counter (default: Unix seconds, never one twice)")
    parser.add_argument("--form", choices=("line", "json"), help="default: as it was given")
    parser.add_argument("--platform", metavar="NAME", help="default: all that are enabled")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Sign and print; 0 done, 1 the command is refused or does not fit --platform, 2, 78."""
    try:
        return _run(options)
    except _Failure as failure:
        print(f"modem-agent sign: {failure}", file=sys.stderr)
        return failure.status


def _run(options: argparse.Namespace) -> int:
    if options.c is not None and not signatures.is_counter(options.c):
        raise _Failure(USAGE, "--c is a decimal number of at most 18 digits")
    if not _KEY_ID.fullmatch(options.k):
        raise _Failure(USAGE, "--k is 1 to 36 of A-Z a-z 0-9 . _ : -")
    setting = _setting(options)
    request = _read(_body(options.command), setting)
    counter = _next(options.k) if options.c is None else options.c
    m = signatures.sign_request(request, setting.key, setting.device_id, options.k, counter)
    signed = replace(
        request, k=None if options.k == signatures.DEFAULT_KEY_ID else options.k, c=counter, m=m
    )
    form = options.form or request.form
    message = grammar.to_json(signed) if form == "json" else grammar.to_line(signed)
    fits = [fit(message, platform) for platform in setting.platforms]
    if options.json:
        _print_json(message, form, signed, options.k, fits)
    else:
        _print_text(message, fits)
    return FAILED if options.platform and not all(each.fits for each in fits) else DONE


def _next(key_id: str) -> str:
    try:
        return str(next_counter(counters_path(), key_id))
    except CounterError as error:
        raise _Failure(FAILED, f"no counter ({error}); --c gives one by hand") from None


def _body(words: Sequence[str]) -> str:
    if list(words) in ([], ["-"]):
        return sys.stdin.read()
    return grammar.from_words(words)


def _read(body: str, setting: _Setting) -> grammar.Request:
    reading = grammar.read(body, known=setting.known)
    request = reading.request
    try:
        if reading.refusal is not None:
            raise grammar.Refused(reading.refusal.reason, reading.refusal.detail)
        if request is not None and request.cmd in setting.specs:
            validate(setting.specs[request.cmd], request.args)
    except grammar.Refused as refused:
        raise _Failure(FAILED, str(refused)) from None
    if request is None:
        raise _Failure(FAILED, "not a command")
    if request.signed:
        raise _Failure(FAILED, "k, c and m are what this command adds; leave them out")
    return request


def _setting(options: argparse.Namespace) -> _Setting:
    path = getattr(options, "config", None)
    needed = options.key_file is None or options.device_id is None
    config = _config(path) if needed or path is not None else None
    platforms = ROWS if config is None else {row.name: row for row in config.platforms}
    known = {**ROWS, **platforms}
    wanted = [options.platform] if options.platform else list(platforms)
    if options.platform and options.platform not in known:
        raise _Failure(USAGE, f"--platform is one of: {', '.join(known)}")
    return _Setting(
        key=_key(options, config),
        device_id=_device_id(options, config),
        known=grammar.EVERY_COMMAND if config is None else config.commands,
        platforms=[known[name] for name in wanted],
        specs={} if config is None else _specs(config),
    )


def _specs(config: Config) -> dict[str, Mapping[str, ArgSpec]]:
    """Give the arguments of the commands that the configuration defines."""
    specs = {command.name: command.args for command in config.commands.values() if command.exec}
    return {**specs, "set": {name: row.spec for name, row in config.properties.items()}}


def _config(path: str | None) -> Config:
    try:
        return load(path, secrets="unread")
    except ConfigError as error:
        raise _Failure(CONFIGURATION, str(error)) from None


def _device_id(options: argparse.Namespace, config: Config | None) -> str:
    if options.device_id:
        return str(options.device_id)
    if config is None or not config.device.explicit:
        raise _Failure(CONFIGURATION, "signatures need device.id in the configuration")
    return config.device.id


def _key(options: argparse.Namespace, config: Config | None) -> bytes:
    path, status = options.key_file, FAILED
    if path is None:
        keys = {} if config is None else config.security.keys
        if options.k not in keys:
            raise _Failure(CONFIGURATION, f"no security.keys.{options.k} in the configuration")
        path, status = keys[options.k].path, CONFIGURATION
    try:
        key = signatures.key_of(path.read_bytes())
    except (OSError, ValueError) as error:
        told = f"{path}: {getattr(error, 'strerror', None) or error}"
        told += "" if options.key_file else "; --key-file names the key where the service has it"
        raise _Failure(status, told) from None
    if len(key) < SHORT_KEY_OCTETS:
        print(f"modem-agent sign: {path}: only {len(key)} bytes, easily guessed", file=sys.stderr)
    return key


def _print_json(
    message: str, form: str, signed: grammar.Request, key_id: str, fits: Sequence[Fit]
) -> None:
    print(
        json.dumps(
            {
                "message": message,
                "form": form,
                "septets": septets(message),
                "canonical": grammar.canonical(signed),
                "k": key_id,
                "c": signed.c,
                "m": signed.m,
                "platforms": [
                    {
                        "platform": each.platform,
                        "fits": each.fits,
                        "room": each.room,
                        "segments": each.segments,
                        "why": each.why or None,
                    }
                    for each in fits
                ],
            },
            ensure_ascii=False,
        )
    )


def _print_text(message: str, fits: Sequence[Fit]) -> None:
    length = septets(message)
    print(message)
    print()
    print("not GSM-7" if length is None else f"{length} septets")
    width = max((len(each.platform) for each in fits), default=0)
    for each in fits:
        if each.fits:
            told = "fits" if each.segments == 1 else f"fits in {each.segments} parts"
            told += f" ({each.room} septets in one message"
            told += ", its SID beside them)" if each.room < 160 else ")"
        else:
            told = f"does not fit: the message {each.why}"
        print(f"{each.platform:{width}}  {told}")
