from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.system import process

if TYPE_CHECKING:
    from pytest_mock import MockerFixture


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


async def test_the_output_of_both_streams_and_the_status_come_back() -> None:
    done = await process.run(["/bin/sh", "-c", "echo out; echo err >&2; exit 3"], timeout_s=10)
    assert done.status == 3
    assert sorted(done.output.split()) == ["err", "out"]
    assert not done.timed_out


async def test_there_is_no_shell_between() -> None:
    done = await process.run(["/bin/echo", "$HOME; `id` && x | y > z"], timeout_s=10)
    assert done.output == "$HOME; `id` && x | y > z"


async def test_the_environment_is_minimal_and_names_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MQTT_PASSWORD", "secret")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x")
    done = await process.run(["/usr/bin/env"], timeout_s=10, id_="a1")
    names = {line.split("=")[0] for line in done.output.splitlines()}
    assert names <= {"PATH", "TZ", "LANG", "MODEM_AGENT_COMMAND_ID"}
    assert "MODEM_AGENT_COMMAND_ID=a1" in done.output


async def test_output_is_capped_and_read_to_its_end() -> None:
    done = await process.run(python("print('x' * 1_000_000)"), timeout_s=10)
    assert done.status == 0
    assert len(done.output) == process.OUTPUT_MAX


async def test_output_that_is_not_utf_8_is_replaced() -> None:
    done = await process.run(
        python("import sys; sys.stdout.buffer.write(b'a\\xff\\xfeb')"), timeout_s=10
    )
    assert done.output == "a\ufffd\ufffdb"


async def test_standard_input_is_empty() -> None:
    done = await process.run(["/bin/cat"], timeout_s=10)
    assert (done.status, done.output) == (0, "")


async def test_a_program_that_is_not_there_is_told_and_not_raised() -> None:
    done = await process.run(["/no/such/program"], timeout_s=10)
    assert done.status is None
    assert done.output == "/no/such/program: No such file or directory"


async def test_an_argument_with_a_nul_is_told_and_not_raised() -> None:
    assert (await process.run(["/bin/echo", "a\0b"], timeout_s=10)).status is None


def alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rsplit(")", 1)[1].split()[0] != "Z"


async def gone(pid: int) -> bool:
    for _ in range(200):
        if not alive(pid):
            return True
        await asyncio.sleep(0.01)
    return False


async def test_at_the_deadline_the_whole_group_is_ended(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = f"sleep 60 & echo $! >{pids}; echo $$ >>{pids}; wait"
    done = await process.run(["/bin/sh", "-c", script], timeout_s=0.5)
    assert done.timed_out
    assert done.status == 128 + 15
    for pid in pids.read_text().split():
        assert await gone(int(pid))


async def test_a_program_that_ignores_term_is_killed(mocker: MockerFixture) -> None:
    mocker.patch.object(process, "TERM_GRACE_S", 0.2)
    script = "trap '' TERM; echo on; while :; do sleep 0.1; done"  # a shell starts quickly
    begun = time.monotonic()
    done = await process.run(["/bin/sh", "-c", script], timeout_s=1.0)
    assert (done.timed_out, done.status, done.output) == (True, 128 + 9, "on")
    assert time.monotonic() - begun < 10


async def test_a_grandchild_that_keeps_the_output_open_is_not_waited_for(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    begun = time.monotonic()
    done = await process.run(
        ["/bin/sh", "-c", f"sleep 30 & echo $! >{pids}; echo done"], timeout_s=20
    )
    assert (done.status, done.output) == (0, "done")
    assert time.monotonic() - begun < 10
    with contextlib.suppress(ProcessLookupError):
        os.kill(int(pids.read_text()), 9)


async def test_a_cancelled_run_ends_the_program(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    task = asyncio.ensure_future(
        process.run(["/bin/sh", "-c", f"echo $$ >{pid_file}; exec sleep 60"], timeout_s=60)
    )
    for _ in range(500):
        if pid_file.exists() and pid_file.read_text().strip():
            break
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await gone(int(pid_file.read_text()))


async def test_a_cancellation_that_meets_the_programs_end_is_not_lost() -> None:
    """A loop that went on after it would keep the whole agent from ending."""
    lost = 0
    for n in range(200):
        task = asyncio.ensure_future(process.run(("true",), timeout_s=10))
        await asyncio.sleep(n % 100 * 0.000_05)  # before, at and after the end, anywhere
        asked = task.cancel()
        await asyncio.wait({task})
        lost += asked and not task.cancelled()
    assert lost == 0
