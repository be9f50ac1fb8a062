"""Quectel: LTE modules EC25 and EG25, low-power modules BG95 and BG96."""

from __future__ import annotations

from dataclasses import replace

from at.simulator.personality import Boot, Extra, Personality

_EXTRAS = (
    Extra("+QCCID", run=("+QCCID: {iccid}",), read=("+QCCID: {iccid}",), needs_sim=True),
    Extra("+CCID", run=("+CCID: {iccid}",), read=("+CCID: {iccid}",), needs_sim=True),
    Extra(
        "+QPINC",
        read=('+QPINC: "SC",{pin},{puk}', '+QPINC: "P2",{pin2},{puk2}'),
        set=('+QPINC: "SC",{pin},{puk}',),
        test=('+QPINC: ("SC","P2")',),
    ),
    Extra(
        "+QURCCFG",
        set=('+QURCCFG: "urcport","usbat"',),
        test=('+QURCCFG: "urcport",("usbat","usbmodem","uart1")',),
    ),
    Extra("+QINDCFG", set=()),
    Extra("+QCFG", set=()),
    Extra("+QNWINFO", run=('+QNWINFO: "FDD LTE","{plmn}","LTE BAND 3",1300',)),
    Extra("+QSPN", run=('+QSPN: "{operator}","{operator}","",0,"{plmn}"',), needs_sim=True),
    Extra("+QINISTAT", run=("+QINISTAT: 7",)),
    Extra("+QPOWD", run=("POWERED DOWN",), set=("POWERED DOWN",), effect="off"),
)

EC25 = Personality(
    name="quectel-ec25",
    manufacturer="Quectel",
    model="EC25",
    firmware="EC25EFAR06A06M4G",
    ati=("{manufacturer}", "{model}", "Revision: {firmware}"),
    storages={"SM": 40, "ME": 255},
    offered=(("ME", "MT", "SM"), ("ME", "MT", "SM"), ("ME", "MT", "SM")),
    chosen=("ME", "ME", "ME"),
    first_index=0,
    cnmi_default=(2, 1, 0, 0, 0),
    charsets=("GSM", "IRA", "UCS2"),
    cmee=1,
    empty_slot="error",
    text_header="strip",
    full_urc='+QIND: "smsfull","{storage}"',
    boot=(
        Boot(0.2, "RDY"),
        Boot(0.6, "+CPIN: {sim}"),
        Boot(0.7, "+QUSIM: 1", "sim"),
        Boot(1.0, "+QIND: SMS DONE", "sim"),
        Boot(1.2, "+QIND: PB DONE", "sim"),
    ),
    answers_s=0.2,
    sim_ready_s=0.6,
    sms_ready_s=1.0,
    sms_busy=302,
    chatter=('+QIND: "csq",17,99', "+CREG: 1", "+CTZV: +04", '+QIND: "act","LTE"'),
    extras=_EXTRAS,
)

EG25 = replace(EC25, name="quectel-eg25", model="EG25", firmware="EG25GGBR07A08M2G")

BG96 = replace(
    EC25,
    name="quectel-bg96",
    model="BG96",
    firmware="BG96MAR02A07M1G",
    storages={"SM": 25, "ME": 23},
    boot=(
        Boot(0.2, "RDY"),
        Boot(0.5, "+CFUN: 1"),
        Boot(0.6, "+CPIN: {sim}"),
        Boot(0.7, "+QUSIM: 1", "sim"),
        Boot(1.0, "+QIND: SMS DONE", "sim"),
    ),
    chatter=("+CEREG: 1", "+CTZV: +04", '+QIURC: "pdpdeact",1'),
)

BG95 = replace(
    BG96,
    name="quectel-bg95",
    model="BG95-M3",
    firmware="BG95M3LAR02A04",
    boot=(
        Boot(0.2, "RDY"),
        Boot(0.4, "APP RDY"),
        Boot(0.5, "+CFUN: 1"),
        Boot(0.6, "+CPIN: {sim}"),
    ),
)

ROWS = (EC25, EG25, BG96, BG95)
