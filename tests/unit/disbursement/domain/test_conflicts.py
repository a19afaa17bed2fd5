"""Nobody acts twice in different roles, nor where they have an interest."""

from contextlib import nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disbursement.domain.conflicts import Conflict, Deed, check_person
from disbursement.domain.workflow import Role

STAFF = [role for role in Role if role not in (Role.ENTERPRISE, Role.SYSTEM)]


@given(st.sampled_from(STAFF), st.sampled_from(STAFF))
def test_a_person_acts_in_one_role_only(first: Role, second: Role) -> None:
    check_person(person=2, role=second, deeds=[Deed(1, first)])
    with nullcontext() if first == second else pytest.raises(Conflict, match=first.label):
        check_person(person=1, role=second, deeds=[Deed(1, first)])


def test_an_interest_keeps_a_person_away_and_the_message_names_the_enterprise() -> None:
    with pytest.raises(Conflict, match="甲公司"):
        check_person(
            person=1,
            role=Role.REVIEWER,
            deeds=[],
            interests=[7],
            enterprises={7: "甲公司", 8: "乙公司"},
            subject="该申报",
        )


def test_an_interest_in_an_enterprise_that_is_not_concerned_is_no_hindrance() -> None:
    check_person(person=1, role=Role.REVIEWER, deeds=[], interests=[9], enterprises={7: "甲公司"})


def test_the_machine_and_the_enterprise_stand_outside() -> None:
    check_person(person=1, role=Role.ENTERPRISE, deeds=[Deed(1, Role.REVIEWER)])
    check_person(person=1, role=Role.SYSTEM, deeds=[Deed(1, Role.REVIEWER)], interests=[7], enterprises={7: ""})
