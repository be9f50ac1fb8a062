"""Huawei: the E173 stick and the ME909s module, with what they say all day."""

from __future__ import annotations

from dataclasses import replace

from at.simulator.personality import Beat, Boot, Extra, Personality

E173 = Personality(
    name="huawei-e173",
    manufacturer="huawei",
    model="E173",
    firmware="11.126.16.04.209",
    ati=(
        "Manufacturer: {manufacturer}",
        "Model: {model}",
        "Revision: {firmware}",
        "IMEI: {imei}",
        "+GCAP: +CGSM,+DS,+ES",
    ),
    storages={"SM": 40, "ME": 23},
    views={"MT": ("ME", "SM")},
    offered=(("ME", "MT", "SM"), ("ME", "MT", "SM"), ("ME", "MT", "SM")),
    first_index=0,
    cnmi_shown="(0,1,2),(0,1,2,3),(0,2),(0,1,2),(0,1)",
    charsets=("IRA", "GSM", "UCS2"),
    charset="IRA",
    cmee=0,
    cms_words=True,
    empty_slot="error",
    text_header="hex",
    full_urc='^SMMEMFULL: "{storage}"',
    boot=(Boot(0.2, "^BOOT:35184392,0,0,0,17"), Boot(0.8, "^SIMST:1", "sim")),
    answers_s=0.2,
    sim_ready_s=0.8,
    sms_ready_s=1.0,
    plains={"^CURC": 1},
    beats=(
        Beat(5.0, "^RSSI:17", "^CURC"),
        Beat(60.0, "^BOOT:35184392,0,0,0,17", "^CURC"),
    ),
    chatter=(
        "^RSSI:17",
        "^BOOT:35184392,0,0,0,17",
        "^SRVST:2",
        "^MODE:5,4",
        "^DSFLOWRPT:0000000C,00000000,0000001A,0000000000000A1B,00000000000003C4,0003E800,0003E800",
    ),
    extras=(
        Extra("^ICCID", read=("^ICCID: {iccid}",), needs_sim=True),
        Extra("^CPIN", read=("^CPIN: {sim},,{puk},{pin},{puk2},{pin2}",)),
        Extra("^SYSINFO", run=("^SYSINFO:2,3,0,5,1,,4",)),
        Extra("^HCSQ", read=('^HCSQ: "WCDMA",36,31,42',)),
        Extra("^U2DIAG", set=()),
        Extra("^PORTSEL", set=()),
        Extra("^RESET", run=(), effect="restart"),
    ),
    without=frozenset({"+CEREG", "+CESQ", "+CPINR"}),
)

ME909S = replace(
    E173,
    name="huawei-me909s",
    manufacturer="Huawei Technologies Co., Ltd.",
    model="ME909s-120",
    firmware="11.617.01.00.00",
    storages={"SM": 50, "ME": 100},
    chosen=("SM", "SM", "SM"),
    boot=(Boot(0.2, "^SYSSTART"), Boot(0.8, "^SIMST: 1", "sim")),
    beats=(Beat(5.0, '^HCSQ: "LTE",51,48,131,26', "^CURC"),),
    without=frozenset({"+CPINR"}),
)

ROWS = (E173, ME909S)
