"""What the machine leaves to people because of other cases of the same enterprise for the same item: one under way, one
that people refused or revoked this year, money of it that was asked back, and what was granted this year already, which
counts towards its ceiling.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from django.db.models import Q, Sum
from django.utils.translation import gettext as _

from disbursement.domain import money
from disbursement.domain.workflow import ApplicationState
from disbursement.models import Application, Award, Clawback, DecisionKind
from matching.days import day_of

_REFUSED = (ApplicationState.REJECTED, ApplicationState.REJECTION_UPHELD, ApplicationState.REVOKED)
# Neither under way nor decided against: over, granted, or never handed in.
_BESIDE = (
    *(ApplicationState.DRAFT, ApplicationState.NOT_ACCEPTED, ApplicationState.WITHDRAWN),
    *(ApplicationState.APPROVED, ApplicationState.CLOSED),
)


def refused_by_people(*, enterprise_id: int, item_id: int, now: datetime) -> Iterator[str]:
    """What people refused, revoked or asked back in the calendar year of `now`, or still wait to have back: no machine
    grants it after all.
    """
    year = day_of(now).year
    own = Application.objects.filter(enterprise_id=enterprise_id, item_id=item_id)
    refused = Q(state__in=[ApplicationState.REJECTED, ApplicationState.REJECTION_UPHELD], decided_at__year=year)
    # `decided_at` stays the day of the approval, which may be of another year.
    revoked = Q(
        state=ApplicationState.REVOKED,
        pk__in=own.filter(decisions__kind=DecisionKind.REVOKED, decisions__at__year=year).values("pk"),
    )
    for each in own.filter(refused | revoked).order_by("pk"):
        yield _("本年同一事项的申报 %(number)s（%(state)s）由人员决定，须由人员办理。") % {
            "number": each.number,
            "state": each.get_state_display(),
        }
    demands = Clawback.objects.filter(
        Q(ordered_at__year=year) | Q(recovered_at__isnull=True),
        payable__application__enterprise_id=enterprise_id,
        payable__application__item_id=item_id,
    )
    for demand in demands.select_related("payable__application").order_by("pk"):
        yield _("同一事项的申报 %(number)s 已兑现的资金要求退回（%(demand)s），须由人员办理。") % {
            "number": demand.payable.application.number,
            "demand": demand.number,
        }


def left_to_people(
    *, application: Application, amount: Decimal | None, most: Decimal | None, now: datetime
) -> Iterator[str]:
    """Why the machine decides no submitted application beside the earlier ones; amounts in 元."""
    yield from refused_by_people(enterprise_id=application.enterprise_id, item_id=application.item_id, now=now)
    others = Application.objects.filter(enterprise_id=application.enterprise_id, item_id=application.item_id)
    others = others.exclude(pk=application.pk).exclude(state__in=[state.value for state in (*_BESIDE, *_REFUSED)])
    for other in others.order_by("pk"):
        yield _("企业同一事项的申报 %(number)s 还在办理（%(state)s）。") % {
            "number": other.number,
            "state": other.get_state_display(),
        }
    earlier = Award.objects.filter(
        enterprise_id=application.enterprise_id, item_code=application.item.code, year=day_of(now).year
    )
    had = money.from_sum(earlier.aggregate(sum=Sum("amount"))["sum"])
    # Each below the ceiling, together above it.
    if had > 0 and amount is not None and most is not None and amount <= most < had + amount:
        yield _("本年已核定本事项 %(had)s 元，连同本次超过系统可办的上限 %(most)s 元。") % {
            "had": money.yuan(had),
            "most": money.yuan(most),
        }
