"""Check: one row of a layer's table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from agent.doctor.context import Patient
from agent.doctor.finding import Means, Result

__all__ = ["LIMIT_S", "Check"]

LIMIT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at.

    run: a plain function may block and runs in a thread (it raises only what `off_loop` carries);
    a coroutine function runs on the loop. needs: keys of checks before it; after an error or a
    skipped one of them it is skipped. means: what an error here says of the whole. limit_s: how
    long it may take.
    """

    layer: str
    name: str
    run: Callable[[Patient], Result] | Callable[[Patient], Awaitable[Result]]
    needs: tuple[str, ...] = ()
    means: Means = "failed"
    limit_s: float = LIMIT_S

    @property
    def key(self) -> str:
        """How others name it in `needs`: layer and name."""
        return f"{self.layer}: {self.name}"
