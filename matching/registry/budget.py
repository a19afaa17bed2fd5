"""How much of a budget line is not promised yet.

The ledger knows, and it lives in a room above that nothing here may import. It gives its answer by a function that it
puts here when it is loaded; without it, nothing is known beyond the line's ceiling.
"""

from collections.abc import Callable
from decimal import Decimal

from matching.registry.models import BudgetLine

Teller = Callable[[BudgetLine], Decimal]
_tellers: list[Teller] = []


def is_told_by(teller: Teller) -> Teller:
    """Name the function that says what of a line is neither reserved nor paid, in 元. The last one named is asked."""
    _tellers[:] = [teller]
    return teller


def unreserved(line: BudgetLine) -> Decimal | None:
    """What of the line is neither reserved nor paid, in 元; None where no ledger is there to say."""
    return _tellers[0](line) if _tellers else None
