"""What a member of staff may look at, and the order in which it is shown."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from disbursement.domain.workflow import ApplicationState
from disbursement.models import Application, JointReview
from disbursement.selectors.applications import Line
from portal.accounts.access import REVIEW_ROLES, Access
from portal.accounts.models import StaffRole

_S = ApplicationState
WAITING = (_S.CORRECTION, _S.REVIEW_CORRECTION, _S.EXPERT, _S.JOINT_REVIEW, _S.PUBLICITY)


def visible(*, access: Access) -> QuerySet[Application]:
    """What a member of staff may look at: their departments' applications, and those on which their departments were
    asked for their opinions; all of them for the whole district.
    """
    found = Application.objects.filter(number__isnull=False)
    places = access.departments_of(REVIEW_ROLES | {StaffRole.SUPERVISOR})
    if places is None:
        return found
    asked = JointReview.objects.filter(department_id__in=places).values("application_id")
    return found.filter(Q(item__department_id__in=places) | Q(pk__in=asked))


def worst_first(line: Line) -> tuple[int, int, int]:
    """Promised days that are past, running clocks, paused ones, none; the fuller first, then the older application."""
    if line.reading is None:
        return (2, 0, line.application.pk)
    if line.is_promise_broken:
        return (-1, line.reading.left, line.application.pk)
    share = line.reading.used * 1000 // line.reading.limit
    return (int(line.reading.paused), -share, line.application.pk)
