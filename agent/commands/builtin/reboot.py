"""`reboot`: restarts the box, and proves it by another boot id."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from agent.commands.registry import Call, Handler, Outcome, Services
from agent.payload.arguments import ArgSpec
from agent.system import process
from agent.system.clock import boot_id

if TYPE_CHECKING:
    from agent.journal.rows import CommandRow

CALL_TIMEOUT_S: Final = 30.0
STILL_HERE_S: Final = 300.0  # a box that is up so long after an accepted request will not go down
DELAY_MAX_S: Final = 7 * 86400


async def _run(call: Call) -> Outcome | None:
    systemctl = _systemctl()
    if systemctl is None:
        return Outcome.error("no systemctl on this box")
    # The one call that reboots: `running` and the boot id are on disk.
    completed = await process.run([systemctl, "reboot"], timeout_s=CALL_TIMEOUT_S, id_=call.id)
    if completed.status != 0 and not completed.timed_out:
        words = ("uthoriz", "uthentic", "ccess denied")
        refused = any(word in completed.output for word in words)
        hint = " (is the polkit rule installed?)" if refused else ""
        return Outcome.error(f"{completed.output or f'exit {completed.status}'}{hint}")
    await asyncio.sleep(STILL_HERE_S)
    return Outcome.error(f"still up {STILL_HERE_S:g} s after the reboot was asked for")


async def _finish(row: CommandRow, _: Services) -> Outcome | None:
    here = boot_id()
    if here is None or row.boot_id is None:
        return Outcome("interrupted", "interrupted", "no boot id to tell whether the box rebooted")
    if here != row.boot_id:
        return Outcome.ok(boot="changed")
    if await _going_down():
        return None
    return Outcome.error("the box did not reboot")


def _systemctl() -> str | None:
    import shutil  # noqa: PLC0415 - 0.6 MB with bz2 and lzma, for the one call that reboots

    return shutil.which("systemctl")


async def _going_down() -> bool:
    systemctl = _systemctl()
    if systemctl is None:
        return False
    completed = await process.run([systemctl, "is-system-running"], timeout_s=10.0)
    return completed.output == "stopping"


REBOOT = Handler(
    name="reboot",
    summary="reboots the box; told after the boot",
    run=_run,
    arguments={"delay": ArgSpec("integer", min=0, max=DELAY_MAX_S, default=0)},
    delay_argument="delay",
    needs_boot_id=True,
    resource="system",
    timeout_s=CALL_TIMEOUT_S + STILL_HERE_S + 30.0,
    finish=_finish,
)
