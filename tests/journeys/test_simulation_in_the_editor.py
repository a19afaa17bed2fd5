"""The officer asks in the editor what a draft would do: in a real browser, with Wagtail's own scripts about it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from playwright.sync_api import Browser, expect

from cms.services.setup import OFFICERS
from portal.accounts.models import User
from tests.factories import cms
from tests.factories.matching import enterprise
from tests.journeys.conftest import PASSWORD
from tests.rounds import first_round_only

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True), first_round_only]


def test_a_draft_is_simulated_as_it_stands_in_the_editor_saved_or_not(chromium: Browser, live_server: Any) -> None:
    enterprise(registered_region="510105", size="micro")
    enterprise(registered_region="510104", size="large")
    page_ = cms.item_page(award={"rules": [{"fixed": "600000"}]}, ceiling=Decimal("500000.00"))
    cms.library()
    user = User.objects.create_user("officer", password=PASSWORD, full_name="专员甲")
    user.groups.add(Group.objects.get(name=OFFICERS))
    context = chromium.new_context(locale="zh-CN", viewport={"width": 1280, "height": 900})
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.set_default_timeout(20_000)
    page.goto(f"{live_server.url}{reverse('wagtailadmin_home')}")
    page.fill("input[name=username]", user.username)
    page.fill("input[name=password]", PASSWORD)
    page.locator("form.card button").click()
    page.goto(f"{live_server.url}{reverse('wagtailadmin_pages:edit', args=[page_.pk])}")
    page.get_by_role("tab", name="审查与评估").click()
    answer = page.locator("#simulation-answer")
    page.locator("[data-simulate]").click()
    expect(answer).to_contain_text("共 2 家企业有画像")
    expect(answer).to_contain_text("超出额度")
    # What is typed counts before it is saved.
    page.get_by_role("tab", name="条件与标准").click()
    criteria = page.locator("[name=criteria]")
    criteria.fill(json.dumps({"fact": "nothing", "is": True}))
    page.get_by_role("tab", name="审查与评估").click()
    page.locator("[data-simulate]").click()
    expect(answer).to_contain_text("词表中没有事实")
    # A session that has ended leads to the login page, which is no answer.
    context.clear_cookies(name="sessionid")
    page.locator("[data-simulate]").click()
    expect(answer).to_have_text("测算没有完成，请检查网络或重新登录后再试。")
    assert wrong == []
    context.close()
