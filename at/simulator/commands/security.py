"""SIM card and its PIN (TS 27.007 §8.3, §7.4, §7.5)."""

from __future__ import annotations

from at.simulator.lines import Arguments
from at.simulator.table import Modem, Row
from at.simulator.values import OK, Outcome, Refused, Reply, cme

PASSWORD_FACILITIES = ("SC", "AO", "OI", "OX", "AI", "IR", "FD")


def _card(modem: Modem) -> None:
    device = modem.device
    if not device.sim.state:
        raise cme(10)
    if device.radio.functionality == 0:
        raise cme(13)
    if device.now_s < device.sim.readable_at_s:
        raise cme(14)


def _pin_state(modem: Modem) -> Outcome:
    _card(modem)
    return Reply((f"+CPIN: {modem.device.sim.state}",))


def _enter(modem: Modem, args: Arguments) -> Outcome:
    _card(modem)
    sim = modem.device.sim
    if sim.works:
        raise cme(3)
    if sim.state == "SIM PUK":
        if len(args) < 2:
            raise cme(12)
        good = sim.enter_puk(args.text(0), args.text(1))
    else:
        good = sim.enter_pin(args.text(0))
    if not good:
        raise cme(12 if sim.state == "SIM PUK" else 16)
    device = modem.device
    device.sms_from_s = device.now_s + device.personality.sms_ready_s
    device.timers.at(device.sms_from_s, "boot", modem.traffic.offer_waiting)
    return OK


def _tries(modem: Modem) -> Outcome:
    _card(modem)
    sim = modem.device.sim
    return Reply(
        (
            f"+CPINR: SIM PIN, {sim.pin_tries}, 3",
            f"+CPINR: SIM PUK, {sim.puk_tries}, 10",
            "+CPINR: SIM PIN2, 3, 3",
            "+CPINR: SIM PUK2, 10, 10",
        )
    )


def _tries_of(modem: Modem, args: Arguments) -> Outcome:
    wanted = args.text(0).removesuffix("*")
    lines = _tries(modem)
    if not isinstance(lines, Reply):
        raise Refused
    return Reply(tuple(line for line in lines.lines if line.startswith(f"+CPINR: {wanted}")))


def _lock(modem: Modem, args: Arguments) -> Outcome:
    facility = args.text(0).upper()
    mode = args.integer(1, (0, 1, 2))
    sim = modem.device.sim
    if facility not in PASSWORD_FACILITIES:
        raise cme(4)
    if mode == 2:
        return Reply((f"+CLCK: {int(facility == 'SC' and sim.locked)}",))
    if facility != "SC":
        raise cme(4)
    modem.device.require_sim()
    if args.text(2) != sim.pin:
        sim.enter_pin(args.text(2))
        raise cme(12 if sim.state == "SIM PUK" else 16)
    sim.pin_tries = 3
    sim.locked = bool(mode)
    return OK


def _password(modem: Modem, args: Arguments) -> Outcome:
    sim = modem.device.sim
    if args.text(0).upper() != "SC" or not sim.locked:
        raise cme(3)
    old, new = args.text(1), args.text(2)
    if old != sim.pin:
        sim.enter_pin(old)
        raise cme(12 if sim.state == "SIM PUK" else 16)
    sim.pin = new
    return OK


# TS 27.007 §8.18, TS 51.011 §10.3.18, TS 102.221 §13.2
READ_BINARY = 176
GET_RESPONSE = 192
EF_ICCID = 0x2FE2
EF_AD = 0x6FAD


def _file(modem: Modem, number: int) -> str | None:
    """Return the octets of a file of the card, in hex."""
    if number == EF_ICCID:
        digits = modem.device.sim.iccid.ljust(20, "F")
        return "".join(digits[at + 1] + digits[at] for at in range(0, 20, 2))
    if number == EF_AD:  # normal operation; how many digits of the IMSI are the network's code
        return f"000000{len(modem.device.radio.plmn) - 3:02X}"
    return None


def _restricted(modem: Modem, args: Arguments) -> Outcome:
    """+CRSM: two files can be read, everything else is not there."""
    command, number = args.integer(0, range(256)), args.integer(1, range(0x10000), 0)
    content = _file(modem, number)
    if content is None or command not in {READ_BINARY, GET_RESPONSE}:
        return Reply(("+CRSM: 106,130",))
    octet = range(256)
    offset = 256 * args.integer(2, octet, 0) + args.integer(3, octet, 0)
    if command == GET_RESPONSE:  # TS 51.011 §9.2.1: a transparent file
        content, offset = f"0000{len(content) // 2:04X}{number:04X}040000FFFF01020000", 0
    size = args.integer(4, octet, 0) or len(content) // 2
    if 2 * (offset + size) > len(content):
        return Reply((f"+CRSM: 103,{len(content) // 2 & 255}",))
    return Reply((f'+CRSM: 144,0,"{content[2 * offset : 2 * (offset + size)]}"',))


_FACILITIES = "(" + ",".join(f'"{name}"' for name in PASSWORD_FACILITIES) + ")"

ROWS = (
    Row("+CPIN", read=_pin_state, set=_enter),
    Row("+CPINR", run=_tries, set=_tries_of),
    Row("+CLCK", set=_lock, test=_FACILITIES),
    Row("+CRSM", set=_restricted, needs="sim"),
    Row("+CPWD", set=_password, test='("SC",8)', needs="sim"),
)
