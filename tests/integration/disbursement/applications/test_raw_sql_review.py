"""Raw SQL against every constraint and every trigger of the review's steps, desks, runs and checks of quality."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest

from disbursement.domain.workflow import Role
from disbursement.models import (
    BulkDeed,
    BulkRow,
    Handover,
    JointReview,
    QualityCheck,
    QualityDraw,
    SiteVisit,
    VisitPhoto,
    bulk,
    quality,
    staffing,
    steps,
)
from disbursement.models.steps import ExpertPaper, ExpertVoice
from disbursement.services.review import absences, bulk_review, experts, reviews
from disbursement.services.review import staffing as desks
from disbursement.services.review import steps as stepping
from matching.days import day_of
from tests.factories import papers
from tests.factories.disbursement import JOINT_RULES, case, staff
from tests.integration.disbursement.raw_sql import (
    Attack,
    change,
    check_constraints,
    check_triggers,
    copy,
    given_and_taken_back,
    models_in,
    refused,
)

pytestmark = pytest.mark.django_db
MODELS = models_in(bulk, quality, staffing, steps)


@pytest.fixture
def world() -> SimpleNamespace:
    visited = case().visiting()
    visit = stepping.record_visit(
        application_id=visited.id,
        visited_on=day_of(visited.now),
        place="厂房",
        visitors="李某、王某",
        met="",
        is_confirmed=True,
        finding="一致",
        actor=visited.reviewer,
        now=visited.now,
        photos=[("a.png", papers.png())],
    )
    under_way = case().visiting()
    asked = case(review=JOINT_RULES).asked_departments()
    speaker = asked.joint
    stepping.give_opinion(application_id=asked.id, agrees=True, text="好", actor=speaker, now=asked.now)
    waiting = case().asked_departments()
    deputy = staff(Role.REVIEWER, visited.version.item.department)
    absence = absences.declare_absence(
        person=visited.reviewer,
        deputy=deputy,
        starts_on=day_of(visited.now),
        ends_on=day_of(visited.now) + timedelta(days=3),
        reason="休假",
        actor=visited.reviewer,
        now=visited.now,
    )
    desks.reassign(
        application_id=under_way.id, taker=staff(Role.REVIEWER), reason="忙", actor=under_way.reviewer, now=visited.now
    )
    run = bulk_review.begin(
        key=uuid4(), deed=BulkDeed.ACCEPT, revisions={visited.id: 1}, note="", actor=visited.acceptor, now=visited.now
    )
    bulk_review.work_off(run_id=run.pk, actor=visited.acceptor, now=visited.now, candidates=lambda department_id: [])
    other_run = bulk_review.begin(
        key=uuid4(), deed=BulkDeed.ACCEPT, revisions={visited.id: 1}, note="", actor=visited.acceptor, now=visited.now
    )
    expert = case().in_review()
    reviews.ask_expert(application_id=expert.id, question="是否先进", actor=expert.reviewer, now=expert.now)
    experts.record_report(
        application_id=expert.id,
        text="先进",
        experts=[experts.Expert("王某", "某大学")],
        unconcerned=True,
        actor=expert.reviewer,
        now=expert.now,
        papers=[("意见.pdf", papers.pdf(mark="experts"))],
    )
    rejected = case().rejected()
    drawn = QualityDraw.objects.create(
        month=date(2026, 2, 1),
        seed="s",
        share=10,
        promise_share=10,
        population=1,
        promise_population=0,
        drawn_at=visited.now,
    )
    outsider = staff(Role.REVIEWER).user_id
    check = QualityCheck.objects.create(
        draw=drawn, application=rejected.application, stratum="a", decided_by_id=rejected.reviewer.user_id
    )
    other_draw = QualityDraw.objects.create(
        month=date(2026, 1, 1),
        seed="t",
        share=1,
        promise_share=1,
        population=1,
        promise_population=0,
        drawn_at=visited.now,
    )
    found = QualityCheck.objects.create(draw=other_draw, application=rejected.application, stratum="a")
    QualityCheck.objects.filter(pk=found.pk).update(
        finding="sound", text="好", checked_by_id=outsider, checked_at=visited.now
    )
    return SimpleNamespace(
        visit=visit,
        photo=VisitPhoto.objects.get(),
        under_way=under_way,
        answered=JointReview.objects.get(application_id=asked.id),
        open=JointReview.objects.get(application_id=waiting.id),
        absence=absence,
        deputised=Handover.objects.get(kind="deputised"),
        reassigned=Handover.objects.get(kind="reassigned"),
        run=run,
        done=BulkRow.objects.get(run=run),
        waiting_row=BulkRow.objects.get(run=other_run),
        draw=drawn,
        check=check,
        found=found,
        rejected=rejected,
        voice=ExpertVoice.objects.get(),
        paper=ExpertPaper.objects.get(),
        opinion=rejected.application.opinions.get(),
        outsider=outsider,
        now=visited.now,
    )


def constraint_attacks(w: SimpleNamespace) -> dict[str, Attack]:
    return {
        "sitevisit_says_who_where_what": copy("sitevisit", w.visit.pk, finding=""),
        "visitphoto_same_bytes_once": copy("visitphoto", w.photo.pk),
        "expertvoice_once": copy("expertvoice", w.voice.pk),
        "expertvoice_known_and_unconcerned": copy("expertvoice", w.voice.pk, name="李某", is_unconcerned=False),
        "expertpaper_same_bytes_once": copy("expertpaper", w.paper.pk),
        "jointreview_asked_once": copy("jointreview", w.open.pk),
        "jointreview_counts_from_1": copy("jointreview", w.open.pk, round=2, limit=0),
        "jointreview_asks_something": copy("jointreview", w.open.pk, round=2, question=""),
        "jointreview_answered_whole": change("jointreview", w.open.pk, answer="lapsed", at=w.now),
        "absence_deputy_is_another": change("absence", w.absence.pk, deputy_id=w.absence.person_id),
        "absence_days_in_order": change("absence", w.absence.pk, ends_on="2020-01-01"),
        "absence_gives_reason": change("absence", w.absence.pk, reason=""),
        "handover_whole": copy("handover", w.reassigned.pk, reason=""),
        "handover_to_another": copy("handover", w.reassigned.pk, taker_id=w.reassigned.giver_id),
        "bulkrun_deed_known": change("bulkrun", w.run.pk, deed="pay"),
        "bulkrow_once_a_run": copy("bulkrow", w.done.pk),
        "bulkrow_outcome_whole": change("bulkrow", w.waiting_row.pk, outcome="done"),
        "qualitydraw_shares": change("qualitydraw", w.draw.pk, share=101),
        "qualitycheck_once": copy("qualitycheck", w.check.pk),
        "qualitycheck_found_whole": change("qualitycheck", w.check.pk, finding="sound"),
        "qualitycheck_by_another": change("qualitycheck", w.check.pk, **_finding(w, w.check.decided_by_id)),
        "qualitycheck_given_to_another": change("qualitycheck", w.check.pk, assigned_to_id=w.check.decided_by_id),
    }


def guard_attacks(w: SimpleNamespace) -> dict[str, Attack]:
    second = w.rejected.second.user_id
    return {
        "disbursement_sitevisit_append_only": change("sitevisit", w.visit.pk, finding="改"),
        "disbursement_visitphoto_append_only": change("visitphoto", w.photo.pk, name="改"),
        "disbursement_expertvoice_append_only": change("expertvoice", w.voice.pk, title="院士"),
        "disbursement_expertpaper_append_only": change("expertpaper", w.paper.pk, name="改"),
        "disbursement_expertvoice_of_experts": copy("expertvoice", w.voice.pk, opinion_id=w.opinion.pk),
        "disbursement_expertpaper_of_experts": copy("expertpaper", w.paper.pk, opinion_id=w.opinion.pk),
        "disbursement_handover_append_only": change("handover", w.reassigned.pk, reason="改"),
        "disbursement_qualitydraw_append_only": change("qualitydraw", w.draw.pk, seed="chosen"),
        "disbursement_absence_frozen": change("absence", w.absence.pk, ends_on="2027-01-01"),
        "disbursement_absence_once": given_and_taken_back("absence", w.absence.pk, ended_at=w.now),
        "disbursement_absence_once_at_a_time": copy("absence", w.absence.pk),
        "disbursement_bulkrow_frozen": change("bulkrow", w.done.pk, revision=9),
        "disbursement_bulkrow_once": change("bulkrow", w.done.pk, done_at=w.now + timedelta(days=1)),
        "disbursement_bulkrow_outcome_stays": change("bulkrow", w.done.pk, outcome="done"),
        "disbursement_bulkrun_frozen": change("bulkrun", w.run.pk, note="改"),
        "disbursement_jointreview_frozen": change("jointreview", w.open.pk, silence_consents=True),
        "disbursement_jointreview_once": change("jointreview", w.answered.pk, at=w.now + timedelta(days=1)),
        "disbursement_jointreview_answer_stays": change("jointreview", w.answered.pk, answer="disagree"),
        "disbursement_jointreview_text_stays": change("jointreview", w.answered.pk, text="改"),
        "disbursement_jointreview_by_whom": change(
            "jointreview", w.open.pk, answer="agree", text="好", by_id=w.outsider, at=w.now
        ),
        "disbursement_jointreview_begins": copy("jointreview", w.answered.pk, round=2),
        "disbursement_sitevisit_by_whom": copy("sitevisit", w.visit.pk),
        "disbursement_handover_from_whom": copy("handover", w.deputised.pk),
        "disbursement_qualitycheck_frozen": change("qualitycheck", w.check.pk, stratum="b"),
        "disbursement_qualitycheck_once": change("qualitycheck", w.found.pk, checked_at=w.now + timedelta(days=1)),
        "disbursement_qualitycheck_finding_stays": change("qualitycheck", w.found.pk, finding="minor"),
        "disbursement_qualitycheck_text_stays": change("qualitycheck", w.found.pk, text="改"),
        "disbursement_qualitycheck_by_another": change("qualitycheck", w.check.pk, **_finding(w, second)),
    }


def _finding(w: SimpleNamespace, person: int) -> dict[str, object]:
    return {"finding": "sound", "text": "好", "checked_by_id": person, "checked_at": w.now}


def test_every_constraint_refuses_its_attack(world: SimpleNamespace) -> None:
    check_constraints(MODELS, constraint_attacks(world))


def test_every_trigger_refuses_its_attack(world: SimpleNamespace) -> None:
    check_triggers(MODELS, guard_attacks(world))


def test_a_visit_is_recorded_by_its_own_reviewer_only_while_it_is_under_way(world: SimpleNamespace) -> None:
    stranger = copy("sitevisit", world.visit.pk, application_id=world.under_way.id)
    error = refused(stranger)
    assert error is not None
    assert "recorded by its reviewer" in str(error)
    assert SiteVisit.objects.count() == 1
