"""Nobody approves their own, in no state.

Whoever took part before tries every step that the table gives to another role, with every role of the house on their
account.
"""

from __future__ import annotations

import pytest

from disbursement.domain.conflicts import STAFF, Conflict
from disbursement.domain.workflow import APPLICATION, ApplicationState
from disbursement.models import Participation, TransitionLog
from disbursement.services.application.applications import permitted_actions, transition
from tests.factories import disbursement as people
from tests.factories.disbursement import Case
from tests.rounds import first_round_only
from tests.unit.disbursement.test_role_matrix_people import with_every_role

pytestmark = [pytest.mark.django_db, first_round_only]


def test_whoever_took_part_takes_no_step_of_another_role(case: Case, state: ApplicationState) -> None:
    parts = list(Participation.objects.filter(application_id=case.id).values_list("user_id", "role"))
    rows = [row for row in APPLICATION if row.source == state and row.roles & STAFF]
    length = TransitionLog.objects.filter(application_id=case.id).count()
    for user_id, role in parts:
        everything = with_every_role(user_id)
        for row in rows:
            if role in row.roles:
                continue
            for chosen in (None, *sorted(row.roles & STAFF)):
                with (
                    pytest.raises(Conflict) as refusal,
                    transition(application_id=case.id, action=row.action, actor=everything, now=case.now, role=chosen),
                ):
                    raise AssertionError("the body must not be reached")
                assert str(refusal.value)
        others = {row.action for row in rows if role not in row.roles}
        offered = set(permitted_actions(application=case.fresh(), actor=everything))
        assert not others & offered
    assert TransitionLog.objects.filter(application_id=case.id).count() == length


def test_a_member_of_the_enterprise_takes_no_step_of_the_staff(case: Case, state: ApplicationState) -> None:
    insider = with_every_role(people.user().pk, enterprise_ids=(case.enterprise.pk,))
    for row in APPLICATION:
        if row.source != state or not row.roles & STAFF:
            continue
        for role in sorted(row.roles & STAFF):
            with (
                pytest.raises(Conflict),
                transition(application_id=case.id, action=row.action, actor=insider, now=case.now, role=role),
            ):
                raise AssertionError("the body must not be reached")
