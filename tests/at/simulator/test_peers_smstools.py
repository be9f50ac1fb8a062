"""smstools' smsd, as Debian ships it, works with the simulated modem."""

from __future__ import annotations

from pathlib import Path

import pytest

from at.simulator import PtyModem, RunningModem
from tests.at.simulator.peers import destination_of, needs, running, text_of, until

pytestmark = pytest.mark.peers


@needs("smsd", "smstools")
@pytest.mark.parametrize("personality", ["generic", "telit-le910"])
def test_smsd_receives_and_sends(personality: str, tmp_path: Path) -> None:
    names = ("outgoing", "checked", "incoming", "failed", "sent", "stats", "saved")
    folders = {name: tmp_path / name for name in names}
    for folder in folders.values():
        folder.mkdir()
    log = tmp_path / "log"
    with RunningModem(lambda: PtyModem(personality)) as modem:
        conf = tmp_path / "smsd.conf"
        conf.write_text(
            "devices = GSM1\n"
            + "".join(f"{name} = {folders[name]}\n" for name in names)
            + f"logfile = {log}\nloglevel = 7\ndelaytime = 1\nerrorsleeptime = 1\n"
            f"pidfile = {tmp_path}/pid\ninfofile = {tmp_path}/info\n"
            "receive_before_send = no\n"
            f"[GSM1]\ndevice = {modem.path}\nincoming = yes\nbaudrate = 115200\n"
            "rtscts = no\nreport = no\n"
        )
        modem.deliver_text("+447700900123", "Before the start")
        (folders["outgoing"] / "one").write_text("To: 447700900123\n\nFrom smsd")
        with running(("smsd", "-c", str(conf), "-t"), tmp_path / "output"):
            incoming = folders["incoming"]
            until(lambda: len(list(incoming.iterdir())) == 1, log)
            until(lambda: len(modem.sent) == 1, log)
            modem.deliver_text("+447700900123", "While it runs")
            until(lambda: len(list(incoming.iterdir())) == 2, log)
            until(lambda: not modem.messages("SM"), log)
        (sent,) = modem.sent
    bodies = {path.read_text().rpartition("\n\n")[2].strip() for path in incoming.iterdir()}
    assert bodies == {"Before the start", "While it runs"}
    assert (destination_of(sent.pdu), text_of(sent.pdu)) == ("+447700900123", "From smsd")
