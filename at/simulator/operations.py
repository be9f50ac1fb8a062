"""What can be done to a simulated modem from outside: one function an operation, JSON in and out.

An operation takes the shell and the members of a request, and returns the members of the answer;
ValueError, KeyError and TypeError say that the request was bad.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from at.simulator.shell import Shell
from at.simulator.state import Faults, Radio, SimCard

Operation = Callable[..., dict[str, Any]]
OPERATIONS: dict[str, Operation] = {}

_STATE_TYPES: Mapping[str, type] = {"faults": Faults, "sim": SimCard, "radio": Radio}


def operation(function: Operation) -> Operation:
    """Enter a function in the table under its own name."""
    OPERATIONS[function.__name__.removesuffix("_")] = function
    return function


@operation
def deliver(
    shell: Shell,
    *,
    pdu: str | None = None,
    sender: str | None = None,
    text: str | None = None,
    hex: str | None = None,  # noqa: A002 - the request's own word
    announce: bool = True,
    storage: str | None = None,
) -> dict[str, Any]:
    """Bring a message: a PDU, or sender with text or with hex (8-bit data)."""
    if storage is not None and storage not in shell.store:
        raise ValueError(f"no storage {storage!r}")
    if pdu is not None:
        return {"indices": [shell.deliver(pdu, announce=announce, storage=storage)]}
    if sender is None or (text is None) == (hex is None):
        raise ValueError("deliver takes pdu, or sender with text or hex")
    body = text if text is not None else bytes.fromhex(hex or "")
    return {"indices": shell.deliver_text(sender, body, announce=announce, storage=storage)}


@operation
def sent(shell: Shell, *, clear: bool = False) -> dict[str, Any]:
    """Tell the messages the network took; clear: forget them."""
    messages = [{"pdu": one.pdu, "reference": one.reference} for one in shell.sent]
    if clear:
        shell.sent.clear()
    return {"sent": messages}


@operation
def stored(shell: Shell) -> dict[str, Any]:
    """Tell what lies in every memory, by slot."""
    return {
        "stored": {
            name: {
                str(index): {"status": int(slot.status), "pdu": slot.pdu}
                for index, slot in memory.items()
            }
            for name, memory in shell.store.memories.items()
        }
    }


@operation
def status(shell: Shell) -> dict[str, Any]:
    """Tell where the modem is, its counters, its faults, SIM and radio."""
    device, traffic = shell.core.device, shell.core.traffic
    return {
        "path": shell.path,
        "personality": shell.core.personality.name,
        "bytes_in": shell.bytes_in,
        "bytes_out": shell.bytes_out,
        "baud": shell.baud,
        "restarts": device.restarts,
        "off": device.off,
        "waiting": len(traffic.waiting),
        "acknowledged": traffic.acknowledged,
        "refused": traffic.refused,
        "faults": dataclasses.asdict(device.faults),
        "sim": dataclasses.asdict(device.sim),
        "radio": dataclasses.asdict(device.radio),
    }


def _assign(target: Any, changes: Mapping[str, Any]) -> None:
    fields = {field.name for field in dataclasses.fields(target)}
    for name, value in changes.items():
        if name not in fields:
            raise ValueError(f"no such field: {name}; there are {', '.join(sorted(fields))}")
        now = getattr(target, name)
        number = isinstance(now, float) or name == "report_delay_s"
        if number and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)  # noqa: PLW2901 - JSON does not tell 1 from 1.0
        optional = name == "report_delay_s" and value is None
        if not optional and now is not None and type(value) is not type(now):
            raise ValueError(f"{name} takes {type(now).__name__}")
    for name, value in changes.items():
        setattr(target, name, value)


@operation
def faults(shell: Shell, **changes: Any) -> dict[str, Any]:
    """Change fields of the faults (at.simulator.Faults names them); tell them all."""
    _assign(shell.faults, changes)
    return {"faults": dataclasses.asdict(shell.faults)}


@operation
def heal(shell: Shell) -> dict[str, Any]:
    """End every fault."""
    for field in dataclasses.fields(Faults):
        setattr(shell.faults, field.name, getattr(Faults(), field.name))
    shell.stall(on=False)
    return {}


@operation
def sim(shell: Shell, **changes: Any) -> dict[str, Any]:
    """Change fields of the SIM card: state, pin, locked, pin_tries, iccid ..."""
    _assign(shell.core.device.sim, changes)
    shell.do(shell.core.traffic.offer_waiting)
    return {"sim": dataclasses.asdict(shell.core.device.sim)}


@operation
def swap_card(shell: Shell, *, iccid: str, imsi: str, state: str = "READY") -> dict[str, Any]:
    """Put another SIM in, with nothing stored on it."""
    shell.swap_card(iccid, imsi, state=state)
    return {}


@operation
def delete(shell: Shell, *, storage: str, index: int) -> dict[str, Any]:
    """Delete a stored message behind the host's back; `deleted` tells whether there was one."""
    return {"deleted": shell.store[storage].delete(index)}


@operation
def radio(shell: Shell, **changes: Any) -> dict[str, Any]:
    """Change fields of the radio: registration (announced), access, rssi, operator ..."""
    _assign(shell.core.device.radio, changes)
    if "registration" in changes or "access" in changes:
        shell.register(shell.core.device.radio.registration)
    return {"radio": dataclasses.asdict(shell.core.device.radio)}


@operation
def say(shell: Shell, *, lines: list[str]) -> dict[str, Any]:
    """Say an unsolicited block of lines."""
    shell.say(*lines)
    return {}


@operation
def inject(shell: Shell, *, hex: str) -> dict[str, Any]:  # noqa: A002 - the request's own word
    """Put bytes on the line to the host as they are."""
    shell.inject(bytes.fromhex(hex))
    return {}


@operation
def restart(shell: Shell) -> dict[str, Any]:
    """Restart the modem as if by itself."""
    shell.restart()
    return {}


@operation
def echo(shell: Shell, *, on: bool = True) -> dict[str, Any]:
    """Echo again, as after a brown-out (or stop it)."""
    shell.core.device.settings.echo = on
    return {}


@operation
def fill(shell: Shell, *, storage: str = "SM", leave: int = 0) -> dict[str, Any]:
    """Fill a memory with old messages up to `leave` free slots."""
    added = shell.fill(storage, leave=leave)
    return {"added": added}


@operation
def baud(shell: Shell, *, rate: int | None) -> dict[str, Any]:
    """Pace the line at that many bits per second; null: as fast as it goes."""
    shell.baud = rate
    return {}


@operation
def stall(shell: Shell, *, on: bool = True) -> dict[str, Any]:
    """Stop (or go on) reading what the host writes, so that its writes come to block."""
    shell.stall(on)
    return {}


@operation
def vanish(
    shell: Shell,
    *,
    for_s: float | None = None,
    power_lost: bool = True,
    another_name: bool = False,
) -> dict[str, Any]:
    """Take the port away; for_s: bring it back after so long."""
    shell.vanish(for_s, power_lost=power_lost, another_name=another_name)
    return {}


@operation
def appear(shell: Shell, *, power_lost: bool = True, another_name: bool = False) -> dict[str, Any]:
    """Bring the port back."""
    shell.appear(power_lost=power_lost, another_name=another_name)
    return {"path": shell.path}


@operation
def reset_counters(shell: Shell) -> dict[str, Any]:
    """Set the byte counters to zero."""
    shell.bytes_in = shell.bytes_out = 0
    return {}


def operate(shell: Shell, op: str, **members: Any) -> dict[str, Any]:
    """Carry out one operation by name; raises ValueError, KeyError or TypeError if it is bad."""
    function = OPERATIONS.get(op)
    if function is None:
        raise ValueError(f"op is one of: {', '.join(sorted(OPERATIONS))}")
    return function(shell, **members)


def perform(shell: Shell, request: Mapping[str, Any]) -> dict[str, Any]:
    """Carry out {"op": NAME, ...}; the answer has "ok", and "error" where that is false."""
    members = dict(request)
    name = members.pop("op", None)
    try:
        return {"ok": True, **operate(shell, str(name), **members)}
    except (ValueError, KeyError, TypeError) as error:
        return {"ok": False, "error": str(error)}
