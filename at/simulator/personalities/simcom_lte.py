"""SIMCom: LTE modules SIM7600 and A7670."""

from __future__ import annotations

from dataclasses import replace

from at.simulator.personality import Boot, Extra, Personality

_EXTRAS = (
    Extra("+CICCID", run=("+ICCID: {iccid}",), needs_sim=True),
    Extra("+SPIC", run=("+SPIC: {pin},{puk},{pin2},{puk2}",)),
    Extra("+CGMR", run=("+CGMR: {firmware}",)),
    Extra("+CPSI", read=("+CPSI: LTE,Online,{plmn},0x1A2B,19088743,257,EUTRAN-BAND3,1300",)),
    Extra("+CNSMOD", read=("+CNSMOD: 0,8",), set=()),
    Extra("+CSCLK", read=("+CSCLK: 0",), set=()),
    Extra("+CRESET", run=(), effect="restart"),
    Extra("+CPOF", run=(), effect="off"),
)

SIM7600 = Personality(
    name="simcom-sim7600",
    manufacturer="SIMCOM INCORPORATED",
    model="SIMCOM_SIM7600E-H",
    firmware="LE20B04SIM7600M22",
    ati=(
        "Manufacturer: {manufacturer}",
        "Model: {model}",
        "Revision: {firmware}",
        "IMEI: {imei}",
        "+GCAP: +CGSM",
    ),
    storages={"SM": 50, "ME": 23, "SR": 10},
    offered=(("ME", "MT", "SM", "SR"), ("ME", "MT", "SM", "SR"), ("ME", "MT", "SM", "SR")),
    first_index=0,
    report_storage="SR",
    cnmi_shown="(0,1,2),(0,1,2,3),(0,2),(0,1,2),(0,1)",
    cnmi_default=(2, 1, 0, 0, 0),
    charsets=("IRA", "GSM", "UCS2"),
    charset="IRA",
    cmee=2,
    empty_slot="ok",
    text_header="strip",
    listing="long",
    alpha='""',
    full_urc="+SMS FULL",
    boot=(
        Boot(0.3, "RDY"),
        Boot(0.8, "+CPIN: {sim}"),
        Boot(1.2, "SMS DONE", "sim"),
        Boot(1.6, "PB DONE", "sim"),
    ),
    answers_s=0.3,
    sim_ready_s=0.8,
    sms_ready_s=1.2,
    chatter=("+CREG: 1", "+CPSI: LTE,Online", "+CGEV: ME PDN ACT 1", "+CTZV: 26/11/21,01:29:44"),
    functionality=(0, 1, 4, 5, 7),
    resets=(6,),
    extras=_EXTRAS,
)

A7670 = replace(
    SIM7600,
    name="simcom-a7670",
    manufacturer="INCORPORATED",
    model="A7670E-LASA",
    firmware="A7670M6_V1.11.1",
    storages={"SM": 50, "ME": 180},
    offered=(("ME", "MT", "SM"), ("ME", "MT", "SM"), ("ME", "MT", "SM")),
    report_storage="",
    first_index=0,
    boot=(
        Boot(0.3, "*ATREADY: 1"),
        Boot(0.8, "+CPIN: {sim}"),
        Boot(1.0, "+CGEV: EPS PDN ACT 1", "sim"),
        Boot(1.2, "SMS DONE", "sim"),
        Boot(1.6, "PB DONE", "sim"),
    ),
)

ROWS = (SIM7600, A7670)
