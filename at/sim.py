"""Brings the SIM to READY: its state, the PIN tried once, and never the last two tries."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from at import commands
from at.errors import CommandError, ReplyError, SimError

if TYPE_CHECKING:
    from at.modem import Modem
    from at.profile import Profile

log = logging.getLogger(__name__)

READY_TIMEOUT_S: Final = 30.0  # a SIM may be busy for half a minute after power-up
POLL_S: Final = 0.5
KEPT_TRIES: Final = 2  # for the person who comes with the letter of the operator

_ABSENT: Final = frozenset({10})
_BUSY: Final = frozenset({14, 20, 515})
_PUK_REMEDY: Final = "enter the PUK by hand; a wrong one ten times makes the SIM useless"


@dataclass(frozen=True, slots=True)
class PinMemory:
    """The caller's memory of refused PINs, kept across restarts.

    refused: whether the PIN was refused for this ICCID ("" where it cannot be read).
    remember: note, durably, that it is; called before the one try, so that a crash cannot make
    it two. forget: the SIM took it, or was too busy to look at it.
    """

    refused: Callable[[str], bool] = lambda _: False
    remember: Callable[[str], None] = lambda _: None
    forget: Callable[[str], None] = lambda _: None


async def unlock(modem: Modem, profile: Profile, pin: str | None, memory: PinMemory) -> None:
    """Return once the SIM is READY.

    Raises SimError where somebody must act, CommandTimeoutError, PortLostError.
    """
    state = await _state(modem)
    if state == "SIM PIN":
        number = await _enter(modem, profile, pin, memory)
        state = await _state(modem, leaving="SIM PIN")
        if state == "READY":
            memory.forget(number)
    if state != "READY":
        raise _blocked(state)


async def _state(modem: Modem, leaving: str = "") -> str:
    """The SIM's state once it has settled; leaving: a state that is about to pass."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + READY_TIMEOUT_S
    while True:
        try:
            state = await modem.send(commands.SIM_STATE)
            if state not in {leaving, "NOT READY", "BUSY"}:
                return state
        except CommandError as error:
            if error.code in _ABSENT or "NOT INSERTED" in error.result.upper():
                raise SimError("absent", "put a SIM in, or check its holder") from error
            if error.code is None and error.domain == "":
                log.warning("the modem does not tell the SIM's state result=%s", error.result)
                return "READY"
            if error.code not in _BUSY and loop.time() >= deadline:
                raise SimError("failed", f"the modem says {error.name}; try another SIM") from error
        except ReplyError:
            log.debug("no SIM state in the answer")
        if loop.time() >= deadline:
            raise SimError("busy", "the SIM does not become ready; restart the modem")
        await asyncio.sleep(POLL_S)


async def _enter(modem: Modem, profile: Profile, pin: str | None, memory: PinMemory) -> str:
    """Try the PIN once; returns the ICCID it was tried for."""
    if pin is None:
        raise SimError("pin-required", "set modem.pin_file, or take the PIN off the SIM")
    number = (await iccid(modem, profile))[0] or ""
    if memory.refused(number):
        raise SimError("pin-refused", "the PIN was refused before; correct it and confirm it")
    left = await _tries(modem, profile)
    if left is not None and left <= KEPT_TRIES:
        raise SimError("pin-kept", f"{left} tries are left; enter the PIN by hand")
    command = commands.enter_pin(pin)
    memory.remember(number)
    try:
        await modem.send(command)
    except CommandError as error:
        if error.code in _BUSY:
            memory.forget(number)
            raise SimError("busy", "the SIM does not become ready; restart the modem") from error
        raise SimError("pin-refused", "the SIM refused the PIN; it is not tried again") from error
    return number


async def _tries(modem: Modem, profile: Profile) -> int | None:
    for command in profile.pin_tries:
        try:
            return (await modem.send(command)).pin
        except (CommandError, ReplyError):
            continue
    return None


async def iccid(modem: Modem, profile: Profile, first: str = "") -> tuple[str | None, str]:
    """The SIM's number by the first command that gives it, and that command's line.

    first: the line of the command to begin with.
    """
    for command in sorted(profile.iccid, key=lambda command: command.line != first):
        try:
            return await modem.send(command), command.line
        except (CommandError, ReplyError):
            continue
    return None, ""


def _blocked(state: str) -> SimError:
    if "PUK" in state:
        return SimError("puk", _PUK_REMEDY)
    return SimError("locked", f"the SIM or the modem wants {state}; unlock it by hand")
