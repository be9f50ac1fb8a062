"""One row a command: which forms it has, what each answers, what it needs first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from at.simulator.device import Device
from at.simulator.lines import Arguments, Call
from at.simulator.personality import Extra
from at.simulator.traffic import Traffic
from at.simulator.values import OK, Outcome, Refused, Reply, cme, cms


@dataclass(frozen=True, slots=True)
class Modem:
    """What a handler may touch."""

    device: Device
    traffic: Traffic


Simple = Callable[[Modem], Outcome]
Setter = Callable[[Modem, Arguments], Outcome]


@dataclass(frozen=True, slots=True)
class Row:
    """One command of the table.

    run, read, set: NAME, NAME?, NAME=...; None: that form is an error.
    test: the text behind "NAME: " of NAME=?, "" for a bare OK, a function where it depends on the
    personality; None: an error.
    needs: "sim" for a ready SIM, "sms" for the SMS service too.
    """

    name: str
    run: Simple | None = None
    read: Simple | None = None
    set: Setter | None = None
    test: str | Simple | None = ""
    needs: Literal["", "sim", "sms"] = ""


def offered(values: Iterable[int]) -> str:
    """Write a set of values as =? shows it: (0,1) or (0-3)."""
    numbers = sorted(values)
    if len(numbers) > 2 and numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f"({numbers[0]}-{numbers[-1]})"
    return f"({','.join(map(str, numbers))})"


def plain(name: str, allowed: tuple[int, ...] = (0, 1), default: int = 0) -> Row:
    """Return the row of a number that can be set and read, and changes nothing else."""

    def read(modem: Modem) -> Outcome:
        return Reply((f"{name}: {modem.device.settings.plain.get(name, default)}",))

    def put(modem: Modem, args: Arguments) -> Outcome:
        modem.device.settings.plain[name] = args.integer(0, allowed, default)
        return OK

    return Row(name, read=read, set=put, test=offered(allowed))


def several(
    name: str, *allowed: tuple[int, ...], default: tuple[int, ...], told: tuple[int, ...] = ()
) -> Row:
    """Return the row of numbers that can be set and read, and change nothing else.

    An omitted one stays as it was (V.250 §5.4.2.1). told: what reading shows behind them.
    """

    def read(modem: Modem) -> Outcome:
        values = (*modem.device.settings.several.get(name, default), *told)
        return Reply((f"{name}: {','.join(map(str, values))}",))

    def put(modem: Modem, args: Arguments) -> Outcome:
        if len(args) > len(allowed):
            raise args.bad
        now = modem.device.settings.several.get(name, default)
        modem.device.settings.several[name] = tuple(
            args.integer(at, values, now[at]) for at, values in enumerate(allowed)
        )
        return OK

    return Row(name, read=read, set=put, test=",".join(map(offered, allowed)))


def fixed(name: str, *lines: str) -> Row:
    """Return the row of a command that always says the same (templates as in Extra)."""

    def run(modem: Modem) -> Outcome:
        return Reply(tuple(line.format_map(modem.device.facts()) for line in lines))

    return Row(name, run=run)


def vendor(extra: Extra) -> Row:
    """Return the row of a personality's own command."""

    def answer(lines: tuple[str, ...] | None, effect: str = "") -> Simple | None:
        if lines is None:
            return None

        def run(modem: Modem) -> Outcome:
            modem.device.wanted = effect
            return Reply(tuple(line.format_map(modem.device.facts()) for line in lines))

        return run

    setting = answer(extra.set, extra.effect)

    def put(modem: Modem, _: Arguments) -> Outcome:
        return setting(modem) if setting else OK

    return Row(
        extra.name,
        run=answer(extra.run, extra.effect),
        read=answer(extra.read),
        set=put if setting else None,
        test=answer(extra.test),
        needs="sim" if extra.needs_sim else "",
    )


def perform(row: Row, call: Call, modem: Modem) -> Outcome:
    """Run one form of a command; raises Refused."""
    device = modem.device
    if call.form == "test":
        return _test(row, modem)
    if row.needs:
        device.require_sim()
    if row.needs == "sms" and not device.sms_ready:
        raise cms(device.personality.sms_busy)
    simple = {"run": row.run, "read": row.read}.get(call.form)
    if simple is not None:
        return simple(modem)
    basic = call.form == "run" and call.name[0] not in "+^*$#%!@"  # E0: a number, not a form
    if (call.form == "set" or basic) and row.set is not None:
        text = device.settings.text_mode
        bad = cms(305 if text else 304) if row.needs == "sms" else cme(50)
        return row.set(modem, Arguments.parse(call.rest, bad))
    raise Refused


def _test(row: Row, modem: Modem) -> Outcome:
    if row.test is None:
        raise Refused
    if callable(row.test):
        return row.test(modem)
    return Reply((f"{row.name}: {row.test}",)) if row.test else OK
