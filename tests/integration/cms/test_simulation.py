"""The officer asks what a draft would do, before publishing it."""

import json
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from matching.models import Match, PolicyVersion
from matching.registry import budget
from matching.registry.models import BudgetLine
from tests.factories import cms, money
from tests.factories.matching import enterprise, published

pytestmark = pytest.mark.django_db


def simulated(desk: Client, criteria: Any, award: Any = None, **fields: str) -> str:
    data = {"criteria": json.dumps(criteria), "award": json.dumps(award) if award else "", **fields}
    response = desk.post(reverse("cms_simulation"), data)
    assert response.status_code == 200
    return response.content.decode()


def test_the_editor_offers_the_simulation(desk: Client) -> None:
    page = cms.item_page()
    text = desk.get(reverse("wagtailadmin_pages:edit", args=[page.pk])).content.decode()
    assert f'data-simulate="{reverse("cms_simulation")}"' in text


def test_a_draft_is_simulated_against_all_profiles_and_nothing_is_stored(desk: Client) -> None:
    enterprise(registered_region="510105", size="micro")
    enterprise(registered_region="510104", size="large")
    enterprise()
    cms.budget_line()
    text = simulated(desk, cms.HERE, {"rules": [{"fixed": "600000"}]}, budget_line="kj", ceiling="")
    assert "共 3 家企业有画像" in text
    assert "需要 600,000.00 元。" in text
    assert "额度之内" in text
    assert "微型" in text
    assert "也适用于“" in text
    assert not PolicyVersion.objects.exists()
    assert not Match.objects.exists()


def test_money_beyond_the_items_own_ceiling_is_said_to_exceed(desk: Client) -> None:
    enterprise(registered_region="510105")
    cms.budget_line()
    text = simulated(desk, cms.HERE, {"rules": [{"fixed": "600000"}]}, budget_line="kj", ceiling="500000.00")
    assert "超出额度" in text


def test_money_is_compared_with_what_of_the_line_is_not_reserved_yet(desk: Client) -> None:
    money.payable("700000.00")
    line = money.line()
    line.ceiling = Decimal("1000000.00")
    line.save()
    text = simulated(desk, cms.HERE, {"rules": [{"fixed": "600000"}]}, budget_line=line.code, ceiling="")
    assert "可用额度 300,000.00 元" in text
    assert "超出额度" in text
    assert "全年 1,000,000.00 元" in text
    assert "其中尚未预留或支付 300,000.00 元" in text


def test_a_line_never_drawn_on_is_free_whole_and_none_is_cut_below_its_reservations() -> None:
    cms.budget_line(code="never")
    assert budget.unreserved(BudgetLine.objects.get(code="never")) == Decimal("1000000.00")
    money.payable("700000.00")
    line = money.line()
    for ceiling, left in (("900000.00", "200000.00"), ("700000.00", "0.00"), ("2000000.00", "1300000.00")):
        line.ceiling = Decimal(ceiling)
        line.save()
        assert budget.unreserved(line) == Decimal(left)
    line.ceiling = Decimal("699999.99")
    with pytest.raises(IntegrityError), transaction.atomic():
        line.save()


def test_without_a_budget_of_the_year_there_is_nothing_to_compare_with(desk: Client) -> None:
    enterprise(registered_region="510105")
    assert "没有 " in simulated(desk, cms.HERE, {"rules": [{"fixed": "600000"}]})


def test_mistakes_are_told_instead(desk: Client) -> None:
    text = simulated(desk, {"fact": "nothing", "is": True}, {"rules": []}, ceiling="many")
    assert "词表中没有事实" in text
    assert "“many”不是数字" in text
    assert "共 " not in text


def test_only_who_may_enter_the_editors_desk_may_ask(client: Client, officer: Any) -> None:
    assert client.post(reverse("cms_simulation"), {"criteria": "{}"}).status_code == 302


def test_a_draft_of_a_listed_item_tells_who_would_come_in_and_who_would_fall_out(desk: Client) -> None:
    for staff in range(6):
        enterprise(f"企业{staff}", insured_staff=staff)
    published({"fact": "insured_staff", "gte": 2, "lte": 4}, code="item")
    draft = {"fact": "insured_staff", "gte": 3}
    text = simulated(desk, draft, code="item")
    assert "新增符合 <strong>1</strong> 家，不再符合 <strong>1</strong> 家" in text
    assert "企业5" in text
    assert "超出 1 人" in text
    assert "企业2" in text
    assert "还差 1 人" in text
    assert "与现行版本相比" not in simulated(desk, draft, code="another")
    closed = simulated(desk, draft, code="item", window_from="2099-01-01")
    assert "新增符合 <strong>0</strong> 家，不再符合 <strong>3</strong> 家" in closed
