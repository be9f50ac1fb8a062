"""The numbers of +CME ERROR and +CMS ERROR: their names, temporary or permanent."""

from __future__ import annotations

import re
from typing import Final

from at.errors import CommandError

# True: later may help; False: it will not, unless someone acts; None: nobody can tell.
Meaning = tuple[str, bool | None]

# TS 27.007 §9.2.1
CME: Final[dict[int, Meaning]] = {
    0: ("phone failure", None),
    1: ("no connection to phone", True),
    2: ("phone adapter link reserved", True),
    3: ("operation not allowed", None),
    4: ("operation not supported", False),
    5: ("PH-SIM PIN required", False),
    6: ("PH-FSIM PIN required", False),
    7: ("PH-FSIM PUK required", False),
    10: ("SIM not inserted", False),
    11: ("SIM PIN required", False),
    12: ("SIM PUK required", False),
    13: ("SIM failure", None),
    14: ("SIM busy", True),
    15: ("SIM wrong", False),
    16: ("incorrect password", False),
    17: ("SIM PIN2 required", False),
    18: ("SIM PUK2 required", False),
    20: ("memory full", True),
    21: ("invalid index", False),
    22: ("not found", False),
    23: ("memory failure", None),
    24: ("text string too long", False),
    25: ("invalid characters in text string", False),
    26: ("dial string too long", False),
    27: ("invalid characters in dial string", False),
    30: ("no network service", True),
    31: ("network timeout", True),
    32: ("network not allowed - emergency calls only", True),
    40: ("network personalization PIN required", False),
    41: ("network personalization PUK required", False),
    42: ("network subset personalization PIN required", False),
    43: ("network subset personalization PUK required", False),
    44: ("service provider personalization PIN required", False),
    45: ("service provider personalization PUK required", False),
    46: ("corporate personalization PIN required", False),
    47: ("corporate personalization PUK required", False),
    48: ("hidden key required", False),
    49: ("EAP method not supported", False),
    50: ("incorrect parameters", False),
    51: ("command implemented but currently disabled", True),
    52: ("command aborted by user", True),
    53: ("not attached to network due to MT functionality restrictions", True),
    54: ("modem not allowed - MT restricted to emergency calls only", True),
    55: ("operation not allowed because of MT functionality restrictions", True),
    56: ("fixed dial number only allowed - called number is not a fixed dial number", False),
    57: ("temporarily out of service due to other MT usage", True),
    58: ("language/alphabet not supported", False),
    59: ("unexpected data value", False),
    60: ("system failure", None),
    61: ("data missing", False),
    62: ("call barred", False),
    63: ("message waiting indication subscription failure", None),
    100: ("unknown", None),
    103: ("illegal MS", False),
    106: ("illegal ME", False),
    107: ("GPRS services not allowed", False),
    108: ("GPRS services and non GPRS services not allowed", False),
    111: ("PLMN not allowed", False),
    112: ("location area not allowed", True),
    113: ("roaming not allowed in this location area", True),
    114: ("GPRS services not allowed in this PLMN", True),
    115: ("no suitable cells in location area", True),
    122: ("congestion", True),
    125: ("not authorized for this CSG", False),
    126: ("insufficient resources", True),
    127: ("missing or unknown APN", False),
    128: ("unknown PDP address or PDP type", False),
    129: ("user authentication failed", False),
    130: ("activation reject by GGSN, Serving GW or PDN GW", None),
    131: ("activation reject, unspecified", None),
    132: ("service option not supported", False),
    133: ("requested service option not subscribed", False),
    134: ("service option temporarily out of order", True),
    135: ("NSAPI already in use", None),
    139: ("reactivation requested", True),
    140: ("feature not supported", False),
    141: ("semantic errors in the TFT operation", False),
    142: ("syntactical errors in the TFT operation", False),
    143: ("unknown PDP context", False),
    144: ("semantic errors in packet filter(s)", False),
    145: ("syntactical errors in packet filter(s)", False),
    146: ("PDP context without TFT already activated", None),
    148: ("unspecified GPRS error", None),
    149: ("PDP authentication failure", False),
    150: ("invalid mobile class", False),
    515: ("please wait, initialisation or command in progress", True),  # u-blox, Telit
}

# TS 27.005 §3.2.5; 1-127 TS 24.011 annex E-2 (RP cause), 128-255 TS 23.040 §9.2.3.22 (TP-FCS)
CMS: Final[dict[int, Meaning]] = {
    1: ("unassigned number", False),
    8: ("operator determined barring", False),
    10: ("call barred", False),
    17: ("network failure", True),
    21: ("short message transfer rejected", None),
    22: ("memory capacity exceeded", True),
    27: ("destination out of service", True),
    28: ("unidentified subscriber", False),
    29: ("facility rejected", None),
    30: ("unknown subscriber", False),
    38: ("network out of order", True),
    41: ("temporary failure", True),
    42: ("congestion", True),
    47: ("resources unavailable", True),
    50: ("requested facility not subscribed", False),
    69: ("requested facility not implemented", False),
    81: ("invalid short message transfer reference", None),
    95: ("semantically incorrect message", False),
    96: ("invalid mandatory information", False),
    97: ("message type non-existent or not implemented", False),
    98: ("message not compatible with protocol state", True),
    99: ("information element non-existent or not implemented", False),
    111: ("protocol error", None),
    127: ("interworking", None),
    128: ("telematic interworking not supported", False),
    129: ("short message type 0 not supported", False),
    130: ("cannot replace short message", False),
    143: ("unspecified TP-PID error", False),
    144: ("data coding scheme not supported", False),
    145: ("message class not supported", False),
    159: ("unspecified TP-DCS error", False),
    160: ("command cannot be actioned", False),
    161: ("command unsupported", False),
    175: ("unspecified TP-Command error", False),
    176: ("TPDU not supported", False),
    192: ("service centre busy", True),
    193: ("no service centre subscription", False),
    194: ("service centre system failure", True),
    195: ("invalid destination address", False),
    196: ("destination barred", False),
    197: ("duplicate short message rejected", False),
    198: ("TP-VPF not supported", False),
    199: ("TP-VP not supported", False),
    208: ("(U)SIM SMS storage full", True),
    209: ("no SMS storage capability in (U)SIM", False),
    210: ("error in MS", None),
    211: ("memory capacity exceeded", True),
    212: ("(U)SIM application toolkit busy", True),
    213: ("(U)SIM data download error", None),
    255: ("unspecified error cause", None),
    300: ("ME failure", None),
    301: ("SMS service of ME reserved", True),
    302: ("operation not allowed", None),
    303: ("operation not supported", False),
    304: ("invalid PDU mode parameter", False),
    305: ("invalid text mode parameter", False),
    310: ("SIM not inserted", False),
    311: ("SIM PIN required", False),
    312: ("PH-SIM PIN required", False),
    313: ("SIM failure", None),
    314: ("SIM busy", True),
    315: ("SIM wrong", False),
    316: ("SIM PUK required", False),
    317: ("SIM PIN2 required", False),
    318: ("SIM PUK2 required", False),
    320: ("memory failure", None),
    321: ("invalid memory index", False),
    322: ("memory full", True),
    330: ("SMSC address unknown", False),
    331: ("no network service", True),
    332: ("network timeout", True),
    340: ("no +CNMA acknowledgement expected", False),
    500: ("unknown error", None),
    512: ("SMS not ready, or a lower layer failed", True),  # vendors' own from here on
    513: ("lower layer failed, radio link", True),
    514: ("FDN check failed", False),
    515: ("please wait, initialisation or command in progress", True),
    517: ("SIM application toolkit session in progress", True),
    518: ("number not allowed by the SIM", False),
    528: ("service centre address missing", False),
    532: ("modem resetting", True),
    533: ("modem resetting", True),
}

_CODED = re.compile(r"\+(CM[ES]) ERROR: ?(.*)")
_CARD = re.compile(r"\(U\)SIM|\bUSIM\b", re.IGNORECASE)
_REFERENCE = re.compile(r"\((?:#|see|refer).*", re.IGNORECASE)  # the cause in TS 24.008, a clause
# Wording that differs between releases of TS 27.007.
_SPELLINGS: Final = (("isation", "ization"), ("adaptor", "adapter"), ("errors", "error"))


def _key(name: str) -> str:
    """A name as it is compared: releases and vendors differ in case, hyphens and (U)SIM."""
    text = _REFERENCE.sub("", _CARD.sub("SIM", name)).lower()
    for other, usual in _SPELLINGS:
        text = text.replace(other, usual)
    return re.sub(r"[^a-z0-9+]", "", text)


# What earlier releases and vendors say instead (TS 27.007 §9.2.1 "phone adaptor link reserved").
_ALIASES: Final = {
    "CME": {
        "incorrect parameter": 50,
        "invalid parameter": 50,
        "unknown error": 100,
        "not attached to network": 53,
        "fixed dial number only allowed": 56,
        "mission or unknown APN": 127,
        "missing or unknown access point name": 127,
        "activation reject by GGSN": 130,
        "activation rejected by GGSN, Serving GW or PDN GW": 130,
        "activation rejected, unspecified": 131,
        "request rejected by Serving GW or PDN GW": 130,
        "request rejected, unspecified": 131,
        "PH-SIM PUK required": 48,
        "operation temporarily not allowed": 126,
        "operation temporary not allowed": 126,
        "service option temporary out of order": 134,
    },
    "CMS": {
        "phone failure": 300,
        "unknown": 500,
        "no SIM": 310,
        "no CNMA acknowledgement expected": 340,
        "SC address unknown": 330,
        # The clauses that the numbers below 256 come from.
        "unassigned (unallocated) number": 1,
        "resources unavailable, unspecified": 47,
        "invalid short message transfer reference value": 81,
        "invalid message, unspecified": 95,
        "message not compatible with short message protocol state": 98,
        "protocol error, unspecified": 111,
        "interworking, unspecified": 127,
        "SC busy": 192,
        "no SC subscription": 193,
        "SC system failure": 194,
        "invalid SME address": 195,
        "destination SME barred": 196,
        "SM rejected-duplicate SM": 197,
    },
}
_NAMES = {
    domain: {_key(name): code for name, code in _ALIASES[domain].items()}
    | {_key(name): code for code, (name, _) in reversed(table.items())}
    for domain, table in (("CME", CME), ("CMS", CMS))
}
_TABLES = {"CME": CME, "CMS": CMS}


def command_error(line: str, final: str) -> CommandError:
    """The error of a final result code other than OK.

    line: the command after "AT"; final: the code as received, by number or by text.
    """
    coded = _CODED.fullmatch(final)
    if coded is None:
        return CommandError(line, final, name=final)
    domain, text = coded[1], coded[2].strip().strip('"')
    code = int(text) if text.isdecimal() else _NAMES[domain].get(_key(text))
    known = _TABLES[domain].get(code) if code is not None else None
    if known is None and code is None:
        # Some tell the words of one table behind the name of the other.
        other = "CMS" if domain == "CME" else "CME"
        known = _TABLES[other].get(_NAMES[other].get(_key(text), -1))
    name, temporary = known if known is not None else (text, None)
    return CommandError(line, final, domain=domain, code=code, name=name, temporary=temporary)
