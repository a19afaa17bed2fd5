"""就高不重复 beside caps and choices: the enterprise ends with the highest, in whatever order items are approved."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import chain
from itertools import combinations as subsets

import pytest
from django.db import transaction

from disbursement.models import Application
from disbursement.selectors.choices import given_up_for
from disbursement.services.application import applications
from disbursement.services.award import awards, combinations
from matching.models import PolicyVersion
from tests.factories import disbursement as people
from tests.factories import money
from tests.factories.delivery import matched
from tests.integration.disbursement.money.test_caps import declare, grant

pytestmark = pytest.mark.django_db


def granted_in_turn(*versions: PolicyVersion) -> list[Decimal]:
    enterprise = people.applicant()
    return [money.granted(enterprise=enterprise, item=version).amount for version in versions]


def proposed(application: Application) -> Decimal:
    judgement = application.judgements.latest("id")
    return awards.propose(application=application, judgement=judgement, now=money.APPROVED).amount


@pytest.mark.parametrize("options", [{"per_year": Decimal(100000)}, {"total": Decimal(100000)}])
def test_a_declared_cap_over_one_of_two_exclusive_items_holds_what_both_pay(options: dict[str, Decimal]) -> None:
    low = money.version("60000")
    high = money.version("150000", exclusive_with=[low.item.code])
    declare(high, **options)
    assert granted_in_turn(low, high) == [60000, 40000]


def test_a_cap_over_both_of_two_exclusive_items_counts_the_first_once() -> None:
    low = money.version("60000")
    high = money.version("150000", exclusive_with=[low.item.code])
    declare(low, high, per_year=Decimal(100000))
    assert granted_in_turn(low, high) == [60000, 40000]


def test_a_cap_over_one_of_two_rivals_counts_the_other_beside_it_and_says_so() -> None:
    enterprise, first, second = people.applicant(), money.version("30000"), money.version("20000")
    high = money.version("150000", exclusive_with=[first.item.code, second.item.code])
    declare(first, high, per_year=Decimal(100000))
    for version in (first, second):
        money.granted(enterprise=enterprise, item=version)
    award = money.granted(enterprise=enterprise, item=high)
    assert award.amount == 50000
    assert f"，另减“{second.item.name}”20,000.00元，本次最多50,000.00元" in award.working[-1]


def test_the_comparison_shows_what_approval_will_add_to_what_was_granted() -> None:
    enterprise, low, other = people.applicant(), money.version("60000"), money.version("30000")
    rivals = [low.item.code, other.item.code]
    capped = money.version("150000", cap_per_year="100000", exclusive_with=rivals)
    declared = money.version("140000", exclusive_with=rivals)
    declare(declared, per_year=Decimal(90000))
    money.granted(enterprise=enterprise, item=low)
    made = [money.application(enterprise=enterprise, item=version) for version in (capped, declared, other)]
    found = combinations.compare(enterprise=enterprise, now=money.APPROVED)
    shown = [found.candidate(application.item.code).amount for application in made]
    assert shown == [proposed(application) for application in made] == [40000, 30000, 30000]


def test_a_granted_item_that_names_another_leaves_it_the_difference_in_the_comparison_too() -> None:
    enterprise, named = people.applicant(), money.version("120000")
    granted = money.version("100000", exclusive_with=[named.item.code])
    other = money.version("110000", exclusive_with=[named.item.code])
    money.granted(enterprise=enterprise, item=granted)
    waits = money.application(enterprise=enterprise, item=named)
    money.application(enterprise=enterprise, item=other)
    found = combinations.compare(enterprise=enterprise, now=money.APPROVED)
    candidate = found.candidate(named.item.code)
    assert (candidate.amount, candidate.before) == (20000, 100000)
    assert proposed(waits) == 20000
    assert found.best.paid == {other.item.code: 110000}


def test_every_set_that_is_tried_out_is_paid_just_so_under_caps_that_do_not_count_a_granted_rival() -> None:
    enterprise, outside, counted = people.applicant(), money.version("20000"), money.version("5000.50")
    rivals = [outside.item.code, counted.item.code]
    dear, cheap = (money.version(amount, exclusive_with=rivals) for amount in ("100000", "60000"))
    free = money.version("30000")
    declare(dear, cheap, per_year=Decimal(100000))
    declare(dear, cheap, free, counted, total=Decimal("110000.99"))
    for version in (outside, counted):
        money.granted(enterprise=enterprise, item=version)
    made = {v.item.code: money.application(enterprise=enterprise, item=v) for v in (dear, cheap, free)}
    found = combinations.compare(enterprise=enterprise, now=money.APPROVED)
    assert list(made) == [option.key for option in found.problem.options]

    def approved(taken: tuple[str, ...]) -> dict[str, Decimal]:
        amounts = {}
        with transaction.atomic():
            for code in taken:
                if (amount := proposed(made[code])) > 0:
                    amounts[code] = grant(made[code]).amount
                    assert amounts[code] == amount
            transaction.set_rollback(True)
        return amounts

    for taken in chain.from_iterable(subsets(made, size) for size in (1, 2, 3)):
        tried, wrong = combinations.try_out(comparison=found, taken=taken)
        assert (tried.paid, wrong) == (approved(taken), [])
    # Alone, the second would be paid 34999.50; beside the first, the cap that it shares leaves it nothing.
    dearer = found.best.paid[dear.item.code]
    assert (dearer, cheap.item.code in found.best.paid) == (Decimal("74999.50"), False)
    assert found.candidate(cheap.item.code).amount == Decimal("34999.50")
    [out] = found.out
    assert "连同互斥事项已获的25,000.50元已用完" in out.reasons[0]


def test_what_failed_before_a_choice_does_not_void_it_and_what_fails_after_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    enterprise, chosen = people.applicant(), money.version("100000")
    left = money.version("30000", exclusive_with=[chosen.item.code])
    agent = people.agent(enterprise)

    def fail() -> None:
        made = money.application(enterprise=enterprise, item=chosen)
        applications.withdraw(application_id=made.pk, actor=agent, now=money.APPROVED)

    def told() -> list[str]:
        return given_up_for(enterprise_id=enterprise.pk, year=money.APPROVED.year, code=left.item.code)

    fail()
    money.application(enterprise=enterprise, item=left)
    matched(chosen, enterprise)
    now = money.SUBMITTED + timedelta(hours=1)
    choice = combinations.choose(
        enterprise_id=enterprise.pk, taken=[chosen.item.code], give_up=False, actor=agent, now=now
    )
    assert choice.taken[0]["application"] is None
    assert "已选择享受" in told()[0]
    monkeypatch.setattr(money, "SUBMITTED", now + timedelta(hours=1))
    fail()
    assert told() == []
