"""What asks for a second look beside the clocks: objections, publicity whose days are over, promised materials past
their day, experts and visits past the days that the item gives them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.db.models import Q, QuerySet

from disbursement.domain.states import Labelled
from disbursement.domain.workflow import ApplicationAction, ApplicationState
from disbursement.models import Application, Objection, Publicity, ToleratedGap, TransitionLog
from disbursement.selectors.calendar import working_calendar
from matching import review_path
from matching.days import day_of

_S = ApplicationState
# Where a promised material is still waited for.
GAP_STATES = (_S.ACCEPTED, _S.IN_REVIEW, _S.EXPERT, _S.SITE_VISIT, _S.JOINT_REVIEW, _S.SECOND_REVIEW, _S.PUBLICITY)
# The steps for which an item may give a number of working days: their state, and what began them.
_TIMED = {
    _S.EXPERT: ("expert", ApplicationAction.ASK_EXPERT),
    _S.SITE_VISIT: ("site_visit", ApplicationAction.ARRANGE_VISIT),
}


class Attention(Labelled):
    OBJECTION = "objection", "公示异议待处理"
    PUBLICITY_OVER = "publicity_over", "公示期满未决定"
    GAP_OVERDUE = "gap_overdue", "容缺材料逾期"
    EXPERT_OVERDUE = "expert_overdue", "专家评审逾期"
    VISIT_OVERDUE = "visit_overdue", "现场核查逾期"


def overdue_gaps(*, as_of: date) -> QuerySet[ToleratedGap]:
    """Granted gaps whose promised day is past (Asia/Shanghai) and whose material is not in, of applications that are
    still under way.
    """
    states = [state.value for state in GAP_STATES]
    return ToleratedGap.objects.filter(
        filled_at__isnull=True, granted_at__isnull=False, promised_by__lt=as_of, application__state__in=states
    )


def step_due(*, application: Application) -> date | None:
    """The last day of the step that the application stands in, where its item gives the step a number of days."""
    return steps_due([application]).get(application.pk)


def attention(*, applications: QuerySet[Application], as_of: date) -> dict[int, list[Attention]]:
    """What each of the applications (id) asks for, as of a day in Asia/Shanghai; those that ask for nothing are left
    out. Five queries, however many there are.
    """
    ids = applications.order_by().values("pk")
    found: dict[int, list[Attention]] = {}

    def note(pks: Iterable[int], what: Attention) -> None:
        for pk in sorted(set(pks)):
            found.setdefault(pk, []).append(what)

    open_ones = Q(publicity__application__state=_S.PUBLICITY.value, sustained__isnull=True)
    objections = Objection.objects.filter(open_ones, publicity__application__in=ids)
    note(objections.values_list("publicity__application", flat=True), Attention.OBJECTION)
    over = Publicity.objects.filter(
        closed_at__isnull=True, ends_on__lt=as_of, application__state=_S.PUBLICITY.value, application__in=ids
    )
    note(over.values_list("application", flat=True), Attention.PUBLICITY_OVER)
    gaps = overdue_gaps(as_of=as_of).filter(application__in=ids)
    note(gaps.values_list("application", flat=True), Attention.GAP_OVERDUE)
    timed = applications.filter(state__in=[state.value for state in _TIMED]).select_related("version").order_by()
    waiting = {application.pk: application for application in timed}
    for pk, due in steps_due(waiting.values()).items():
        if due < as_of:
            expert = waiting[pk].status is _S.EXPERT
            note([pk], Attention.EXPERT_OVERDUE if expert else Attention.VISIT_OVERDUE)
    return found


def steps_due(applications: Iterable[Application]) -> dict[int, date]:
    """As `step_due`, for several (by id); those without a day are left out."""
    days: dict[int, int] = {}
    for application in applications:
        if application.status in _TIMED:
            step = review_path.read(application.version.rules).step(_TIMED[application.status][0])
            if step is not None and step.days:
                days[application.pk] = step.days
    begun: dict[int, date] = {}
    actions = [action.value for _kind, action in _TIMED.values()]
    log = TransitionLog.objects.filter(application__in=list(days), action__in=actions).order_by("seq")
    for pk, at in log.values_list("application", "at"):
        begun[pk] = day_of(at)  # the last time counts
    calendar = working_calendar() if begun else None
    return {} if calendar is None else {pk: calendar.add_working_days(day, days[pk]) for pk, day in begun.items()}
