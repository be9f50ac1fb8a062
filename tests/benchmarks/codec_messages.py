"""The same 10,000 mixed messages for every codec: seventeen kinds, seeded, so always the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from random import Random

from at.sms import (
    Address,
    Concat,
    Dcs,
    Deliver,
    Element,
    Ports,
    Relative,
    StatusReport,
    Submit,
    Timestamp,
    Tpdu,
    UserData,
    encode,
)
from at.sms.alphabets import gsm7
from at.sms.dcs import Alphabet

COUNT = 10_000
_SEED = 20260101
_PLAIN = "abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789 .,:;!?@$_&%äöüßÉ§"
_EXTENDED = _PLAIN + "{}[]~|^\\€"
_WIDE = "Привет мир, как дела? Καλημέρα 你好世界 žluťoučký kůň ~`"
_CENTRE = Address("447785016005")


@dataclass(frozen=True, slots=True)
class Sample:
    """One message and what a decoder must find in it; text is None where there is none."""

    kind: str
    pdu: str
    number: str
    text: str | None
    time: datetime | None


def _text(random: Random, letters: str, length: int) -> str:
    return "".join(random.choices(letters, k=length))


def _gsm7(text: str, udh: tuple[Element, ...] = ()) -> UserData:
    return UserData(Alphabet.GSM7, gsm7.encode(text), udh)


def _ucs2(text: str, udh: tuple[Element, ...] = ()) -> UserData:
    return UserData(Alphabet.UCS2, text.encode("utf-16-be"), udh)


def _international(random: Random) -> Address:
    return Address("".join(random.choices("123456789", k=random.randint(10, 13))))


def _deliver(random: Random, user_data: UserData, **more: object) -> Deliver:
    zone = timezone(timedelta(minutes=15 * random.randint(0, 20)))
    return _at(random, zone, user_data, **more)


def _at(random: Random, zone: timezone, user_data: UserData, **more: object) -> Deliver:
    time = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=random.randint(0, 10**8))
    originator = more.pop("originator", None) or _international(random)
    assert isinstance(originator, Address)
    dcs = more.pop("dcs", None) or Dcs.of(user_data.alphabet)
    assert isinstance(dcs, Dcs)
    return Deliver(originator, Timestamp.of(time.astimezone(zone)), user_data, dcs=dcs)


def _part(random: Random, wide: bool) -> tuple[Element, ...]:
    reference = random.randint(0, 0xFFFF if wide else 0xFF)
    return (Concat(reference, 3, random.randint(1, 3), wide).element,)


def _report(random: Random) -> StatusReport:
    time = datetime(2021, 1, 1, tzinfo=UTC) + timedelta(seconds=random.randint(0, 10**8))
    stamps = Timestamp.of(time), Timestamp.of(time + timedelta(seconds=9))
    return StatusReport(random.randint(0, 255), _international(random), *stamps, 0)


KINDS: dict[str, Callable[[Random], Tpdu]] = {
    "short": lambda r: _deliver(r, _gsm7(_text(r, _PLAIN, r.randint(1, 30)))),
    "full": lambda r: _deliver(r, _gsm7(_text(r, _PLAIN, 160))),
    "extension": lambda r: _deliver(r, _gsm7(_text(r, _EXTENDED, 70))),
    "trailing-at": lambda r: _deliver(r, _gsm7(_text(r, _PLAIN, 6) + "€@")),
    "ucs2": lambda r: _deliver(r, _ucs2(_text(r, _WIDE, r.randint(10, 70)))),
    "emoji": lambda r: _deliver(r, _ucs2(_text(r, "😀🚀🇬🇧 ok👍", r.randint(5, 30)))),
    "8bit": lambda r: _deliver(r, UserData(Alphabet.OCTETS, r.randbytes(r.randint(1, 140)))),
    "part": lambda r: _deliver(r, _gsm7(_text(r, _PLAIN, 153), _part(r, wide=False))),
    "part-wide": lambda r: _deliver(r, _gsm7(_text(r, _PLAIN, 152), _part(r, wide=True))),
    "part-ucs2": lambda r: _deliver(r, _ucs2(_text(r, _WIDE, 67), _part(r, wide=False))),
    "name": lambda r: _deliver(
        r, _gsm7(_text(r, _PLAIN, 40)), originator=Address(_text(r, "KOREnet", 7), "alphanumeric")
    ),
    "short-code": lambda r: _deliver(
        r, _gsm7(_text(r, _PLAIN, 80)), originator=Address("2936", "unknown")
    ),
    "class-0": lambda r: _deliver(r, _gsm7(_text(r, _PLAIN, 50)), dcs=Dcs(0xF0)),
    "ports": lambda r: _deliver(
        r, UserData(Alphabet.OCTETS, r.randbytes(60), (Ports(2948, 9200).element,))
    ),
    "west": lambda r: _at(r, timezone(timedelta(minutes=-210)), _gsm7(_text(r, _PLAIN, 60))),
    "submit": lambda r: Submit(
        _international(r), _gsm7(_text(r, _PLAIN, 100)), 7, validity=Relative(167)
    ),
    "report": _report,
}


def samples(count: int = COUNT) -> list[Sample]:
    """`count` messages, the kinds in turn."""
    random = Random(_SEED)
    makers = list(KINDS.items())
    found = []
    for i in range(count):
        kind, make = makers[i % len(makers)]
        tpdu = make(random)
        pdu = encode(tpdu, smsc=_CENTRE).hex().upper()
        if isinstance(tpdu, StatusReport):
            found.append(Sample(kind, pdu, str(tpdu.recipient), None, tpdu.timestamp.time))
        elif isinstance(tpdu, Submit):
            found.append(Sample(kind, pdu, str(tpdu.destination), tpdu.user_data.text, None))
        elif isinstance(tpdu, Deliver):
            found.append(
                Sample(kind, pdu, str(tpdu.originator), tpdu.user_data.text, tpdu.timestamp.time)
            )
    return found


def texts(count: int = COUNT) -> list[tuple[str, str]]:
    """Number and text of `count` messages to send, each of one segment."""
    random = Random(_SEED)
    found = []
    for i in range(count):
        letters, most = ((_PLAIN, 150), (_EXTENDED, 75), (_WIDE, 70))[i % 3]
        number = "+" + "".join(random.choices("123456789", k=11))
        found.append((number, _text(random, letters, random.randint(1, most))))
    return found
