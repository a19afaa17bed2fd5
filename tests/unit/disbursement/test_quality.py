"""Checks of quality: drawn from a seed, by people who took no part, found once."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from disbursement.domain.actors import Actor
from disbursement.domain.errors import Denied, Invalid
from disbursement.domain.workflow import Role
from disbursement.models import Finding, Participation, Promise, QualityCheck, QualityDraw
from disbursement.services.application import drafts, materials
from disbursement.services.review import decisions, interests, quality, reviews
from portal.accounts.models import RoleAssignment, User
from portal.accounts.people import in_use
from tests.factories import matching as base
from tests.factories.disbursement import Case, at, case, staff

pytestmark = pytest.mark.django_db
MARCH = date(2026, 3, 1)
APRIL = at("2026-04-01", 4)


def promised(made: Case) -> Case:
    made.drafted()
    materials.sign_promise(application_id=made.id, code="lease", actor=made.agent, now=made.now)
    drafts.submit(application_id=made.id, actor=made.agent, now=made.later().now)
    reviews.accept(application_id=made.id, actor=made.acceptor, now=made.later().now)
    reviews.start_review(application_id=made.id, actor=made.reviewer, now=made.later().now)
    reviews.recommend_approval(application_id=made.id, text="同意", actor=made.reviewer, now=made.later().now)
    decisions.approve(application_id=made.id, actor=made.second, now=made.later().now)
    return made


def draw(people: list[Actor], seed: str = "seed") -> QualityDraw:
    return quality.draw_month(month=MARCH, now=APRIL, candidates=lambda department_id: people, seed=seed)


def test_a_months_draw_goes_to_somebody_else_and_is_found_once_and_for_good(settings: Any) -> None:
    settings.HUIDA_QUALITY_SHARE, settings.HUIDA_PROMISE_SHARE = 50, 100
    first = promised(case())
    department = first.version.item.department
    second = case(version=first.version).rejected()
    checker, kin = staff(Role.REVIEWER, department), staff(Role.REVIEWER, department)
    for made in (first, second):
        interests.declare(enterprise_id=made.enterprise.pk, reason="任职", actor=kin, now=made.now)
    people = [first.reviewer, first.second, second.reviewer, kin, first.acceptor, checker]
    with pytest.raises(Invalid, match="还没有结束"):
        quality.draw_month(month=MARCH, now=at("2026-03-31"), candidates=lambda department_id: people)
    month = draw(people)
    assert draw(people, seed="another") == month
    assert (month.population, month.promise_population, month.checks.count()) == (2, 1, 2)
    drawn, kept = quality.redraw(made=month)
    assert drawn == kept
    [of_application] = month.checks.filter(promise__isnull=True)
    [of_promise] = month.checks.filter(promise__isnull=False)
    # Whoever reviewed the one may check the other; none checks what they took part in, or have an interest in.
    for check in (of_application, of_promise):
        case_of = first if check.application_id == first.id else second
        assert check.assigned_to_id not in {case_of.reviewer.user_id, case_of.second.user_id, kin.user_id}
        assert check.assigned_to_id is not None
        assert check.decided_by_id == case_of.reviewer.user_id
    told: dict[str, Any] = {"text": "已实地核对", "now": APRIL, "in_use": in_use}
    with pytest.raises(Denied):
        quality.record(check_id=of_promise.pk, finding=Finding.SOUND, actor=first.reviewer, **told)
    who = next(person for person in people if person.user_id == of_promise.assigned_to_id)
    with pytest.raises(Invalid, match="写明"):
        quality.record(check_id=of_promise.pk, finding=Finding.SOUND, actor=who, **{**told, "text": " "})
    quality.record(check_id=of_promise.pk, finding=Finding.SERIOUS, actor=who, **told)
    assert Promise.objects.get(pk=of_promise.promise_id or 0).kept is False
    with pytest.raises(Invalid, match="登记过"):
        quality.record(check_id=of_promise.pk, finding=Finding.SOUND, actor=who, **told)
    with pytest.raises(IntegrityError), transaction.atomic():
        QualityCheck.objects.filter(pk=of_promise.pk).update(finding=Finding.SOUND)
    with pytest.raises(IntegrityError), transaction.atomic():
        QualityDraw.objects.filter(pk=month.pk).update(seed="chosen")


def test_the_database_lets_nobody_check_what_they_took_part_in(settings: Any) -> None:
    settings.HUIDA_QUALITY_SHARE = 100
    made = case().rejected()
    drawn = draw([])
    check = drawn.checks.get()
    assert check.assigned_to_id is None
    for person in (made.reviewer, made.second):
        with pytest.raises(IntegrityError), transaction.atomic():
            QualityCheck.objects.filter(pk=check.pk).update(
                finding="sound", text="好", checked_by_id=person.user_id, checked_at=APRIL
            )
    able = staff(Role.REVIEWER, made.version.item.department)
    quality.record(check_id=check.pk, finding=Finding.MINOR, text="漏一页", actor=able, now=APRIL, in_use=in_use)
    assert QualityCheck.objects.get().checked_by_id == able.user_id


@pytest.mark.parametrize("why", ["left", "moved", "concerned", "took part"])
def test_a_check_given_to_somebody_who_can_do_it_no_longer_is_anybodys_who_may(settings: Any, why: str) -> None:
    settings.HUIDA_QUALITY_SHARE = 100
    made = case().rejected()
    department = made.version.item.department
    given, able = staff(Role.REVIEWER, department), staff(Role.REVIEWER, department)
    assert given.user_id is not None
    check = draw([given]).checks.select_related("application__item").get()
    told: dict[str, Any] = {"check_id": check.pk, "finding": Finding.SOUND, "text": "规范", "now": APRIL}
    assert quality.left_behind(checks=[check], in_use=in_use) == set()
    with pytest.raises(Denied):
        quality.record(actor=able, in_use=in_use, **told)
    if why == "left":
        User.objects.filter(pk=given.user_id).update(is_active=False)
    elif why == "moved":
        RoleAssignment.objects.filter(user_id=given.user_id).update(department=base.department("other", "其他"))
    elif why == "concerned":
        interests.declare(enterprise_id=made.enterprise.pk, reason="亲属任职", actor=given, now=APRIL)
    else:
        Participation.objects.create(
            application=made.application, user_id=given.user_id, role=Role.APPEAL_REVIEWER.value, since=APRIL
        )
    assert quality.left_behind(checks=[check], in_use=in_use) == {check.pk}
    with pytest.raises(Denied):
        quality.record(actor=made.reviewer, in_use=in_use, **told)
    done = quality.record(actor=able, in_use=in_use, **told)
    assert (done.checked_by_id, done.assigned_to_id) == (able.user_id, given.user_id)
    assert quality.left_behind(checks=[done], in_use=in_use) == set()
