"""Modems without a vendor: one as the standards have it, one that uses all they leave open."""

from __future__ import annotations

from at.simulator.personality import Boot, Extra, Personality

_ICCID = Extra("+CCID", read=("+CCID: {iccid}",), run=("+CCID: {iccid}",), needs_sim=True)

GENERIC = Personality(name="generic", extras=(_ICCID,))

CONTRARY = Personality(
    name="contrary",
    model="Contrary",
    firmware="SIM-1.0-R",
    ati=("{model} {firmware}",),
    storages={"SM": 10},
    views={},
    offered=(("SM",), ("SM",), ("SM",)),
    first_index=0,
    cnmi=((0, 1, 2), (0, 1), (0,), (0, 1), (0, 1)),
    cnmi_shown="(0,1,2),(0,1),(0),(0,1),(0,1)",
    charsets=("IRA", "UCS2"),
    charset="IRA",
    cmee=2,
    csdh=1,
    text_mode=1,
    prompt="\r\n>",
    escape_final="ERROR",
    empty_slot="error",
    delete_empty="error",
    cms_words=True,
    text_header="strip",
    text_length="udl",
    alpha='""',
    full_urc="*SMSFULL",
    boot=(Boot(0.2, "*ATREADY"), Boot(0.5, "SMS READY", "sim")),
    answers_s=0.2,
    sim_ready_s=0.4,
    sms_ready_s=0.5,
    extras=(_ICCID,),
    without=frozenset({"+CLAC", "+CGREG", "+CEREG", "+CESQ", "+CPINR", "+CGEREP"}),
)

ROWS = (GENERIC, CONTRARY)
