"""Every vendor's modem, as simulated, comes up, receives, sends and restarts."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from at import profiles, sms
from at.bringup.bringup import BringUp, Facts, bring_up
from at.errors import SimError
from at.modem import Modem
from at.simulator import PtyModem
from at.simulator.personalities import PERSONALITIES
from at.store.messages import Deleted, MessageStore
from at.urcs import MessageStored, Restarted, SimState, StorageFull
from tests.at.peer import until

TIME = sms.Timestamp.of(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
NAMES = {
    "contrary": "generic",
    "generic": "generic",
    "huawei": "huawei",
    "quectel": "quectel",
    "sierra": "sierra",
    "simcom-a7670": "simcom",
    "simcom-sim7000": "simcom-legacy",
    "simcom-sim7080": "simcom-legacy",
    "simcom-sim7600": "simcom",
    "simcom-sim800": "simcom-legacy",
    "telit": "telit",
    "u-blox": "u-blox",
}
ALL = sorted(PERSONALITIES)
VENDORS = [name for name in ALL if name not in {"contrary", "generic"}]


def profile_of(personality: str) -> str:
    return next(NAMES[start] for start in NAMES if personality.startswith(start))


def deliver(text: str) -> sms.Deliver:
    (part,) = sms.segment(text, reference=0)
    return sms.Deliver(sms.Address.parse("000"), TIME, part)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("mode", ["pdu", "text"])
async def test_vendor_is_known_and_its_messages_come_and_go(name: str, mode: str) -> None:
    heard: list[object] = []
    async with PtyModem(name) as simulated:
        simulated.deliver(deliver("before the start"))
        modem = await Modem.open(simulated.path, on_urc=heard.append)
        identity = await bring_up(modem, BringUp(sms_mode=mode))  # type: ignore[arg-type]  # words
        assert identity.profile.name == profile_of(name)
        assert identity.iccid == "89441000303211234567"
        assert identity.imei == "490154203237518"
        assert identity.imsi
        assert identity.indications[1] == 1
        store = MessageStore.of(modem, identity)
        (first,) = await store.list_stored()
        simulated.deliver(deliver("live"))
        await until(lambda: any(isinstance(urc, MessageStored) for urc in heard))
        news = next(urc for urc in heard if isinstance(urc, MessageStored))
        second = await store.read(news.storage, news.index)
        assert second is not None
        for stored, text in ((first, "before the start"), (second, "live")):
            assert stored.pdu is not None
            assert isinstance(stored.pdu.tpdu, sms.Deliver)
            assert stored.pdu.tpdu.user_data.text == text
            assert stored.proven
            assert await store.delete(stored) is Deleted.DONE
            assert await store.delete(stored) in {Deleted.DONE, Deleted.EMPTY}
        assert await store.list_stored(everywhere=True) == []
        (part,) = sms.segment("hello", reference=0)
        await store.send(sms.Submit(sms.Address.parse("000"), part), more=True)
        assert len(simulated.sent) == 1
        await modem.close()


@pytest.mark.parametrize("name", VENDORS)
async def test_vendors_counter_keeps_the_last_two_tries(name: str) -> None:
    async with PtyModem(name) as simulated:
        simulated.core.device.sim.state = "SIM PIN"
        simulated.core.device.sim.pin_tries = 2
        modem = await Modem.open(simulated.path)
        with pytest.raises(SimError, match="2 tries"):
            await bring_up(modem, BringUp(pin="1234"))
        assert simulated.core.device.sim.pin_tries == 2
        await modem.close()


@pytest.mark.parametrize("name", ["quectel-bg95", "simcom-sim800", "u-blox-sara-r4"])
async def test_vendor_that_restarts_by_itself_is_heard_and_comes_up_again(name: str) -> None:
    heard: list[object] = []
    facts: dict[tuple[str, str, str], Facts] = {}
    async with PtyModem(name) as simulated:
        modem = await Modem.open(simulated.path, on_urc=heard.append)
        await bring_up(modem, BringUp(facts=facts))
        generation = modem.generation
        simulated.restart()
        await until(lambda: any(isinstance(urc, Restarted) for urc in heard))
        assert modem.generation > generation
        identity = await bring_up(modem, BringUp(facts=facts))
        assert identity.indications[1] == 1
        await modem.close()


async def test_modem_that_echoes_again_has_restarted() -> None:
    heard: list[object] = []
    async with PtyModem() as simulated:
        modem = await Modem.open(simulated.path, on_urc=heard.append)
        store = MessageStore.of(modem, await bring_up(modem, BringUp()))
        simulated.core.device.settings.echo = True
        await store.list_stored()
        await modem.close()
    assert heard == [Restarted("the echo is on again")]


async def test_boot_line_that_huawei_sticks_repeat_is_one_restart() -> None:
    heard: list[object] = []
    async with PtyModem("huawei-e173") as simulated:
        modem = await Modem.open(simulated.path, on_urc=heard.append)
        for line in ("^BOOT:1,0,0,0,1", "^BOOT:1,0,0,0,1", "^BOOT:2,0,0,0,1"):
            simulated.say(line)
        await until(lambda: Restarted("^BOOT:2,0,0,0,1") in heard)
        await modem.close()
    assert heard == [Restarted("^BOOT:1,0,0,0,1"), Restarted("^BOOT:2,0,0,0,1")]


async def test_another_sim_raises_the_generation() -> None:
    heard: list[object] = []
    async with PtyModem() as simulated:
        modem = await Modem.open(simulated.path, on_urc=heard.append)
        simulated.say("+CPIN: READY")
        await until(lambda: heard)
        assert modem.generation == 1
        await modem.close()
    assert heard == [SimState("READY")]


@pytest.mark.parametrize("name", [name for name in ALL if PERSONALITIES[name].full_urc])
async def test_full_storage_is_told(name: str) -> None:
    heard: list[object] = []
    async with PtyModem(name) as simulated:
        modem = await Modem.open(simulated.path, on_urc=heard.append)
        await bring_up(modem, BringUp())
        while not simulated.store.receiving.full:
            simulated.deliver(deliver("x"), announce=False)
        await until(lambda: any(isinstance(urc, StorageFull) for urc in heard))
        await modem.close()


async def test_known_facts_are_tried_first() -> None:
    facts: dict[tuple[str, str, str], Facts] = {}
    async with PtyModem("sierra-mc7455") as simulated:
        modem = await Modem.open(simulated.path)
        await bring_up(modem, BringUp(facts=facts))
        first = modem.bytes_out
        await bring_up(modem, BringUp(facts=facts))
        second = modem.bytes_out - first
        await modem.close()
    assert facts[("Sierra Wireless, Incorporated", "MC7455",
                  PERSONALITIES["sierra-mc7455"].firmware)].indications  # fmt: skip
    assert second < first


def test_profile_can_be_named() -> None:
    ublox = profiles.named("u-blox")
    assert ublox is not None
    assert ublox.name == "u-blox"
    assert profiles.named("nobody") is None


def test_every_profile_has_a_name_of_its_own() -> None:
    names = [profile.name for profile in profiles.PROFILES]
    assert len(set(names)) == len(names)


async def test_sim800_gets_its_rest_after_news() -> None:
    async with PtyModem("simcom-sim800") as simulated:
        modem = await Modem.open(simulated.path)
        store = MessageStore.of(modem, await bring_up(modem, BringUp()))
        began = asyncio.get_running_loop().time()
        for _ in range(3):
            simulated.say("+CREG: 1")
            await asyncio.sleep(0.01)
            await store.list_stored()
        assert 0.3 < asyncio.get_running_loop().time() - began < 10.0
        await modem.close()
