"""The control socket: everything a test wants, as JSON lines."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

import pytest

from at.simulator import PtyModem, Sent
from at.simulator.control import control_socket
from at.simulator.operations import OPERATIONS, operate, perform
from tests.at.simulator.host import HELLO


async def _talk(path: Path, *requests: dict[str, Any] | bytes) -> list[dict[str, Any]]:
    reader, writer = await asyncio.open_unix_connection(path)
    for request in requests:
        line = request if isinstance(request, bytes) else json.dumps(request).encode()
        writer.write(line + b"\n")
    answers = [json.loads(await asyncio.wait_for(reader.readline(), 5.0)) for _ in requests]
    writer.close()
    await writer.wait_closed()
    return answers


async def test_operations_over_the_socket(tmp_path: Path) -> None:
    path = tmp_path / "control"
    async with PtyModem() as modem, control_socket(modem, path):
        assert path.stat().st_mode & 0o777 == 0o600
        answers = await _talk(
            path,
            {"op": "deliver", "pdu": HELLO},
            {"op": "deliver", "sender": "2936", "text": "x" * 170, "announce": False},
            {"op": "deliver", "sender": "2936", "hex": "01ff", "storage": "ME"},
            {"op": "stored"},
            {"op": "faults", "noise": 1, "send_codes": [38]},
            {"op": "sim", "state": "SIM PIN"},
            {"op": "radio", "registration": 2},
            {"op": "status"},
            b"no json",
            b"[]",
        )
        assert [answer["ok"] for answer in answers] == [True] * 8 + [False] * 2
        assert [answer.get("indices") for answer in answers[:3]] == [[1], [2, 3], [1]]
        assert answers[3]["stored"]["SM"]["1"] == {"status": 0, "pdu": HELLO}
        status = answers[7]
        assert status["faults"]["noise"] == 1.0
        assert status["faults"]["send_codes"] == [38]
        assert (status["sim"]["state"], status["radio"]["registration"]) == ("SIM PIN", 2)
    assert not path.exists()


async def test_a_stale_socket_is_replaced_and_anything_else_is_left(tmp_path: Path) -> None:
    stale, file = tmp_path / "stale", tmp_path / "file"
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(stale))
    file.write_text("mine")
    async with PtyModem() as modem:
        async with control_socket(modem, stale):
            assert (await _talk(stale, {"op": "status"}))[0]["ok"]
        with pytest.raises(OSError, match="in use"):
            await control_socket(modem, file).__aenter__()
    assert file.read_text() == "mine"


async def test_the_rest_of_the_operations() -> None:
    async with PtyModem() as modem:
        operate(modem, "say", lines=["RING"])
        operate(modem, "inject", hex="00ff")
        operate(modem, "echo", on=False)
        operate(modem, "baud", rate=9600)
        operate(modem, "stall", on=True)
        assert (modem.baud, modem.core.device.settings.echo) == (9600, False)
        operate(modem, "deliver", sender="1", text="x")
        assert operate(modem, "delete", storage="SM", index=1) == {"deleted": True}
        operate(modem, "deliver", sender="1", text="x")
        operate(modem, "swap_card", iccid="8900", imsi="26201")
        assert (modem.store["SM"].used, modem.core.device.sim.iccid) == (0, "8900")
        operate(modem, "restart")
        assert operate(modem, "status")["restarts"] == 1
        modem.sent.append(Sent("00", 1))
        assert operate(modem, "sent", clear=True) == {"sent": [{"pdu": "00", "reference": 1}]}
        assert operate(modem, "sent") == {"sent": []}
        operate(modem, "vanish")
        assert operate(modem, "appear")["path"] == modem.path
        operate(modem, "reset_counters")
        assert operate(modem, "faults", report_delay_s=None)["faults"]["report_delay_s"] is None


@pytest.mark.parametrize(
    ("request_", "complaint"),
    [
        ({"op": "nope"}, "op is one of"),
        ({}, "op is one of"),
        ({"op": "faults", "nope": 1}, "no such field"),
        ({"op": "faults", "mute": 1}, "takes bool"),
        ({"op": "faults", "noise": "much"}, "takes float"),
        ({"op": "deliver"}, "deliver takes"),
        ({"op": "deliver", "sender": "1", "text": "x", "storage": "XX"}, "no storage"),
        ({"op": "deliver", "sender": "1", "hex": "x"}, "hex"),
        ({"op": "say", "words": []}, "unexpected keyword"),
    ],
)
async def test_bad_requests_change_nothing_and_are_told(
    request_: dict[str, Any], complaint: str
) -> None:
    async with PtyModem() as modem:
        answer = perform(modem, request_)
        assert not answer["ok"]
        assert complaint in answer["error"]
        assert modem.store.used == 0


async def test_every_operation_without_members_is_done_or_refused_politely() -> None:
    async with PtyModem() as modem:
        for name in OPERATIONS:
            answer = perform(modem, {"op": name})
            assert answer["ok"] or "missing" in answer["error"] or "takes" in answer["error"], name


async def test_heal_ends_every_fault() -> None:
    async with PtyModem() as modem:
        perform(modem, {"op": "faults", "mute": True, "drop_out": 0.5, "send_codes": [1]})
        perform(modem, {"op": "heal"})
        assert perform(modem, {"op": "faults"})["faults"]["drop_out"] == 0.0
        assert not modem.faults.mute
        assert modem.faults.send_codes == []


async def test_fill_leaves_as_many_slots_as_asked() -> None:
    async with PtyModem() as modem:
        assert perform(modem, {"op": "fill", "leave": 1}) == {"ok": True, "added": 29}
        assert modem.deliver(HELLO) == 30
        assert modem.deliver(HELLO) is None
