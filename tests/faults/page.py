"""docs/fault-matrix.md, as played."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.faults.catalogue import FAULTS
from tests.faults.losses import Losses
from tests.faults.matrix import PHASES, Cell, in_short
from tests.faults.recovery import MESSAGES, Recovery

PAGE = Path(__file__).resolve().parents[2] / "docs" / "fault-matrix.md"

_HEAD = """\
# The fault matrix

Written by `python -m tests.faults --write`, which plays every cell with a whole agent and a
simulated modem on a pty; do not edit. `python -m pytest tests/faults` plays a part of it each time,
and all of it with `MODEM_AGENT_FAULTS=all`.

In each cell three commands come by SMS: one before the fault, one during it, one after it. The
fault begins at the very octets of a command (`AT+CMGF=` of the bring-up, `AT+CMGL`, `AT+CMGD`,
`AT+CMGS`, the Ctrl-Z after a message's body), or while nothing happens. A cell is good when,
without anybody's help, the link is `ready` again, each command had its effect exactly once, each
was answered by SMS, and no message is left in the modem.

What a cell says is the ladder's history ([the `recovery` table](operations.md)) and how long after
the end of the fault the last message had been handled; \N{EN DASH}: the driver itself got through,
by asking again. `wait`: the device was gone, and found again. Up to 2 s of each time are the last
report's, which is synced to disk with the next commit or after 2 s.

Waiting is shortened, and nothing else: a rung's patience is 6 s at most and its rest 0.3 to 3 s,
the ladder's minimum ages are a tenth, a SIM is looked at every 3 s, a network that does not answer
is given up after 8 s, a report is tried again after 1 to 3 s, the slow timer rings every 3 s.

"""


def wanted_rows() -> list[tuple[str, ...]]:
    """The table's fixed cells: the head, then the first of each row."""
    head = ("fault", *(phase.name for phase in PHASES))
    return [head, *((fault.name,) for fault in FAULTS)]


def rows_of(text: str) -> list[tuple[str, ...]]:
    """The fixed cells of a page's first table."""
    table = text.partition("| fault |")[2].partition("\n\n")[0]
    lines = ("| fault |" + table).splitlines()
    head = tuple(cell.strip() for cell in lines[0].strip("|").split("|"))
    return [head, *((line.split("|")[1].strip().strip("*"),) for line in lines[2:])]


def write(played: Mapping[str, Any]) -> None:
    """Write the page from everything that was played."""
    cells = {(c.fault, c.phase): c for c in played.values() if isinstance(c, Cell)}
    lines = [_row(["fault", *(phase.name for phase in PHASES)]), _row(["---"] * (len(PHASES) + 1))]
    for fault in FAULTS:
        found = [cells[fault.name, phase.name] for phase in PHASES]
        lines.append(_row([f"**{fault.name}**", *(_told(cell) for cell in found)]))
    lines += ["", "| fault | what it is |", "| --- | --- |"]
    lines += [_row([fault.name, fault.says]) for fault in FAULTS]
    text = _HEAD + "\n".join(lines) + "\n" + _recoveries(played) + _losses(played)
    PAGE.write_text(text, encoding="utf-8")


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _told(cell: Cell) -> str:
    if cell.problem:
        return "**FAILED**"
    return f"{in_short(taken.rung for taken in cell.history)}; {cell.done_s:.1f} s"


_RECOVERIES = {
    "gone": "port gone for 5 s: message handled after it is back",
    "mute": "mute for 30 s: message stored meanwhile handled after it speaks again",
    "deaf": "deaf but for `AT` for 30 s at the start: message handled after it",
    "unannounced": "+CMTI lost, slow timer of 4 s: message handled",
}


def _recoveries(played: Mapping[str, Any]) -> str:
    lines = [
        "",
        "## Recovery",
        "",
        "With the ladder as it is in the field, on a machine that plays everything else at once.",
        "",
        "| | after | ladder |",
        "| --- | --- | --- |",
    ]
    for name, says in _RECOVERIES.items():
        timed: Recovery = played[name]
        lines.append(_row([says, f"{timed.handled_s:.2f} s", in_short(timed.rungs)]))
    for name, found in played.items():
        if isinstance(found, Recovery) and name.startswith("noise"):
            _, kind, probability = name.split()
            says = f"noise between lines ({kind}, {probability}): handled once each"
            rungs = in_short(found.rungs)
            lines.append(_row([says, f"{found.once} of {MESSAGES}", rungs]))
    return "\n".join(lines) + "\n"


def _losses(played: Mapping[str, Any]) -> str:
    lines = [
        "",
        "## A line that loses bytes",
        "",
        "Unsolicited lines of all kinds come in between, also into answers that are on the line.",
        "",
        "| line | messages | executed once | twice | changed | lost | damaged commands |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for found in played.values():
        if isinstance(found, Losses):
            numbers = (
                found.count,
                found.once,
                found.twice,
                len(found.changed),
                len(found.gone),
                found.damaged,
            )
            lines.append(_row([f"1 byte in {found.one_in}, {found.way}", *map(str, numbers)]))
    lines += [
        "",
        "A message is lost where `AT+CMGD=` loses a digit on its way and so names another one",
        "that has not been read: the modem deletes it, and nobody can tell. The test finds the",
        "damaged command to each message that is lost.",
        "",
    ]
    return "\n".join(lines)
