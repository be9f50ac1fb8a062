"""bring_up: a table of steps that ends at ready, or says who must act."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from at import profiles, urcs
from at.bringup import bringup, sim
from at.bringup.bringup import STATES, TRANSITIONS, BringUp, Identity, bring_up
from at.bringup.negotiation import Memories
from at.bringup.sim import PinMemory
from at.bringup.status import survey
from at.errors import CommandError, CommandTimeoutError, SimError
from at.modem import Modem
from at.simulator import PtyModem
from tests.at.peer import ERROR, OK, Peer

ANSWERS = {
    "+CGMI": b"\r\nACME Ltd\r\n" + OK,
    "+CGMM": b"\r\nM1\r\n" + OK,
    "+CGMR": b"\r\nRevision 1.0\r\n" + OK,
    "+CGSN": b"\r\n490154203237518\r\n" + OK,
    "+CCID": b"\r\n+CCID: 8944100030321123456F\r\n" + OK,
    "+CIMI": b"\r\n234100123456789\r\n" + OK,
    "+CPIN?": b"\r\n+CPIN: READY\r\n" + OK,
    "+CPMS=?": b'\r\n+CPMS: ("SM","ME"),("SM","ME"),("SM","ME")\r\n' + OK,
    "+CPMS=*": b"\r\n+CPMS: 0,30,0,30,0,30\r\n" + OK,
    "+CNMI=?": b"\r\n+CNMI: (0-2),(0-3),(0,2),(0-2),(0,1)\r\n" + OK,
    "+CNMI?": b"\r\n+CNMI: 2,1,0,2,0\r\n" + OK,
}


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    async with Peer(dict(ANSWERS)) as peer:
        yield peer


@pytest.fixture
async def modem(peer: Peer) -> AsyncIterator[Modem]:
    modem = await Modem.open(peer.path)
    yield modem
    await modem.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (bringup, sim):
        monkeypatch.setattr(module, "POLL_S", 0.01)
    monkeypatch.setattr(sim, "READY_TIMEOUT_S", 0.3)
    monkeypatch.setattr(bringup, "SMS_READY_TIMEOUT_S", 0.3)


async def up(modem: Modem, **wanted: object) -> Identity:
    return await bring_up(modem, BringUp(**wanted))  # type: ignore[arg-type]  # a test's own words


async def test_well_behaved_modem_is_known_and_ready(modem: Modem) -> None:
    identity = await up(modem)
    assert (identity.manufacturer, identity.model) == ("ACME Ltd", "M1")
    assert identity.firmware == "Revision 1.0"
    assert identity.imei == "490154203237518"
    assert identity.iccid == "8944100030321123456"
    assert identity.imsi == "234100123456789"
    assert identity.memories == Memories("SM", ("ME",))
    assert identity.indications == (2, 1, 0, 2, 0)
    assert identity.profile is profiles.GENERIC
    assert identity.sms_mode == "pdu"


async def test_every_state_is_entered_in_the_order_of_the_table(modem: Modem) -> None:
    entered: list[str] = []
    await bring_up(modem, BringUp(), on_state=entered.append)
    assert entered == [state for state in STATES if state not in {"silent", "blocked"}]


def test_every_state_of_the_table_can_be_reached() -> None:
    assert {row[2] for row in TRANSITIONS} | {"silent"} == set(STATES)


async def test_simulated_modem_comes_up_and_can_be_surveyed() -> None:
    async with PtyModem() as simulated:
        modem = await Modem.open(simulated.path)
        identity = await up(modem)
        seen = await survey(modem)
        await modem.close()
    assert identity.imei == "490154203237518"
    assert seen.registered
    assert (seen.operator, seen.technology) == ("Testnet", "LTE")
    assert seen.signal_dbm == -79
    assert seen.storage_used == 0


async def test_modem_that_knows_next_to_nothing_still_comes_up(peer: Peer, modem: Modem) -> None:
    peer.answers = {"E0": OK, "+CMGF=0": OK, "+CPIN?": ERROR}
    peer.default = ERROR
    identity = await up(modem)
    assert identity.memories == Memories("")
    assert identity.indications == ()
    assert identity.iccid is None


async def test_modem_left_at_a_prompt_comes_up(peer: Peer, modem: Modem) -> None:
    answers = iter([None, OK])
    peer.answers["E0"] = lambda _: next(answers)
    await up(modem)
    assert any("<ESC>" in line for line in peer.lines)


async def test_mute_modem_is_told(
    peer: Peer, modem: Modem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("at.modem.RESYNC_TIMEOUT_S", 0.2)
    monkeypatch.setattr(Modem.resynchronise, "__defaults__", (0.2,))
    peer.mute = True
    with pytest.raises(CommandTimeoutError):
        await up(modem)


async def test_errors_by_text_where_numbers_are_not_offered(peer: Peer, modem: Modem) -> None:
    peer.answers["+CMEE=1"] = ERROR
    await up(modem)
    assert "AT+CMEE=2" in peer.lines


# -- the SIM -----------------------------------------------------------------------------------


class Memory:
    def __init__(self, refused: set[str] | None = None) -> None:
        self.numbers = refused or set()

    def callbacks(self) -> PinMemory:
        return PinMemory(self.numbers.__contains__, self.numbers.add, self.numbers.discard)


def ask_for_pin(peer: Peer, *, accepted: bool, left: int | None = 3) -> None:
    state = {"now": "SIM PIN"}

    def enter(_: str) -> bytes:
        if accepted:
            state["now"] = "READY"
        return OK if accepted else b"\r\n+CME ERROR: 16\r\n"

    peer.answers["+CPIN?"] = lambda _: f"\r\n+CPIN: {state['now']}\r\n".encode() + OK
    peer.answers["+CPIN=*"] = enter
    peer.answers["+CPINR=*"] = (
        ERROR if left is None else f"\r\n+CPINR: SIM PIN,{left},3\r\n".encode() + OK
    )


async def test_pin_is_entered_once_and_forgotten_when_taken(peer: Peer, modem: Modem) -> None:
    ask_for_pin(peer, accepted=True)
    memory = Memory()
    await up(modem, pin="1234", pin_memory=memory.callbacks())
    assert peer.lines.count('AT+CPIN="1234"') == 1
    assert memory.numbers == set()


async def test_refused_pin_is_remembered_and_never_tried_again(peer: Peer, modem: Modem) -> None:
    ask_for_pin(peer, accepted=False)
    memory = Memory()
    for _ in range(3):
        with pytest.raises(SimError) as caught:
            await up(modem, pin="1234", pin_memory=memory.callbacks())
        assert caught.value.state == "pin-refused"
    assert memory.numbers == {"8944100030321123456"}
    assert peer.lines.count('AT+CPIN="1234"') == 1


async def test_pin_is_remembered_before_it_is_tried(peer: Peer, modem: Modem) -> None:
    ask_for_pin(peer, accepted=True)
    memory = Memory()
    seen: list[set[str]] = []
    entered = peer.answers["+CPIN=*"]
    assert callable(entered)

    def enter(text: str) -> bytes | None:
        seen.append(set(memory.numbers))
        return entered(text)

    peer.answers["+CPIN=*"] = enter
    await up(modem, pin="1234", pin_memory=memory.callbacks())
    assert seen == [{"8944100030321123456"}]


@pytest.mark.parametrize("left", [2, 1, 0])
async def test_last_two_tries_are_never_spent(peer: Peer, modem: Modem, left: int) -> None:
    ask_for_pin(peer, accepted=True, left=left)
    with pytest.raises(SimError) as caught:
        await up(modem, pin="1234")
    assert caught.value.state == "pin-kept"
    assert 'AT+CPIN="1234"' not in peer.lines


async def test_pin_is_tried_once_where_the_counter_cannot_be_read(peer: Peer, modem: Modem) -> None:
    ask_for_pin(peer, accepted=True, left=None)
    await up(modem, pin="1234")
    assert peer.lines.count('AT+CPIN="1234"') == 1


async def test_missing_pin_is_asked_for(peer: Peer, modem: Modem) -> None:
    ask_for_pin(peer, accepted=True)
    with pytest.raises(SimError, match="pin_file"):
        await up(modem)


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (b"\r\n+CPIN: SIM PUK\r\n" + OK, "puk"),
        (b"\r\n+CPIN: PH-SIM PIN\r\n" + OK, "locked"),
        (b"\r\n+CME ERROR: 10\r\n", "absent"),
        (b"\r\n+CME ERROR: SIM not inserted\r\n", "absent"),
        (b"\r\n+CME ERROR: 14\r\n", "busy"),
        (b"\r\n+CME ERROR: 13\r\n", "failed"),
    ],
)
async def test_sim_that_cannot_be_used_is_told(
    peer: Peer, modem: Modem, answer: bytes, state: str
) -> None:
    peer.answers["+CPIN?"] = answer
    entered: list[str] = []
    with pytest.raises(SimError) as caught:
        await bring_up(modem, BringUp(), on_state=entered.append)
    assert caught.value.state == state
    assert entered[-1] == "blocked"


async def test_busy_sim_is_waited_for(peer: Peer, modem: Modem) -> None:
    answers = iter([b"\r\n+CME ERROR: 14\r\n", b"\r\n+CPIN: NOT READY\r\n" + OK])
    peer.answers["+CPIN?"] = lambda _: next(answers, b"\r\n+CPIN: READY\r\n" + OK)
    await up(modem)


# -- messages ----------------------------------------------------------------------------------


async def test_message_service_that_starts_late_is_waited_for(peer: Peer, modem: Modem) -> None:
    answers = iter([b"\r\n+CMS ERROR: 512\r\n", b"\r\n+CMS ERROR: 314\r\n"])
    peer.answers["+CMGF=0"] = lambda _: next(answers, OK)
    await up(modem)


async def test_message_service_that_never_starts_is_told(peer: Peer, modem: Modem) -> None:
    peer.answers["+CMGF=0"] = b"\r\n+CMS ERROR: 512\r\n"
    with pytest.raises(CommandError, match="SMS not ready"):
        await up(modem)


@pytest.mark.parametrize(("formats", "mode"), [("(0,1)", "pdu"), ("(0-1)", "pdu"), ("(1)", "text")])
async def test_auto_mode_is_pdu_mode_where_there_is_one(
    peer: Peer, modem: Modem, formats: str, mode: str
) -> None:
    peer.answers["+CMGF=?"] = f"\r\n+CMGF: {formats}\r\n".encode() + OK
    assert (await up(modem, sms_mode="auto")).sms_mode == mode


async def test_indication_that_does_not_stick_gives_way_to_the_next(
    peer: Peer, modem: Modem
) -> None:
    settings = {"now": "0,0,0,0,0"}

    def take(text: str) -> bytes:
        wanted = text.removeprefix("AT+CNMI=")
        if not wanted.startswith("2"):  # says OK to mode 2 and does not take it
            settings["now"] = wanted
        return OK

    peer.answers.pop("+CNMI?")
    peer.answers["+CNMI=*"] = take
    peer.answers["+CNMI=?"] = ANSWERS["+CNMI=?"]
    peer.answers["+CNMI?"] = lambda _: f"\r\n+CNMI: {settings['now']}\r\n".encode() + OK
    assert (await up(modem)).indications == (1, 1, 0, 2, 0)


async def test_modem_that_names_no_memories_keeps_its_own(peer: Peer, modem: Modem) -> None:
    peer.answers["+CPMS=?"] = ERROR
    peer.answers["+CPMS?"] = b'\r\n+CPMS: "ME",0,20,"ME",0,20,"ME",0,20\r\n' + OK
    assert (await up(modem)).memories == Memories("ME")


async def test_restart_amid_bring_up_is_heard(peer: Peer) -> None:
    heard: list[object] = []
    modem = await Modem.open(peer.path, on_urc=heard.append)
    peer.answers["+CGMM"] = b"\r\nRDY\r\n\r\nM1\r\n" + OK
    await up(modem)
    await modem.close()
    assert urcs.Restarted("RDY") in heard


async def test_settings_that_a_silent_restart_undid_are_missed() -> None:
    async with PtyModem() as simulated:
        modem = await Modem.open(simulated.path)
        identity = await up(modem)
        assert await bringup.in_force(modem, identity)
        settings = simulated.core.device.settings
        settings.text_mode = 1
        assert not await bringup.in_force(modem, identity)
        settings.text_mode = 0
        settings.cnmi = (0, 0, 0, 0, 0)
        assert not await bringup.in_force(modem, identity)
        await modem.close()


async def test_bring_up_is_quick_on_a_free_line() -> None:
    async with PtyModem() as simulated:
        modem = await Modem.open(simulated.path)
        began = asyncio.get_running_loop().time()
        await up(modem)
        took = asyncio.get_running_loop().time() - began
        octets = modem.bytes_in + modem.bytes_out
        await modem.close()
    assert took < 5.0  # no command waits out its time
    assert octets < 1200  # 0.1 s at 115200 baud


async def test_profile_that_does_not_exist_is_chosen_by_the_modem(peer: Peer, modem: Modem) -> None:
    assert (await bring_up(modem, BringUp(profile="no-such"))).profile is profiles.GENERIC
