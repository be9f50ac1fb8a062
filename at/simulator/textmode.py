"""How messages look in text mode (TS 27.005 §3.4.1-3.4.3)."""

from __future__ import annotations

from at.errors import DecodeError
from at.simulator import tpdu
from at.simulator.charset import shown, shown_septets
from at.simulator.device import Device
from at.simulator.storage import TEXT_STATUS, Slot
from at.sms import Address, Alphabet, Deliver, StatusReport, Submit, Timestamp, UserData, decode

Fields = tuple[str, ...]


def _quoted(text: str) -> str:
    return f'"{text}"'


def _time(stamp: Timestamp) -> str:
    """Write yy/MM/dd,hh:mm:ss and the zone in quarter hours, whatever the digits say."""
    swapped = [f"{octet & 0xF:x}{octet >> 4:x}" for octet in stamp.raw[:6]]
    zone = stamp.raw[6]
    quarters = f"{'-' if zone & 0x08 else '+'}{zone & 0x07:x}{zone >> 4:x}"
    return "{}/{}/{},{}:{}:{}".format(*swapped) + quarters


def _address(device: Device, address: Address) -> str:
    return _quoted(shown(str(address), device.settings.charset))


def _data(device: Device, octets: bytes, user_data: UserData) -> tuple[str, int]:
    """Return <data> and its <length>; octets: the whole TPDU.

    The standard shows 8-bit data, UCS2 and everything with a header as hex of TP-UD; many makes
    drop the header and show the text behind it instead.
    """
    data, length = _shown(device, octets, user_data)
    return data, length + device.personality.text_length_more


def _shown(device: Device, octets: bytes, user_data: UserData) -> tuple[str, int]:
    raw = octets[len(octets) - _ud_octets(octets, user_data) :]
    hidden = bool(user_data.udh) and device.personality.text_header == "hex"
    charset = device.settings.charset
    if hidden or user_data.alphabet is Alphabet.OCTETS:
        body = raw if hidden else user_data.octets
        return body.hex().upper(), len(body)
    if user_data.alphabet is Alphabet.UCS2:
        length = len(user_data.octets)
        return user_data.octets.hex().upper(), length // 2 if charset == "UCS2" else length
    septets = user_data.octets
    text = shown_septets(septets, charset)
    if charset in {"GSM", "HEX"} or device.personality.text_length == "udl":
        return text, len(septets)
    return text, len(text) // 4 if charset == "UCS2" else len(text)


def _ud_octets(octets: bytes, user_data: UserData) -> int:
    """Octets of TP-UD, header and all."""
    header = 1 + sum(2 + len(element.data) for element in user_data.udh) if user_data.udh else 0
    if user_data.alphabet is Alphabet.GSM7:
        septets = len(user_data.octets) + (8 * header + 6) // 7
        return min((7 * septets + 7) // 8, len(octets))
    return min(header + len(user_data.octets), len(octets))


def _centre(device: Device, pdu: bytes) -> Fields:
    """<sca> and <tosca> as the message has them, else as +CSCA is set."""
    if pdu and pdu[0] > 1:
        field = bytes((2 * (pdu[0] - 1),)) + pdu[1 : 1 + pdu[0]]
        number = tpdu.number_text(field).rstrip("f")
        return _quoted(shown(number, device.settings.charset)), str(pdu[1])
    number = shown(device.sim.smsc, device.settings.charset)
    return _quoted(number), str(device.sim.smsc_kind)


def _report(device: Device, report: StatusReport, first: int) -> Fields:
    return (
        str(first),
        str(report.reference),
        _address(device, report.recipient),
        str(report.recipient.type_of_address),
        _quoted(_time(report.timestamp)),
        _quoted(_time(report.discharged)),
        str(report.status),
    )


def _details(device: Device, pdu: bytes, message: Deliver | Submit, length: int) -> Fields:
    """What +CSDH=1 adds to +CMGR and +CMT."""
    octets = tpdu.tpdu_of(pdu)
    peer = message.originator if isinstance(message, Deliver) else message.destination
    head = (str(peer.type_of_address), str(octets[0]), str(message.pid), str(message.dcs.octet))
    if isinstance(message, Deliver):
        return (*head, *_centre(device, pdu), str(length))
    period = octets[tpdu.validity_offset(octets)] if octets[0] & 0x18 == 0x10 else ""
    return (*head, str(period), *_centre(device, pdu), str(length))


def lines_of(device: Device, index: int | None, slot: Slot) -> tuple[str, ...]:
    """Return a stored message as +CMGR (index None) or +CMGL shows it in text mode."""
    prefix = "+CMGR: " if index is None else f"+CMGL: {index},"
    fields = [_quoted(TEXT_STATUS[slot.status]) if device.personality.status_shown else ""]
    pdu = tpdu.hex_octets(slot.pdu) or b""
    octets = tpdu.tpdu_of(pdu)
    try:
        message = decode(slot.pdu).tpdu
    except DecodeError:
        return (prefix + ",".join([*fields, '""', "", '""']), octets.hex().upper())
    if isinstance(message, StatusReport):
        return (prefix + ",".join([*fields, *_report(device, message, octets[0])]),)
    if not isinstance(message, Deliver | Submit):
        return (prefix + ",".join([*fields, '""', "", '""']), octets.hex().upper())
    data, length = _data(device, octets, message.user_data)
    peer = message.originator if isinstance(message, Deliver) else message.destination
    fields += [_address(device, peer), device.personality.alpha]
    if isinstance(message, Deliver):
        fields.append(_quoted(_time(message.timestamp)))
    elif index is not None:
        fields.append("")
    if device.settings.csdh:
        if index is None or device.personality.listing == "long":
            fields += _details(device, pdu, message, length)
        else:
            fields += [str(peer.type_of_address), str(length)]
    return (prefix + ",".join(fields), data)


def render(device: Device, prefix: str, pdu_hex: str, length: int) -> tuple[str, ...]:
    """Return a directly routed message, +CMT or +CDS, as the mode in force shows it."""
    if not device.settings.text_mode:
        alpha = f"{device.personality.alpha}," if prefix == "+CMT" else ""
        return (f"{prefix}: {alpha}{length}", pdu_hex)
    pdu = tpdu.hex_octets(pdu_hex) or b""
    octets = tpdu.tpdu_of(pdu)
    try:
        message = decode(pdu_hex).tpdu
    except DecodeError:
        return (f'{prefix}: "",,""', octets.hex().upper())
    if isinstance(message, StatusReport):
        return (f"{prefix}: {','.join(_report(device, message, octets[0]))}",)
    if not isinstance(message, Deliver):
        return (f'{prefix}: "",,""', octets.hex().upper())
    data, shown_length = _data(device, octets, message.user_data)
    sender = _address(device, message.originator)
    fields = [sender, device.personality.alpha, _quoted(_time(message.timestamp))]
    if device.settings.csdh:
        fields += _details(device, pdu, message, shown_length)
    return (f"{prefix}: {','.join(fields)}", data)
