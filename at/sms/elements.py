"""Information elements in words (TS 23.040 §9.2.3.24)."""

from __future__ import annotations

from at.sms.alphabets.languages import NAMES
from at.sms.udh import (
    CONCAT_8,
    CONCAT_16,
    LOCKING_SHIFT,
    PORTS_8,
    PORTS_16,
    SINGLE_SHIFT,
    Element,
    ports_of,
    read_concat,
)

_ELEMENTS = {
    0x00: "concatenation, 8 bit reference",
    0x01: "special message indication",
    0x04: "application ports, 8 bit",
    0x05: "application ports, 16 bit",
    0x06: "SMSC control parameters",
    0x07: "UDH source indicator",
    0x08: "concatenation, 16 bit reference",
    0x09: "wireless control message protocol",
    0x0A: "text formatting",
    0x0B: "predefined sound",
    0x0C: "user defined sound",
    0x0D: "predefined animation",
    0x0E: "large animation",
    0x0F: "small animation",
    0x10: "large picture",
    0x11: "small picture",
    0x12: "variable picture",
    0x13: "user prompt indicator",
    0x14: "extended object",
    0x15: "reused extended object",
    0x16: "compression control",
    0x17: "object distribution indicator",
    0x18: "standard WVG object",
    0x19: "character size WVG object",
    0x1A: "extended object data request",
    0x20: "RFC 822 e-mail header",
    0x21: "hyperlink format",
    0x22: "reply address",
    0x23: "enhanced voice mail information",
    0x24: "national language single shift",
    0x25: "national language locking shift",
}


def describe_element(element: Element) -> str:
    """What an element says, or at least what it is."""
    iei, data = element.iei, element.data
    name = _ELEMENTS.get(iei, "unknown element")
    concat = read_concat(element) if iei in {CONCAT_8, CONCAT_16} else None
    if concat is not None:
        return f"part {concat.sequence} of {concat.total}, reference {concat.reference}"
    ports = ports_of((element,)) if iei in {PORTS_8, PORTS_16} else None
    if ports is not None:
        return f"to port {ports.destination}, from port {ports.source}"
    if iei in {SINGLE_SHIFT, LOCKING_SHIFT} and data and data[0] < len(NAMES):
        return f"{name}: {NAMES[data[0]]}"
    return name
