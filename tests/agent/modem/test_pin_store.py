from __future__ import annotations

import json
from pathlib import Path

from agent.modem.pin_store import pin_memory

ICCID = "89441000303211234567"


def test_no_sim_has_refused_before_the_first(tmp_path: Path) -> None:
    assert not pin_memory(tmp_path / "pins.json").refused(ICCID)


def test_a_refusal_is_remembered_over_restarts_and_forgotten_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "pins.json"
    pin_memory(path).remember(ICCID)
    assert pin_memory(path).refused(ICCID)
    assert not pin_memory(path).refused("89000000000000000000")
    pin_memory(path).forget(ICCID)
    assert not pin_memory(path).refused(ICCID)


def test_a_file_that_cannot_be_read_counts_as_refused_by_every_sim(tmp_path: Path) -> None:
    path = tmp_path / "pins.json"
    for content in (b"", b"{", b"\xff\xff", b"12"):
        path.write_bytes(content)
        assert pin_memory(path).refused(ICCID), content


def test_the_file_holds_no_pin_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "pins.json"
    pin_memory(path).remember(ICCID)
    assert json.loads(path.read_text()) == [ICCID]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_crash_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "pins.json"
    pin_memory(path).remember(ICCID)
    path.with_name("pins.json.new").write_text("half a wri")
    assert pin_memory(path).refused(ICCID)
    pin_memory(path).remember("89000000000000000000")
    assert pin_memory(path).refused(ICCID)
