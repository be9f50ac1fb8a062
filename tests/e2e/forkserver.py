"""A process that has everything imported and forks agents from itself, so that a start is cheap.

    python -m tests.e2e.forkserver      JSON lines in, JSON lines out

Each child is a process of its own that runs the agent's command line from its first line, as
`python -m agent` does; only the interpreter's start and the imports are shared. Requests:

    {"op": "fork", "argv": [...], "env": {...}, "log": PATH, "points": {...} | null} -> {"pid": N}
    {"op": "poll", "pid": N} -> {"status": N | null}     (negative: ended by that signal)
"""

from __future__ import annotations

import faulthandler
import gc
import importlib
import json
import os
import signal
import sys
from typing import Any

from tests.e2e import points

# What `modem-agent run` loads in the end: imported once here instead of in each child.
PRELOADED = (
    "agent.app",
    "agent.channels.mqtt.channel",
    "agent.channels.mqtt.requests",
    "agent.cli.main",
    "agent.cli.run",
    "agent.config.loader",
    "agent.journal.journal",
    "serial_asyncio",
    "sqlite3",
)


def main() -> None:
    for name in PRELOADED:
        importlib.import_module(name)
    gc.freeze()  # or the first collection in a child would copy every page
    statuses: dict[int, int] = {}
    forked: list[int] = []
    _answer({"ready": True})
    for line in sys.stdin:
        request = json.loads(line)
        if request["op"] == "fork":
            forked.append(_fork(request))
            _answer({"pid": forked[-1]})
        else:
            _answer({"status": _poll(request["pid"], statuses)})
    # Whoever asked for them has ended: an agent left behind would open the next modem's pty.
    for pid in forked:
        if _poll(pid, statuses) is None:
            os.kill(pid, signal.SIGKILL)


def _answer(value: dict[str, Any]) -> None:
    print(json.dumps(value), flush=True)


def _poll(pid: int, statuses: dict[int, int]) -> int | None:
    if pid not in statuses:
        done, status = os.waitpid(pid, os.WNOHANG)
        if not done:
            return None
        statuses[pid] = os.waitstatus_to_exitcode(status)
    return statuses[pid]


def _fork(request: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        _become(request)
        status = _run(request)
    finally:
        # Not sys.exit(): the server's own clean-up is not the child's business.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _become(request: dict[str, Any]) -> None:
    """Take on the child's own files and environment."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(nothing, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(nothing)
    os.close(log)
    os.environ.clear()
    os.environ.update(request["env"])
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    sys.argv = ["modem-agent", *request["argv"]]


def _run(request: dict[str, Any]) -> int:
    from agent.cli.main import main as run  # noqa: PLC0415 - imported by the server already

    if request["points"] is not None:
        points.install(**request["points"])
    return run(request["argv"])


if __name__ == "__main__":
    main()
