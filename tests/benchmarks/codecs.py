"""The SMS codec's rates beside other codecs' that are installed."""

from __future__ import annotations

from collections.abc import Iterator

from tests.benchmarks import codec
from tests.benchmarks.stage import Bench
from tests.benchmarks.table import Row


def rows(bench: Bench) -> Iterator[Row]:
    """Rates, our rate divided by each, and the share that came out wrong."""
    del bench
    for found in codec.rows():
        name, value, ratio = found["name"], found["value"], found["ratio"]
        if value is None:
            yield Row(f"codec {name}", None, "messages/s", note="not installed")
            continue
        yield Row(f"codec {name}", value, "messages/s", note=f"wrong: {found['wrong']:.1%}")
        if name.endswith("at.sms"):
            yield Row(f"codec {name}, wrong", found["wrong"] * 100, "%", 0)
        elif found["budget"]:
            yield Row(f"codec {name}: ours is faster by", ratio, "x", found["budget"], least=True)
