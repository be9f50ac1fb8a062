"""The six transfer protocol data units as values (TS 23.040 §9.2.2)."""

from __future__ import annotations

from dataclasses import dataclass

from at.sms.address import Address
from at.sms.dcs import CODINGS, Alphabet, Dcs
from at.sms.scts import Timestamp
from at.sms.udh import Element
from at.sms.userdata import UserData
from at.sms.validity import Validity

_PLAIN = Dcs(0)  # recognised by identity: "whatever the user data's alphabet needs"


def _plain(user_data: UserData) -> Dcs:
    alphabet = user_data.alphabet
    if alphabet is Alphabet.GSM7:
        return CODINGS[0]
    return CODINGS[8] if alphabet is Alphabet.UCS2 else CODINGS[4]


@dataclass(frozen=True, slots=True)
class Deliver:
    """SMS-DELIVER (§9.2.2.1): a message for the mobile.

    originator: TP-OA; timestamp: TP-SCTS; pid: TP-PID, 0-255; dcs: TP-DCS, by default the plainest
    for the alphabet; more: more messages wait at the centre (TP-MMS); loop: forwarded or spawned,
    do not answer (TP-LP); reply_path: TP-RP; status_report: the sender gets one (TP-SRI).
    """

    originator: Address
    timestamp: Timestamp
    user_data: UserData
    pid: int = 0
    dcs: Dcs = _PLAIN
    more: bool = False
    loop: bool = False
    reply_path: bool = False
    status_report: bool = False

    def __post_init__(self) -> None:
        if self.dcs is _PLAIN:
            object.__setattr__(self, "dcs", _plain(self.user_data))


@dataclass(frozen=True, slots=True)
class Submit:
    """SMS-SUBMIT (§9.2.2.2): a message from the mobile.

    destination: TP-DA; reference: TP-MR, 0-255, overwritten by the modem; validity: TP-VP, None:
    the centre's own; status_report_request: TP-SRR; reject_duplicates: TP-RD; reply_path: TP-RP.
    """

    destination: Address
    user_data: UserData
    reference: int = 0
    pid: int = 0
    dcs: Dcs = _PLAIN
    validity: Validity | None = None
    status_report_request: bool = False
    reject_duplicates: bool = False
    reply_path: bool = False

    def __post_init__(self) -> None:
        if self.dcs is _PLAIN:
            object.__setattr__(self, "dcs", _plain(self.user_data))


@dataclass(frozen=True, slots=True)
class StatusReport:
    """SMS-STATUS-REPORT (§9.2.2.3): what became of a message.

    reference: TP-MR of the message or command; recipient: TP-RA; timestamp: TP-SCTS, when the
    centre had the message; discharged: TP-DT; status: TP-ST (at.sms.status spells it out);
    of_command: TP-SRQ, about an SMS-COMMAND; pid, dcs, user_data: None unless TP-PI announces them.
    """

    reference: int
    recipient: Address
    timestamp: Timestamp
    discharged: Timestamp
    status: int
    more: bool = False
    loop: bool = False
    of_command: bool = False
    pid: int | None = None
    dcs: Dcs | None = None
    user_data: UserData | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """SMS-COMMAND (§9.2.2.4): an order to the centre about an earlier message.

    command_type: TP-CT (at.sms.status names it); message_number: TP-MN, the TP-MR it is about;
    data: TP-CD without its header udh.
    """

    reference: int
    command_type: int
    message_number: int
    destination: Address
    pid: int = 0
    data: bytes = b""
    udh: tuple[Element, ...] = ()
    status_report_request: bool = False


@dataclass(frozen=True, slots=True)
class DeliverReport:
    """SMS-DELIVER-REPORT (§9.2.2.1a): the mobile's answer to a delivery.

    failure: TP-FCS for RP-ERROR, None for RP-ACK.
    """

    failure: int | None = None
    pid: int | None = None
    dcs: Dcs | None = None
    user_data: UserData | None = None


@dataclass(frozen=True, slots=True)
class SubmitReport:
    """SMS-SUBMIT-REPORT (§9.2.2.2a): the centre's answer to a submission.

    timestamp: TP-SCTS; failure: TP-FCS for RP-ERROR, None for RP-ACK.
    """

    timestamp: Timestamp
    failure: int | None = None
    pid: int | None = None
    dcs: Dcs | None = None
    user_data: UserData | None = None


Tpdu = Deliver | Submit | StatusReport | Command | DeliverReport | SubmitReport
"""Any of the six."""
