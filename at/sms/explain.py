"""Shows which octets of a PDU say what, field by field, with the clause."""

from __future__ import annotations

from dataclasses import dataclass

from at.sms.dcs import Alphabet, Dcs
from at.sms.elements import describe_element
from at.sms.fcs import describe_cause
from at.sms.pdu import Pdu
from at.sms.pid import describe_pid
from at.sms.scts import SIZE, Timestamp
from at.sms.status import describe_status
from at.sms.tpdu import Command, Deliver, DeliverReport, StatusReport, Submit, SubmitReport
from at.sms.udh import Element
from at.sms.userdata import UserData
from at.sms.validity import Enhanced, Relative, Validity

TYPES = {
    Deliver: "deliver",
    Submit: "submit",
    StatusReport: "status-report",
    Command: "command",
    DeliverReport: "deliver-report",
    SubmitReport: "submit-report",
}
"""The name of each TPDU."""

COMMANDS = ("enquiry", "cancel status report request", "delete message", "enable status report")
"""TP-CT, §9.2.3.19."""


@dataclass(frozen=True, slots=True)
class Field:
    """Some octets of a PDU: the standard's name, the meaning in words, the defining clause."""

    octets: bytes
    name: str
    meaning: str
    clause: str


class _Walk:
    """The octets from the first to the last, each field taking its own."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.place = 0
        self.fields: list[Field] = []

    def take(self, count: int, name: str, meaning: str, clause: str) -> None:
        octets = self.data[self.place : self.place + count]
        self.fields.append(Field(octets, name, meaning, clause))
        self.place += count

    def address(self, name: str, text: str, kind: str, clause: str) -> None:
        digits = self.data[self.place]
        self.take(2 + (digits + 1) // 2, name, f"{text} ({kind})", clause)


def explain(data: bytes, pdu: Pdu, *, smsc: bool = True) -> list[Field]:
    """All octets of `data`, in order, in the fields that they are; pdu: what decode made of them.

    smsc: as given to decode.
    """
    walk = _Walk(data)
    if smsc and "smsc-missing" not in pdu.flags:
        text = "none" if pdu.smsc is None else f"{pdu.smsc} ({pdu.smsc.kind})"
        walk.take(1 + data[0], "SMSC", text, "24.011 8.2.5.1")
    tpdu = pdu.tpdu
    _first(walk, tpdu)
    if isinstance(tpdu, Deliver):
        _deliver(walk, tpdu)
    elif isinstance(tpdu, Submit):
        _submit(walk, tpdu)
    elif isinstance(tpdu, StatusReport):
        _status_report(walk, tpdu)
    elif isinstance(tpdu, Command):
        _command(walk, tpdu)
    else:
        _report(walk, tpdu)
    if walk.place < len(data):
        walk.take(len(data) - walk.place, "-", "behind the end", "")
    return walk.fields


def _first(walk: _Walk, tpdu: object) -> None:
    octet = walk.data[walk.place]
    said = [TYPES[type(tpdu)]]
    if isinstance(tpdu, Deliver | StatusReport):
        said += ["more messages wait"] * tpdu.more + ["forwarded or spawned"] * tpdu.loop
    if isinstance(tpdu, Deliver):
        said += ["sender gets a report"] * tpdu.status_report
    if isinstance(tpdu, Submit):
        said += ["reject duplicates"] * tpdu.reject_duplicates
    if isinstance(tpdu, StatusReport):
        said += ["about a command"] * tpdu.of_command
    if isinstance(tpdu, Submit | Command):
        said += ["report requested"] * tpdu.status_report_request
    if isinstance(tpdu, Deliver | Submit):
        said += ["reply path"] * tpdu.reply_path
    said += ["user data header"] * bool(octet & 0x40)
    walk.take(1, "TP-MTI, flags", ", ".join(said), "23.040 9.2.3.1")


def _deliver(walk: _Walk, tpdu: Deliver) -> None:
    originator = tpdu.originator
    walk.address("TP-OA", str(originator), originator.kind, "23.040 9.2.3.7")
    _coding(walk, tpdu.pid, tpdu.dcs)
    _stamp(walk, "TP-SCTS", tpdu.timestamp, "23.040 9.2.3.11")
    _user_data(walk, tpdu.user_data)


def _submit(walk: _Walk, tpdu: Submit) -> None:
    walk.take(1, "TP-MR", str(tpdu.reference), "23.040 9.2.3.6")
    destination = tpdu.destination
    walk.address("TP-DA", str(destination), destination.kind, "23.040 9.2.3.8")
    _coding(walk, tpdu.pid, tpdu.dcs)
    if tpdu.validity is not None:
        size = 1 if isinstance(tpdu.validity, Relative) else SIZE
        walk.take(size, "TP-VP", describe_validity(tpdu.validity), "23.040 9.2.3.12")
    _user_data(walk, tpdu.user_data)


def describe_validity(validity: Validity) -> str:
    """A validity period in words."""
    if isinstance(validity, Relative):
        return f"{validity.minutes} minutes"
    if isinstance(validity, Enhanced):
        shot = ", one attempt" if validity.single_shot else ""
        seconds = validity.seconds
        return ("no period" if seconds is None else f"{seconds} seconds") + shot
    return f"until {validity}"


def _status_report(walk: _Walk, tpdu: StatusReport) -> None:
    walk.take(1, "TP-MR", str(tpdu.reference), "23.040 9.2.3.6")
    recipient = tpdu.recipient
    walk.address("TP-RA", str(recipient), recipient.kind, "23.040 9.2.3.14")
    _stamp(walk, "TP-SCTS", tpdu.timestamp, "23.040 9.2.3.11")
    _stamp(walk, "TP-DT", tpdu.discharged, "23.040 9.2.3.13")
    walk.take(1, "TP-ST", describe_status(tpdu.status), "23.040 9.2.3.15")
    if walk.place < len(walk.data) and not _is_filling(walk, tpdu):
        _indicator(walk)
        _optional(walk, tpdu)


def _command(walk: _Walk, tpdu: Command) -> None:
    walk.take(1, "TP-MR", str(tpdu.reference), "23.040 9.2.3.6")
    walk.take(1, "TP-PID", describe_pid(tpdu.pid), "23.040 9.2.3.9")
    kind = tpdu.command_type
    meaning = COMMANDS[kind] if kind < len(COMMANDS) else "reserved or centre-specific"
    walk.take(1, "TP-CT", meaning, "23.040 9.2.3.19")
    walk.take(1, "TP-MN", str(tpdu.message_number), "23.040 9.2.3.18")
    destination = tpdu.destination
    walk.address("TP-DA", str(destination), destination.kind, "23.040 9.2.3.8")
    length = walk.data[walk.place]
    walk.take(1, "TP-CDL", f"{length} octets", "23.040 9.2.3.20")
    _header(walk, tpdu.udh)
    if tpdu.data:
        walk.take(len(tpdu.data), "TP-CD", "command data", "23.040 9.2.3.21")


def _report(walk: _Walk, tpdu: DeliverReport | SubmitReport) -> None:
    if tpdu.failure is not None:
        walk.take(1, "TP-FCS", describe_cause(tpdu.failure), "23.040 9.2.3.22")
    _indicator(walk)
    if isinstance(tpdu, SubmitReport):
        _stamp(walk, "TP-SCTS", tpdu.timestamp, "23.040 9.2.3.11")
    _optional(walk, tpdu)


def _is_filling(walk: _Walk, tpdu: StatusReport) -> bool:
    """Whether what follows TP-ST counts as absent: a TP-PI without end, or one that told wrong."""
    octets = walk.data[walk.place :]
    announced = octets[0] & 7
    present = (tpdu.pid, tpdu.dcs, tpdu.user_data)
    return min(octets) >= 0x80 or (announced != 0 and present == (None, None, None))


def _indicator(walk: _Walk) -> None:
    octet = walk.data[walk.place]
    present = [name for bit, name in ((1, "TP-PID"), (2, "TP-DCS"), (4, "TP-UD")) if octet & bit]
    size = 1
    while walk.data[walk.place + size - 1] & 0x80:
        size += 1
    meaning = "follow: " + ", ".join(present) if present else "nothing follows"
    walk.take(size, "TP-PI", meaning, "23.040 9.2.3.27")


def _optional(walk: _Walk, tpdu: StatusReport | DeliverReport | SubmitReport) -> None:
    if tpdu.pid is not None:
        walk.take(1, "TP-PID", describe_pid(tpdu.pid), "23.040 9.2.3.9")
    if tpdu.dcs is not None:
        walk.take(1, "TP-DCS", describe_dcs(tpdu.dcs), "23.038 4")
    if tpdu.user_data is not None:
        _user_data(walk, tpdu.user_data)


def _coding(walk: _Walk, pid: int, dcs: Dcs) -> None:
    walk.take(1, "TP-PID", describe_pid(pid), "23.040 9.2.3.9")
    walk.take(1, "TP-DCS", describe_dcs(dcs), "23.038 4")


def describe_dcs(dcs: Dcs) -> str:
    """A data coding scheme in words."""
    said = [dcs.alphabet.value]
    if dcs.message_class is not None:
        said.append(f"class {dcs.message_class}")
    if dcs.compressed:
        said.append("compressed")
    if dcs.auto_delete:
        said.append("delete after reading")
    if dcs.indication is not None:
        waiting = "waiting" if dcs.indication_active else "no longer waiting"
        said.append(f"{dcs.indication} {waiting}" + (", discard" if dcs.discard else ""))
    if dcs.reserved:
        said.append("reserved coding")
    return ", ".join(said)


def _stamp(walk: _Walk, name: str, timestamp: Timestamp, clause: str) -> None:
    meaning = "no valid time" if timestamp.time is None else str(timestamp)
    walk.take(SIZE, name, meaning, clause)


def _user_data(walk: _Walk, user_data: UserData) -> None:
    length = walk.data[walk.place]
    septets = user_data.alphabet is Alphabet.GSM7
    unit = "septets" if septets else "octets"
    size = (7 * length + 7) // 8 if septets else length
    walk.take(1, "TP-UDL", f"{length} {unit}", "23.040 9.2.3.16")
    end = min(walk.place + size, len(walk.data))
    _header(walk, user_data.udh)
    if walk.place < end:
        text = user_data.text
        meaning = "data" if text is None else repr(text)
        walk.take(end - walk.place, "TP-UD", meaning, "23.040 9.2.3.24")


def _header(walk: _Walk, udh: tuple[Element, ...]) -> None:
    if not udh:
        return
    walk.take(1, "UDHL", f"{walk.data[walk.place]} octets", "23.040 9.2.3.24")
    for element in udh:
        name = f"IE {element.iei:02X}"
        walk.take(2 + len(element.data), name, describe_element(element), "23.040 9.2.3.24")
