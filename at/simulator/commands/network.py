"""The radio side: registration, operator, signal, functionality, clock (TS 27.007 §7, §8)."""

from __future__ import annotations

from datetime import timedelta

from at.simulator.charset import shown
from at.simulator.lines import Arguments
from at.simulator.table import Modem, Row, fixed
from at.simulator.values import OK, Outcome, Reply, cme

INDICATORS = ",".join(
    f'("{name}",({values}))'
    for name, values in (
        ("battchg", "0-5"),
        ("signal", "0-5"),
        ("service", "0,1"),
        ("message", "0,1"),
        ("call", "0,1"),
        ("roam", "0,1"),
        ("smsfull", "0,1"),
    )
)
REPORTING = ("+CREG", "+CGREG", "+CEREG")


def registration_line(modem: Modem, name: str, *, news: bool) -> str:
    """One line of +CREG and its kin: as an answer (with <n>) or as news (without)."""
    device = modem.device
    n = device.settings.reporting.get(name, 0)
    parts = [] if news else [str(n)]
    parts.append(str(device.radio.stat))
    if n == 2 and device.radio.registered:
        parts += [f'"{device.radio.area}"', f'"{device.radio.cell}"', str(device.radio.access)]
    return f"{name}: {','.join(parts)}"


def registration_changed(modem: Modem) -> None:
    """Say the new registration on every command that asked for it."""
    for name in REPORTING:
        if modem.device.settings.reporting.get(name, 0):
            modem.device.say(registration_line(modem, name, news=True))
    modem.traffic.offer_waiting()


def _reporting(name: str) -> Row:
    def read(modem: Modem) -> Outcome:
        return Reply((registration_line(modem, name, news=False),))

    def put(modem: Modem, args: Arguments) -> Outcome:
        modem.device.settings.reporting[name] = args.integer(0, (0, 1, 2), 0)
        return OK

    return Row(name, read=read, set=put, test="(0-2)")


def _signal(modem: Modem) -> Outcome:
    rssi = modem.device.radio.rssi if modem.device.radio.functionality == 1 else 99
    return Reply((f"+CSQ: {rssi},99",))


def _extended_signal(modem: Modem) -> Outcome:
    radio = modem.device.radio
    if radio.functionality != 1 or radio.rssi > 31:
        return Reply(("+CESQ: 99,99,255,255,255,255",))
    if radio.access >= 7:  # LTE shows RSRP, RSRQ only
        rsrp = min(max(radio.dbm - 27 + 141, 0), 97)
        return Reply((f"+CESQ: 99,99,255,255,20,{rsrp}",))
    return Reply((f"+CESQ: {min(radio.rssi * 2, 63)},0,255,255,255,255",))


def _operator(modem: Modem) -> Outcome:
    device = modem.device
    if not device.radio.registered:
        return Reply(("+COPS: 0",))
    names = (device.radio.operator, device.radio.short_name, device.radio.plmn)
    form = device.settings.cops_format
    name = names[form] if form == 2 else shown(names[form], device.settings.charset)
    return Reply((f'+COPS: 0,{form},"{name}",{device.radio.access}',))


def _operators(modem: Modem) -> Outcome:
    radio = modem.device.radio
    own = f'(2,"{radio.operator}","{radio.short_name}","{radio.plmn}",{radio.access})'
    return Reply((f"+COPS: {own},,(0-4),(0-2)",))


def _select(modem: Modem, args: Arguments) -> Outcome:
    mode = args.integer(0, range(5))
    if len(args) > 1:
        modem.device.settings.cops_format = args.integer(1, range(3), 0)
    if mode == 2 and modem.device.radio.registration:
        modem.device.radio.registration = 0
        registration_changed(modem)
    elif mode in {0, 1, 4} and modem.device.radio.registration == 0:
        modem.device.radio.registration = 1
        registration_changed(modem)
    return OK


def _functionality(modem: Modem) -> Outcome:
    return Reply((f"+CFUN: {modem.device.radio.functionality}",))


def _levels(modem: Modem) -> Outcome:
    row = modem.device.personality
    levels = ",".join(map(str, (*row.functionality, *row.resets)))
    return Reply((f"+CFUN: ({levels}),(0,1)",))


def _set_functionality(modem: Modem, args: Arguments) -> Outcome:
    device = modem.device
    level = args.integer(0, (*device.personality.functionality, *device.personality.resets))
    reset = args.integer(1, (0, 1), 0)
    if reset or level in device.personality.resets:
        device.wanted = "restart"
        return OK
    if level != device.radio.functionality:
        before = device.radio.stat
        device.radio.functionality = level
        if level == 1:
            device.sim.power_up()
        if device.radio.stat != before:
            registration_changed(modem)
    return OK


def _indicators(modem: Modem) -> Outcome:
    device = modem.device
    bars = min(max(device.radio.rssi // 6, 0), 5) if device.radio.rssi <= 31 else 0
    roaming, full = int(device.radio.stat == 5), int(device.stores.receiving.full)
    return Reply((f"+CIND: 5,{bars},{int(device.radio.registered)},0,0,{roaming},{full}",))


def _clock(modem: Modem) -> Outcome:
    if modem.device.faults.clock:
        return Reply((f'+CCLK: "{modem.device.faults.clock}"',))
    shown = modem.device.clock()
    offset = shown.utcoffset() or timedelta(0)
    quarters = int(offset.total_seconds()) // 900
    return Reply((f'+CCLK: "{shown:%y/%m/%d,%H:%M:%S}{quarters:+03d}"',))


def _set_clock(_: Modem, args: Arguments) -> Outcome:
    if len(args.text(0)) < len("yy/MM/dd,hh:mm:ss"):
        raise cme(50)
    return OK


ROWS = (
    *map(_reporting, REPORTING),
    Row("+CSQ", run=_signal, test="(0-31,99),(99)"),
    Row("+CESQ", run=_extended_signal, test="(0-63,99),(0-7,99),(255),(255),(0-34,255),(0-97,255)"),
    Row("+COPS", read=_operator, set=_select, test=_operators, needs="sim"),
    Row("+CFUN", read=_functionality, set=_set_functionality, test=_levels),
    Row("+CIND", read=_indicators, test=INDICATORS),
    Row("+CBC", run=fixed("+CBC", "+CBC: 0,100,4100").run),
    Row("+CCLK", read=_clock, set=_set_clock),
    Row("+CPAS", run=fixed("+CPAS", "+CPAS: 0").run, test="(0,3,4)"),
)
