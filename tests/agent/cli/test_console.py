"""`modem-agent console` as people meet it: at a terminal, on a serial line, behind a pipe."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent.conftest import Running
from tests.support.agent import REPOSITORY, Agent, simulated
from tests.support.terminal import Terminal

PROGRAM = (sys.executable, "-m", "agent", "console")


@contextlib.contextmanager
def console(
    agent: Agent, *words: str, raw: bool = False
) -> Iterator[tuple[Terminal, subprocess.Popen[bytes]]]:
    """A console on a pty: as its terminal, or (raw) as the serial line of --tty."""
    with Terminal(raw=raw) as terminal:
        env = {**agent.environment(), "TERM": "dumb", "COLUMNS": "200"}
        if raw:
            process = subprocess.Popen(
                [*PROGRAM, "--tty", str(terminal.path), *words],
                env=env,
                cwd=REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
        else:
            process = terminal.start([*PROGRAM, *words], env=env, cwd=REPOSITORY)
        try:
            yield terminal, process
        finally:
            process.kill()
            process.communicate()


# ---- a terminal -------------------------------------------------------------------------------


def test_lines_commands_and_own_words_at_a_terminal(running: Running) -> None:
    with console(running.agent) as (terminal, process):
        terminal.wait_for("gw> ")
        terminal.type("AT+CSQ\n")
        terminal.wait_for(r"\+CSQ: 17,99\r\nOK\r\n")
        terminal.type("ping id=typed\n")
        terminal.wait_for(r"typed succeeded up=\d+\r\n")
        terminal.type("bad\n")
        terminal.wait_for("failed exit-3")
        terminal.type("/status\n")
        terminal.wait_for("network +home, Testnet")
        terminal.type("/explain note\n")
        terminal.wait_for("rejected: bad-args")
        terminal.type("/history 1\n")
        terminal.wait_for("bad  \\[exit-3\\]")
        terminal.type("help topic=note id=helped\n")
        terminal.wait_for("helped succeeded text=string")
        terminal.wait_for("gw> ")
        terminal.type("\x04")
        assert process.wait(10) == 0


def test_tab_and_arrow_work_at_a_terminal(running: Running) -> None:
    with console(running.agent) as (terminal, process):
        terminal.wait_for("gw> ")
        terminal.type("pi\t")
        terminal.wait_for("ping ")
        terminal.type("\n")
        terminal.wait_for("succeeded")
        terminal.wait_for("gw> ")
        terminal.type("\x1b[A\n")
        terminal.wait_for("ping")
        terminal.wait_for("succeeded")
        terminal.wait_for("gw> ")
        terminal.type("/quit\n")
        assert process.wait(10) == 0


def test_history_is_kept_for_the_owner_alone_and_without_pins(tmp_path: Path) -> None:
    with simulated(tmp_path), Agent(tmp_path) as agent:
        with console(agent) as (terminal, process):
            terminal.wait_for("gw> ")
            terminal.type('AT+CPIN="4711"\n')
            terminal.wait_for("gw> ")
            terminal.type("ping id=kept\n")
            terminal.wait_for("kept succeeded")
            terminal.wait_for("gw> ")
            terminal.type("\x04")
            assert process.wait(10) == 0
        path = agent.folder / "state" / "console-history"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert "ping id=kept" in path.read_text()
        assert "4711" not in path.read_text()
        with console(agent) as (terminal, _):
            terminal.wait_for("gw> ")
            terminal.type("\x1b[A\n")
            terminal.wait_for("kept succeeded")


def test_ctrl_c_leaves_a_wait_and_the_console_goes_on(running: Running) -> None:
    with console(running.agent) as (terminal, process):
        terminal.wait_for("gw> ")
        terminal.type("/events\n")
        running.agent.main("send", "ping", "--id", "seen")
        terminal.wait_for("command seen succeeded")
        process.send_signal(signal.SIGINT)
        terminal.wait_for("gw> ")
        terminal.type("ping id=after\n")
        terminal.wait_for("after succeeded")


# ---- a serial line ------------------------------------------------------------------------------


def test_serial_line_is_echoed_edited_and_answered_with_crlf(running: Running) -> None:
    with console(running.agent, raw=True) as (terminal, process):
        terminal.wait_for("gw> ")
        terminal.type("AT+CSX\x7fQ\r")
        terminal.wait_for("AT\\+CSX\x08 \x08Q\r\n\\+CSQ: 17,99\r\nOK\r\ngw> ")
        terminal.type("ping id=serial\r\n")
        terminal.wait_for("ping id=serial\r\nserial succeeded up=\\d+\r\ngw> ")
        terminal.type("\x1b[A\n")
        terminal.wait_for("known already")
        terminal.type("pi\t")
        terminal.wait_for("ping ")
        terminal.type("\x03")
        terminal.wait_for("\\^C\r\ngw> ")
        terminal.type("\x04")
        assert process.wait(10) == 0
        assert "\n" not in terminal.shown.replace("\r\n", "")


def test_ctrl_c_on_a_serial_line_leaves_a_wait_and_typing_ahead_is_kept(running: Running) -> None:
    with console(running.agent, raw=True) as (terminal, _):
        terminal.wait_for("gw> ")
        terminal.type("/events\r")
        running.agent.main("send", "ping", "--id", "ahead")
        terminal.wait_for("command ahead succeeded")
        terminal.type("lost\x03")
        terminal.wait_for("\\^C\r\ngw> ")
        terminal.type("slow id=slowly\rping id=next\r")
        terminal.wait_for("slowly succeeded")
        terminal.wait_for("next succeeded")


def test_serial_console_outlives_the_agent(tmp_path: Path) -> None:
    with simulated(tmp_path):
        agent = Agent(tmp_path)
        try:
            with console(agent, raw=True) as (terminal, process):
                terminal.wait_for("modem-agent> ")
                terminal.type("ping\r")
                terminal.wait_for("error: no agent is running")
                agent.start()
                terminal.type("ping\r")
                terminal.wait_for("succeeded")
                assert process.poll() is None
        finally:
            agent.kill()


def test_hang_up_ends_it_in_order(running: Running) -> None:
    with console(running.agent, raw=True) as (terminal, process):
        terminal.wait_for("gw> ")
        terminal.hang_up()
        _, err = process.communicate(timeout=40)
        assert (process.returncode, err) == (0, b"")


def test_terminal_gets_its_settings_back(running: Running) -> None:
    with Terminal() as terminal:
        descriptor = os.open(terminal.path, os.O_RDWR | os.O_NOCTTY)
        try:
            before = termios.tcgetattr(descriptor)
            process = subprocess.Popen(
                [*PROGRAM, "--tty", str(terminal.path)],
                env=running.agent.environment(),
                cwd=REPOSITORY,
                stdin=subprocess.DEVNULL,
            )
            terminal.wait_for("gw> ")
            assert termios.tcgetattr(descriptor) != before
            terminal.type("\x04")
            assert process.wait(10) == 0
            assert termios.tcgetattr(descriptor) == before
        finally:
            os.close(descriptor)


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        (["--tty", "/nowhere/ttyS9"], 1, "No such file"),
        (["--tty", "/dev/null"], 1, "/dev/null"),
        (["--baud", "9600"], 2, "--baud"),
        (["--json"], 2, "--json"),
    ],
)
def test_what_is_no_terminal_is_told(
    running: Running, words: list[str], status: int, text: str
) -> None:
    done = running.agent.main("console", *words)
    assert (done.returncode, done.stdout) == (status, "")
    assert text in done.stderr


# ---- a pipe -----------------------------------------------------------------------------------


def test_pipe_is_read_without_a_prompt_and_tells_whether_all_went_well(running: Running) -> None:
    done = running.agent.cli("console", stdin="AT+CSQ\n\nping id=piped\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[:2] == ["+CSQ: 17,99", "OK"]
    assert done.stdout.splitlines()[2].startswith("piped succeeded")
    done = running.agent.cli(
        "console", stdin="bad\nGood morning\n/nonsense\nATZ\n/help\n/confirm\n"
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert "not a command" in done.stdout
    assert "no /nonsense" in done.stdout
    assert "unless forced" in done.stdout
    assert "nothing to confirm" in done.stdout


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("AT", "OK"),
        ("at", "OK"),
        ("ati", "OK"),
        ("AT +CSQ", "OK"),
        ("at line=I id=x1", "rejected denied off"),
        ("attack name=x", "rejected unknown-command"),
        ("ATTENTION please", "not a command"),
    ],
)
def test_at_lines_are_told_from_commands(running: Running, line: str, kind: str) -> None:
    done = running.agent.cli("console", stdin=f"{line}\n")
    assert kind in done.stdout
