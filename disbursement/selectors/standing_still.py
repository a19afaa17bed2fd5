"""What stands still while its clock is paused: waiting for the enterprise (补正) or for experts (专家评审). No card is
drawn of it, so that supervision has to see it here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import Prefetch

from disbursement.domain.workflow import ApplicationState
from disbursement.models import ClockPause, Correction
from disbursement.selectors.attention import steps_due
from disbursement.selectors.calendar import working_calendar

_S = ApplicationState
STATES = (_S.CORRECTION, _S.REVIEW_CORRECTION, _S.EXPERT)


@dataclass(frozen=True, slots=True)
class StandingStill:
    """One paused clock: for what it waits since which day, for how many working days so far, and by when it should be
    over (None: nobody said).
    """

    pause: ClockPause
    waits_for: str
    days: int
    due_on: date | None
    is_overdue: bool


def standing_still(*, as_of: date, department_ids: frozenset[int] | None = None) -> list[StandingStill]:
    """The longest first; None: in the whole district. `as_of` is a day in Asia/Shanghai. A fixed number of queries."""
    found = ClockPause.objects.filter(
        ended_on__isnull=True,
        clock__stopped_on__isnull=True,
        clock__application__state__in=[state.value for state in STATES],
    )
    if department_ids is not None:
        found = found.filter(clock__department_id__in=department_ids)
    open_ones = Correction.objects.filter(supplied_at__isnull=True, lapsed_at__isnull=True)
    found = found.select_related(
        "clock__department", "clock__holder", "clock__application__enterprise", "clock__application__item"
    ).prefetch_related(
        Prefetch("clock__application__corrections", queryset=open_ones, to_attr="open_corrections"),
        "clock__application__version",
    )
    pauses = list(found.order_by("started_on", "pk"))
    experts = steps_due([pause.clock.application for pause in pauses if pause.clock.application.status is _S.EXPERT])
    calendar = working_calendar()
    rows = []
    for pause in pauses:
        application = pause.clock.application
        asked: list[Correction] = application.open_corrections  # type: ignore[attr-defined]
        due = experts.get(application.pk) if application.status is _S.EXPERT else asked[0].due_on if asked else None
        rows.append(
            StandingStill(
                pause=pause,
                waits_for=application.status.label,
                days=calendar.working_days_between(pause.started_on, as_of),
                due_on=due,
                is_overdue=due is not None and due < as_of,
            )
        )
    return rows
