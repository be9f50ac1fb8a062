"""Says a text in an alphabet that lacks some of its characters."""

# ruff: noqa: RUF001 (characters that look alike are what this table is about)

from __future__ import annotations

import unicodedata
from itertools import pairwise

from at.sms.alphabets import gsm7
from at.sms.alphabets.charmap import SevenBit

_CYRILLIC = (
    "А A Б B В V Г G Д D Е E Ж Zh З Z И I Й I К K Л L М M Н N О O П P Р R С S Т T У U Ф F Х Kh "
    "Ц Ts Ч Ch Ш Sh Щ Shch Ъ ' Ы Y Ь ' Э E Ю Yu Я Ya Є Ye І I Ґ G Ђ Dj Ј J Љ Lj Њ Nj Ћ C Џ Dz Ў U"
)
_GREEK = (
    "Α A Β B Ε E Ζ Z Η H Ι I Κ K Μ M Ν N Ο O Ρ P Τ T Υ Y Χ X γ Γ δ Δ θ Θ λ Λ ξ Ξ π Π σ Σ ς Σ φ Φ "
    "ψ Ψ ω Ω α A β B ε E ζ Z η H ι I κ K μ M ν N ο O ρ P τ T υ Y χ X"
)
_LATIN = (
    "\u2018 ' \u2019 ' \u201a ' \u201b ' \u2032 ' \u2035 ' \u00b4 ' ` ' \u201c \" \u201d \" "
    '\u201e " \u201f " \u2033 " \u00ab " \u00bb " \u2039 < \u203a > \u2010 - \u2011 - \u2012 - '
    "\u2013 - \u2014 - \u2015 - \u2212 - \u2026 ... \u2022 * \u00b7 . \u2044 / \u00d7 x \u00f7 / "
    "\u00a9 (c) \u00ae (r) \u2122 TM \u00b0 deg \u00b1 +- \u00bd 1/2 \u00bc 1/4 \u00be 3/4 "
    "\u00a6 | \u00a2 c \u20b9 Rs \u20bd R \u20bf B \u0141 L \u0142 l \u0110 D \u0111 d \u0131 i "
    "\u0152 OE \u0153 oe \u00de Th \u00fe th \u00d0 D \u00f0 d \u1e9e SS \u0126 H \u0127 h "
    "\u014a N \u014b n \u0138 k \u0166 T \u0167 t \u2190 <- \u2192 -> \u2264 <= \u2265 >= \u2260 !="
)


def _table() -> dict[str, str]:
    words = f"{_LATIN} {_GREEK}".split()
    table = dict(zip(words[::2], words[1::2], strict=True))
    letters = _CYRILLIC.split()
    for letter, latin in zip(letters[::2], letters[1::2], strict=True):
        table[letter] = latin
        table[letter.lower()] = latin.lower()
    return table | {"\u00a0": " ", "\u2028": "\n", "\u2029": "\n", "\t": " "}


_TABLE = _table()


def transliterate(text: str, alphabet: SevenBit = gsm7.ALPHABET) -> str:
    """The text with every character outside the alphabet replaced by what comes nearest.

    In this order: a table of look-alikes and usual spellings, the letter without its accents, "?";
    marks and selectors that combine with what stands before them vanish.
    """
    if alphabet.can(text):
        return text
    return "".join(
        character if alphabet.can(character) else _nearest(character, before, alphabet)
        for before, character in pairwise("\0" + unicodedata.normalize("NFC", text))
    )


def _nearest(character: str, before: str, alphabet: SevenBit) -> str:
    known = _TABLE.get(character)
    if known is None:
        if unicodedata.category(character) in {"Mn", "Me", "Cf"} or before == "\u200d":
            return ""
        plain = unicodedata.normalize("NFKD", character)
        known = "".join(_TABLE.get(c, c) for c in plain if not unicodedata.combining(c))
    return known if known and alphabet.can(known) else "?"
