"""What the control socket's operations do, on a running agent with a simulated modem."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent.conftest import Running
from tests.support.agent import REPOSITORY, Agent, simulated
from tests.support.control import Conversation


@pytest.fixture
def talk(running: Running) -> Iterator[Conversation]:
    with Conversation(running.agent.control_path) as conversation:
        yield conversation


def code(answer: dict[str, object]) -> str:
    told = answer["error"]
    assert isinstance(told, dict)
    return str(told["code"])


# ---- commands -----------------------------------------------------------------------------------


def test_command_is_followed_to_its_end(talk: Conversation) -> None:
    answers = talk.answers("send", text="slow id=s1")
    assert [answer["state"] for answer in answers] == ["accepted", "running", "succeeded"]
    assert {answer["id"] for answer in answers} == {"s1"}
    assert answers[-1]["ended"]


def test_failure_brings_its_reason(talk: Conversation) -> None:
    answer = talk.ask("send", text="bad")
    assert (answer["state"], answer["reason"]) == ("failed", "exit-3")


def test_result_is_told(talk: Conversation) -> None:
    assert set(talk.ask("send", text='{"cmd":"ping"}')["result"]) == {"up"}


@pytest.mark.parametrize(
    ("text", "verdict", "reason"),
    [
        ("nothing x=1", "rejected", "unknown-command"),
        ("note", "rejected", "bad-args"),
        ("{", "rejected", "parse"),
        ("secret", "rejected", "denied"),
        ("hello there", "not-a-command", ""),
    ],
)
def test_refusal_is_the_last_answer(
    talk: Conversation, text: str, verdict: str, reason: str
) -> None:
    (answer,) = talk.answers("send", text=text)
    assert (answer["verdict"], answer["reason"]) == (verdict, reason)


def test_same_id_runs_once_and_tells_the_stored_outcome(
    running: Running, talk: Conversation
) -> None:
    for _ in range(2):
        answer = talk.ask("send", text="note text=once", id="once-1")
        assert answer["state"] == "succeeded"
    assert answer["verdict"] == "duplicate"
    assert running.notes().count("once") == 1
    assert talk.ask("send", text="note text=other", id="once-1")["reason"] == "id-conflict"


def test_unwaited_command_goes_on_and_can_be_followed_later(talk: Conversation) -> None:
    (answer,) = talk.answers("send", text="slow", wait=False)
    assert answer["state"] in ("accepted", "running")
    assert talk.ask("follow", id=answer["id"])["state"] == "succeeded"
    assert code(talk.ask("follow", id="never-heard-of")) == "failed"


def test_wait_is_bounded_and_the_command_goes_on(talk: Conversation) -> None:
    answer = talk.ask("send", text="slow", timeout_s=0.05)
    assert answer["state"] in ("accepted", "running")
    assert not answer["ended"]
    assert talk.ask("follow", id=answer["id"])["ended"]


def test_commands_are_listed_with_their_arguments(talk: Conversation) -> None:
    answer = talk.ask("commands")
    rows = {row["name"]: row for row in answer["commands"]}
    assert answer["device"] == "gw"
    assert rows["note"]["arguments"] == {"text": {"type": "string", "required": True}}
    assert rows["ping"]["read_only"]
    assert rows["secret"]["channels"] == ["mqtt"]


# ---- SMS ------------------------------------------------------------------------------------


def test_sms_is_sent_and_its_reference_told(running: Running, talk: Conversation) -> None:
    before = len(running.modem.sent)
    answers = talk.answers("sms", to="+447700900123", text="Hello", id="sms-1")
    assert answers[-1]["state"] == "sent"
    assert len(answers[-1]["references"]) == answers[-1]["segments"] == 1
    assert len(running.modem.sent) == before + 1
    again = talk.ask("sms", to="+447700900123", text="Hello", id="sms-1")
    assert again["references"] == answers[-1]["references"]
    assert len(running.modem.sent) == before + 1
    assert code(talk.ask("sms", to="+447700900123", text="Other", id="sms-1")) == "conflict"


def test_recipient_is_read_as_people_write_it(running: Running, talk: Conversation) -> None:
    told = talk.ask("sms", to="(0171) 123-456", text="Hello")
    assert (told["state"], told["to"]) == ("sent", "0171123456")
    assert "0A811017214365" in running.modem.sent[-1].pdu.upper()
    refused = talk.ask("sms", to="0171,123", text="Hello")
    assert "to: not a number: ',' at character 5" in refused["error"]["text"]


def test_explained_sender_is_read_as_people_write_it(talk: Conversation) -> None:
    assert talk.ask("explain", text="ping", **{"from": " 0-0-0 "})["platform"] == "super-sim"
    refused = talk.ask("explain", text="ping", **{"from": "0,0,0"})
    assert (code(refused), "from: not a number" in refused["error"]["text"]) == ("usage", True)


def test_sms_of_octets(running: Running, talk: Conversation) -> None:
    data = base64.b64encode(b"\x00\xff\x1a").decode()
    assert talk.ask("sms", to="2936", data=data)["state"] == "sent"
    assert "00FF1A" in running.modem.sent[-1].pdu.upper()


@pytest.mark.parametrize(
    "fields",
    [
        {"to": "+44"},
        {"to": "+44", "text": "a", "data": "YQ=="},
        {"to": "+44", "data": "?"},
        {"to": "", "text": "a"},
        {"to": "KORE", "text": "a"},
        {"to": "0171,123", "text": "a"},
        {"to": "+44", "text": "x" * 5000},
    ],
)
def test_sms_that_could_never_be_sent_is_refused_at_once(
    talk: Conversation, fields: dict[str, str]
) -> None:
    assert code(talk.ask("sms", **fields)) == "usage"


# ---- AT lines -------------------------------------------------------------------------------


def test_at_line_is_answered(talk: Conversation) -> None:
    answer = talk.ask("at", line="AT+CSQ")
    assert (answer["lines"], answer["final"]) == (["+CSQ: 17,99"], "OK")


def test_error_of_the_modem_is_an_answer(talk: Conversation) -> None:
    answer = talk.ask("at", line="+NONSENSE")
    assert answer["ok"]
    assert "ERROR" in answer["final"]


def test_line_that_would_break_the_driver_is_refused(talk: Conversation) -> None:
    answer = talk.ask("at", line="AT+CMGF=1")
    assert code(answer) == "denied"
    assert answer["error"]["forcible"]


def test_forced_line_is_followed_by_a_bring_up(running: Running, talk: Conversation) -> None:
    ready = running.agent.log.count("modem ready")
    assert talk.ask("at", line="AT+CMGF=1", force=True)["renewed"]
    running.agent.wait_log("modem ready", count=ready + 1)
    running.modem.deliver_text("000", "ping id=after-force")
    assert running.agent.wait_command("after-force")["state"] == "succeeded"


def test_commands_and_lines_take_turns_at_the_modem(running: Running, talk: Conversation) -> None:
    for number in range(5):
        talk.request("at", req=number, line="AT+CSQ")
        running.modem.deliver_text("000", f"ping id=turn-{number}")
    assert {talk.hear()["final"] for _ in range(5)} == {"OK"}
    for number in range(5):
        assert running.agent.wait_command(f"turn-{number}")["state"] == "succeeded"


# ---- status, and an agent without a modem -------------------------------------------------------


def test_status_tells_modem_network_and_queues(talk: Conversation) -> None:
    answer = talk.ask("status")
    assert answer["modem"]["link"] == "ready"
    assert answer["modem"]["registration"] == "home"
    assert answer["modem"]["signal_dbm"] == -79
    assert answer["mqtt"] is None
    assert answer["journal"]["reset_at"] is None
    assert [row["name"] for row in answer["platforms"]] == ["super-sim", "programmable-wireless"]


def test_status_in_peace_does_not_ask_the_modem(running: Running, talk: Conversation) -> None:
    talk.ask("status")
    written = running.modem.bytes_in
    answer = talk.ask("status", radio=False)
    assert answer["modem"]["signal_dbm"] == -79  # as last seen
    assert running.modem.bytes_in == written


def test_without_a_modem_everything_but_the_modem_answers(tmp_path: Path) -> None:
    with Agent(tmp_path) as agent, Conversation(agent.control_path) as talk:
        assert talk.ask("status")["modem"]["link"] in ("absent", "opening")
        assert code(talk.ask("at", line="AT")) == "unavailable"
        assert talk.ask("send", text="ping")["state"] == "succeeded"
        assert talk.ask("sms", to="+44", text="x", wait=False)["state"] == "queued"
        assert talk.ask("sms", to="+44", text="x", timeout_s=0.05)["state"] in ("queued", "sending")


def test_operator_confirms_a_journal_that_was_begun_anew(tmp_path: Path) -> None:
    agent = Agent(tmp_path)
    agent.journal_path.write_bytes(b"not a database" * 1000)
    with simulated(tmp_path) as modem, agent, Conversation(agent.control_path) as talk:
        reset_at = talk.ask("status")["journal"]["reset_at"]
        assert reset_at is not None
        assert talk.ask("confirm")["reset_at"] == reset_at
        assert talk.ask("confirm")["reset_at"] is None
        assert talk.ask("status")["journal"]["reset_at"] is None
        modem.deliver_text("000", "ping id=p")
        assert agent.wait_command("p")["state"] == "succeeded"


def test_explicit_permission_keeps_the_console_from_sms_and_at(tmp_path: Path) -> None:
    off = {"channels": ["mqtt"]}
    settings = {"command": {"sms": off, "at": off}}
    with Agent(tmp_path, settings=settings) as agent, Conversation(agent.control_path) as talk:
        assert code(talk.ask("sms", to="+44", text="x")) == "denied"
        assert code(talk.ask("at", line="AT")) == "denied"


def test_page_has_every_operation(talk: Conversation) -> None:
    page = (REPOSITORY / "docs" / "control-socket.md").read_text()
    listed = re.findall(r"^### `(\w+)`$", page, re.MULTILINE)
    told = talk.ask("no-such-operation")["error"]["text"]
    assert told == f"no operation no-such-operation; there are {', '.join(listed)}"
