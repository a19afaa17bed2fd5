"""Which item asks for an invoice table, what an application's table says, and where else its invoices stand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q

from disbursement.domain.invoices import Invoice
from disbursement.domain.workflow import ApplicationState
from disbursement.models import Application, ApplicationInvoice, ClaimedInvoice
from disbursement.selectors.forms import Rules
from matching.criteria import FactDefinition
from matching.forms import FieldType

_S = ApplicationState
# In these states an application asks for nothing on its invoices.
_NOT_LIVE = (_S.DRAFT, _S.WITHDRAWN, _S.NOT_ACCEPTED, _S.REJECTED, _S.REJECTION_UPHELD, _S.REVOKED)


@dataclass(frozen=True, slots=True)
class Row:
    """One invoice of an application, and the numbers of other live applications that name the same one."""

    invoice: Invoice
    elsewhere: list[str]


def invoice_fact(*, rules: Rules) -> FactDefinition | None:
    """The fact of the form that is the total of an invoice table; None where the item asks for no invoices."""
    found = next((field for field in rules.form.fields if field.type is FieldType.INVOICES), None)
    return None if found is None else rules.vocabulary.facts[found.key]


def table_of(*, application: Application) -> list[Invoice]:
    """The application's invoices as they were stated, in their order."""
    rows = ApplicationInvoice.objects.filter(application=application).order_by("pk")
    return [Invoice(row.issuer, row.number, row.amount, row.issued_on) for row in rows]


def rows_of(*, application: Application) -> list[Row]:
    """The table for the reviewer. The same number is enough: one issuer may be written by code here, by name there."""
    table = table_of(application=application)
    others: dict[str, list[str]] = {}
    found = (
        ApplicationInvoice.objects.filter(number__in=[invoice.number for invoice in table])
        .exclude(application=application)
        .exclude(application__state__in=[state.value for state in _NOT_LIVE])
        .order_by("application__number")
    )
    for number, other in found.values_list("number", "application__number"):
        if other is not None and other not in others.setdefault(number, []):
            others[number].append(other)
    return [Row(invoice, others.get(invoice.number, [])) for invoice in table]


def already_claimed(*, invoices: Iterable[Invoice], application: Application) -> list[tuple[Invoice, str]]:
    """Those that another application's award stands on, each with that application's number."""
    found = []
    for invoice in invoices:
        same = Q(number=invoice.number) if invoice.is_digital else Q(issuer=invoice.issuer, number=invoice.number)
        used = (
            ClaimedInvoice.objects.filter(same, released_at__isnull=True)
            .exclude(application=application)
            .values_list("application__number", flat=True)
            .first()
        )
        if used is not None:
            found.append((invoice, used))
    return found
