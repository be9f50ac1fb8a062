"""Bodies far too large: discarded while they stream in, acknowledged, told; memory stays flat."""

from __future__ import annotations

import asyncio
import hashlib
import json
import resource
from pathlib import Path

import pytest

from agent.channels.mqtt.sieve import MAX_PACKET_OCTETS, Sieve
from agent.channels.mqtt.values import Cut, Inbound
from agent.system.events import Event
from tests.agent.channels.conftest import ROOT, running, settings
from tests.agent.parts import requests_of
from tests.support.scripted_broker import Scripted, packet, scripted, text

REQUEST = f"{ROOT}/command/request"
MIB = 1024 * 1024


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_a_body_of_100_mib_is_discarded_acknowledged_and_the_next_is_taken(
    version: str,
) -> None:
    chunk = b"x" * MIB
    digest = hashlib.sha256()
    for _ in range(100):
        digest.update(chunk)
    async with (
        scripted(Scripted()) as broker,
        running(settings(broker.port, protocol=version)) as rig,
    ):
        await rig.up()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        await broker.send(REQUEST, (chunk for _ in range(100)), 100 * MIB)
        await broker.send(REQUEST, [b"ping id=1"], 9, mid=8)
        await rig.until(lambda: broker.acknowledged == [7, 8])
        grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    large, small = rig.requests
    assert large.cut == Cut(100 * MIB, digest.hexdigest(), b"x" * 8192)
    assert (large.payload, small.payload, small.cut) == (b"", b"ping id=1", None)
    assert grown_kib < 8 * 1024
    assert broker.connections == 1


@pytest.mark.parametrize("octets", [1, 2, 3, 1000])
@pytest.mark.parametrize("modern", [False, True])
def test_however_it_arrives_the_sieve_gives_the_same(octets: int, *, modern: bool) -> None:
    properties = b"\x03\x09\x00\x00" if modern else b""  # Correlation Data, empty
    body = b"0123456789" * 8000
    large = packet(0x32, text("a/b") + b"\0\7" + properties + body)
    small = packet(0x32, text("a/b") + b"\0\10" + (b"\0" if modern else b"") + b"hello")
    stream = bytearray(small + large + small)
    asked = 0

    def read(most: int) -> bytes:
        nonlocal asked
        asked += 1
        if asked % 3 == 0:
            raise BlockingIOError
        given = bytes(stream[: min(most, octets)])
        del stream[: len(given)]
        return given

    sieve = Sieve(modern=modern)
    out = bytearray()
    while True:
        try:
            given = sieve.receive(4096, read)
        except BlockingIOError:
            continue
        if not given:
            break
        out += given
    assert out.startswith(small)
    assert out.endswith(small)
    cut_packet = bytes(out[len(small) : -len(small)])
    header = text("a/b") + b"\0\7" + properties
    at = cut_packet.index(header) + len(header)
    assert sieve.cut(cut_packet[at:]) == Cut(80000, hashlib.sha256(body).hexdigest(), body[:8192])
    assert len(cut_packet) < 9000


@pytest.mark.parametrize(
    "octets",
    [
        b"\x90\xff\xff\x7f",  # a SUBACK of 2 MiB
        b"\x32\xff\xff\xff\xff\x7f",  # a length of five octets
        packet(0x32, b"\xff\xff" + b"a" * MAX_PACKET_OCTETS)[: MAX_PACKET_OCTETS + 6],
    ],
)
def test_what_cannot_be_mqtt_is_not_collected(octets: bytes) -> None:
    stream = bytearray(octets)
    sieve = Sieve(modern=True)

    def read(most: int) -> bytes:
        given = bytes(stream[:most])
        del stream[:most]
        return given

    def drain() -> None:
        while sieve.receive(4096, read):
            pass

    with pytest.raises(ValueError, match=r"a packet|PUBLISH"):
        drain()


async def kept(folder: Path, *inbound: Inbound) -> tuple[list[tuple[object, ...]], list[Event]]:
    app, requests, told = await requests_of(folder)
    for one in inbound:
        await requests.take(one)
    rows = await app.journal.read(
        lambda db: db.execute("SELECT verdict, reason, detail, text, data FROM messages").fetchall()
    )
    await app.journal.close()
    await asyncio.sleep(0)
    return rows, told


@pytest.mark.parametrize("suffix", ["command/request", "sms/send"])
async def test_a_discarded_body_is_journalled_by_its_start_and_told(
    tmp_path: Path, suffix: str
) -> None:
    cut = Cut(5 * MIB, "ab" * 32, b"x" * 8192)
    rows, told = await kept(tmp_path, Inbound(suffix, b"", cut=cut))
    detail = f"{suffix}: size, {5 * MIB} octets, SHA-256 {'ab' * 32}"
    assert rows == [("rejected", "parse", detail, None, b"x" * 8192)]
    assert [(event.verdict, event.detail) for event in told] == [("rejected", detail)]


@pytest.mark.parametrize("suffix", ["command/request", "sms/send"])
@pytest.mark.parametrize(
    "payload",
    [
        json.dumps({"cmd": "ping", "x": "y" * 60_000}).encode(),
        b"ping " + b"y" * 60_000,
        b"\xc3\xa4" * 30_000,
        b"\xff" * 60_000,
    ],
)
async def test_a_refused_body_is_journalled_cut_with_its_length_and_digest(
    tmp_path: Path, suffix: str, payload: bytes
) -> None:
    ((_, _, detail, content, data),), _ = await kept(tmp_path, Inbound(suffix, payload))
    whole = f"{len(payload)} octets, SHA-256 {hashlib.sha256(payload).hexdigest()}"
    assert str(detail).endswith(whole)
    assert payload.startswith(data if isinstance(data, bytes) else str(content).encode())
    size = len(data if isinstance(data, bytes) else str(content).encode())
    assert 8190 <= size <= 8192
