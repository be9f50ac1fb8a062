"""Telit: LE910."""

from __future__ import annotations

from at.simulator.personality import Boot, Extra, Personality

LE910 = Personality(
    name="telit-le910",
    manufacturer="Telit",
    model="LE910-EU V2",
    firmware="20.00.405",
    ati=("332",),
    storages={"SM": 50, "ME": 100},
    offered=(("SM", "ME"), ("SM", "ME"), ("SM", "ME")),
    views={},
    chosen=("SM", "SM", "SM"),
    cnmi=((0, 1, 2, 3), (0, 1, 2, 3), (0, 2, 3), (0, 1, 2), (0, 1)),
    charsets=("GSM", "IRA", "8859-1", "UCS2"),
    charset="IRA",
    cmee=2,
    cms_words=True,
    empty_slot="error",
    delete_empty="error",
    text_header="strip",
    alpha='""',
    boot=(Boot(0.8, "#QSS: 1", "sim"), Boot(1.0, "#QSS: 3", "sim")),
    answers_s=0.3,
    sim_ready_s=0.8,
    sms_ready_s=1.0,
    chatter=("#QSS: 3", "+CREG: 1", '#NITZ: "26/11/21,01:29:44+04,0"'),
    extras=(
        Extra("#CCID", run=("#CCID: {iccid}",), needs_sim=True),
        Extra("+CCID", run=("+CCID: {iccid}",), needs_sim=True),
        Extra("#CIMI", run=("#CIMI: {imsi}",), needs_sim=True),
        Extra("#CGMM", run=("#CGMM: {model}",)),
        Extra("#CGMR", run=("#CGMR: {firmware}",)),
        Extra("#PCT", run=("#PCT: {pin}",)),
        Extra("#QSS", read=("#QSS: 1,3",), set=()),
        Extra("#RFSTS", run=('#RFSTS: "234 10",1300,{dbm},-70,-10,1A2B',)),
        Extra("#REBOOT", run=(), effect="restart"),
        Extra("#SHDN", run=(), effect="off"),
    ),
    without=frozenset({"+CPINR"}),
)

ROWS = (LE910,)
