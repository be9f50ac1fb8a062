"""Sierra Wireless: MC7455 and WP7607."""

from __future__ import annotations

from dataclasses import replace

from at.simulator.personality import Extra, Personality

MC7455 = Personality(
    name="sierra-mc7455",
    manufacturer="Sierra Wireless, Incorporated",
    model="MC7455",
    firmware="SWI9X30C_02.24.05.06 r7040 CARMD-EV-FRMWR2 2017/05/19 06:23:09",
    ati=(
        "Manufacturer: {manufacturer}",
        "Model: {model}",
        "Revision: {firmware}",
        "MEID: 49015420323751",
        "IMEI: {imei}",
        "IMEI SV: 12",
        "FSN: LQ72350000000",
        "+GCAP: +CGSM",
    ),
    storages={"SM": 30, "ME": 255, "SR": 10},
    offered=(("ME", "MT", "SM", "SR"), ("ME", "MT", "SM", "SR"), ("ME", "MT", "SM", "SR")),
    chosen=("ME", "ME", "ME"),
    report_storage="SR",
    first_index=0,
    cnmi_shown="(0,1,2),(0,1,2,3),(0,2),(0,1,2),(0,1)",
    charsets=("IRA", "GSM", "UCS2"),
    charset="IRA",
    cmee=1,
    empty_slot="error",
    text_header="hex",
    answers_s=0.3,
    sim_ready_s=0.8,
    sms_ready_s=1.0,
    chatter=("+CREG: 1", "+CGREG: 1", "+WIND: 4"),
    extras=(
        Extra("!ICCID", read=("!ICCID: {iccid}",), needs_sim=True),
        Extra("+CCID", read=("+CCID: {iccid}",), needs_sim=True),
        Extra("+CPINC", read=("+CPINC: {pin},{pin2},{puk},{puk2}",)),
        Extra("!ENTERCND", set=()),
        Extra("!RESET", run=(), effect="restart"),
        Extra("!POWERDOWN", run=(), effect="off"),
    ),
)

WP7607 = replace(
    MC7455,
    name="sierra-wp7607",
    model="WP7607-1",
    firmware="SWI9X07Y_02.28.03.05 000000 jenkins 2019/05/21 03:33:04",
)

ROWS = (MC7455, WP7607)
