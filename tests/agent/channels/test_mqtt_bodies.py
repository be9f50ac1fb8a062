from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.channels.mqtt.bodies import render_body, render_time
from agent.channels.mqtt.topics import Suffix


def test_times_are_utc_with_z() -> None:
    quarter = timezone(timedelta(hours=5, minutes=45))
    assert render_time(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == "2026-01-02T03:04:05Z"
    assert render_time(datetime(2026, 1, 2, 3, 4, 5, tzinfo=quarter)) == "2026-01-01T21:19:05Z"
    fine = datetime(2026, 1, 2, 3, 4, 5, 67_000, tzinfo=UTC)
    assert render_time(fine) == "2026-01-02T03:04:05.067Z"


def test_a_time_without_a_zone_is_an_error() -> None:
    with pytest.raises(ValueError, match="zone"):
        render_time(datetime(2026, 1, 2))  # noqa: DTZ001  # the point of the test


def test_body_keeps_its_order_and_says_absent_as_null() -> None:
    body = render_body({"id": "7f3a", "state": Suffix.STATUS, "sender": None, "n": 1, "ok": True})
    assert body == b'{"id":"7f3a","state":"status","sender":null,"n":1,"ok":true}'


def test_octets_are_base64_and_collections_arrays() -> None:
    body = render_body({"data": b"\x00\xff", "parts": (1, 2), "names": {"b", "a"}})
    assert json.loads(body) == {"data": "AP8=", "parts": [1, 2], "names": ["a", "b"]}


def test_what_json_has_no_word_for_does_not_reach_the_reader() -> None:
    body = render_body({"a": float("nan"), "b": [float("inf")], "c": "\ud800x", "d": "a\0b"})
    assert body == b'{"a":null,"b":[null],"c":"?x","d":"a\\u0000b"}'


def test_an_unknown_kind_is_an_error() -> None:
    with pytest.raises(TypeError, match="object"):
        render_body({"a": object()})


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def _no_constant(name: str) -> None:
    raise AssertionError(name)


@settings(max_examples=40)
@given(st.dictionaries(st.text(), VALUES))
def test_any_body_is_strict_json_in_utf8(fields: dict[str, object]) -> None:
    read = json.loads(render_body(fields).decode("utf-8"), parse_constant=_no_constant)
    assert list(read) == list(fields)
