"""What an enterprise may read of each step: the words written for it, never an opinion that prepares a decision."""

from __future__ import annotations

import pytest

from disbursement.domain.workflow import APPLICATION, ApplicationAction, Role
from disbursement.models import TransitionLog
from portal.dossier import told_to_enterprise

_A = ApplicationAction
INNER = [
    (_A.ASK_EXPERT, Role.REVIEWER),
    (_A.ASK_DEPARTMENTS, Role.REVIEWER),
    (_A.GIVE_OPINION, Role.JOINT_REVIEWER),
    (_A.GATHER_OPINIONS, Role.SYSTEM),
    (_A.RECOMMEND_APPROVAL, Role.REVIEWER),
    (_A.RECOMMEND_REJECTION, Role.REVIEWER),
    (_A.SEND_BACK, Role.SECOND_REVIEWER),
    (_A.SEND_BACK, Role.APPEAL_REVIEWER),
]
SECRET = "发票疑似虚开"


def row(action: ApplicationAction, role: Role) -> TransitionLog:
    return TransitionLog(action=action.value, role=role.value, note=SECRET)


@pytest.mark.parametrize(("action", "role"), INNER, ids=lambda one: one.value)
def test_the_words_of_an_inner_step_are_not_told(action: ApplicationAction, role: Role) -> None:
    assert told_to_enterprise(row(action, role)).note == ""


@pytest.mark.parametrize("role", [Role.ENTERPRISE, Role.SYSTEM], ids=lambda one: one.value)
def test_what_it_said_itself_and_what_the_machine_did_is_told(role: Role) -> None:
    actions = {r.action for r in APPLICATION if role in r.roles} - {_A.GATHER_OPINIONS}
    assert actions
    assert {told_to_enterprise(row(action, role)).note for action in actions} == {SECRET}


def test_for_and_against_read_the_same() -> None:
    labels = {
        str(told_to_enterprise(row(action, Role.REVIEWER)).label)
        for action in (_A.RECOMMEND_APPROVAL, _A.RECOMMEND_REJECTION)
    }
    assert labels == {"审核完毕，提交复审"}


def test_a_decision_is_told_in_its_own_words() -> None:
    told = told_to_enterprise(row(_A.APPROVE, Role.SECOND_REVIEWER))
    assert (str(told.label), told.note) == ("审核通过", SECRET)
