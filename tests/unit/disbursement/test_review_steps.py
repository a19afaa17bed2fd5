"""The steps that an item puts into its review: in order, each department by its own clock, nothing left out."""

from __future__ import annotations

from datetime import date, timedelta
from io import BytesIO
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from PIL import Image

from disbursement.domain.actors import Actor
from disbursement.domain.conflicts import Conflict
from disbursement.domain.errors import Denied, Invalid
from disbursement.domain.workflow import ClockStep, Refused, Role
from disbursement.models import (
    Application,
    ClockCard,
    Decision,
    DecisionDraft,
    JointReview,
    Opinion,
    SiteVisit,
    StepClock,
    TransitionLog,
)
from disbursement.selectors import desk
from disbursement.selectors.attention import Attention, attention
from disbursement.services.application.applications import permitted_actions
from disbursement.services.review import decisions, experts, publicity, recalls, reviews, steps
from disbursement.services.review.conditions import Reason
from disbursement.services.supervision import clocks
from matching.days import day_of
from tests.factories import matching as base
from tests.factories.disbursement import JOINT_RULES, Case, case, staff

pytestmark = pytest.mark.django_db
WHOLE: dict[str, Any] = {
    "steps": [
        {"kind": "site_visit", "name": "现场核查", "days": 5},
        {"kind": "joint", "name": "部门会审", "days": 3, "departments": ["fgj", "rsj"]},
        {"kind": "expert", "name": "专家评审"},
    ],
    "checklist": [
        {"code": "acceptance-1", "step": "acceptance", "text": "申报表已盖章"},
        {"code": "review-1", "step": "review", "text": "发票已逐张核对"},
    ],
}


def picture() -> bytes:
    out = BytesIO()
    Image.new("RGB", (32, 24), "white").save(out, "PNG")
    return out.getvalue()


def visit(made: Case, **changes: Any) -> SiteVisit:
    told: dict[str, Any] = {
        "visited_on": day_of(made.now),
        "place": "光华大道1号厂房",
        "visitors": "李某、王某",
        "met": "张三",
        "is_confirmed": True,
        "finding": "设备与发票一致",
        **changes,
    }
    return steps.record_visit(application_id=made.id, actor=made.reviewer, now=made.now, **told)


def ask(made: Case, **options: Any) -> list[JointReview]:
    return steps.ask_departments(
        application_id=made.id, question="是否重复享受", actor=made.reviewer, now=made.now, **options
    )


def test_an_item_with_a_path_is_approved_only_after_each_step_in_its_order() -> None:
    fgj, rsj = base.department("fgj", "发改局"), base.department("rsj", "人社局")
    theirs = staff(Role.REVIEWER, fgj), staff(Role.REVIEWER, rsj)
    made = case(review=WHOLE).submitted()
    with pytest.raises(Invalid, match="申报表已盖章"):
        reviews.accept(application_id=made.id, actor=made.acceptor, now=made.now)
    reviews.accept(application_id=made.id, actor=made.acceptor, now=made.now, ticks=["acceptance-1"])
    assert Decision.objects.get(kind="accepted").checklist == [{"code": "acceptance-1", "text": "申报表已盖章"}]
    reviews.start_review(application_id=made.id, actor=made.reviewer, now=made.later().now)
    with pytest.raises(Invalid, match="应先完成“现场核查”"):
        ask(made)
    with pytest.raises(Invalid) as missing:
        reviews.recommend_approval(
            application_id=made.id, text="同意", actor=made.reviewer, now=made.now, ticks=["review-1"]
        )
    assert [fault.place for fault in missing.value.faults] == ["path.site_visit", "path.joint", "path.expert"]
    steps.arrange_visit(application_id=made.id, note="今天下午", actor=made.reviewer, now=made.now)
    with pytest.raises(Invalid, match="两人以上"):
        visit(made, visitors="李某")
    with pytest.raises(Invalid, match="受理之日"):
        visit(made, visited_on=day_of(made.now) - timedelta(days=30))
    found = visit(made, photos=[("厂房.png", picture())])
    assert [photo.name for photo in found.photos.all()] == ["厂房.png"]
    with pytest.raises(IntegrityError), transaction.atomic():
        SiteVisit.objects.filter(pk=found.pk).update(finding="改过")

    asked = ask(made.later())
    assert [(row.department, row.limit) for row in asked] == [(fgj, 3), (rsj, 3)]
    review_clock = StepClock.objects.get(application_id=made.id, step=ClockStep.REVIEW)
    assert review_clock.pauses.filter(ended_on__isnull=True).exists()
    assert [line.application.pk for line in desk.worklist(actor=theirs[0], as_of=day_of(made.now))] == [made.id]
    [line] = desk.worklist(actor=theirs[0], as_of=day_of(made.now))
    assert line.clock is not None
    assert line.clock.department == fgj
    with pytest.raises(Refused):
        steps.give_opinion(
            application_id=made.id, agrees=True, text="好", actor=staff(Role.REVIEWER), now=made.now
        )  # of the whole district: speaks for no department
    steps.give_opinion(application_id=made.id, agrees=True, text="未重复", actor=theirs[0], now=made.now)
    assert made.fresh().state == "joint_review"
    assert desk.worklist(actor=theirs[0], as_of=day_of(made.now)) == []
    with pytest.raises((Denied, Refused)):
        steps.give_opinion(application_id=made.id, agrees=False, text="再说", actor=theirs[0], now=made.now)
    steps.give_opinion(application_id=made.id, agrees=False, text="社保不足", actor=theirs[1], now=made.later().now)
    assert made.fresh().state == "in_review"
    assert made.application.handler_id == made.reviewer.user_id
    assert not review_clock.pauses.filter(ended_on__isnull=True).exists()
    # Whoever was asked may look at it still, and do nothing.
    assert [permitted_actions(application=made.application, actor=actor) for actor in theirs] == [[], []]
    assert "人社局：不同意" in TransitionLog.objects.get(action="gather_opinions").note
    with pytest.raises(IntegrityError), transaction.atomic():
        JointReview.objects.filter(department=rsj).update(answer="agree")

    reviews.ask_expert(application_id=made.id, question="技术先进性", actor=made.reviewer, now=made.now)
    experts.record_report(
        application_id=made.id,
        text="先进",
        experts=[experts.Expert("王某", "某大学", "教授")],
        unconcerned=True,
        actor=made.reviewer,
        now=made.now,
    )
    with pytest.raises(Invalid, match="发票已逐张核对"):
        reviews.recommend_approval(application_id=made.id, text="同意", actor=made.reviewer, now=made.now)
    reviews.recommend_approval(
        application_id=made.id, text="同意", actor=made.reviewer, now=made.now, ticks=["review-1"]
    )
    assert Opinion.objects.get(kind="approval").checklist == [{"code": "review-1", "text": "发票已逐张核对"}]
    # Who spoke for another department takes no other part here.
    everywhere = Actor(
        theirs[0].user_id, theirs[0].grants | staff(Role.SECOND_REVIEWER, made.version.item.department).grants
    )
    with pytest.raises(Conflict):
        decisions.approve(application_id=made.id, actor=everywhere, now=made.now)
    decisions.approve(application_id=made.id, actor=made.second, now=made.later().now)
    assert made.fresh().state == "approved"


LIST_OF_THE_DECISION = {"checklist": [{"code": "second_review-1", "step": "second_review", "text": "金额与台账一致"}]}


def test_who_decides_ticks_the_list_of_the_decision_and_the_decision_keeps_it() -> None:
    made = case(review=LIST_OF_THE_DECISION).second_review()
    with pytest.raises(Invalid, match="金额与台账一致"):
        decisions.approve(application_id=made.id, actor=made.second, now=made.now)
    decisions.approve(application_id=made.id, actor=made.second, now=made.now, ticks=["second_review-1"])
    assert Decision.objects.get(kind="approved").checklist == [{"code": "second_review-1", "text": "金额与台账一致"}]


def test_what_was_ticked_before_the_public_was_asked_goes_with_the_approval() -> None:
    made = case(review=LIST_OF_THE_DECISION, publicity_days=5).second_review()
    with pytest.raises(Invalid, match="金额与台账一致"):
        publicity.publicise(application_id=made.id, actor=made.second, now=made.now)
    begun = {"publicise": {"ticks": ["second_review-1"]}}
    DecisionDraft.objects.create(
        application=made.application, user_id=made.second.user_id or 0, content=begun, saved_at=made.now
    )
    opened = publicity.publicise(application_id=made.id, actor=made.second, now=made.now, ticks=["second_review-1"])
    # Should the case come back, everything is ticked anew.
    assert not DecisionDraft.objects.exists()
    assert publicity.end_due(now=made.now + timedelta(days=30)) == [made.id]
    kept = Decision.objects.get(kind="approved").checklist
    assert kept == opened.checklist == [{"code": "second_review-1", "text": "金额与台账一致"}]


def test_silence_is_consent_only_where_the_item_says_so_and_else_draws_cards() -> None:
    made = case(review=JOINT_RULES).asked_departments()
    assert steps.lapse_overdue(now=made.now) == []
    late = made.now + timedelta(days=7)
    [lapsed] = steps.lapse_overdue(now=late)
    assert JointReview.objects.get(pk=lapsed).answer == "lapsed"
    assert made.fresh().state == "in_review"
    assert steps.lapse_overdue(now=late) == []

    waits = case().asked_departments()
    assert steps.lapse_overdue(now=late) == []
    assert waits.fresh().state == "joint_review"
    clocks.charge_cards(now=late)
    cards = ClockCard.objects.filter(clock__application_id=waits.id, clock__step=ClockStep.JOINT)
    assert {(card.colour, card.department) for card in cards} == {
        ("yellow", waits.consulted[0]),
        ("red", waits.consulted[0]),
    }


def test_departments_are_chosen_freely_where_the_item_names_none_but_never_ones_own() -> None:
    made = case().in_review()
    own = made.version.item.department
    with pytest.raises(Invalid, match="本部门除外"):
        ask(made, department_ids=[own.pk])
    other = base.department("rsj", "人社局")
    with pytest.raises(Invalid, match="人社局还没有审核人员"):
        ask(made, department_ids=[other.pk])
    staff(Role.REVIEWER, other)
    [row] = ask(made, department_ids=[own.pk, other.pk], days=2)
    assert (row.department, row.limit, row.silence_consents) == (other, 2, False)


def test_a_step_left_out_of_a_rejected_application_is_made_up_for_after_the_appeal() -> None:
    made = case(review=JOINT_RULES)
    base.department("fgj", "发改局")
    made.in_review()
    reasons = [Reason("发票与项目无关", leaf="spent", code="criteria")]
    reviews.recommend_rejection(application_id=made.id, text="不符", reasons=reasons, actor=made.reviewer, now=made.now)
    decisions.reject(application_id=made.id, reasons=reasons, remedy="可复核", actor=made.second, now=made.later().now)
    decisions.appeal(application_id=made.id, grounds="有关", actor=made.agent, now=made.later().now)
    with pytest.raises(Invalid, match="部门会审"):
        decisions.approve(application_id=made.id, actor=made.other, now=made.now)
    reviews.send_back(application_id=made.id, text="请会审后再议", actor=made.other, now=made.later().now)
    assert made.fresh().state == "in_review"
    assert (made.application.decided_at, made.application.handler_id) == (None, made.reviewer.user_id)


def test_a_reason_has_a_known_code_or_none() -> None:
    made = case().submitted()
    with pytest.raises(Invalid, match="没有理由代码"):
        reviews.not_accept(
            application_id=made.id,
            reasons=[Reason("不符", code="whim")],
            remedy="补",
            actor=made.acceptor,
            now=made.now,
        )


def test_a_request_is_taken_back_and_the_review_goes_on_with_what_came() -> None:
    fgj, rsj = base.department("fgj", "发改局"), base.department("rsj", "人社局")
    made = case().asked_departments(fgj, rsj)
    assert desk.worklist(actor=made.reviewer, as_of=day_of(made.now)) == []
    with pytest.raises(Invalid, match="原因"):
        recalls.recall_request(application_id=made.id, text=" ", actor=made.reviewer, now=made.now)
    theirs = staff(Role.REVIEWER, fgj)
    steps.give_opinion(application_id=made.id, agrees=True, text="未重复", actor=theirs, now=made.now)
    recalls.recall_request(application_id=made.id, text="人社局机构调整", actor=made.reviewer, now=made.later().now)
    assert made.fresh().state == "in_review"
    assert made.application.handler_id == made.reviewer.user_id
    assert {row.department: row.answer for row in made.application.joint_reviews.all()} == {
        fgj: "agree",
        rsj: "recalled",
    }
    assert not StepClock.objects.filter(application_id=made.id, step=ClockStep.JOINT, stopped_on=None).exists()
    assert (
        not StepClock.objects.get(application_id=made.id, step=ClockStep.REVIEW).pauses.filter(ended_on=None).exists()
    )
    assert "人社局：已撤回" in TransitionLog.objects.get(action="gather_opinions").note
    assert steps.taken(application=made.application) == {"joint"}


def test_what_the_item_asks_for_stays_to_be_taken_after_a_recall_and_only_the_reviewer_recalls() -> None:
    made = case(review=JOINT_RULES).asked_departments()
    with pytest.raises((Denied, Refused)):
        recalls.recall_request(application_id=made.id, text="撤回", actor=made.joint, now=made.now)
    recalls.recall_request(application_id=made.id, text="材料有误", actor=made.reviewer, now=made.now)
    assert made.fresh().state == "in_review"
    with pytest.raises(Invalid, match="部门会审"):
        reviews.recommend_approval(application_id=made.id, text="同意", actor=made.reviewer, now=made.now)
    ask(made)
    assert made.fresh().state == "joint_review"


def test_an_arranged_visit_can_be_called_off() -> None:
    made = case().visiting()
    recalls.cancel_visit(application_id=made.id, text="企业停产检修", actor=made.reviewer, now=made.now)
    assert made.fresh().state == "in_review"
    assert steps.taken(application=made.application) == frozenset()


def test_experts_are_named_unconcerned_and_of_another_house() -> None:
    made = case().in_review()
    reviews.ask_expert(application_id=made.id, question="技术先进性", actor=made.reviewer, now=made.now)
    told: dict[str, Any] = {"application_id": made.id, "text": "先进", "actor": made.reviewer, "now": made.now}
    own = experts.Expert("赵某", made.enterprise.name)
    with pytest.raises(Invalid) as refused:
        experts.record_report(experts=[own], unconcerned=False, **told)
    assert [fault.place for fault in refused.value.faults] == ["unconcerned", "experts"]
    with pytest.raises(Invalid, match="1 至"):
        experts.record_report(experts=[], unconcerned=True, **told)
    named = experts.read_experts("王某，某大学，教授\n\n李某, 某研究院")
    experts.record_report(experts=named, unconcerned=True, papers=[("意见.png", picture())], **told)
    opinion = Opinion.objects.get(kind="expert")
    assert [(one.name, one.unit, one.title) for one in opinion.experts.all()] == [
        ("王某", "某大学", "教授"),
        ("李某", "某研究院", ""),
    ]
    assert [paper.name for paper in opinion.papers.all()] == ["意见.png"]


@pytest.mark.parametrize(
    "text", ["王某", "王某，大学，教授，博士", "，大学", "王" * 41 + "，大学", "王某，大学\n王某，大学"]
)
def test_a_line_that_names_no_expert_says_how_to_write_one(text: str) -> None:
    with pytest.raises(Invalid):
        experts.read_experts(text)


def test_experts_and_visits_past_the_days_that_the_item_gives_are_marked() -> None:
    path = {
        "steps": [{"kind": "site_visit", "name": "现场核查", "days": 2}, {"kind": "expert", "name": "评审", "days": 3}]
    }
    visits = case(review=path).visiting()
    asks = case(version=visits.version).visiting()
    visit(asks)
    reviews.ask_expert(application_id=asks.id, question="先进性", actor=asks.reviewer, now=asks.now)
    everything = Application.objects.all()
    assert attention(applications=everything, as_of=date(2026, 3, 4)) == {}
    assert attention(applications=everything, as_of=date(2026, 3, 5)) == {visits.id: [Attention.VISIT_OVERDUE]}
    assert attention(applications=everything, as_of=date(2026, 3, 6))[asks.id] == [Attention.EXPERT_OVERDUE]


def test_experts_that_cannot_be_found_are_asked_no_more_and_the_clock_runs_again() -> None:
    made = case().in_review()
    reviews.ask_expert(application_id=made.id, question="技术先进性", actor=made.reviewer, now=made.now)
    clock = StepClock.objects.get(application_id=made.id, step=ClockStep.REVIEW)
    with pytest.raises(Invalid, match="取消专家评审的原因"):
        recalls.cancel_expert(application_id=made.id, text=" ", actor=made.reviewer, now=made.now)
    recalls.cancel_expert(
        application_id=made.id, text="没有无利害关系的专家", actor=made.reviewer, now=made.later().now
    )
    assert made.fresh().state == "in_review"
    assert not clock.pauses.filter(ended_on__isnull=True).exists()


def test_a_step_that_was_left_out_keeps_the_case_from_the_public() -> None:
    made = case(review={"steps": WHOLE["steps"][:1]}, publicity_days=5).in_review()
    reasons = [Reason("设备不符")]
    reviews.recommend_rejection(application_id=made.id, text="不符", reasons=reasons, actor=made.reviewer, now=made.now)
    with pytest.raises(Invalid, match="现场核查"):
        publicity.publicise(application_id=made.id, actor=made.second, now=made.now)
