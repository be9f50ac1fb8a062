"""Decode and encode rates of the SMS codec and of its peers, on the same 10,000 messages.

`python -m tests.benchmarks.codec`; each codec gets the best CPU time of several interleaved
rounds, and what counts are the ratios within one run.
"""

from __future__ import annotations

import gc
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from at.sms import Submit, decode, join
from tests.benchmarks.codec_messages import KINDS, Sample, samples, texts
from tests.benchmarks.codec_peers import Codec, codecs

ROUNDS = 12
FAR_BEHIND = 3
# Ours divided by the peer's; the peers not named here have no budget of their own.
_DECODE_BUDGET = {"gammu (C, through python-gammu)": 1.5, "smspdudecoder": 10.0}
_ENCODE_BUDGET = {"gsmmodem.pdu": 2.0}


def _refusing(call: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """The result, or None where the codec gives up; what a peer raises is its own affair."""
    try:
        return call(*arguments)
    except Exception:  # noqa: BLE001  # peers raise whatever comes: TypeError, IndexError, gammu's
        return None


def _best(calls: Iterable[Callable[[], object]]) -> list[float]:
    """The least CPU time of each call; rounds are interleaved so that all share the noise.

    Those that are far behind after two rounds are not measured any further.
    """
    every = list(calls)
    best = [float("inf")] * len(every)
    for turn in range(ROUNDS):
        for place, call in enumerate(every):
            if turn >= 2 and best[place] > FAR_BEHIND * min(best):
                continue
            gc.collect()
            start = time.process_time()
            call()
            best[place] = min(best[place], time.process_time() - start)
    return best


def _found(codec: Codec, pdu: str) -> Any:
    return codec.found(codec.read(pdu))


def _agrees(codec: Codec, sample: Sample, found: Any) -> bool:
    if found is None:
        return False
    number, text, when = found
    if number != sample.number or (sample.text is not None and text != sample.text):
        return False
    return not codec.time or sample.time is None or when == sample.time


def _decode_all(codec: Codec, pdus: list[str]) -> None:
    read = codec.read
    for pdu in pdus:
        try:
            read(pdu)
        except Exception:  # noqa: BLE001  # see _refusing; the time still counts
            continue


def _encode_all(codec: Codec, wanted: list[tuple[str, str]]) -> None:
    write = codec.write
    if write is None:
        return
    for number, text in wanted:
        try:
            write(number, text)
        except Exception:  # noqa: BLE001  # see _refusing
            continue


def _wrong_decodes(codec: Codec, mixed: list[Sample]) -> tuple[int, list[str]]:
    wrong = [s for s in mixed if not _agrees(codec, s, _refusing(_found, (codec, s.pdu)))]
    kinds = [kind for kind in KINDS if any(s.kind == kind for s in wrong)]
    return len(wrong), kinds


def _wrong_encodes(codec: Codec, wanted: list[tuple[str, str]]) -> int:
    wrong = 0
    for number, text in wanted:
        pdus = _refusing(codec.write or str, (number, text))
        wrong += pdus is None or not _means(pdus, number, text)
    return wrong


def _means(pdus: list[str], number: str, text: str) -> bool:
    """Whether what a codec wrote says what was asked, read by our own decoder."""
    parts = []
    for pdu in pdus:
        tpdu = _refusing(lambda pdu: decode(pdu, direction="mo"), (pdu,))
        if tpdu is None or not isinstance(tpdu.tpdu, Submit):
            return False
        if str(tpdu.tpdu.destination) != number:
            return False
        parts.append(tpdu.tpdu.user_data)
    whole = _refusing(join, (parts,))
    return whole is not None and whole.text == text


def rows() -> list[dict[str, Any]]:
    """One row a codec and work: name, value (a second), unit, budget, ratio (ours to it), wrong."""
    warnings.simplefilter("ignore")  # a peer's own deprecations
    found, missing = codecs()
    mixed, wanted = samples(), texts()
    pdus = [sample.pdu for sample in mixed]
    table = []
    speed = _best([lambda codec=codec: _decode_all(codec, pdus) for codec in found])  # type: ignore[misc]  # mypy cannot infer a lambda with a default
    for codec, seconds in zip(found, speed, strict=True):
        wrong, kinds = _wrong_decodes(codec, mixed)
        table.append(
            _row(f"decode, {codec.name}", seconds, len(mixed), speed[0], wrong, kinds)
            | {"budget": _DECODE_BUDGET.get(codec.name)}
        )
    writers = [codec for codec in found if codec.write is not None]
    speed = _best([lambda codec=codec: _encode_all(codec, wanted) for codec in writers])  # type: ignore[misc]  # see above
    for codec, seconds in zip(writers, speed, strict=True):
        wrong = _wrong_encodes(codec, wanted)
        table.append(
            _row(f"encode, {codec.name}", seconds, len(wanted), speed[0], wrong, [])
            | {"budget": _ENCODE_BUDGET.get(codec.name)}
        )
    table += [
        {"name": name, "value": None, "unit": "not installed", "budget": None, "ratio": None}
        for name in missing
    ]
    return table


def _row(
    name: str, seconds: float, count: int, ours: float, wrong: int, kinds: list[str]
) -> dict[str, Any]:
    return {
        "name": name,
        "value": count / seconds,
        "unit": "messages/s",
        "ratio": seconds / ours,
        "wrong": wrong / count,
        "wrong_kinds": kinds,
    }


def main() -> int:
    """Print the table; 0 when every budget is met and ours makes no mistake."""
    good = True
    for row in rows():
        if row["value"] is None:
            print(f"{row['name']:<42} not installed (pip install 'modem-agent[bench]')")
            continue
        budget = row["budget"]
        met = budget is None or row["ratio"] >= budget
        if row["name"].endswith("at.sms"):
            met = met and row["wrong"] == 0
        good = good and met
        print(
            f"{row['name']:<42} {row['value']:>9,.0f} {row['unit']}  ours is "
            f"{row['ratio']:>6.2f} x  wrong {row['wrong']:>6.1%}"
            + (f"  budget {budget:g} x: {'met' if met else 'MISSED'}" if budget else "")
            + (f"  ({', '.join(row['wrong_kinds'])})" if row["wrong_kinds"] else "")
        )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
