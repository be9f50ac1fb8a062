"""Settings of the terminal interface (TS 27.007 §5.5, §9.1; TS 27.005 §3.2-3.3)."""

from __future__ import annotations

from at.simulator.charset import shown, taken
from at.simulator.lines import Arguments
from at.simulator.table import Modem, Row, plain, several
from at.simulator.values import OK, Outcome, Reply, cme, cms


def _errors(modem: Modem) -> Outcome:
    return Reply((f"+CMEE: {modem.device.settings.cmee}",))


def _set_errors(modem: Modem, args: Arguments) -> Outcome:
    modem.device.settings.cmee = args.integer(0, (0, 1, 2), 0)
    return OK


def _charset(modem: Modem) -> Outcome:
    return Reply((f'+CSCS: "{modem.device.settings.charset}"',))


def _set_charset(modem: Modem, args: Arguments) -> Outcome:
    wanted = args.text(0).upper()
    if wanted not in modem.device.personality.charsets:
        raise cme(50)
    modem.device.settings.charset = wanted
    return OK


def _charsets(modem: Modem) -> Outcome:
    names = ",".join(f'"{name}"' for name in modem.device.personality.charsets)
    return Reply((f"+CSCS: ({names})",))


def _format(modem: Modem) -> Outcome:
    return Reply((f"+CMGF: {modem.device.settings.text_mode}",))


def _set_format(modem: Modem, args: Arguments) -> Outcome:
    modem.device.settings.text_mode = args.integer(0, (0, 1), 0)
    return OK


def _details(modem: Modem) -> Outcome:
    return Reply((f"+CSDH: {modem.device.settings.csdh}",))


def _set_details(modem: Modem, args: Arguments) -> Outcome:
    modem.device.settings.csdh = args.integer(0, (0, 1), 0)
    return OK


def _parameters(modem: Modem) -> Outcome:
    return Reply((f"+CSMP: {','.join(map(str, modem.device.settings.csmp))}",))


def _set_parameters(modem: Modem, args: Arguments) -> Outcome:
    now = modem.device.settings.csmp
    octet = range(256)
    modem.device.settings.csmp = (
        args.integer(0, octet, now[0]),
        args.integer(1, octet, now[1]),
        args.integer(2, octet, now[2]),
        args.integer(3, octet, now[3]),
    )
    return OK


def _centre(modem: Modem) -> Outcome:
    sim = modem.device.sim
    number = shown(sim.smsc, modem.device.settings.charset)
    return Reply((f'+CSCA: "{number}",{sim.smsc_kind}',))


def _set_centre(modem: Modem, args: Arguments) -> Outcome:
    try:
        number = taken(args.text(0), modem.device.settings.charset)
    except ValueError:
        raise cms(330) from None
    if not number.removeprefix("+").isdigit():
        raise cms(330)
    default = 145 if number.startswith("+") else 129
    modem.device.sim.smsc = number
    modem.device.sim.smsc_kind = args.integer(1, range(128, 256), default)
    return OK


def _broadcast(modem: Modem) -> Outcome:
    mode, mids, dcss = modem.device.settings.broadcast
    return Reply((f'+CSCB: {mode},"{mids}","{dcss}"',))


def _set_broadcast(modem: Modem, args: Arguments) -> Outcome:
    _, mids, dcss = modem.device.settings.broadcast
    mode = args.integer(0, (0, 1), 0)
    modem.device.settings.broadcast = (mode, args.text(1, mids), args.text(2, dcss))
    return OK


def _saved(_: Modem) -> Outcome:
    return OK


def _saved_in(_: Modem, args: Arguments) -> Outcome:
    args.integer(0, range(256), 0)
    return OK


_PROVISIONED = (1,)  # <m>: the network offers the service

ROWS = (
    Row("+CMEE", read=_errors, set=_set_errors, test="(0-2)"),
    Row("+CSCS", read=_charset, set=_set_charset, test=_charsets),
    Row("+CMGF", read=_format, set=_set_format, test="(0,1)"),
    Row("+CSDH", read=_details, set=_set_details, test="(0,1)"),
    Row("+CSMP", read=_parameters, set=_set_parameters, needs="sms"),
    Row("+CSCA", read=_centre, set=_set_centre, needs="sms"),
    Row("+CSAS", run=_saved, set=_saved_in),
    Row("+CRES", run=_saved, set=_saved_in),
    plain("+CGSMS", (0, 1, 2, 3), 1),
    several("+CMER", (0, 1, 2, 3), (0,), (0,), (0, 1), (0, 1), default=(0, 0, 0, 0, 0)),
    plain("+CRC"),
    several("+CLIP", (0, 1), default=(0,), told=_PROVISIONED),
    several("+CLIR", (0, 1, 2), default=(0,), told=_PROVISIONED),
    plain("+CCWA"),
    several("+COLP", (0, 1), default=(0,), told=_PROVISIONED),
    plain("+CUSD", (0, 1, 2)),
    several("+CSSN", (0, 1), (0, 1), default=(0, 0)),
    plain("+CTZU"),
    plain("+CTZR"),
    plain("+CMOD", (0,)),
    plain("+CR"),
    plain("+CVHU", (0, 1, 2)),
    plain("+CSTA", (129, 145, 161), 129),
    Row("+CSCB", read=_broadcast, set=_set_broadcast, test="(0,1)"),
    several("+ICF", (0, 1, 2, 3, 4, 5, 6), (0, 1, 2, 3), default=(3, 3)),
    several("+IFC", (0, 1, 2), (0, 1, 2), default=(2, 2)),
    plain("+FCLASS", (0,)),
    plain("+IPR", (0, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600), 115200),
    plain("+WS46", (12, 22, 25, 28, 29, 30, 31), 25),
)
