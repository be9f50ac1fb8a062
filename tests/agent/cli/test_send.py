"""`modem-agent send`, `sms send`, `at` and `status`: words in, a line and an exit status out."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.agent.conftest import Cli, Running
from tests.support.agent import REPOSITORY, Agent, simulated

# ---- send ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "status", "line"),
    [
        (["ping", "id=c1"], 0, "c1 succeeded up="),
        (['{"cmd":"ping","id":"c2"}'], 0, "c2 succeeded up="),
        (["--id", "c3", "bad"], 1, "c3 failed exit-3"),
        (["nonsense", "x=1", "id=c4"], 1, "c4 rejected unknown-command nonsense"),
        (["note", "id=c5"], 1, "c5 rejected bad-args"),
        (["Good", "morning"], 1, "not-a-command"),
        (["ping", "when=+2h", "id=c6"], 0, "c6 scheduled for "),
        (["--no-wait", "slow", "id=c7"], 0, "c7 "),
        (["--timeout", "0.05", "slow", "id=c8"], 1, "c8 "),
        (["secret"], 1, "rejected denied"),
    ],
)
def test_outcome_is_one_line_and_the_exit_status(
    cli: Cli, words: list[str], status: int, line: str
) -> None:
    done = cli("send", *words)
    assert (done.returncode, done.stderr) == (status, "")
    assert line in done.stdout
    assert done.stdout.count("\n") == 1


def test_words_with_spaces_reach_the_command_whole(running: Running, cli: Cli) -> None:
    assert cli("send", "note", 'text=two "words"; and more').returncode == 0
    assert 'two "words"; and more' in running.notes()


def test_repeated_command_is_not_run_again(running: Running, cli: Cli) -> None:
    for _ in range(2):
        done = cli("send", "note", "text=repeated", "--id", "c9")
        assert done.returncode == 0
    assert "known already" in done.stdout
    assert running.notes().count("repeated") == 1


def test_json_is_one_object(cli: Cli) -> None:
    told = json.loads(cli("send", "ping", "--json").stdout)
    assert (told["verdict"], told["state"], told["ended"]) == ("accepted", "succeeded", True)
    assert "req" not in told


def test_command_from_standard_input_in_a_process_of_its_own(running: Running) -> None:
    done = running.agent.cli("send", "-", stdin='{"enable": true, "id": "c10"}')
    assert (done.returncode, done.stdout, done.stderr) == (0, "c10 succeeded enable=true\n", "")


def test_argument_that_is_not_utf8_is_wrong_use_not_a_traceback(running: Running) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "agent", "send", b"note text=\xff"],
        env=running.agent.environment(),
        cwd=REPOSITORY,
        capture_output=True,
        timeout=10,
        check=False,
    )
    assert done.returncode == 2
    assert b"half a character" in done.stderr


def test_options_may_stand_on_either_side_of_the_sub_command(running: Running) -> None:
    path = str(running.agent.config_path)
    for words in (["--config", path, "send", "ping"], ["send", "ping", "--config", path]):
        assert running.agent.cli(*words, config=False).returncode == 0


def test_restart_is_followed_over_the_end_of_the_agent(tmp_path: Path) -> None:
    with simulated(tmp_path), Agent(tmp_path) as agent:

        def start_again() -> None:
            agent.wait_end()
            agent.start()

        manager = threading.Thread(target=start_again)
        manager.start()
        done = agent.cli("send", "restart", "--id", "r1")
        manager.join()
        assert (done.returncode, done.stdout.split()[:2]) == (0, ["r1", "succeeded"])


@pytest.mark.parametrize(
    "words",
    [
        ["send", "ping"],
        ["sms", "send", "+44", "x"],
        ["status"],
        ["console"],
        ["history", "--follow"],
        ["explain", "ping", "--socket", "/nowhere/control.sock"],
    ],
)
def test_without_an_agent_the_status_is_69(tmp_path: Path, words: list[str]) -> None:
    done = Agent(tmp_path).main(*words)
    assert (done.returncode, done.stdout) == (69, "")
    assert done.stderr.startswith("modem-agent: ")
    assert done.stderr.count("\n") == 1


# ---- sms send -----------------------------------------------------------------------------------


def test_sms_is_sent(running: Running, cli: Cli) -> None:
    before = len(running.modem.sent)
    done = cli("sms", "send", "+447700900124", "Good", "morning", "--id", "t1")
    assert (done.returncode, done.stdout) == (0, "t1 sent to +447700900124\n")
    assert len(running.modem.sent) == before + 1
    told = json.loads(cli("sms", "send", "2936", "--data", "00ff", "--json").stdout)
    assert (told["state"], told["segments"]) == ("sent", 1)


def test_delivery_report_is_waited_for(cli: Cli) -> None:
    done = cli("sms", "send", "+447700900125", "arrived?", "--report", "--id", "t2")
    assert (done.returncode, done.stdout) == (0, "t2 delivered to +447700900125\n")
    listed = cli("history", "--verdict", "receipt", "--sender", "447700900125")
    assert listed.stdout.count("t2") == 1


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["+44"], 2),
        (["+44", "text", "--data", "00"], 2),
        (["+44", "--data", "xyz"], 2),
        (["+44", "x" * 5000], 2),
        (["", "text"], 2),
        (["+44", "other", "--id", "t1"], 1),
        (["+44", "text", "--timeout", "-1"], 2),
    ],
)
def test_sms_that_cannot_be_sent(cli: Cli, words: list[str], status: int) -> None:
    cli("sms", "send", "+447700900124", "Good morning", "--id", "t1")
    done = cli("sms", "send", *words)
    assert (done.returncode, done.stdout) == (status, "")
    assert done.stderr


# ---- at -------------------------------------------------------------------------------------


def test_at_lines_through_the_agent(cli: Cli) -> None:
    done = cli("at", "AT+CSQ", "+COPS?")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["+CSQ: 17,99", "OK", '+COPS: 0,0,"Testnet",7', "OK"]


def test_error_ends_the_lines_with_status_1(cli: Cli) -> None:
    done = cli("at", "+NONSENSE", "+CSQ", "--json")
    assert done.returncode == 1
    (told,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert told["lines"] == []
    assert "ERROR" in told["final"]


def test_harmful_line_is_refused_with_the_way_out(cli: Cli) -> None:
    done = cli("at", "AT+CMGS=20")
    assert (done.returncode, done.stdout) == (1, "")
    assert "modem-agent sms send" in done.stderr
    assert "unless forced" in cli("at", "AT+CMGF=0").stderr


def test_without_an_agent_the_port_itself_is_used(tmp_path: Path) -> None:
    with simulated(tmp_path):
        agent = Agent(tmp_path)
        done = agent.main("at", "AT+CSQ")
        assert (done.returncode, done.stdout) == (0, "+CSQ: 17,99\nOK\n")
        assert agent.main("at", "ATD123;").returncode == 1
        port = str(tmp_path / "modem")
        assert agent.main("at", "I", "--port", port).stdout.endswith("OK\n")


def test_without_an_agent_and_a_modem_the_status_is_69(tmp_path: Path) -> None:
    done = Agent(tmp_path).main("at", "AT+CSQ")
    assert (done.returncode, done.stdout) == (69, "")
    assert "no such device" in done.stderr
    auto = Agent(tmp_path, settings={"modem": {"port": "auto"}}).main("at", "AT+CSQ")
    assert auto.returncode == 69


# ---- status -----------------------------------------------------------------------------------


def test_status_for_a_person_and_for_a_script(cli: Cli) -> None:
    lines = dict(line.split(maxsplit=1) for line in cli("status").stdout.splitlines())
    assert lines["device"].startswith("gw, modem-agent ")
    assert lines["modem"].startswith("ready, Simulated AT Modem")
    assert lines["network"] == "home, Testnet, LTE, -79 dBm"
    assert lines["broker"] == "none configured"
    assert json.loads(cli("status", "--json").stdout)["modem"]["link"] == "ready"


def test_watch_goes_on_without_the_agent_until_it_is_interrupted(tmp_path: Path) -> None:
    with Agent(tmp_path) as agent:
        process = subprocess.Popen(
            [sys.executable, "-m", "agent", "status", "--watch", "--json", "--interval", "0.05"],
            env=agent.environment(),
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            for _ in range(2):
                assert json.loads(process.stdout.readline())["pid"] == agent.pid
            agent.stop()
            while "pid" in (told := json.loads(process.stdout.readline())):
                pass
            assert "no agent" in told["error"] or "ended" in told["error"]
            agent.start()
            while "error" in (told := json.loads(process.stdout.readline())):
                pass
            assert told["pid"] == agent.pid
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=40)
            assert (process.returncode, err) == (0, "")
        finally:
            process.kill()
            process.communicate()


# ---- all of them ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ["status"],
        ["history"],
        ["explain"],
        ["send"],
        ["sms"],
        ["sms", "send"],
        ["at"],
        ["console"],
    ],
)
def test_help_has_examples(cli: Cli, words: list[str]) -> None:
    done = cli(*words, "--help")
    assert done.returncode == 0
    assert "examples:" in done.stdout
    assert f"modem-agent {words[0]}" in done.stdout
