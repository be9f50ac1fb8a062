"""Other programs that are installed, at the same work on the same simulated modem."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from at.simulator import RunningModem
from tests.benchmarks.drain import BAUD, COUNT, SIXTY
from tests.benchmarks.stage import STRANGER, Bench, median, until
from tests.benchmarks.table import Row
from tests.benchmarks.wire import Modem, WireModem, announced, octets, times, wire
from tests.support.agent import REPOSITORY

PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
WATCH_S = 0.0005
END_S = 15.0
DRAIN_S = 90.0
SIXTEEN = "sixteen letters."


class Running:
    """A peer at work. inbox: the folder it leaves messages in; None: it tells on its output."""

    def __init__(self, command: Sequence[str], log: Path, inbox: Path | None) -> None:
        self._told: list[float] = []
        self._files: dict[str, float] = {}
        self._command = list(command)
        self._log = log
        self._inbox = inbox
        self._ending = threading.Event()

    def __enter__(self) -> Self:
        pipe = subprocess.PIPE
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=pipe,
                stdout=log if self._inbox else pipe,
                stderr=log,
                cwd=REPOSITORY,
                env={"PATH": PATH, "LC_ALL": "C.UTF-8"},
            )
        watch = self._watch_folder if self._inbox else self._watch_output
        self._thread = threading.Thread(target=watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ending.set()
        assert self._process.stdin is not None
        self._process.stdin.close()
        if self._inbox:
            self._process.terminate()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._thread.join()
        if self._process.stdout is not None:
            self._process.stdout.close()

    @property
    def handled(self) -> list[float]:
        """When each message came out, oldest first."""
        return sorted(self._files.values()) if self._inbox else list(self._told)

    def _watch_folder(self) -> None:
        """A message is handled when its file is there, under the name that it keeps."""
        assert self._inbox is not None
        while not self._ending.is_set():
            there = {entry.name for entry in os.scandir(self._inbox)}
            now = time.monotonic()
            self._files = {name: self._files.get(name, now) for name in there}
            time.sleep(WATCH_S)

    def _watch_output(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            at, _, what = line.decode().strip().partition(" ")
            if what == "handled":
                self._told.append(float(at))


@dataclass(frozen=True, slots=True)
class Peer:
    """start: makes the running peer for a port in a folder. storage: where it looks.

    settle_s: until it is idle. live: how many announcements are worth waiting for.
    """

    name: str
    missing: str
    start: Callable[[str, Path], Running]
    storage: str = "SM"
    settle_s: float = 3.0
    live: int = 10


def _gsmmodem(port: str, folder: Path) -> Running:
    command = (sys.executable, "-m", "tests.benchmarks.peer_gsmmodem", port)
    return Running(command, folder / "log", None)


def _gammu(port: str, folder: Path) -> Running:
    folders = {name: folder / name for name in ("inbox", "outbox", "sent", "error")}
    for each in folders.values():
        each.mkdir()
    rc = folder / "smsdrc"
    rc.write_text(
        f"[gammu]\ndevice = {port}\nconnection = at115200\n"
        f"[smsd]\nservice = files\nlogfile = {folder / 'smsd.log'}\nchecksecurity = 0\n"
        "commtimeout = 1\nreceivefrequency = 1\nstatusfrequency = 0\nloopsleep = 1\n"
        f"inboxpath = {folders['inbox']}/\noutboxpath = {folders['outbox']}/\n"
        f"sentsmspath = {folders['sent']}/\nerrorsmspath = {folders['error']}/\n"
    )
    return Running(("gammu-smsd", "-c", str(rc)), folder / "log", folders["inbox"])


def _smstools(port: str, folder: Path) -> Running:
    names = ("outgoing", "checked", "incoming", "failed", "sent", "stats", "saved")
    folders = {name: folder / name for name in names}
    for each in folders.values():
        each.mkdir()
    conf = folder / "smsd.conf"
    conf.write_text(
        "devices = GSM1\n"
        + "".join(f"{name} = {folders[name]}\n" for name in names)
        + f"logfile = {folder / 'smsd.log'}\nloglevel = 4\ndelaytime = 1\nerrorsleeptime = 1\n"
        f"pidfile = {folder}/pid\ninfofile = {folder}/info\n"
        f"[GSM1]\ndevice = {port}\nincoming = yes\nbaudrate = 115200\nrtscts = no\nreport = no\n"
    )
    return Running(("smsd", "-c", str(conf), "-t"), folder / "log", folders["incoming"])


def _peers() -> list[Peer]:
    gsmmodem = "" if importlib.util.find_spec("gsmmodem") else "pip install python-gsmmodem-new"
    gammu = "" if shutil.which("gammu-smsd", path=PATH) else "apt-get install gammu-smsd"
    smstools = "" if shutil.which("smsd", path=PATH) else "apt-get install smstools"
    return [
        Peer("python-gsmmodem-new", gsmmodem, _gsmmodem, "ME", 1.0, 30),
        Peer("gammu-smsd, tuned", gammu, _gammu),
        Peer("smstools, tuned", smstools, _smstools),
    ]


def rows(bench: Bench) -> Iterator[Row]:
    """Drain and announcement of each peer."""
    for peer in _peers():
        if peer.missing:
            yield Row(f"peer {peer.name}", None, "", note=f"not installed: {peer.missing}")
            continue
        yield from _drain(bench, peer)
        yield from _live(bench, peer, None)
        yield from _live(bench, peer, BAUD)


@contextlib.contextmanager
def _modem(folder: Path, baud: int | None) -> Iterator[Modem]:
    folder.mkdir()
    with RunningModem(lambda: WireModem(baud=baud)) as modem:
        for memory in modem.call(lambda shell: shell.store.memories).values():
            memory.capacity = COUNT + 20
        yield modem


def _drain(bench: Bench, peer: Peer) -> Iterator[Row]:
    folder = bench.folder / f"{peer.start.__name__}-drain"
    with _modem(folder, BAUD) as modem:
        for _ in range(COUNT):
            modem.deliver_text(STRANGER, SIXTY, announce=False, storage=peer.storage)
        since = time.monotonic()
        with peer.start(modem.path, folder) as running:
            with contextlib.suppress(TimeoutError):
                until(lambda: len(running.handled) >= COUNT, DRAIN_S, "all handled")
            with contextlib.suppress(TimeoutError):
                until(lambda: not modem.messages(peer.storage), 10.0, "all deleted")
            moved = wire(modem, since)
            handled = list(running.handled)
    reads = times(moved, ">", rb"AT\+CMG[LR]")
    deletes = times(moved, ">", rb"\+CMGD=")
    begin, end = reads[0], max(handled + deletes)
    count = octets([one for one in moved if begin <= one.at <= end])
    note = f"{len(handled)} of {COUNT} handled"
    yield Row(
        f"drain of {COUNT} stored messages, 115200 baud: {peer.name}", end - begin, "s", note=note
    )
    yield Row(
        f"bytes on the line per stored message (60 characters): {peer.name}", count / COUNT, "bytes"
    )
    if handled:
        yield Row(f"start to first stored message handled: {peer.name}", handled[0] - since, "s")


def _live(bench: Bench, peer: Peer, baud: int | None) -> Iterator[Row]:
    folder = bench.folder / f"{peer.start.__name__}-{baud}"
    waits: list[float] = []
    with _modem(folder, baud) as modem, peer.start(modem.path, folder) as running:
        time.sleep(peer.settle_s)
        since = time.monotonic()
        for number in range(peer.live):
            begun = announced(modem, STRANGER, SIXTEEN)
            with contextlib.suppress(TimeoutError):
                until(lambda number=number: len(running.handled) > number, 30.0, "handled")  # type: ignore[misc]  # mypy cannot infer a lambda with a default
                waits.append(running.handled[number] - begun)
            time.sleep(0.1 + number * 0.037)
        count = octets(wire(modem, since))
    line = "115200 baud" if baud else "free line"
    if not waits:
        yield Row(f"+CMTI to handler, {line}: {peer.name}", None, "ms", note="never handled")
        return
    yield Row(
        f"+CMTI to handler, {line}: {peer.name}",
        median(waits) * 1e3,
        "ms",
        note=f"median of {len(waits)}",
    )
    if baud is None:
        yield Row(
            f"bytes on the line per live message (16 characters): {peer.name}",
            count / peer.live,
            "bytes",
        )
