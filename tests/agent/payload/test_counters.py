"""Counters for signing: never one twice, whoever asks and whatever the clock says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from agent.payload.counters import MAX_COUNTER, CounterError, next_counter

NOW = 1_800_000_000


def test_two_in_one_second_differ(tmp_path: Path) -> None:
    path = tmp_path / "state" / "counters.json"
    assert [next_counter(path, "0", now=NOW) for _ in range(3)] == [NOW, NOW + 1, NOW + 2]
    assert next_counter(path, "0", now=NOW + 2.9) == NOW + 3
    assert next_counter(path, "0", now=NOW + 60) == NOW + 60


def test_a_clock_that_is_set_back_brings_none_back(tmp_path: Path) -> None:
    path = tmp_path / "counters.json"
    assert next_counter(path, "0", now=NOW) == NOW
    assert next_counter(path, "0", now=0) == NOW + 1


def test_every_key_counts_for_itself(tmp_path: Path) -> None:
    path = tmp_path / "counters.json"
    assert [next_counter(path, key, now=NOW) for key in ("0", "b", "0", "b")] == [
        NOW,
        NOW,
        NOW + 1,
        NOW + 1,
    ]


_ASK = """
import sys
from pathlib import Path
from agent.payload.counters import next_counter
for _ in range(25):
    print(next_counter(Path(sys.argv[1]), "0"))
"""


def test_processes_never_share_one(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", _ASK, str(tmp_path / "counters.json")]
    asking = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    given = [[int(line) for line in process.communicate()[0].split()] for process in asking]
    assert all(one == sorted(one) for one in given)
    everything = [counter for one in given for counter in one]
    assert len(set(everything)) == len(everything) == 100


@pytest.mark.parametrize("content", ["", "{", "[]", '{"0": "1"}', '{"0": true}', '{"0": 1.5}'])
def test_a_damaged_file_gives_none_and_is_left_alone(tmp_path: Path, content: str) -> None:
    path = tmp_path / "counters.json"
    path.write_text(content)
    with pytest.raises(CounterError, match=r"counters\.json: damaged"):
        next_counter(path, "0")
    assert path.read_text() == content


def test_what_cannot_be_remembered_is_not_given(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CounterError, match=r"Not a directory|File exists"):
        next_counter(tmp_path / "file" / "counters.json", "0")
    path = tmp_path / "counters.json"
    next_counter(path, "0", now=NOW)
    (tmp_path / "counters.json.new").mkdir()  # in the way of the write
    with pytest.raises(CounterError, match="Is a directory"):
        next_counter(path, "0", now=NOW)
    assert json.loads(path.read_text()) == {"0": NOW}


def test_the_last_counter_is_the_last(tmp_path: Path) -> None:
    path = tmp_path / "counters.json"
    path.write_text(json.dumps({"0": MAX_COUNTER}))
    with pytest.raises(CounterError, match="no counter left"):
        next_counter(path, "0")


def test_the_file_is_the_users_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "counters.json"
    next_counter(path, "0")
    modes = [one.stat().st_mode & 0o777 for one in (path.parent, path)]
    assert modes == [0o700, 0o600]


def test_a_link_in_the_way_is_not_written_through(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "counters.json.new").symlink_to(victim)
    next_counter(tmp_path / "counters.json", "0", now=1)
    assert victim.read_text() == "precious"
    (tmp_path / "counters.json.lock").unlink()
    (tmp_path / "counters.json.lock").symlink_to(tmp_path / "not-made")
    with pytest.raises(CounterError):
        next_counter(tmp_path / "counters.json", "0", now=2)
    assert not (tmp_path / "not-made").exists()
