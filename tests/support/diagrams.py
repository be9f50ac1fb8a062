"""The state machines drawn from their tables, so that a drawing cannot lag behind its machine.

python -m tests.support.diagrams            says which drawings in docs/ are out of date
python -m tests.support.diagrams --write    brings them up to date
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.journal.states import COMMAND, LINK, REPORT, SEND, Table
from at.bringup import bringup

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = DOCS / "state-machines.md"

# The mark is invisible in the rendered page; the drawing is the block right after it.
_DRAWING = re.compile(r"<!-- diagram: ([a-z-]+) -->\n```mermaid\n(.*?)```\n", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Diagram:
    """One machine. transitions: (trigger, source, destination), one source each."""

    name: str
    states: tuple[str, ...]
    initial: str
    final: frozenset[str]
    transitions: tuple[tuple[str, str, str], ...]


def of_table(table: Table) -> Diagram:
    """Give the diagram of one of the tables of agent.journal.states."""
    return Diagram(
        table.name, table.states, table.states[0], table.final, tuple(_each(table.transitions))
    )


def of_bringup() -> Diagram:
    """Give the diagram of at.bringup's table; a state that nothing leaves is final."""
    transitions = tuple(_each(bringup.TRANSITIONS))
    sources = {source for _, source, _ in transitions}
    final = frozenset(state for state in bringup.STATES if state not in sources)
    return Diagram("bring-up", bringup.STATES, bringup.STATES[0], final, transitions)


def _each(
    rows: Iterable[tuple[str, str | tuple[str, ...], str]],
) -> Iterable[tuple[str, str, str]]:
    for trigger, sources, destination in rows:
        for source in (sources,) if isinstance(sources, str) else sources:
            yield trigger, source, destination


def diagrams() -> Mapping[str, Diagram]:
    """Give every machine there is, by its name."""
    drawn = [*(of_table(table) for table in (COMMAND, REPORT, SEND, LINK)), of_bringup()]
    return {diagram.name: diagram for diagram in drawn}


def mermaid(diagram: Diagram) -> str:
    """Draw a machine as a mermaid stateDiagram-v2, states and transitions in their table's order.

    Ids have no dashes there, so such a state gets its own name as a label.
    """
    lines = ["stateDiagram-v2"]
    lines += [
        f'    state "{state}" as {_id(state)}' for state in diagram.states if _id(state) != state
    ]
    lines.append(f"    [*] --> {_id(diagram.initial)}")
    lines += [
        f"    {_id(source)} --> {_id(destination)} : {trigger}"
        for trigger, source, destination in diagram.transitions
    ]
    lines += [f"    {_id(state)} --> [*]" for state in diagram.states if state in diagram.final]
    return "\n".join(lines) + "\n"


def _id(state: str) -> str:
    return state.replace("-", "_")


def drawn(text: str) -> dict[str, str]:
    """Give the drawings in a page by their machine's name."""
    return {match[1]: match[2] for match in _DRAWING.finditer(text)}


def redrawn(text: str) -> str:
    """Give the page with every drawing as its table has it. KeyError for an unknown machine."""
    known = diagrams()
    return _DRAWING.sub(
        lambda match: f"<!-- diagram: {match[1]} -->\n```mermaid\n{mermaid(known[match[1]])}```\n",
        text,
    )


def main() -> int:
    """Check or write; 1 where a drawing is out of date and was not written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="bring the drawings up to date")
    options = parser.parse_args()
    text = PAGE.read_text(encoding="utf-8")
    new = redrawn(text)
    if text == new:
        return 0
    if options.write:
        PAGE.write_text(new, encoding="utf-8")
        return 0
    print(f"{PAGE}: out of date; python -m tests.support.diagrams --write", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
