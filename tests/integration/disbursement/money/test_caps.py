"""Caps over groups of items, by year, in all and by a fact; papers in parts; and the choice that approval obeys."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from disbursement.audit.findings import Scope
from disbursement.audit.service import findings
from disbursement.domain.errors import Denied, Invalid
from disbursement.domain.invoices import Invoice
from disbursement.models import Application, Award, CapUse, Choice, ClaimedInvoice
from disbursement.selectors.granted import NOT_KEPT
from disbursement.services.application import applications
from disbursement.services.award import awards, combinations, limits
from disbursement.services.award.claims import GIVEN_BACK
from matching.models import PolicyVersion
from tests.factories import disbursement as people
from tests.factories import money
from tests.factories.unguarded import unguarded

pytestmark = pytest.mark.django_db


def declare(*versions: PolicyVersion, **options: Any) -> Any:
    """A limit over the items of these versions; over all where there are none."""
    wanted: dict[str, Any] = {
        "name": "产业扶持",
        "basis": "青府发〔2026〕1号第十条",
        "item_ids": [version.item_id for version in versions],
        "covers_all": not versions,
        "is_exclusive": False,
        "per_year": None,
        "total": None,
        "fact": "",
        "fact_share": Decimal(100),
        "from_year": 2026,
        "until_year": None,
        "user_id": people.user().pk,
        "now": money.SUBMITTED,
        **options,
    }
    return limits.declare(**wanted)


def test_a_group_of_items_shares_a_yearly_cap_and_the_working_says_so() -> None:
    enterprise, first, second = people.applicant(), money.version("80000"), money.version("70000")
    declare(first, second, per_year=Decimal(100000))
    money.granted(enterprise=enterprise, item=first)
    award = money.granted(enterprise=enterprise, item=second)
    assert award.amount == 20000
    assert "产业扶持（青府发〔2026〕1号第十条），2026年上限：不超过100,000.00元" in award.working[-1]
    used = CapUse.objects.get(award=award)
    assert (used.kind, used.ceiling, used.used, used.granted) == ("per_year", 100000, 80000, 20000)
    assert money.granted(item=second).amount == 70000


def test_a_total_cap_over_all_items_counts_earlier_years() -> None:
    enterprise = people.applicant()
    declare(total=Decimal(150000))
    money.granted("100000", enterprise=enterprise)
    people.budget_line(year=2027)
    later = money.granted("100000", enterprise=enterprise, now=people.at("2027-03-10"))
    assert (later.year, later.amount) == (2027, 50000)


def test_a_cap_by_a_fact_needs_the_fact_and_holds_to_it() -> None:
    rich = people.applicant(tax_paid={"2025": "60000.99"})
    item = money.version("100000")
    declare(item, fact="tax_paid@last", fact_share=Decimal(50))
    assert money.granted(enterprise=rich, item=item).amount == Decimal("30000.49")
    with pytest.raises(Invalid, match="信息尚缺"):
        money.granted(enterprise=people.applicant(), item=item)


def test_of_a_declared_exclusive_group_the_highest_is_kept_and_an_ended_limit_binds_no_more() -> None:
    enterprise, low, high = people.applicant(), money.version("30000"), money.version("100000")
    limit = declare(low, high, is_exclusive=True)
    money.granted(enterprise=enterprise, item=low)
    assert money.granted(enterprise=enterprise, item=high).amount == 70000
    limits.end(limit_id=limit.pk, reason="文件废止", user_id=people.user().pk, now=money.APPROVED)
    other = people.applicant()
    money.granted(enterprise=other, item=low)
    assert money.granted(enterprise=other, item=high).amount == 100000
    with pytest.raises(Invalid, match="已经停用"):
        limits.end(limit_id=limit.pk, reason="再停", user_id=people.user().pk, now=money.APPROVED)


def test_the_database_keeps_the_caps_without_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    enterprise, first, second = people.applicant(), money.version("80000"), money.version("70000")
    money.granted(enterprise=enterprise, item=first)
    monkeypatch.setattr("disbursement.services.award.history.limits_in_force", lambda **_: [])
    for options, told in (
        ({"per_year": Decimal(100000)}, "yearly caps"),
        ({"total": Decimal(149999)}, "total caps"),
        ({"is_exclusive": True}, "only the highest"),
    ):
        with transaction.atomic():
            declare(first, second, **options)
            with pytest.raises(IntegrityError, match=told), transaction.atomic():
                money.granted(enterprise=enterprise, item=second)
            transaction.set_rollback(True)
    assert Award.objects.count() == 1
    from disbursement.guards.caps import _GIVEN_BACK, _KEPT

    assert "p.state NOT IN (" + ", ".join(f"'{state.value}'" for state in NOT_KEPT) + ")" == _KEPT
    assert ", ".join(f"'{state.value}'" for state in GIVEN_BACK) == _GIVEN_BACK


def test_a_limit_that_limits_nothing_or_names_nothing_is_refused_with_every_fault() -> None:
    with pytest.raises(Invalid) as told:
        declare(name="", basis=" ", until_year=2025, fact="no_such@last")
    assert {fault.place for fault in told.value.faults} == {"name", "basis", "until_year", "fact"}
    with pytest.raises(Invalid, match="至少设定一种限制"):
        declare()
    with pytest.raises(Invalid, match="至少要有两个事项"):
        declare(money.version(), is_exclusive=True)


def test_an_invoice_lends_its_parts_to_several_awards_however_its_number_is_written() -> None:
    def invoice(number: str, part: str | None, amount: str = "100000", issuer: str = "电子所（成都）") -> list[Invoice]:
        return [Invoice(issuer, number, Decimal(amount), part=None if part is None else Decimal(part))]

    money.granted(invoices=invoice("00-2551 0001", "60000"))
    money.granted(invoices=invoice("２５５１０００１", "40000.00", issuer="电子所(成都)"))
    with pytest.raises(Invalid, match="不能重复使用"):
        money.granted(invoices=invoice("25510001", "0.01"))
    with pytest.raises(Invalid, match=r"登记的金额为100,000.00元，与本次的90,000.00元不符"):
        money.granted(invoices=invoice("25510001", "1", amount="90000"))
    money.granted(invoices=invoice("25510001", None, issuer="另一家"))
    first = ClaimedInvoice.objects.order_by("pk").first()
    assert first is not None
    with pytest.raises(IntegrityError, match="no more of an invoice"), transaction.atomic():
        ClaimedInvoice.objects.create(
            application=money.application(), paper=first.paper, issuer="x", number="1", amount=100000, used=1
        )
    awards.revoke(
        application=first.application, actor=people.staff("second_reviewer"), now=money.APPROVED, reason="材料不实"
    )
    with pytest.raises(Invalid, match=r"余60,000\.00元"):
        money.granted(invoices=invoice("25510001", "60000.01"))


def competing() -> tuple[Any, ...]:
    """Two exclusive items, both applied for by one enterprise."""
    people.budget_line()
    enterprise = people.applicant()
    low = money.version("30000", code="low")
    high = money.version("100000", code="high", exclusive_with=["low"])
    return enterprise, low, high, *(money.application(enterprise=enterprise, item=item) for item in (low, high))


def grant(application: Application) -> Award:
    with transaction.atomic():
        return awards.grant(
            application=application,
            judgement=application.judgements.latest("id"),
            actor=people.staff("second_reviewer"),
            now=money.APPROVED,
        )


def test_the_best_combination_is_shown_with_what_the_other_choice_costs() -> None:
    enterprise, *_ = competing()
    found = combinations.compare(enterprise=enterprise, now=money.APPROVED)
    assert found.best.paid == {"high": 100000}
    [out] = found.out
    assert (out.option.key, out.cost, out.gives_up) == ("low", 70000, ["high"])
    assert combinations.compare(enterprise=people.applicant(), now=money.APPROVED).problem.options == []


def test_what_was_given_up_is_not_approved_while_the_choice_stands() -> None:
    enterprise, _low, _high, low, high = competing()
    agent = people.agent(enterprise)
    with pytest.raises(Invalid, match="只能选一项"):
        combinations.choose(
            enterprise_id=enterprise.pk, taken=["low", "high"], give_up=False, actor=agent, now=money.APPROVED
        )
    with pytest.raises(Denied):
        combinations.choose(
            enterprise_id=enterprise.pk,
            taken=["low"],
            give_up=False,
            actor=people.agent(people.applicant()),
            now=money.APPROVED,
        )
    choice = combinations.choose(
        enterprise_id=enterprise.pk, taken=["low"], give_up=False, actor=agent, now=money.APPROVED
    )
    assert (choice.total, choice.best) == (30000, 100000)
    with pytest.raises(Invalid, match="已选择享受"):
        grant(high)
    assert grant(low).amount == 30000


def test_a_choice_may_be_changed_before_approval_and_falls_with_what_was_chosen() -> None:
    enterprise, _low, _high, low, high = competing()
    agent = people.agent(enterprise)
    for taken in (["low"], ["high"]):
        combinations.choose(enterprise_id=enterprise.pk, taken=taken, give_up=False, actor=agent, now=money.APPROVED)
    with pytest.raises(Invalid, match="放弃本事项"):
        grant(low)
    applications.withdraw(application_id=high.pk, actor=agent, now=money.APPROVED)
    assert grant(low).amount == 30000


def test_giving_up_withdraws_the_application_and_a_late_choice_finds_nothing_to_choose() -> None:
    enterprise, _low, _high, low, high = competing()
    agent = people.agent(enterprise)
    combinations.choose(enterprise_id=enterprise.pk, taken=["high"], give_up=True, actor=agent, now=money.APPROVED)
    low.refresh_from_db()
    assert low.state == "withdrawn"
    grant(high)
    type(high).objects.get(pk=high.pk)
    with pytest.raises(Invalid, match="没有需要选择"):
        combinations.choose(enterprise_id=enterprise.pk, taken=["low"], give_up=False, actor=agent, now=money.APPROVED)
    assert Choice.objects.count() == 1


def test_the_audit_finds_what_passed_the_caps_and_the_papers_behind_the_service() -> None:
    item = money.version("80000")
    declare(item, per_year=Decimal(100000))
    award = money.granted(item=item, invoices=[Invoice("电子所", "25510001", Decimal(100000))])

    def found() -> list[str]:
        return [str(finding) for finding in findings(scope=Scope(), counts=Counter(), only=["limits"])]

    assert found() == []
    with unguarded():
        award.payables.update(amount=100001, entitled=100001)
        ClaimedInvoice.objects.update(used=100001, amount=100001)
        CapUse.objects.update(ceiling=90000)
    told = str(found())
    for part in ("没有按上限", "超过“产业扶持”的每年上限", "各申报共使用100,001.00元"):
        assert part in told
