"""What a page says where Django itself would say nothing, and what it may load."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

# Our pages load this site's own files and run no script or style that stands in them.
CONTENT_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
Answer = Callable[[HttpRequest], HttpResponseBase]


def explain_refused_method(get_response: Answer) -> Answer:
    """An address that only takes forms is opened by who reloads a page that a form led to: tell them where to go on."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if response.status_code != 405 or request.method not in ("GET", "HEAD"):
            return response
        page = render(request, "405.html", status=405)
        page["Allow"] = response["Allow"]
        return page

    return answer


def say_what_may_be_loaded(get_response: Answer) -> Answer:
    """A browser is told not to run what somebody smuggled into a page. The editors' rooms are Wagtail's own, which do
    keep scripts and styles in their pages; what has said its own policy, as downloads do, keeps it.
    """

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if not request.path.startswith(reverse("wagtailadmin_home")):
            response.headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
        return response

    return answer
