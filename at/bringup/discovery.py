"""Finds the AT ports of USB modems, by sysfs and then by asking them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from at import commands, profiles
from at.errors import (
    AtError,
    CommandError,
    CommandTimeoutError,
    PortBusyError,
    PortError,
    ReplyError,
)
from at.modem import Modem

log = logging.getLogger(__name__)

AUTO: Final = "auto"
# Kernel drivers that bind to modems only; a cdc_acm device may be anything that has a USB plug.
MODEM_DRIVERS: Final = frozenset({"option", "option1", "qcserial", "sierra", "hso"})
PROBE_TIMEOUT_S: Final = 1.5  # a port that is no AT port says nothing for ever
_UNRANKED: Final = 1000


@dataclass(frozen=True, slots=True)
class Candidate:
    """A serial port of a USB device that may be an AT port.

    device: the node now ("/dev/ttyUSB2"); path: a name that stays, by-id or by-path, where there
    is one. usb: the device's place on the bus ("1-1.4"), the same for all ports of one modem.
    vendor, product: hexadecimal ids; interface: its number, None unknown; driver: the kernel's.
    label: what the device calls itself. rank: the lower, the sooner it is asked.
    """

    device: str
    path: str
    usb: str
    vendor: str
    product: str
    interface: int | None
    driver: str
    label: str
    rank: int


@dataclass(frozen=True, slots=True)
class Finding:
    """What asking a port has shown. imei: None where it did not answer; trouble: one sentence.

    mute: it was opened, and nobody answered.
    """

    candidate: Candidate
    imei: str | None
    trouble: str
    mute: bool = False


def candidates(root: Path = Path("/")) -> list[Candidate]:
    """The serial ports of modems, those first that are known to be good AT ports.

    root: where /sys and /dev are. Reads sysfs only; nothing is opened.
    """
    names = _stable_names(root)
    found = []
    for entry in sorted((root / "sys/class/tty").glob("tty[UA][SC][BM]*")):
        candidate = _candidate(root, entry.name, names)
        if candidate is not None:
            found.append(candidate)
    return sorted(found, key=lambda one: (one.rank, one.device))


def _candidate(root: Path, name: str, names: dict[str, str]) -> Candidate | None:
    place = (root / "sys/class/tty" / name / "device").resolve()
    interface = _above(place, "bInterfaceNumber")
    device = _above(place, "idVendor")
    if interface is None or device is None:
        return None
    vendor, product = _text(device / "idVendor").lower(), _text(device / "idProduct").lower()
    number = _text(interface / "bInterfaceNumber")
    driver = (interface / "driver").resolve().name
    known = any(vendor in profile.vendors for profile in profiles.PROFILES)
    if not known and driver not in MODEM_DRIVERS:
        return None  # asking might disturb what is no modem
    node = f"/dev/{name}"
    index = int(number, 16) if number else None
    return Candidate(
        device=node,
        path=names.get(node, node),
        usb=device.name,
        vendor=vendor,
        product=product,
        interface=index,
        driver=driver,
        label=f"{_text(device / 'manufacturer')} {_text(device / 'product')}".strip(),
        rank=_rank(vendor, product, index),
    )


def _above(place: Path, attribute: str) -> Path | None:
    return next((one for one in (place, *place.parents) if (one / attribute).is_file()), None)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""


def _rank(vendor: str, product: str, interface: int | None) -> int:
    for profile in profiles.PROFILES:
        for rank, port in enumerate(profile.ports):
            if (
                port.vendor == vendor
                and port.product in {"", product}
                and port.interface == interface
            ):
                return rank
    return _UNRANKED + (interface or 0)


def _stable_names(root: Path) -> dict[str, str]:
    """Device node -> its name in by-id, else in by-path."""
    found: dict[str, str] = {}
    for folder in ("by-path", "by-id"):  # by-id wins: it follows the modem to another socket
        with contextlib.suppress(OSError):
            for link in sorted((root / "dev/serial" / folder).iterdir()):
                found[f"/dev/{link.resolve().name}"] = f"/dev/serial/{folder}/{link.name}"
    return found


async def probe(
    candidate: Candidate, *, baudrate: int = 115200, imei: str | None = None
) -> tuple[Finding, Modem | None]:
    """Ask one port whether it speaks AT, and whose it is.

    imei: the modem that is wanted, None: any. Returns what was found, and the open modem where
    it is the wanted one; whoever called closes it.
    """
    try:
        modem = await Modem.open(candidate.path, baudrate=baudrate)
    except PortError as error:
        return Finding(candidate, None, error.reason), None
    try:
        await modem.resynchronise(PROBE_TIMEOUT_S)
        number = await modem.send(commands.IMEI)
    except (CommandError, ReplyError):
        number = ""  # it speaks AT, but does not say whose it is
    except AtError as error:
        await modem.close()
        mute = isinstance(error, CommandTimeoutError)
        return Finding(candidate, None, f"no AT port ({error})", mute), None
    except asyncio.CancelledError:
        await modem.close()
        raise
    if imei is None or number == imei:
        return Finding(candidate, number, ""), modem
    await modem.close()
    return Finding(candidate, number, f"the modem {number}, not {imei}"), None


async def find(
    *,
    imei: str | None = None,
    baudrate: int = 115200,
    last: str | None = None,
    root: Path = Path("/"),
) -> tuple[Modem, list[Finding]]:
    """The first port that answers, open, and what was found on the way.

    imei: the modem that is wanted, None: any. last: the path that it had, taken where it is mute
    now and the modem is nowhere else. Raises PortError, which names every port that was tried
    with what is wrong with it.
    """
    findings: list[Finding] = []
    for candidate in candidates(root):
        finding, modem = await probe(candidate, baudrate=baudrate, imei=imei)
        findings.append(finding)
        if modem is not None:
            log.info("modem found port=%s imei=%s", candidate.path, finding.imei)
            return modem, findings
        log.info("port=%s trouble=%s", candidate.path, finding.trouble)
    if any(one.mute and one.candidate.path == last for one in findings):
        return await Modem.open(str(last), baudrate=baudrate), findings
    raise _nothing(findings)


def _nothing(findings: Sequence[Finding]) -> PortError:
    if not findings:
        return PortError(AUTO, "no USB modem is there; plug one in, or name the port")
    told = "; ".join(f"{one.candidate.device}: {one.trouble}" for one in findings)
    busy = next((one for one in findings if one.trouble.startswith("held by")), None)
    if busy is not None:
        return PortBusyError(AUTO, told, busy.trouble.removeprefix("held by ").split(";")[0])
    return PortError(AUTO, told)


async def open_modem(
    port: str,
    *,
    imei: str | None = None,
    last: str | None = None,
    baudrate: int = 115200,
    **options: Any,
) -> Modem:
    """Open a port by its name, or with "auto" the first that answers.

    imei: with "auto", the modem that is wanted: after it came back under another name, its own
    port is found again and no other modem is taken for it. last: as in find(). options: of
    Modem.open().
    Raises PortBusyError, PortError.
    """
    if port != AUTO:
        return await Modem.open(port, baudrate=baudrate, **options)
    modem, _ = await find(imei=imei, last=last, baudrate=baudrate)
    modem.on_urc = options.get("on_urc")
    modem.on_stray = options.get("on_stray")
    return modem
