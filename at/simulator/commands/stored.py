"""Stored messages: choose a memory, list, read, delete (TS 27.005 §3.2.2, §3.4.2, §3.5.4)."""

from __future__ import annotations

from at.simulator.lines import Arguments
from at.simulator.storage import TEXT_STATUS, Slot, Status
from at.simulator.table import Modem, Row
from at.simulator.textmode import lines_of
from at.simulator.values import OK, Outcome, Reply, cms


def _chosen(modem: Modem) -> Outcome:
    stores = modem.device.stores
    parts = (f'"{name}",{stores[name].used},{stores[name].capacity}' for name in stores.chosen)
    return Reply((f"+CPMS: {','.join(parts)}",))


def _choose(modem: Modem, args: Arguments) -> Outcome:
    stores = modem.device.stores
    names = list(stores.chosen)
    if len(args) not in modem.device.personality.cpms_names:
        raise cms(302)
    for place in range(min(len(args), 3)):
        name = args.text(place, names[place]).upper()
        if name not in stores.offered[place]:
            raise cms(302)
        names[place] = name
    stores.chosen = (names[0], names[1], names[2])
    counts = (f"{stores[name].used},{stores[name].capacity}" for name in stores.chosen)
    modem.traffic.offer_waiting()
    return Reply((f"+CPMS: {','.join(counts)}",))


def _offered(modem: Modem) -> Outcome:
    sets = (
        "(" + ",".join(f'"{name}"' for name in names) + ")" for names in modem.device.stores.offered
    )
    return Reply((f"+CPMS: {','.join(sets)}",))


def _lines(modem: Modem, index: int | None, slot: Slot) -> tuple[str, ...]:
    """One message as +CMGR (index None) or +CMGL shows it."""
    if modem.device.settings.text_mode:
        return lines_of(modem.device, index, slot)
    personality = modem.device.personality
    shown = f"{slot.status:d}" if personality.status_shown else ""
    if index is not None:
        header = f"+CMGL: {index},{shown},{personality.alpha},{slot.length}"
    elif shown:
        header = f"+CMGR: {shown},{personality.alpha},{slot.length}"
    else:
        header = f"+CMGR: {slot.length}"
    return (header, slot.pdu)


def _seen(slot: Slot) -> None:
    if slot.status == Status.REC_UNREAD:
        slot.status = Status.REC_READ


def _list(modem: Modem, wanted: int) -> Outcome:
    lines: list[str] = []
    bad = modem.device.faults.unreadable
    for index, slot in modem.device.stores.reading.items():
        if index in bad:
            raise cms(320)
        if wanted in (4, slot.status):
            lines += _lines(modem, index, slot)
            _seen(slot)
    return Reply(tuple(lines))


def _list_unread(modem: Modem) -> Outcome:
    return _list(modem, Status.REC_UNREAD)


def _list_some(modem: Modem, args: Arguments) -> Outcome:
    if modem.device.settings.text_mode:
        wanted = args.text(0, TEXT_STATUS[0]).upper()
        if wanted not in TEXT_STATUS:
            raise cms(305)
        return _list(modem, TEXT_STATUS.index(wanted))
    return _list(modem, args.integer(0, range(5), 0))


def _statuses(modem: Modem) -> Outcome:
    if modem.device.settings.text_mode:
        names = ",".join(f'"{name}"' for name in TEXT_STATUS)
        return Reply((f"+CMGL: ({names})",))
    return Reply(("+CMGL: (0-4)",))


def _index(modem: Modem, args: Arguments) -> int:
    index = args.integer(0)
    if index not in modem.device.stores.reading.numbers():
        raise cms(321)
    return index


def _nothing(modem: Modem) -> Outcome:
    """Return what reading an empty slot says."""
    shown = modem.device.personality.empty_slot
    if shown == "error":
        raise cms(321)
    if shown == "message":
        return Reply(("+CMGR: 0,,0", ""))
    return OK


def _read(modem: Modem, args: Arguments) -> Outcome:
    index = _index(modem, args)
    slot = modem.device.stores.reading.get(index)
    if slot is None:
        return _nothing(modem)
    if index in modem.device.faults.unreadable:
        raise cms(320)
    lines = _lines(modem, None, slot)
    _seen(slot)
    return Reply(lines)


_DELETE_STATUS = {
    1: {Status.REC_READ},
    2: {Status.REC_READ, Status.STO_SENT},
    3: {Status.REC_READ, Status.STO_SENT, Status.STO_UNSENT},
    4: set(Status),
}


def _delete(modem: Modem, args: Arguments) -> Outcome:
    view = modem.device.stores.reading
    flag = args.integer(1, range(5), 0)
    if flag:
        for index, slot in list(view.items()):
            if slot.status in _DELETE_STATUS[flag]:
                view.delete(index)
    elif not view.delete(_index(modem, args)):
        if modem.device.personality.delete_empty == "error":
            raise cms(321)
        return OK
    modem.traffic.offer_waiting()
    return OK


def _deletable(modem: Modem) -> Outcome:
    used = ",".join(str(index) for index, _ in modem.device.stores.reading.items())
    return Reply((f"+CMGD: ({used}),(0-4)",))


ROWS = (
    Row("+CPMS", read=_chosen, set=_choose, test=_offered, needs="sms"),
    Row("+CMGL", run=_list_unread, set=_list_some, test=_statuses, needs="sms"),
    Row("+CMGR", set=_read, needs="sms"),
    Row("+CMGD", set=_delete, test=_deletable, needs="sms"),
)
