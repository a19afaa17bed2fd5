"""Many at once: nothing unseen, each row by itself, pressed twice done once."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, transaction

from disbursement.domain.actors import Actor
from disbursement.domain.errors import Denied, Invalid
from disbursement.domain.workflow import Role
from disbursement.models import BulkDeed, BulkOutcome, BulkRow, BulkRun, TransitionLog
from disbursement.selectors.invoices import table_of
from disbursement.services.application import drafts, materials
from disbursement.services.review import bulk_review, interests, reviews
from disbursement.services.review.conditions import Reason
from tests.factories import matching as base
from tests.factories.disbursement import Case, case, item, staff

pytestmark = pytest.mark.django_db


def preview(deed: BulkDeed, cases: list[Case], actor: Actor, people: list[Actor] | None = None) -> dict[int, list[str]]:
    rows = bulk_review.preview(
        deed=deed,
        application_ids=[made.id for made in cases],
        actor=actor,
        now=cases[0].now,
        candidates=lambda department_id: people or [],
    )
    return {row.application.pk: list(row.why_not) for row in rows}


def begin(deed: BulkDeed, cases: list[Case], actor: Actor, key: UUID | None = None, note: str = "已核对") -> BulkRun:
    return bulk_review.begin(
        key=key or uuid4(),
        deed=deed,
        revisions={made.id: made.fresh().revision for made in cases},
        note=note,
        actor=actor,
        now=cases[0].now,
    )


def work_off(run: BulkRun, made: Case, actor: Actor, people: list[Actor] | None = None) -> int:
    return bulk_review.work_off(run_id=run.pk, actor=actor, now=made.now, candidates=lambda department_id: people or [])


def test_clear_ones_are_accepted_together_and_the_rest_is_listed_to_be_opened() -> None:
    clear = case().submitted()
    acceptor, version = clear.acceptor, clear.version
    promised = case(version=version).drafted()
    materials.sign_promise(application_id=promised.id, code="lease", actor=promised.agent, now=promised.now)
    drafts.submit(application_id=promised.id, actor=promised.agent, now=promised.later().now)
    mended = case(version=version).submitted().asked(by=acceptor).supplied()
    kept_away = case(version=version).submitted()
    interests.declare(enterprise_id=kept_away.enterprise.pk, reason="任职", actor=acceptor, now=clear.now)
    claimed = case(version=version).submitted()
    reviews.claim(application_id=claimed.id, actor=claimed.acceptor, now=claimed.now)
    everything = [clear, promised, mended, kept_away, claimed]
    told = preview(BulkDeed.ACCEPT, everything, acceptor)
    assert told[clear.id] == []
    assert "承诺" in told[promised.id][0]
    assert "补正过" in told[mended.id][0]
    assert "回避" in told[kept_away.id][0]
    assert "领取" in told[claimed.id][0]
    # Nothing gets past the preview by being sent all the same.
    run = begin(BulkDeed.ACCEPT, everything, acceptor)
    assert work_off(run, clear, acceptor) == 1
    assert {row.application_id: row.outcome for row in run.rows.all()} == {
        clear.id: BulkOutcome.DONE,
        **{made.id: BulkOutcome.REFUSED for made in everything[1:]},
    }
    assert all(row.message for row in run.rows.filter(outcome=BulkOutcome.REFUSED))
    assert clear.fresh().state == "accepted"
    assert promised.fresh().state == "submitted"


def test_an_item_with_a_checklist_or_a_step_of_its_own_is_never_signed_in_bulk() -> None:
    path = {
        "steps": [{"kind": "site_visit", "name": "现场核查", "days": 5}],
        "checklist": [{"code": "review-1", "step": "review", "text": "已核对"}],
    }
    made = case(review=path).in_review()
    [why_not] = preview(BulkDeed.RECOMMEND, [made], made.reviewer).values()
    assert "核对清单" in why_not[0]
    assert "现场核查" in why_not[1]
    decided = case(
        review={"checklist": [{"code": "second_review-1", "step": "second_review", "text": "已核对"}]}
    ).second_review()
    for deed in (BulkDeed.APPROVE, BulkDeed.PUBLICISE):
        [why_not] = preview(deed, [decided], decided.second).values()
        assert "核对清单" in why_not[0]


def test_a_run_that_was_cut_short_goes_on_and_is_done_once() -> None:
    first = case().accepted()
    second = case(version=first.version).in_review()
    second.reviewer = first.reviewer
    reviewer = first.reviewer
    third = case(version=first.version).accepted()
    with pytest.raises(Invalid, match="审核意见"):
        begin(BulkDeed.RECOMMEND, [first], reviewer, note=" ")
    key = uuid4()
    run = begin(BulkDeed.RECOMMEND, [first, third], reviewer, key=key)
    assert begin(BulkDeed.RECOMMEND, [first, third], reviewer, key=key) == run
    with pytest.raises(Denied):
        begin(BulkDeed.RECOMMEND, [first], staff(Role.REVIEWER, first.version.item.department), key=key)
    # Cut short after the first row; meanwhile the other changed.
    row = run.rows.get(application_id=third.id)
    reviews.start_review(application_id=third.id, actor=reviewer, now=third.now)
    assert work_off(run, first.later(), reviewer) == 1
    assert "有了变化" in BulkRow.objects.get(pk=row.pk).message
    length = TransitionLog.objects.count()
    assert work_off(run, first.later(), reviewer) == 0
    assert TransitionLog.objects.count() == length
    assert first.fresh().state == "second_review"
    with pytest.raises(IntegrityError), transaction.atomic():
        BulkRow.objects.filter(outcome=BulkOutcome.DONE).update(outcome=BulkOutcome.WAITING, done_at=None)


def test_a_second_reviewer_approves_together_what_nothing_speaks_against() -> None:
    clear = case().second_review()
    second, version = clear.second, clear.version
    other = case(version=version).second_review()
    returned = case(version=version).second_review()
    reviews.send_back(application_id=returned.id, text="请核对", actor=returned.second, now=returned.now)
    reviews.recommend_approval(
        application_id=returned.id, text="核对无误", actor=returned.reviewer, now=returned.later().now
    )
    against = case(version=version).in_review()
    reviews.recommend_rejection(
        application_id=against.id,
        text="不建议",
        reasons=[Reason("发票不实", leaf="spent")],
        actor=against.reviewer,
        now=against.now,
    )
    returned.second = against.second = second
    rows = bulk_review.preview(
        deed=BulkDeed.APPROVE,
        application_ids=[clear.id],
        actor=second,
        now=clear.now,
        candidates=lambda department_id: [],
    )
    assert [(row.will, row.amount, row.opinion) for row in rows] == [(True, Decimal("150000.00"), "材料齐全，建议通过")]
    told = preview(BulkDeed.APPROVE, [clear, other, returned, against], second)
    assert told[clear.id] == told[other.id] == []
    assert any("退回" in text for text in told[returned.id])
    assert told[against.id] == ["初审意见不是“建议通过”。"]
    assert preview(BulkDeed.PUBLICISE, [clear], second)[clear.id] == ["该事项不要求公示。"]
    run = begin(BulkDeed.APPROVE, [clear, other, returned, against], second, note="")
    assert work_off(run, clear.later(), second) == 2
    assert {made.fresh().state for made in (clear, other)} == {"approved"}
    assert {made.fresh().state for made in (returned, against)} == {"second_review"}


def test_publicity_is_opened_for_many_and_ends_in_no_bulk_approval() -> None:
    made = case(publicity_days=3).second_review()
    assert "须先公示 3 个工作日" in preview(BulkDeed.APPROVE, [made], made.second)[made.id][0]
    run = begin(BulkDeed.PUBLICISE, [made], made.second, note="")
    assert work_off(run, made, made.second) == 1
    assert made.fresh().state == "publicity"
    [why_not] = preview(BulkDeed.APPROVE, [made], made.second).values()
    assert "这一环节" in why_not[0]


def test_a_paper_used_elsewhere_and_a_bad_record_are_looked_at_first() -> None:
    made = case().submitted()
    twin = case(version=item(), enterprise=made.enterprise).drafted()
    rows = [invoice.to_row() for invoice in table_of(application=made.fresh())]
    drafts.save_draft(application_id=twin.id, actor=twin.agent, now=twin.now, invoices=rows)
    drafts.submit(application_id=twin.id, actor=twin.agent, now=twin.later().now)
    [why_not] = preview(BulkDeed.ACCEPT, [made], made.acceptor).values()
    assert len(why_not) == 1
    assert "还用于申报" in why_not[0]
    owing = case().submitted()
    records = [{"code": "wage_arrears", "on": "2026-02-01"}]
    base.learn(owing.enterprise, now=owing.now, valid_on=date(2026, 2, 1), credit_records=records)
    assert preview(BulkDeed.ACCEPT, [owing], owing.acceptor) == {owing.id: ["信用平台显示企业有未修复的失信记录"]}


def test_assigning_many_spreads_them() -> None:
    first = case().accepted()
    second = case(version=first.version).accepted()
    others = [staff(Role.REVIEWER, first.version.item.department) for _ in range(2)]
    assert preview(BulkDeed.ASSIGN, [first], first.reviewer) == {
        first.id: ["没有可以分派的人员：都不在岗、须回避，或者没有这一环节的职责。"]
    }
    run = begin(BulkDeed.ASSIGN, [first, second], first.reviewer)
    assert work_off(run, first, first.reviewer, others) == 2
    assert {first.fresh().handler_id, second.fresh().handler_id} == {person.user_id for person in others}
    [why_not] = preview(BulkDeed.ASSIGN, [first], first.reviewer, others).values()
    assert "改派" in why_not[0]


def test_too_many_or_none_are_refused() -> None:
    made = case()
    for number in (0, bulk_review.MOST + 1):
        with pytest.raises(Invalid, match="勾选"):
            bulk_review.preview(
                deed=BulkDeed.ACCEPT,
                application_ids=list(range(1, number + 1)),
                actor=made.acceptor,
                now=made.now,
                candidates=lambda department_id: [],
            )


@pytest.mark.parametrize(
    ("role", "deeds"),
    [
        (Role.ACCEPTOR, [BulkDeed.ACCEPT, BulkDeed.ASSIGN]),
        (Role.REVIEWER, [BulkDeed.RECOMMEND, BulkDeed.ASSIGN]),
        (Role.SECOND_REVIEWER, [BulkDeed.PUBLICISE, BulkDeed.APPROVE, BulkDeed.ASSIGN]),
        (Role.JOINT_REVIEWER, []),
    ],
)
def test_the_list_offers_what_belongs_to_ones_own_step_first(role: Role, deeds: list[BulkDeed]) -> None:
    assert bulk_review.deeds_for(actor=Actor.of(user_id=1, roles=[role])) == deeds
