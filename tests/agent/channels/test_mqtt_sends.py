"""`sms/send`: who gets an SMS, and what is refused before anything is queued."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.channels.mqtt.values import Inbound
from tests.agent.parts import requests_of


async def asked(folder: Path, to: str) -> tuple[list[str], list[str]]:
    """The recipients queued and the refusals kept after one request."""
    app, requests, _ = await requests_of(folder)
    payload = json.dumps({"id": "n7", "to": to, "text": "pump off"}).encode()
    await requests.take(Inbound("sms/send", payload))
    queued = await app.journal.read(lambda db: db.execute("SELECT recipient FROM sends").fetchall())
    refused = await app.journal.read(
        lambda db: db.execute("SELECT detail FROM messages").fetchall()
    )
    await app.journal.close()
    return [row[0] for row in queued], [row[0] for row in refused]


@pytest.mark.parametrize(
    ("to", "recipient"), [("0171-123456", "0171123456"), (" +44 7700 900123 ", "+447700900123")]
)
async def test_a_recipient_is_read_as_people_write_it(
    tmp_path: Path, to: str, recipient: str
) -> None:
    assert await asked(tmp_path, to) == ([recipient], [])


@pytest.mark.parametrize(
    ("to", "mistake"),
    [("KORE", "'K' at character 1"), ("0171,123", "',' at character 5"), ("", "no digit in it")],
)
async def test_a_recipient_is_never_a_name(tmp_path: Path, to: str, mistake: str) -> None:
    refusal = f"sms/send: to: not a number: {mistake}"
    assert await asked(tmp_path, to) == ([], [refusal])
