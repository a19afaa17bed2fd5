"""A list page asks the database as often for many rows as for few."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from disbursement.models import Publicity, ReturnFile
from disbursement.services.application import ratings
from matching.days import day_of
from matching.models import Enterprise, PushCause
from matching.registry.models import BudgetLine
from matching.services.match_profiles import match_enterprises
from tests.factories import disbursement as people
from tests.factories import money
from tests.factories.unguarded import unguarded
from tests.integration.portal.conftest import NOW, member, official, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def enterprise(frozen: datetime) -> Enterprise:
    return people.applicant()


def applications(enterprise: Enterprise) -> None:
    people.case(enterprise=enterprise).submitted().asked()
    people.case(enterprise=enterprise).approved()


def matches(enterprise: Enterprise) -> None:
    people.item()
    match_enterprises(enterprise_ids=[enterprise.pk], cause=PushCause.PROFILE, as_of=day_of(NOW), now=NOW)


def publicities(enterprise: Enterprise) -> None:
    people.case(enterprise=enterprise).publicised()
    with unguarded():
        Publicity.objects.update(starts_on=day_of(NOW), ends_on=day_of(NOW))


def batches(enterprise: Enterprise) -> None:
    money.payable("1000.00", enterprise=enterprise)
    money.payable("1000.00")


def returned(enterprise: Enterprise) -> None:
    number = ReturnFile.objects.count() + 1
    money.receive(money.return_file({f"999999999-{number:06d}": ("5.00", "成功")}), name=f"{number}.csv")


def rated(enterprise: Enterprise) -> None:
    payable = money.payable("1000.00")
    payable.state = "paid"
    with unguarded():
        payable.save()
    ratings.rate(application_id=payable.application_id, level=2, actor=people.agent(payable.enterprise), now=NOW)


def waiting(enterprise: Enterprise) -> None:
    people.case().submitted()


def lines(enterprise: Enterprise) -> None:
    number = BudgetLine.objects.count()
    owner = people.base.department(f"department-{number}", f"部门{number}")
    people.budget_line(code=f"line-{number}", owner=owner)


def staffed(enterprise: Enterprise) -> None:
    official("reviewer", people.base.department())
    member(people.applicant())


GROWING: list[tuple[str, str, Callable[[Enterprise], None]]] = [
    ("legal", "/enterprise/", applications),
    ("legal", "/enterprise/applications/", applications),
    ("legal", "/enterprise/payments/", batches),
    ("legal", "/enterprise/opportunities/", matches),
    ("acceptor", "/desk/applications/", applications),
    ("second_reviewer", "/desk/applications/?show=open", applications),
    ("second_reviewer", "/desk/applications/?show=done", applications),
    ("second_reviewer", "/desk/rectifications/", rated),
    ("supervisor", "/desk/supervision/", waiting),
    ("finance_maker", "/desk/payables/", batches),
    ("finance_maker", "/desk/returns/", returned),
    ("finance_maker", "/desk/exceptions/", returned),
    ("administrator", "/desk/admin/people/", staffed),
    ("administrator", "/desk/admin/departments/", lines),
    ("administrator", "/desk/budget/", lines),
    ("legal", "/publicity/", publicities),
]


@pytest.mark.parametrize(("who", "path", "grow"), GROWING, ids=[f"{path}-{who}" for who, path, _grow in GROWING])
def test_queries_do_not_grow_with_rows(
    enterprise: Enterprise, who: str, path: str, grow: Callable[[Enterprise], None]
) -> None:
    user = member(enterprise) if who == "legal" else official(who)
    client = signed_in(user)

    def count() -> tuple[int, int]:
        client.get(path)
        with CaptureQueriesContext(connection) as captured:
            response = client.get(path)
        assert response.status_code == 200
        return len(captured), len(response.content)

    grow(enterprise)
    few, small = count()
    for _more in range(3):
        grow(enterprise)
    many, large = count()
    assert large > small, "the page did not grow: the test would prove nothing"
    assert many <= few
