"""Signatures, counters, permissions: who may, and who may not."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.payload import request as grammar
from agent.payload.request import EVERY_COMMAND, Refusal, Refused, Request, canonical, read
from agent.payload.signatures import (
    WINDOW,
    Permission,
    Signer,
    authenticate,
    check_permission,
    claim,
    is_fresh,
    is_silenced,
    key_of,
    sign,
    sign_request,
    signature_required,
    verify,
)

DOCS = Path(__file__).parents[3] / "docs" / "payloads.md"
KEYS = {"0": b"the first key, 32 bytes of it ..", "new": b"the second key, of 32 bytes too "}
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def signed(text: str, *, k: str | None = None, c: str = "5", device: str = "gateway-17") -> Request:
    request = read(text, known=EVERY_COMMAND).request
    assert request is not None
    m = sign_request(request, KEYS[k or "0"], device, k or "0", c)
    return replace(request, k=k, c=c, m=m)


def changed(request: Request, change: dict[str, Any]) -> Request:
    return replace(request, **change)


def refusal(request: Request, device: str | None = "gateway-17") -> Refusal:
    with pytest.raises(Refused) as caught:
        authenticate(request, KEYS, device)
    return caught.value.refusal


# The published vectors.


def _vectors() -> list[dict[str, str]]:
    block = re.search(r"```json vectors\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    vectors: list[dict[str, str]] = json.loads(block[1])
    return vectors


@pytest.mark.parametrize("vector", _vectors(), ids=lambda vector: vector["line"][:20])
def test_the_published_vectors_hold(vector: dict[str, str]) -> None:
    key = bytes.fromhex(vector["key_hex"])
    for form in ("line", "json"):
        request = read(vector[form], known=EVERY_COMMAND).request
        assert request is not None
        assert canonical(request) == vector["canonical"]
        k = request.k or "0"
        assert request.c is not None
        assert sign_request(request, key, vector["device"], k, request.c) == vector["m"]
        signer = authenticate(request, {k: key}, vector["device"])
        assert signer == Signer(k, int(request.c))


def test_there_are_vectors_for_what_goes_wrong_most() -> None:
    lines = " ".join(vector["line"] for vector in _vectors())
    assert re.search(r"[^\x00-\x7f]", lines), "one with other than ASCII"
    assert '""' in lines, "one with a quote"
    assert " k=" in lines, "one with a key id"
    assert any("cmd" not in vector["json"] for vector in _vectors()), "one of properties"


# Signatures.


def test_a_signature_is_ten_base32_characters() -> None:
    m = sign(KEYS["0"], "gateway-17", "0", "1", "{}")
    assert re.fullmatch(r"[A-Z2-7]{10}", m)


def test_case_does_not_matter_and_nothing_else_is_forgiven() -> None:
    m = sign(KEYS["0"], "gateway-17", "0", "1", "{}")
    for spelled in (m, m.lower(), m.title()):
        assert verify(KEYS["0"], "gateway-17", "0", "1", "{}", spelled)
    for wrong in ("", m[:9], m + "A", m + "=", " " + m, m[:9] + "1", "\u017f" * 10, "\0" * 10):
        assert not verify(KEYS["0"], "gateway-17", "0", "1", "{}", wrong)


def test_characters_that_fold_to_ascii_are_no_signature() -> None:
    counter, m = next(
        (c, m)
        for c in map(str, range(10_000))
        if "S" in (m := sign(KEYS["0"], "gateway-17", "0", c, "{}"))
    )
    assert verify(KEYS["0"], "gateway-17", "0", counter, "{}", m)
    assert not verify(KEYS["0"], "gateway-17", "0", counter, "{}", m.replace("S", "\u017f"))


@given(st.text(), st.text(max_size=12))
def test_no_text_is_a_signature_by_chance_or_raises(c: str, m: str) -> None:
    request = Request("ping", c=c, m=m)
    assert refusal(request).reason == "signature"


def test_an_unsigned_request_has_no_signer() -> None:
    assert authenticate(Request("ping"), KEYS, "gateway-17") is None


def test_two_keys_are_valid_at_once() -> None:
    assert authenticate(signed("reboot delay=5"), KEYS, "gateway-17") == Signer("0", 5)
    assert authenticate(signed("ping", k="new"), KEYS, "gateway-17") == Signer("new", 5)


@pytest.mark.parametrize(
    "change",
    [
        {"cmd": "restart"},
        {"args": {"delay": "50"}},
        {"args": {}},
        {"id": "8"},
        {"id": None},
        {"when": "+5s"},
        {"exp": "+5s"},
        {"reply": "sms"},
        {"c": "6"},
        {"c": "05"},
        {"k": "new"},
    ],
)
def test_what_is_signed_cannot_be_changed(change: dict[str, Any]) -> None:
    request = signed("reboot delay=5 id=7")
    assert authenticate(request, KEYS, "gateway-17") == Signer("0", 5)
    assert refusal(changed(request, change)) == Refusal("signature", "m wrong")


def test_a_signature_is_for_one_device() -> None:
    assert refusal(signed("ping", device="gateway-18")) == Refusal("signature", "m wrong")


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"m": None}, "m missing"),
        ({"m": ""}, "m wrong"),
        ({"c": None}, "c missing"),
        ({"c": ""}, "c missing"),
        ({"c": "-5"}, "c is no counter"),
        ({"c": "5.0"}, "c is no counter"),
        ({"c": "\u0665"}, "c is no counter"),
        ({"c": "1" * 19}, "c is no counter"),
        ({"c": "1" * 1000}, "c is no counter"),
        ({"k": "old"}, "k unknown"),
        ({"k": ""}, "k unknown"),
    ],
)
def test_an_incomplete_signature_is_refused_by_its_part(
    change: dict[str, str | None], detail: str
) -> None:
    assert refusal(changed(signed("ping"), change)) == Refusal("signature", detail)


def test_signatures_need_an_explicit_device_id() -> None:
    assert refusal(signed("ping"), None).reason == "signature"


def test_a_key_file_ends_where_its_line_does() -> None:
    assert key_of(b"secret\r\n") == key_of(b"secret") == b"secret"
    assert key_of(b" a b \x00\n\n") == b" a b \x00"
    with pytest.raises(ValueError, match="empty"):
        key_of(b"\n")


# Counters.


def test_a_used_counter_is_not_fresh() -> None:
    assert not is_fresh(5, (3, 5, 9))


def test_late_messages_are_fresh_while_all_used_counters_are_on_record() -> None:
    assert is_fresh(4, (5,))
    assert is_fresh(0, tuple(range(1, WINDOW)))


def test_with_64_on_record_only_what_is_above_the_lowest_is_fresh() -> None:
    used = tuple(range(100, 100 + 2 * WINDOW, 2))
    assert len(used) == WINDOW
    assert is_fresh(101, used)
    assert is_fresh(10**18 - 1, used)
    assert not is_fresh(100, used)
    assert not is_fresh(99, used)


@given(st.lists(st.integers(0, 300), max_size=400))
def test_no_counter_is_ever_accepted_twice(counters: list[int]) -> None:
    used: tuple[int, ...] = ()
    accepted: list[int] = []
    for counter in counters:
        if is_fresh(counter, used):
            accepted.append(counter)
            used = claim(counter, used)
    assert len(accepted) == len(set(accepted))
    assert used == tuple(sorted(accepted)[-WINDOW:])


# What needs a signature.


@pytest.mark.parametrize(
    ("mode", "channel", "is_open", "required"),
    [
        ("open-platforms", "sms", True, True),
        ("open-platforms", "sms", False, False),
        ("open-platforms", "mqtt", False, False),
        ("open-platforms", "console", True, False),
        ("always", "sms", False, True),
        ("always", "sms", True, True),
        ("always", "mqtt", False, True),
        ("always", "console", False, False),
        ("never", "sms", True, False),
        ("never", "mqtt", True, False),
        ("never", "console", False, False),
    ],
)
def test_where_a_signature_is_required(
    mode: str, channel: str, is_open: bool, required: bool
) -> None:
    assert signature_required(mode, channel=channel, is_open=is_open) is required


# Permissions.


def allowed(rule: Permission, channel: str, platform: str | None, key_id: str | None) -> str:
    refused = check_permission(rule, channel=channel, platform=platform, key_id=key_id)
    assert refused is None or refused.reason == "denied"
    return "yes" if refused is None else refused.detail


def test_no_rule_lets_everybody_pass() -> None:
    for channel in ("sms", "mqtt", "console"):
        assert allowed(Permission(), channel, None, None) == "yes"


def test_channels() -> None:
    rule = Permission(channels=("console",))
    assert allowed(rule, "console", None, None) == "yes"
    assert allowed(rule, "sms", "super-sim", "0") == "channel"
    assert allowed(rule, "mqtt", None, "0") == "channel"
    assert allowed(Permission(channels=()), "console", None, None) == "channel"


def test_platforms_are_asked_of_sms_only() -> None:
    rule = Permission(platforms=("super-sim",))
    assert allowed(rule, "sms", "super-sim", None) == "yes"
    assert allowed(rule, "sms", "emnify", "0") == "platform"
    assert allowed(rule, "mqtt", None, None) == "yes"


def test_keys_are_asked_of_all_but_the_console() -> None:
    rule = Permission(keys=("0",))
    assert allowed(rule, "sms", "super-sim", "0") == "yes"
    assert allowed(rule, "sms", "super-sim", "new") == "key"
    assert allowed(rule, "sms", "super-sim", None) == "key"
    assert allowed(rule, "mqtt", None, None) == "key"
    assert allowed(rule, "console", None, None) == "yes"


def test_every_list_has_to_agree() -> None:
    rule = Permission(("sms",), ("super-sim",), ("0",))
    assert allowed(rule, "sms", "super-sim", "0") == "yes"
    assert allowed(rule, "mqtt", None, "0") == "channel"
    assert allowed(rule, "sms", "emnify", "0") == "platform"
    assert allowed(rule, "sms", "super-sim", "1") == "key"


# Lock-out.


def test_three_failures_within_an_hour_silence_replies() -> None:
    assert is_silenced(3)
    assert not is_silenced(2)
    assert not is_silenced(0)


def test_the_grammar_and_the_signature_agree_on_what_a_request_is() -> None:
    assert grammar.canonical(signed("ping x=1 k=0 c=9 m=AAAAAAAAAA")) == (
        '{"args":{"x":"1"},"cmd":"ping"}'
    )
