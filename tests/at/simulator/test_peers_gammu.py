"""gammu and gammu-smsd, as Debian ships them, work with the simulated modem."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from at.simulator import PtyModem, RunningModem
from tests.at.simulator.peers import destination_of, needs, run, running, text_of, until

pytestmark = pytest.mark.peers


@pytest.fixture
def modem() -> Iterator[RunningModem[PtyModem]]:
    with RunningModem(PtyModem) as running_modem:
        yield running_modem


@needs("gammu", "gammu")
def test_gammu_identifies_reads_deletes_and_sends(
    modem: RunningModem[PtyModem], tmp_path: Path
) -> None:
    rc, batch = tmp_path / "gammurc", tmp_path / "batch"
    rc.write_text(f"[gammu]\ndevice = {modem.path}\nconnection = at115200\n")
    batch.write_text(
        'identify\ngetallsms\ndeletesms 0 1 2\nsendsms TEXT +447700900123 -text "From gammu: [x]"\n'
    )
    modem.deliver_text("2936", "Hello {world} €")
    modem.deliver_text("+447700900123", "多い" * 50)
    told = run("gammu", "-c", str(rc), "batch", str(batch))
    assert "490154203237518" in told
    assert "234100123456789" in told
    assert "Hello {world} €" in told
    assert "3 SMS parts" in told
    assert list(modem.messages("SM")) == [3]
    (sent,) = modem.sent
    assert text_of(sent.pdu) == "From gammu: [x]"
    assert destination_of(sent.pdu) == "+447700900123"


@needs("gammu-smsd", "gammu-smsd")
def test_gammu_smsd_receives_and_sends(modem: RunningModem[PtyModem], tmp_path: Path) -> None:
    folders = {name: tmp_path / name for name in ("inbox", "outbox", "sent", "error")}
    for folder in folders.values():
        folder.mkdir()
    log = tmp_path / "log"
    rc = tmp_path / "smsdrc"
    rc.write_text(
        f"[gammu]\ndevice = {modem.path}\nconnection = at115200\n"
        f"[smsd]\nservice = files\nlogfile = {log}\ndebuglevel = 255\nchecksecurity = 0\n"
        "commtimeout = 1\nreceivefrequency = 1\nstatusfrequency = 0\nloopsleep = 1\n"
        f"inboxpath = {folders['inbox']}/\noutboxpath = {folders['outbox']}/\n"
        f"sentsmspath = {folders['sent']}/\nerrorsmspath = {folders['error']}/\n"
    )
    modem.deliver_text("2936", "Before the start")
    (folders["outbox"] / "OUT+447700900123.txt").write_text("From gammu-smsd")
    with running(("gammu-smsd", "-c", str(rc)), tmp_path / "output"):
        inbox = folders["inbox"]
        until(lambda: len(list(inbox.iterdir())) == 1, log)
        until(lambda: len(modem.sent) == 1, log)
        modem.deliver_text("2936", "While it runs")
        until(lambda: len(list(inbox.iterdir())) == 2, log)
        until(lambda: not modem.messages("SM"), log)
    texts = {path.read_text() for path in inbox.iterdir()}
    assert texts == {"Before the start", "While it runs"}
    assert text_of(modem.sent[0].pdu) == "From gammu-smsd"
