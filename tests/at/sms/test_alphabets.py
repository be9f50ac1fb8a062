"""The seven bit alphabets, packing, and what the encoder may and may not say."""

# ruff: noqa: RUF001 (letters that look alike are what some of these tests are about)

from __future__ import annotations

import pytest

from at.sms import Dcs, EncodeError, transliterate
from at.sms.alphabets import gsm7
from at.sms.alphabets.charsets import CHARSETS, hex_octets, read, write
from at.sms.alphabets.languages import alphabet
from at.sms.dcs import CODINGS, Alphabet
from at.sms.explain import describe_dcs
from at.sms.packing import pack, spread, squeeze, unpack


def test_at_sign_is_septet_zero_also_at_the_end() -> None:
    assert gsm7.encode("a@") == b"a\0"
    assert gsm7.decode(b"a\0") == "a@"


def test_section_sign_is_not_a_backtick() -> None:
    assert gsm7.decode(b"\x5f") == "§"
    assert not gsm7.can("`")


@pytest.mark.parametrize(
    ("septets", "text"),
    [
        (b"\x1b", " "),
        (b"a\x1b", "a "),
        (b"\x1b\x1b", " "),
        (b"\x1b\x1b\x65", " e"),
        (b"\x1b\x1b\x1b\x65", " €"),
        (b"\x1bA", "A"),
        (b"\x1b\x0a", "\f"),
        (b"\x1b\x65\x1b\x3c", "€["),
        (b"\x10\x13", "ΔΓ"),
    ],
)
def test_escape_reads_as_the_standard_says(septets: bytes, text: str) -> None:
    assert gsm7.decode(septets) == text


def test_extension_characters_cost_two_septets() -> None:
    assert gsm7.septets("a€{}") == 7
    assert gsm7.is_basic("abc@")
    assert not gsm7.is_basic("€")
    assert not gsm7.is_basic("ж")


@pytest.mark.parametrize("text", ["`", "a\0b", "\x1b", "ж", "😀", "\ud83d"])
def test_character_outside_the_alphabet_is_named(text: str) -> None:
    with pytest.raises(EncodeError, match=r"U\+[0-9A-F]{4,5} at \d+ is not in the GSM 7 bit"):
        gsm7.encode(text)
    assert gsm7.attempt(text) is None
    with pytest.raises(EncodeError):
        gsm7.septets(text)


def test_character_in_both_tables_takes_the_shorter_way() -> None:
    assert alphabet(3, 3).encode("^|") == b"\x16\x1a"
    assert alphabet(3, 0).decode(b"\x1b\x14") == "^"


@pytest.mark.parametrize("septets", [b"\x80", bytes(257)])
def test_what_is_no_septet_is_not_packed(septets: bytes) -> None:
    with pytest.raises(EncodeError):
        squeeze(septets)


@pytest.mark.parametrize("count", [0, 1, 2, 7, 8, 9, 128, 129, 160, 255, 256])
def test_packing_agrees_with_bit_by_bit_packing(count: int) -> None:
    septets = bytes((37 * n + 11) % 128 for n in range(count))
    bits = "".join(f"{septet:07b}"[::-1] for septet in septets)
    octets = bytes(int(bits[n : n + 8][::-1], 2) for n in range(0, len(bits), 8))
    assert pack(septets) == octets
    assert unpack(octets, count) == septets
    assert spread(squeeze(septets), count) == septets


@pytest.mark.parametrize("fill_bits", range(7))
def test_fill_bits_shift_the_first_septet(fill_bits: int) -> None:
    assert unpack(pack(b"hello", fill_bits), 5, fill_bits) == b"hello"
    assert pack(b"", fill_bits) == (b"" if fill_bits == 0 else b"\0")


def test_text_is_transliterated_to_what_comes_nearest() -> None:
    assert transliterate("“naïve” – łódź…") == '"naive" - lodz...'
    assert transliterate("Привет Ωραία") == "Privet ΩPAIA"
    assert transliterate("e\u0301 \u0416\u0436") == "é Zhzh"
    assert transliterate("a\ufe0f\u200b") == "a"
    assert transliterate("👨‍👩 ☃") == "? ?"
    assert transliterate("plain {x}") == "plain {x}"
    assert transliterate("\u00bd\u2075\ufb01\t") == "1/25fi "
    assert transliterate("ç") == "c"


def _meaning(octet: int) -> tuple[Alphabet, int | None]:
    return Dcs(octet).alphabet, Dcs(octet).message_class


@pytest.mark.parametrize(
    ("octet", "alphabet", "message_class", "words"),
    [
        (0x00, Alphabet.GSM7, None, "gsm7"),
        (0x04, Alphabet.OCTETS, None, "8bit"),
        (0x08, Alphabet.UCS2, None, "ucs2"),
        (0x0C, Alphabet.GSM7, None, "gsm7, reserved coding"),
        (0x03, Alphabet.GSM7, None, "gsm7"),
        (0x10, Alphabet.GSM7, 0, "gsm7, class 0"),
        (0x19, Alphabet.UCS2, 1, "ucs2, class 1"),
        (0x24, Alphabet.OCTETS, None, "8bit, compressed"),
        (0x40, Alphabet.GSM7, None, "gsm7, delete after reading"),
        (0x7B, Alphabet.UCS2, 3, "ucs2, class 3, compressed, delete after reading"),
        (0x80, Alphabet.GSM7, None, "gsm7, reserved coding"),
        (0xBF, Alphabet.GSM7, None, "gsm7, reserved coding"),
        (0xC0, Alphabet.GSM7, None, "gsm7, voicemail no longer waiting, discard"),
        (0xC9, Alphabet.GSM7, None, "gsm7, fax waiting, discard"),
        (0xDA, Alphabet.GSM7, None, "gsm7, email waiting"),
        (0xEB, Alphabet.UCS2, None, "ucs2, other waiting"),
        (0xF0, Alphabet.GSM7, 0, "gsm7, class 0"),
        (0xF6, Alphabet.OCTETS, 2, "8bit, class 2"),
        (0xF9, Alphabet.GSM7, 1, "gsm7, class 1"),
    ],
)
def test_coding_group(
    octet: int, alphabet: Alphabet, message_class: int | None, words: str
) -> None:
    assert _meaning(octet) == (alphabet, message_class)
    assert describe_dcs(Dcs(octet)) == words
    assert Dcs(octet) == CODINGS[octet]


def test_compressed_data_is_octets_whatever_it_holds() -> None:
    assert Dcs(0x20).compressed
    assert Dcs(0x20).coding is Alphabet.OCTETS


@pytest.mark.parametrize("octet", [-1, 256])
def test_coding_outside_an_octet_is_refused(octet: int) -> None:
    with pytest.raises(EncodeError, match="dcs"):
        Dcs(octet)


def test_plainest_coding_of_an_alphabet() -> None:
    assert [Dcs.of(kind).octet for kind in Alphabet] == [0, 4, 8]
    assert Dcs.of(Alphabet.UCS2, 0).octet == 0x18
    with pytest.raises(EncodeError, match="class"):
        Dcs.of(Alphabet.GSM7, 4)


@pytest.mark.parametrize("charset", CHARSETS)
def test_character_set_says_and_reads_a_text(charset: str) -> None:
    text = "ping delay=5"
    assert read(write(text, charset), charset) == text


def test_character_sets_are_what_27_007_says() -> None:
    assert write("@€", "GSM") == "\0\x1be"
    assert write("@", "HEX") == "00"
    assert write("Aж", "UCS2") == "00410436"
    assert read("00410436", "UCS2") == "Aж"
    assert write("ä", "8859-1") == "ä"
    assert write("ä", "UTF-8") == "Ã¤"
    assert read("Ã¤", "UTF-8") == "ä"
    assert hex_octets("0aF") is None


@pytest.mark.parametrize(
    ("text", "charset"), [("ä", "IRA"), ("😀", "8859-1"), ("\ud83d", "UCS2"), ("a", "KLINGON")]
)
def test_text_outside_the_character_set_is_not_written(text: str, charset: str) -> None:
    with pytest.raises(EncodeError, match="text"):
        write(text, charset)


@pytest.mark.parametrize(
    ("shown", "charset"),
    [
        ("ä", "GSM"),
        ("zz", "UCS2"),
        ("D83D", "UCS2"),
        ("80", "HEX"),
        ("ä", "IRA"),
        ("ä", "UTF-8"),
        ("a", "KLINGON"),
        ("\u0416", "GSM"),
    ],
)
def test_shown_text_that_is_not_of_the_set_is_an_error(shown: str, charset: str) -> None:
    with pytest.raises(ValueError, match="text"):
        read(shown, charset)
