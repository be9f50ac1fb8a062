"""Every transcript through the protocol, over a pty, and to the simulated modem."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from at import sms
from at.modem import Modem
from at.simulator import PERSONALITIES, SimulatedModem
from tests.at import replay
from tests.at.peer import Peer

FILES = replay.transcripts()
NAMES = [f"{path.parent.name}/{path.stem}" for path in FILES]


def test_there_are_transcripts() -> None:
    assert len(FILES) >= 10


@pytest.mark.parametrize("path", FILES, ids=NAMES)
@pytest.mark.parametrize("octet_by_octet", [False, True], ids=["whole", "octets"])
def test_protocol_understands(path: Path, octet_by_octet: bool) -> None:
    replay.play_to_protocol(replay.read(path), octet_by_octet=octet_by_octet)


@pytest.mark.parametrize("path", FILES, ids=NAMES)
async def test_modem_understands(path: Path) -> None:
    turns = replay.read(path)
    news: list[object] = []
    async with Peer(default=replay.far_end(turns)) as peer:
        modem = await Modem.open(peer.path, on_urc=news.append)
        if turns[0].after:
            peer.say(turns[0].after)
        await replay.play_to_modem(turns, modem, news)
        await modem.close()


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_simulated_modem_answers_alike(path: Path) -> None:
    name = path.parent.name
    simulated = SimulatedModem(name if name in PERSONALITIES else "generic")
    turns = replay.read(path)
    compared = replay.play_to_simulator(turns, simulated)
    assert compared or not any(one[0] == "=" for turn in turns for one in turn.outcome)


_SHOWN = re.compile(r"RawMessage\(.*?header='([^']*)', text='([0-9A-F]{16,})'\)")


def test_messages_that_transcripts_show_are_as_long_as_they_say() -> None:
    lines = [line for path in FILES for line in path.read_text("utf-8").splitlines()]
    shown = [
        (header, text)
        for line in lines
        for header, text in _SHOWN.findall(line)
        if re.fullmatch(r'.*,("[^"]*")?,\d+', header)  # PDU mode: nothing but the length follows
    ]
    assert len(shown) >= 5
    for header, text in shown:
        assert sms.decode(text, length=int(header.rpartition(",")[2])).flags == ()


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_first_line_says_what_is_shown(path: Path) -> None:
    assert path.read_text("utf-8").startswith("# ")
