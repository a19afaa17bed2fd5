"""Other cases of an enterprise that compete with one of its own: exclusive items, and the same papers."""

from __future__ import annotations

from django.utils.translation import gettext as _

from disbursement.domain.workflow import ApplicationState
from disbursement.models import Application
from disbursement.selectors.invoices import overused, rows_of

_OVER = (
    ApplicationState.DRAFT,
    ApplicationState.WITHDRAWN,
    ApplicationState.NOT_ACCEPTED,
    ApplicationState.REJECTED,
    ApplicationState.REJECTION_UPHELD,
    ApplicationState.REVOKED,
)


def clashes_of(*, application: Application, year: int) -> list[str]:
    """Other applications that this one stands in the way of, were it approved in the calendar year `year`: exclusive
    items, and papers that do not suffice for both. What was approved in an earlier year excludes nothing any more.

    The enterprise reads it: of another's application it learns nothing but that there is one.
    """
    found = _exclusive(application=application, year=year)
    for shared in overused(application=application):
        where = [_("申报 %(numbers)s") % {"numbers": "、".join(shared.numbers)}] if shared.numbers else []
        where += [_("其他企业的申报")] if shared.has_strangers else []
        told = _("%(paper)s 还用于%(where)s，只能享受一次。")
        found.append(told % {"paper": shared.invoice.label, "where": "、".join(where)})
    return found


def clashes_for_reviewer(*, application: Application, year: int) -> list[str]:
    """The same for a reviewer, to whom the same number is enough of a hint, whoever is said to have issued it."""
    return _exclusive(application=application, year=year) + [
        _("%(paper)s 还用于申报 %(numbers)s，只能享受一次。")
        % {"paper": row.invoice.label, "numbers": "、".join(row.elsewhere)}
        for row in rows_of(application=application)
        if row.elsewhere
    ]


def _exclusive(*, application: Application, year: int) -> list[str]:
    code = application.item.code
    names = set((application.version.rules.get("award") or {}).get("exclusive_with") or [])
    under_way = (
        Application.objects.filter(enterprise_id=application.enterprise_id)
        .exclude(state__in=[state.value for state in _OVER])
        .exclude(item_id=application.item_id)
        .exclude(award__year__lt=year)
        .select_related("item", "version")
        .order_by("pk")
    )
    return [
        _("与办理中的“%(item)s”（%(number)s）不能同时享受，核定时就高不重复。")
        % {"item": other.item.name, "number": other.number}
        for other in under_way
        if other.item.code in names or code in ((other.version.rules.get("award") or {}).get("exclusive_with") or [])
    ]
