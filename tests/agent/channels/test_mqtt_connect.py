from __future__ import annotations

from agent.channels.mqtt import Publication
from tests.agent.channels.conftest import ROOT, running, settings
from tests.support.broker import Mosquitto
from tests.support.mqtt_client import Observer


async def test_birth_is_told_at_connection_retained(broker: Mosquitto, observer: Observer) -> None:
    def birth() -> list[Publication]:
        return [
            Publication("info", {"version": "1"}, retain=True),
            Publication("modem", {"link": "ready", "iccid": None}, retain=True),
        ]

    async with running(settings(broker.port), birth=birth) as rig:
        await rig.up()
        assert rig.channel.status.protocol == "5"
        (status,) = await observer.seen(f"{ROOT}/status")
        (info,) = await observer.seen(f"{ROOT}/info")
        (modem,) = await observer.seen(f"{ROOT}/modem")
    assert (status.payload, status.retained, status.qos) == (b"online", True, 1)
    assert (info.json, info.retained) == ({"version": "1"}, True)
    assert (modem.json, modem.retained) == ({"link": "ready", "iccid": None}, True)


async def test_a_clean_end_publishes_offline_without_the_will(
    broker: Mosquitto, observer: Observer
) -> None:
    async with running(settings(broker.port)) as rig:
        await rig.up()
    told = await observer.seen(f"{ROOT}/status", 2)
    assert [seen.payload for seen in told] == [b"online", b"offline"]
    assert told[1].retained
    assert "Received DISCONNECT from modem-agent-gw" in broker.log()
    assert rig.channel.status.connected is False
