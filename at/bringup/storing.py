"""Chooses the message memories: by what is offered, and then by what the modem takes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from at import commands
from at.bringup import negotiation
from at.bringup.negotiation import Memories
from at.errors import CommandError, ReplyError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from at.modem import Modem

log = logging.getLogger(__name__)


async def choose(
    modem: Modem, offered: Sequence[frozenset[str]], preferred: Sequence[str]
) -> Memories:
    """Select the best memory that the modem takes and that has room, in the form that it takes.

    offered: what +CPMS=? says; empty: it does not. Where nothing is taken, the memories in force
    stay. Raises CommandTimeoutError, PortLostError.
    """
    current = await _told(modem) if not offered else ()
    tried = negotiation.choices(offered, preferred)
    if not tried and current and current[-1].storage:
        names = [frozenset({memory.storage}) for memory in current]
        tried = negotiation.choices(names, [current[-1].storage])
    full: list[Memories] = []
    for memories in tried:
        if any(memories.receiving == known.receiving for known in full):
            continue
        if not await _taken(modem, memories):
            continue
        if await _has_room(modem, memories.selection(memories.receiving)):
            return memories
        log.info("memory without room storage=%s", memories.receiving)
        full.append(memories)
    if full:
        log.warning("no memory has room for a message storage=%s", full[0].receiving)
        await _taken(modem, full[0])
        return full[0]
    current = current or await _told(modem)
    # +CMGL reads the first, and +CMTI speaks of the last.
    name = current[0].storage if current else ""
    return Memories(name, roles=None) if name else Memories("")


async def _told(modem: Modem) -> tuple[commands.Memory, ...]:
    try:
        return await modem.send(commands.MEMORIES)
    except (CommandError, ReplyError):
        return ()


async def _taken(modem: Modem, memories: Memories) -> bool:
    try:
        await modem.send(commands.select_memories(*memories.selection(memories.receiving)))
    except (CommandError, ReplyError) as error:
        log.debug("memories not taken: %s", error)
        return False
    return True


async def _has_room(modem: Modem, _: Sequence[str]) -> bool:
    told = await _told(modem)
    return not told or told[-1].total > 0
