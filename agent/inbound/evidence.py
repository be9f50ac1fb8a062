"""How much is kept of a body that nothing runs: its start, its length and its digest."""

from __future__ import annotations

import hashlib
from typing import Final

__all__ = ["KEPT_OCTETS", "cut_data", "cut_text", "joined", "measure"]

KEPT_OCTETS: Final = 8192


def measure(octets: int, sha256: str) -> str:
    """Say what the whole body was. sha256: in hexadecimal."""
    return f"{octets} octets, SHA-256 {sha256}"


def cut_data(data: bytes) -> tuple[bytes, str]:
    """Cut octets; beside them, where something is missing, what the whole was."""
    if len(data) <= KEPT_OCTETS:
        return data, ""
    return data[:KEPT_OCTETS], measure(len(data), hashlib.sha256(data).hexdigest())


def cut_text(text: str) -> tuple[str, str]:
    """Cut a text by its octets of UTF-8, between two characters."""
    kept, whole = cut_data(text.encode("utf-8", "surrogatepass"))
    return (kept.decode("utf-8", "ignore"), whole) if whole else (text, "")


def joined(detail: str, whole: str) -> str:
    """Put what the whole was behind a detail."""
    return ", ".join(part for part in (detail, whole) if part)
