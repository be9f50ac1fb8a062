"""The running agent: its control socket, its process, its link to the modem."""

from __future__ import annotations

from typing import Any, Final

from agent import __version__
from agent.control.client import Client, NoAgentError, RequestFailedError
from agent.doctor.check import Check
from agent.doctor.context import Patient
from agent.doctor.finding import Result, error, good, note, warning
from agent.doctor.line import within

__all__ = ["CHECKS", "MODEM"]

SOCKET: Final = "agent: control socket"
MODEM: Final = "agent: modem"
ANSWER_S: Final = 8.0


def _socket(patient: Patient) -> Result:
    own = patient.config.control.socket if patient.config is not None else None
    named = patient.socket or own
    try:
        client = Client.connect([named] if named is not None else None)
    except NoAgentError as problem:
        if patient.socket is not None or not str(problem).startswith("no agent is running"):
            return error(str(problem), "name the agent's own socket, or run this as its user")
        return note(str(problem), "systemctl start modem-agent", stops=True)
    try:
        status = within(client, ANSWER_S, lambda: client.ask("status"))
    except (NoAgentError, RequestFailedError, TimeoutError) as problem:
        client.close()
        return error(f"it listens, but: {problem}", "journalctl -u modem-agent; restart it")
    told = f"device {status['device']}, process {status['pid']}"
    if patient.config is not None and patient.config.device.id != status["device"]:
        client.close()
        told += f", which is not this configuration's {patient.config.device.id}"
        return note(told, "--config names the running agent's file", stops=True)
    patient.client, patient.status = client, status
    return good(told)


def _process(patient: Patient) -> Result:
    assert patient.status is not None  # noqa: S101 - the check before
    version = patient.status["version"]
    if version != __version__:
        remedy = "systemctl restart modem-agent"
        return warning(f"version {version} runs, {__version__} is installed", remedy)
    return good(f"version {version}, up {patient.status['uptime_s']:.0f} s")


def _modem(patient: Patient) -> Result:
    assert patient.status is not None  # noqa: S101 - the check before
    modem = patient.status["modem"]
    recovery = patient.status["journal"]["last_recovery"]
    last = f"; last recovery {recovery['rung']} at {recovery['at']}" if recovery else ""
    if modem["link"] == "ready" and modem.get("inbox"):
        remedy = "modem-agent at 'AT+CPIN?'; is the card in place, and its memory sound?"
        return error(f"ready, but messages cannot be read: {modem['inbox']}{last}", remedy)
    if modem["link"] == "ready" and modem.get("unregistered_since"):
        remedy = "antenna, coverage, and whether the SIM is active at its platform"
        told = f"ready, but not registered since {modem['unregistered_since']}"
        return error(f"{told}{_seen(modem)}{last}", remedy)
    if modem["link"] == "ready":
        return good(f"ready since {modem['since']}{_seen(modem)}{last}")
    reason = f" ({modem['reason']})" if modem["reason"] else ""
    remedy = "stop the agent to have the port examined itself"
    if modem["reason"]:
        remedy = f"the reason says what to do; {remedy}"
    return error(f"{modem['link']}{reason}{last}", remedy)


def _seen(modem: dict[str, Any]) -> str:
    dbm = modem["signal_dbm"]
    words = [modem["registration"], modem["operator"], f"{dbm} dBm" if dbm is not None else None]
    return "".join(f", {word}" for word in words if word)


CHECKS: Final = (
    Check("agent", "control socket", _socket, limit_s=15.0),
    Check("agent", "process", _process, needs=(SOCKET,)),
    Check("agent", "modem", _modem, needs=(SOCKET,), means="no-modem"),
)
