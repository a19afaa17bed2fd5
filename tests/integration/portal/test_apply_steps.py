"""The steps of an application as a first-time user takes them: late clicks, wrong telephones, second applications."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from disbursement.domain.workflow import ApplicationState
from disbursement.selectors.forms import material_rules
from disbursement.services.payment import payments
from matching.days import day_of
from matching.models import Match, Verdict
from portal.accounts.models import User
from tests.factories import disbursement as people
from tests.factories import money
from tests.integration.portal.conftest import NOW, member, official, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen")]
TYPED = {"code": "application", "name": "申报表", "required": True, "source": "form", "note": ""}


@pytest.mark.parametrize("step", ["edit", "materials", "check"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_step_of_what_was_handed_in_leads_to_the_application(step: str, method: str) -> None:
    case = people.case_in(ApplicationState.SUBMITTED)
    client = signed_in(member(case.enterprise))
    response = getattr(client, method)(reverse(f"enterprise:{step}", args=[case.id]), follow=True)
    assert response.redirect_chain == [(reverse("enterprise:application", args=[case.id]), 302)]
    assert "这份申报已提交" in response.content.decode()


@pytest.mark.parametrize(
    ("phone", "is_taken"),
    [
        ("13800000000", True),
        ("028-8100 0000", True),
        ("（028）81000000", True),
        ("028-81000000 转 12", True),
        ("+86 138 0000 0000", True),
        ("请打给我", False),
        ("xxxxxxxx", False),
        ("12345", False),
    ],
)
def test_a_telephone_is_one_that_can_be_called(phone: str, is_taken: bool) -> None:
    case = people.case().drafted()
    client = signed_in(member(case.enterprise))
    client.post(reverse("enterprise:edit", args=[case.id]), {"contact_phone": phone, "save": "1"})
    case.application.refresh_from_db(fields=["contact_phone"])
    assert (case.application.contact_phone == phone) is is_taken


def test_the_form_that_is_filled_in_online_is_not_asked_for_as_a_file() -> None:
    version = people.item(materials=[TYPED, *people.MATERIALS])
    case = people.case(version=version).drafted()
    assert [rule.is_brought for rule in material_rules(version=version)] == [False, True, True, True]
    page = signed_in(member(case.enterprise)).get(reverse("enterprise:materials", args=[case.id])).content.decode()
    assert "在线填写，不用上传" in page
    assert "上传“申报表”" not in page
    assert "上传“发票清单”" in page


def test_an_item_already_applied_for_says_so_in_the_list_and_on_its_page() -> None:
    case: Any = people.case_in(ApplicationState.SUBMITTED)
    version = case.application.version
    Match.objects.update_or_create(
        enterprise=case.enterprise,
        version=version,
        defaults={"verdict": Verdict.ELIGIBLE, "as_of": day_of(NOW), "form_only": False},
    )
    client = signed_in(member(case.enterprise))
    listed = client.get(reverse("enterprise:opportunities"), {"kind": "fits"}).content.decode()
    assert "已申报过" in listed
    assert case.application.number in listed
    page = client.get(reverse("enterprise:opportunity", args=[version.item.code])).content.decode()
    assert "再次申报" in page
    assert "开始申报" not in page


def test_a_correction_names_what_can_be_brought_not_the_form_that_is_typed() -> None:
    version = people.item(materials=[TYPED, *people.MATERIALS])
    case = people.case(version=version).submitted()
    page = signed_in(User.objects.get(pk=str(case.acceptor.user_id))).get(
        reverse("desk:ask_correction", args=[case.id])
    )
    assert "material.invoice" in page.content.decode()
    assert "material.application" not in page.content.decode()


def test_an_administrators_first_page_is_the_administration() -> None:
    response = signed_in(official("administrator")).get(reverse("desk:home"))
    assert response.status_code == 302
    assert response["Location"] == reverse("desk:admin_home")


def test_a_hold_is_not_released_without_its_reason() -> None:
    payable = money.payable("120000.00")
    payments.hold(payable_id=payable.pk, reason="待核实", actor=money.Finance().checker, now=NOW)
    client = signed_in(User.objects.get(pk=str(money.Finance().checker.user_id)))
    client.post(reverse("desk:payable_act", args=[payable.pk, "release"]), {"release-note": ""})
    payable.refresh_from_db()
    assert payable.state == "held"
    client.post(reverse("desk:payable_act", args=[payable.pk, "release"]), {"release-note": "已核实"})
    payable.refresh_from_db()
    assert payable.state == "reserved"
