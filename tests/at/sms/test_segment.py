"""Segmenting and joining: where cuts may be, what it costs, what parts make a whole."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from at.sms import (
    Alphabet,
    Concat,
    Cost,
    DecodeError,
    Element,
    EncodeError,
    Ports,
    UserData,
    cost,
    join,
    segment,
)
from at.sms.alphabets.graphemes import graphemes
from tests.at.sms.strategies import any_text, gsm7_text


def test_one_segment_has_no_header() -> None:
    assert segment("hello") == (UserData(Alphabet.GSM7, b"hello"),)
    assert segment(b"\x01\x02") == (UserData(Alphabet.OCTETS, b"\x01\x02"),)
    assert segment("ж") == (UserData(Alphabet.UCS2, b"\x04\x36"),)
    assert segment("hi", alphabet="ucs2") == (UserData(Alphabet.UCS2, b"\0h\0i"),)


@pytest.mark.parametrize(
    ("text", "wide", "sizes"),
    [
        ("x" * 160, False, [160]),
        ("x" * 161, False, [153, 8]),
        ("x" * 161, True, [152, 9]),
        ("x" * 152 + "€" * 10, False, [152, 20]),
        ("ж" * 70, False, [140]),
        ("ж" * 71, False, [134, 8]),
        ("ж" * 71, True, [132, 10]),
        ("ж" * 66 + "😀" * 3, False, [132, 12]),
    ],
)
def test_parts_are_as_long_as_may_be(text: str, wide: bool, sizes: list[int]) -> None:
    assert [len(part.octets) for part in segment(text, reference=1, wide=wide)] == sizes


def test_parts_are_numbered() -> None:
    parts = segment(b"x" * 300, reference=9, udh=(Ports(7, 8).element,))
    assert [part.concat for part in parts] == [Concat(9, 3, n) for n in (1, 2, 3)]
    assert {part.ports for part in parts} == {Ports(7, 8)}


@given(any_text, st.integers(1, 6))
def test_no_part_begins_with_what_combines(text: str, times: int) -> None:
    parts = segment(text * times, alphabet="ucs2", reference=1)
    cuts = set(itertools.accumulate(len(part.octets) for part in parts))
    allowed = set(
        itertools.accumulate(len(piece.encode("utf-16-be")) for piece in graphemes(text * times))
    )
    longest = max((len(piece) for piece in graphemes(text * times)), default=0)
    assert cuts <= allowed | {0} or longest > 60


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        ("ab", ["a", "b"]),
        ("e\u0301x", ["e\u0301", "x"]),
        ("a\r\nb", ["a", "\r\n", "b"]),
        ("👨‍👩x", ["👨‍👩", "x"]),
        ("👍🏽!", ["👍🏽", "!"]),
        ("🇬🇧🇫🇷🇩", ["🇬🇧", "🇫🇷", "🇩"]),
        ("❤️", ["❤️"]),
    ],
)
def test_pieces_that_stay_together(text: str, pieces: list[str]) -> None:
    assert list(graphemes(text)) == pieces


def test_piece_that_no_message_holds_is_cut_between_characters() -> None:
    for text in ("e" + "\u0301" * 200, "😀" + "\u200d😀" * 100):
        parts = segment(text, reference=1)
        assert join(parts).text == text
        for part in parts:
            assert part.octets.decode("utf-16-be")


def test_piece_of_a_language_table_that_no_message_holds_is_cut_between_characters() -> None:
    text = "\u0915" + "\u094d" * 400
    parts = segment(text, alphabet="gsm7", languages="auto", reference=1)
    assert len(parts) == 3
    assert join(parts).text == text


def test_language_table_is_chosen_only_when_cheaper() -> None:
    turkish = "ğışŞİĞ" * 20
    assert cost(segment(turkish)).segments == 2
    chosen = segment(turkish, languages="auto")
    assert cost(chosen) == Cost(Alphabet.GSM7, 1, 120, 110, locking=1)
    assert chosen[0].text == turkish
    assert cost(segment("hello", languages="auto")).locking == 0
    assert segment("日本", languages="auto")[0].alphabet is Alphabet.UCS2


def test_long_text_in_a_language_table() -> None:
    hindi = "हिन्दी में संदेश " * 20
    parts = segment(hindi, reference=3, languages="auto")
    assert {part.locking for part in parts} == {6}
    assert join(parts[::-1]).text == hindi
    assert all(part.text and part.text[0] not in "\u093f\u094d\u0902" for part in parts)


def test_single_shift_is_chosen_for_a_few_letters() -> None:
    (part,) = segment("ação " * 20, languages="auto", alphabet="gsm7")
    assert (part.locking, part.single) in {(0, 3), (3, 0)}
    assert part.text == "ação " * 20


@pytest.mark.parametrize(
    ("content", "options", "complaint"),
    [
        ("ж", {"alphabet": "gsm7"}, r"U\+0416|U\+0436"),
        ("日", {"alphabet": "gsm7", "languages": "auto"}, "no seven bit"),
        ("x", {"alphabet": "8bit"}, "text cannot be 8bit"),
        (b"x", {"alphabet": "gsm7"}, "bytes cannot be gsm7"),
        ("x" * 161, {"max_segments": 1}, "takes 2 segments, at most 1"),
        (b"x" * 134 * 256, {}, "at most 255"),
        ("\ud83d", {}, "lone surrogate U\\+D83D"),
        (b"x" * 20, {"udh": (Element(10, bytes(133)),)}, "leaves no room|at most 140"),
    ],
)
def test_what_cannot_be_sent_is_refused(
    content: str | bytes, options: dict[str, object], complaint: str
) -> None:
    with pytest.raises(EncodeError, match=complaint):
        segment(content, reference=1, **options)  # type: ignore[arg-type]  # parametrized


def test_no_room_for_even_one_character() -> None:
    with pytest.raises(EncodeError, match="leaves no room"):
        segment("ж" * 4, reference=1, udh=(Element(10, bytes(131)),))


def test_transliterating_makes_it_seven_bit() -> None:
    (part,) = segment("“ok” \u2013 done…", transliterate=True)
    assert (part.alphabet, part.text) == (Alphabet.GSM7, '"ok" - done...')
    assert segment("…", transliterate=True, alphabet="ucs2")[0].text == "…"


def test_cost_counts_headers_in_octets_only() -> None:
    assert cost(segment("x" * 161, reference=1)) == Cost(Alphabet.GSM7, 2, 161, 140 + 14)
    assert cost(segment(b"x" * 141, reference=1)) == Cost(Alphabet.OCTETS, 2, 141, 141 + 12)


def _part(octets: bytes, sequence: int, total: int = 2, **more: int) -> UserData:
    concat = Concat(more.get("reference", 1), total, sequence, bool(more.get("wide")))
    return UserData(Alphabet.GSM7, octets, (concat.element,))


def test_split_escape_and_surrogate_pairs_heal() -> None:
    assert join([_part(b"\x65", 2), _part(b"a\x1b", 1)]).text == "a€"
    halves = "😀".encode("utf-16-be")
    parts = [
        UserData(Alphabet.UCS2, half, (Concat(1, 2, n).element,))
        for n, half in enumerate((halves[:2], halves[2:]), 1)
    ]
    assert join(parts).text == "😀"


def test_equal_repeat_is_ignored() -> None:
    assert join([_part(b"a", 1), _part(b"b", 2), _part(b"a", 1)]).text == "ab"


@pytest.mark.parametrize(
    ("parts", "complaint"),
    [
        ([], "need 1, have 0"),
        ([_part(b"a", 1)], "need 2, have 1"),
        ([_part(b"a", 1), _part(b"c", 1)], "two different parts 1"),
        ([_part(b"a", 1), _part(b"b", 2, reference=2)], "several messages"),
        ([_part(b"a", 1), _part(b"b", 2, wide=1)], "several messages"),
        ([_part(b"a", 1), _part(b"b", 2, total=3)], "several messages"),
        ([_part(b"a", 1), UserData(Alphabet.GSM7, b"b")], "without concatenation"),
    ],
)
def test_parts_that_make_no_whole_are_refused(parts: list[UserData], complaint: str) -> None:
    with pytest.raises(DecodeError, match=complaint):
        join(parts)


def test_other_elements_stay_with_the_whole() -> None:
    parts = segment(b"x" * 200, reference=1, udh=(Ports(1, 2).element,))
    assert join(parts).udh == (Ports(1, 2).element,)


def test_parts_of_different_languages_join_as_text() -> None:
    turkish = UserData(Alphabet.GSM7, b"\x1bs", (Concat(1, 2, 1).element, Element(0x24, b"\x01")))
    whole = join([_part(b"!", 2), turkish])
    assert (whole.alphabet, whole.text, whole.udh) == (Alphabet.UCS2, "ş!", ())


@given(gsm7_text)
def test_cost_says_the_septets(text: str) -> None:
    parts = segment(text, reference=1)
    assert cost(parts).units == sum(len(part.octets) for part in parts)
