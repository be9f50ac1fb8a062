"""The topic names under which one device is known to the broker."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from agent.config.topic_names import (
    DEFAULT_PREFIX,
    device_id_problem,
    name_problem,
    prefix_problem,
    root_problem,
)

MAX_TOPIC_OCTETS = 65535  # MQTT 5 §1.5.4, a UTF-8 string's length is two octets


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
        return name_problem(topic) is None
