"""Both forms of one command are equal: same request, same canonical text, same signature."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from agent.payload.request import RESERVED, ROUTES, Request, canonical, read, to_json, to_line
from agent.payload.signatures import sign_request

KNOWN = frozenset({"ping", "reboot", "set"})
KEY = b"a key of the tests, thirty-two b"

TEXTS = st.one_of(
    st.text(
        alphabet=st.characters(
            exclude_categories=["Cc", "Cf", "Cn", "Co", "Cs", "Mn"],
            exclude_characters="\u115f\u1160\u2800\u3164\uffa0\ufffc",  # nobody sees them
        ),
        max_size=40,
    ),
    st.text(alphabet=' ="; \t\n{}\\abc', max_size=12),
    st.sampled_from(["true", "false", "null", "1e3", "-0", "007", "1.", "", "DC" + "1" * 32]),
)
NAMES = st.text(alphabet="abcdefgxyz0123456789_-", min_size=1, max_size=12).filter(
    lambda name: name not in RESERVED
)
IDS = st.text(alphabet="ABCxyz019._:-", min_size=1, max_size=36)
WHENS = st.sampled_from(["Immediate", "NEXTBOOT", "+90s", "+2h", "2026-11-21T10:00:00+01:00"])
EXPS = st.sampled_from(["+1d", "2026-11-21T10:00Z", "20261121T100000Z", "2026-11-21 10:00:00Z"])


def maybe(values: st.SearchStrategy[str]) -> st.SearchStrategy[str | None]:
    return st.one_of(st.none(), values)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    args = draw(st.dictionaries(NAMES, TEXTS, max_size=5))
    properties = bool(args) and draw(st.booleans())
    return Request(
        cmd="set" if properties else draw(st.sampled_from(sorted(KNOWN))),
        args=args,
        id=draw(maybe(IDS)),
        when=draw(maybe(WHENS)),
        exp=draw(maybe(EXPS)),
        reply=draw(maybe(st.sampled_from(ROUTES))),
        k=draw(maybe(TEXTS)),
        c=draw(maybe(TEXTS)),
        m=draw(maybe(TEXTS)),
        properties=properties,
    )


@given(requests())
def test_either_form_reads_back_as_the_request_it_was_written_from(request: Request) -> None:
    for text, form in ((to_line(request), "line"), (to_json(request), "json")):
        got = read(text, known=KNOWN).request
        assert got == request
        assert got.form == form


@given(requests(), st.sampled_from(["", "; -- sent by the portal", " DC" + "7" * 32]))
def test_both_forms_sign_alike_whatever_is_appended(request: Request, tail: str) -> None:
    line = read(to_line(request) + tail, known=KNOWN).request
    as_json = read(to_json(request) + tail, known=KNOWN).request
    assert line is not None
    assert as_json is not None
    assert canonical(line) == canonical(as_json) == canonical(request)
    signature = sign_request(request, KEY, "gateway-17", "0", "1")
    assert sign_request(line, KEY, "gateway-17", "0", "1") == signature
    assert sign_request(as_json, KEY, "gateway-17", "0", "1") == signature


@given(requests(), st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20))
def test_plain_json_of_other_writers_means_the_same(request: Request, space: str) -> None:
    """The nested form, ASCII-escaped, indented, in any case of the names."""
    body: dict[str, object] = {} if request.properties else {"CMD": request.cmd.upper()}
    if request.properties:
        body |= {name.upper(): value for name, value in request.args.items()}
    else:
        body["Args"] = {name.upper(): value for name, value in request.args.items()}
    for name in ("id", "when", "exp", "reply", "k", "c", "m"):
        if getattr(request, name) is not None:
            body[name.upper()] = getattr(request, name)
    text = json.dumps(body, indent=1) + ";" + space
    reading = read(text + ".", known=KNOWN)
    assert reading.request == request


@given(requests())
def test_the_canonical_request_is_what_the_contract_says(request: Request) -> None:
    text = canonical(request)
    told = json.loads(text)
    assert text == json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert set(told) <= {"args", "cmd", "exp", "id", "reply", "when"}
    assert told["cmd"] == request.cmd
    assert told.get("args", {}) == request.args
    assert all(isinstance(value, str) for value in told.get("args", {}).values())
    for name in ("exp", "id", "reply", "when"):
        assert told.get(name) == getattr(request, name)


def test_properties_sign_as_set() -> None:
    properties = read('{"enable":true,"level":1.50}', known=KNOWN).request
    command = read("set level=1.50 enable=true", known=KNOWN).request
    assert properties is not None
    assert command is not None
    assert properties.properties
    assert not command.properties
    assert canonical(properties) == canonical(command)
    assert canonical(properties) == '{"args":{"enable":"true","level":"1.50"},"cmd":"set"}'


def test_empty_args_are_as_absent() -> None:
    empty = read('{"cmd":"ping","args":{}}', known=KNOWN).request
    assert empty is not None
    assert canonical(empty) == '{"cmd":"ping"}'


def test_numbers_sign_as_written_not_as_valued() -> None:
    one, other = (read(f"reboot delay={text}", known=KNOWN).request for text in ("5", "5.0"))
    assert one is not None
    assert other is not None
    assert canonical(one) != canonical(other)


def test_the_effective_id_makes_two_ways_of_giving_it_compare_equal() -> None:
    inside = read("ping id=7", known=KNOWN).request
    beside = read("ping", known=KNOWN).request
    assert inside is not None
    assert beside is not None
    assert canonical(inside) != canonical(beside)
    assert canonical(inside, id="7") == canonical(beside, id="7")


def test_json_is_written_short() -> None:
    request = Request("reboot", {"delay": "5", "why": "07"}, id="7", c="1700000000", m="ABC")
    assert (
        to_json(request)
        == '{"cmd":"reboot","delay":5,"why":"07","id":"7","c":1700000000,"m":"ABC"}'
    )
    assert to_line(replace(request, m=None)) == "reboot delay=5 why=07 id=7 c=1700000000"


def test_a_request_knows_whether_it_claims_a_signature() -> None:
    assert not Request("ping").signed
    assert Request("ping", k="").signed
    assert Request("ping", c="").signed
    assert Request("ping", m="").signed
