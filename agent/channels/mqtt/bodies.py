"""JSON bodies as they are published: strict JSON, UTC times, no surprises for a parser."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypeAlias

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None


def render_body(fields: Mapping[str, object]) -> bytes:
    """Render one JSON object in UTF-8, keys in the order given.

    Times become UTC ISO 8601 with `Z`, octets base64, sets and tuples arrays; NaN and the
    infinities become null, and a lone surrogate "?", as JSON has no word for them.
    Raises TypeError for a value of any other kind, ValueError for a time without a zone.
    """
    text = json.dumps(_plain(fields), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", errors="replace")


def render_time(moment: datetime) -> str:
    """Render an aware time as UTC ISO 8601 with `Z`; milliseconds only where there are any.

    Raises ValueError for a time without a zone.
    """
    if moment.utcoffset() is None:
        raise ValueError("a time without a zone cannot be told as UTC")
    utc = moment.astimezone(UTC)
    timespec = "milliseconds" if utc.microsecond else "seconds"
    return utc.isoformat(timespec=timespec).replace("+00:00", "Z")


def _plain(value: object) -> Json:  # noqa: PLR0911  # one line a kind reads best
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        return render_time(value)
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return [_plain(item) for item in sorted(value)]
    raise TypeError(f"{type(value).__name__} has no JSON form here")
