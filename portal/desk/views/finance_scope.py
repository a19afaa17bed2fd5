"""Which batches, payables and accounts a person of finance may look at."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpRequest

from disbursement.models import Batch, Payable, PayeeAccount
from portal.accounts.access import FINANCE_ROLES, access_for
from portal.accounts.models import StaffRole

READERS = (*FINANCE_ROLES, StaffRole.SUPERVISOR)


def visible_batches(request: HttpRequest) -> QuerySet[Batch]:
    """Batches of the budget lines of one's departments; all for a role held in the whole district."""
    found = Batch.objects.select_related("budget_line__department", "cycle")
    places = access_for(request).departments_of(READERS)
    return found if places is None else found.filter(budget_line__department_id__in=places)


def visible_payables(request: HttpRequest) -> QuerySet[Payable]:
    found = Payable.objects.select_related("enterprise", "application__item__department", "budget_line")
    places = access_for(request).departments_of(READERS)
    return found if places is None else found.filter(application__item__department_id__in=places)


def is_bound(request: HttpRequest) -> bool:
    """Whether one reads for some departments only."""
    return access_for(request).departments_of(READERS) is not None


def visible_accounts(request: HttpRequest) -> QuerySet[PayeeAccount]:
    """Accounts of enterprises that one's departments pay or paid; all for a role held in the whole district."""
    found = PayeeAccount.objects.all()
    return found.filter(enterprise__in=visible_payables(request).values("enterprise")) if is_bound(request) else found
