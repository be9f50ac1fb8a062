"""One measured figure beside its budget, and the table of them all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. figure None: could not be measured, and note says why.

    budget None: there is none, the figure stands beside the others for comparison.
    least: the budget is a lower bound. note: how it was taken, what is in it.
    """

    work: str
    figure: float | None
    unit: str
    budget: float | None = None
    least: bool = False
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the budget is met; None where there is none, or no figure."""
        if self.budget is None or self.figure is None:
            return None
        return self.figure >= self.budget if self.least else self.figure <= self.budget

    @property
    def verdict(self) -> str:
        """ "met", or the distance to the budget in the figure's own unit and in per cent."""
        if self.figure is None:
            return "not measured"
        if self.budget is None:
            return ""
        if self.met:
            return "met"
        distance = self.figure - self.budget
        share = f" ({distance / self.budget:+.0%})" if self.budget else ""
        return f"{'+' if distance > 0 else ''}{_number(distance)}{share}"

    def json(self) -> dict[str, Any]:
        """Everything, with the verdict in words."""
        return {**asdict(self), "met": self.met, "verdict": self.verdict}


def _number(value: float) -> str:
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3
    return f"{value:,.{digits}f}"


def cells(row: Row) -> tuple[str, str, str, str, str]:
    """Work, figure, unit, budget and verdict as they are printed."""
    figure = "-" if row.figure is None else _number(row.figure)
    budget = "" if row.budget is None else f"{'>=' if row.least else '<='} {_number(row.budget)}"
    return row.work, figure, row.unit, budget, row.verdict


HEAD = ("work", "figure", "unit", "budget", "verdict")


def line(row: Row) -> str:
    """One line for a terminal."""
    work, figure, unit, budget, verdict = cells(row)
    text = f"{work:<66} {figure:>9} {unit:<14} {budget:>9}  {verdict}".rstrip()
    return f"{text}\n    {row.note}" if row.note else text


BEGIN = "<!-- measured: written by `make bench BENCH_ARGS=--docs` -->"
END = "<!-- end of what was measured -->"


def put(page: Path, machine: str, rows: Sequence[Row]) -> None:
    """Write the machine and the table between the two marks of a page."""
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(
        f"{before}{BEGIN}\n\n{machine}\n\n{markdown(rows)}\n\n{END}{after}", encoding="utf-8"
    )


def markdown(rows: Sequence[Row]) -> str:
    """The table as it stands in the documentation."""
    lines = [" | ".join(("", *HEAD, "")).strip(), "| --- | ---: | --- | ---: | --- |"]
    lines += [" | ".join(("", *cells(row), "")).strip() for row in rows]
    return "\n".join(lines)
