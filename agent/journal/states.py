"""The state machines as tables: the life of a command, of a report, of an SMS sent, of the link."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from transitions import Machine, MachineError

__all__ = ["COMMAND", "LINK", "REPORT", "SEND", "MachineError", "Table"]


class _Model:
    """What `transitions` moves; it lives only for the length of one `Table.move`."""

    state: str

    def trigger(self, name: str) -> bool:
        """Move by a trigger's name; the machine overrides this (`model_override`)."""
        return bool(name)


@dataclass(frozen=True)
class Table:
    """One state machine whose state is a column: rows are moved, no object is kept per row.

    transitions: (trigger, source states, destination).
    """

    name: str
    states: tuple[str, ...]
    final: frozenset[str]
    transitions: tuple[tuple[str, tuple[str, ...], str], ...]
    _model: _Model = field(default_factory=_Model, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)
    _machine: list[Machine] = field(default_factory=list, repr=False, compare=False)

    def move(self, state: str, trigger: str) -> str:
        """Return the state `trigger` leads to; MachineError where the table has no such move."""
        # The journal's thread and the loop's both move rows: one shared model, so one lock.
        with self._lock:
            if not self._machine:
                self._machine.append(self._build())
            self._machine[0].set_state(state, self._model)
            self._model.trigger(trigger)
            return self._model.state

    def _build(self) -> Machine:
        return Machine(
            model=self._model,
            states=list(self.states),
            initial=self.states[0],
            transitions=[
                {"trigger": trigger, "source": list(sources), "dest": dest}
                for trigger, sources, dest in self.transitions
            ],
            auto_transitions=False,
            model_override=True,
        )


COMMAND = Table(
    name="command",
    states=(
        "received",
        "rejected",
        "accepted",
        "scheduled",
        "running",
        "succeeded",
        "failed",
        "timed-out",
        "interrupted",
        "expired",
        "cancelled",
    ),
    final=frozenset(
        {"rejected", "succeeded", "failed", "timed-out", "interrupted", "expired", "cancelled"}
    ),
    transitions=(
        ("reject", ("received",), "rejected"),
        ("accept", ("received",), "accepted"),
        ("schedule", ("accepted",), "scheduled"),
        ("start", ("accepted", "scheduled"), "running"),
        ("succeed", ("running",), "succeeded"),
        ("fail", ("running",), "failed"),
        ("time_out", ("running",), "timed-out"),
        ("interrupt", ("running",), "interrupted"),
        # After a crash, for handlers that declare themselves idempotent or resumable.
        ("resume", ("running",), "scheduled"),
        ("expire", ("accepted", "scheduled"), "expired"),
        ("cancel", ("accepted", "scheduled"), "cancelled"),
    ),
)

REPORT = Table(
    name="report",
    states=("pending", "reported", "undeliverable"),
    final=frozenset({"reported", "undeliverable"}),
    transitions=(
        ("report", ("pending",), "reported"),
        ("give_up", ("pending",), "undeliverable"),
    ),
)

SEND = Table(
    name="send",
    states=("queued", "sending", "sent", "delivered", "failed", "unknown"),
    final=frozenset({"delivered", "failed", "unknown"}),
    transitions=(
        ("start", ("queued",), "sending"),
        ("retry", ("sending",), "queued"),
        ("sent", ("sending",), "sent"),
        ("deliver", ("sent", "unknown"), "delivered"),
        ("fail", ("queued", "sending", "sent", "unknown"), "failed"),
        # No answer after Ctrl-Z, or a crash while sending: nobody can know (never sent again).
        ("lose", ("sending",), "unknown"),
    ),
)

LINK = Table(
    name="link",
    states=("absent", "opening", "starting", "ready", "recovering", "backing-off"),
    final=frozenset(),
    transitions=(
        ("open", ("absent", "recovering", "backing-off"), "opening"),
        ("opened", ("opening",), "starting"),
        # From recovering too: a rung that gave up may have been just short of the modem's waking.
        ("brought_up", ("starting", "recovering"), "ready"),
        ("recover", ("starting", "ready", "backing-off"), "recovering"),
        ("recovered", ("recovering",), "starting"),
        ("back_off", ("opening", "starting", "recovering"), "backing-off"),
        (
            "vanish",
            ("opening", "starting", "ready", "recovering", "backing-off"),
            "absent",
        ),
    ),
)
