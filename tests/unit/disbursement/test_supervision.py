"""Warnings before cards, the ledger and what is contested of it, urgings, and the figures."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from disbursement.domain.actors import Actor
from disbursement.domain.errors import Denied, Invalid
from disbursement.domain.supervision import EntryKind
from disbursement.domain.workflow import ClockStep, Role
from disbursement.models import (
    ClockWarning,
    Document,
    EntryAppeal,
    Finding,
    QualityCheck,
    StepClock,
    SupervisionEntry,
)
from disbursement.selectors import supervision as selectors
from disbursement.selectors.calendar import working_calendar
from disbursement.selectors.desk import card_counts
from disbursement.selectors.supervision import Span
from disbursement.services import notices
from disbursement.services.payment.transitions import slip
from disbursement.services.review import absences, quality, reviews, steps
from disbursement.services.supervision import clocks, urgings, warnings
from disbursement.services.supervision import ledger as supervision
from disbursement.services.supervision import reports as supervision_reports
from disbursement.services.supervision import sources as supervision_sources
from matching.days import day_of
from matching.registry import outbox
from portal.accounts.models import RoleAssignment
from portal.accounts.people import in_use
from portal.inbox.models import Notification
from tests.factories import disbursement as people
from tests.factories import matching as base
from tests.factories import money
from tests.factories.disbursement import JOINT_RULES, Case, at, case, staff

pytestmark = pytest.mark.django_db
FIVE = {"acceptance": {"statutory": 5, "promised": 5}}
LATER = at("2026-03-31")
MARCH = Span(date(2026, 3, 1), date(2026, 3, 31))


def supervisor(department_id: int | None = None) -> Actor:
    user = people.user()
    RoleAssignment.objects.create(user=user, role="supervisor", department_id=department_id)
    return Actor(user.pk, supervised=frozenset({department_id}))


def elsewhere() -> Actor:
    """A supervisor of another department alone."""
    return supervisor(base.department("elsewhere", "外单位").pk)


def claimed(**limits: Any) -> Case:
    made = case(limits=limits or FIVE).submitted()
    reviews.claim(application_id=made.id, actor=made.acceptor, now=made.now)
    return made


def nights(made: Case, count: int) -> list[int]:
    return [warnings.warn(now=at(made.now.date() + timedelta(days=day), 1)) for day in range(count)]


def titles(user_id: int | None, now: datetime) -> list[str]:
    outbox.deliver(now=now)
    found = Notification.objects.filter(user=user_id, kind="supervision").order_by("pk")
    return list(found.values_list("title", flat=True))


def red_card() -> tuple[Case, SupervisionEntry]:
    made = claimed().later(days=20)
    clocks.charge_cards(now=made.now)
    return made, SupervisionEntry.objects.get(kind=EntryKind.RED)


def test_a_holder_is_warned_once_for_each_level_and_every_other_night_is_silent() -> None:
    made = claimed()
    assert nights(made, 8) == [0, 0, 0, 1, 1, 0, 0, 0]
    assert sum(nights(made, 8)) == 0
    levels = list(ClockWarning.objects.order_by("pk").values_list("level", "used", "limit", "holder_id"))
    assert levels == [("share", 3, 5, made.acceptor.user_id), ("days", 4, 5, made.acceptor.user_id)]
    assert titles(made.acceptor.user_id, LATER) == ["时限提醒：受理还剩 2 个工作日", "到期提醒：受理还剩 1 个工作日"]
    assert SupervisionEntry.objects.filter(kind=EntryKind.WARNING).count() == 2


def test_a_clock_that_stands_still_is_not_warned_of() -> None:
    assert sum(nights(case(limits=FIVE).submitted().asked(), 10)) == 0


def test_a_rule_of_a_step_is_set_by_those_who_supervise_the_district_and_counts_from_then_on() -> None:
    made = claimed()
    with pytest.raises(Denied):
        warnings.set_rule(step=ClockStep.ACCEPTANCE, percent=20, days_before=None, actor=elsewhere(), now=made.now)
    with pytest.raises(Invalid):
        warnings.set_rule(step=ClockStep.ACCEPTANCE, percent=80, days_before=None, actor=supervisor(), now=made.now)
    warnings.set_rule(step=ClockStep.ACCEPTANCE, percent=20, days_before=None, actor=supervisor(), now=made.now)
    assert nights(made, 8) == [0, 1, 0, 0, 0, 0, 0, 0]


def test_a_deputy_hears_what_the_absent_would() -> None:
    made = claimed()
    deputy = staff(Role.ACCEPTOR, made.version.item.department)
    day = made.now.date()
    absences.declare_absence(
        person=made.acceptor,
        deputy=deputy,
        starts_on=day,
        ends_on=day + timedelta(days=10),
        reason="休假",
        actor=made.acceptor,
        now=made.now,
    )
    StepClock.objects.filter(application_id=made.id).update(holder_id=made.acceptor.user_id)
    nights(made, 4)
    soon = at(day + timedelta(days=4))
    assert titles(made.acceptor.user_id, soon) == []
    assert len(titles(deputy.user_id, soon)) == 1


def test_what_nobody_has_taken_up_is_told_to_whoever_could() -> None:
    made = case(limits=FIVE).submitted()
    idle = people.user()
    RoleAssignment.objects.create(user=idle, role="acceptor", department=made.version.item.department)
    elsewhere = people.user()
    RoleAssignment.objects.create(user=elsewhere, role="reviewer", department=made.version.item.department)
    nights(made, 4)
    assert len(titles(idle.pk, LATER)) == 1
    assert titles(elsewhere.pk, LATER) == []


def test_a_card_enters_the_ledger_with_it_and_is_told_to_the_lead_and_the_supervisor() -> None:
    watching = supervisor()
    made, entry = red_card()
    assert (entry.person_id, entry.limit, entry.department_id) == (
        made.acceptor.user_id,
        5,
        made.version.item.department_id,
    )
    assert [title[:2] for title in titles(watching.user_id, made.now)] == ["黄牌", "红牌"]
    assert len(titles(made.acceptor.user_id, made.now)) == 2
    assert clocks.charge_cards(now=made.now) == 0
    assert SupervisionEntry.objects.count() == 2


def test_the_ledger_finds_what_was_put_on_record_elsewhere_each_once() -> None:
    asked = case(review=JOINT_RULES).asked_departments()
    late = asked.later(days=20)
    steps.lapse_overdue(now=late.now)
    made = case().approved()
    payables = list(made.application.payables.all())
    slip(payables=payables, month=date(2026, 5, 1), reason="预算不足，待安排预算")
    assert supervision_sources.collect(now=late.now) == 2
    assert supervision_sources.collect(now=late.now) == 0
    kinds = set(SupervisionEntry.objects.values_list("kind", flat=True))
    assert kinds == {EntryKind.LAPSED, EntryKind.BROKEN_PROMISE}
    lapsed = SupervisionEntry.objects.get(kind=EntryKind.LAPSED)
    assert (lapsed.department_id, lapsed.person_id) == (asked.application.joint_reviews.get().department_id, None)


def test_a_month_missed_for_the_payees_account_is_no_broken_promise() -> None:
    made = case().approved()
    for batch in money.cut():
        money.paid(batch, money.Finance(), bounced=[1])
    slip(payables=list(made.application.payables.all()), month=date(2026, 4, 1), reason="收款账户已更正并核对")
    assert supervision_sources.collect(now=at("2026-04-02")) == 0


def test_a_finding_of_quality_is_charged_to_who_decided(settings: Any) -> None:
    settings.HUIDA_QUALITY_SHARE = 100
    made = case().rejected()
    checker = staff(Role.SECOND_REVIEWER, made.version.item.department)
    quality.draw_month(month=date(2026, 3, 1), now=at("2026-04-01"), candidates=lambda department_id: [checker])
    check = QualityCheck.objects.get()
    quality.record(
        check_id=check.pk,
        finding=Finding.SERIOUS,
        text="条件判断有误",
        actor=checker,
        now=at("2026-04-02"),
        in_use=in_use,
    )
    assert supervision_sources.collect(now=at("2026-04-03")) == 1
    assert SupervisionEntry.objects.get().person_id == made.reviewer.user_id


def test_a_line_is_contested_by_whom_it_charges_and_struck_out_by_another_who_supervises() -> None:
    watching = supervisor()
    made, entry = red_card()
    with pytest.raises(Denied):
        supervision.contest(entry_id=entry.pk, grounds="不公", actor=made.reviewer, now=made.now)
    supervision.contest(entry_id=entry.pk, grounds="系统停机三天", actor=made.acceptor, now=made.now)
    assert any("申辩" in title for title in titles(watching.user_id, made.now))
    with pytest.raises(Invalid):
        supervision.contest(entry_id=entry.pk, grounds="再说一次", actor=made.acceptor, now=made.now)
    with pytest.raises(Denied):
        supervision.decide(entry_id=entry.pk, strike=True, reason="属实", actor=made.acceptor, now=made.now)
    with pytest.raises(Denied):
        supervision.decide(entry_id=entry.pk, strike=True, reason="属实", actor=elsewhere(), now=made.now)
    with pytest.raises(Invalid):
        supervision.decide(entry_id=entry.pk, strike=True, reason=" ", actor=watching, now=made.now)
    before = selectors.figures(span=MARCH).whole
    supervision.decide(entry_id=entry.pk, strike=True, reason="停机属实", actor=watching, now=made.now)
    after = selectors.figures(span=MARCH).whole
    assert (before.red, before.struck, after.red, after.struck) == (1, 0, 0, 1)
    assert SupervisionEntry.objects.filter(pk=entry.pk).exists()
    assert "申辩成立，记录已撤销" in titles(made.acceptor.user_id, made.now)
    with pytest.raises(Invalid):
        supervision.decide(entry_id=entry.pk, strike=False, reason="反悔", actor=watching, now=made.now)


def test_a_struck_card_is_not_among_the_cards_of_the_month_either() -> None:
    made, entry = red_card()
    supervision.contest(entry_id=entry.pk, grounds="系统停机三天", actor=made.acceptor, now=made.now)
    (before,) = card_counts(since=MARCH.since, until=MARCH.until)
    supervision.decide(entry_id=entry.pk, strike=True, reason="停机属实", actor=supervisor(), now=made.now)
    (after,) = card_counts(since=MARCH.since, until=MARCH.until)
    assert (before.yellow, before.red, after.yellow, after.red) == (1, 1, 1, 0)


def test_a_warning_cannot_be_contested() -> None:
    made = claimed()
    nights(made, 4)
    entry = SupervisionEntry.objects.get()
    with pytest.raises(Denied):
        supervision.contest(entry_id=entry.pk, grounds="不公", actor=made.acceptor, now=made.now)
    assert not EntryAppeal.objects.exists()


def test_a_department_is_urged_answers_and_the_supervisor_closes_it() -> None:
    watching = supervisor()
    made, entry = red_card()
    day = day_of(made.now)
    with pytest.raises(Denied):
        urgings.send(entry_id=entry.pk, text="请说明", due_on=day, actor=elsewhere(), now=made.now)
    with pytest.raises(Invalid) as wrong:
        urgings.send(entry_id=entry.pk, text="", due_on=day - timedelta(days=1), actor=watching, now=made.now)
    assert {fault.place for fault in wrong.value.faults} == {"text", "due_on"}
    urging = urgings.send(entry_id=entry.pk, text="请说明原因", due_on=day, actor=watching, now=made.now)
    assert (urging.person_id, urging.application_id) == (made.acceptor.user_id, made.id)
    assert any("督办" in title for title in titles(made.acceptor.user_id, made.now))
    with pytest.raises(Invalid):
        urgings.close(urging_id=urging.pk, is_settled=True, closing="好", actor=watching, now=made.now)
    with pytest.raises(Denied):
        urgings.answer(urging_id=urging.pk, reply="已改", actor=watching, now=made.now)
    urgings.answer(urging_id=urging.pk, reply="已增派人员", actor=made.acceptor, now=made.now)
    with pytest.raises(Invalid):
        urgings.answer(urging_id=urging.pk, reply="再改", actor=made.acceptor, now=made.now)
    closed = urgings.close(urging_id=urging.pk, is_settled=True, closing="到位", actor=watching, now=made.now)
    assert not closed.is_open
    assert titles(made.acceptor.user_id, made.now)[-1] == "督办已办结：整改到位"
    assert selectors.urging_counts(since=MARCH.since, until=MARCH.until) == {"sent": 1, "answered": 1, "settled": 1}


def test_figures_count_working_days_without_pauses_by_department_and_person() -> None:
    made = claimed()
    reviews.accept(application_id=made.id, actor=made.acceptor, now=made.later(days=3).now)
    found = selectors.figures(span=MARCH)
    [person] = [row for row in found.people if row.person_id == made.acceptor.user_id]
    assert (person.tally.mean, person.tally.promise, person.tally.in_time_share) == (3, 5, 100)
    assert found.whole.running == 1
    assert [row.department_id for row in found.departments] == [made.version.item.department_id]
    assert selectors.figures(span=Span(MARCH.since, MARCH.until, frozenset())).whole.cases == 0


def test_how_a_step_of_a_line_ended_is_read_from_its_clock() -> None:
    made, entry = red_card()
    calendar = working_calendar()
    assert selectors.outcome(entry, calendar=calendar) == ("open", None)
    reviews.accept(application_id=made.id, actor=made.acceptor, now=made.now)
    entry = SupervisionEntry.objects.get(pk=entry.pk)
    assert selectors.outcome(entry, calendar=calendar) == ("late", entry.used)


def test_the_ledger_and_the_figures_ask_as_often_for_many_lines_as_for_few() -> None:
    def asked() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            calendar = working_calendar()
            for entry in selectors.ledger(span=MARCH)[:50]:
                selectors.outcome(entry, calendar=calendar)
                str(entry.application.enterprise)
                str(entry.application.item)
                selectors.is_struck(entry)
            selectors.figures(span=MARCH)
        return len(queries)

    red_card()
    few = asked()
    for _more in range(3):
        made = claimed().later(days=20)
        clocks.charge_cards(now=made.now)
    assert asked() == few


def test_the_report_of_a_month_writes_itself_on_the_fifth_where_nobody_made_it() -> None:
    assert supervision_reports.write_due(now=at("2026-04-05")) == []  # nothing happened
    red_card()
    assert supervision_reports.write_due(now=at("2026-04-04")) == []
    [number] = supervision_reports.write_due(now=at("2026-04-05"))
    assert supervision_reports.write_due(now=at("2026-04-06")) == []
    made = supervision_reports.make(month=date(2026, 3, 1), actor=supervisor(), now=at("2026-04-07"))
    assert made.number == number


def test_the_report_of_a_month_is_made_once_when_it_is_over_by_those_who_supervise_the_district() -> None:
    watching = supervisor()
    made, _entry = red_card()
    month, after = date(2026, 3, 1), at("2026-04-02")
    with pytest.raises(Invalid):
        supervision_reports.make(month=month, actor=watching, now=made.now)
    with pytest.raises(Denied):
        supervision_reports.make(month=month, actor=elsewhere(), now=after)
    report = supervision_reports.make(month=month, actor=watching, now=after)
    assert supervision_reports.make(month=month, actor=watching, now=at("2026-04-03")).pk == report.pk
    assert report.number.startswith("JC-2026-")
    assert Document.objects.get().content[:5] == b"%PDF-"
    assert notices.open_document(document_id=report.pk, actor=watching)[0].pk == report.pk
    with pytest.raises(Denied):
        notices.open_document(document_id=report.pk, actor=made.reviewer)
