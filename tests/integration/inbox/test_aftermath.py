"""What is found after a decision is told to the enterprise and to who may act, and leads to where it is acted on."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from disbursement.domain.actors import Actor
from disbursement.domain.workflow import Role
from disbursement.models import Finding, Payable, Promise
from disbursement.services.application import drafts, materials, promises
from disbursement.services.review import decisions, quality, reviews
from portal.accounts.models import User
from portal.accounts.people import in_use
from portal.inbox.models import Notification
from tests.factories.disbursement import Case, at, case, staff

pytestmark = pytest.mark.django_db
APRIL = at("2026-04-01", 4)


def promised() -> Case:
    """Approved with a promise in the place of a paper."""
    made = case()
    made.drafted()
    materials.sign_promise(application_id=made.id, code="lease", actor=made.agent, now=made.now)
    drafts.submit(application_id=made.id, actor=made.agent, now=made.later().now)
    reviews.accept(application_id=made.id, actor=made.acceptor, now=made.later().now)
    reviews.start_review(application_id=made.id, actor=made.reviewer, now=made.later().now)
    reviews.recommend_approval(application_id=made.id, text="同意", actor=made.reviewer, now=made.later().now)
    decisions.approve(application_id=made.id, actor=made.second, now=made.later().now)
    return made


def told(actor: Actor) -> list[Notification]:
    found = Notification.objects.filter(user_id=actor.user_id or 0, title__regex="不实|有错误")
    return list(found.order_by("pk"))


def page_for(actor: Actor, url: str) -> str:
    client = Client()
    client.force_login(User.objects.get(pk=actor.user_id or 0))
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def test_a_promise_found_false_is_told_to_the_enterprise_and_to_who_may_act(deliver: Any) -> None:
    made = promised()
    approver, stranger = staff(Role.FINANCE_APPROVER), staff(Role.FINANCE_MAKER)
    promise = Promise.objects.get(application_id=made.id)
    promises.check(promise_id=promise.pk, kept=False, finding="合同系伪造", actor=made.reviewer, now=APRIL)
    deliver()
    message = Notification.objects.get(enterprise=made.enterprise, title__contains="不实")
    assert "合同系伪造" in message.body
    assert "承诺租赁合同真实有效" in message.body
    assert "可能被追回" in message.body
    assert message.link == reverse("enterprise:application", args=[made.id])
    [for_second], [for_approver] = told(made.second), told(approver)
    assert "请研究是否撤销决定" in for_second.body
    payable = Payable.objects.get(application_id=made.id)
    assert for_approver.link == reverse("desk:payable", args=[payable.pk])
    assert told(stranger) == told(made.acceptor) == []
    # Where it says so, the way to act is there.
    page = page_for(made.second, reverse("desk:application", args=[made.id]))
    assert "合同系伪造" in page
    assert reverse("desk:refuse", args=[made.id, "revoke"]) in page
    page = page_for(approver, reverse("desk:payable", args=[payable.pk]))
    assert "承诺经核查不实" in page
    assert "尚未付出，可先暂缓" in page


def test_a_promise_that_was_kept_is_told_to_nobody(deliver: Any) -> None:
    made = promised()
    promise = Promise.objects.get(application_id=made.id)
    promises.check(promise_id=promise.pk, kept=True, finding="属实", actor=made.reviewer, now=APRIL)
    deliver()
    assert told(made.second) == []
    assert not Notification.objects.filter(title__contains="不实").exists()
    assert "事后核查发现问题" not in page_for(made.second, reverse("desk:application", args=[made.id]))


def test_a_serious_finding_is_the_desks_alone_and_leads_to_what_was_paid(deliver: Any, settings: Any) -> None:
    settings.HUIDA_QUALITY_SHARE = 100
    made = case().approved()
    approver = staff(Role.FINANCE_APPROVER)
    payable = Payable.objects.get(application_id=made.id)
    checker = staff(Role.REVIEWER, made.version.item.department)
    drawn = quality.draw_month(
        month=APRIL.date().replace(month=3), now=APRIL, candidates=lambda department_id: [checker], seed="seed"
    )
    check = drawn.checks.get()
    quality.record(
        check_id=check.pk,
        finding=Finding.SERIOUS,
        text="发票不属于本项目",
        actor=checker,
        now=APRIL,
        in_use=in_use,
    )
    deliver()
    assert not Notification.objects.filter(enterprise=made.enterprise, title__contains="抽查").exists()
    assert ["发票不属于本项目" in message.body for message in told(made.second) + told(approver)] == [True, True]
    page = page_for(checker, reverse("desk:quality_check", args=[check.pk]))
    assert "事后核查发现问题" in page
    # A reviewer of another role sees what is owed, and no way into the money.
    assert reverse("desk:payable", args=[payable.pk]) not in page
