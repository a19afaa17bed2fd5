"""The officer sees how the telling of a published item gets on, who came in and who fell out, and tries again."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from cms.models import PolicyItemPage
from cms.services.setup import OFFICERS
from matching.models import MatchChunk, MatchRun
from matching.models.run import EVERYONE_BEYOND
from matching.registry import outbox
from matching.services import run_planning, run_progress, runs
from portal.accounts.models import User
from tests.factories import cms
from tests.factories import matching as make
from tests.integration.cms.test_editor import add_url, form

pytestmark = pytest.mark.django_db


@pytest.fixture
def item(officer: User) -> MatchRun:
    """An item whose second version replaced the first, told to everybody; its run."""
    for staff in range(6):
        make.enterprise(f"企业{staff}", insured_staff=staff)
    make.published({"fact": "insured_staff", "gte": 2, "lte": 4}, code="item", name="稳岗补贴")
    outbox.deliver(now=make.NOW)
    make.published({"fact": "insured_staff", "gte": 3}, code="item", name="稳岗补贴")
    outbox.deliver(now=make.NOW)
    return MatchRun.objects.get(version__number=2)


def text(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def test_the_list_shows_each_run_with_its_numbers(desk: Client, item: MatchRun) -> None:
    page = text(desk, reverse("cms_runs:index"))
    assert page.count("稳岗补贴") == 2
    assert "已完成" in page
    assert "1 / 1" in " ".join(page.split())
    assert "没有这个事项" in text(desk, reverse("cms_runs:index") + "?item=other")
    assert "data-alive" not in page


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 秒"), (59, "59 秒"), (200, "3 分 20 秒"), (3900, "1 小时 5 分"), (90_000, "25 小时 0 分")],
)
def test_a_span_of_time_is_told_in_two_units_at_most(seconds: int, said: str) -> None:
    assert run_progress.spoken(timedelta(seconds=seconds)) == said


def test_a_run_shows_who_is_newly_in_and_who_fell_out_and_why(desk: Client, item: MatchRun) -> None:
    newly_in = text(desk, reverse("cms_runs:run", args=[item.pk]))
    assert "企业5" in newly_in
    assert "超出 1 人" in newly_in
    fell_out = text(desk, reverse("cms_runs:run", args=[item.pk]) + "?side=out")
    assert "企业2" in fell_out
    assert "还差 1 人" in fell_out


def test_who_changed_sides_is_a_file_for_spreadsheets(desk: Client, item: MatchRun) -> None:
    make.enterprise("=HYPERLINK(1)", insured_staff=9)
    response = desk.get(reverse("cms_runs:changes", args=[item.pk]))
    written = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    head, *rows = csv.reader(io.StringIO(written))
    assert head[:3] == ["统一社会信用代码", "企业名称", "变化"]
    assert [(row[1], row[2], row[3], row[4]) for row in rows] == [
        ("企业5", "新增符合", "不符合", "符合"),
        ("企业2", "不再符合", "符合", "不符合"),
    ]


def test_a_run_under_way_tells_its_share_pace_and_time_left_and_is_asked_again(desk: Client, item: MatchRun) -> None:
    begun = timezone.now() - timedelta(seconds=10)
    MatchRun.objects.filter(pk=item.pk).update(state="running", finished_at=None, created_at=begun, highest=100)
    item.chunks.all().delete()
    MatchChunk.objects.create(
        run=item, first=1, last=50, state="done", done_at=begun, due_at=begun, enterprises=50, pushed=20
    )
    MatchChunk.objects.create(run=item, first=51, last=EVERYONE_BEYOND, due_at=begun)
    page = text(desk, reverse("cms_runs:run", args=[item.pk]))
    assert 'http-equiv="refresh"' in page
    assert f'data-refresh="{reverse("cms_runs:progress", args=[item.pk])}"' in page
    part = text(desk, reverse("cms_runs:progress", args=[item.pk]))
    assert "data-alive" in part
    assert "50%" in part
    assert "已完成 1 段，共 2 段" in part
    assert "预计还需 1" in part
    assert "用时 1" in part
    assert "<html" not in part


def test_what_failed_is_told_with_its_reason_and_tried_again(desk: Client, item: MatchRun) -> None:
    now = timezone.now()
    MatchRun.objects.filter(pk=item.pk).update(
        state="failed", finished_at=now, error="Traceback\nOperationalError: 断线"
    )
    item.chunks.update(state="failed", done_at=None, attempts=6, error="Traceback\nOperationalError: 断线")
    cms.item_page(code="item")  # its editor may publish it, and so have it told
    page = text(desk, reverse("cms_runs:run", args=[item.pk]))
    assert "OperationalError: 断线" in page
    assert reverse("cms_runs:retry", args=[item.pk]) in page
    assert desk.post(reverse("cms_runs:retry", args=[item.pk])).status_code == 302
    item.refresh_from_db()
    assert (item.state, item.error) == ("running", "")
    assert desk.get(reverse("cms_runs:retry", args=[item.pk])).status_code == 405


def test_who_may_not_publish_the_item_may_look_and_not_try_again(client: Client, item: MatchRun) -> None:
    reader = User.objects.create_user("reader", password="a-long-password", full_name="观察")
    group = Group.objects.create(name="只看后台")
    group.permissions.set(
        permission
        for permission in Group.objects.get(name=OFFICERS).permissions.all()
        if permission.codename == "access_admin"
    )
    reader.groups.add(group)
    client.force_login(reader)
    MatchRun.objects.filter(pk=item.pk).update(state="failed", finished_at=make.NOW)
    assert "重试" not in text(client, reverse("cms_runs:run", args=[item.pk]))
    client.post(reverse("cms_runs:retry", args=[item.pk]))
    item.refresh_from_db()
    assert item.state == "failed"


def test_strangers_see_nothing(client: Client, item: MatchRun) -> None:
    assert client.get(reverse("cms_runs:index")).status_code == 302


def test_the_list_costs_the_same_however_many_runs_it_shows(desk: Client, item: MatchRun) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            text(desk, reverse("cms_runs:index") + "?part=rows")
        return len(captured)

    few = queries()
    for number in range(5):
        version = make.published(code=f"more-{number}")
        run = runs.begin(version_id=version.pk, as_of=make.TODAY, now=make.NOW)
        assert run is not None
        run_planning.plan(run_id=run.pk, now=make.NOW)
    assert queries() == few


def test_publishing_leads_to_the_run(desk: Client) -> None:
    response = desk.post(add_url(), {**form(), "action-publish": "1"}, follow=True)
    page = response.content.decode()
    assert "正在判定企业并推送" in page
    runs_of_it = f"{reverse('cms_runs:index')}?item=kj-one"
    assert runs_of_it in page
    edit = reverse("wagtailadmin_pages:edit", args=[PolicyItemPage.objects.get().pk])
    assert runs_of_it in text(desk, edit)
    outbox.deliver(now=timezone.now())
    assert "高企奖励" in text(desk, runs_of_it)
