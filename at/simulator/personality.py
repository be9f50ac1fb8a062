"""What distinguishes one make of modem from another, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from at.simulator.values import Reply


@dataclass(frozen=True, slots=True)
class Boot:
    """A line the modem says by itself after power-up: after_s seconds, needs: "" or "sim"."""

    after_s: float
    line: str
    needs: Literal["", "sim"] = ""


@dataclass(frozen=True, slots=True)
class Beat:
    """A line the modem says every so often, unless that plain setting is 0."""

    every_s: float
    line: str
    unless: str = ""


@dataclass(frozen=True, slots=True)
class Extra:
    """A vendor's command, answered from templates.

    name: after "AT". read, run, test, set: information lines of NAME?, NAME, NAME=?, NAME=...;
    None: that form is an error; (): just OK. Templates know {iccid} {imei} {imsi} {pin} {puk}
    {pin2} {puk2} (tries left), {dbm} {rssi} {operator} {plmn} {stat} {act} {sim}.
    effect: what the run and set forms do once answered: "", "restart", "off".
    """

    name: str
    read: tuple[str, ...] | None = None
    run: tuple[str, ...] | None = None
    test: tuple[str, ...] | None = ()
    set: tuple[str, ...] | None = None
    effect: Literal["", "restart", "off"] = ""
    needs_sim: bool = False


@dataclass(frozen=True, slots=True)
class Personality:
    """One make of modem.

    storages: memory -> slots; views: joined memories; offered: names in +CPMS=? for mem1..3;
    chosen: mem1..3 after start; first_index: number of a memory's first slot.
    report_storage: where +CNMI <ds>=2 keeps status reports; "": in <mem3>.
    cpms_names: how many names +CPMS=... may have; another number is +CMS ERROR: 302.
    cnmi: the values +CNMI=? offers for mode, mt, bm, ds, bfr; cnmi_shown: the text of +CNMI=?
    where it is not the plain one; cnmi_default: after start;
    cnmi_told: how many of the five +CNMI? tells; cnmi_fixed: it always tells those of the start.
    charsets: +CSCS=?; charset: after start.
    echo, cmee, csdh, csms: settings after start.
    prompt: what asks for a message body; escape_final: final result code of an aborted one.
    empty_slot: +CMGR of an empty slot is "ok" (only OK), "error" (+CMS ERROR: 321) or "message"
    (a header of zeros and an empty line);
    delete_empty: the same for +CMGD.
    cms_words: +CMEE=2 turns +CMS ERROR into words; cms_silent: +CMEE=0 turns it into ERROR.
    text_header: a body with a user data header is shown in text mode as "hex" of all of TP-UD,
    which is the standard, or without its header ("strip").
    text_length: <length> in text mode counts the "characters" shown, or is TP-UDL ("udl").
    text_length_more: so many more than the body has.
    answers: what the modem says to this very command ("+CSQ", "+CPIN?", "+CMGF=0") whatever it
    would have done: Reply() is a bare OK, final="" leaves the final result code out.
    keeps_escape: ESC is a part of the command line, to which nothing is said then.
    boot: lines after power-up (templates as in Extra); answers_s: input before that is lost;
    sim_ready_s, sms_ready_s: when the SIM and the SMS service answer after power-up (until then
    +CME ERROR: 14 and sms_busy).
    sms_busy: the +CMS ERROR while the SMS service starts.
    full_urc, room_urc: said when the receiving memory gets full and when it has room again
    ({storage} is its name).
    announced_as: the name of a memory in +CMTI where it is not that of +CPMS.
    alpha: what stands for the missing phone book entry in headers, such as '""'.
    status_shown: whether +CMGR and +CMGL show <stat>; else it is empty in text mode, and in PDU
    mode +CMGR has the length alone.
    listing: +CSDH=1 shows in +CMGL two more fields ("short", the standard) or those of +CMGR.
    functionality, resets: levels of +CFUN, and which of them restart the modem.
    plains: settings of the vendor that are kept and change nothing, with their start value.
    beats: what it says every so often.
    chatter: lines the modem may say at any time when asked for chatter.
    deaf_after_urc_s: input this soon after an unsolicited line is lost.
    extras: commands of the vendor; without: standard commands it does not know.
    """

    name: str
    manufacturer: str = "Simulated"
    model: str = "AT Modem"
    firmware: str = "SIM-1.0"
    ati: tuple[str, ...] = ("{manufacturer}", "{model}", "{firmware}")
    storages: Mapping[str, int] = field(default_factory=lambda: {"SM": 30, "ME": 100})
    views: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: {"MT": ("ME", "SM")})
    offered: tuple[tuple[str, ...], ...] = (("SM", "ME", "MT"), ("SM", "ME"), ("SM", "ME"))
    chosen: tuple[str, str, str] = ("SM", "SM", "SM")
    first_index: int = 1
    report_storage: str = ""
    cpms_names: tuple[int, ...] = (1, 2, 3)
    cnmi: tuple[tuple[int, ...], ...] = ((0, 1, 2), (0, 1, 2, 3), (0, 2), (0, 1, 2), (0, 1))
    cnmi_shown: str = ""
    cnmi_default: tuple[int, int, int, int, int] = (0, 0, 0, 0, 0)
    cnmi_told: int = 5
    cnmi_fixed: bool = False
    charsets: tuple[str, ...] = ("GSM", "IRA", "UCS2", "HEX")
    charset: str = "GSM"
    echo: bool = True
    cmee: int = 0
    csdh: int = 0
    text_mode: int = 0
    prompt: str = "\r\n> "
    escape_final: str = "OK"
    empty_slot: Literal["ok", "error", "message"] = "ok"
    delete_empty: Literal["ok", "error"] = "ok"
    cms_words: bool = False
    cms_silent: bool = False
    text_header: Literal["strip", "hex"] = "hex"
    text_length: Literal["characters", "udl"] = "characters"
    text_length_more: int = 0
    answers: Mapping[str, Reply] = field(default_factory=dict)
    keeps_escape: bool = False
    boot: tuple[Boot, ...] = ()
    answers_s: float = 0.0
    sim_ready_s: float = 0.0
    sms_ready_s: float = 0.0
    sms_busy: int = 314
    full_urc: str = ""
    room_urc: str = ""
    announced_as: Mapping[str, str] = field(default_factory=dict)
    alpha: str = ""
    status_shown: bool = True
    listing: Literal["short", "long"] = "short"
    functionality: tuple[int, ...] = (0, 1, 4)
    resets: tuple[int, ...] = ()
    plains: Mapping[str, int] = field(default_factory=dict)
    beats: tuple[Beat, ...] = ()
    chatter: tuple[str, ...] = ("+CSQ: 17,99", "+CREG: 1", "RING")
    deaf_after_urc_s: float = 0.0
    extras: tuple[Extra, ...] = ()
    without: frozenset[str] = frozenset()
