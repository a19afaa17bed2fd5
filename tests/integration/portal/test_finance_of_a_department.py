"""Who holds a role of finance in one department sees no account and no payee that only another department pays."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from disbursement.models import Cycle, Payable, PayeeAccount
from disbursement.services.month import cycles
from disbursement.services.payment import payees
from portal.accounts.models import StaffRole
from tests.factories import disbursement as people
from tests.factories import matching as base
from tests.factories import money, papers
from tests.integration.portal.conftest import official, signed_in

pytestmark = pytest.mark.django_db
ROLES = (*(r for r in StaffRole if r.value.startswith("finance_")), StaffRole.SUPERVISOR)


@dataclass
class Scene:
    ours: Payable
    theirs: Payable
    cycle: Cycle

    def client(self, role: str, *, is_bound: bool = True) -> Client:
        place = self.ours.application.item.department if is_bound else None
        return signed_in(official(role, place))


@pytest.fixture
def scene() -> Scene:
    """A payable of each of two departments, neither of which is paid: a new account waits to be checked."""
    payables: list[Payable] = []
    for owner in (base.department(), base.department("elsewhere", "外单位")):
        version = people.item(
            owner=owner, award={"rules": [{"fixed": "100000"}]}, criteria={"all": []}, materials=[], code=owner.code
        )
        found = money.payable(item=version)
        payees.propose_account(
            enterprise_id=found.enterprise_id,
            account_name=found.enterprise.name,
            bank_name="成都银行",
            account_number=f"622200000000{found.pk:08d}",
            actor=people.agent(found.enterprise),
            now=timezone.now(),
            proof=("开户许可证.pdf", papers.pdf(mark=owner.code)),
        )
        PayeeAccount.objects.filter(enterprise=found.enterprise, state="checked").update(state="retired")
        payables.append(found)
    cycle, _ = cycles.open_cycle(month=money.MONTH, now=money.APPROVED)
    ours, theirs = payables
    return Scene(ours, theirs, cycle)


def proposed(payable: Payable) -> PayeeAccount:
    return PayeeAccount.objects.get(enterprise=payable.enterprise, state="proposed")


def test_a_department_s_finance_finds_accounts_of_those_it_pays_alone(scene: Scene) -> None:
    for role in ROLES:
        client = scene.client(role)
        for address in ("", "?show=all"):
            shown = client.get(reverse("desk:accounts") + address).text
            assert proposed(scene.ours).account_number in shown, role
            assert scene.theirs.enterprise.name not in shown, role
            assert proposed(scene.theirs).account_number not in shown, role
        assert client.get(reverse("desk:account_proof", args=[proposed(scene.ours).pk])).status_code == 200
        assert client.get(reverse("desk:account_proof", args=[proposed(scene.theirs).pk])).status_code == 404
        everywhere = scene.client(role, is_bound=False)
        assert scene.theirs.enterprise.name in everywhere.get(reverse("desk:accounts")).text
        assert everywhere.get(reverse("desk:account_proof", args=[proposed(scene.theirs).pk])).status_code == 200


def test_an_account_is_offered_for_its_check_to_whom_it_may_be_checked_by(scene: Scene) -> None:
    button = reverse("desk:account_check", args=[proposed(scene.ours).pk])
    assert button in scene.client(StaffRole.FINANCE_CHECKER, is_bound=False).get(reverse("desk:accounts")).text
    assert button not in scene.client(StaffRole.FINANCE_CHECKER).get(reverse("desk:accounts")).text
    assert button not in scene.client(StaffRole.FINANCE_MAKER, is_bound=False).get(reverse("desk:accounts")).text


def test_the_first_page_counts_accounts_for_whoever_may_check_them(scene: Scene) -> None:
    def counted(role: StaffRole, *, is_bound: bool) -> list[int]:
        waiting = scene.client(role, is_bound=is_bound).get(reverse("desk:home")).context["waiting"]
        return [found.count for found in waiting if found.url == reverse("desk:accounts")]

    assert counted(StaffRole.FINANCE_CHECKER, is_bound=False) == [2]
    assert counted(StaffRole.FINANCE_CHECKER, is_bound=True) == []
    assert counted(StaffRole.FINANCE_MAKER, is_bound=False) == []


def test_a_preflight_names_to_a_department_its_own_payees_and_the_paper_is_the_district_s(scene: Scene) -> None:
    everywhere = scene.client(StaffRole.FINANCE_MAKER, is_bound=False)
    page, run, paper = (
        reverse(f"desk:{name}", args=[scene.cycle.pk])
        for name in ("cycle_preflight", "cycle_preflight_run", "cycle_preflight_pdf")
    )
    everywhere.post(run)
    assert scene.theirs.enterprise.name in everywhere.get(page).text
    assert everywhere.get(paper).content[:5] == b"%PDF-"
    for role in ROLES:
        client = scene.client(role)
        shown = client.get(page).text
        assert scene.ours.enterprise.name in shown, role
        assert scene.theirs.enterprise.name not in shown, role
        assert "另有 1 笔" in shown, role
        assert paper not in shown, role
        assert client.get(paper, follow=True).redirect_chain == [(page, 302)], role
