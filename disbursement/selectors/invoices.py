"""Which item asks for an invoice table, what an application's table says, and where else its invoices stand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import QuerySet, Sum

from disbursement.domain import money
from disbursement.domain.invoices import Invoice
from disbursement.domain.workflow import ApplicationState
from disbursement.models import Application, ApplicationInvoice, ClaimedInvoice
from disbursement.selectors.forms import Rules
from disbursement.selectors.papers import keys_of
from matching.criteria import FactDefinition
from matching.forms import FieldType

_S = ApplicationState
# In these states an application asks for nothing on its invoices.
_NOT_LIVE = (_S.DRAFT, _S.WITHDRAWN, _S.NOT_ACCEPTED, _S.REJECTED, _S.REJECTION_UPHELD, _S.REVOKED)


@dataclass(frozen=True, slots=True)
class Row:
    """One invoice of an application, and the numbers of other live applications that name the same one.

    `left` is what awards leave of it, in 元 (None: no award stands on it yet).
    """

    invoice: Invoice
    elsewhere: list[str]
    left: Decimal | None = None


def invoice_fact(*, rules: Rules) -> FactDefinition | None:
    """The fact of the form that is the total of an invoice table; None where the item asks for no invoices."""
    found = next((field for field in rules.form.fields if field.type is FieldType.INVOICES), None)
    return None if found is None else rules.vocabulary.facts[found.key]


def table_of(*, application: Application) -> list[Invoice]:
    """The application's invoices as they were stated, in their order."""
    rows = ApplicationInvoice.objects.filter(application=application).order_by("pk")
    return [as_invoice(row) for row in rows]


def as_invoice(row: ApplicationInvoice) -> Invoice:
    """The row as the domain knows it."""
    part = None if row.used == row.amount else row.used
    return Invoice(row.issuer, row.number, row.amount, row.issued_on, part, row.kind)


def rows_of(*, application: Application) -> list[Row]:
    """The table for the reviewer. The same number is enough, however it is written: one issuer may be written by code
    here, by name there.
    """
    table = table_of(application=application)
    others: dict[str, list[str]] = {}
    found = _same_number(table, application=application)
    for number, other in found.values_list("plain_number", "application__number"):
        if other is not None and other not in others.setdefault(number, []):
            others[number].append(other)
    papers = papers_of(table, application=application)
    return [
        Row(
            invoice,
            others.get(invoice.plain_number, []),
            None if (paper := papers.get((invoice.kind, invoice.key))) is None else paper.left,
        )
        for invoice in table
    ]


@dataclass(frozen=True, slots=True)
class Shared:
    """A paper that does not suffice for all live applications that name it, or that they state differently: the numbers
    of those of the same enterprise, and whether another enterprise has one.
    """

    invoice: Invoice
    numbers: list[str]
    has_strangers: bool


def overused(*, application: Application) -> list[Shared]:
    """Those of the application's papers that others use, too, beyond what they have."""
    table = table_of(application=application)
    rows = list(_same_number(table, application=application).select_related("application"))
    others = [(as_invoice(row), row.application) for row in rows]
    keys = keys_of([*table, *(other for other, _owner in others)])
    found = []
    for invoice in table:
        same = [
            (other, owner)
            for other, owner in others
            if other.kind == invoice.kind and not set(keys[other]).isdisjoint(keys[invoice])
        ]
        used = money.total(other.used for other, _owner in same)
        if any(other.amount != invoice.amount for other, _owner in same) or (
            same and used + invoice.used > invoice.amount
        ):
            ours = [owner for _other, owner in same if owner.enterprise_id == application.enterprise_id]
            numbers = list(dict.fromkeys(owner.number for owner in ours if owner.number is not None))
            found.append(Shared(invoice, numbers, len(ours) < len(same)))
    return found


def _same_number(table: Iterable[Invoice], *, application: Application) -> QuerySet[ApplicationInvoice]:
    """The rows of other live applications that bear one of these numbers, however it is written."""
    return (
        ApplicationInvoice.objects.filter(plain_number__in=[invoice.plain_number for invoice in table])
        .exclude(application=application)
        .exclude(application__state__in=[state.value for state in _NOT_LIVE])
        .order_by("application__number", "pk")
    )


@dataclass(frozen=True, slots=True)
class Used:
    """What the awards of other applications stand on of one paper: which applications, how much, and what is left."""

    amount: Decimal
    used: Decimal
    numbers: list[str]

    @property
    def left(self) -> Decimal:
        return self.amount - self.used


def already_claimed(*, invoices: Iterable[Invoice], application: Application) -> list[tuple[Invoice, Used]]:
    """Those of which the awards of other applications leave too little, or state another amount."""
    table = list(invoices)
    papers = papers_of(table, application=application)
    return [
        (invoice, used)
        for invoice in table
        if (used := papers.get((invoice.kind, invoice.key))) is not None
        and (used.amount != invoice.amount or invoice.used > used.left)
    ]


def papers_of(table: Iterable[Invoice], *, application: Application | None) -> dict[tuple[str, str], Used]:
    """What the awards of others than `application` stand on of these papers: (kind, key) → how much, and which. A paper
    that stands under several keys of its issuer is one.
    """
    keys = keys_of(table)
    every = {key for many in keys.values() for key in many}
    standing = ClaimedInvoice.objects.filter(paper__key__in=every, released_at__isnull=True)
    if application is not None:
        standing = standing.exclude(application=application)
    standing = standing.order_by()
    sums = {
        (kind, key): (amount, money.from_sum(used))
        for kind, key, amount, used in standing.values_list("paper__kind", "paper__key", "paper__amount").annotate(
            sum=Sum("used")
        )
    }
    numbers: dict[tuple[str, str], list[str]] = {}
    for kind, key, number in standing.values_list("paper__kind", "paper__key", "application__number").order_by("pk"):
        numbers.setdefault((kind, key), []).append(number or "")
    found: dict[tuple[str, str], Used] = {}
    for invoice, many in keys.items():
        places = [place for key in many if (place := (str(invoice.kind), key)) in sums]
        if places:
            used = money.total(sums[place][1] for place in places)
            found[invoice.kind, invoice.key] = Used(
                sums[places[0]][0], used, list(dict.fromkeys(number for place in places for number in numbers[place]))
            )
    return found
