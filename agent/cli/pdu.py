"""`modem-agent pdu`: reads and writes PDUs by hand; no modem, no agent, no configuration."""

from __future__ import annotations

import argparse
import io
import json
import secrets
import sys
from typing import TYPE_CHECKING, Any

from agent.cli.exits import DONE, FAILED, USAGE
from at.sms import (
    Address,
    Alphabet,
    Command,
    Dcs,
    DecodeError,
    Deliver,
    DeliverReport,
    EncodeError,
    Pdu,
    Relative,
    StatusReport,
    Submit,
    SubmitReport,
    Timestamp,
    UserData,
    decode,
    encode,
    segment,
    tpdu_length,
)
from at.sms.explain import TYPES, describe_validity, explain
from at.sms.validity import Enhanced, Validity

if TYPE_CHECKING:
    from collections.abc import Iterator

_OCTETS_A_LINE = 12


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the sub-command; its `func` takes the parsed options and gives the exit status."""
    parser = subparsers.add_parser(
        "pdu",
        help="decode or encode SMS PDUs",
        description="Decodes and encodes SMS PDUs (TS 23.040) without any modem.",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="decode|encode")
    _add_decode(actions)
    _add_encode(actions)


def _add_decode(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = actions.add_parser(
        "decode",
        help="say what a PDU means",
        description="Says what a PDU means: field by field on a terminal, else as JSON.",
    )
    parser.add_argument("hex", nargs="?", help="the PDU in hex digits")
    parser.add_argument("--batch", action="store_true", help="a PDU a line in, JSON a line out")
    parser.add_argument("--json", action="store_true", help="JSON also on a terminal")
    parser.add_argument("--human", action="store_true", help="field by field also in a pipe")
    way = parser.add_mutually_exclusive_group()
    way.add_argument(
        "--mt", dest="direction", action="store_const", const="mt", help="to the mobile"
    )
    way.add_argument(
        "--mo", dest="direction", action="store_const", const="mo", help="from the mobile"
    )
    parser.add_argument("--rp", choices=("ack", "error"), help="what a report came in")
    parser.add_argument(
        "--no-smsc", dest="smsc", action="store_false", help="there is no service centre address"
    )
    parser.add_argument(
        "--length", type=int, help="the number beside the PDU in +CMGR, +CMGL or +CMT"
    )
    parser.add_argument("--config", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    parser.set_defaults(func=_decode, direction="auto")


def _add_encode(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = actions.add_parser(
        "encode",
        help="write the PDUs of a message to send",
        description="Writes the SMS-SUBMIT PDUs of a message, a JSON object a segment: pdu, "
        "length (for AT+CMGS=), septets or octets (TP-UDL, at most 160 or 140).",
    )
    parser.add_argument("--to", required=True, metavar="ADDR", help="number, with + if complete")
    content = parser.add_mutually_exclusive_group(required=True)
    content.add_argument("--text", help="text; with --alphabet 8bit as UTF-8")
    content.add_argument("--data", metavar="HEX", help="8 bit data")
    parser.add_argument("--alphabet", choices=("auto", "gsm7", "8bit", "ucs2"), default="auto")
    parser.add_argument(
        "--class", dest="message_class", type=int, choices=range(4), help="message class"
    )
    parser.add_argument("--report", action="store_true", help="ask for a status report")
    parser.add_argument("--validity", type=int, metavar="MIN", help="validity period in minutes")
    parser.add_argument("--smsc", metavar="ADDR", help="service centre; default: the modem's own")
    parser.add_argument("--reference", type=int, help="of a concatenation; default: random")
    parser.add_argument("--languages", choices=("none", "auto"), default="none")
    parser.add_argument(
        "--transliterate", action="store_true", help="replace what the default alphabet lacks"
    )
    parser.add_argument("--config", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    parser.set_defaults(func=_encode)


def _decode(options: argparse.Namespace) -> int:
    if options.batch == (options.hex is not None):
        print("modem-agent pdu decode: either a PDU or --batch", file=sys.stderr)
        return USAGE
    if options.batch:
        return _batch(options)
    human = options.human or (sys.stdout.isatty() and not options.json)
    try:
        pdu = _read(options.hex, options)
    except DecodeError as error:
        if human:
            print(f"modem-agent pdu decode: {error}", file=sys.stderr)
        else:
            print(json.dumps(_error(error)))
        return FAILED
    if human:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")  # terminals that lack a character
        for line in _lines(options.hex, pdu, smsc=options.smsc):
            print(line)
    else:
        print(json.dumps(as_json(pdu)))
    return DONE


def _batch(options: argparse.Namespace) -> int:
    status = DONE
    for octets in sys.stdin.buffer:
        line = octets.decode("latin-1")
        try:
            found = as_json(_read(line, options))
        except DecodeError as error:
            found = _error(error)
            status = FAILED
        print(json.dumps(found), flush=True)
    return status


def _read(text: str, options: argparse.Namespace) -> Pdu:
    return decode(
        text,
        direction=options.direction,
        rp=options.rp,
        smsc=options.smsc,
        length=options.length,
    )


def _error(error: DecodeError) -> dict[str, Any]:
    return {"error": str(error), "field": error.field, "offset": error.octet}


def as_json(pdu: Pdu) -> dict[str, Any]:
    """A decoded PDU as JSON values; absent is null, hex is upper case, times are ISO 8601."""
    tpdu = pdu.tpdu
    found: dict[str, Any] = {
        "type": TYPES[type(tpdu)],
        "smsc": None if pdu.smsc is None else str(pdu.smsc),
    }
    if isinstance(tpdu, Deliver):
        found |= _address("originator", tpdu.originator) | _time("timestamp", tpdu.timestamp)
        found |= {"pid": tpdu.pid} | _content(tpdu.dcs, tpdu.user_data)
        found |= {
            "more": tpdu.more,
            "reply_path": tpdu.reply_path,
            "status_report": tpdu.status_report,
        }
    elif isinstance(tpdu, Submit):
        found |= _address("destination", tpdu.destination) | {"reference": tpdu.reference}
        found |= {"pid": tpdu.pid} | _content(tpdu.dcs, tpdu.user_data)
        found |= {
            "validity": _validity(tpdu.validity),
            "status_report": tpdu.status_report_request,
            "reject_duplicates": tpdu.reject_duplicates,
            "reply_path": tpdu.reply_path,
        }
    elif isinstance(tpdu, StatusReport):
        found |= _address("recipient", tpdu.recipient) | {"reference": tpdu.reference}
        found |= _time("timestamp", tpdu.timestamp) | _time("discharge", tpdu.discharged)
        found |= {"status": tpdu.status, "more": tpdu.more} | _optional(tpdu)
    elif isinstance(tpdu, Command):
        found |= _address("destination", tpdu.destination) | {"reference": tpdu.reference}
        found |= {
            "pid": tpdu.pid,
            "command": tpdu.command_type,
            "message": tpdu.message_number,
            "data": tpdu.data.hex().upper(),
            "udh": _udh(tpdu),
            "status_report": tpdu.status_report_request,
        }
    else:
        found["failure"] = tpdu.failure
        if isinstance(tpdu, SubmitReport):
            found |= _time("timestamp", tpdu.timestamp)
        found |= _optional(tpdu)
    return found | {"flags": list(pdu.flags)}


def _address(name: str, address: Address) -> dict[str, Any]:
    return {name: str(address), "address_type": address.kind}


def _time(name: str, timestamp: Timestamp) -> dict[str, Any]:
    if timestamp.time is None:
        return {name: None, f"{name}_raw": timestamp.raw.hex().upper()}
    return {name: timestamp.time.isoformat()}


def _validity(validity: Validity | None) -> Any:
    """Minutes when relative, a time when absolute, words where the form is enhanced."""
    if isinstance(validity, Relative):
        return validity.minutes
    if isinstance(validity, Timestamp):
        return None if validity.time is None else validity.time.isoformat()
    return describe_validity(validity) if isinstance(validity, Enhanced) else None


def _optional(tpdu: StatusReport | DeliverReport | SubmitReport) -> dict[str, Any]:
    found: dict[str, Any] = {"pid": tpdu.pid}
    if tpdu.user_data is not None:  # without TP-DCS in the default alphabet (§9.2.3.27)
        found |= _content(tpdu.dcs or Dcs(0), tpdu.user_data)
    return found | {"dcs": None if tpdu.dcs is None else tpdu.dcs.octet}


def _content(dcs: Dcs, user_data: UserData) -> dict[str, Any]:
    text, concat, ports = user_data.text, user_data.concat, user_data.ports
    found: dict[str, Any] = {
        "dcs": dcs.octet,
        "alphabet": user_data.alphabet.value,
        "class": dcs.message_class,
    }
    if text is None:
        found["data"] = user_data.octets.hex().upper()
    else:
        found["text"] = text
    found["udh"] = _udh(user_data)
    found["concat"] = concat and {
        "reference": concat.reference,
        "total": concat.total,
        "sequence": concat.sequence,
    }
    found["ports"] = ports and {"destination": ports.destination, "source": ports.source}
    return found


def _udh(holder: UserData | Command) -> list[dict[str, Any]]:
    return [{"iei": element.iei, "data": element.data.hex().upper()} for element in holder.udh]


def _lines(text: str, pdu: Pdu, *, smsc: bool) -> Iterator[str]:
    """Every field: its octets, name, meaning and clause, and the tolerances used."""
    fields = explain(bytes.fromhex(text.strip()), pdu, smsc=smsc)
    wide = 3 * _OCTETS_A_LINE
    for field in fields:
        shown = field.octets.hex(" ").upper()
        first, *rest = [shown[place : place + wide] for place in range(0, len(shown), wide)]
        clause = f"  [{field.clause}]" if field.clause else ""
        yield f"{first:<{wide}} {field.name:<14} {field.meaning}{clause}"
        yield from rest
    for flag in pdu.flags:
        yield f"{'':<{wide}} tolerated      {flag}"


def _encode(options: argparse.Namespace) -> int:
    try:
        content = _wanted(options)
    except ValueError as error:
        print(f"modem-agent pdu encode: {error}", file=sys.stderr)
        return USAGE
    try:
        for found in _segments(content, options):
            print(json.dumps(found))
    except EncodeError as error:
        print(f"modem-agent pdu encode: {error}", file=sys.stderr)
        return FAILED
    return DONE


def _wanted(options: argparse.Namespace) -> str | bytes:
    """The content, as octets when it is to be 8 bit. Raises ValueError for bad options."""
    if options.data is not None:
        if options.alphabet not in {"auto", Alphabet.OCTETS}:
            raise ValueError(f"--data cannot be {options.alphabet}")
        return bytes.fromhex(options.data)
    text: str = options.text
    return text.encode() if options.alphabet == Alphabet.OCTETS else text


def _segments(content: str | bytes, options: argparse.Namespace) -> list[dict[str, Any]]:
    reference = secrets.randbelow(256) if options.reference is None else options.reference
    parts = segment(
        content,
        alphabet=options.alphabet,
        reference=reference,
        wide=reference > 0xFF,
        languages=options.languages,
        transliterate=options.transliterate,
    )
    destination = Address.number(options.to)
    centre = None if options.smsc is None else Address.number(options.smsc)
    validity = None if options.validity is None else Relative.of(options.validity)
    return [_segment(part, destination, validity, centre, options) for part in parts]


def _segment(
    part: UserData,
    destination: Address,
    validity: Relative | None,
    centre: Address | None,
    options: argparse.Namespace,
) -> dict[str, Any]:
    dcs = Dcs.of(part.alphabet, options.message_class)
    submit = Submit(
        destination,
        part,
        dcs=dcs,
        validity=validity,
        status_report_request=options.report,
    )
    octets = encode(submit, smsc=centre)
    header = sum(2 + len(element.data) for element in part.udh) + bool(part.udh)
    unit, used = "octets", header + len(part.octets)
    if part.alphabet is Alphabet.GSM7:
        unit, used = "septets", (8 * header + 6) // 7 + len(part.octets)
    return {"pdu": octets.hex().upper(), "length": tpdu_length(octets), unit: used}
