"""The GSM 7 bit default alphabet with its extension table (TS 23.038 §6.2.1)."""

from __future__ import annotations

from at.sms.alphabets.charmap import SevenBit

DEFAULT = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""§6.2.1, by septet; 0x1B is the escape."""

EXTENSION = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
"""§6.2.1.1: the septet after an escape."""

ALPHABET = SevenBit("GSM 7 bit default alphabet", DEFAULT, EXTENSION)

attempt = ALPHABET.attempt
encode = ALPHABET.encode
decode = ALPHABET.decode
septets = ALPHABET.septets
is_basic = ALPHABET.is_basic
can = ALPHABET.can
