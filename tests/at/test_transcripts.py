"""Every transcript, whole and octet by octet, through the protocol and over a pty."""

from __future__ import annotations

from pathlib import Path

import pytest

from at.modem import Modem
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
def test_first_line_says_what_is_shown(path: Path) -> None:
    assert path.read_text("utf-8").startswith("# ")
