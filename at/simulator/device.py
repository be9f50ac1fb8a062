"""The simulated modem's insides, shared by its command handlers."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from at.simulator.personality import Personality
from at.simulator.state import Faults, Radio, Settings, SimCard
from at.simulator.storage import Stores
from at.simulator.timers import Timers
from at.simulator.values import cme

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class Device:
    """Settings, SIM, radio, memories, faults and the modem's own time.

    seed: of every random choice. epoch: the wall time at now_s = 0. imei: 15 digits.
    """

    def __init__(
        self,
        personality: Personality,
        *,
        seed: int = 0,
        epoch: datetime = EPOCH,
        imei: str = "490154203237518",
    ) -> None:
        self.personality = personality
        self.imei = imei
        self.epoch = epoch
        self.now_s = 0.0
        self.random = random.Random(seed)  # noqa: S311 - repeatable faults, no secrets
        self.settings = Settings.fresh(personality)
        self.stored_settings: Settings | None = None
        self.sim = SimCard()
        self.radio = Radio()
        self.faults = Faults()
        self.timers = Timers()
        self.stores = Stores(
            personality.storages,
            personality.views,
            personality.offered,
            personality.chosen,
            personality.first_index,
        )
        self.news: list[tuple[str, ...]] = []  # unsolicited blocks that wait for a quiet line
        self.off = False
        self.sms_from_s = 0.0  # the SMS service answers from then on
        self.restarts = 0
        self.wanted = ""  # "restart" or "off", once the command under way has been answered

    def clock(self) -> datetime:
        """Return the wall time as the modem knows it."""
        return self.epoch + timedelta(seconds=self.now_s)

    def say(self, *lines: str) -> None:
        """Queue an unsolicited result code: one block of lines."""
        if not (self.off or self.faults.mute or self.faults.deaf):
            self.news.append(lines)

    def announce(self, *lines: str) -> None:
        """Queue a message indication, unless it is to be lost."""
        if self.faults.lose_announcements:
            self.faults.lose_announcements -= self.faults.lose_announcements > 0
            return
        self.say(*lines)

    @property
    def sim_ready(self) -> bool:
        """The SIM answers and needs no PIN."""
        return self.sim.works and self.now_s >= self.sim.readable_at_s

    @property
    def sms_ready(self) -> bool:
        """The SMS service has started."""
        return self.sim_ready and self.now_s >= self.sms_from_s

    @property
    def reachable(self) -> bool:
        """The network can deliver a message to the modem now."""
        return not self.off and self.sms_ready and self.radio.registered

    def require_sim(self) -> None:
        """Raise the +CME ERROR that says what the SIM wants; nothing where it is ready."""
        if self.sim.absent or self.radio.functionality == 0:
            raise cme(10 if self.sim.absent else 13)
        if self.now_s < self.sim.readable_at_s:
            raise cme(14)
        if not self.sim.works:
            raise cme(12 if self.sim.state == "SIM PUK" else 11)

    def facts(self) -> dict[str, str]:
        """Return the values that the templates of a personality may name."""
        radio, sim = self.radio, self.sim
        return {
            "manufacturer": self.personality.manufacturer,
            "model": self.personality.model,
            "firmware": self.personality.firmware,
            "imei": self.imei,
            "imsi": sim.imsi,
            "iccid": sim.iccid,
            "pin": str(sim.pin_tries),
            "puk": str(sim.puk_tries),
            "pin2": "3",
            "puk2": "10",
            "sim": sim.state or "NOT INSERTED",
            "dbm": str(radio.dbm),
            "rssi": str(radio.rssi),
            "operator": radio.operator,
            "plmn": radio.plmn,
            "stat": str(radio.stat),
            "act": str(radio.access),
        }
