"""`scheme://host:port`, the one shape of address that a configuration knows."""

from __future__ import annotations

import re

_ENDPOINT = re.compile(
    r"(?P<scheme>[A-Za-z0-9+.-]+)://"
    r"(?:\[(?P<six>[0-9A-Fa-f:.]+(?:%[^\s\]/]+)?)\]|(?P<host>[^\s\x00-\x1f\x7f:/@?#\[\]\\]+))"
    r"(?::(?P<port>[0-9]{1,5}))?/?"
)
PORT_MAX = 65535


def endpoint(text: str) -> tuple[str, str, int | None] | None:
    """Part an address into scheme (lower case), host and port; None where it is not one.

    A port is from 1 to 65535; an IPv6 address stands in brackets. No user, path or query.
    """
    match = _ENDPOINT.fullmatch(text)
    if match is None:
        return None
    port = int(match["port"]) if match["port"] else None
    if port is not None and not 1 <= port <= PORT_MAX:
        return None
    return match["scheme"].lower(), match["six"] or match["host"], port
