"""The transition tables as a whole: what they promise whatever their rows are."""

import pytest

from disbursement.domain.workflow import (
    APPLICATION,
    BATCH,
    CYCLE,
    PAYABLE,
    PAYABLE_DONE,
    ApplicationAction,
    ApplicationState,
    BatchAction,
    BatchState,
    ClockAct,
    CycleState,
    Labelled,
    PayableAction,
    PayableState,
    Role,
    Table,
    Transition,
    WrongRole,
    WrongState,
)

TABLES = [
    (APPLICATION, ApplicationState.DRAFT, ApplicationState),
    (PAYABLE, PayableState.AWAITING, PayableState),
    (BATCH, BatchState.ASSEMBLING, BatchState),
    (CYCLE, CycleState.OPEN, CycleState),
]


@pytest.mark.parametrize(("table", "start", "states"), TABLES)
def test_every_state_can_be_reached_and_every_unfinished_one_can_be_left(
    table: Table, start: Labelled, states: type[Labelled]
) -> None:
    reached = {start}
    while more := {row.target for row in table if row.source in reached} - reached:
        reached |= more
    assert reached == set(states)
    can_end = {s for s in states if table.is_final(s)}
    while more := {row.source for row in table if row.target in can_end} - can_end:
        can_end |= more
    assert can_end == set(states)


def test_an_action_that_the_state_does_not_know_is_told_with_those_that_it_knows() -> None:
    with pytest.raises(WrongState, match=r"草稿.*提交申报、撤回"):
        APPLICATION.find(ApplicationState.DRAFT, ApplicationAction.APPROVE, Role.SECOND_REVIEWER)


def test_the_wrong_role_is_told_who_may() -> None:
    with pytest.raises(WrongRole, match="财务复核"):
        BATCH.find(BatchState.MADE, BatchAction.VERIFY, Role.FINANCE_MAKER)


def test_a_row_that_stands_twice_is_a_mistake() -> None:
    row = Transition(CycleState.OPEN, ApplicationAction.CLOSE, frozenset({Role.SYSTEM}), CycleState.CLOSED)
    with pytest.raises(ValueError, match="twice"):
        Table("x", [row, row])


def test_no_clock_is_left_running_when_an_application_is_decided() -> None:
    """Along every row, a step's clock that can be running when a state is entered is stopped before the state
    is final.
    """
    running: dict[ApplicationState, set[str]] = {state: set() for state in ApplicationState}
    changed = True
    while changed:
        changed = False
        for row in APPLICATION:
            now = set(running[row.source])
            for effect in row.clock:
                if effect.act is ClockAct.START:
                    now.add(effect.step)
                if effect.act is ClockAct.STOP:
                    now.discard(effect.step)
            if not now <= running[row.target]:
                running[row.target] |= now
                changed = True
    for state in (
        ApplicationState.APPROVED,
        ApplicationState.REJECTED,
        *filter(APPLICATION.is_final, ApplicationState),
    ):
        assert running[state] == set(), state


def test_nothing_sent_to_a_bank_can_be_cancelled_or_put_into_a_batch_again() -> None:
    for state in (PayableState.SEALED, PayableState.PAID, PayableState.SETTLED):
        actions = {row.action for row in PAYABLE if row.source == state}
        assert not actions & {PayableAction.CANCEL, PayableAction.SCHEDULE, PayableAction.HOLD}


def test_a_payable_that_is_done_is_never_scheduled_again_but_after_a_late_bounce() -> None:
    for state in PAYABLE_DONE - {PayableState.SETTLED}:
        assert PAYABLE.is_final(state)


def test_states_from_which_an_action_is_possible_are_what_a_set_based_step_selects() -> None:
    assert PAYABLE.sources(PayableAction.SCHEDULE, Role.SYSTEM) == [PayableState.RESERVED, PayableState.HELD]
    assert PAYABLE.sources(PayableAction.SCHEDULE, Role.FINANCE_MAKER) == []
