"""Two people of one enterprise type in one draft, in real browsers: saved while typing, merged, cut off, not lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from playwright.sync_api import Page, expect

from disbursement.models import Application, DraftSheet
from disbursement.services.application import drafts
from portal.accounts.models import Membership, User
from tests.factories import disbursement as people
from tests.factories.disbursement import Case, at
from tests.journeys.conftest import Clock, faults, overflow
from tests.unit.disbursement.test_sheets import FORM

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
RULES: dict[str, Any] = {
    "form": FORM,
    "criteria": {"all": [{"fact": "equipment_investment", "gte": "1000", "id": "enough", "text": "设备投资达标"}]},
    "award": {"rules": [{"rate": "10", "of": "equipment_investment", "cap": "50000"}]},
    "materials": [],
}


def begun(clock: Clock) -> tuple[Case, User, User]:
    """A draft, and the two people who may type in it."""
    with transaction.atomic():
        made = people.case(version=people.item(now=at("2026-01-05"), **RULES), enterprise=people.applicant())
        made.application = drafts.create_draft(
            item_id=made.version.item_id, enterprise_id=made.enterprise.pk, actor=made.agent, now=clock.now
        )
        pair = []
        for kind, name in (("legal", "周总"), ("agent", "吴工")):
            user = people.user(name)
            Membership.objects.create(user=user, enterprise=made.enterprise, kind=kind, granted_at=at("2026-01-05"))
            pair.append(user)
    return made, pair[0], pair[1]


def test_two_people_fill_in_one_draft_and_nothing_is_lost(
    sit_down: Callable[..., Page], clock: Clock, live_server: Any
) -> None:
    clock.now = at("2026-03-02", 9)
    made, boss, agent = begun(clock)
    url = f"{live_server.url}/enterprise/applications/{made.id}/edit/"
    first, second = sit_down(boss), sit_down(agent, width=390)
    for page in (first, second):
        page.goto(url)
    status = first.locator("[data-status]")

    # Typed, saved, and the money with its working beside it.
    first.get_by_label("设备型号").fill("HX-1")
    expect(status).to_contain_text("已保存 09:00")
    first.get_by_label("合同号").first.fill("H1")
    first.get_by_label("金额（元）").first.fill("12万")
    expect(first.locator("#estimate")).to_contain_text("12,000.00 元")
    expect(first.locator("[data-aside]")).to_contain_text("条件全部满足")

    # The other, who opened the page before that, writes elsewhere and gets what was written meanwhile.
    second.get_by_label("改造", exact=True).check()
    expect(second.get_by_label("设备型号")).to_have_value("HX-1")
    expect(second.locator("[data-beside]")).to_contain_text("周总")

    # Both write the same answer differently: the later one is asked, nobody is overwritten.
    first.get_by_label("设备型号").fill("HX-2")
    first.get_by_label("联系人").focus()
    expect(first.get_by_label("改造", exact=True)).to_be_checked()
    expect(status).to_contain_text("已保存")
    second.get_by_label("设备型号").fill("HX-3")
    clash = second.locator("[data-note=model] fieldset")
    expect(clash).to_contain_text("周总")
    assert faults(second) == []
    assert Application.objects.get(pk=made.id).form["model"] == "HX-2"
    clash.get_by_label("用我填的").check()
    expect(clash).to_have_count(0)
    expect(second.locator("[data-status]")).to_contain_text("已保存")
    assert Application.objects.get(pk=made.id).form["model"] == "HX-3"

    # The network goes: what is typed stays on the page, and goes when it is back.
    first.context.set_offline(True)
    first.get_by_label("原厂房面积").fill("1,200")
    expect(status).to_contain_text("网络断开")
    first.get_by_label("联系人").fill("周总经理")
    first.context.set_offline(False)
    expect(status).to_contain_text("已保存")
    expect(first.get_by_label("设备型号")).to_have_value("HX-3")
    application = Application.objects.get(pk=made.id)
    assert (application.form["old_area"], application.contact_name) == ("1200", "周总经理")

    # What cannot be used is told when the field is left, and is still there after coming back.
    first.get_by_label("原厂房面积").fill("一百多")
    first.get_by_label("联系人").focus()
    expect(first.locator("[data-note=old_area]")).to_contain_text("请填写数字")
    first.reload()
    expect(first.get_by_label("原厂房面积")).to_have_value("一百多")
    assert DraftSheet.objects.get(application_id=made.id).typed.keys() == {"old_area"}

    # Every page of the way is sound for those who cannot see it, wide and narrow.
    for page in (first, second):
        for step in ("edit", "check", "copy", "rehearsal"):
            page.goto(f"{live_server.url}/enterprise/applications/{made.id}/{step}/")
            assert faults(page) == [], step
            assert overflow(page) == 0, step
