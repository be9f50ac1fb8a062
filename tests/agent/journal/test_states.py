from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.journal.states import COMMAND, LINK, REPORT, SEND, MachineError, Table

TABLES = [COMMAND, REPORT, SEND, LINK]


def moves(table: Table) -> dict[tuple[str, str], str]:
    return {
        (source, trigger): dest
        for trigger, sources, dest in table.transitions
        for source in sources
    }


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_state_is_reached_and_only_known_states_are_named(table: Table) -> None:
    reached = {table.states[0], *moves(table).values()}
    assert reached == set(table.states)
    assert {source for source, _ in moves(table)} <= set(table.states)


@pytest.mark.parametrize("table", [COMMAND, REPORT], ids=lambda table: table.name)
def test_nothing_leaves_a_final_state(table: Table) -> None:
    assert not {source for source, _ in moves(table)} & table.final


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_move_of_the_table_is_made_and_every_other_refused(table: Table) -> None:
    triggers = {trigger for trigger, _, _ in table.transitions}
    allowed = moves(table)
    for state in table.states:
        for trigger in triggers:
            if (state, trigger) in allowed:
                assert table.move(state, trigger) == allowed[state, trigger]
            else:
                with pytest.raises(MachineError):
                    table.move(state, trigger)


def test_a_command_runs_at_most_once_by_the_table_alone() -> None:
    # Only `resume`, for handlers that may run again, leads back before `running`.
    back = {
        trigger
        for (source, trigger), dest in moves(COMMAND).items()
        if source == "running" and dest not in COMMAND.final
    }
    assert back == {"resume"}


@given(st.lists(st.sampled_from([trigger for trigger, _, _ in COMMAND.transitions]), max_size=12))
def test_whatever_is_asked_in_whatever_order_a_final_state_stays(triggers: list[str]) -> None:
    state = COMMAND.states[0]
    for trigger in triggers:
        try:
            following = COMMAND.move(state, trigger)
        except MachineError:
            continue
        assert state not in COMMAND.final
        state = following


def test_two_threads_move_rows_without_mixing_them() -> None:
    wrong: list[str] = []

    def work(start: str, trigger: str, end: str) -> None:
        ends = (COMMAND.move(start, trigger) for _ in range(2000))
        wrong.extend(got for got in ends if got != end)

    threads = [
        threading.Thread(target=work, args=("received", "accept", "accepted")),
        threading.Thread(target=work, args=("running", "fail", "failed")),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
