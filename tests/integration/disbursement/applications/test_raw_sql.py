"""Raw SQL against every constraint and every trigger of the application tables.

Constraints are discovered from the models, triggers from `disbursement.guards`: one that nobody attacks here fails the
test, and so does an attack that the database lets through.
"""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace

import pytest
from django.db import connection

from disbursement import guards
from disbursement.domain.actors import Actor
from disbursement.domain.workflow import ApplicationState
from disbursement.guards import applications as application_guards
from disbursement.models import (
    ApplicationInvoice,
    Correction,
    CorrectionItem,
    CorrectionSubject,
    Decision,
    DocumentKind,
    Judgement,
    Objection,
    Participation,
    Rating,
    StepClock,
    TransitionLog,
    application,
    clock,
    document,
    invoice,
    promise,
    rating,
    review,
)
from disbursement.services import notices
from disbursement.services.application import corrections, drafts, materials, ratings
from disbursement.services.application.corrections import Ask
from disbursement.services.review import decisions, interests, publicity, reviews
from disbursement.services.supervision import clocks
from tests.factories import money
from tests.factories.disbursement import MATERIALS, Case, at, case, case_in, invoices
from tests.integration.disbursement.raw_sql import (
    Attack,
    change,
    check_constraints,
    check_triggers,
    copy,
    execute,
    models_in,
    one_after_the_other,
    refused,
)

pytestmark = pytest.mark.django_db
MODELS = models_in(application, clock, document, invoice, promise, rating, review)


@pytest.fixture
def world() -> SimpleNamespace:
    """One application paid and rated badly; one in publicity with an objection; others half-way."""
    lease = {**MATERIALS[2], "required": True}
    paid = case(materials=[*MATERIALS[:2], lease])
    paid.drafted()
    materials.sign_promise(application_id=paid.id, code="lease", actor=paid.agent, now=paid.now)
    materials.remove(material_id=paid.application.materials.get().pk, actor=paid.agent, now=paid.now)
    day = at("2026-03-10").date()
    drafts.submit(application_id=paid.id, actor=paid.agent, now=paid.later().now, gaps={"invoice": day})
    reviews.accept(application_id=paid.id, actor=paid.acceptor, now=paid.later().now)
    paid.upload("invoice")
    reviews.start_review(application_id=paid.id, actor=paid.reviewer, now=paid.later().now)
    ask = Ask(CorrectionSubject.FIELD, "invoice_total", "不符", "更正")
    correction = corrections.ask(application_id=paid.id, items=[ask], actor=paid.reviewer, now=paid.later().now)
    corrections.supply(application_id=paid.id, actor=paid.agent, now=paid.later().now, invoices=invoices("310000"))
    reviews.recommend_approval(application_id=paid.id, text="通过", actor=paid.reviewer, now=paid.later().now)
    decisions.approve(application_id=paid.id, actor=paid.second, now=paid.later().now)
    assert paid.second.user_id is not None
    paid.application.drafts.create(user_id=paid.second.user_id, content={}, saved_at=paid.now)
    draft = paid.application.drafts.get()
    approval = Decision.objects.get(application_id=paid.id, kind="approved")
    notice = notices.issue(kind=DocumentKind.DECISION, subject_id=approval.pk, now=paid.now)
    for batch in money.cut():
        money.paid(batch, money.Finance())
    now = at("2026-03-30")
    given = ratings.rate(application_id=paid.id, level=1, actor=paid.agent, now=now)
    shown = case_in(ApplicationState.PUBLICITY)
    found = shown.application.publicities.get()
    objection = publicity.object_to(
        publicity_id=found.pk, name="李四", contact="1", text="不实", now=at(found.starts_on)
    )
    slow = case().submitted().later(days=20)
    clocks.charge_cards(now=slow.now)
    waiting = case().submitted().asked()
    appealed = case().appealed()
    asking = case().asked_departments().application
    asking.refresh_from_db()
    return SimpleNamespace(
        paid=paid,
        application=paid.fresh(),
        log=TransitionLog.objects.filter(application_id=paid.id, seq=2).get(),
        system_log=TransitionLog.objects.filter(application_id=paid.id, seq=1).get(),
        part=Participation.objects.get(application_id=paid.id, role="acceptor"),
        stranger=money.people.user().pk,
        judgement=Judgement.objects.filter(application_id=paid.id).latest("id"),
        interest=interests.declare(enterprise_id=paid.enterprise.pk, reason="任职", actor=paid.other, now=now),
        correction=correction,
        item=CorrectionItem.objects.get(correction=correction),
        open=Correction.objects.get(application_id=waiting.id),
        opinion=paid.application.opinions.get(),
        approval=approval,
        accepted=Decision.objects.get(application_id=paid.id, kind="accepted"),
        rejected=Decision.objects.get(application_id=appealed.id, kind="rejected"),
        draft=draft,
        publicity=found,
        objection=Objection.objects.get(pk=objection.pk),
        appeal=appealed.application.appeal,
        invoice=ApplicationInvoice.objects.get(application_id=paid.id),
        gap=paid.application.gaps.get(),
        promise=paid.application.promises.get(),
        clock=StepClock.objects.get(application_id=paid.id, step="review"),
        pause=shown.application.clocks.get(step="review").pauses.get(),
        card=slow.application.clocks.get().cards.get(colour="yellow"),
        red=slow.application.clocks.get().cards.get(colour="red"),
        notice=notice,
        rating=Rating.objects.get(pk=given.pk),
        rectification=given.rectification,
        shown=shown,
        received=slow,
        reviewing=case().in_review(),
        deciding=case().second_review(),
        waiting=waiting,
        asking=asking,
        joint_clock=asking.clocks.get(step="joint"),
    )


def constraint_attacks(w: SimpleNamespace) -> dict[str, Attack]:
    a, now = w.application.pk, at("2026-03-31")
    return {
        # applications
        "application_numbered_once_submitted": change("application", a, number=None),
        "application_number_shape": change("application", a, number="26-1"),
        "application_reviewed_only_if_accepted": change("application", a, accepted_at=None),
        "application_accepted_at_only_if_accepted": change("application", w.waiting.id, accepted_at=now),
        "application_decided_at_with_decision": change("application", w.waiting.id, decided_at=now),
        "application_amount_with_approval": change("application", a, approved_amount=0),
        "application_closed_at_with_closing": change("application", a, state="approved", closed_at=now),
        "application_one_draft": one_after_the_other(
            copy("application", a, **_DRAFT), copy("application", a, **_DRAFT)
        ),
        "transitionlog_seq_once": copy("transitionlog", w.log.pk),
        "transitionlog_seq_from_1": copy("transitionlog", w.log.pk, seq=0),
        "transitionlog_somebody_acted": copy("transitionlog", w.log.pk, seq=99, actor_id=None),
        "transitionlog_deputy_is_another": copy("transitionlog", w.log.pk, seq=99, for_person_id=w.log.actor_id),
        "transitionlog_words_known": copy("transitionlog", w.log.pk, seq=99, action="bribe"),
        "participation_one_role_each": copy("participation", w.part.pk, role="reviewer"),
        "participation_role_known": copy("participation", w.part.pk, user_id=w.stranger, role="system"),
        "interest_one_alive": copy("interestdeclaration", w.interest.pk),
        "interest_ends_after_it_begins": change("interestdeclaration", w.interest.pk, ended_at=at("2025-01-01")),
        "judgement_occasion_known": copy("judgement", w.judgement.pk, occasion="whim"),
        "judgement_verdict_known": copy("judgement", w.judgement.pk, verdict="maybe"),
        # review
        "correction_stage_known": change("correction", w.correction.pk, stage="later"),
        "correction_round_from_1": change("correction", w.correction.pk, round=0),
        "correction_round_once": copy("correction", w.correction.pk),
        "correction_one_open": copy("correction", w.open.pk, round=2),
        "correction_ends_one_way": change("correction", w.correction.pk, lapsed_at=now),
        "correctionitem_once": copy("correctionitem", w.item.pk),
        "correctionitem_says_what_and_how": change("correctionitem", w.item.pk, remedy=""),
        "opinion_kind_known": change("opinion", w.opinion.pk, kind="rumour"),
        "opinion_says_something": change("opinion", w.opinion.pk, text=""),
        "opinion_amount_positive": change("opinion", w.opinion.pk, amount=0),
        "decision_each_kind_once": copy("decision", w.approval.pk),
        "decision_amount_and_judgement_with_kind": change("decision", w.approval.pk, amount=None),
        "decision_against_gives_reasons": change("decision", w.rejected.pk, remedy=""),
        "decisiondraft_one_each": copy("decisiondraft", w.draft.pk),
        "publicity_days_in_order": change("publicity", w.publicity.pk, ends_on="2020-01-01"),
        "publicity_amount_positive": change("publicity", w.publicity.pk, amount=0),
        "publicity_one_open": copy("publicity", w.publicity.pk),
        "objection_answered_whole": change("objection", w.objection.pk, sustained=True),
        "appeal_gives_grounds": change("appeal", w.appeal.pk, grounds=""),
        "gap_once_a_material": copy("toleratedgap", w.gap.pk),
        "gap_granted_by_somebody": change("toleratedgap", w.gap.pk, granted_by_id=None),
        "promise_once_a_material": copy("promise", w.promise.pk),
        "promise_checked_whole": change("promise", w.promise.pk, kept=True),
        # invoices
        "applicationinvoice_once": copy("applicationinvoice", w.invoice.pk),
        "applicationinvoice_positive": change("applicationinvoice", w.invoice.pk, amount=0),
        "applicationinvoice_known": change("applicationinvoice", w.invoice.pk, kind="napkin"),
        "applicationinvoice_named": change("applicationinvoice", w.invoice.pk, issuer=""),
        # clocks
        "stepclock_one_a_step": copy("stepclock", w.clock.pk),
        "stepclock_one_running_a_department": copy("stepclock", w.joint_clock.pk),
        "stepclock_step_known": change("stepclock", w.clock.pk, step="lunch"),
        "stepclock_promise_within_statute": change("stepclock", w.clock.pk, promised_limit=99),
        "stepclock_stops_after_it_starts": change("stepclock", w.clock.pk, stopped_on="2020-01-01"),
        "clockpause_one_open": copy("clockpause", w.pause.pk),
        "clockpause_in_order": change("clockpause", w.pause.pk, ended_on="2020-01-01"),
        "clockcard_once": copy("clockcard", w.card.pk),
        "clockcard_red_only_past_limit": change("clockcard", w.red.pk, used=0),
        # notices, ratings
        "document_once": copy("document", w.notice.pk, number="SH-2026-000999"),
        "document_kind_known": copy("document", w.notice.pk, number="SH-2026-000999", kind="love_letter"),
        "document_hash_shape": copy("document", w.notice.pk, number="SH-2026-000999", subject="x", sha256=""),
        "document_not_empty": copy("document", w.notice.pk, number="SH-2026-000999", subject="x", size=0),
        "document_number_shape": copy("document", w.notice.pk, number="nr. 1", subject="x"),
        "document_has_its_application": copy(
            "document", w.notice.pk, number="SH-2026-000999", subject="x", application_id=None
        ),
        "rating_level_known": change("rating", w.rating.pk, level=6, rectify_by=None),
        "rating_lowest_two_are_rectified": change("rating", w.rating.pk, rectify_by=None),
        "rectification_answered_whole": change("rectification", w.rectification.pk, reply="好了"),
    }


_DRAFT = {
    "state": "draft",
    "number": None,
    "submitted_at": None,
    "accepted_at": None,
    "decided_at": None,
    "approved_amount": None,
    "closed_at": None,
    "revision": 0,
}


def guard_attacks(w: SimpleNamespace) -> dict[str, Attack]:
    a, now = w.application.pk, at("2026-04-01")
    return {
        # append-only
        "disbursement_clockcard_append_only": change("clockcard", w.card.pk, used=1),
        "disbursement_correctionitem_append_only": change("correctionitem", w.item.pk, problem="另一个问题"),
        "disbursement_decision_append_only": change("decision", w.approval.pk, amount=1),
        "disbursement_document_append_only": change("document", w.notice.pk, content=b"other"),
        "disbursement_judgement_append_only": change("judgement", w.judgement.pk, verdict="ineligible"),
        "disbursement_opinion_append_only": change("opinion", w.opinion.pk, text="另说"),
        "disbursement_participation_append_only": change("participation", w.part.pk, role="reviewer"),
        "disbursement_transitionlog_append_only": change("transitionlog", w.log.pk, note="没有这回事"),
        # columns that never change
        "disbursement_appeal_frozen": change("appeal", w.appeal.pk, grounds="别的理由"),
        "disbursement_application_frozen": change("application", a, enterprise_id=w.shown.enterprise.pk),
        "disbursement_correction_frozen": change("correction", w.open.pk, due_on="2030-01-01"),
        "disbursement_interestdeclaration_frozen": change("interestdeclaration", w.interest.pk, user_id=w.stranger),
        "disbursement_interestdeclaration_once": lambda: [
            change("interestdeclaration", w.interest.pk, ended_at=at(day))() for day in ("2026-05-01", "2026-05-02")
        ],
        "disbursement_publicity_frozen": change("publicity", w.publicity.pk, amount=1),
        "disbursement_objection_frozen": change("objection", w.objection.pk, text="没有异议"),
        "disbursement_promise_frozen": change("promise", w.promise.pk, text="什么也没承诺"),
        "disbursement_rating_frozen": change("rating", w.rating.pk, comment="很好"),
        "disbursement_stepclock_frozen": change("stepclock", w.clock.pk, started_on="2026-03-20", stopped_on=None),
        "disbursement_toleratedgap_frozen": change("toleratedgap", w.gap.pk, promised_by="2030-01-01"),
        # columns written once
        "disbursement_application_once": change("application", a, number="2026-999999"),
        "disbursement_correction_once": change("correction", w.correction.pk, supplied_at=now),
        "disbursement_objection_once": one_after_the_other(
            change("objection", w.objection.pk, **_answered(w, sustained=True)),
            change("objection", w.objection.pk, **_answered(w, sustained=False)),
        ),
        "disbursement_promise_once": one_after_the_other(
            change("promise", w.promise.pk, **_checked(w, kept=False)),
            change("promise", w.promise.pk, **_checked(w, kept=True)),
        ),
        "disbursement_publicity_once": one_after_the_other(
            change("publicity", w.publicity.pk, closed_at=now),
            change("publicity", w.publicity.pk, closed_at=None),
        ),
        "disbursement_rectification_once": one_after_the_other(
            change("rectification", w.rectification.pk, reply="改", answered_at=now, answered_by_id=w.stranger),
            change("rectification", w.rectification.pk, reply="", answered_at=None, answered_by_id=None),
        ),
        "disbursement_toleratedgap_once": change("toleratedgap", w.gap.pk, filled_at=now),
        # a state moves only as the table and the log say
        "disbursement_application_begins": copy("application", a, number="2026-999998"),
        "disbursement_application_moves": change("application", w.waiting.id, state="submitted", revision=3),
        "disbursement_application_version": change("application", w.waiting.id, version_id=w.paid.version.pk),
        "disbursement_transitionlog_table": _step_by_hand(w, w.shown.second, target="closed"),
        "disbursement_transitionlog_follows": copy("transitionlog", w.log.pk, seq=99),
        "disbursement_transitionlog_gathered": copy(
            "transitionlog",
            w.asking.log.latest("seq").pk,
            seq=w.asking.revision + 1,
            source="joint_review",
            action="gather_opinions",
            target="in_review",
            role="system",
            actor_id=None,
        ),
        "disbursement_transitionlog_machine_accepts": _by_machine(w.received, "accept", "accepted"),
        "disbursement_transitionlog_machine_reviews": _by_machine(w.reviewing, "recommend_approval", "second_review"),
        "disbursement_transitionlog_machine_decides": _by_machine(w.deciding, "approve", "approved"),
        "disbursement_transitionlog_deputy": _step_by_hand(w, w.shown.second, target="approved", instead_of=w.stranger),
        "disbursement_transitionlog_role": _step_by_hand(w, w.shown.acceptor, target="approved"),
        "disbursement_rectification_low": one_after_the_other(
            lambda: execute("DELETE FROM disbursement_rectification"),
            lambda: execute(
                "INSERT INTO disbursement_rectification (rating_id, department_id, due_on, opened_at, reply)"
                " VALUES (%s, %s, '2030-01-01', %s, '')",
                w.rating.pk,
                w.paid.version.item.department_id,
                now,
            ),
        ),
    }


def _answered(w: SimpleNamespace, *, sustained: bool) -> dict[str, object]:
    now = at("2026-04-01")
    return {"sustained": sustained, "answer": "经查", "answered_by_id": w.stranger, "answered_at": now}


def _checked(w: SimpleNamespace, *, kept: bool) -> dict[str, object]:
    return {"kept": kept, "finding": "经查", "checked_by_id": w.stranger, "checked_at": at("2026-04-01")}


def _step_by_hand(w: SimpleNamespace, actor: Actor, *, target: str, instead_of: int | None = None) -> Attack:
    """The application in publicity is approved (or worse) by writing its log."""
    last = TransitionLog.objects.filter(application=w.shown.application).latest("seq")
    step = {"source": "publicity", "action": "approve", "target": target, "role": "second_reviewer"}
    return copy("transitionlog", last.pk, seq=last.seq + 1, actor_id=actor.user_id, for_person_id=instead_of, **step)


def _by_machine(made: Case, action: str, target: str) -> Attack:
    """A step that the machine did not verify, by writing its log."""
    last = TransitionLog.objects.filter(application_id=made.id).latest("seq")
    step = {"source": last.target, "action": action, "target": target, "role": "system"}
    return copy("transitionlog", last.pk, seq=last.seq + 1, actor_id=None, for_person_id=None, **step)


def test_every_constraint_refuses_its_attack(world: SimpleNamespace) -> None:
    check_constraints(MODELS, constraint_attacks(world))


def test_every_trigger_refuses_its_attack(world: SimpleNamespace) -> None:
    # On PostgreSQL the row cannot be deleted first; that refusal is the next test's.
    later = {"disbursement_rectification_low"} if connection.vendor == "postgresql" else set()
    check_triggers(MODELS, guard_attacks(world), but=later)


@pytest.mark.postgres
def test_nothing_of_an_application_is_ever_deleted(world: SimpleNamespace) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets its owner delete")
    tables = [
        t for t in (*guards.APPEND_ONLY, *application_guards.NEVER_DELETED) if t in {m._meta.db_table for m in MODELS}
    ]
    filled = [table for table in tables if _count(table)]
    assert len(filled) > 15
    results = {table: refused(partial(execute, f"DELETE FROM {table}")) for table in filled}
    assert [table for table, error in results.items() if error is None or "never deleted" not in str(error)] == []


def _count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM {table}")
        return int(cursor.fetchone()[0])
