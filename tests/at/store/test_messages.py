"""MessageStore: exactly what was read is deleted, nothing unproven is handed over as proven."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from at import commands, sms
from at.bringup.negotiation import Memories
from at.errors import CommandError, CommandTimeoutError, SendUnknownError
from at.modem import Modem
from at.store.messages import Deleted, MessageStore
from tests.at.peer import OK, Peer


def pdu(text: str, sender: str = "000") -> str:
    (part,) = sms.segment(text, reference=0)
    time = sms.Timestamp.of(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    return sms.encode(sms.Deliver(sms.Address.parse(sender), time, part)).hex().upper()


ONE, TWO = pdu("ping id=1"), pdu("status id=2", "+447700900123")


def entry(index: int, raw: str, length: int | None = None) -> str:
    return f"+CMGL: {index},0,,{length or len(raw) // 2 - 1}\r\n{raw}\r\n"


def listing(*entries: str) -> bytes:
    return b"\r\n" + "".join(entries).encode() + OK


def reading(raw: str, length: int | None = None) -> bytes:
    return f"\r\n+CMGR: 1,,{length or len(raw) // 2 - 1}\r\n{raw}\r\n".encode() + OK


class Rig:
    def __init__(self, peer: Peer, modem: Modem) -> None:
        self.peer = peer
        self.modem = modem
        self.store = MessageStore(modem, "pdu", memories=Memories("SM"))


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with Peer() as peer:
        modem = await Modem.open(peer.path)
        yield Rig(peer, modem)
        await modem.close()


async def test_listed_messages_are_decoded_and_proven(rig: Rig) -> None:
    rig.peer.answers["+CMGL=4"] = listing(entry(1, ONE), entry(4, TWO))
    first, second = await rig.store.list_stored()
    assert (first.index, second.index) == (1, 4)
    assert first.proven
    assert second.proven
    assert first.pdu is not None
    assert isinstance(first.pdu.tpdu, sms.Deliver)
    assert first.pdu.tpdu.user_data.text == "ping id=1"
    assert rig.peer.lines == ["AT+CMGL=4"]


async def test_octets_on_the_line_per_stored_message_keep_to_their_budget(rig: Rig) -> None:
    raw = pdu("x" * 60)
    count = 50
    rig.peer.answers["+CMGL=4"] = listing(*(entry(n, raw) for n in range(1, count + 1)))
    for stored in await rig.store.list_stored():
        assert await rig.store.delete(stored) is Deleted.DONE
    assert (rig.modem.bytes_in + rig.modem.bytes_out) / count <= 185


async def test_octets_on_the_line_per_live_message_keep_to_their_budget(rig: Rig) -> None:
    raw = pdu("x" * 16)
    rig.peer.answers["+CMGR=1"] = reading(raw)
    rig.peer.say(b'\r\n+CMTI: "SM",1\r\n')
    stored = await rig.store.read("SM", 1)
    assert stored is not None
    await rig.store.delete(stored)
    assert rig.modem.bytes_in + rig.modem.bytes_out <= 155


@pytest.mark.parametrize(
    "answer", [OK, b"\r\n+CMS ERROR: 321\r\n", b"\r\n+CME ERROR: 22\r\n", b"\r\nERROR\r\n"]
)
async def test_empty_slot_is_none(rig: Rig, answer: bytes) -> None:
    rig.peer.answers["+CMGR=3"] = answer
    assert await rig.store.read("SM", 3) is None


async def test_other_errors_are_no_empty_slot(rig: Rig) -> None:
    rig.peer.answers["+CMGR=3"] = b"\r\n+CMS ERROR: 320\r\n"
    with pytest.raises(CommandError):
        await rig.store.read("SM", 3)


async def test_pdu_that_lost_two_digits_is_read_again(rig: Rig) -> None:
    rig.peer.answers["+CMGL=4"] = listing(entry(1, ONE[:20] + ONE[22:], len(ONE) // 2 - 1))
    rig.peer.answers["+CMGR=1"] = reading(ONE)
    (stored,) = await rig.store.list_stored()
    assert stored.proven
    assert stored.raw == ONE


async def test_odd_message_is_proven_by_two_equal_readings(rig: Rig) -> None:
    odd = ONE + "00"
    rig.peer.answers["+CMGL=4"] = listing(entry(1, odd))
    rig.peer.answers["+CMGR=1"] = reading(odd)
    (stored,) = await rig.store.list_stored()
    assert stored.flags
    assert stored.proven
    assert rig.peer.lines == ["AT+CMGL=4", "AT+CMGR=1"]


REPORT = "079124602009999006B4098106326906F2212041015554402120410155054000"


@pytest.mark.parametrize("header", ["+CMGR: 24", "+CMGR:24", "+CMGR: ,,24", "+CMGR: 0,,24"])
async def test_header_of_its_length_alone_is_that_of_a_message(rig: Rig, header: str) -> None:
    rig.peer.answers["+CMGR=1"] = f"\r\n{header}\r\n{REPORT}\r\n".encode() + OK
    stored = await rig.store.read("SM", 1)
    assert stored is not None
    assert stored.pdu is not None
    assert isinstance(stored.pdu.tpdu, sms.StatusReport)
    assert stored.pdu.tpdu.reference == 180
    assert "unwitnessed" not in stored.flags
    assert rig.peer.lines[0] == "AT+CMGR=1"


async def test_listed_header_of_its_length_alone_is_that_of_a_message(rig: Rig) -> None:
    rig.peer.answers["+CMGL=4"] = listing(f"+CMGL: 7,24\r\n{REPORT}\r\n", entry(8, ONE))
    rig.peer.answers["+CMGR=7"] = reading(REPORT, 24)
    report, other = await rig.store.list_stored()
    assert (report.index, other.index) == (7, 8)
    assert report.raw == REPORT
    assert report.status == ""


def noisy(answer: bytes) -> bytes:
    return b"\r\n\xfe\x81rubbish\r\n" + answer


SHORT = reading(ONE[:20] + ONE[22:], len(ONE) // 2 - 1)
BARE = reading(ONE).replace(f",{len(ONE) // 2 - 1}\r".encode(), b",\r")


async def test_clean_reading_amid_rubbish_counts_when_it_comes_twice(rig: Rig) -> None:
    answers = iter([reading(ONE), SHORT, b"\r\n+CMGR: 1,,\r\n" + OK, reading(ONE)])
    rig.peer.answers["+CMGR=1"] = lambda _: noisy(next(answers))
    stored = await rig.store.read("SM", 1)
    assert stored is not None
    assert stored.proven
    assert stored.raw == ONE
    assert len(rig.peer.lines) == 4


async def test_clean_reading_is_remembered_from_one_visit_to_the_next(rig: Rig) -> None:
    answers = iter([reading(ONE), *[SHORT] * 7, reading(ONE)])
    rig.peer.answers["+CMGR=1"] = lambda _: noisy(next(answers))
    first = await rig.store.read("SM", 1)
    assert first is not None
    assert not first.proven
    second = await rig.store.read("SM", 1)
    assert second is not None
    assert second.proven


async def test_pdu_that_loses_the_same_digits_every_time_is_never_proven_by_a_noisy_line(
    rig: Rig,
) -> None:
    rig.peer.answers["+CMGR=1"] = lambda _: noisy(SHORT)
    stored = await rig.store.read("SM", 1)
    assert stored is not None
    assert not stored.proven


async def test_pdu_without_its_length_does_not_count_on_the_strength_of_one_reading(
    rig: Rig,
) -> None:
    rig.peer.answers["+CMGR=1"] = BARE
    stored = await rig.store.read("SM", 1)
    assert stored is not None
    assert stored.flags == ("unwitnessed",)
    assert stored.proven
    assert rig.peer.lines == ["AT+CMGR=1", "AT+CMGR=1"]


async def test_readings_that_never_agree_stay_unproven(rig: Rig) -> None:
    cuts = iter(range(24, 46, 2))
    rig.peer.answers["+CMGR=1"] = lambda _: reading(
        ONE[: (n := next(cuts))] + ONE[n + 2 :], len(ONE) // 2 - 1
    )
    stored = await rig.store.read("SM", 1)
    assert stored is not None
    assert not stored.proven


async def test_undecodable_message_is_handed_over_with_its_error(rig: Rig) -> None:
    rig.peer.answers["+CMGR=1"] = reading("0004FF")
    stored = await rig.store.read("SM", 1)
    assert stored is not None
    assert stored.pdu is None
    assert stored.error is not None
    assert stored.proven  # twice the same: this is what the modem has


async def test_index_that_does_not_rise_is_doubted(rig: Rig) -> None:
    rig.peer.answers["+CMGL=4"] = listing(entry(11, ONE), entry(2, TWO))  # 12 lost a digit
    rig.peer.answers["+CMGR=*"] = OK
    rig.peer.answers["+CMGR=11"] = reading(ONE)
    found = {stored.index: stored for stored in await rig.store.list_stored()}
    assert found[11].proven
    assert not found[2].proven
    assert await rig.store.delete(found[2]) is Deleted.EMPTY
    assert "AT+CMGD=2" not in rig.peer.lines


async def test_listing_with_damage_is_repeated(rig: Rig) -> None:
    answers = iter(
        [
            listing(entry(1, ONE), "garbage+CMGL: 2,0,,30\r\n" + TWO + "\r\n"),
            listing(entry(1, ONE), entry(2, TWO)),
        ]
    )
    rig.peer.answers["+CMGL=4"] = lambda _: next(answers)
    assert [stored.index for stored in await rig.store.list_stored()] == [1, 2]


async def test_unknown_news_is_no_damage(rig: Rig) -> None:
    rig.peer.answers["+CMGL=4"] = b"\r\n^RSSI: 17\r\n" + listing(entry(1, ONE))
    assert len(await rig.store.list_stored()) == 1
    assert rig.peer.lines == ["AT+CMGL=4"]


async def test_after_a_resynchronisation_a_changed_slot_is_left_alone(rig: Rig) -> None:
    rig.peer.answers["+CMGL=4"] = listing(entry(1, ONE))
    (stored,) = await rig.store.list_stored()
    await rig.modem.resynchronise()
    rig.peer.answers["+CMGR=1"] = reading(TWO)
    assert await rig.store.delete(stored) is Deleted.CHANGED
    assert "AT+CMGD=1" not in rig.peer.lines


async def test_after_a_resynchronisation_the_same_message_is_deleted(rig: Rig) -> None:
    rig.peer.answers["+CMGL=4"] = listing(entry(1, ONE))
    (stored,) = await rig.store.list_stored()
    await rig.modem.resynchronise()
    rig.peer.answers["+CMGR=1"] = reading(ONE)
    assert await rig.store.delete(stored) is Deleted.DONE
    assert rig.peer.lines[-3:] == ['AT+CPMS="SM"', "AT+CMGR=1", "AT+CMGD=1"]


async def test_deletion_that_took_another_message_is_told_and_repeated(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.peer.answers["+CMGL=4"] = listing(entry(12, ONE))
    (stored,) = await rig.store.list_stored()
    rig.modem.distrust()
    answers = iter([reading(ONE), b"\r\n+CMS ERROR: 321\r\n"])
    rig.peer.answers["+CMGR=12"] = lambda _: next(answers)
    assert await rig.store.delete(stored) is Deleted.DONE
    assert rig.peer.lines[1:] == ["AT+CMGD=12", "AT+CMGR=12"] * 2
    assert "deletion went astray storage=SM index=12 taken=1|2" in caplog.text


@pytest.mark.parametrize(("index", "suspect"), [(12, False), (9, True)])
async def test_deletion_is_not_looked_after_where_no_digit_can_be_missing(
    rig: Rig, index: int, suspect: bool
) -> None:
    rig.peer.answers["+CMGL=4"] = listing(entry(index, ONE))
    (stored,) = await rig.store.list_stored()
    if suspect:
        rig.modem.distrust()
    assert await rig.store.delete(stored) is Deleted.DONE
    assert rig.peer.lines == ["AT+CMGL=4", f"AT+CMGD={index}"]


async def test_message_that_is_never_gone_does_not_hold_up_the_rest(rig: Rig) -> None:
    rig.peer.answers |= {"+CMGL=4": listing(entry(12, ONE)), "+CMGR=12": reading(ONE)}
    (stored,) = await rig.store.list_stored()
    rig.modem.distrust()
    assert await rig.store.delete(stored) is Deleted.DONE
    assert rig.peer.lines.count("AT+CMGD=12") == 4


async def test_restart_between_reading_and_deleting_reads_again(rig: Rig) -> None:
    rig.peer.answers["+CMGR=1"] = reading(ONE)
    stored = await rig.store.read("SM", 1)
    assert stored is not None
    rig.peer.answers["+CMGR=1"] = reading(TWO)
    rig.peer.say(b"\r\nRDY\r\n")
    await rig.modem.send(commands.ATTENTION)
    assert await rig.store.delete(stored) is Deleted.CHANGED


async def test_both_memories_are_looked_into_first_and_after_each_generation(rig: Rig) -> None:
    store = MessageStore(rig.modem, "pdu", memories=Memories("SM", ("ME",)))
    rig.peer.answers['+CPMS="ME"'] = b"\r\n+CPMS: 1,20,0,10,0,10\r\n" + OK
    rig.peer.answers["+CMGL=4"] = lambda _: (
        listing(entry(7, ONE))
        if rig.peer.lines.count('AT+CPMS="ME"') > rig.peer.lines.count('AT+CPMS="SM"')
        else listing(entry(3, TWO))
    )
    found = await store.list_stored()
    assert [(one.storage, one.index) for one in found] == [("ME", 7), ("SM", 3)]
    assert [one.storage for one in await store.list_stored()] == ["SM"]
    await rig.modem.resynchronise()
    assert [one.storage for one in await store.list_stored()] == ["ME", "SM"]


async def test_message_in_the_other_memory_is_deleted_there(rig: Rig) -> None:
    rig.peer.answers["+CMGR=2"] = reading(ONE)
    stored = await rig.store.read("ME", 2)
    assert stored is not None
    await rig.store.delete(stored)
    assert rig.peer.lines == ['AT+CPMS="ME"', "AT+CMGR=2", "AT+CMGD=2"]


SUBMIT = sms.Submit(sms.Address.parse("2936"), sms.segment("hello", reference=0)[0])


async def test_sent_message_gives_its_reference(rig: Rig) -> None:
    rig.peer.answers["+CMGS=*"] = b"\r\n>"
    rig.peer.answers["<SUB>"] = b"\r\n+CMGS: 200\r\n" + OK
    assert await rig.store.send(SUBMIT) == 200
    body = sms.encode(SUBMIT).hex().upper()
    assert rig.peer.lines == [f"AT+CMGS={len(body) // 2 - 1}", body + "<SUB>"]


async def test_refused_message_was_not_sent(rig: Rig) -> None:
    rig.peer.answers["+CMGS=*"] = b"\r\n> "
    rig.peer.answers["<SUB>"] = b"\r\n+CMS ERROR: 42\r\n"
    with pytest.raises(CommandError) as caught:
        await rig.store.send(SUBMIT)
    assert caught.value.temporary


async def test_message_that_the_line_damaged_is_sent_again(rig: Rig) -> None:
    answers = iter([b"\r\n+CMS ERROR: 304\r\n"] * 2 + [b"\r\n+CMGS: 7\r\n" + OK])
    rig.peer.answers |= {"+CMGS=*": b"\r\n> ", "<SUB>": lambda _: next(answers)}
    assert await rig.store.send(SUBMIT) == 7
    assert rig.modem.line_suspect


async def test_message_that_the_modem_does_not_like_is_refused_in_the_end(rig: Rig) -> None:
    rig.peer.answers |= {"+CMGS=*": b"\r\n> ", "<SUB>": b"\r\n+CMS ERROR: 304\r\n"}
    with pytest.raises(CommandError) as caught:
        await rig.store.send(SUBMIT)
    assert caught.value.code == 304
    assert len(rig.peer.lines) == 6


async def test_unknown_error_leaves_the_outcome_unknown(rig: Rig) -> None:
    rig.peer.answers["+CMGS=*"] = b"\r\n> "
    rig.peer.answers["<SUB>"] = b"\r\n+CMS ERROR: 500\r\n"
    with pytest.raises(SendUnknownError):
        await rig.store.send(SUBMIT)


async def test_silence_after_the_body_leaves_the_outcome_unknown(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "SEND_TIMEOUT_S", 0.1)
    rig.peer.answers["+CMGS=*"] = b"\r\n> "
    rig.peer.answers["<SUB>"] = None
    with pytest.raises(SendUnknownError):
        await rig.store.send(SUBMIT)


async def test_silence_before_the_prompt_means_not_sent(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "SEND_TIMEOUT_S", 0.1)
    rig.peer.answers["+CMGS=*"] = None
    with pytest.raises(CommandTimeoutError):
        await rig.store.send(SUBMIT)


async def test_port_lost_after_the_body_leaves_the_outcome_unknown(rig: Rig) -> None:
    rig.peer.answers["+CMGS=*"] = b"\r\n> "

    def unplug(_: str) -> None:
        rig.peer.unplug()

    rig.peer.answers["<SUB>"] = unplug
    with pytest.raises(SendUnknownError):
        await rig.store.send(SUBMIT)
