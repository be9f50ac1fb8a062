"""The topic names under which one device is known to the broker."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

DEFAULT_PREFIX = "modem-agent"
MAX_TOPIC_OCTETS = 65535  # MQTT 5 §1.5.4, a UTF-8 string's length is two octets
MAX_ROOT_OCTETS = 1024  # leaves room for every suffix; brokers refuse far shorter names than 64 KiB
MAX_DEVICE_ID_OCTETS = 200


class Suffix(StrEnum):
    """What follows the root in each topic."""

    STATUS = "status"
    INFO = "info"
    MODEM = "modem"
    COMMAND_REQUEST = "command/request"
    COMMAND_RESULT = "command/result"
    SMS_RECEIVED = "sms/received"
    SMS_SEND = "sms/send"
    SMS_SENT = "sms/sent"
    EVENT = "event"


INBOUND = (Suffix.COMMAND_REQUEST, Suffix.SMS_SEND)  # what the agent subscribes to


def device_id_problem(device_id: str) -> str | None:
    """Say why this device id cannot be a topic level and a client identifier; None if it can."""
    if not device_id:
        return "is empty"
    if "/" in device_id:
        return "contains '/', which would add a topic level"
    if len(device_id.encode(errors="replace")) > MAX_DEVICE_ID_OCTETS:
        return f"is longer than {MAX_DEVICE_ID_OCTETS} octets"
    return _name_problem(device_id)


def root_problem(root: str) -> str | None:
    """Say why this cannot be the root of the agent's topics; None if it can."""
    if not root:
        return "is empty"
    if len(root.encode(errors="replace")) > MAX_ROOT_OCTETS:
        return f"is longer than {MAX_ROOT_OCTETS} octets"
    if any(not level for level in root.split("/")):
        return "has an empty topic level (a '/' at an end, or two together)"
    return _name_problem(root)


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


def _name_problem(name: str) -> str | None:
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


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one device.

    root: without a "/" at its end; response_prefix: the only topics under which a requester's
    response topic is honoured, None for nowhere.
    """

    root: str
    response_prefix: str | None = None

    @classmethod
    def of(
        cls, device_id: str, root: str | None = None, response_prefix: str | None = None
    ) -> Topics:
        """Build the topics of a device; root defaults to `modem-agent/<device id>`.

        Raises ValueError, naming the setting, where the broker could not take the name.
        """
        if problem := device_id_problem(device_id):
            raise ValueError(f"device.id {device_id!r} {problem}")
        if root is not None and (problem := root_problem(root)):
            raise ValueError(f"mqtt.root {root!r} {problem}")
        root = root or f"{DEFAULT_PREFIX}/{device_id}"
        prefix = response_prefix.rstrip("/") if response_prefix else None
        if prefix is not None and (problem := prefix_problem(prefix, root)):
            raise ValueError(f"mqtt.response_prefix {response_prefix!r} {problem}")
        return cls(root, prefix)

    def name(self, suffix: str) -> str:
        """The full topic name of a suffix."""
        return f"{self.root}/{suffix}"

    def suffix(self, topic: str) -> str | None:
        """The suffix of one of this device's topics, None for any other topic."""
        head = f"{self.root}/"
        return topic.removeprefix(head) if topic.startswith(head) else None

    def may_respond(self, topic: str) -> bool:
        """Whether a requester may ask for its response on this topic.

        Never under the agent's own root: a response must not come back as a request.
        """
        if self.response_prefix is None or not topic.startswith(f"{self.response_prefix}/"):
            return False
        if topic == self.root or topic.startswith(f"{self.root}/"):
            return False
        if len(topic.encode(errors="replace")) > MAX_TOPIC_OCTETS:
            return False
        return _name_problem(topic) is None
