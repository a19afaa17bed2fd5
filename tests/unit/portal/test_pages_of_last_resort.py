"""What is said where a page cannot be made: without a database, a person or a request that can be read."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.http import HttpRequest, HttpResponse
from django.views.csrf import csrf_failure
from django.views.defaults import bad_request, server_error

# No mark of the database: one that were asked would fail the test.
PAGES: dict[str, tuple[Callable[[HttpRequest], HttpResponse], int, str]] = {
    "bad request": (lambda request: bad_request(request, ValueError()), 400, "无法理解这次请求"),
    "no token": (csrf_failure, 403, "为了您的安全，这次提交没有被接受"),
    "failed": (server_error, 500, "系统出了问题"),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_last_resort_is_whole_says_what_happened_and_leads_home(name: str) -> None:
    view, status, heading = PAGES[name]
    response = view(HttpRequest())
    page = response.content.decode()
    assert response.status_code == status
    assert page.lstrip().startswith("<!DOCTYPE html>")
    assert page.count("<h1>") == 1
    assert f"<h1>{heading}</h1>" in page
    assert page.split("<title>")[1].split("</title>")[0].strip()
    assert '<a class="btn" href="/">回到首页</a>' in page
