"""A noisy, lossy or vanishing line: messages are read as they were sent, and deleted once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from at import sms
from at.bringup.bringup import BringUp, bring_up
from at.errors import AtError, PortLostError
from at.modem import Modem
from at.simulator import Faults, PtyModem
from at.store.messages import MessageStore
from at.urcs import Garbled, MessageStored
from tests.at.peer import until

TIME = sms.Timestamp.of(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


def deliver(text: str) -> sms.Deliver:
    (part,) = sms.segment(text, reference=0)
    return sms.Deliver(sms.Address.parse("2936"), TIME, part)


class Reader:
    """Reads and deletes as a careful program would: at every ring, and now and then unasked."""

    def __init__(self, modem: Modem, store: MessageStore) -> None:
        self.modem = modem
        self.store = store
        self.bell = asyncio.Event()
        self.places: set[tuple[str, int] | None] = set()
        self.texts: Counter[str] = Counter()
        modem.on_urc = self.hear

    def hear(self, urc: object) -> None:
        if isinstance(urc, MessageStored):
            self.places.add((urc.storage, urc.index))
            self.bell.set()
        elif isinstance(urc, Garbled):
            self.places.add(None)
            self.bell.set()

    async def run(self, enough: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not enough():
                try:
                    async with asyncio.timeout(0.5):
                        await self.bell.wait()
                except TimeoutError:
                    self.places.add(None)
                self.bell.clear()
                places, self.places = self.places, set()
                try:
                    await self.take(places)
                except AtError:
                    self.places.add(None)
                    self.bell.set()

    async def take(self, places: set[tuple[str, int] | None]) -> None:
        if None in places or len(places) > 4:
            found = await self.store.list_stored()
        else:
            read = [await self.store.read(*place) for place in sorted(filter(None, places))]
            found = [stored for stored in read if stored is not None]
        for stored in found:
            if not stored.proven:
                continue
            assert stored.pdu is not None, stored
            assert isinstance(stored.pdu.tpdu, sms.Deliver)
            self.texts[stored.pdu.tpdu.user_data.text or ""] += 1
            await self.store.delete(stored)


@asynccontextmanager
async def ready(
    mode: str, seed: int, set_faults: Callable[[Faults], None]
) -> AsyncIterator[tuple[PtyModem, Reader]]:
    async with PtyModem(seed=seed) as simulated:
        modem = await Modem.open(simulated.path)
        wanted = BringUp(sms_mode=mode)  # type: ignore[arg-type]  # a word of its type
        store = MessageStore.of(modem, await bring_up(modem, wanted))
        set_faults(simulated.core.faults)
        yield simulated, Reader(modem, store)
        await modem.close()


async def feed(simulated: PtyModem, texts: list[str]) -> None:
    for text in texts:
        await until(lambda: not simulated.store["SM"].full, 60)
        simulated.deliver(deliver(text))
        await asyncio.sleep(0.001)


async def check(
    mode: str, seed: int, count: int, set_faults: Callable[[Faults], None]
) -> Counter[str]:
    texts = [f"message {n} " + "x" * 40 for n in range(count)]
    async with ready(mode, seed, set_faults) as (simulated, reader):
        feeding = asyncio.ensure_future(feed(simulated, texts))
        await reader.run(lambda: len(reader.texts) >= count)
        await feeding
        assert set(reader.texts) == set(texts)
        return reader.texts


@pytest.mark.parametrize("mode", ["pdu", "text"])
@pytest.mark.parametrize("rate", [0.1, 0.4])
async def test_noise_between_lines_loses_and_changes_nothing(mode: str, rate: float) -> None:
    def noisy(faults: Faults) -> None:
        faults.noise = rate

    texts = await check(mode, 7, 50, noisy)
    assert set(texts.values()) == {1}


@pytest.mark.parametrize("mode", ["pdu", "text"])
@pytest.mark.parametrize("seed", [1, 2])
async def test_octets_lost_on_the_way_from_the_modem_lose_and_change_nothing(
    mode: str, seed: int
) -> None:
    def lossy(faults: Faults) -> None:
        faults.drop_out = 1 / 2000
        faults.chatter = 0.05
        faults.interleave = True

    await check(mode, seed, 100, lossy)


async def test_octets_lost_and_doubled_both_ways_change_nothing() -> None:
    def lossy(faults: Faults) -> None:
        faults.drop_out = faults.double_out = 1 / 4000
        faults.drop_in = faults.double_in = 1 / 4000

    await check("pdu", 3, 60, lossy)


async def test_announcements_that_never_come_are_made_up_for() -> None:
    def silent(faults: Faults) -> None:
        faults.lose_announcements = -1

    texts = await check("pdu", 1, 20, silent)
    assert set(texts.values()) == {1}


async def test_port_that_vanishes_amid_a_listing_is_told_and_loses_nothing() -> None:
    async with PtyModem() as simulated:
        modem = await Modem.open(simulated.path)
        store = MessageStore.of(modem, await bring_up(modem, BringUp()))
        for n in range(20):
            simulated.deliver(deliver(f"message {n}"), announce=False)
        listing = asyncio.ensure_future(store.list_stored())
        await asyncio.sleep(0)
        simulated.vanish(power_lost=False)
        with pytest.raises(PortLostError):
            await listing
        assert modem.lost.is_set()
        await modem.close()
        simulated.appear(power_lost=False)
        again = await Modem.open(simulated.path)
        store = MessageStore.of(again, await bring_up(again, BringUp()))
        assert len(await store.list_stored()) == 20
        await again.close()


async def test_port_that_takes_nothing_is_told_at_the_commands_timeout() -> None:
    async with PtyModem() as simulated:
        modem = await Modem.open(simulated.path)
        await bring_up(modem, BringUp())
        simulated.stall()
        with pytest.raises(AtError):
            await modem.resynchronise(1.0)
        simulated.stall(on=False)
        await modem.resynchronise()
        await modem.close()
