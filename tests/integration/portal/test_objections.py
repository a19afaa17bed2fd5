"""Anyone may object on the public page, is given a number, and reads with it what became of the objection."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from disbursement.models import Objection, Publicity
from disbursement.services.application import gaps
from disbursement.services.review import publicity, reviews
from matching.registry import outbox
from portal.accounts.models import User
from portal.inbox.models import Notification
from portal.publicity import receipts
from tests.factories.disbursement import MATERIALS, Case, at, case

pytestmark = pytest.mark.django_db
WORDS = {"name": "李四", "contact": "028-1", "text": "该企业未开展研发"}


def publicised(patch: pytest.MonkeyPatch) -> tuple[Case, Publicity]:
    made = case(publicity_days=5).second_review()
    found = publicity.publicise(application_id=made.id, actor=made.second, now=made.now)
    patch.setattr(timezone, "now", lambda: at(found.starts_on))
    return made, found


def desk_of(made: Case) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=made.second.user_id or 0))
    return client


def test_an_objection_gets_a_number_is_told_to_the_desk_and_its_answer_is_read_by_number(
    monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    made, found = publicised(monkeypatch)
    answer = client.post(reverse("publicity:detail", args=[found.pk]), WORDS)
    given = Objection.objects.get()
    number = receipts.number_of(given.pk)
    assert answer["Location"] == reverse("publicity:objection", args=[number])
    page = client.get(answer["Location"])
    assert number in page.content.decode()
    assert "正在处理" in page.content.decode()
    assert page["Cache-Control"] == "private, no-store"

    outbox.deliver(now=timezone.now())
    told = Notification.objects.filter(title__startswith="收到公示异议")
    assert {row.user_id for row in told} == {made.second.user_id}
    desk = desk_of(made)
    assert "公示异议待处理 1" in desk.get(reverse("desk:home")).content.decode()
    assert "公示异议待处理" in desk.get(reverse("desk:worklist") + "?show=attention").content.decode()

    publicity.answer_objection(
        objection_id=given.pk, sustained=False, answer="经查研发属实", actor=made.second, now=timezone.now()
    )
    typed = client.get(reverse("publicity:find_objection"), {"number": f" {number.lower()} "}, follow=True)
    assert "经查研发属实" in typed.content.decode()


@pytest.mark.parametrize("number", ["YY-000001-AAAAAAAAAA", "YY-1", "nothing", "YY-999999999999999999-AAAAAAAAAA"])
def test_a_number_that_was_never_told_opens_nothing(client: Client, number: str) -> None:
    assert client.get(reverse("publicity:objection", args=[number])).status_code == 404
    page = client.get(reverse("publicity:find_objection"), {"number": number}).content.decode()
    assert "没有这个受理编号" in page


def test_a_number_is_good_while_its_key_is_kept(settings: Any) -> None:
    number = receipts.number_of(7)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "x" * 60
    assert receipts.read(number) == 7
    settings.SECRET_KEY_FALLBACKS = []
    assert receipts.read(number) is None


def test_too_many_from_one_address_are_asked_to_wait(monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
    _made, found = publicised(monkeypatch)
    address = reverse("publicity:detail", args=[found.pk])
    for n in range(6):
        assert client.post(address, {**WORDS, "text": f"第{n}件"}).status_code == 302
    assert "过于频繁" in client.post(address, {**WORDS, "text": "又一件"}).content.decode()
    assert Objection.objects.count() == 6
    assert client.post(address, WORDS, REMOTE_ADDR="192.0.2.7").status_code == 302


def test_a_publicity_that_ended_undecided_is_told_to_who_decides_it() -> None:
    made = case(publicity_days=2).second_review()
    found = publicity.publicise(application_id=made.id, actor=made.second, now=made.now)
    publicity.object_to(publicity_id=found.pk, now=at(found.starts_on), **WORDS)
    publicity.end_due(now=at("2026-03-09"))
    outbox.deliver(now=at("2026-03-09"))
    told = Notification.objects.get(title__startswith="公示期满未能通过")
    assert (told.user_id, "还有公示异议没有处理" in told.body) == (made.second.user_id, True)


def test_a_promised_material_is_asked_for_before_its_day_and_the_desk_hears_after_it() -> None:
    lease = {**MATERIALS[2], "required": True, "promise": ""}
    made = case(materials=[*MATERIALS[:2], lease]).submitted(gaps={"lease": at("2026-03-13").date()})
    reviews.accept(application_id=made.id, actor=made.acceptor, now=made.now)
    reviews.start_review(application_id=made.id, actor=made.reviewer, now=made.later().now)
    for day in ("2026-03-12", "2026-03-16"):
        gaps.remind(now=at(day))
        outbox.deliver(now=at(day))
    theirs = Notification.objects.filter(enterprise=made.enterprise, title__startswith="容缺材料")
    assert [row.title.partition("：")[0] for row in theirs.order_by("pk")] == ["容缺材料将到期", "容缺材料已逾期"]
    desk = Notification.objects.get(title__startswith="容缺材料逾期未补")
    assert desk.user_id == made.reviewer.user_id
