"""What probing has shown of a modem's firmware, remembered over restarts of the agent."""

from __future__ import annotations

import contextlib
import json
import sqlite3

from agent.journal.journal import Journal, JournalUnavailableError
from agent.journal.rows import meta, set_meta
from at.bringup.bringup import Facts

__all__ = ["FirmwareFacts"]

_KEY = "facts"


class FirmwareFacts:
    """known: by (manufacturer, model, revision); bring-up tries these first and adds to them."""

    def __init__(self, journal: Journal) -> None:
        self.known: dict[tuple[str, str, str], Facts] = {}
        self._journal = journal
        self._written: dict[tuple[str, str, str], Facts] = {}

    async def recall(self) -> None:
        """Read what was remembered; what cannot be read is found out again."""
        text = await self._journal.read(lambda db: meta(db, _KEY))
        with contextlib.suppress(TypeError, ValueError):
            self.known.update(
                ((manufacturer, model, revision), Facts(iccid, tuple(indications)))
                for manufacturer, model, revision, iccid, indications in json.loads(text or "[]")
            )
        self._written = dict(self.known)

    async def remember(self) -> None:
        """Keep what is new; a disk that refuses does not hold the modem up."""
        if self.known == self._written:
            return
        facts = dict(self.known)
        rows = [[*firmware, fact.iccid, list(fact.indications)] for firmware, fact in facts.items()]

        def work(db: sqlite3.Connection) -> None:
            set_meta(db, _KEY, json.dumps(rows))

        with contextlib.suppress(JournalUnavailableError):
            await self._journal.commit(work, lazy=True)
            self._written = facts
