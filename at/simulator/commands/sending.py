"""Messages on their way out: send, write, send from memory (TS 27.005 §3.5, §4.2-4.6)."""

from __future__ import annotations

from at.simulator import tpdu
from at.simulator.composing import address_of, submit_of
from at.simulator.lines import Arguments
from at.simulator.storage import TEXT_STATUS, Slot, Status
from at.simulator.table import Modem, Row
from at.simulator.values import OK, Collect, Outcome, Reply, cms

LONGEST_TPDU = 232  # octets of the largest length accepted; SUBMIT needs at most 164


def _checked(body: bytes, length: int) -> str:
    """Return the PDU of a body, upper-case hex; raises +CMS ERROR: 304."""
    text = b"".join(body.split()).decode("ascii", "replace")
    octets = tpdu.hex_octets(text)
    if not octets or len(octets) != octets[0] + 1 + length:
        raise cms(304)
    return text.upper()


def _kind(args: Arguments) -> int | None:
    return args.integer(1, range(128, 256)) if len(args) > 1 else None


def _send_text(modem: Modem, args: Arguments) -> Outcome:
    address = address_of(modem.device, args.text(0), _kind(args))

    def finish(body: bytes) -> Reply:
        return modem.traffic.submit(submit_of(modem.device, address, body), "+CMGS")

    return Collect(finish)


def _send(modem: Modem, args: Arguments) -> Outcome:
    if modem.device.settings.text_mode:
        return _send_text(modem, args)
    length = args.integer(0, range(7, LONGEST_TPDU + 1))

    def finish(body: bytes) -> Reply:
        pdu = _checked(body, length)
        if tpdu.header(tpdu.tpdu_of(bytes.fromhex(pdu)), submit=True) is None:
            raise cms(304)
        return modem.traffic.submit(pdu, "+CMGS")

    return Collect(finish)


def _write_text(modem: Modem, args: Arguments) -> Outcome:
    typed = args.text(0, "")
    address = address_of(modem.device, typed, _kind(args)) if typed else b"\x00\x81"
    status = args.text(2, TEXT_STATUS[Status.STO_UNSENT]).upper()
    if status not in TEXT_STATUS[:4]:
        raise args.bad

    def finish(body: bytes) -> Reply:
        pdu = submit_of(modem.device, address, body)
        return _keep(modem, Slot(TEXT_STATUS.index(status), pdu, tpdu.tpdu_length(pdu)))

    return Collect(finish)


def _write_bare(modem: Modem) -> Outcome:
    if not modem.device.settings.text_mode:
        raise cms(304)
    return _write_text(modem, Arguments.parse("", cms(305)))


def _write(modem: Modem, args: Arguments) -> Outcome:
    if modem.device.settings.text_mode:
        return _write_text(modem, args)
    length = args.integer(0, range(7, LONGEST_TPDU + 1))
    status = args.integer(1, range(4), Status.STO_UNSENT)

    def finish(body: bytes) -> Reply:
        return _keep(modem, Slot(status, _checked(body, length), length))

    return Collect(finish)


def _keep(modem: Modem, slot: Slot) -> Reply:
    index = modem.device.stores.writing.add(slot)
    if index is None:
        raise cms(322)
    return Reply((f"+CMGW: {index}",))


def _send_stored(modem: Modem, args: Arguments) -> Outcome:
    slot = modem.device.stores.writing.get(args.integer(0))
    if slot is None:
        raise cms(321)
    octets = tpdu.hex_octets(slot.pdu) or b""
    body = tpdu.tpdu_of(octets)
    if len(body) < 3 or body[0] & 0x03 != 0x01:
        raise cms(302)
    if len(args) > 1:
        kind = args.integer(2, range(128, 256)) if len(args) > 2 else None
        try:
            address = tpdu.number_octets(args.text(1), kind)
        except ValueError:
            raise cms(304) from None
        octets = octets[: len(octets) - len(body)] + tpdu.with_destination(body, address)
    reply = modem.traffic.submit(octets.hex(), "+CMSS")
    slot.status = Status.STO_SENT
    return reply


def _command(modem: Modem, args: Arguments) -> Outcome:
    length = args.integer(0, range(7, LONGEST_TPDU + 1))

    def finish(body: bytes) -> Reply:
        return modem.traffic.submit(_checked(body, length), "+CMGC")

    return Collect(finish)


def _more(modem: Modem) -> Outcome:
    return Reply((f"+CMMS: {modem.device.settings.cmms}",))


def _set_more(modem: Modem, args: Arguments) -> Outcome:
    modem.device.settings.cmms = args.integer(0, (0, 1, 2), 0)
    modem.traffic.keep_link()
    return OK


ROWS = (
    Row("+CMGS", set=_send, needs="sms"),
    Row("+CMGW", run=_write_bare, set=_write, needs="sms"),
    Row("+CMSS", set=_send_stored, needs="sms"),
    Row("+CMGC", set=_command, needs="sms"),
    Row("+CMMS", read=_more, set=_set_more, test="(0-2)", needs="sms"),
)
