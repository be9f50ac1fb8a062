"""Messages on their way: from the network into the modem's routes, and out to the network."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from at.simulator import tpdu
from at.simulator.device import Device
from at.simulator.storage import Slot, Status
from at.simulator.textmode import render
from at.simulator.values import Refused, Reply, cms

ACK_TIMEOUT_S = 15.0  # a +CMT without +CNMA is refused to the network then (TS 24.011 TR2M)
LINK_KEPT_S = 5.0  # +CMMS=1 ends so long after the last send (TS 27.005 §3.5.6: 1 to 5 s)
BUFFER_BLOCKS = 32  # indications kept while +CNMI <mode> is 0


@dataclass(frozen=True, slots=True)
class Sent:
    """A message the network took: pdu as the host gave it (hex, SMSC first), TP-MR it got."""

    pdu: str
    reference: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message or report the service centre holds for the modem."""

    pdu: str
    announce: bool
    storage: str | None
    report: bool


class Traffic:
    """The service centre's side and the +CNMI routing of one modem."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.sent: list[Sent] = []
        self.on_sent: Callable[[Sent], None] | None = None  # hears of each SUBMIT
        self.waiting: deque[Waiting] = deque()
        self.acknowledged = 0
        self.refused = 0
        self._reference = 0
        self._unacknowledged: Waiting | None = None
        self._buffer: deque[tuple[str, ...]] = deque(maxlen=BUFFER_BLOCKS)
        self._full_said = False

    def deliver(
        self, pdu: str, *, announce: bool = True, storage: str | None = None, report: bool = False
    ) -> int | None:
        """Bring a message (hex, SMSC first) to the modem.

        Returns the slot it was stored in. None: routed to the host, discarded by the modem, or
        kept by the service centre until the modem can take it. announce: False stores it in
        silence. storage: the memory to use, None: where +CPMS points.
        """
        return self._take(Waiting(pdu.upper(), announce, storage, report), fresh=True)

    def offer(self, pdu: str) -> bool:
        """Bring a message (hex, SMSC first) now or not at all; False: the modem cannot take it."""
        if self.waiting:
            return False
        self._take(Waiting(pdu.upper(), announce=True, storage=None, report=False), fresh=True)
        if self.waiting:
            self.waiting.pop()
            return False
        return True

    def _take(self, message: Waiting, *, fresh: bool) -> int | None:
        if not self.device.reachable or (fresh and self.waiting and message.storage is None):
            self.waiting.append(message)
            return None
        octets = tpdu.hex_octets(message.pdu) or b""
        head = None if message.report else tpdu.header(tpdu.tpdu_of(octets), submit=False)
        if head is not None and head.pid == tpdu.TYPE_ZERO:
            return None
        if message.announce and self._direct(message, head):
            self._route(message)
            return None
        return self._store(message, head)

    def _direct(self, message: Waiting, head: tpdu.Header | None) -> bool:
        _, mt, _, ds, _ = self.device.settings.cnmi
        if message.report:
            return ds == 1
        message_class = head.message_class if head else None
        return (mt == 2 and message_class != 2) or (mt == 3 and message_class == 3)

    def _route(self, message: Waiting) -> None:
        if self.device.settings.csms:
            if self._unacknowledged is not None:
                self.waiting.append(message)
                return
            self._unacknowledged = message
            self.device.timers.at(self.device.now_s + ACK_TIMEOUT_S, "cnma", self._not_acknowledged)
        prefix = "+CDS" if message.report else "+CMT"
        length = tpdu.tpdu_length(message.pdu)
        self._indicate(render(self.device, prefix, message.pdu, length))

    def _indicate(self, lines: tuple[str, ...]) -> None:
        if self.device.settings.cnmi[0] == 0:
            self._buffer.append(lines)
        else:
            self.device.announce(*lines)

    def _store(self, message: Waiting, head: tpdu.Header | None) -> int | None:
        device = self.device
        _, mt, _, ds, _ = device.settings.cnmi
        if message.report and not (ds == 2 or message.storage):
            return None
        stores = device.stores
        name = message.storage or stores.chosen[2]
        if message.report and device.personality.report_storage:
            name = device.personality.report_storage
        elif head is not None and head.message_class == 2 and "SM" in stores:
            name = "SM"  # class 2 belongs on the SIM (TS 23.038 §4)
        view = stores[name]
        length = tpdu.tpdu_length(message.pdu)
        index = view.add(Slot(Status.REC_UNREAD, message.pdu, length))
        if index is None:
            self._say_full(name)
            self.waiting.append(message)
            return None
        wanted = ds == 2 if message.report else mt in {1, 2, 3}
        if message.announce and wanted:
            prefix = "+CDSI" if message.report else "+CMTI"
            shown = device.personality.announced_as.get(name, name)
            self._indicate((f'{prefix}: "{shown}",{index}',))
        if view.full:
            self._say_full(name)
        return index

    def _say_full(self, storage: str) -> None:
        row = self.device.personality
        if row.full_urc and not self._full_said:
            self._full_said = True
            shown = row.announced_as.get(storage, storage)
            self.device.say(row.full_urc.replace("{storage}", shown))

    def offer_waiting(self) -> None:
        """The service centre tries again what it holds, oldest first, each message once."""
        if self._full_said and not self.device.stores.receiving.full:
            self._full_said = False
            row, name = self.device.personality, self.device.stores.chosen[2]
            if row.room_urc:
                shown = row.announced_as.get(name, name)
                self.device.say(row.room_urc.replace("{storage}", shown))
        for _ in range(len(self.waiting)):
            if not self.device.reachable:
                return
            self._take(self.waiting.popleft(), fresh=False)

    def routing_changed(self) -> None:
        """+CNMI was set: flush or clear what was buffered (TS 27.005 §3.4.1 <bfr>)."""
        mode, *_, bfr = self.device.settings.cnmi
        if mode == 0:
            return
        if bfr == 0:
            for lines in self._buffer:
                self.device.announce(*lines)
        self._buffer.clear()

    def acknowledge(self, *, good: bool = True) -> None:
        """+CNMA: accept or refuse the message routed last; raises +CMS ERROR: 340 if none is."""
        if self._unacknowledged is None:
            raise cms(340)
        self.device.timers.cancel("cnma")
        self._unacknowledged = None
        if good:
            self.acknowledged += 1
        else:
            self.refused += 1
        self.offer_waiting()

    def _not_acknowledged(self) -> None:
        """The network saw no answer: routing is switched off, the centre tries again later."""
        message = self._unacknowledged
        if message is None:
            return
        self._unacknowledged = None
        self.refused += 1
        settings = self.device.settings
        mode, _, bm, _, bfr = settings.cnmi
        settings.cnmi = (mode, 0, bm, 0, bfr)
        self.waiting.appendleft(message)
        self.offer_waiting()

    def power_lost(self) -> None:
        """Forget what a modem forgets when it restarts; unacknowledged messages go back."""
        self._buffer.clear()
        self.device.timers.cancel("cnma")
        if self._unacknowledged is not None:
            self.waiting.appendleft(self._unacknowledged)
            self._unacknowledged = None

    def keep_link(self) -> None:
        """+CMMS=1 holds from now until nothing has been sent for a while."""
        timers, settings = self.device.timers, self.device.settings
        timers.cancel("cmms")

        def fall_back() -> None:
            settings.cmms = 0

        if settings.cmms == 1:
            timers.at(self.device.now_s + LINK_KEPT_S, "cmms", fall_back)

    def submit(self, pdu: str, answer: str) -> Reply:
        """Hand a SUBMIT (hex, SMSC first) to the network; answer: the prefix of the reply line.

        Raises +CMS ERROR: 331 without network, and what faults.send_codes holds.
        """
        device, faults = self.device, self.device.faults
        if not device.radio.registered:
            raise Refused("CMS", 331, after_s=faults.send_delay_s)
        code = faults.send_codes.pop(0) if faults.send_codes else 0
        if code:
            raise Refused("CMS", code, after_s=faults.send_delay_s)
        self._reference = (self._reference + 1) % 256
        reference = self._reference
        self._leave(Sent(pdu.upper(), reference))
        self.keep_link()
        octets = tpdu.tpdu_of(bytes.fromhex(pdu))
        head = tpdu.header(octets, submit=True) if octets[0] & 0x03 == 0x01 else None
        asked = head is not None and head.first & tpdu.STATUS_REPORT_REQUEST
        if head is not None and asked and faults.report_delay_s is not None:
            address, sent_at = head.address, device.clock()
            device.timers.at(
                device.now_s + faults.send_delay_s + faults.report_delay_s,
                "report",
                lambda: self._report(address, reference, sent_at),
            )
        if faults.send_silent:
            faults.send_silent -= 1
            return Reply(final="")
        return Reply((f"{answer}: {reference}",), after_s=faults.send_delay_s)

    def _leave(self, sent: Sent) -> None:
        self.sent.append(sent)
        if self.on_sent is not None:
            self.on_sent(sent)

    def _report(self, recipient: bytes, reference: int, sent_at: datetime) -> None:
        status = self.device.faults.report_status
        pdu = tpdu.status_report(recipient, reference, sent_at, self.device.clock(), status)
        self.deliver(pdu, report=True)
