"""V.250 basic commands: echo, result codes, reset, S-registers, the calls it refuses."""

from __future__ import annotations

from copy import deepcopy

from at.simulator.lines import Arguments
from at.simulator.state import Settings
from at.simulator.table import Modem, Row
from at.simulator.values import OK, Outcome, Refused, Reply


def _number(args: Arguments, allowed: tuple[int, ...] = (0, 1)) -> int:
    return args.integer(0, allowed, 0)


def _echo(modem: Modem, args: Arguments) -> Outcome:
    modem.device.settings.echo = bool(_number(args))
    return OK


def _verbose(modem: Modem, args: Arguments) -> Outcome:
    modem.device.settings.verbose = _number(args)
    return OK


def _quiet(modem: Modem, args: Arguments) -> Outcome:
    modem.device.settings.quiet = _number(args)
    return OK


def _reset(modem: Modem, args: Arguments) -> Outcome:
    _number(args)
    stored = modem.device.stored_settings
    fresh = Settings.fresh(modem.device.personality)
    modem.device.settings = deepcopy(stored) if stored else fresh
    return OK


def _factory(modem: Modem, args: Arguments) -> Outcome:
    _number(args, (0,))
    modem.device.settings = Settings.fresh(modem.device.personality)
    return OK


def _keep(modem: Modem, args: Arguments) -> Outcome:
    _number(args)
    modem.device.stored_settings = deepcopy(modem.device.settings)
    return OK


def _information(modem: Modem, args: Arguments) -> Outcome:
    _number(args, tuple(range(10)))
    facts = modem.device.facts()
    return Reply(tuple(line.format_map(facts) for line in modem.device.personality.ati))


def _view(modem: Modem, _: Arguments) -> Outcome:
    now = modem.device.settings
    return Reply((f"E{int(now.echo)} V{now.verbose} Q{now.quiet}",))


def _accept(_: Modem, args: Arguments) -> Outcome:
    _number(args, tuple(range(10)))
    return OK


def _dial(_: Modem, __: Arguments) -> Outcome:
    return Reply(final="NO CARRIER")


def _bare(name: str) -> Row:
    """Commands that are accepted for what they are worth without any line or call."""
    return Row(name, set=_accept)


def _register(name: str, attribute: str) -> Row:
    def read(modem: Modem) -> Outcome:
        return Reply((f"{getattr(modem.device.settings, attribute):03d}",))

    def put(modem: Modem, args: Arguments) -> Outcome:
        setattr(modem.device.settings, attribute, args.integer(0, range(128)))
        return OK

    return Row(name, read=read, set=put, test=None)


def _free_register(number: int) -> Row:
    name = f"S{number}"

    def read(modem: Modem) -> Outcome:
        return Reply((f"{modem.device.settings.plain.get(name, 0):03d}",))

    def put(modem: Modem, args: Arguments) -> Outcome:
        modem.device.settings.plain[name] = args.integer(0, range(256))
        return OK

    return Row(name, read=read, set=put, test=None)


def _no_answer(_: Modem, __: Arguments) -> Outcome:
    raise Refused


ROWS = (
    Row("E", set=_echo),
    Row("V", set=_verbose),
    Row("Q", set=_quiet),
    Row("Z", set=_reset),
    Row("&F", set=_factory),
    Row("&W", set=_keep),
    Row("&V", set=_view),
    Row("I", set=_information),
    Row("D", set=_dial),
    Row("A", set=_no_answer),
    *map(_bare, ("H", "O", "L", "M", "X", "T", "P", "&C", "&D", "&K", "&S", "\\Q")),
    _register("S3", "s3"),
    _register("S4", "s4"),
    _register("S5", "s5"),
    *map(_free_register, (0, 6, 7, 8, 10, 12)),
)
