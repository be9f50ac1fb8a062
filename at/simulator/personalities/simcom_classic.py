"""SIMCom: GSM module SIM800, low-power modules SIM7000 and SIM7080."""

from __future__ import annotations

from dataclasses import replace

from at.simulator.personality import Boot, Extra, Personality

_EXTRAS = (
    Extra("+CCID", run=("{iccid}",), needs_sim=True),
    Extra("+SPIC", run=("+SPIC: {pin},{puk},{pin2},{puk2}",)),
    Extra("+CGMR", run=("Revision:{firmware}",)),
    Extra("+GMR", run=("Revision:{firmware}",)),
    Extra("+CSPN", read=('+CSPN: "{operator}",0',), needs_sim=True),
    Extra("+CSMINS", read=("+CSMINS: 0,1",), set=()),
    Extra("+CLTS", read=("+CLTS: 0",), set=()),
    Extra("+CPOWD", set=("NORMAL POWER DOWN",), effect="off"),
)

_SM_P = {"SM_P": ("SM",), "ME_P": ("ME",), "MT": ("SM", "ME")}
_OFFERED = ("SM", "ME", "SM_P", "ME_P", "MT")

SIM800 = Personality(
    name="simcom-sim800",
    manufacturer="SIMCOM_Ltd",
    model="SIMCOM_SIM800L",
    firmware="1418B05SIM800L24",
    ati=("SIM800 R14.18",),
    storages={"SM": 30, "ME": 50},
    views=_SM_P,
    offered=(_OFFERED, _OFFERED, _OFFERED),
    chosen=("SM_P", "SM_P", "SM_P"),
    announced_as={"SM_P": "SM", "ME_P": "ME"},
    cnmi=((0, 1, 2, 3), (0, 1, 2, 3), (0, 2), (0, 1), (0, 1)),
    cnmi_default=(2, 1, 0, 0, 0),
    charsets=("IRA", "GSM", "UCS2", "HEX", "8859-1"),
    charset="IRA",
    text_header="strip",
    text_length="udl",
    alpha='""',
    boot=(
        Boot(0.2, "RDY"),
        Boot(0.4, "+CFUN: 1"),
        Boot(0.6, "+CPIN: {sim}"),
        Boot(1.0, "Call Ready", "sim"),
        Boot(1.2, "SMS Ready", "sim"),
        Boot(1.6, '*PSUTTZ: 2026,11,21,1,29,44,"+4",0', "sim"),
        Boot(1.6, "DST: 0", "sim"),
        Boot(1.6, '+CIEV: 10,"23410","Testnet","Testnet", 0, 0', "sim"),
    ),
    answers_s=0.2,
    sim_ready_s=0.6,
    sms_ready_s=1.2,
    deaf_after_urc_s=0.1,
    chatter=("+CREG: 1", '*PSUTTZ: 2026,11,21,1,29,44,"+4",0', "DST: 0", "UNDER-VOLTAGE WARNNING"),
    extras=_EXTRAS,
    without=frozenset({"+CEREG", "+CESQ", "+CPINR", "+CGEREP"}),
)

SIM7000 = replace(
    SIM800,
    name="simcom-sim7000",
    model="SIMCOM_SIM7000E",
    firmware="1529B06SIM7000E",
    ati=("SIM7000E R1529",),
    storages={"SM": 50, "ME": 10},
    views={"MT": ("SM", "ME")},
    offered=(("ME", "MT", "SM"), ("ME", "MT", "SM"), ("ME", "MT", "SM")),
    chosen=("SM", "SM", "SM"),
    announced_as={},
    first_index=0,
    cnmi=((0, 1, 2), (0, 1, 2, 3), (0, 2), (0, 1, 2), (0, 1)),
    text_length="characters",
    boot=(
        Boot(0.2, "RDY"),
        Boot(0.4, "+CFUN: 1"),
        Boot(0.6, "+CPIN: {sim}"),
        Boot(1.2, "SMS Ready", "sim"),
    ),
    deaf_after_urc_s=0.0,
    extras=(*_EXTRAS, Extra("+CREBOOT", run=(), effect="restart")),
    without=frozenset({"+CPINR"}),
)

SIM7080 = replace(
    SIM7000,
    name="simcom-sim7080",
    model="SIMCOM_SIM7080",
    firmware="1951B09SIM7080",
    ati=("SIM7080 R1951.09",),
    storages={"SM": 20, "ME": 10},
)

ROWS = (SIM800, SIM7000, SIM7080)
