"""The quick start of docs/operator.md, typed as it stands."""

from __future__ import annotations

import os
import re
import shlex
import socket
import subprocess
import sys
import time
from pathlib import Path

from tests.support.agent import REPOSITORY

QUICK_S = 120.0


def masked(text: str) -> str:
    """What differs from one run to the next, made equal: times, ids, figures."""
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:]+Z", "TIME", text)
    text = re.sub(r"\b[a-z2-9]{8}(?= OK)|(?<=id=)[a-z2-9]{8}\b", "ID", text)
    return re.sub(r"up=[\d.]+", "up=N", text)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_the_quick_start_ends_with_an_answered_command(tmp_path: Path) -> None:
    page = (REPOSITORY / "docs" / "operator.md").read_text()
    start = page.partition("## Quick start")[2].partition("\n## ")[0]
    port = str(free_port())
    for body in re.findall(r"```toml\n(.*?)```", start, re.DOTALL):
        name = re.match(r"# (\S+)\n", body)
        assert name is not None
        (tmp_path / name[1]).write_text(
            body.replace("8080", port).replace("/tmp/modem0", str(tmp_path / "modem0"))
        )
    (console,) = re.findall(r"```console\n(.*?)```", start, re.DOTALL)
    started = time.monotonic()
    # A shell types the lines; what ran in the background is ended with it.
    script = [
        "set -e",
        f'modem-agent() {{ {shlex.quote(sys.executable)} -m agent "$@"; }}',
        "trap 'kill $(jobs -p); wait' EXIT",
    ]
    for line in console.splitlines():
        if not line.startswith("$ ") or "pip install" in line:
            continue
        typed = line.removeprefix("$ ").replace("8080", port)
        if typed.endswith("&"):
            typed = typed.replace("modem-agent", f"exec {shlex.quote(sys.executable)} -m agent")
            typed = f"( {typed.removesuffix('&')} ) &"
        script += [f"echo {shlex.quote(line)}", typed]
        if " simulate " in line:
            script.append("until [ -e modem0 ] && grep -q page simulate.log; do sleep 0.1; done")
    ended = subprocess.run(
        ["/bin/bash", "-c", "\n".join(script)],
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(REPOSITORY),
            "HOME": str(tmp_path),
            "XDG_RUNTIME_DIR": str(tmp_path / "run"),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=QUICK_S,
        check=False,
    )
    shown = "\n".join(line for line in console.splitlines() if "pip install" not in line) + "\n"
    assert masked(ended.stdout) == masked(shown), ended.stderr
    assert time.monotonic() - started < QUICK_S
