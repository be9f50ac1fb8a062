"""Goes through the table of checks, in order and in time."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from agent.doctor.check import Check
from agent.doctor.finding import Finding, Result, Verdict, error, note, skipped
from at.errors import AtError, CommandError, CommandTimeoutError, PortLostError, ReplyError
from at.port.off_loop import off_loop

if TYPE_CHECKING:
    from agent.doctor.context import Patient

__all__ = ["examine"]


async def examine(
    patient: Patient,
    checks: Sequence[Check],
    *,
    within_s: float,
    tell: Callable[[Finding], None],
) -> list[Finding]:
    """Make every check that can be made; `tell` hears of each as it ends."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    closed: dict[str, str] = {}  # what others cannot build upon, and the error at its root
    findings = []
    try:
        for check in checks:
            cause = next((closed[need] for need in check.needs if need in closed), None)
            left_s = deadline - loop.time()
            if cause is not None:
                result = skipped(f"because of: {cause}")
            elif left_s <= 0:
                result = skipped(f"not reached in {within_s:g} s (--timeout)")
            else:
                result = await _made(check, patient, min(left_s, check.limit_s))
            if result.stops or result.verdict in {Verdict.ERROR, Verdict.SKIPPED}:
                closed[check.key] = cause or check.key
            found = Finding(
                check.layer, check.name, result.verdict, result.seen, result.remedy, check.means
            )
            findings.append(found)
            tell(found)
    finally:
        await patient.close()
    return findings


async def _made(check: Check, patient: Patient, limit_s: float) -> Result:
    try:
        async with asyncio.timeout(limit_s):
            if inspect.iscoroutinefunction(check.run):
                result: Result = await check.run(patient)
                return result
            return await off_loop(lambda: _plain(check, patient), limit_s, late=lambda _: None)
    except TimeoutError:
        return error(f"no result in {limit_s:.3g} s", "try again; --timeout gives it longer")
    except (AtError, OSError, ValueError) as problem:
        return _met(problem)


def _met(problem: Exception) -> Result:
    """What an error means that a check did not expect."""
    match problem:
        case PortLostError():
            remedy = "check the modem's plug and supply"
            return error(f"the port was lost: {problem.reason}", remedy)
        case CommandTimeoutError():
            return error(str(problem), "restart the modem; modem-agent at may show what it says")
        case PermissionError():
            told = f"{problem.filename or 'it'}: {(problem.strerror or 'denied').lower()}"
            return note(told, "run this as root or as the agent's user to see it")
        case CommandError() | ReplyError():
            return note(f"the modem does not tell ({problem})")
    return error(str(problem), "see what is said above it")


def _plain(check: Check, patient: Patient) -> Result:
    result = check.run(patient)
    assert isinstance(result, Result)  # noqa: S101 - a plain function returns it at once
    return result
