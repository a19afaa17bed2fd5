"""The reviewer's desk beside the decision: steps of the path, deputies, drafts, what is asked of other departments."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from disbursement.domain.workflow import Role
from disbursement.models import Absence, DecisionDraft, JointReview, Judgement, SiteVisit
from disbursement.services.application import judging
from disbursement.services.review import absences, interests, steps
from portal.accounts.models import User
from tests.factories import matching as base
from tests.factories import papers
from tests.factories.disbursement import case, staff

pytestmark = pytest.mark.django_db
PATH: dict[str, Any] = {
    "steps": [
        {"kind": "site_visit", "name": "现场核查", "days": 5},
        {"kind": "joint", "name": "部门会审", "days": 3, "departments": ["fgj"], "silence_consents": True},
    ],
    "checklist": [{"code": "review-1", "step": "review", "text": "发票已逐张核对"}],
}


def client(user_id: int | None) -> Client:
    made = Client()
    made.force_login(User.objects.get(pk=user_id or 0))
    return made


def test_a_verdict_is_judged_again_from_what_was_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    made = case().in_review()
    desk, page = client(made.reviewer.user_id), reverse("desk:application", args=[made.id])
    assert "结论与金额相同" in desk.get(page, {"replay": "1"}).text
    true = judging.replay

    def another(*, judgement: Judgement) -> judging.Replay:
        return replace(true(judgement=judgement), same=False)

    monkeypatch.setattr(judging, "replay", another)
    assert "与所存结果不一致" in desk.get(page, {"replay": "1"}).text


def test_a_reviewer_goes_the_items_way_on_the_pages() -> None:
    other = base.department("fgj", "发改局")
    speaker = staff(Role.REVIEWER, other)
    made = case(review=PATH).in_review()
    desk, page = client(made.reviewer.user_id), reverse("desk:application", args=[made.id])
    shown = desk.get(page).content.decode()
    assert "发票已逐张核对" in shown
    assert "逾期视为同意" in shown
    act = lambda name, **data: desk.post(  # noqa: E731
        reverse("desk:act", args=[made.id, name]), {f"{name}-{key}": value for key, value in data.items()}
    )
    assert act("joint", question="是否重复").status_code == 422
    assert act("visit", note="今天下午").status_code == 302
    told = {
        "visited_on": "2026-03-02",
        "place": "厂房",
        "visitors": "李某",
        "is_confirmed": "yes",
        "finding": "设备在用",
    }
    record = reverse("desk:visit", args=[made.id])
    refused = desk.post(record, told)
    assert refused.status_code == 422
    assert "两人以上" in refused.content.decode()
    assert desk.post(record, {**told, "visitors": "李某、王某"}).status_code == 302
    assert SiteVisit.objects.get().visitors == "李某、王某"
    assert act("joint", question="是否重复").status_code == 302

    asked = client(speaker.user_id)
    assert str(made.fresh().number) in asked.get(reverse("desk:worklist")).content.decode()
    theirs = asked.get(page).content.decode()
    assert "出具会审意见" in theirs
    assert "建议通过" not in theirs
    opinion = reverse("desk:act", args=[made.id, "opinion"])
    assert asked.post(opinion, {"opinion-agrees": "no", "opinion-text": "已获省级支持"}).status_code == 302
    assert JointReview.objects.get().answer == "disagree"
    # It was the last: the case is with its own department again, and whoever was asked may still look.
    assert asked.get(page).status_code == 200
    assert "已获省级支持" in desk.get(page).content.decode()

    refused = act("recommend", text="同意")
    assert refused.status_code == 422
    assert "没有勾选" in refused.content.decode()
    assert act("recommend", text="同意", ticks=["review-1"]).status_code == 302
    assert made.fresh().state == "second_review"


def test_what_is_being_written_is_kept_for_its_writer_and_offered_again() -> None:
    made = case().in_review()
    desk = client(made.reviewer.user_id)
    keep = reverse("desk:keep_draft", args=[made.id, "recommend"])
    answer = desk.post(keep, {"recommend-text": "核对到第三张"}, headers={"HX-Request": "true"})
    assert "草稿已存" in answer.content.decode()
    assert DecisionDraft.objects.get().content == {"recommend": {"text": "核对到第三张"}}
    page = reverse("desk:application", args=[made.id])
    assert "核对到第三张" in desk.get(page).content.decode()
    assert "核对到第三张" not in client(made.second.user_id).get(page).content.decode()
    assert desk.post(reverse("desk:keep_draft", args=[made.id, "nothing"])).status_code == 404


def test_a_person_declares_an_absence_and_the_deputy_sees_for_whom_they_act() -> None:
    made = case().in_review()
    deputy = staff(Role.REVIEWER, made.version.item.department, "代理人")
    desk = client(made.reviewer.user_id)
    from django.utils import timezone

    from matching.days import day_of

    today = day_of(timezone.now()).isoformat()
    told = {
        "person": made.reviewer.user_id,
        "deputy": deputy.user_id,
        "starts_on": today,
        "ends_on": today,
        "reason": "年休假",
    }
    page = reverse("desk:absences")
    assert desk.post(page, {**told, "deputy": made.acceptor.user_id}).status_code == 422
    assert desk.post(page, told).status_code == 302
    assert "代理中" in desk.get(page).content.decode()
    shown = client(deputy.user_id).get(reverse("desk:application", args=[made.id])).content.decode()
    assert f"（代 {User.objects.get(pk=made.reviewer.user_id or 0)}）" in shown
    absence = Absence.objects.get()
    assert client(deputy.user_id).post(reverse("desk:absence_end", args=[absence.pk])).status_code == 302
    assert Absence.objects.get().ended_at is None
    desk.post(reverse("desk:absence_end", args=[absence.pk]))
    assert made.fresh().handler_id == made.reviewer.user_id


def test_an_application_is_given_to_the_least_loaded_and_passed_on_with_a_reason() -> None:
    made = case().accepted()
    other = staff(Role.REVIEWER, made.version.item.department)
    desk = client(made.second.user_id)
    desk.post(reverse("desk:assign", args=[made.id]))
    first = made.fresh().handler_id
    assert first in (made.reviewer.user_id, other.user_id)
    taker = other.user_id if first == made.reviewer.user_id else made.reviewer.user_id
    move = reverse("desk:reassign", args=[made.id])
    desk.post(move, {"taker": taker, "reason": ""})
    assert made.fresh().handler_id == first
    desk.post(move, {"taker": "999999", "reason": "x"})
    assert made.fresh().handler_id == first
    desk.post(move, {"taker": taker, "reason": "工作调整"})
    assert made.fresh().handler_id == taker
    assert "工作调整" in desk.get(reverse("desk:application", args=[made.id])).content.decode()


def test_many_are_previewed_then_done_and_told_row_by_row() -> None:
    first = case().submitted()
    second = case(version=first.version).submitted().asked(by=first.acceptor).supplied()
    desk = client(first.acceptor.user_id)
    assert 'name="application"' in desk.get(reverse("desk:worklist")).content.decode()
    shown = desk.post(
        reverse("desk:bulk_preview"), {"deed": "accept", "application": [first.id, second.id, "x", 10**20]}
    ).content.decode()
    assert "1 件可以办理，1 件需要单独打开" in shown
    assert "补正过" in shown
    told = {
        "deed": "accept",
        "key": "0b0e6a1e-6c2e-4c7e-9b52-1f2d3c4b5a69",
        "note": "",
        "application": [f"{first.id}:{first.fresh().revision}", f"{second.id}:{second.fresh().revision}"],
    }
    answers = [desk.post(reverse("desk:bulk_run"), told) for _press in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert answers[0].url == answers[1].url  # type: ignore[attr-defined]
    page = desk.get(answers[0].url).content.decode()  # type: ignore[attr-defined]
    assert "共 2 件，已办理 1 件" in page
    assert (first.fresh().state, second.fresh().state) == ("accepted", "submitted")
    other = client(first.reviewer.user_id)
    assert other.get(answers[0].url).status_code == 404  # type: ignore[attr-defined]


def test_a_case_in_publicity_can_be_passed_on_where_whoever_has_it_left() -> None:
    made = case().publicised()
    assert made.fresh().handler_id == made.second.user_id
    page = client(made.other.user_id).get(reverse("desk:application", args=[made.id])).content.decode()
    assert f'<option value="{made.other.user_id}">' in page


def test_a_check_of_quality_is_seen_and_recorded_by_whom_it_was_given_to(settings: Any) -> None:
    from datetime import date

    from disbursement.models import QualityCheck
    from disbursement.services.review import quality
    from portal.accounts import people
    from tests.factories.disbursement import at

    settings.HUIDA_QUALITY_SHARE = 100
    made = case().rejected()
    checker = staff(Role.SECOND_REVIEWER, made.version.item.department)
    quality.draw_month(
        month=date(2026, 3, 1),
        now=at("2026-04-01"),
        candidates=lambda department_id: people.reviewers(department_id=department_id),
    )
    check = QualityCheck.objects.get()
    assert check.assigned_to_id in (checker.user_id, made.other.user_id)
    mine = client(check.assigned_to_id)
    page = reverse("desk:quality_check", args=[check.pk])
    assert made.enterprise.name in mine.get(reverse("desk:quality")).content.decode()
    assert "由被指定的抽查人登记" in client(made.reviewer.user_id).get(page).content.decode()
    assert client(made.reviewer.user_id).post(page, {"finding": "sound", "text": "好"}).status_code == 422
    assert mine.post(page, {"finding": "sound", "text": "条件与材料一致"}).status_code == 302
    assert "条件与材料一致" in mine.get(page).content.decode()
    assert mine.post(reverse("desk:quality_draw")).status_code == 403


def test_a_check_whose_checker_left_is_shown_as_free_and_recorded_by_another(
    settings: Any, django_assert_num_queries: Any
) -> None:
    from datetime import date

    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from disbursement.models import QualityCheck, QualityDraw
    from disbursement.services.review import quality
    from tests.factories.disbursement import at

    settings.HUIDA_QUALITY_SHARE = 100
    made = case().rejected()
    department = made.version.item.department
    given, other = (staff(Role.REVIEWER, department, name) for name in ("张走", "李接"))
    for _one in range(2):
        case(version=made.version).rejected()
    quality.draw_month(month=date(2026, 3, 1), now=at("2026-04-01"), candidates=lambda department_id: [given])
    checks, desk = reverse("desk:quality"), client(other.user_id)
    draw = QualityDraw.objects.get()
    watching = User.objects.create(username="watching")
    watching.role_assignments.create(role="supervisor")
    assert "与当时抽取的一致，共 3 件" in client(watching.pk).get(checks, {"proof": draw.pk}).text
    assert "与当时抽取的" not in desk.get(checks, {"proof": draw.pk}).text
    assert "与当时抽取的" not in client(watching.pk).get(checks, {"proof": "²"}).text
    page = reverse("desk:quality_check", args=[QualityCheck.objects.get(application=made.application).pk])
    assert "张走" in desk.get(checks).content.decode()
    assert "登记结论</button>" not in desk.get(page).content.decode()
    mine = client(given.user_id)
    assert "由我抽查" in mine.get(checks).content.decode()
    interests.declare(enterprise_id=made.enterprise.pk, reason="亲属任职", actor=given, now=at("2026-04-02"))
    assert mine.get(checks).content.decode().count(made.enterprise.name) == 1
    User.objects.filter(pk=given.user_id or 0).update(is_active=False)
    with CaptureQueriesContext(connection) as all_three:
        shown = desk.get(checks).content.decode()
    queries = len(all_three)
    assert (shown.count("待认领"), "张走" in shown) == (3, False)
    assert "登记结论</button>" in desk.get(page).content.decode()
    assert desk.post(page, {"finding": "sound", "text": "条件与材料一致"}).status_code == 302
    assert "李接" in desk.get(checks).content.decode()
    with django_assert_num_queries(queries):
        desk.get(checks)


def test_the_worklist_of_a_deputy_says_in_whose_place() -> None:
    from matching.days import day_of

    made = case().in_review()
    deputy = staff(Role.REVIEWER, made.version.item.department)
    absences.declare_absence(
        person=made.reviewer,
        deputy=deputy,
        starts_on=day_of(made.now),
        ends_on=day_of(made.now),
        reason="年休假",
        actor=made.reviewer,
        now=made.now,
    )
    away = User.objects.get(pk=made.reviewer.user_id or 0)
    shown = client(deputy.user_id).get(reverse("desk:worklist")).content.decode()
    assert f"代 {away}" in shown


def test_a_photograph_of_a_visit_is_a_download_for_the_department_alone() -> None:
    made = case().visiting()
    visit = steps.record_visit(
        application_id=made.id,
        visited_on=made.now.date(),
        place="厂房",
        visitors="李某、王某",
        met="",
        is_confirmed=True,
        finding="一致",
        actor=made.reviewer,
        now=made.now,
        photos=[("门头.png", papers.png())],
    )
    url = reverse("desk:visit_photo", args=[visit.photos.get().pk])
    answer = client(made.second.user_id).get(url)
    assert answer.content == papers.png()
    assert answer["Content-Disposition"].startswith("attachment")
    assert client(staff(Role.REVIEWER, base.department("rsj", "人社局")).user_id).get(url).status_code == 404
    assert client(made.agent.user_id).get(url).status_code == 403
