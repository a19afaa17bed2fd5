"""Warning finance of budget lines that run short, run out or are left over: once for each line and warning."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from disbursement.selectors.forecast import forecasts
from matching.days import day_of
from matching.registry import outbox
from matching.registry.models import BudgetLine


@transaction.atomic
def warn(*, now: datetime) -> int:
    """Look at the lines of this year and tell what is to be warned of: topic `budget.alert` {line, code, text}.

    A warning is told once; one about the month in which a line runs out again when that month changes. Returns how many
    stand now.
    """
    today = day_of(now)
    lines = BudgetLine.objects.filter(year=today.year, year_end__isnull=True).order_by("code")
    count = 0
    for found in forecasts(lines=lines, as_of=today):
        for alert in found.alerts:
            count += 1
            outbox.emit(
                topic="budget.alert",
                payload={"line": found.line.pk, "code": alert.code, "text": alert.text},
                now=now,
                dedupe_key=f"budget.alert:{found.line.pk}:{alert.code}",
            )
    return count
