"""The first page of the editor tells a policy officer where to begin, in Chinese."""

from __future__ import annotations

import pytest
from django import forms
from django.test import Client
from django.utils.translation import gettext

pytestmark = pytest.mark.django_db


def test_the_editors_first_page_leads_to_a_new_item_and_to_all_policies(desk: Client) -> None:
    page = desk.get("/cms/").content.decode()
    assert "/cms/pages/add/cms/policyitempage/" in page
    assert "新建政策事项" in page
    assert "- 惠达</title>" in page
    assert "created in" not in page


def test_an_empty_field_is_told_what_to_do() -> None:
    class Form(forms.Form):
        name = forms.CharField()
        kind = forms.ChoiceField(choices=[("a", "甲")])

    assert Form({}).errors == {"name": ["请填写这一项。"], "kind": ["请选择一项。"]}


def test_the_editors_refusals_are_chinese() -> None:
    said = gettext("The page could not be created due to validation errors.")
    assert said.startswith("有内容需要更正")
    assert gettext("There are validation errors, click save to highlight them.") == "内容有错，点保存可看到出错的地方。"
