"""What lies with somebody who can no longer act on it is told to those who can."""

from __future__ import annotations

import pytest

from disbursement.domain.workflow import Role
from disbursement.models import ToleratedGap
from disbursement.services.review import publicity, reviews
from matching.days import day_of
from portal.accounts.models import RoleAssignment, User
from portal.inbox import gap_texts, whom
from portal.inbox.models import Notification
from tests.factories.disbursement import Case, at, case, staff

pytestmark = pytest.mark.django_db


def leave(actor, how: str) -> None:
    if how == "closed":
        User.objects.filter(pk=actor.user_id).update(is_active=False)
    else:
        RoleAssignment.objects.filter(user_id=actor.user_id).delete()


def told(actor) -> list[str]:
    found = Notification.objects.filter(user_id=actor.user_id).order_by("pk")
    return [row.title.partition("：")[0] for row in found]


def objected(made: Case, found) -> None:
    publicity.object_to(publicity_id=found.pk, name="李四", contact="028-1", text="发票不实", now=at(found.starts_on))


@pytest.mark.parametrize("how", ["closed", "without the role"])
def test_an_objection_is_told_to_the_others_where_the_handler_left(deliver, how):
    made = case(publicity_days=3).second_review()
    found = publicity.publicise(application_id=made.id, actor=made.second, now=made.now)
    leave(made.second, how)
    objected(made, found)
    deliver(now=at(found.starts_on))
    assert "收到公示异议" in told(made.other)
    assert "收到公示异议" not in told(made.second)


def test_an_objection_after_an_appeal_is_told_to_who_may_decide_on_it(deliver):
    made = case(publicity_days=3).appealed()
    found = publicity.publicise(application_id=made.id, actor=made.other, now=made.now)
    objected(made, found)
    deliver(now=at(found.starts_on))
    assert "收到公示异议" in told(made.second)
    assert "收到公示异议" not in told(made.other)


@pytest.mark.parametrize("how", ["closed", "without the role"])
def test_a_case_sent_back_to_a_reviewer_who_left_is_told_to_the_others(deliver, how):
    made = case().second_review()
    colleague = staff(Role.REVIEWER, made.version.item.department)
    leave(made.reviewer, how)
    reviews.send_back(application_id=made.id, text="请核对发票", actor=made.second, now=made.now)
    assert made.fresh().handler_id == made.reviewer.user_id
    deliver(now=made.now)
    assert "复审退回，请重新审核" in told(colleague)
    assert "复审退回，请重新审核" not in told(made.reviewer)


def test_a_gap_that_is_late_is_told_to_the_others_where_the_handler_left():
    made = case().in_review()
    colleague = staff(Role.REVIEWER, made.version.item.department)
    gap = ToleratedGap.objects.create(
        application=made.fresh(),
        material_code="lease",
        promised_by=day_of(made.now),
        asked_by_id=made.agent.user_id,
        asked_at=made.now,
        granted_by_id=made.acceptor.user_id,
        granted_at=made.now,
    )

    def desk() -> list[int]:
        found = gap_texts.of_gap(gap_id=gap.pk, stage="late", now=made.now)
        return [message.user_id for message in found if message.user_id is not None]

    assert desk() == [made.reviewer.user_id]
    leave(made.reviewer, "closed")
    assert desk() == [colleague.user_id]


def test_who_has_it_on_the_desk_and_could_act_is_the_only_one_told():
    made = case().in_review()
    staff(Role.REVIEWER, made.version.item.department)
    assert whom.at_desk(made.fresh(), Role.REVIEWER, made.now) == [made.reviewer.user_id]
