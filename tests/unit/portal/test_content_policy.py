"""Our pages say what may be loaded, and carry nothing that this forbids."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import reverse

from portal.middleware import CONTENT_POLICY, say_what_may_be_loaded

TEMPLATES = Path(settings.BASE_DIR) / "portal" / "templates"
# Rooms of Wagtail, which keeps scripts and styles in its own pages.
EDITORS = ("cms/admin/", "wagtailadmin/")
FORBIDDEN = re.compile(r"""<style\b|<script(?![^>]*\bsrc=)|\sstyle=["']|\son[a-z]+=["']|javascript:""", re.IGNORECASE)


def said(path: str, **headers: str) -> str:
    response = say_what_may_be_loaded(lambda request: HttpResponse(headers=headers))(RequestFactory().get(path))
    policy: Any = response.headers.get("Content-Security-Policy", "")
    return str(policy)


def test_no_template_of_ours_carries_a_script_or_a_style() -> None:
    found = {
        f"{path.relative_to(TEMPLATES)}: {match.group()}"
        for path in TEMPLATES.rglob("*.html")
        if not str(path.relative_to(TEMPLATES)).startswith(EDITORS)
        for match in FORBIDDEN.finditer(path.read_text(encoding="utf-8"))
    }
    assert found == set()


@pytest.mark.parametrize(
    "carries", ['<p style="x">', "<style>", "<script>", '<a href="javascript:x">', '<p onclick="x">']
)
def test_what_is_forbidden_would_be_found(carries: str) -> None:
    assert FORBIDDEN.search(carries)


def test_a_page_names_the_policy_a_download_keeps_its_own_and_the_editors_rooms_have_none() -> None:
    assert said("/") == CONTENT_POLICY
    assert said("/desk/", **{"Content-Security-Policy": "sandbox"}) == "sandbox"
    assert said(reverse("wagtailadmin_home")) == ""
