"""Checks that a number fits the octet it is meant for."""

from __future__ import annotations

from at.errors import EncodeError


def require_octet(field: str, number: int) -> int:
    """The number itself. Raises EncodeError(field) outside 0-255."""
    if not 0 <= number <= 0xFF:
        raise EncodeError(field, f"{number} is not an octet")
    return number
