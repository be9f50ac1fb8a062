"""How received messages reach the host (TS 27.005 §3.2.1, §3.4)."""

from __future__ import annotations

from at.simulator.lines import Arguments
from at.simulator.table import Modem, Row, offered
from at.simulator.values import OK, Collect, Outcome, Reply, cms


def _indications(modem: Modem) -> Outcome:
    personality = modem.device.personality
    now = personality.cnmi_default if personality.cnmi_fixed else modem.device.settings.cnmi
    return Reply((f"+CNMI: {','.join(map(str, now[: personality.cnmi_told]))}",))


def _set_indications(modem: Modem, args: Arguments) -> Outcome:
    now = modem.device.settings.cnmi
    allowed = modem.device.personality.cnmi
    values = [args.integer(i, allowed[i], now[i]) for i in range(5)]
    modem.device.settings.cnmi = (values[0], values[1], values[2], values[3], values[4])
    modem.traffic.routing_changed()
    return OK


def _offered_indications(modem: Modem) -> Outcome:
    personality = modem.device.personality
    shown = personality.cnmi_shown or ",".join(map(offered, personality.cnmi))
    return Reply((f"+CNMI: {shown}",))


def _service(modem: Modem) -> Outcome:
    return Reply((f"+CSMS: {modem.device.settings.csms},1,1,1",))


def _set_service(modem: Modem, args: Arguments) -> Outcome:
    modem.device.settings.csms = args.integer(0, (0, 1))
    return Reply(("+CSMS: 1,1,1",))


def _acknowledge(modem: Modem) -> Outcome:
    modem.traffic.acknowledge()
    return OK


def _acknowledge_with(modem: Modem, args: Arguments) -> Outcome:
    answer = args.integer(0, (0, 1, 2), 0)
    if len(args) > 1 and args.integer(1, range(1, 165)):
        if modem.device.settings.text_mode:
            raise cms(303)

        def finish(_: bytes) -> Reply:
            modem.traffic.acknowledge(good=answer != 2)
            return OK

        return Collect(finish)
    modem.traffic.acknowledge(good=answer != 2)
    return OK


ROWS = (
    Row(
        "+CNMI",
        read=_indications,
        set=_set_indications,
        test=_offered_indications,
        needs="sms",
    ),
    Row("+CSMS", read=_service, set=_set_service, test="(0,1)"),
    Row("+CNMA", run=_acknowledge, set=_acknowledge_with, test="(0-2)", needs="sms"),
)
