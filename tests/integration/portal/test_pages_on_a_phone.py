"""The pages as a narrow screen shows them, and as those who cannot see it are told: in a real browser, by axe's rules.

The browser asks this process, not a server: the whole district of the folder's other tests is there, and nothing of it
is built twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest
from django.contrib.staticfiles import finders
from django.http import HttpResponse, HttpResponseBase
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, Page, Route

from disbursement.models import BackgroundRun, Batch, CalendarYear, Cycle, Objection, Offer, Payable, ReturnFile
from disbursement.models import Evidence as Certificate
from disbursement.selectors.staff import finance_staff
from disbursement.services.month import preflight
from matching.registry.models import BudgetLine
from portal.publicity import receipts
from tests.integration.portal.conftest import NOW, World
from tests.journeys.conftest import faults, overflow
from tests.rounds import first_round_only

pytestmark = [pytest.mark.browser, pytest.mark.slow, first_round_only]

SITE = "http://district.example"
PHONE = {"width": 390, "height": 844}
MISSING = ("/nothing-here/",)
# Pages that only a form leads to: a holiday that moves time limits is shown before it is kept.
SENT = {"/calendar-preview/": {"first": "2026-03-09", "last": "2026-03-13", "is_working": "free", "name": "停电检修"}}


Asked = dict[str, HttpResponseBase]


def answering(asked: Asked) -> Callable[[Route], None]:
    """Answers the browser with what was asked before: here no database may be spoken to, it would be another one."""

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(SITE)
        if path.startswith("/static/"):
            found = finders.find(path.removeprefix("/static/").partition("?")[0])
            route.fulfill(path=str(found)) if found else route.abort()
            return
        reply = asked.get(path)
        if reply is None:
            route.abort()
            return
        body = cast(HttpResponse, reply).content
        route.fulfill(status=reply.status_code, content_type=reply.headers["Content-Type"], body=body)

    return answer


def answer_to(client: Client, path: str) -> HttpResponseBase:
    if path not in SENT:
        return cast(HttpResponseBase, client.get(path))
    year = reverse("desk:calendar_year", args=[CalendarYear.objects.get(year=2026).pk])
    return cast(HttpResponseBase, client.post(year, SENT[path]))


def of_enterprise(world: World) -> list[str]:
    draft, sent = world.cases["draft-ours"].id, world.cases["submitted"].id
    asked = world.cases["correction-ours"].id
    named = ("overview", "opportunities", "choices", "profile", "applications", "evidence", "evidence_add", "payments")
    kept = Certificate.objects.filter(enterprise=world.ours, department=None).values_list("pk", flat=True)[0]
    return [
        *(reverse(f"enterprise:{name}") for name in (*named, "account")),
        reverse("enterprise:opportunity", args=[world.cases["submitted"].version.item.code]),
        *(reverse(f"enterprise:{name}", args=[draft]) for name in ("edit", "materials", "check", "rehearsal", "copy")),
        reverse("enterprise:application", args=[sent]),
        reverse("enterprise:respond", args=[asked]),
        reverse("enterprise:certificate", args=[kept]),
        reverse("enterprise:offers"),
        reverse("enterprise:offer", args=[Offer.objects.get(enterprise=world.ours).pk]),
        reverse("inbox:list"),
        reverse("inbox:preferences"),
        reverse("accounts:me"),
        reverse("accounts:agents"),
    ]


def of_reviewer(world: World) -> list[str]:
    cases = [world.cases[state].id for state in ("in_review", "site_visit", "joint_review", "expert")]
    attested = Certificate.objects.exclude(department=None).values_list("pk", flat=True)[0]
    named = (
        "home",
        "worklist",
        "absences",
        "interests",
        "quality",
        "evidence",
        "evidence_register",
        "rectifications",
        "own_limits",
    )
    return [
        *(reverse(f"desk:{name}") for name in (*named, "own_limits")),
        *(reverse("desk:application", args=[pk]) for pk in cases),
        reverse("desk:worklist") + "?show=attention",
        reverse("desk:visit", args=[world.cases["site_visit"].id]),
        reverse("desk:ask_correction", args=[world.cases["in_review"].id]),
        reverse("desk:confirm_facts", args=[world.cases["in_review"].id]),
        reverse("desk:certificate", args=[attested]),
    ]


def of_finance(world: World) -> list[str]:
    named = ("cycles", "batches_waiting", "payables", "accounts", "returns", "exceptions", "budget_lines", "limits")
    line = BudgetLine.objects.order_by("pk").values_list("pk", flat=True)[0]
    cycle = Batch.objects.values_list("cycle_id", flat=True)[0]
    found = Cycle.objects.get(pk=cycle)
    outlook = preflight.look(month=found.month, now=NOW, staff=finance_staff)
    preflight.keep(cycle=found, outlook=outlook, now=NOW)
    run = BackgroundRun.objects.create(
        kind="look", cycle=found, asked_at=NOW, beat_at=NOW, step="推算", done=1, total=3
    )
    return [
        *(reverse(f"desk:{name}") for name in (*named, "budget_changes", "forecast", "cut_off_calendar")),
        *(reverse(f"desk:{name}") for name in ("clawbacks", "repayment_account")),
        *(reverse(f"desk:{name}", args=[cycle]) for name in ("cycle", "cycle_preflight")),
        reverse("desk:run", args=[run.pk]),
        reverse("desk:batch", args=[Batch.objects.values_list("pk", flat=True)[0]]),
        reverse("desk:payable", args=[Payable.objects.filter(state="bounced").values_list("pk", flat=True)[0]]),
        reverse("desk:return", args=[ReturnFile.objects.values_list("pk", flat=True)[0]]),
        reverse("desk:budget_line", args=[line]),
        reverse("desk:budget_change_new", args=[line]),
        reverse("desk:year_end", args=[2026]),
    ]


def of_supervisor(world: World) -> list[str]:
    named = (
        "supervision",
        "ledger",
        "figures",
        "urgings",
        "urging_new",
        "supervision_reports",
        "warning_rules",
        "paths",
    )
    return [*(reverse(f"desk:{name}") for name in (*named, "audit", "quality"))]


def of_administrator(world: World) -> list[str]:
    year = CalendarYear.objects.get(year=2026).pk
    named = ("admin_home", "people", "departments", "calendar", "gateways")
    return [*(reverse(f"desk:{name}") for name in named), reverse("desk:calendar_year", args=[year]), *SENT]


def of_everybody(world: World) -> list[str]:
    publicised = world.cases["publicity"].application.publicities.get().pk
    objection = Objection.objects.values_list("pk", flat=True)[0]
    return [
        reverse("accounts:login"),
        reverse("verify:search"),
        reverse("public:payday_now"),
        reverse("publicity:list"),
        reverse("publicity:detail", args=[publicised]),
        reverse("publicity:find_objection"),
        reverse("publicity:objection", args=[receipts.number_of(objection)]),
        *MISSING,
    ]


@pytest.mark.parametrize(
    ("who", "pages"),
    [
        ("ours", of_enterprise),
        ("reviewer", of_reviewer),
        ("finance_maker", of_finance),
        ("supervisor", of_supervisor),
        ("administrator", of_administrator),
        ("", of_everybody),
    ],
    ids=["enterprise", "reviewer", "finance", "supervisor", "administrator", "everybody"],
)
def test_nothing_is_pushed_aside_on_a_phone_and_everybody_is_told_what_is_there(
    world: World, chromium: Browser, who: str, pages: Callable[[World], list[str]]
) -> None:
    context = chromium.new_context(locale="zh-CN", viewport=PHONE)  # type: ignore[arg-type]
    asked: Asked = {}
    context.route("**/*", answering(asked))
    page: Page = context.new_page()
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    wrong: dict[str, Any] = {}
    for path in pages(world):
        asked[path] = answer_to(world.clients[who], path)
        assert asked[path].status_code == (404 if path in MISSING else 200), path
        page.goto(SITE + path)
        told = faults(page)
        if wide := overflow(page):
            told.append(f"{wide} px wider than the screen")
        if told:
            wrong[path] = told
    context.close()
    assert wrong == {}
    assert broken == []
