"""The pages of the paths of delivery: an offer seen, agreed to, declined; officers see who was found and what came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from disbursement.domain.delivery import OfferState
from disbursement.models import Application, Offer
from disbursement.services.delivery import offers
from matching.models import PolicyVersion
from portal.accounts.models import Membership
from tests.factories import delivery
from tests.factories import disbursement as people
from tests.factories.disbursement import START, at, case
from tests.integration.portal.conftest import member, official, signed_in

pytestmark = pytest.mark.django_db
NOW = at("2026-03-04", 15)


@dataclass
class Scene:
    offer: Offer
    version: PolicyVersion
    ours: Client
    officer: Client


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    version, made = delivery.item(code="auto"), delivery.enterprise()
    offer = delivery.offer(version=version, made=made)
    delivery.matched(version, made)
    officer = official("reviewer", version.item.department)
    return Scene(offer, version, signed_in(member(made)), signed_in(officer))


def agree(scene: Scene, **data: Any) -> Any:
    form = {"seen": offers.shown(offer=scene.offer).digest, "contact_name": "张三", "contact_phone": "028-81000000"}
    return scene.ours.post(reverse("enterprise:consent", args=[scene.offer.pk]), {**form, **data})


def test_the_home_page_leads_to_the_offer_and_one_click_to_its_application(scene: Scene) -> None:
    home = scene.ours.get(reverse("enterprise:overview")).content.decode()
    assert reverse("enterprise:offer", args=[scene.offer.pk]) in home
    assert "20,000.00 元" in home
    page = scene.ours.get(reverse("enterprise:offer", args=[scene.offer.pk])).content.decode()
    for told in (
        "同意享受 20,000.00 元",
        "上年度",
        "市场监管",
        "****",
        "事后抽查",
        offers.shown(offer=scene.offer).digest,
    ):
        assert told in page
    answer = agree(scene)
    application = Application.objects.get(offer=scene.offer)
    assert answer.url == reverse("enterprise:application", args=[application.pk])
    seen = scene.ours.get(answer.url).content.decode()
    assert "系统核对下列数据后直接办理" in seen
    assert "已同意" in scene.ours.get(reverse("enterprise:offers")).content.decode()
    item = scene.officer.get(reverse("desk:path_item", args=["auto"]) + "?show=consented").content.decode()
    assert str(application.number) in item
    assert "核验" in scene.officer.get(reverse("desk:application", args=[application.pk])).content.decode()


def test_a_click_on_what_is_no_longer_true_shows_what_changed_and_takes_the_next(scene: Scene) -> None:
    delivery.learn(scene.offer.enterprise, now=at("2026-03-03"), contribution="300000")
    answer = agree(scene)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "变为 30,000.00 元" in page
    assert not Application.objects.exists()
    assert agree(scene, seen=offers.shown(offer=Offer.objects.get()).digest).status_code == 302


def test_without_a_phone_the_form_says_so_and_nothing_is_consented_to(scene: Scene) -> None:
    assert agree(scene, contact_phone="").status_code == 422
    assert Offer.objects.get().status is OfferState.OPEN


def test_declining_asks_for_the_reason_and_officers_read_it(scene: Scene) -> None:
    url = reverse("enterprise:decline", args=[scene.offer.pk])
    assert scene.ours.post(url, {"reason": ""}).status_code == 422
    assert scene.ours.post(url, {"reason": "选择其他政策"}).status_code == 302
    page = scene.officer.get(reverse("desk:path_item", args=["auto"]) + "?show=declined").content.decode()
    assert "选择其他政策" in page


def test_nobody_else_sees_or_answers_an_offer(scene: Scene) -> None:
    stranger = signed_in(member(people.applicant()))
    former = people.user()
    Membership.objects.create(
        user=former, enterprise=scene.offer.enterprise, kind="agent", granted_at=at(START), revoked_at=at(START)
    )
    for client, status in ((stranger, 404), (signed_in(former), 403), (Client(), 302)):
        for name in ("offer", "consent", "decline"):
            url = reverse(f"enterprise:{name}", args=[scene.offer.pk])
            assert client.post(url, {"reason": "x"}).status_code in (status, 405), name
    assert Offer.objects.get().status is OfferState.OPEN
    assert scene.ours.get(reverse("desk:paths")).status_code == 403
    elsewhere = signed_in(official("reviewer", people.base.department("elsewhere", "外单位")))
    assert elsewhere.get(reverse("desk:path_item", args=["auto"])).status_code == 404


def test_officers_see_each_way_in_figures_and_the_worklist_marks_the_lane(scene: Scene) -> None:
    made = case(version=people.item(code="limited", delivery="window", delivery_terms={"decide_within": 5})).accepted()
    fast = case(version=people.item(code="fast", delivery="fast", delivery_terms={"review_days": 3})).submitted()
    page = scene.officer.get(reverse("desk:paths")).content.decode()
    assert "auto" in page
    assert "limited" in page
    for code, show in (("limited", "promises"), ("fast", "fast"), ("auto", "passed_over"), ("auto", "machine")):
        found = scene.officer.get(reverse("desk:path_item", args=[code]) + f"?show={show}")
        assert found.status_code == 200
    listed = scene.officer.get(reverse("desk:worklist") + "?show=open").content.decode()
    assert "限时即享" in listed
    assert "快审通道" in listed
    own = signed_in(member(made.enterprise))
    assert "最迟2026年3月9日" in own.get(reverse("enterprise:application", args=[made.id])).content.decode()
    assert fast.id


def test_the_number_of_queries_does_not_grow_with_items_and_offers(scene: Scene) -> None:
    pages = [
        (scene.officer, reverse("desk:paths")),
        (scene.officer, reverse("desk:path_item", args=["auto"])),
        (scene.ours, reverse("enterprise:offers")),
        (scene.ours, reverse("enterprise:overview")),
    ]

    def counted() -> list[int]:
        found = []
        for client, url in pages:
            with CaptureQueriesContext(connection) as queries:
                assert client.get(url).status_code == 200
            found.append(len(queries))
        return found

    counted()  # what is cached is cached now
    before = counted()
    for number in range(3):
        delivery.offer(version=scene.version, made=delivery.enterprise())
        delivery.offer(version=delivery.item(code=f"more-{number}"), made=scene.offer.enterprise)
    assert counted() == before
