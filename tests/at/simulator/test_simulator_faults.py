"""What can be made to go wrong, each from a seed."""

from __future__ import annotations

import pytest

from at.simulator import SimulatedModem
from tests.at.simulator.host import HELLO, Host


def test_mute_says_nothing_and_loses_input_and_announcements() -> None:
    host = Host()
    host.send("AT+CNMI=2,1")
    host.modem.faults.mute = True
    assert host.send("AT") == []
    assert host.modem.deliver(HELLO) == 1
    assert host.heard() == []
    host.modem.faults.mute = False
    assert host.heard() == []
    assert host.send("AT+CMGL=4") == ["+CMGL: 1,0,,30", HELLO, "OK"]


def test_deaf_answers_at_only() -> None:
    host = Host()
    host.modem.faults.deaf = True
    assert host.send("AT") == ["OK"]
    assert host.send("AT+CSQ") == []
    host.modem.deliver(HELLO)
    assert host.heard() == []
    host.modem.faults.deaf = False
    assert host.send("AT+CSQ")[-1] == "OK"


@pytest.mark.parametrize(("lost", "heard"), [(1, 1), (2, 0), (-1, 0)])
def test_announcements_can_be_lost(lost: int, heard: int) -> None:
    host = Host()
    host.send("AT+CNMI=2,1")
    host.modem.faults.lose_announcements = lost
    host.modem.deliver(HELLO)
    host.modem.deliver(HELLO)
    assert len(host.heard()) == heard
    assert host.modem.stores["SM"].used == 2


def test_chatter_comes_between_the_lines_of_an_answer() -> None:
    host = Host()
    host.modem.deliver(HELLO)
    host.modem.faults.chatter = 1.0
    lines = host.send("AT+CMGR=1")
    assert lines[0] == "+CMGR: 0,,30"
    assert lines[1] in host.modem.personality.chatter
    assert lines[2] == HELLO


@pytest.mark.parametrize("kind", ["text", "binary", "both"])
def test_noise_follows_lines_and_repeats_by_seed(kind: str) -> None:
    def run(seed: int) -> bytes:
        host = Host(SimulatedModem(seed=seed))
        host.modem.faults.noise, host.modem.faults.noise_kind = 1.0, kind
        return b"".join(host.raw("AT+CSQ\r") for _ in range(5))

    assert run(1) == run(1)
    assert run(1) != run(2)
    assert len(run(1)) > 5 * len("\r\n+CSQ: 17,99\r\n\r\nOK\r\n")
    assert run(1).count(b"+CSQ: 17,99\r\n") == 5


def test_bytes_are_lost_and_doubled_at_the_rates_given() -> None:
    host = Host(SimulatedModem(seed=3))
    clean = sum(len(host.raw("AT+CLAC\r")) for _ in range(20))
    host.modem.faults.drop_out = 0.1
    lossy = sum(len(host.raw("AT+CLAC\r")) for _ in range(20))
    assert 0.87 < lossy / clean < 0.93
    host.modem.faults.drop_out, host.modem.faults.double_out = 0.0, 0.1
    doubled = sum(len(host.raw("AT+CLAC\r")) for _ in range(20))
    assert 1.07 < doubled / clean < 1.13


def test_how_the_input_is_split_does_not_change_what_is_lost() -> None:
    def run(piece: int) -> bytes:
        modem = SimulatedModem(seed=5)
        modem.faults.drop_in = modem.faults.drop_out = modem.faults.noise = 0.05
        script = b"AT+CSQ\rAT+CREG?\rAT+CPMS?\r" * 20
        said = b""
        for at in range(0, len(script), piece):
            modem.feed(script[at : at + piece])
            said += modem.drain()
        return said

    assert run(1) == run(7) == run(1000)


def test_lost_input_makes_other_commands() -> None:
    host = Host(SimulatedModem(seed=3))
    host.modem.faults.drop_in = 0.2
    answers = [host.send("AT+CSQ") for _ in range(60)]
    assert ["+CSQ: 17,99", "OK"] in answers
    assert ["ERROR"] in answers
    host.modem.faults.drop_in, host.modem.faults.double_in = 0.0, 1.0
    assert host.send("AT+CSQ") == ["ERROR"]  # "AATT++CCSSQQ"


def test_restart_in_the_middle_of_a_command_answers_nothing_more() -> None:
    host = Host()
    host.modem.faults.send_delay_s = 10.0
    assert host.submit() == []
    host.modem.restart()
    assert host.wait(20.0) == []
    assert host.send("AT")[-1] == "OK"
    assert host.send("AT+CNMI?")[-2:] == ["+CNMI: 0,0,0,0,0", "OK"]


def test_restart_in_the_middle_of_a_body_forgets_it() -> None:
    host = Host()
    host.raw("AT+CMGS=18\r0001")
    host.modem.restart()
    host.modem.drain()
    assert host.send("AT")[-1] == "OK"


def test_an_unacknowledged_message_survives_a_restart() -> None:
    host = Host()
    host.send("AT+CSMS=1;+CNMI=2,2")
    host.modem.deliver(HELLO)
    assert host.heard()[1] == HELLO
    host.modem.restart()
    host.wait(1.0)
    assert host.modem.stores["SM"].used == 1


def test_wrong_pins_use_up_the_tries_and_ask_for_the_puk() -> None:
    host = Host()
    sim = host.modem.device.sim
    sim.state = "SIM PIN"
    assert host.send('AT+CPIN="0000"') == ["+CME ERROR: 16"]
    assert host.send("AT+CPINR")[0] == "+CPINR: SIM PIN, 2, 3"
    host.send('AT+CPIN="0000"')
    assert host.send('AT+CPIN="0000"') == ["+CME ERROR: 12"]
    assert host.send("AT+CPIN?") == ["+CPIN: SIM PUK", "OK"]
    assert host.send('AT+CPIN="1234"') == ["+CME ERROR: 12"]
    assert host.send('AT+CPIN="00000000","4321"') == ["+CME ERROR: 12"]
    assert sim.puk_tries == 9
    assert host.send('AT+CPIN="12345678","4321"') == ["OK"]
    assert (sim.pin, sim.pin_tries, sim.state) == ("4321", 3, "READY")


def test_no_card() -> None:
    host = Host()
    host.modem.device.sim.state = ""
    assert host.send("AT+CPIN?") == ["+CME ERROR: 10"]
    assert host.send("AT+CMGL=4") == ["+CME ERROR: 10"]


def test_pin_lock_is_switched_with_the_pin() -> None:
    host = Host()
    assert host.send('AT+CLCK="SC",2') == ["+CLCK: 0", "OK"]
    assert host.send('AT+CLCK="SC",1,"0000"') == ["+CME ERROR: 16"]
    assert host.send('AT+CLCK="SC",1,"1234"') == ["OK"]
    assert host.send('AT+CPWD="SC","1234","4321"') == ["OK"]
    assert host.send("AT+CFUN=1,1") == ["OK"]
    host.send("ATE0")
    assert host.send("AT+CPIN?") == ["+CPIN: SIM PIN", "OK"]
    assert host.send('AT+CPIN="4321"') == ["OK"]
