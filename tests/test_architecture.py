"""The house rules that a reader relies on: who may import whom, and two habits."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.support.imports import ROOT, Import, closure, floors, imports, modules, within

MODULES = modules("at", "agent")
IMPORTS = imports(MODULES)
OURS = ("at", "agent")

# What reaches outside the process: pure modules get along without.
IO = """asyncio multiprocessing selectors serial serial_asyncio socket sqlite3 ssl subprocess
    threading paho transitions""".split()  # noqa: SIM905 - readable as words

# Values and rules: as easy to test as a sum.
PURE = (
    "at.errors",
    "at.command",
    "at.protocol",
    "at.sms",
    "at.urcs",
    "at.commands",
    "agent.payload.canonical",
    "agent.payload.characters",
    "agent.payload.draft",
    "agent.payload.json_form",
    "agent.payload.line_form",
    "agent.payload.sid",
    "agent.payload.suggestion",
    "agent.payload.values",
    "agent.payload.request",
    "agent.payload.arguments",
    "agent.payload.templates",
    "agent.payload.schedule",
    "agent.payload.platforms",
    "agent.payload.signatures",
    "agent.reports.reply",
    "agent.channels.mqtt.topics",
    "agent.channels.mqtt.bodies",
    "agent.config.structure",
)

# Programs for trials, which may carry a simulator; the daemon is everything else.
TRIALS = ("agent.cli.demo", "agent.cli.simulate", "agent.demo", "agent.simulator")

# Folders whose files are rows of a table, and what rows share there.
ROWS = {
    "at.profiles": ("at.profiles.profile",),
    "at.simulator.personalities": (),
    "at.simulator.commands": (),
    "agent.commands.builtin": (),
    "agent.operator.platforms": (
        "agent.operator.platforms.client",
        "agent.operator.platforms.kore",
    ),
}
COLLECTORS = ("agent.commands.catalogue", "agent.operator.platforms.catalogue")


def told(wrong: Iterable[Import]) -> str:
    return "\n".join(str(edge) for edge in wrong)


def test_the_walk_sees_the_whole_house() -> None:
    assert {"at.sms.alphabets.gsm7", "at.protocol", "agent.app", "agent.cli.main"} <= MODULES.keys()
    assert len(IMPORTS) > 200
    assert {edge.kind for edge in IMPORTS} == {"top", "lazy", "types"}


@pytest.mark.parametrize("name", [*PURE, *TRIALS, *ROWS, *COLLECTORS, *sum(ROWS.values(), ())])
def test_what_a_rule_names_exists(name: str) -> None:
    assert any(within(module, name) for module in MODULES), f"{name} is gone: mend the rule"


def test_the_driver_knows_nothing_of_the_agent() -> None:
    assert not told(e for e in IMPORTS if within(e.importer, "at") and within(e.imported, "agent"))


def test_the_codec_imports_only_errors() -> None:
    wrong = [
        e
        for e in IMPORTS
        if within(e.importer, "at.sms")
        and within(e.imported, *OURS)
        and not within(e.imported, "at.sms", "at.errors")
    ]
    assert not told(wrong)


def test_the_protocol_imports_only_errors_and_commands() -> None:
    needs = closure(["at.protocol"], IMPORTS, ("top", "lazy", "types"))
    assert {name for name in needs if within(name, *OURS)} <= {
        "at",
        "at.command",
        "at.errors",
        "at.protocol",
        "at.result_codes",
    }


@pytest.mark.parametrize("module", PURE)
def test_pure_modules_never_reach_outside(module: str) -> None:
    start = [name for name in MODULES if within(name, module)]
    assert start, f"{module} is gone: take it off the list"
    assert not {name for name in closure(start, IMPORTS) if within(name, *IO)}


def test_no_part_of_the_driver_needs_its_simulator() -> None:
    wrong = [
        e
        for e in IMPORTS
        if within(e.imported, "at.simulator") and not within(e.importer, "at.simulator", *TRIALS)
    ]
    assert not told(wrong)


def test_the_daemon_never_loads_a_simulator_a_broker_or_the_command_line() -> None:
    needs = closure(["agent.app"], IMPORTS)
    ours = ("at.simulator", "agent.simulator", "agent.operator", "agent.demo", "agent.cli")
    assert all(any(within(module, name) for module in MODULES) for name in ours)
    forbidden = (*ours, "amqtt", "aiohttp")
    assert not {name for name in needs if within(name, *forbidden)}


def test_simulated_platforms_share_no_facts_with_the_rows() -> None:
    wrong = [
        e
        for e in IMPORTS
        if within(e.importer, "agent.simulator") and within(e.imported, "agent.payload.platforms")
    ]
    assert not told(wrong)


def test_the_operators_side_and_the_simulated_platforms_share_nothing() -> None:
    """What both got wrong would pass between them."""
    wrong = [
        e
        for e in IMPORTS
        if {"agent.operator", "agent.simulator"}
        <= {".".join(name.split(".")[:2]) for name in (e.importer, e.imported)}
    ]
    assert not told(wrong)


def test_only_its_command_line_knows_the_operators_side() -> None:
    wrong = [
        e
        for e in IMPORTS
        if within(e.imported, "agent.operator")
        and not within(e.importer, "agent.operator", "agent.cli.operator")
    ]
    assert not told(wrong)


def test_only_the_command_line_knows_the_composition_root() -> None:
    wrong = [
        e
        for e in IMPORTS
        if within(e.imported, "agent.app") and not within(e.importer, "agent.app", "agent.cli")
    ]
    assert not told(wrong)


def test_nothing_knows_the_command_line() -> None:
    wrong = [
        e
        for e in IMPORTS
        if within(e.imported, "agent.cli") and not within(e.importer, "agent.cli", "agent.__main__")
    ]
    assert not told(wrong)


@pytest.mark.parametrize("folder", ROWS)
def test_rows_do_not_know_each_other(folder: str) -> None:
    rows = [
        name
        for name in MODULES
        if within(name, folder) and name not in (folder, *COLLECTORS, *ROWS[folder])
    ]
    assert rows
    wrong = [
        e for e in IMPORTS if e.importer in rows and e.imported in rows and e.imported != e.importer
    ]
    assert not told(wrong)


def test_channels_do_not_know_each_other() -> None:
    """The MQTT channel has several files; what they share is their prefix."""

    def family(module: str) -> str:
        return module.removeprefix("agent.channels.").split(".")[0].split("_")[0]

    wrong = [
        e
        for e in IMPORTS
        if within(e.importer, "agent.channels")
        and within(e.imported, "agent.channels")
        and e.imported not in ("agent.channels", "agent.reports.channel")
        and family(e.importer) != family(e.imported)
    ]
    assert not told(wrong)


# Who may import whom in agent/: from a higher level to a lower one, and within a folder.
LEVELS = (
    ("system",),
    ("payload",),
    ("journal",),
    ("config",),
    ("modem", "reports"),
    ("sms",),
    ("commands",),
    ("inbound",),
    ("channels",),
    ("control",),
    ("app", "doctor", "install", "operator", "simulator"),
    ("demo",),
    ("cli",),
    ("__main__",),
)
LEVEL = {name: level for level, names in enumerate(LEVELS) for name in names}
FOLDERS = re.compile(r"<!-- folders -->\n(.*?)<!-- end -->", re.DOTALL)


def test_imports_go_down_the_levels() -> None:
    def place(module: str) -> str:
        return module.split(".")[1] if "." in module else ""

    wrong = [
        e
        for e in IMPORTS
        if within(e.importer, "agent") and within(e.imported, "agent") and place(e.imported)
        if place(e.importer) != place(e.imported)
        and LEVEL[place(e.importer)] <= LEVEL[place(e.imported)]
    ]
    assert not told(wrong)


def test_every_folder_has_one_line_on_the_page_and_every_line_a_folder() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = FOLDERS.search(page)
    assert table is not None
    named = re.findall(r"^\| `([\w/]+)/` \|", table[1], re.MULTILINE)
    there = [
        str(path.parent.relative_to(ROOT))
        for package in OURS
        for path in (ROOT / package).rglob("__init__.py")
    ]
    assert sorted(named) == sorted(there)


def test_no_circle_of_files_not_through_a_lazy_import_either() -> None:
    assert not floors(MODULES, IMPORTS)[1]


def test_everything_from_outside_is_declared() -> None:
    """A new dependency is a decision: it stands here and in pyproject.toml, or nowhere."""
    declared = {"paho", "serial", "serial_asyncio", "transitions", "amqtt"}
    trials = {"aiohttp", "defusedxml"}  # of programs that the daemon never loads
    known = {*OURS, *sys.stdlib_module_names, *declared}
    wrong = [
        e
        for e in IMPORTS
        if e.imported.split(".")[0] not in known
        and not (
            within(e.importer, "agent.simulator", "agent.operator")
            and e.imported.split(".")[0] in trials
        )
        and (e.importer, e.imported) != ("at.simulator.pytest_plugin", "pytest")
    ]
    assert not told(wrong)


def handlers() -> Iterable[tuple[str, ast.ExceptHandler]]:
    for name, tree in MODULES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler):
                yield name, node


def test_only_the_supervisor_catches_everything() -> None:
    wrong = [
        f"{name}:{node.lineno} {caught}"
        for name, node in handlers()
        for caught in [ast.unparse(node.type) if node.type else "everything"]
        if caught == "everything"
        or {"Exception", "BaseException"} & {part.strip("() ") for part in caught.split(",")}
        if name != "agent.app"
        # Cleaning up on the way out is not catching.
        and not (caught == "BaseException" and isinstance(node.body[-1], ast.Raise))
    ]
    assert not wrong


ADDRESSES = ("sender", "originator", "recipient", "destination", "address", "reply_to", "senders")


def _mentioned(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=value) | ast.Call(func=ast.Attribute(value=value)):
            return _mentioned(value)
        case ast.Call(args=[first, *_]):
            return _mentioned(first)
    return ""


def test_short_codes_are_strings() -> None:
    """`000` is three digits: as a number it would be gone."""
    wrong = [
        f"{name}:{node.lineno} {ast.unparse(node)}"
        for name, tree in MODULES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("int", "float")
        and node.args
        and (
            _mentioned(node.args[0]) in ADDRESSES
            or name in ("agent.payload.platforms", "agent.config.defined_at")
        )
    ]
    assert not wrong


# The rules above must be able to fail: each kind of import is seen for what it is.


def test_a_wrong_import_is_seen_wherever_it_hides(tmp_path: Path) -> None:
    (tmp_path / "at").mkdir()
    (tmp_path / "at" / "__init__.py").write_text("")
    (tmp_path / "at" / "other.py").write_text("")
    (tmp_path / "at" / "x.py").write_text(
        "from typing import TYPE_CHECKING\n"
        "from at import other\n"
        "if TYPE_CHECKING:\n"
        "    import agent.app\n"
        "else:\n"
        "    import agent.link\n"
        "def f():\n"
        "    from agent import config\n"
        "try:\n"
        "    import asyncio.events\n"
        "except ImportError:\n"
        "    pass\n"
    )
    parsed = modules("at", root=tmp_path)
    found = {(e.imported, e.kind, e.line) for e in imports(parsed) if e.importer == "at.x"}
    assert found == {
        ("typing", "top", 1),
        ("at.other", "top", 2),
        ("agent.app", "types", 4),
        ("agent.link", "top", 6),
        ("agent", "lazy", 8),
        ("asyncio.events", "top", 10),
    }
    assert closure(["at.x"], imports(parsed)) >= {"agent.link", "agent", "asyncio", "at.other"}
    assert "agent.app" not in closure(["at.x"], imports(parsed))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("int(sender)", "sender"),
        ("int(message.originator)", "originator"),
        ("int(str(sender).lstrip('+'))", "sender"),
        ("int(senders[0])", "senders"),
        ("int(octets)", "octets"),
    ],
)
def test_a_number_made_of_an_address_is_seen(text: str, name: str) -> None:
    call = ast.parse(text, mode="eval").body
    assert isinstance(call, ast.Call)
    assert _mentioned(call.args[0]) == name
