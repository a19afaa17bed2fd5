"""Nobody approves their own: not with several roles on one account, not by a role given later, not by another round.

What whoever took part tries in each state stands in each_state/test_who_took_part.py.
"""

from __future__ import annotations

import pytest

from disbursement.domain.actors import Actor, Grant
from disbursement.domain.conflicts import STAFF, Conflict
from disbursement.domain.errors import REFUSALS
from disbursement.domain.workflow import Role
from disbursement.services.application import applications, drafts, materials
from disbursement.services.month import batches
from disbursement.services.payment import payees
from disbursement.services.review import reviews
from matching.registry.models import Department
from tests.factories import disbursement as people
from tests.factories import money
from tests.factories.disbursement import PDF, Case, agent, case

pytestmark = pytest.mark.django_db
FINANCE = [Role.FINANCE_MAKER, Role.FINANCE_CHECKER, Role.FINANCE_APPROVER]


def with_every_role(user_id: int | None, *, enterprise_ids: tuple[int, ...] = ()) -> Actor:
    """The same person, who has been given everything meanwhile: in the whole district, and in each department."""
    assert user_id is not None
    grants = {Grant(role) for role in STAFF}
    grants |= {Grant(Role.REVIEWER, pk) for pk in Department.objects.values_list("pk", flat=True)}
    return Actor(user_id=user_id, grants=frozenset(grants), enterprise_ids=frozenset(enterprise_ids))


def submitted_by_another(writer: Actor, made: Case) -> Case:
    """Begun by one agent, handed in by another."""
    made.drafted()
    assert made.application.created_by_id == writer.user_id
    made.agent = agent(made.enterprise)
    return made


def test_who_only_began_a_draft_does_not_accept_it_as_an_official_later() -> None:
    made = case()
    writer = made.agent
    submitted_by_another(writer, made)
    drafts.submit(application_id=made.id, actor=made.agent, now=made.later().now)
    with pytest.raises(Conflict):
        reviews.accept(application_id=made.id, actor=with_every_role(writer.user_id), now=made.later().now)
    assert made.fresh().state == "submitted"


def test_who_only_brought_a_material_does_not_review_it_as_an_official_later() -> None:
    made = case().drafted()
    helper = agent(made.enterprise)
    materials.upload(
        application_id=made.id, code="licence", name="licence.pdf", content=PDF, actor=helper, now=made.now
    )
    drafts.submit(application_id=made.id, actor=made.agent, now=made.later().now)
    reviews.accept(application_id=made.id, actor=made.acceptor, now=made.later().now)
    with pytest.raises(Conflict):
        reviews.start_review(application_id=made.id, actor=with_every_role(helper.user_id), now=made.later().now)
    with pytest.raises(Conflict):
        reviews.claim(application_id=made.id, actor=with_every_role(helper.user_id), now=made.now)


def test_an_application_is_not_claimed_or_touched_in_another_role() -> None:
    made = case().second_review()
    for earlier in (made.acceptor, made.reviewer):
        everything = with_every_role(earlier.user_id)
        with pytest.raises(Conflict):
            reviews.claim(application_id=made.id, actor=everything, now=made.now)
        with pytest.raises(Conflict):
            reviews.confirm_facts(
                application_id=made.id, facts={"employees": "9"}, note="", actor=everything, now=made.now
            )


def test_withdrawn_and_handed_in_anew_each_round_has_its_own_people_and_the_same_bars() -> None:
    first = case().submitted()
    applications.withdraw(application_id=first.id, actor=first.agent, now=first.now)
    second = case(version=first.version, enterprise=first.enterprise)
    second.agent = first.agent
    second.submitted()
    with pytest.raises(Conflict):
        reviews.accept(application_id=second.id, actor=with_every_role(first.agent.user_id), now=second.now)
    reviews.accept(application_id=second.id, actor=second.acceptor, now=second.now)
    with pytest.raises(Conflict):
        reviews.start_review(
            application_id=second.id, actor=with_every_role(second.acceptor.user_id), now=second.later().now
        )


def test_a_role_taken_away_and_another_given_changes_nothing_of_the_past() -> None:
    made = case().accepted()
    only_reviewer_now = Actor.of(user_id=made.acceptor.user_id or 0, roles=[Role.REVIEWER])
    with pytest.raises(Conflict):
        reviews.start_review(application_id=made.id, actor=only_reviewer_now, now=made.now)


def test_a_batch_sent_back_is_not_checked_by_its_former_maker() -> None:
    finance = money.Finance()
    money.payables(2)
    [batch] = money.cut()
    batches.make(batch_id=batch.pk, actor=finance.maker, now=money.CUT)
    batches.send_back(batch_id=batch.pk, actor=finance.checker, now=money.CUT, reason="户名")
    again = batches.make(batch_id=batch.pk, actor=money.Finance().maker, now=money.CUT)
    former = Actor.of(user_id=finance.maker.user_id or 0, roles=FINANCE)
    with pytest.raises(Conflict):
        batches.verify(batch_id=batch.pk, actor=former, now=money.CUT, seen_sha256=again.file_sha256)
    with pytest.raises(REFUSALS):
        batches.approve(batch_id=batch.pk, actor=former, now=money.CUT, seen_sha256=again.file_sha256)


def test_who_entered_an_account_does_not_check_it_when_they_have_become_an_official() -> None:
    enterprise = people.applicant()
    clerk = agent(enterprise)
    account = payees.propose_account(
        enterprise_id=enterprise.pk,
        account_name=enterprise.name,
        bank_name="成都银行",
        account_number="622200001234567890",
        actor=clerk,
        now=money.CUT,
    )
    with pytest.raises(Conflict):
        payees.check_account(account_id=account.pk, actor=with_every_role(clerk.user_id), now=money.CUT, accept=True)
