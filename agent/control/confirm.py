"""`confirm`: an operator takes responsibility for a journal that was begun anew."""

from __future__ import annotations

import logging
from typing import Any

from agent.control.agent import Agent
from agent.control.wire import Fields

__all__ = ["confirm"]

log = logging.getLogger(__name__)


async def confirm(agent: Agent, fields: Fields) -> dict[str, Any]:
    """End the time in which nothing unproven is run, after a damaged journal was set aside.

    reset_at: when the journal was begun anew, null where there was nothing to confirm.
    """
    fields.end()
    reset_at = await agent.journal.confirm()
    if reset_at is not None:
        log.warning("journal confirmed at the console reset_at=%s", reset_at)
    return {"reset_at": reset_at}
