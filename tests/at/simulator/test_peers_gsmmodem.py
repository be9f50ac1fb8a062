"""python-gsmmodem-new, as the package index has it, works with the simulated modem."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from at.simulator import PtyModem, RunningModem
from tests.at.simulator.peers import destination_of, text_of

gsmmodem = pytest.importorskip(
    "gsmmodem.modem", reason="no python-gsmmodem-new: pip install 'modem-agent[test]'"
)
pytestmark = [
    pytest.mark.peers,
    # the library speaks to its own reader thread in ways newer Pythons deprecate
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
WAIT_S = 40.0


@pytest.fixture
def modem() -> Iterator[RunningModem[PtyModem]]:
    with RunningModem(PtyModem) as running:
        yield running


def _settled(modem: RunningModem[PtyModem], threads: list[threading.Thread]) -> None:
    """Wait until it has dealt with all it was told of: its threads do not survive a close.

    threads: those there were when it had connected.
    """
    ends_s = time.monotonic() + WAIT_S
    while modem.messages("ME"):
        assert time.monotonic() < ends_s, modem.messages("ME")
        time.sleep(0.01)
    for thread in threading.enumerate():
        if thread not in threads:
            thread.join(WAIT_S)


@pytest.mark.parametrize("text_mode", [False, True])
def test_it_receives_and_sends(modem: RunningModem[PtyModem], text_mode: bool) -> None:
    received: list[tuple[str, str]] = []
    arrived = threading.Semaphore(0)

    def keep(message: Any) -> None:
        received.append((message.number, message.text))
        arrived.release()

    modem.deliver_text("+447700900123", "Before the start", storage="ME")  # it looks there only
    client = gsmmodem.GsmModem(
        modem.path, 115200, smsReceivedCallbackFunc=keep, requestDelivery=False
    )
    client.smsTextMode = text_mode
    client.connect()
    threads = threading.enumerate()
    try:
        assert client.imei == "490154203237518"
        assert client.networkName == "Testnet"
        client.processStoredSms()
        assert arrived.acquire(timeout=WAIT_S)
        modem.deliver_text("+447700900123", "While it runs")
        assert arrived.acquire(timeout=WAIT_S)
        client.sendSms("+447700900999", "From gsmmodem", waitForDeliveryReport=False)
        _settled(modem, threads)
    finally:
        client.close()
    assert received == [
        ("+447700900123", "Before the start"),
        ("+447700900123", "While it runs"),
    ]
    (sent,) = modem.sent
    assert (destination_of(sent.pdu), text_of(sent.pdu)) == ("+447700900999", "From gsmmodem")


def test_it_waits_for_the_delivery_report(modem: RunningModem[PtyModem]) -> None:
    client = gsmmodem.GsmModem(modem.path, 115200, requestDelivery=True)
    client.connect()
    threads = threading.enumerate()
    try:
        message = client.sendSms(
            "+447700900999", "x", waitForDeliveryReport=True, deliveryTimeout=WAIT_S
        )
        assert message.status == message.DELIVERED
        _settled(modem, threads)
    finally:
        client.close()
