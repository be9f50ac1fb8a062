"""A simulation, an agent behind it, and an inventory of all that."""

from __future__ import annotations

import contextlib
import http.server
import io
import json
import os
import subprocess
import sys
import threading
import unittest.mock
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from agent.cli.main import main
from tests.agent.simulator.conftest import PLATFORMS, SENDERS, Place, make_agent, place
from tests.support.agent import REPOSITORY, toml

__all__ = ["make_agent", "place"]

# How each platform names the device, as its simulation knows it.
_NAMED = {
    "programmable-wireless": ("sim", "unique_name"),
    "super-sim": ("sim", "sid"),
    "connectivitypro": ("iccid", "iccid"),
    "m2m-portal": ("iccid", "iccid"),
    "emnify": ("endpoint", "endpoint_id"),
}
_SECRETS = ("client_secret", "api_key", "password", "application_token")
_PLAIN = ("client_id", "account_id", "username")


@dataclass
class Desk:
    """An operator's machine: an inventory and a state folder."""

    folder: Path
    tables: dict[str, Any] = field(default_factory=dict)

    @property
    def inventory(self) -> Path:
        return self.folder / "operator.toml"

    def secret(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text + "\n")
        path.chmod(0o600)
        return name

    def write(self) -> None:
        self.inventory.write_text(toml(self.tables))

    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.folder),
            "STATE_DIRECTORY": str(self.folder / "state"),
            "LC_ALL": "C.UTF-8",
        }

    def words(self, *words: str) -> list[str]:
        return ["operator", "--inventory", str(self.inventory), *words]

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start it as a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "agent", *self.words(*words)],
            cwd=REPOSITORY,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run it in this process."""
        out, err = io.StringIO(), io.StringIO()
        with (
            unittest.mock.patch.dict(os.environ, self.environment(), clear=True),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            try:
                status = main(self.words(*words))
            except SystemExit as end:
                status = int(end.code or 0)
        return subprocess.CompletedProcess(words, status, out.getvalue(), err.getvalue())

    def json(self, *words: str) -> dict[str, Any]:
        """What `--json` prints."""
        ended = self.run(*words, "--json")
        assert ended.stdout, ended.stderr
        return dict(json.loads(ended.stdout))


def account_table(
    desk: Desk, platform: str, url: str, credentials: Mapping[str, Any]
) -> dict[str, Any]:
    table: dict[str, Any] = {"url": url}
    for key, value in credentials.items():
        if key in _SECRETS:
            table[f"{key}_file"] = desk.secret(f"{platform}-{key}", str(value))
        elif key in _PLAIN:
            table[key] = str(value)
    if platform == "emnify":
        table["source_address"] = SENDERS[platform]
    return table


def fill(desk: Desk, place: Place, platforms: Sequence[str] = PLATFORMS) -> None:
    """Write an inventory whose devices are called as their platforms, all of them gateway-17."""
    desk.tables = {"platform": {}, "device": {}}
    for name in platforms:
        told = place.simulation.platform(name)
        account = account_table(desk, name, told["url"], told["credentials"])
        desk.tables["platform"][name] = account
        key, known = _NAMED[name]
        desk.tables["device"][name] = {"platform": name, key: told["device"][known]}
    desk.write()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk whose inventory is still to be written."""
    folder = tmp_path / "desk"
    folder.mkdir()
    return Desk(folder)


Handler = http.server.BaseHTTPRequestHandler
Answers = Callable[[Handler, bytes], None]


@contextlib.contextmanager
def platform_that(answers: Answers) -> Iterator[str]:
    class Served(Handler):
        def _take(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                answers(self, body)

        do_GET = do_POST = _take  # noqa: N815 - the library's names

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Served)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def say(handler: Handler, status: int, body: bytes, **headers: str) -> None:
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body)))
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)
