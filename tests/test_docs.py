"""The documents say what is so: links, configurations, commands, queries, diagrams, tests named."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import shlex
import sqlite3
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.channels.mqtt import reports
from agent.channels.mqtt.topics import Suffix
from agent.cli.main import COMMANDS
from agent.commands import catalogue
from agent.commands.registry import Handler
from agent.config.commands import BUILT_IN
from agent.config.loader import parse
from agent.config.model import ConfigError
from agent.journal.rows import CommandRow
from agent.journal.schema import migrate
from agent.modem.recovery_ladder import LADDER
from agent.payload import request as grammar
from agent.payload.fit import fit
from agent.payload.platforms import ROWS
from tests.support import diagrams

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((ROOT / "docs").rglob("*.md")) + [
    path for path in sorted(ROOT.glob("*.md")) if path.name != "LICENSE.md"
]

MARKS = {"documented", "recorded", "inferred", "unknown"}
NONE = "\N{EN DASH}"  # an empty cell

_BLOCK = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
_TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(test_\w+))?`")
_TYPED = re.compile(r"^[$#] (?:.*(?:&&|\|) )?(?:\S*/)?modem-agent( .*)$", re.MULTILINE)
_CODE = re.compile(r"`([^`\n]+)`")


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path, kind: str) -> list[str]:
    return [body for name, body in _BLOCK.findall(text_of(page)) if name == kind]


def prose(page: Path) -> str:
    return _BLOCK.sub("", text_of(page))


def anchors(page: Path) -> set[str]:
    """Give the anchors of a page's headings, as the usual renderers make them."""
    found: set[str] = set()
    for heading in _HEADING.findall(_BLOCK.sub("", text_of(page))):
        words = re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower())
        found.add(words.replace(" ", "-"))
    return found


def every(kind: str) -> list[Any]:
    """Give every block of a kind as a test's parameter."""
    return [
        pytest.param(body, id=f"{named(page)}-{number}")
        for page in PAGES
        for number, body in enumerate(blocks(page, kind))
    ]


# ---- links ------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in _LINK.findall(prose(page)):
        if target.startswith(("https://", "http://")):
            continue
        path, _, anchor = target.partition("#")
        linked = page if not path else (page.parent / path).resolve()
        assert linked.exists(), f"{named(page)}: no {target}"
        if anchor:
            assert anchor in anchors(linked), f"{named(page)}: no heading for {target}"


def test_every_page_is_reached_from_the_readme() -> None:
    seen: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        targets = [one.partition("#")[0] for one in _LINK.findall(prose(page))]
        local = [one for one in targets if one and "://" not in one]
        waiting += [(page.parent / one).resolve() for one in local]
    missing = {named(page) for page in PAGES if page.parent != ROOT} - {
        named(page) for page in seen if page.is_relative_to(ROOT)
    }
    assert not missing


# ---- configurations ---------------------------------------------------------------------------


def configurations() -> list[Any]:
    """Give the complete ones; the others are parts, or another program's."""
    return [one for one in every("toml") if "enabled" in tables(one.values[0], "platforms")]


def tables(body: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(body).get(name, {})
    return found


@pytest.mark.parametrize("body", configurations())
def test_every_complete_configuration_is_good(
    body: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Installed handlers that the page is about.
    monkeypatch.setattr("agent.config.commands.installed_handlers", lambda: ("disk", "led"))
    for key in tables(body, "security").get("keys", {}).values():
        file = tmp_path / Path(key["file"]).name
        file.write_bytes(b"k" * 32)
        file.chmod(0o600)
        body = body.replace(key["file"], str(file))
    try:
        config = parse(body, source=tmp_path / "modem-agent.toml")
    except ConfigError as error:
        pytest.fail(str(error))
    surprising = [str(one) for one in config.warnings if "program" not in one.expected]
    assert not surprising


# ---- commands ---------------------------------------------------------------------------------


def command_lines() -> Iterator[Any]:
    """Give every `modem-agent …` that a page tells to type: in console blocks and in the text."""
    for page in PAGES:
        typed = _TYPED.findall("\n".join(blocks(page, "console")))
        typed += [
            code.partition("modem-agent")[2]
            for code in _CODE.findall(prose(page))
            if code.startswith("modem-agent ")
        ]
        for number, words in enumerate(typed):
            yield pytest.param(words.strip(), id=f"{named(page)}-{number}")


@pytest.mark.parametrize("words", list(command_lines()))
def test_every_command_line_names_a_command_with_its_options(words: str) -> None:
    cut = re.split(r" [|>&]|&&", words.replace("…", ""))[0]
    typed = shlex.split(cut, comments=True)
    if not typed or typed[0].isupper():  # COMMAND stands for any
        return
    if typed[0] == "--config":
        typed = typed[2:]
    assert typed[0] in COMMANDS, f"no modem-agent {typed[0]}"
    options = [
        word.partition("=")[0] for word in typed[1:] if re.fullmatch("--?[a-z-]+(=.*)?", word)
    ]
    if not options:
        return
    told = help_of(typed[0], *typed[1:2])
    for option in options:
        assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", told), f"no {option}: {words}"


_HELP: dict[tuple[str, ...], str] = {}


def help_of(command: str, word: str = "") -> str:
    """Give the help of a sub-command, and of its own sub-command where `word` is one."""
    spoken = (command, word) if command in ("sms", "pdu", "config", "operator") else (command,)
    if spoken not in _HELP:
        done = subprocess.run(
            [sys.executable, "-m", "agent", *spoken, "--help"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        _HELP[spoken] = done.stdout
    return _HELP[spoken]


def test_the_built_in_commands_that_pages_list_are_those_there_are() -> None:
    built_in = {handler.name for handler in catalogue.BUILT_IN} | {"get", "set"}
    assert built_in == set(BUILT_IN)
    read_only = {handler.name for handler in catalogue.BUILT_IN if handler.read_only} | {"get"}
    told = re.search(r"read-only commands \(`([a-z ]+)`", text_of(ROOT / "docs/security.md"))
    assert told is not None
    assert set(told[1].split()) == read_only


# ---- queries, messages, JSON ------------------------------------------------------------------


@pytest.mark.parametrize("body", every("sql"))
def test_every_query_fits_the_journal(body: str) -> None:
    db = sqlite3.connect(":memory:")
    migrate(db, "2026-11-21T00:00:00.000Z")
    db.execute(body)
    db.close()


@pytest.mark.parametrize("body", every("json"))
def test_every_json_body_is_json(body: str) -> None:
    json.loads(body)


def test_the_signed_messages_of_the_platforms_page_are_signed() -> None:
    """With the second key of the published vectors, for device gateway-17."""
    key, page = b"correct horse battery staple 017", text_of(ROOT / "docs/platforms.md")
    found = re.findall(
        r"^.*?((?:reboot|restart-vpn) [a-z]+=\w+ c=\d+ m=\w{10})", page, re.MULTILINE
    )
    assert len(found) >= 2
    for message in found:
        request = grammar.read(message, known={"reboot", "restart-vpn"}).request
        assert request is not None
        told = f"gateway-17\n0\n{request.c}\n{grammar.canonical(request)}".encode()
        m = base64.b32encode(hmac.new(key, told, hashlib.sha256).digest()).decode()[:10]
        assert request.m == m, message


def test_what_sign_prints_is_what_the_platforms_page_shows(tmp_path: Path) -> None:
    shown = next(one for one in blocks(ROOT / "docs/platforms.md", "console") if " sign " in one)
    typed, _, told = shown.partition("\n")
    counter = re.search(r" c=(\d+) ", told)
    assert counter is not None
    (tmp_path / "key-0").write_bytes(b"correct horse battery staple 017")
    done = subprocess.run(
        [sys.executable, "-m", "agent", *shlex.split(typed)[2:], "--c", counter[1]],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == told


def test_the_payloads_of_the_platforms_page_get_through_and_are_commands() -> None:
    text = "\n".join(blocks(ROOT / "docs/platforms.md", "console"))
    found = re.findall(r"(?:Command|Payload)=(.*?)'|\"(?:message|payload)\":\"(.*?)\"[},]", text)
    names = ("programmable-wireless", "super-sim", "connectivitypro", "emnify")
    assert len(found) == len(names)
    for name, (form, body) in zip(names, found, strict=True):
        payload = form or body
        assert grammar.read(payload, known={"restart-vpn", "ping"}).request is not None, payload
        assert fit(payload, ROWS[name]).fits, payload
    (air,) = re.findall(r"From `2936`: `(.*?)`", text_of(ROOT / "docs/platforms.md"))
    reading = grammar.read(air, known={"restart-vpn"})
    assert reading.sid == "DC95994743FFA84A3DA3CAE14CE08BF27E"
    assert reading.request is not None


def test_the_bodies_of_the_mqtt_page_have_the_keys_that_are_published() -> None:
    result, request, sent, received = (
        json.loads(body) for body in blocks(ROOT / "docs/mqtt.md", "json")
    )
    row = CommandRow(**dict.fromkeys(CommandRow.__dataclass_fields__))  # type: ignore[arg-type]  # any value does
    assert list(result) == list(reports.result_body(row, duplicate=False))
    columns = dict.fromkeys(("n", "id", "sender", "text", "data", "sent_at", "platform", "verdict"))
    message = {**columns, "text": ""}
    assert list(received) == list(reports._received_body(message))
    send = dict.fromkeys(("id", "recipient", "state", "segments", "error"))
    assert list(sent) == list(reports._sent_body({**send, "refs": "[]"}))
    assert set(request) <= {"id", "to", "text", "data", "report"}
    for suffix in Suffix:
        assert f"| `…/{suffix}` |" in text_of(ROOT / "docs/mqtt.md")


# ---- tables -----------------------------------------------------------------------------------


def test_the_platforms_page_has_a_section_and_the_facts_of_every_row() -> None:
    page = text_of(ROOT / "docs/platforms.md")
    for row in ROWS.values():
        assert f"`{row.name}`" in page
        for sender in row.senders:
            assert f"`{sender}`" in page, f"{row.name}: {sender}"
        assert f'enabled = ["{row.name}"]' in page


def test_the_fields_of_a_handler_in_the_page_are_those_it_has() -> None:
    page = text_of(ROOT / "docs/handlers.md")
    section = page.partition("### What a `Handler` says")[2].partition("\n### ")[0]
    told = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert set(told) == set(Handler.__dataclass_fields__)


@pytest.mark.parametrize(
    "phrase",
    [
        "no watchdog: these loops hang",
        "another agent listens there",
        "belongs to a running agent",
        "mqtt not connected",
        "SMS budget is spent",
        "journal unavailable",
        "permission denied",
        "refused-pins.json",
        ".damaged-",
        "backing-off",
    ],
)
def test_what_operations_quotes_is_what_the_agent_says(phrase: str) -> None:
    assert phrase in text_of(ROOT / "docs/operations.md")
    sources = [*(ROOT / "agent").rglob("*.py"), *(ROOT / "at").rglob("*.py")]
    assert any(phrase in text_of(source) for source in sources)


def test_the_ladder_in_the_page_is_the_ladder() -> None:
    page = text_of(diagrams.PAGE)
    for rung in LADDER:
        row = next(line for line in page.splitlines() if line.startswith(f"| `{rung.name}` |"))
        told = row.split("|")[3:5]
        assert told[0].strip() == (f"{rung.settle_s:g} s" if rung.settle_s else NONE)
        limits = [
            f"{n} {per}" for n, per in ((rung.per_hour, "an hour"), (rung.per_day, "a day")) if n
        ]
        assert told[1].strip() == (", ".join(limits) or NONE)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_test_that_a_page_names_exists(page: Path) -> None:
    for path, name in _TEST.findall(text_of(page)):
        file = ROOT / path
        assert file.exists(), f"{named(page)}: no {path}"
        if name:
            assert re.search(rf"^(?:async )?def {name}\(", text_of(file), re.MULTILINE), name


def test_every_threat_is_shown_by_a_test() -> None:
    page = text_of(ROOT / "docs/security.md")
    section = page.partition("## Threats")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")][2:]
    assert len(rows) >= 10
    for row in rows:
        assert _TEST.search(row), f"no test: {row[:60]}"


def test_every_rule_of_a_platforms_api_has_its_mark_and_its_test() -> None:
    page = text_of(ROOT / "docs/platform-apis.md")
    rows = re.findall(r"^\| (.+) \| (.+) \| (`tests/.+`) \|$", page, re.MULTILINE)
    tables = [one for one in page.split("\n## ") if "| rule | mark | test |" in one]
    assert len(tables) >= 6
    assert len(rows) == sum(one.count("\n| ") - 2 for one in tables)
    for rule, mark, test in rows:
        assert mark.split()[0].rstrip(";:") in MARKS, rule
        assert _TEST.fullmatch(test), rule


# ---- diagrams ---------------------------------------------------------------------------------


def test_every_machine_is_drawn_as_its_table_says() -> None:
    text = text_of(diagrams.PAGE)
    assert set(diagrams.drawn(text)) == set(diagrams.diagrams())
    assert diagrams.redrawn(text) == text, "python -m tests.support.diagrams --write"


@pytest.mark.parametrize("name", sorted(diagrams.diagrams()))
def test_every_state_is_explained_below_its_drawing(name: str) -> None:
    text = text_of(diagrams.PAGE)
    after = text.partition(f"<!-- diagram: {name} -->")[2].partition("```\n\n")[2]
    told = [line.split("`")[1] for line in after.partition("\n\n")[0].splitlines()[2:]]
    assert told == list(diagrams.diagrams()[name].states)


def test_a_drawing_that_lags_behind_is_noticed() -> None:
    text = text_of(diagrams.PAGE)
    stale = text.replace("running --> succeeded : succeed\n", "", 1)
    assert stale != text
    assert diagrams.redrawn(stale) == text


# ---- house rules ------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_blocks_are_closed_and_lines_have_no_ragged_ends(page: Path) -> None:
    text = text_of(page)
    assert text.count("\n```") % 2 == 0
    assert not [line for line in text.splitlines() if line != line.rstrip()]
    assert text.endswith("\n")
