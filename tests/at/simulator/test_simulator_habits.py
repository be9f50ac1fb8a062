"""Habits of modems in the field, as personalities and faults; the driver gets along with them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

import pytest

from at.bringup.bringup import BringUp, bring_up
from at.errors import SimError
from at.modem import Modem
from at.simulator import PtyModem, SimulatedModem
from at.simulator.personalities.generic import GENERIC
from at.simulator.texts import pdus_of
from at.simulator.values import Reply
from at.store.messages import MessageStore
from tests.at.simulator.host import Host


def host(**habits: Any) -> Host:
    return Host(SimulatedModem(replace(GENERIC, **habits)))


@pytest.mark.parametrize("names", [(), (1,), (2,), (3,)])
def test_memories_are_chosen_by_so_many_names_only(names: tuple[int, ...]) -> None:
    modem = host(cpms_names=names)
    for count in (1, 2, 3):
        answer = modem.send("AT+CPMS=" + ",".join(['"SM"'] * count))[-1]
        assert answer == ("OK" if count in names else "+CMS ERROR: 302")


def test_announcement_setting_is_told_in_part_or_never_changes() -> None:
    modem = host(cnmi_told=4)
    assert modem.send("AT+CNMI=2,1,0,2,0") == ["OK"]
    assert modem.send("AT+CNMI?") == ["+CNMI: 2,1,0,2", "OK"]
    modem = host(cnmi_fixed=True)
    assert modem.send("AT+CNMI=2,1,0,2,0") == ["OK"]
    assert modem.send("AT+CNMI?") == ["+CNMI: 0,0,0,0,0", "OK"]


def test_empty_slot_is_shown_as_an_empty_message() -> None:
    assert host(empty_slot="message").send("AT+CMGR=3") == ["+CMGR: 0,,0", "OK"]


def test_unreadable_record_makes_its_reading_and_every_listing_fail() -> None:
    modem = Host()
    for text in ("one", "two"):
        modem.modem.deliver(*pdus_of("2936", text, datetime(2026, 1, 2, tzinfo=UTC)))
    modem.heard()
    modem.modem.faults.unreadable = [2]
    assert modem.send("AT+CMGL=4") == ["+CMS ERROR: 320"]
    assert modem.send("AT+CMGR=2") == ["+CMS ERROR: 320"]
    assert modem.send("AT+CMGR=1")[-1] == "OK"
    assert modem.send("AT+CMGD=2") == ["OK"]
    assert modem.send("AT+CMGL=4")[-1] == "OK"


def test_clock_may_stand_still() -> None:
    modem = Host()
    modem.modem.faults.clock = "04/01/01,00:00:00+00"
    modem.wait(3600.0)
    assert modem.send("AT+CCLK?") == ['+CCLK: "04/01/01,00:00:00+00"', "OK"]


def test_command_may_have_an_answer_of_its_own() -> None:
    modem = host(answers={"+CSQ": Reply(), "+CMGF=0": Reply(final="ERROR")})
    assert modem.send("AT+CSQ") == ["OK"]
    assert modem.send("AT+CMGF=0") == ["ERROR"]
    assert modem.send("AT+CMGF=1") == ["OK"]
    assert modem.send("AT+CSQ=?")[-1] == "OK"


def test_answer_may_lack_its_end() -> None:
    modem = host(answers={"+CPIN?": Reply(("+CPIN: READY",), final="")})
    assert modem.send("AT+CPIN?") == ["+CPIN: READY"]
    assert modem.send("AT") == ["OK"]


def test_escape_may_stay_in_the_line() -> None:
    modem = host(keeps_escape=True)
    assert modem.send("\x1bAT") == []
    assert modem.send("AT") == ["OK"]


@pytest.mark.parametrize("more", [1, 20])
def test_length_of_text_mode_may_lie(more: int) -> None:
    modem = host(text_length_more=more, csdh=1, text_mode=1)
    modem.modem.deliver(*pdus_of("2936", "ping", datetime(2026, 1, 2, tzinfo=UTC)))
    modem.heard()
    assert modem.send("AT+CMGR=1")[0].endswith(f",{4 + more}")


@pytest.mark.parametrize("state", ["SIM PIN2", "SIM PUK2"])
def test_card_whose_pin2_is_wanted_works(state: str) -> None:
    modem = Host()
    modem.modem.device.sim.state = state
    assert modem.send("AT+CPIN?") == [f"+CPIN: {state}", "OK"]
    assert modem.send("AT+CMGL=4") == ["OK"]


def test_absent_card_may_be_told_as_a_state() -> None:
    modem = Host()
    modem.modem.device.sim.state = "NOT INSERTED"
    assert modem.send("AT+CPIN?") == ["+CPIN: NOT INSERTED", "OK"]
    assert modem.send("AT+CIMI") == ["+CME ERROR: 10"]


@pytest.mark.parametrize(
    "habits",
    [
        {"cpms_names": (2,)},
        {"cpms_names": ()},
        {"cnmi_told": 4},
        {"cnmi_fixed": True},
        {"empty_slot": "message"},
        {"answers": {"+CPIN?": Reply(("+CPIN: READY",), final="")}},
        {"answers": {"+CSQ": Reply(), "+COPS?": Reply(), "+CCLK?": Reply()}},
        {"keeps_escape": True},
        {"text_length_more": 1},
        {"text_length_more": 20},
    ],
)
@pytest.mark.parametrize("mode", ["pdu", "text"])
async def test_driver_reads_messages_whatever_the_habit(
    habits: dict[str, Any], mode: Literal["pdu", "text"]
) -> None:
    async with PtyModem(replace(GENERIC, **habits)) as simulated:
        modem = await Modem.open(simulated.path)
        store = MessageStore.of(modem, await bring_up(modem, BringUp(sms_mode=mode)))
        for text in ("one", "two", "three"):
            simulated.deliver_text("2936", text)
        simulated.faults.unreadable = [2]
        found = {one.index for one in await store.list_stored() if one.pdu is not None}
        assert found == {1, 3}
        assert await store.read("SM", 7) is None
        await modem.close()


@pytest.mark.parametrize(("state", "ready"), [("SIM PUK2", True), ("NOT INSERTED", False)])
async def test_driver_knows_the_card_by_what_its_state_means(state: str, ready: bool) -> None:
    async with PtyModem() as simulated:
        simulated.core.device.sim.state = state
        modem = await Modem.open(simulated.path)
        if ready:
            await bring_up(modem, BringUp())
        else:
            with pytest.raises(SimError) as told:
                await bring_up(modem, BringUp())
            assert told.value.state == "absent"
        await modem.close()


async def test_driver_takes_a_memory_that_has_room() -> None:
    small = replace(GENERIC, storages={"SM": 0, "ME": 20})
    async with PtyModem(small) as simulated:
        modem = await Modem.open(simulated.path)
        identity = await bring_up(modem, BringUp())
        await modem.close()
    assert identity.memories.receiving == "ME"
