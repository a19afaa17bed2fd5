"""The first page of the editor tells a policy officer where to begin, in Chinese."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django import forms
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from cms.models import PolicyItemPage
from portal.accounts.models import User
from tests.factories import cms

pytestmark = pytest.mark.django_db


def test_the_editors_first_page_leads_to_a_new_item_and_to_all_policies(desk: Client) -> None:
    page = desk.get("/cms/").content.decode()
    assert "/cms/pages/add/cms/policyitempage/" in page
    assert "新建政策事项" in page
    assert "- 惠达</title>" in page
    assert "created in" not in page


def test_the_editors_first_page_names_drafts_never_published_and_items_that_end_soon(desk: Client) -> None:
    today = timezone.localdate()
    draft = cms.item_page(title="从文件导入的草稿")
    PolicyItemPage.objects.filter(pk=draft.pk).update(has_unpublished_changes=False)  # as an import leaves it
    cms.published_item(title="快截止的事项", window_until=today + timedelta(days=30))
    cms.published_item(title="还早的事项", window_until=today + timedelta(days=300))
    page = desk.get("/cms/").content.decode()
    drafts, ending = page.split("还没发布的")[1].split("两个月内截止或到期的")
    assert "从文件导入的草稿" in drafts
    assert "1 项有未发布的修改或草稿" in page
    assert "快截止的事项" in ending
    assert "还早的事项" not in ending


def test_an_empty_field_is_told_what_to_do() -> None:
    class Form(forms.Form):
        name = forms.CharField()
        kind = forms.ChoiceField(choices=[("a", "甲")])

    assert Form({}).errors == {"name": ["请填写这一项。"], "kind": ["请选择一项。"]}


def test_the_editors_refusals_are_chinese() -> None:
    said = gettext("The page could not be created due to validation errors.")
    assert said.startswith("有内容需要更正")
    assert gettext("There are validation errors, click save to highlight them.") == "内容有错，点保存可看到出错的地方。"


def test_an_officer_finds_the_inbox_in_the_editor_and_in_the_navigation(desk: Client, officer: User) -> None:
    officer.role_assignments.create(role="policy_officer")
    assert reverse("inbox:list") in desk.get(reverse("wagtailadmin_home")).text
    assert reverse("inbox:list") in desk.get(reverse("inbox:list")).text.partition("</nav>")[0]
