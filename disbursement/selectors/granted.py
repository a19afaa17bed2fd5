"""What enterprises were granted and keep: what caps, exclusions and pages count."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from django.db.models import QuerySet, Sum

from disbursement.domain import money
from disbursement.domain.payables import Earlier
from disbursement.domain.workflow import PayableState
from disbursement.models import Payable

# In these states an instalment no longer counts as granted: caps and exclusions forget it.
NOT_KEPT = (PayableState.CANCELLED, PayableState.REFUNDED, PayableState.CLAWBACK, PayableState.CLAWED_BACK)


def kept() -> QuerySet[Payable]:
    """The payables that still count as granted."""
    return Payable.objects.exclude(state__in=[state.value for state in NOT_KEPT])


def granted_in_year(*, enterprise_id: int, year: int | None) -> list[Earlier]:
    """What the enterprise was granted in a calendar year (None: in all years) and keeps, by item."""
    found = kept().filter(award__enterprise_id=enterprise_id)
    if year is not None:
        found = found.filter(award__year=year)
    rows = found.order_by().values_list("award__item_code", "award__version__item__name").annotate(sum=Sum("amount"))
    return [Earlier(item=code, name=name, amount=money.from_sum(amount)) for code, name, amount in sorted(rows)]


def sum_of(*, earlier: Collection[Earlier], codes: Collection[str] | None) -> Decimal:
    """What of it falls on these items (None: on all), in 元."""
    return money.total(each.amount for each in earlier if codes is None or each.item in codes)
