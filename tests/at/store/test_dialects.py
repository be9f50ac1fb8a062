"""Memories and announcements of modems that take less than the standard has."""

from __future__ import annotations

from dataclasses import replace

import pytest

from at import commands
from at.bringup import sim
from at.bringup.bringup import BringUp, bring_up, in_force
from at.errors import SimError
from at.modem import Modem
from at.store.messages import MessageStore
from tests.at.bringup.test_bringup import ANSWERS
from tests.at.peer import ERROR, OK, Answer, Peer

SELECTED = b"\r\n+CPMS: 0,20,0,20,0,20\r\n" + OK


def answers() -> dict[str, Answer]:
    return {
        **ANSWERS,
        "+CPIN?": b"\r\n+CPIN: READY\r\n" + OK,
        "+CPMS=?": b'\r\n+CPMS: ("SM","ME"),("SM","ME"),("SM","ME")\r\n' + OK,
        "+CPMS?": b'\r\n+CPMS: "SM",0,20,"SM",0,20,"SM",0,20\r\n' + OK,
        "+CNMI=?": b"\r\n+CNMI: (0-2),(0-2),(0),(0-2),(0,1)\r\n" + OK,
        "+CSMS?": b"\r\n+CSMS: 0,1,1,1\r\n" + OK,
    }


@pytest.mark.parametrize("refusal", [b"\r\n+CMS ERROR: 302\r\n"])
@pytest.mark.parametrize("taken", [0, 1, 2, 3])
@pytest.mark.parametrize("offer", ["both", "nested", "none"])
async def test_memories_are_chosen_in_the_form_that_is_taken(
    refusal: bytes, taken: int, offer: str
) -> None:
    async with Peer() as peer:
        peer.answers |= answers()
        if offer != "both":
            nested = b'\r\n+CPMS: (("SM","BM","SR"),("SM"))\r\n' + OK
            peer.answers["+CPMS=?"] = nested if offer == "nested" else ERROR
        peer.answers["+CPMS=*"] = lambda line: SELECTED if line.count(",") == taken - 1 else refusal
        modem = await Modem.open(peer.path)
        identity = await bring_up(modem, BringUp())
        assert identity.memories.receiving == "SM"
        store = MessageStore.of(modem, identity)
        await modem.resynchronise()
        peer.answers["+CMGL=4"] = OK
        assert await store.list_stored() == []
        assert "AT+CMGL=4" in peer.lines
        await modem.close()


async def test_memory_without_room_gives_way() -> None:
    async with Peer() as peer:
        peer.answers |= answers()
        chosen = {"now": "SM"}

        def choose(line: str) -> bytes:
            chosen["now"] = line.split('"')[1]
            return OK

        def tell(_: str) -> bytes:
            name, room = chosen["now"], 0 if chosen["now"] == "SM" else 20
            told = ",".join([f'"{name}",0,{room}'] * 3)
            return f"\r\n+CPMS: {told}\r\n".encode() + OK

        peer.answers["+CPMS=*"] = choose
        peer.answers["+CPMS?"] = tell
        modem = await Modem.open(peer.path)
        identity = await bring_up(modem, BringUp())
        await modem.close()
    assert identity.memories.receiving == "ME"


@pytest.mark.parametrize("told", ["2,1,0,2", "0,0,0,0,0", "1,2,0,1,0"])
async def test_best_setting_stays_where_the_query_proves_nothing(told: str) -> None:
    async with Peer() as peer:
        peer.answers |= answers()
        peer.answers["+CNMI=*"] = OK
        peer.answers["+CNMI?"] = f"\r\n+CNMI: {told}\r\n".encode() + OK
        peer.answers["+CNMI=?"] = answers()["+CNMI=?"]
        modem = await Modem.open(peer.path)
        identity = await bring_up(modem, BringUp())
        assert identity.indications == (2, 1, 0, 2, 0)
        assert await in_force(modem, identity)
        await modem.close()
    settings = [line for line in peer.lines if line.startswith("AT+CNMI=") and "?" not in line]
    assert settings[-1] == "AT+CNMI=2,1,0,2,0"
    assert not [line for line in settings if line.startswith("AT+CNMI=2,2")]


@pytest.mark.parametrize("state", ["READY", "SIM PIN2", "SIM PUK2", '"READY"', "sim puk2"])
@pytest.mark.parametrize("final", [OK, b""])
async def test_card_that_works_is_ready_with_or_without_a_final_result(
    monkeypatch: pytest.MonkeyPatch, state: str, final: bytes
) -> None:
    monkeypatch.setattr(commands, "SIM_STATE", replace(commands.SIM_STATE, unended_s=0.1))
    async with Peer() as peer:
        peer.answers |= answers()
        peer.answers["+CPIN?"] = f"\r\n+CPIN: {state}\r\n".encode() + final
        modem = await Modem.open(peer.path)
        assert (await bring_up(modem, BringUp())).imsi == "234100123456789"
        await modem.close()


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ("+CPIN: NOT INSERTED", "absent"),
        ("+CPIN: SIM REMOVED", "absent"),
        ("+CPIN: NO SIM", "absent"),
        ("+CME ERROR: 10", "absent"),
        ("+CMS ERROR: 310", "absent"),
        ("+CPIN: SIM PUK", "puk"),
        ("+CME ERROR: 12", "puk"),
        ("+CME ERROR: SIM PUK required", "puk"),
        ("+CME ERROR: 11", "pin-required"),
        ("+CPIN: PH-NET PUK", "locked"),
        ("+CPIN: PH-SP PIN", "locked"),
        ("+CME ERROR: 41", "locked"),
    ],
)
async def test_card_that_does_not_work_is_named_for_what_it_is(told: str, state: str) -> None:
    async with Peer() as peer:
        peer.answers |= answers()
        peer.answers["+CPIN?"] = f"\r\n{told}\r\n".encode() + (OK if "ERROR" not in told else b"")
        modem = await Modem.open(peer.path)
        with pytest.raises(SimError) as caught:
            await bring_up(modem, BringUp())
        await modem.close()
    assert caught.value.state == state
    if state == "locked":  # nobody is led to try the SIM's codes at the modem's lock
        assert "no PIN or PUK of the SIM opens it" in caught.value.remedy
    assert ("PUK" in caught.value.remedy) == (state in {"puk", "locked"})


@pytest.mark.parametrize("told", ["+CME ERROR: 17", "+CME ERROR: SIM PUK2 required", "ERROR"])
async def test_error_that_does_not_concern_the_card_is_no_lock(told: str) -> None:
    async with Peer() as peer:
        peer.answers |= answers()
        peer.answers["+CPIN?"] = f"\r\n{told}\r\n".encode()
        modem = await Modem.open(peer.path)
        await bring_up(modem, BringUp())
        await modem.close()


@pytest.mark.parametrize("level", ["0", "4", "0,0"])
@pytest.mark.parametrize(
    ("allowed", "answer", "said"),
    [
        (True, OK, "switched on"),
        (True, ERROR, "refused"),
        (False, OK, "a setting forbids"),
    ],
)
async def test_radio_that_is_off_is_switched_on(
    level: str, answer: bytes, said: str, *, allowed: bool
) -> None:
    async with Peer() as peer:
        peer.answers |= answers()
        peer.answers |= {"+CFUN?": f"\r\n+CFUN: {level}\r\n".encode() + OK, "+CFUN=1": answer}
        modem = await Modem.open(peer.path)
        identity = await bring_up(modem, BringUp(radio_on=allowed))
        assert await in_force(modem, identity) == (answer is not OK or not allowed)
        await modem.close()
    assert said in identity.radio
    assert ("AT+CFUN=1" in peer.lines) == allowed


@pytest.mark.parametrize("answer", [b"\r\n+CFUN: 1\r\n" + OK, ERROR, OK])
async def test_radio_that_is_on_or_not_told_is_left_alone(answer: bytes) -> None:
    async with Peer() as peer:
        peer.answers |= answers()
        peer.answers["+CFUN?"] = answer
        modem = await Modem.open(peer.path)
        identity = await bring_up(modem, BringUp())
        assert await in_force(modem, identity)
        peer.answers["+CFUN?"] = b"\r\n+CFUN: 4\r\n" + OK
        assert not await in_force(modem, identity)
        await modem.close()
    assert identity.radio == ""
    assert "AT+CFUN=1" not in peer.lines


@pytest.mark.parametrize(
    "told",
    [b"\r\n+CME ERROR: 10\r\n", b"\r\n+CPIN: NOT INSERTED\r\n" + OK, b"\r\n+CME ERROR: 13\r\n"],
)
async def test_card_that_gets_its_power_back_with_the_radio_is_waited_for(
    told: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sim, "POLL_S", 0.01)
    async with Peer() as peer:
        peer.answers |= answers()
        waits = iter([told, told])
        peer.answers["+CPIN?"] = lambda _: next(waits, b"\r\n+CPIN: READY\r\n" + OK)
        peer.answers["+CFUN?"] = b"\r\n+CFUN: 0\r\n" + OK
        modem = await Modem.open(peer.path)
        assert (await bring_up(modem, BringUp())).radio
        await modem.close()
