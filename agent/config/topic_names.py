"""What a device id and a topic name may hold, so that every broker takes them."""

from __future__ import annotations

DEFAULT_PREFIX = "modem-agent"
MAX_ROOT_OCTETS = 1024  # leaves room for every suffix; brokers refuse far shorter names than 64 KiB
MAX_DEVICE_ID_OCTETS = 200


def device_id_problem(device_id: str) -> str | None:
    """Say why this device id cannot be a topic level and a client identifier; None if it can."""
    if not device_id:
        return "is empty"
    if "/" in device_id:
        return "contains '/', which would add a topic level"
    if len(device_id.encode(errors="replace")) > MAX_DEVICE_ID_OCTETS:
        return f"is longer than {MAX_DEVICE_ID_OCTETS} octets"
    return name_problem(device_id)


def root_problem(root: str) -> str | None:
    """Say why this cannot be the root of the agent's topics; None if it can."""
    if not root:
        return "is empty"
    if len(root.encode(errors="replace")) > MAX_ROOT_OCTETS:
        return f"is longer than {MAX_ROOT_OCTETS} octets"
    if any(not level for level in root.split("/")):
        return "has an empty topic level (a '/' at an end, or two together)"
    return name_problem(root)


def prefix_problem(prefix: str, root: str) -> str | None:
    """Say why Response Topics cannot be allowed below this prefix; None if they can.

    Below a prefix that holds the roots of gateways a requester could make this one command the
    others, or itself.
    """
    if problem := root_problem(prefix):
        return problem
    levels, ours = prefix.split("/"), root.split("/")
    if levels == ours[: len(levels)]:
        return f"holds the agent's own topics ({root})"
    if ours == levels[: len(ours)]:
        return f"is among the agent's own topics ({root})"
    if levels[0] == DEFAULT_PREFIX:
        return f"is among the topics of other gateways ({DEFAULT_PREFIX})"
    return None


def name_problem(name: str) -> str | None:
    """What no topic name of ours may contain (MQTT 5 §1.5.4, §4.7.1, §4.7.2)."""
    if name.startswith("$"):
        return "starts with '$', which brokers keep for themselves"
    for character in name:
        if character in "+#":
            return f"contains {character!r}, a topic wildcard"
        code = ord(character)
        if code < 0x20 or 0x7F <= code <= 0x9F:
            return f"contains the control character U+{code:04X}"
        if 0xD800 <= code <= 0xDFFF or code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF:
            return f"contains U+{code:04X}, which is not a character"
    return None
