"""The faults, one row each: how it begins, how it ends, how long it lasts."""

from __future__ import annotations

import termios
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from at.simulator import PtyModem
from at.simulator.personalities.generic import GENERIC
from at.simulator.personality import Personality
from at.simulator.shell import Shell
from at.simulator.values import Reply

Act = Callable[[Shell], None]


def _nothing(_: Shell) -> None:
    """This fault ends by itself, or by what the agent does."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. name: of its row; says: what it is, for the table's reader.

    begin, end: applied to the modem; lasts_s: between the two. loses: the piece of data that
    brought it about never reaches the modem. personality, tcp: the modem it is shown on.
    """

    name: str
    says: str
    begin: Act
    end: Act = _nothing
    lasts_s: float = 4.0
    loses: bool = False
    personality: Personality | str = "generic"
    tcp: bool = False


def _faults(**values: Any) -> Act:
    def act(modem: Shell) -> None:
        for name, value in values.items():
            setattr(modem.faults, name, value)

    return act


def _baud(rate: int | None) -> Act:
    def act(modem: Shell) -> None:
        modem.baud = rate

    return act


def _restart(modem: Shell) -> None:
    modem.restart()


def _vanish(*, another_name: bool = False, power_lost: bool = True) -> tuple[Act, Act]:
    return (
        lambda modem: modem.vanish(),
        lambda modem: modem.appear(another_name=another_name, power_lost=power_lost),
    )


def _fill(modem: Shell) -> None:
    modem.fill("SM")


def _sim(state: str, *, restart: bool = False, says: str = "") -> Act:
    def act(modem: Shell) -> None:
        modem.core.device.sim.state = state
        if restart:
            modem.restart()
        if says:
            modem.say(says)

    return act


def _pin_entered(modem: Shell) -> None:
    modem.core.device.sim.state = "READY"
    modem.do(modem.core.traffic.offer_waiting)


def _denied(modem: Shell) -> None:
    modem.register(3)


def _home_by_searching(modem: Shell) -> None:
    modem.register(2)
    modem.register(1)


def _flow(action: int) -> Act:
    def act(modem: Shell) -> None:
        assert isinstance(modem, PtyModem)
        termios.tcflow(modem._slave, action)

    return act


def _brown_out(modem: Shell) -> None:
    modem.core.device.settings.echo = True
    modem.core.device.settings.cnmi = (0, 0, 0, 0, 0)


def _sim_back(modem: Shell) -> None:
    modem.core.device.sim.state = "READY"
    modem.say("+CPIN: READY")
    modem.do(modem.core.traffic.offer_waiting)


def _radio(level: int) -> Act:
    def act(modem: Shell) -> None:
        modem.core.device.radio.functionality = level
        if level == 1:
            modem.register(1)

    return act


def _damage(modem: Shell) -> None:
    slots = modem.deliver_text("+447700900123", "hello", announce=False)
    modem.faults.unreadable = [slot for slot in slots if slot is not None]


_ODD = replace(GENERIC, name="odd", empty_slot="message", delete_empty="error", cpms_names=(1,))

_ANSWERS = replace(
    GENERIC,
    name="odd answers",
    answers={
        "+CPIN?": Reply(("+CPIN: READY",), final=""),
        **{name: Reply() for name in ("+CSQ", "+COPS?", "+CCLK?")},
    },
    keeps_escape=True,
)

_SAME, _OTHER, _KEPT = _vanish(), _vanish(another_name=True), _vanish(power_lost=False)

FAULTS = (
    Fault(
        "mute",
        "hears nothing, says nothing for 8 s",
        _faults(mute=True),
        _faults(mute=False),
        lasts_s=8.0,
    ),
    Fault(
        "noise",
        "rubbish after 4 lines of 10, text and binary",
        _faults(noise=0.4),
        _faults(noise=0.0),
    ),
    Fault(
        "dropped bytes",
        "1 byte in 100 is lost, either way",
        _faults(drop_out=0.01, drop_in=0.01),
        _faults(drop_out=0.0, drop_in=0.0),
    ),
    Fault(
        "doubled bytes",
        "1 byte in 100 comes twice, either way",
        _faults(double_out=0.01, double_in=0.01),
        _faults(double_out=0.0, double_in=0.0),
    ),
    Fault("9600 baud", "a line of that speed", _baud(9600), _baud(None)),
    Fault(
        "slow network",
        "5 s for each message sent",
        _faults(send_delay_s=5.0),
        _faults(send_delay_s=0.0),
    ),
    Fault(
        "send refused",
        "+CMS ERROR: 38 (network out of order), then 42, to the next two messages",
        _faults(send_codes=[38, 42]),
    ),
    Fault(
        "send unanswered",
        "the next message goes out, and no answer ever comes",
        _faults(send_silent=1),
    ),
    Fault("storage full", "the SIM is full of strangers' messages", _fill),
    Fault(
        "restart, told",
        "restarts by itself: RDY, +CPIN: READY and so on",
        _restart,
        loses=True,
        personality="quectel-ec25",
    ),
    Fault("restart, silent", "restarts by itself without a word", _restart, loses=True),
    Fault(
        "brown-out",
        "echoes again, and announces nothing any more",
        _brown_out,
    ),
    Fault("gone, same name", "the device vanishes, power lost, and is back", *_SAME, loses=True),
    Fault(
        "gone, other name",
        "the same, under another name; the link of /dev/serial/by-id follows",
        *_OTHER,
        loses=True,
    ),
    Fault("gone, kept power", "only the port vanishes; the modem stays as it is", *_KEPT),
    Fault("EOF", "the other end of socket:// closes", *_KEPT, tcp=True),
    Fault(
        "writes block",
        "the port takes no more octets for 8 s",
        _flow(termios.TCOOFF),
        _flow(termios.TCOON),
        lasts_s=8.0,
    ),
    Fault(
        "deaf",
        "AT is answered by OK, everything else by silence for 12 s",
        _faults(deaf=True),
        _faults(deaf=False),
        lasts_s=12.0,
    ),
    Fault(
        "late answers",
        "the next three final result codes come 12 s late",
        _faults(final_delays=3, final_delay_s=12.0),
        _faults(final_delays=0),
        lasts_s=12.0,
    ),
    Fault(
        "announcement lost",
        "a +CMTI that is never said",
        _faults(lose_announcements=1),
        _faults(lose_announcements=0),
    ),
    Fault(
        "SIM asks for PIN",
        "after a restart, with none configured; somebody enters it",
        _sim("SIM PIN", restart=True),
        _pin_entered,
        loses=True,
        personality="quectel-ec25",
    ),
    Fault(
        "SIM lost",
        "+CPIN: NOT READY, and 4 s later it is back",
        _sim("", says="+CPIN: NOT READY"),
        _sim_back,
    ),
    Fault(
        "registration",
        "denied for 4 s, then searching, then home",
        _denied,
        _home_by_searching,
    ),
    Fault("radio off", "+CFUN: 4 for 4 s, by another program", _radio(4), _radio(1)),
    Fault(
        "talkative",
        "unsolicited lines after every other line, also within an answer",
        _faults(chatter=0.5, interleave=True),
        _faults(chatter=0.0, interleave=False),
    ),
    Fault(
        "damaged record",
        "a stranger's message that +CMGR refuses, and +CMGL ends at, for 4 s",
        _damage,
        _faults(unreadable=[]),
    ),
    Fault(
        "odd storage",
        "empty slots are shown as empty messages and not deleted, +CPMS takes one name only",
        _nothing,
        personality=_ODD,
    ),
    Fault(
        "odd answers",
        "mute for 4 s; +CPIN? without OK, a bare OK to +CSQ, +COPS?, +CCLK?; ESC stays in the line",
        _faults(mute=True),
        _faults(mute=False),
        personality=_ANSWERS,
    ),
    Fault(
        "contrary",
        "a modem that uses all that the standards leave open",
        _nothing,
        personality="contrary",
    ),
)
