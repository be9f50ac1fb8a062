from __future__ import annotations

import pytest

from agent.channels.mqtt.retry import REMEMBER_S, BackOff, Failure, ProtocolChoice, Version


def test_mqtt5_comes_first_and_is_kept_once_it_worked() -> None:
    choice = ProtocolChoice("auto")
    assert choice.next(0) is Version.V5
    assert choice.probing()
    choice.connected(Version.V5, 0)
    assert not choice.probing()
    assert not choice.failed(Version.V5, Failure.SILENT)
    assert choice.next(1) is Version.V5


@pytest.mark.parametrize("failure", [Failure.SILENT, Failure.VERSION])
def test_a_broker_that_cannot_mqtt5_is_asked_for_311_at_once(failure: Failure) -> None:
    choice = ProtocolChoice("auto")
    assert choice.failed(Version.V5, failure)
    assert choice.next(0) is Version.V311
    assert not choice.probing()


def test_what_worked_is_remembered_for_an_hour() -> None:
    choice = ProtocolChoice("auto")
    choice.failed(Version.V5, Failure.SILENT)
    choice.connected(Version.V311, 10)
    assert choice.next(10 + REMEMBER_S - 1) is Version.V311
    assert choice.next(10 + REMEMBER_S) is Version.V5


def test_silence_to_both_versions_alternates() -> None:
    choice = ProtocolChoice("auto")
    assert choice.failed(Version.V5, Failure.SILENT)
    assert not choice.failed(Version.V311, Failure.SILENT)
    assert choice.next(0) is Version.V5


def test_a_broker_that_was_replaced_by_an_older_one_is_found() -> None:
    choice = ProtocolChoice("auto")
    choice.connected(Version.V5, 0)
    assert choice.failed(Version.V5, Failure.VERSION)
    assert choice.next(1) is Version.V311


@pytest.mark.parametrize("failure", [Failure.UNREACHABLE, Failure.DENIED, Failure.BUSY])
def test_other_failures_do_not_change_the_version(failure: Failure) -> None:
    choice = ProtocolChoice("auto")
    assert not choice.failed(Version.V5, failure)
    assert choice.next(0) is Version.V5


@pytest.mark.parametrize("version", list(Version))
def test_a_configured_version_is_never_left(version: Version) -> None:
    choice = ProtocolChoice(version.value)
    assert not choice.failed(version, Failure.VERSION)
    assert not choice.failed(version, Failure.SILENT)
    choice.connected(version, 0)
    assert choice.next(10 * REMEMBER_S) is version
    assert not choice.probing()


def test_waits_grow_within_their_bounds_and_start_over_after_a_reset() -> None:
    least, most = BackOff(1, 60, lambda: 0.0), BackOff(1, 60, lambda: 1.0)
    assert [least.next_s() for _ in range(8)] == [1, 2, 4, 8, 16, 30, 30, 30]
    assert [most.next_s() for _ in range(8)] == [2, 4, 8, 16, 32, 60, 60, 60]
    least.reset()
    assert least.next_s() == 1


def test_where_hurry_cannot_help_the_wait_is_long_at_once() -> None:
    assert BackOff(1, 60, lambda: 0.5).next_s(slow=True) == 45
