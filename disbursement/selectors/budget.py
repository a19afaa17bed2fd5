"""What pages ask of a budget line, without taking a lock."""

from __future__ import annotations

from decimal import Decimal

from disbursement.models import AccountKind, LedgerAccount
from matching.registry import budget
from matching.registry.models import BudgetLine

ZERO = Decimal("0.00")


@budget.is_told_by
def unreserved(line: BudgetLine) -> Decimal:
    """What of the line is neither reserved nor paid, in 元, were its appropriation brought to its ceiling now.

    As `ledger.posting.sync_ceiling` would find it: a ceiling below what is reserved or paid leaves nothing, and a line
    that was never posted to has all of it.
    """
    balances = dict(LedgerAccount.objects.filter(budget_line=line).values_list("kind", "balance"))
    appropriated = -balances.get(AccountKind.SOURCE, ZERO)
    available = balances.get(AccountKind.APPROPRIATED, ZERO)
    return max(ZERO, available + line.ceiling - appropriated)
