"""The month's preflight (预检): what the cut-off would do now, by its own rules, without doing any of it.

`look` writes nothing and locks nothing: it takes the very checks and the very sharing-out of the cut-off to what is due
now. `keep` stores what was seen, so that the cut-off can be held against it; each early morning of the days before the
cut-off does so by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q, Sum

from disbursement.documents.preflight import preflight_report
from disbursement.documents.render import render_pdf
from disbursement.domain import money
from disbursement.domain.actors import Actor
from disbursement.domain.cycle import month_of
from disbursement.domain.preflight import Actual, Outlook, Severity, differences, sorted_issues
from disbursement.domain.workflow import CycleState
from disbursement.models import AttemptOutcome, Cycle, CyclePreflight
from disbursement.selectors.calendar import working_calendar
from disbursement.selectors.cut_off import cut_off_day
from disbursement.services.month.preflight_book import Book, OnProgress
from disbursement.services.month.preflight_surroundings import issues_of_lines, issues_of_surroundings
from matching.days import day_of
from matching.registry import outbox

# Kept by itself on so many working days up to the cut-off day.
_DAYS_BEFORE = 5
Staff = Callable[[], Sequence[Actor]]


def look(
    *, month: date, now: datetime, staff: Staff, probe: bool = False, on_progress: OnProgress | None = None
) -> Outlook:
    """What the cut-off of a month (its first day) would do if it ran at `now`. Writes nothing.

    `staff` gives the people of finance; `probe` asks the gateways themselves whether they answer; `on_progress` hears
    how many of how many payables were looked at.
    """
    month, today = month_of(month), day_of(now)
    cycle = Cycle.objects.filter(month=month).first()
    found = Outlook(month, today, cycle.cut_off_on if cycle is not None else cut_off_day(month=month))
    book = Book(month=month, today=today, on_progress=on_progress)
    book.take_reserved()
    book.take_waiting()
    book.take_the_rest()
    found.lines = book.lines()
    found.issues = sorted_issues(
        [
            *book.issues.values(),
            *issues_of_lines(lines=found.lines, month=month, day=max(found.cut_off_on, today), staff=staff()),
            *issues_of_surroundings(month=month, today=today, lines=found.lines, probe=probe),
        ]
    )
    return found


@transaction.atomic
def keep(*, cycle: Cycle, outlook: Outlook, now: datetime, actor: Actor | None = None) -> CyclePreflight:
    """Store what was seen; `actor` None: by the machine, which then tells finance of what stops a batch."""
    kept = CyclePreflight.objects.create(
        cycle=cycle,
        content=outlook.to_json(),
        stops=len(outlook.of(Severity.STOPS)),
        unpaid=outlook.unpaid_count,
        made_at=now,
        made_by_id=None if actor is None else actor.user_id,
    )
    if actor is None and (kept.stops or kept.unpaid):
        outbox.emit(
            topic="cycle.preflight",
            payload={"preflight": kept.pk},
            now=now,
            dedupe_key=f"cycle.preflight:{kept.pk}",
        )
    return kept


def keep_daily(*, now: datetime, staff: Staff) -> list[CyclePreflight]:
    """Keep one a day of each open cycle whose cut-off is near; for the early morning. Run again it keeps none."""
    today = day_of(now)
    made = []
    calendar = working_calendar()
    for cycle in Cycle.objects.filter(state=CycleState.OPEN, cut_at__isnull=True).order_by("month"):
        if calendar.working_days_between(today, cycle.cut_off_on) > _DAYS_BEFORE:
            continue
        if cycle.preflights.filter(made_by__isnull=True, content__day=today.isoformat()).exists():
            continue
        made.append(keep(cycle=cycle, outlook=look(month=cycle.month, now=now, staff=staff), now=now))
    return made


def last_before(*, cycle: Cycle) -> CyclePreflight | None:
    """The last preflight of a cycle: after its cut-off, the last one before that."""
    found = cycle.preflights.order_by("-pk")
    return found.filter(made_at__lte=cycle.cut_at).first() if cycle.cut_at is not None else found.first()


def compare(*, cycle: Cycle) -> list[str] | None:
    """What the cut-off did otherwise than its last preflight said; None where there is none, or no cut-off yet."""
    kept = last_before(cycle=cycle)
    if kept is None or cycle.state == CycleState.OPEN:
        return None
    return differences(Outlook.from_json(kept.content), _actual(cycle))


def _actual(cycle: Cycle) -> dict[int, Actual]:
    """Each line's batch as the checks left it. What a person took out afterwards counts as paid still: it was not the
    cut-off's doing.
    """
    # The cut-off dates all that it does with the moment at which it began.
    held = Q(outcome=AttemptOutcome.WITHDRAWN, payable__changes__made_at=cycle.cut_at) & Q(
        payable__changes__action="hold", payable__changes__role="system"
    )
    found: dict[int, Actual] = {}
    for batch in cycle.batches.select_related("budget_line").order_by("pk"):
        every = batch.attempts.aggregate(count=Count("pk"), sum=Sum("amount"))
        out = batch.attempts.filter(pk__in=batch.attempts.filter(held).values("pk")).aggregate(
            count=Count("pk"), sum=Sum("amount")
        )
        total, held_total = money.from_sum(every["sum"]), money.from_sum(out["sum"])
        found[batch.budget_line_id] = Actual(
            str(batch.budget_line), every["count"] - out["count"], total - held_total, out["count"], held_total
        )
    return found


def printed(*, outlook: Outlook, made_at: datetime, now: datetime) -> bytes:
    """The report as PDF bytes, rendered each time: a working paper."""
    return render_pdf(
        preflight_report(
            outlook=outlook,
            district=settings.HUIDA_DISTRICT,
            made_at=made_at,
            address=f"{settings.HUIDA_BASE_URL.rstrip('/')}/desk/cycles/",
            today=day_of(now),
        )
    )
