from __future__ import annotations

import pytest

from agent.channels.mqtt.topics import Topics


def test_root_defaults_to_the_project_and_the_device() -> None:
    assert Topics.of("gw-17").name("command/result") == "modem-agent/gw-17/command/result"
    assert Topics.of("gw-17", "site/a").name("status") == "site/a/status"


@pytest.mark.parametrize(
    ("device_id", "complaint"),
    [
        ("a+b", "wildcard"),
        ("#", "wildcard"),
        ("a/b", "topic level"),
        ("a\0b", "U\\+0000"),
        ("a\nb", "U\\+000A"),
        ("a\x9fb", "U\\+009F"),
        ("a\ud800", "U\\+D800"),
        ("a\ufdd0", "U\\+FDD0"),
        ("a\uffff", "U\\+FFFF"),
        ("$SYS", "starts with"),
        ("", "empty"),
        ("x" * 201, "longer"),
    ],
)
def test_device_id_that_is_no_topic_level_is_refused_with_its_reason(
    device_id: str, complaint: str
) -> None:
    with pytest.raises(ValueError, match=f"^device.id .*{complaint}"):
        Topics.of(device_id)


@pytest.mark.parametrize("device_id", ["gw", "Gerät 7", "site.a:b-c_d", "a$b", "日本"])
def test_ordinary_device_ids_are_taken(device_id: str) -> None:
    assert Topics.of(device_id).root == f"modem-agent/{device_id}"


@pytest.mark.parametrize(
    "root", ["a/+/b", "a/#", "/a", "a/", "a//b", "$share/x", "a\0", "x" * 1025]
)
def test_root_that_is_no_topic_is_refused(root: str) -> None:
    with pytest.raises(ValueError, match=r"^mqtt\.root"):
        Topics.of("gw", root)


def test_response_prefix_that_is_no_topic_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^mqtt\.response_prefix"):
        Topics.of("gw", None, "replies/#")


def test_suffix_is_found_only_below_the_own_root() -> None:
    topics = Topics.of("gw")
    assert topics.suffix("modem-agent/gw/command/request") == "command/request"
    assert topics.suffix("modem-agent/gw2/command/request") is None
    assert topics.suffix("modem-agent/gw") is None


def test_response_topic_is_honoured_only_under_the_prefix() -> None:
    topics = Topics.of("gw", None, "replies/")
    assert topics.may_respond("replies/app-1")
    assert topics.may_respond("replies/app-1/x")
    assert not topics.may_respond("replies")
    assert not topics.may_respond("replies2/app-1")
    assert not topics.may_respond("other/app-1")
    assert not topics.may_respond("replies/+")
    assert not topics.may_respond("replies/a\0")
    assert not topics.may_respond("replies/" + "x" * 65536)
    assert not Topics.of("gw").may_respond("replies/app-1")


@pytest.mark.parametrize(
    ("root", "prefix"),
    [
        (None, "modem-agent"),
        (None, "modem-agent/"),
        (None, "modem-agent/gw"),
        (None, "modem-agent/gw/replies"),
        (None, "modem-agent/gw2"),
        ("acme/site/gw", "acme"),
        ("acme/site/gw", "acme/site"),
        ("acme/site/gw", "acme/site/gw/x"),
        ("acme/site/gw", "modem-agent"),
        (None, "+/replies"),
        (None, "replies/#"),
    ],
)
def test_response_prefix_among_the_topics_of_gateways_is_refused(
    root: str | None, prefix: str
) -> None:
    with pytest.raises(ValueError, match=r"^mqtt\.response_prefix"):
        Topics.of("gw", root, prefix)


def test_response_prefix_beside_the_gateways_is_taken() -> None:
    for root, prefix in (("acme/site/gw", "acme/site/replies"), (None, "modem-agent-replies")):
        assert Topics.of("gw", root, prefix).may_respond(f"{prefix}/app-1")
