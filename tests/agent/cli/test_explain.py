"""`modem-agent explain`: the same words as the journal's verdict, before and after."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.agent.conftest import Cli, Running
from tests.support.agent import Agent, simulated

# (sender, text): one for each way a message can go.
MESSAGES = [
    ("000", "ping"),
    ("000", "PING id=e1"),
    ("2936", '{"cmd":"ping","id":"e2"}'),
    ("2936", "DC0123456789abcdef0123456789abcdef ping"),
    ("000", "enable=true"),
    ("000", "enable=perhaps"),
    ("000", "note text=explained id=e3"),
    ("000", "note"),
    ("000", "note colour=red"),
    ("000", "secret id=e4"),
    ("000", "at line=I id=e5"),
    ("000", "reboot delay=soon"),
    ("000", "nonsense x=1"),
    ("000", "{"),
    ("000", '{"cmd":"ping","cmd":"ping"}'),
    ("000", '{"enable":null}'),
    ("000", "ping when=tomorrow"),
    ("000", "ping when=+90s id=e6"),
    ("000", "ping exp=2020-01-01T00:00:00Z id=e7"),
    ("000", "ping m=ABCDEFGHIJ c=1 id=e8"),
    ("000", "ping DC0123456789abcdef0123456789"),
    ("000", "Hello, is anybody there?"),
    ("000", ""),
    ("+447700900123", "ping id=e9"),
    ("KORE", "ping id=e10"),
    ("000", f"note text={'x' * 150}"),  # 160 septets: may have been cut
    ("000", f"note text={'x' * 149};"),
]


@pytest.mark.parametrize(("sender", "text"), MESSAGES)
def test_verdict_foretold_is_the_verdict_journalled(
    running: Running, cli: Cli, sender: str, text: str
) -> None:
    told = json.loads(cli("explain", "--json", "--from", sender, "--", text or " ").stdout)
    before = running.agent.query("SELECT coalesce(max(n), 0) AS n FROM messages")[0]["n"]
    running.modem.deliver_text(sender, text)
    (row,) = running.agent.wait_rows("SELECT * FROM messages WHERE n > ?", before)
    assert (told["verdict"], told["reason"], told["detail"]) == (
        row["verdict"],
        row["reason"],
        row["detail"],
    )
    assert told["platform"] == (row["platform"] or None)
    if told["id_from"] in ("payload", "sid"):
        assert told["id"] == row["id"]
    decided = [step for step in told["steps"] if step["result"] == "decided"]
    assert len(decided) == (told["verdict"] != "accepted")
    again = json.loads(cli("explain", "--json", "--message", str(row["n"])).stdout)
    verdict = next(step for step in again["steps"] if step["step"] == "verdict")
    words = (row["verdict"], row["reason"], row["detail"])
    assert verdict["text"] == " ".join(word for word in words if word)


def test_explaining_writes_nothing(running: Running, cli: Cli) -> None:
    before = running.agent.query("SELECT count(*) AS n FROM messages")
    assert cli("explain", "note text=never", "--channel", "console").returncode == 0
    assert running.agent.query("SELECT count(*) AS n FROM messages") == before
    assert "never" not in running.notes()


def test_known_id_is_a_duplicate_or_a_conflict(running: Running, cli: Cli) -> None:
    running.modem.deliver_text("000", "ping id=known")
    running.agent.wait_command("known", "succeeded")
    told = json.loads(cli("explain", "ping id=known", "--json").stdout)
    assert told["verdict"] == "duplicate"
    assert told["existing"]["state"] == "succeeded"
    other = json.loads(cli("explain", "note text=x id=known", "--json").stdout)
    assert (other["verdict"], other["reason"]) == ("rejected", "id-conflict")


def test_person_reads_verdict_checks_and_who_is_told(cli: Cli) -> None:
    out = cli("explain", "ping").stdout.splitlines()
    assert out[0] == "accepted (by sms from 000)"
    assert "told      sms to 000" in out
    assert any(line.split()[:2] == ["signature", "not"] for line in out)
    refused = cli("explain", "note", "--from", "2936").stdout.splitlines()
    assert refused[0].startswith("rejected: bad-args")
    assert any(line.startswith("  -> payload") for line in refused)
    assert refused[-1].split() == ["permission", "not", "reached"]


def test_message_over_mqtt_without_an_id_is_refused_as_it_would_be(cli: Cli) -> None:
    told = json.loads(cli("explain", "note text=x", "--channel", "mqtt", "--json").stdout)
    assert (told["reason"], told["detail"], told["id"]) == ("parse", "id", None)


def test_road_tells_every_step_in_order(running: Running, cli: Cli) -> None:
    running.modem.deliver_text("000", "slow id=walked")
    running.agent.wait_command("walked")
    running.agent.wait_rows("SELECT 1 FROM sends WHERE text LIKE 'walked%' AND state = 'sent'")
    told = json.loads(cli("explain", "--id", "walked", "--json").stdout)
    steps = [step["step"] for step in told["steps"]]
    assert steps[:4] == ["sent", "received", "platform", "verdict"]
    assert steps[4:7] == ["accepted", "running", "succeeded"]
    assert set(steps[7:]) == {"report", "reported", "sms"}
    times = [step["at"] for step in told["steps"]]
    assert times == sorted(times)
    (line,) = [
        row for row in cli("explain", "--id", "walked").stdout.splitlines() if " sms " in row
    ]
    assert "SMS to 000 sent: walked OK" in line


def test_road_of_a_long_message_tells_its_parts(running: Running, cli: Cli) -> None:
    running.modem.deliver_text("000", f"note id=parts text={'y' * 200}")
    running.agent.wait_command("parts")
    out = cli("explain", "--id", "parts").stdout
    assert "part 1 of 2 from 000" in out
    assert "part 2 of 2 from 000" in out


def test_repeat_is_told_on_both_roads(running: Running, cli: Cli) -> None:
    for channel in ("000", "2936"):
        running.modem.deliver_text(channel, "ping id=again")
    running.agent.wait_rows("SELECT 1 FROM messages WHERE id = 'again'", count=2)
    first, second = (
        json.loads(line) for line in cli("explain", "--id", "again", "--json").stdout.splitlines()
    )
    assert "repeat" in [step["step"] for step in first["steps"]]
    assert "duplicate" in [step["step"] for step in second["steps"]]


@pytest.mark.parametrize(
    "words", [[], ["ping", "--id", "x"], ["--id", "x", "--message", "1"], ["--message", "one"]]
)
def test_wrong_use(cli: Cli, words: list[str]) -> None:
    result = cli("explain", *words)
    assert result.returncode == 2
    assert result.stdout == ""


def test_message_that_never_came(cli: Cli) -> None:
    result = cli("explain", "--id", "never-came")
    assert (result.returncode, result.stdout) == (1, "")
    assert "no message with id never-came" in result.stderr


# ---- without an agent ---------------------------------------------------------------------------


def files(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


def explained(agent: Agent, *words: str) -> dict[str, Any]:
    done = agent.main("explain", "--json", *words)
    assert (done.returncode, done.stderr) == (0, "")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_journal_of_an_ended_agent_is_read_and_not_touched(tmp_path: Path, end: str) -> None:
    with simulated(tmp_path) as modem, Agent(tmp_path) as agent:
        modem.deliver_text("000", "ping id=last")
        agent.wait_command("last")
        getattr(agent, end)()
        before = files(agent.journal_path.parent)
        assert explained(agent, "ping id=last")["verdict"] == "duplicate"
        assert explained(agent, "ping id=new")["verdict"] == "accepted"
        assert explained(agent, "--id", "last")["command"]["state"] == "succeeded"
        assert files(agent.journal_path.parent) == before


def test_before_the_first_start_there_is_no_journal_and_none_is_made(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    assert explained(agent, "ping")["verdict"] == "accepted"
    assert list(agent.journal_path.parent.iterdir()) == []


def test_offline_asks_the_configuration_at_hand(running: Running, cli: Cli) -> None:
    told = json.loads(cli("explain", "ping id=offline", "--offline", "--json").stdout)
    assert told["verdict"] == "accepted"
