"""Messages from the broker that trip a fault: kept, acknowledged, told; they end nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.channels.mqtt.values import Inbound
from tests.agent.parts import requests_of

SURROGATE = rb'"\ud800"'


@pytest.mark.parametrize("suffix", ["command/request", "sms/send"])
@pytest.mark.parametrize(
    "payload",
    [
        b"[" * 20_000,
        b'{"cmd":' + b"[" * 20_000,
        b'{"a":' * 20_000,
        b"{" + SURROGATE + b":1}",
        b'{"cmd":"ping","id":' + SURROGATE + b"}",
        b'{"cmd":' + SURROGATE + b"}",
        b'{"cmd":"ping","args":{' + SURROGATE + b":1}}",
        b'{"id":"a","to":' + SURROGATE + b',"text":"x"}',
        b'{"id":"a","to":"+441","text":' + SURROGATE + b"}",
        b'{"cmd":"ping","id":' + b"9" * 5000 + b"}",
        b'{"cmd":"ping","x":NaN}',
        b"\xff" * 9000,
    ],
)
async def test_no_message_ends_its_lane(tmp_path: Path, suffix: str, payload: bytes) -> None:
    app, requests, told = await requests_of(tmp_path)
    await requests.take(Inbound(suffix, payload))  # its return is the PUBACK
    rows = await app.journal.read(lambda db: db.execute("SELECT verdict FROM messages").fetchall())
    await app.journal.close()
    assert len(rows) == 1
    assert [event.verdict for event in told] == [rows[0][0]]
