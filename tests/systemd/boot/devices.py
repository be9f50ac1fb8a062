"""What is shown of the agent on a serial device: everything is asked and told by SMS."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from tests.systemd.boot.air import Air
from tests.systemd.boot.scenes import signed

__all__ = ["SCENES"]

BOOT_S: Final = 240.0  # without hardware acceleration
SHORT_S: Final = 60.0
AWAY_S: Final = 5.0


def it_finds_its_modem(air: Air, _: Path) -> Iterator[str]:
    reply, took_s = _exchange(air, "ping id=q1", "q1", BOOT_S)
    assert reply.startswith("q1 OK"), reply
    yield f"SMS `ping id=q1` before power-on -> {reply!r} {took_s:.0f} s later"


def the_udev_rule_names_it(air: Air, _: Path) -> Iterator[str]:
    reply, _took = _exchange(air, "look where=/dev/modem id=q2", "q2", SHORT_S)
    assert "/dev/modem -> ttyUSB0" in reply, reply
    yield f"SMS `look where=/dev/modem id=q2` -> {reply!r}"


def the_device_policy_lets_it_open_nothing_else(air: Air, _: Path) -> Iterator[str]:
    # World-writable: only the policy of the unit can be what refuses it.
    reply, _took = _exchange(air, "open what=/dev/fuse id=q3", "q3", SHORT_S)
    assert reply.startswith("q3 ER"), reply
    assert "not permitted" in reply, reply
    yield f"SMS `open what=/dev/fuse id=q3` -> {reply!r}"
    reply, _took = _exchange(air, "open what=/dev/null id=q4", "q4", SHORT_S)
    assert reply.startswith("q4 OK"), reply
    yield f"SMS `open what=/dev/null id=q4` -> {reply!r}"


def it_is_unplugged_and_comes_back(air: Air, _: Path) -> Iterator[str]:
    before, _took = _exchange(air, "ping id=q5", "q5", SHORT_S)
    air.unplug(AWAY_S)
    time.sleep(AWAY_S / 2)
    reply, took_s = _exchange(air, "ping id=q6", "q6", SHORT_S)
    up_s = [int(text.rpartition("up=")[2]) for text in (before, reply)]
    assert up_s[1] > up_s[0], (before, reply)
    yield f"unplugged for {AWAY_S:g} s; an SMS from meanwhile answered {took_s:.1f} s after it came"
    yield f"by the same process: up={up_s[0]}, then up={up_s[1]}"


def it_reboots(air: Air, folder: Path) -> Iterator[str]:
    reply, took_s = _exchange(air, signed("reboot id=q7", folder), "q7", BOOT_S)
    assert reply == "q7 OK boot=changed", reply
    yield f"SMS `reboot id=q7` -> {reply!r} {took_s:.0f} s later"


def _exchange(air: Air, text: str, id_: str, timeout_s: float) -> tuple[str, float]:
    start = time.monotonic()
    air.deliver(text)
    return air.answer(id_, timeout_s), time.monotonic() - start


SCENES: Final[tuple[Callable[[Air, Path], Iterator[str]], ...]] = (
    it_finds_its_modem,
    the_udev_rule_names_it,
    the_device_policy_lets_it_open_nothing_else,
    it_is_unplugged_and_comes_back,
    it_reboots,
)
