"""The enterprise's own page of its case: what is told, and what can be answered there."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from disbursement.services.review import reviews
from disbursement.services.review.decisions import Reason
from portal.accounts.models import User
from tests.factories.disbursement import Case, case

pytestmark = pytest.mark.django_db


def signed_in(user_id: int | None) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=user_id or 0))
    return client


def page_of(made: Case) -> str:
    return signed_in(made.agent.user_id).get(reverse("enterprise:application", args=[made.id])).content.decode()


def test_an_opinion_against_is_not_read_by_the_enterprise_before_it_is_decided() -> None:
    made = case().in_review()
    reviews.recommend_rejection(
        application_id=made.id,
        text="疑似关联交易，建议不通过",
        reasons=[Reason("发票疑似虚开", leaf="spent")],
        actor=made.reviewer,
        now=made.now,
    )
    reviews.send_back(
        application_id=made.later().id, text="请核对关联交易的证据", actor=made.second, now=made.later().now
    )
    theirs = page_of(made)
    for secret in ("关联交易", "虚开", "建议不通过"):
        assert secret not in theirs
    assert "审核完毕，提交复审" in theirs
    desk = signed_in(made.second.user_id).get(reverse("desk:application", args=[made.id])).content.decode()
    assert "疑似关联交易，建议不通过" in desk
