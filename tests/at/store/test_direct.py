"""Messages handed over instead of stored: acknowledged only after they are kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from at import sms
from at.bringup.bringup import BringUp, Identity, bring_up
from at.modem import Modem
from at.simulator import PtyModem
from at.simulator.personalities import PERSONALITIES
from at.store.messages import Deleted, MessageStore
from at.urcs import MessageDelivered, ReportDelivered
from tests.at.peer import until

TIME = sms.Timestamp.of(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
# A modem that cannot store and announce: it hands over, or says nothing.
HANDS_OVER = replace(PERSONALITIES["generic"], cnmi=((0, 1, 2), (0, 2), (0,), (0, 1), (0, 1)))


def deliver(text: str) -> sms.Deliver:
    (part,) = sms.segment(text, reference=0)
    return sms.Deliver(sms.Address.parse("000"), TIME, part)


class Rig:
    def __init__(self, simulated: PtyModem, modem: Modem, identity: Identity) -> None:
        self.simulated = simulated
        self.modem = modem
        self.identity = identity
        self.store = MessageStore.of(modem, identity)
        self.heard: list[object] = []
        modem.on_urc = self.heard.append

    async def news(self) -> MessageDelivered | ReportDelivered:
        await until(lambda: self.heard)
        (urc,) = self.heard
        assert isinstance(urc, MessageDelivered | ReportDelivered)
        self.heard.clear()
        return urc


@asynccontextmanager
async def ready(mode: str) -> AsyncIterator[Rig]:
    async with PtyModem(HANDS_OVER) as simulated:
        modem = await Modem.open(simulated.path)
        wanted = BringUp(sms_mode=mode)  # type: ignore[arg-type]  # a word of its type
        yield Rig(simulated, modem, await bring_up(modem, wanted))
        await modem.close()


@pytest.mark.parametrize("mode", ["pdu", "text"])
async def test_message_handed_over_is_acknowledged_by_its_deletion_alone(mode: str) -> None:
    async with ready(mode) as rig:
        assert rig.identity.direct
        assert rig.identity.acknowledging
        rig.simulated.deliver(deliver("ping id=1\r\nOK"))
        stored = rig.store.delivered(await rig.news())
        assert stored.direct
        assert stored.proven
        assert stored.pdu is not None
        assert isinstance(stored.pdu.tpdu, sms.Deliver)
        assert stored.pdu.tpdu.user_data.text == "ping id=1\r\nOK"
        before = rig.modem.bytes_out
        assert await rig.store.delete(stored) is Deleted.DONE
        assert rig.modem.bytes_out - before == len("AT+CNMA\r")


async def test_next_message_comes_only_after_the_acknowledgement() -> None:
    async with ready("pdu") as rig:
        rig.simulated.deliver(deliver("one"))
        rig.simulated.deliver(deliver("two"))
        first = rig.store.delivered(await rig.news())
        assert rig.heard == []
        await rig.store.delete(first)
        second = rig.store.delivered(await rig.news())
        await rig.store.delete(second)
        assert first.raw != second.raw


async def test_message_that_is_not_proven_is_refused_and_not_acknowledged() -> None:
    async with ready("pdu") as rig:
        odd = sms.encode(deliver("one")).hex().upper() + "00"
        rig.simulated.deliver(odd)
        stored = rig.store.delivered(await rig.news())
        assert not stored.proven
        await rig.store.refuse(stored)


async def test_late_acknowledgement_makes_the_modem_hand_over_again() -> None:
    async with ready("pdu") as rig:
        rig.simulated.deliver(deliver("one"))
        stored = rig.store.delivered(await rig.news())
        await rig.store.delete(stored)
        before = rig.modem.bytes_out
        await rig.store.delete(stored)  # nothing waits for it any more
        setting = ",".join(map(str, rig.identity.indications))
        assert rig.modem.bytes_out - before == len("AT+CNMA\r") + len(f"AT+CNMI={setting}\r")


async def test_status_report_is_matched_by_its_reference() -> None:
    async with ready("pdu") as rig:
        (part,) = sms.segment("hello", reference=0)
        submit = sms.Submit(sms.Address.parse("2936"), part, status_report_request=True)
        reference = await rig.store.send(submit)
        stored = rig.store.delivered(await rig.news())
        assert stored.pdu is not None
        assert isinstance(stored.pdu.tpdu, sms.StatusReport)
        assert stored.pdu.tpdu.reference == reference
        await rig.store.delete(stored)
