"""u-blox: SARA-R4 and LARA-R2."""

from __future__ import annotations

from dataclasses import replace

from at.simulator.personality import Boot, Extra, Personality

_EXTRAS = (
    Extra("+CCID", run=("+CCID: {iccid}",), read=("+CCID: {iccid}",), needs_sim=True),
    Extra("+UPINCNT", run=("+UPINCNT: {pin},{pin2},{puk},{puk2}",)),
    Extra("+USIMSTAT", read=("+USIMSTAT: 0",), set=()),
    Extra("+UPSV", read=("+UPSV: 0",), set=()),
    Extra("+CPWROFF", run=(), effect="off"),
)

LARA_R2 = Personality(
    name="u-blox-lara-r2",
    manufacturer="u-blox",
    model="LARA-R211",
    firmware="09.56",
    ati=("LARA-R211-02B-00",),
    storages={"SM": 50, "ME": 350, "SR": 20},
    offered=(("ME", "MT", "SM", "SR"), ("ME", "SM"), ("ME", "SM")),
    chosen=("MT", "ME", "ME"),
    report_storage="SR",
    cnmi=((0, 1, 2), (0, 1, 2, 3), (0, 2, 3), (0, 1, 2), (0, 1)),
    cnmi_default=(1, 0, 0, 0, 0),
    charsets=("IRA", "GSM", "8859-1", "UCS2", "HEX"),
    charset="IRA",
    cmee=0,
    cms_words=True,
    empty_slot="error",
    delete_empty="ok",
    text_header="hex",
    full_urc="+CIEV: 10,1",
    room_urc="+CIEV: 10,0",
    answers_s=0.3,
    sim_ready_s=0.8,
    sms_ready_s=1.2,
    functionality=(0, 1, 4, 6, 7, 8, 9, 19, 127),
    resets=(15, 16),
    chatter=("+CIEV: 2,3", "+CREG: 1", "+UUPSDD: 0", "+CTZV: +04"),
    extras=_EXTRAS,
)

SARA_R4 = replace(
    LARA_R2,
    name="u-blox-sara-r4",
    model="SARA-R410M-02B",
    firmware="L0.0.00.00.05.06 [Feb 03 2018 13:00:41]",
    ati=(
        "Manufacturer: {manufacturer}",
        "Model: {model}",
        "Revision: {firmware}",
        "SVN: 02",
        "IMEI: {imei}",
    ),
    storages={"SM": 25, "ME": 23},
    offered=(("ME", "MT", "SM"), ("ME", "MT", "SM"), ("ME", "MT", "SM")),
    chosen=("ME", "ME", "ME"),
    report_storage="",
    first_index=0,
    cnmi=((0, 1, 2), (0, 1, 2, 3), (0, 2), (0, 1, 2), (0, 1)),
    cnmi_default=(2, 1, 0, 0, 0),
    charsets=("GSM", "IRA", "UCS2"),
    boot=(Boot(0.3, "+PACSP1"),),
    functionality=(0, 1, 4),
    resets=(15,),
    full_urc="",
    room_urc="",
    without=frozenset({"+CPINR"}),
)

ROWS = (LARA_R2, SARA_R4)
