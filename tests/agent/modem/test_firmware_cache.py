"""What was found out of a firmware is known again after a restart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.journal.journal import Journal
from agent.journal.rows import set_meta
from agent.modem.firmware_cache import FirmwareFacts
from agent.system.clock import Clock
from at.bringup.bringup import Facts

FIRMWARE = ("Quectel", "EC25", "EC25EFAR06A03M4G")


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    opened = await Journal.open(tmp_path / "journal.db", Clock())
    yield opened
    await opened.close()


async def test_it_is_remembered_once_and_known_again(journal: Journal) -> None:
    facts = FirmwareFacts(journal)
    await facts.recall()
    assert facts.known == {}
    facts.known[FIRMWARE] = Facts("+QCCID", (2, 1, 0, 2, 0))
    await facts.remember()
    commits = journal.commits
    again = FirmwareFacts(journal)
    await again.recall()
    assert again.known == {FIRMWARE: Facts("+QCCID", (2, 1, 0, 2, 0))}
    await again.remember()
    assert journal.commits == commits


async def test_what_cannot_be_read_is_found_out_again(journal: Journal) -> None:
    await journal.commit(lambda db: set_meta(db, "facts", '[["x", 1]]'))
    facts = FirmwareFacts(journal)
    await facts.recall()
    assert facts.known == {}
