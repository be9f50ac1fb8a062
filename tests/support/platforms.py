"""The simulated platforms as users run them: `modem-agent simulate --http` as a child process."""

from __future__ import annotations

import contextlib
import http.server
import json
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

START_S = 30.0
WAIT_S = 30.0
T = TypeVar("T")


def eventually(probe: Callable[[], T | None], what: str, within_s: float = WAIT_S) -> T:
    """Return what `probe` finds once it finds something."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        found = probe()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"no {what} within {within_s:g} s")


@dataclass(frozen=True)
class Answer:
    """An HTTP answer. body: the text; `json`: what it says."""

    status: int
    headers: Mapping[str, str]
    body: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def call(
    method: str,
    url: str,
    *,
    form: Mapping[str, str] | None = None,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Make one HTTP request; an error status is an answer like any other."""
    sent = dict(headers or {})
    if form is not None:
        body = urllib.parse.urlencode(form).encode()
        sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
    request = urllib.request.Request(url, body, sent, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return Answer(answer.status, dict(answer.headers), answer.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, dict(error.headers), error.read().decode())


class Simulation:
    """One `simulate --http` process; `told` is its first line."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._words = [
            *(sys.executable, "-m", "agent", "simulate", "--http", "127.0.0.1:0", "--json"),
            *("--link", str(folder / "modem"), *options),
        ]
        self._log = folder / "simulate.log"
        self.told: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self._errors = self._log.open("ab")
        self._process = subprocess.Popen(
            self._words, stdout=subprocess.PIPE, stderr=self._errors, stdin=subprocess.DEVNULL
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self._log.read_text()
        self.told = json.loads(line)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._errors.close()
        assert "Traceback" not in self._log.read_text(), self._log.read_text()

    @property
    def url(self) -> str:
        return str(self.told["url"])

    def platform(self, name: str) -> dict[str, Any]:
        """Where a platform is: url, credentials, device."""
        return dict(self.told["platforms"][name])

    def state(self) -> dict[str, Any]:
        return dict(call("GET", f"{self.url}/_control/state").json)

    def control(self, operation: str, **values: Any) -> Any:
        answer = call("POST", f"{self.url}/_control/{operation}", body=json.dumps(values).encode())
        assert answer.status == 200, answer.body
        return answer.json

    def resident_mib(self) -> float:
        """The most memory that the process has had so far."""
        for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
        raise AssertionError("no VmHWM")


@dataclass
class Customer:
    """A customer's web server: remembers what was called, answers as it is told.

    statuses: of the next answers, then 200.
    """

    url: str = ""
    calls: list[dict[str, Any]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    def named(self, **wanted: Any) -> list[dict[str, Any]]:
        """The calls whose form fields are these."""
        return [
            one for one in self.calls if all(one["form"].get(k) == v for k, v in wanted.items())
        ]


@contextlib.contextmanager
def customer() -> Iterator[Customer]:
    """Serve on a free port of this machine."""
    told = Customer()

    class Handler(http.server.BaseHTTPRequestHandler):
        def _take(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length).decode()
            url = urllib.parse.urlsplit(self.path)
            form = dict(urllib.parse.parse_qsl(body if self.command == "POST" else url.query))
            told.calls.append(
                {
                    "method": self.command,
                    "path": self.path,
                    "headers": {name.lower(): value for name, value in self.headers.items()},
                    "body": body,
                    "form": form,
                }
            )
            self.send_response(told.statuses.pop(0) if told.statuses else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = do_PATCH = _take  # noqa: N815 - the library's names

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
