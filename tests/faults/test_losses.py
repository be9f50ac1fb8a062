"""A line that loses bytes: each message runs once, and nothing runs on one doubtful reading."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.conftest import Played
from tests.faults.losses import Cut, Losses

pytestmark = pytest.mark.timeout(900)  # the first of them waits for all


def seen(played: Played, scene: str) -> Losses:
    found: Any = played[scene]
    assert isinstance(found, Losses), found
    return found


@pytest.mark.parametrize("scene", ["lossy from the modem"])
def test_every_message_runs_once_while_the_modem_s_bytes_get_lost(
    played: Played, scene: str
) -> None:
    found = seen(played, scene)
    assert (found.once, found.twice, found.changed) == (found.count, 0, ())


@pytest.mark.parametrize("scene", ["lossy both ways", "very lossy both ways"])
def test_none_runs_twice_while_bytes_get_lost_both_ways_and_every_loss_is_explained(
    played: Played, scene: str
) -> None:
    found = seen(played, scene)
    assert (found.twice, found.changed) == (0, ())
    assert found.once + len(found.gone) == found.count
    # A deletion that lost a digit takes another message, which nobody has read.
    assert all(found.gone.values()), f"lost, and no damaged deletion: {found.gone}"


@pytest.mark.parametrize("scene", ["octets cut"])
def test_two_lost_hex_digits_never_run_on_the_strength_of_one_read(
    played: Played, scene: str
) -> None:
    found: Any = played[scene]
    assert isinstance(found, Cut), found
    assert found.cut == len(found.wanted)
    assert found.executed == found.wanted
    assert found.times == len(found.wanted)
    assert found.kept == found.brought
