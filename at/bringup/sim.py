"""Brings the SIM to READY: its state, the PIN tried once, and never the last two tries."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from at import commands
from at.errors import CommandError, ReplyError, SimError

if TYPE_CHECKING:
    from at.modem import Modem
    from at.profiles.profile import Profile

log = logging.getLogger(__name__)

READY_TIMEOUT_S: Final = 30.0  # a SIM may be busy for half a minute after power-up
POLL_S: Final = 0.5
KEPT_TRIES: Final = 2  # for the person who comes with the letter of the operator

_BUSY: Final = frozenset({14, 20, 515})
_UNKNOWN: Final = frozenset({4, 100})  # not supported, unknown: of the command, not of the SIM
# TS 27.007 §8.3, and what modems say beside it. PIN2 guards single services, none of them needed.
_OWN_LOCK: Final = re.compile(r"(?:U?SIM |UICC )?(PIN|PUK)([12]?)")
_NONE: Final = re.compile(
    r".*\b(?:NOT (?:INSERTED|PRESENT|AVAILABLE|DETECTED)|NO (?:U?SIM|CARD)|ABSENT|REMOVED)\b.*"
)
_SETTLING: Final = re.compile(r".*\b(?:NOT READY|BUSY|INIT\w*|WAIT)\b.*")

ABSENT: Final = "absent"
BUSY: Final = "busy"
ABSENT_REMEDY: Final = "put a SIM in, or check its holder"


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


async def unlock(
    modem: Modem,
    profile: Profile,
    pin: str | None,
    memory: PinMemory,
    *,
    seen_within_s: float = 0.0,
) -> None:
    """Return once the SIM is READY.

    seen_within_s: how long a card may be told as absent, where it has just been given power.
    Raises SimError where somebody must act, CommandTimeoutError, PortLostError.
    """
    state = await _state(modem, seen_within_s=seen_within_s)
    if state == "SIM PIN":
        number = await _enter(modem, profile, pin, memory)
        state = await _state(modem, leaving="SIM PIN")
        if state == "READY":
            memory.forget(number)
    if state != "READY":
        raise SimError("puk" if state == "SIM PUK" else "locked", lock_remedy(state))


def meaning(told: str) -> str:
    """What a state that the modem tells means here.

    told: the text after +CPIN:, or the name of an error. Returns "READY", ABSENT, BUSY,
    "SIM PIN", "SIM PUK", or `told` in capitals for what is none of these.
    """
    state = told.strip().strip('"').upper().removesuffix(" REQUIRED")
    own = _OWN_LOCK.fullmatch(state)
    if own is not None:
        return "READY" if own[2] == "2" else f"SIM {own[1]}"
    if _NONE.fullmatch(state):
        return ABSENT
    return BUSY if _SETTLING.fullmatch(state) else state


def told_by(error: CommandError) -> str:
    """What an error where the state was asked for means, as `meaning`; "": nothing."""
    if not error.domain or error.code in _UNKNOWN:
        return ABSENT if meaning(error.result) == ABSENT else ""
    return BUSY if error.code in _BUSY else meaning(error.name)


def lock_remedy(state: str) -> str:
    """What to do about a lock: one sentence, that leads nobody to try a code at another lock."""
    if state == "SIM PUK":
        return (
            "the SIM wants its own PUK (PUK1, not PUK2): enter it by hand, best in a phone; "
            "ten wrong ones make the SIM useless"
        )
    if state.startswith("PH-") or "PERSONALI" in state:
        return (
            f"the modem itself is locked to a network or a card ({state}); whoever sold it has "
            "its unlock code; no PIN or PUK of the SIM opens it"
        )
    return f"the modem says {state}; look at the SIM in a phone, or try another one"


async def _state(modem: Modem, leaving: str = "", seen_within_s: float = 0.0) -> str:
    """The SIM's state once it has settled; leaving: a state that is about to pass."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + READY_TIMEOUT_S
    seen_by = loop.time() + seen_within_s
    while True:
        try:
            state = meaning(await modem.send(commands.SIM_STATE))
            if state == ABSENT and loop.time() >= seen_by:
                raise SimError(ABSENT, ABSENT_REMEDY)
            if state not in {leaving, BUSY, ABSENT}:
                return state
        except CommandError as error:
            state = told_by(error)
            if state == ABSENT and loop.time() >= seen_by:
                raise SimError(ABSENT, ABSENT_REMEDY) from error
            if state == "":
                log.warning("the modem does not tell the SIM's state result=%s", error.result)
                return "READY"
            if error.name.lower().endswith("required") and state != leaving:
                return state
            if state != BUSY and loop.time() >= deadline:
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
