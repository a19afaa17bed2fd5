"""The officer asks what a draft would do, before publishing it."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from matching.models import Match, PolicyVersion
from tests.factories import cms
from tests.factories.matching import enterprise

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
