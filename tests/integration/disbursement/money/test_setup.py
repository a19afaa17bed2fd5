"""What a district sets of its payments, in a month's run."""

from __future__ import annotations

from typing import Any

import pytest

from disbursement.services.month import batches
from matching.registry.models import BudgetLine
from tests.factories import money

pytestmark = pytest.mark.django_db
CENTRAL = {"funds": ["central"], "name": "中央专户", "account_number": "5100000000000009", "bank_name": "乙行"}


def test_a_batch_is_paid_from_the_account_of_its_fund_and_the_file_names_it(settings: Any) -> None:
    settings.HUIDA_PAYERS = [CENTRAL]
    money.payable()
    BudgetLine.objects.update(fund="central")
    [batch] = money.cut()
    assert batch.payer["account_number"] == "5100000000000009"
    assert "中央专户" in batches.file_bytes(batch=batch).decode("utf-8-sig")


def test_three_tiers_take_three_approvers(settings: Any) -> None:
    settings.HUIDA_APPROVER_TIERS = ["0:1", "100000:2", "200000:3"]
    money.payables(2)
    [batch] = money.cut()
    assert batch.approvals_needed == 3
    office = money.Finance()
    assert money.signed(batch, office).state == "verified"
    third = money.Finance().approver
    batches.approve(batch_id=batch.pk, actor=third, now=money.CUT, seen_sha256=_digest(batch))
    batch.refresh_from_db()
    assert batch.state == "approved"


def _digest(batch: Any) -> str:
    batch.refresh_from_db()
    return str(batch.file_sha256)
