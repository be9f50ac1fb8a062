from __future__ import annotations

import asyncio
import socket
import threading

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from agent.channels.mqtt.dial import Call, Dialler, Will
from agent.channels.mqtt.retry import ConnectError, Failure, Version
from tests.agent.channels.conftest import settings

CALL = Call(settings(1), Version.V5, "id", Will("t", b"", retain=True), 0.05)


async def test_an_attempt_that_hangs_is_given_up_and_no_second_thread_is_started() -> None:
    release = threading.Event()
    ours, theirs = socket.socketpair()
    opened: list[Client] = []

    def opener(_call: Call) -> Client:
        release.wait(5)
        client = Client(CallbackAPIVersion.VERSION2)
        client._sock = ours
        opened.append(client)
        return client

    dialler = Dialler(opener)
    with theirs:
        with pytest.raises(ConnectError, match=r"not reached in 0\.05 s"):
            await dialler.dial(CALL)
        with pytest.raises(ConnectError, match="previous attempt"):
            await dialler.dial(CALL)
        release.set()
        theirs.setblocking(False)
        async with asyncio.timeout(30):  # the late client is handed to the loop, which hangs up
            assert await asyncio.get_running_loop().sock_recv(theirs, 1) == b""
        assert len(opened) == 1


async def test_why_an_attempt_failed_reaches_the_caller() -> None:
    def opener(_call: Call) -> Client:
        raise ConnectError(Failure.DENIED, "no")

    with pytest.raises(ConnectError) as caught:
        await Dialler(opener).dial(CALL)
    assert caught.value.failure is Failure.DENIED
