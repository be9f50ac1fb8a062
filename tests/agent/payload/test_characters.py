"""Characters that phones, word processors and web pages put into a command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.journal.history import Filters, selected
from agent.payload.request import (
    Reading,
    Request,
    canonical,
    from_words,
    read,
    text_of,
    to_json,
    to_line,
)
from agent.payload.suggestion import closest
from agent.reports.reply import compose_error
from at import sms
from tests.agent.conftest import Cli, Running
from tests.agent.parts import NOW, arrival, body, make_app

KNOWN = frozenset({"ping", "mark", "sms", "set", "reboot", "modem-reset"})
HIDDEN = tuple(
    "\ufeff\ufffe\uffff\u200b\u200c\u200d\u200e\u200f\u061c\u202a\u202e\u2060\u2064"
    "\u2066\u2069\u00ad\u180e\u034f\u115f\u3164\ufe0f\ufffc\u2800\U000e0001\U000e0041"
    "\x00\x01\x08\x1b\x7f\x80\x9f"
)
PLAIN = canonical(Request("mark", {"n": "1"}, id="a"))


def reading(text: str) -> Reading:
    return read(text, known=KNOWN)


def told(text: str) -> str:
    found = reading(text).refusal
    assert found is not None, ascii(text)
    return f"{found.reason} {found.detail}"


@pytest.mark.parametrize("one", HIDDEN, ids=ascii)
def test_invisible_characters_at_the_ends_of_words_are_white_space(one: str) -> None:
    for text in (
        f"{one}mark n=1 id=a{one}",
        f"{one} mark{one} n=1 {one}id=a {one}{one}",
        f"mark n={one}1{one} id={one}a{one};{one}",
        f'mark n="{one}1{one}" id=a',
        f'{one}{{"cmd":"mark",{one}"n":{one}1,{one}"id":"a"{one}}}{one}',
        json.dumps({f"{one}cmd": f"{one}mark{one}", f"n{one}": f"1{one}", "id": f"a{one}"}),
        f"DC{'0' * 32}{one} mark n=1 id=a",
        f"mark n=1 id=a {one}HC{'0' * 32}{one}",
    ):
        request = reading(text).request
        assert request is not None, ascii(text)
        assert canonical(request) == PLAIN


@pytest.mark.parametrize("one", HIDDEN, ids=ascii)
def test_invisible_character_inside_a_word_is_answered_by_its_code_point(one: str) -> None:
    name = f"U+{ord(one):04X}"
    for text in (
        f"ma{one}rk n=1 id=a",
        f"ping{one}x=1 id=a",
        f"mark n{one}m=1 id=a",
        f"mark n=1{one}1 id=a",
        f'mark n="1{one}1" id=a',
        f"ena{one}ble=true id=a",
        json.dumps({"cmd": f"ma{one}rk", "id": "a"}),
        json.dumps({"cmd": "mark", "n": f"1{one}1", "id": "a"}),
        json.dumps({"cmd": "mark", f"n{one}m": "1", "id": "a"}),
    ):
        assert told(text).startswith("parse "), ascii(text)
        assert name in told(text)
        assert reading(text).id == "a"
    assert told(f"pi{one}ng") == f"parse invisible {name} in pi<{name}>ng"


def test_free_text_with_invisible_characters_stays_free_text() -> None:
    for text in ("he\u200bllo there", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\u200b", ""):
        assert not reading(text).is_command


def test_characters_that_a_script_is_written_with_stay_in_values() -> None:
    for value in (
        "I \u2764\ufe0f you",
        "\U0001f468\u200d\U0001f469",
        "\u05e9\u05dc\u200f!",
        "é\u200d",
    ):
        for text in (f'sms text="{value}" id=a', json.dumps({"cmd": "sms", "text": value})):
            request = reading(text).request
            assert request is not None
            assert request.args["text"] == value


def test_what_is_behind_the_end_of_a_command_does_not_matter() -> None:
    for text in ("mark n=1 id=a; by\u200bportal", '{"cmd":"mark","n":1,"id":"a"}; b\u200by'):
        request = reading(text).request
        assert request is not None
        assert canonical(request) == PLAIN


def test_at_sign_that_fills_septets_is_text() -> None:
    request = reading("mark n=1@@ id=a").request
    assert request is not None
    assert request.args == {"n": "1@@"}
    assert not reading("ping@").is_command


@pytest.mark.parametrize(
    "pair", ["“”", "„“", "””", "«»", "»«", "‘’", "’’", "‚‘", "″″", "＂＂", "´´", '“"']
)
@pytest.mark.parametrize("value", ["b5", "b 6", "a=b"])
def test_typographic_quotes_around_a_value_are_refused_with_the_remedy(
    pair: str, value: str
) -> None:
    opening, closing = pair[0], pair[1]
    for text in (
        f"mark n={opening}{value}{closing} id=a",
        f"enable={opening}{value}{closing} id=a",
    ):
        detail = told(text)
        assert detail.endswith(f'U+{ord(opening):04X} is no quote, write "')
        assert detail.startswith("parse ")
        assert reading(text).id == "a"


@pytest.mark.parametrize(
    "text",
    [
        "{“cmd”:“ping”}",
        '{“cmd":"ping"}',
        '{"cmd”:"ping"}',
        '{"cmd":“ping"}',
        '{"cmd":"ping","args":{“n”:1}}',
        'mark n="b 6”',
        "mark “n=b5”",
        "mark n=b5”",
    ],
)
def test_typographic_quotes_elsewhere_are_named(text: str) -> None:
    assert told(text).startswith("parse ")
    assert 'is no quote, write "' in told(text)


def test_typographic_quotes_inside_plain_ones_are_text_in_both_forms() -> None:
    for value in ("“b5”", "say “hi”", "O’Neill", "5′"):
        request = Request("mark", {"n": value}, id="a")
        for text in (to_line(request), to_json(request)):
            assert reading(text).request == request
    assert reading("mark n=O’Neill").request == Request("mark", {"n": "O’Neill"})


def test_command_line_refuses_them_too() -> None:
    assert 'is no quote, write "' in told(from_words(["mark", "n=“b5”"]))
    assert 'is no quote, write "' in told(from_words(["mark", "n=“b 5”"]))
    request = reading(from_words(["sms", "text=she said “hi”"])).request
    assert request is not None
    assert request.args["text"] == "she said “hi”"


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("mark n＝b5", "n<U+FF1D>b5 is no key=value"),
        ("reboot —delay=5", "<U+2014>delay=5 is no key=value"),
        ("mark [n]", "<U+005B>n<U+005D> is no key=value"),
        ("“mark n=1”", "<U+201C>mark"),
        ('{"cmd":“ping”}', 'JSON at 7: U+201C is no quote, write "'),
        ('{"cmd"：1}', "JSON at 6: U+FF1A; Expecting ':' delimiter"),
    ],
)
def test_reply_does_not_straighten_what_it_complains_about(text: str, spelled: str) -> None:
    refusal = reading(text).refusal
    assert refusal is not None
    reply = compose_error("a", refusal.reason, refusal.detail, refused=True)
    assert reply == f"a ER {refusal.reason} {spelled}"
    assert sms.gsm7.is_basic(reply)


def test_octets_of_a_c_program_are_a_command() -> None:
    for data in (b"ping\0", b"\xef\xbb\xbfping", b"ping\0\0\r\n\0"):
        text = text_of(data)
        assert text is not None
        assert reading(text).request == Request("ping")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Reboot.", "reboot"),
        ("rebot", "reboot"),
        ("ping…", "ping"),
        ("pnig", "ping"),
        ("“ping”", "ping"),
        ("please reboot", "reboot"),
        ("Modem reset", "modem-reset"),
        ("Hello", None),
        ("OK", None),
        ("see you at the set of the sun", None),
        ("", None),
    ],
)
def test_text_that_is_almost_a_command(text: str, name: str | None) -> None:
    assert closest(text, ["ping", "help", "sms", "at", "set", "reboot", "modem-reset"]) == name


@pytest.mark.parametrize("channel", ["sms", "mqtt", "console"])
async def test_suggestion_is_journalled_and_nobody_is_answered(
    tmp_path: Path, channel: str
) -> None:
    app = await make_app(tmp_path)
    await app.intake.admit(arrival("Reboot.", channel=channel))
    await app.intake.admit(arrival("rebot delay=5 id=a", channel=channel))
    text, unknown = await app.journal.read(lambda db: list(selected(db, Filters())))
    assert (text["verdict"], text["detail"], text["reports"]) == (
        "not-a-command",
        "meant reboot?",
        [],
    )
    assert (unknown["reason"], unknown["detail"]) == ("unknown-command", "rebot, meant reboot?")
    await app.journal.close()


async def test_stranger_is_told_nothing_about_commands(tmp_path: Path) -> None:
    app = await make_app(tmp_path)
    await app.intake.admit(arrival("Reboot.", sender="+4915112345678"))
    (item,) = await app.journal.read(lambda db: list(selected(db, Filters())))
    assert (item["verdict"], item["detail"]) == ("stranger", "")
    await app.journal.close()


def test_command_of_a_phone_runs_by_sms_and_console(running: Running, cli: Cli) -> None:
    running.modem.deliver_text(
        "000", "\ufeffnote\u200b text=\u2068seen\u2069 id=from-a-phone\u200e"
    )
    running.agent.wait_command("from-a-phone", "succeeded")
    assert "seen" in running.notes()
    octets = sms.Deliver(
        sms.Address.parse("000"), sms.Timestamp.of(NOW), body(b"note text=octets id=from-c\0")
    )
    running.modem.deliver(sms.encode(octets).hex().upper())
    running.agent.wait_command("from-c", "succeeded")
    assert cli("send", "note text=typed\u200b id=typed-on-a-phone\u2069").returncode == 0
    refused = cli("send", "no\u00adte text=never")
    assert refused.returncode == 1
    assert "invisible U+00AD" in refused.stdout + refused.stderr
    told_now = json.loads(cli("explain", "Ping…", "--json").stdout)
    assert told_now["detail"] == "meant ping?"
