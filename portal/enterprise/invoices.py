"""The invoice table of a form: typed rows kept as they are, with spare ones, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from disbursement.domain.errors import Fault, Invalid
from disbursement.domain.invoices import COLUMNS, KINDS, MORE_COLUMNS, MOST_ROWS, Invoice, total
from disbursement.models import Application
from disbursement.selectors.forms import Rules
from disbursement.selectors.invoices import invoice_fact, table_of
from disbursement.services.application.invoices import read_table
from matching.criteria import FactDefinition

PREFIX = "invoice-"
ROWS = 3
_LONGEST = 300


class InvoiceTable:
    """One table as it is shown. Fields are named `invoice-<row from 0>-<column>`."""

    kinds = list(KINDS.items())

    def __init__(self, *, fact: FactDefinition, table: Sequence[Invoice], data: Mapping[str, Any] | None) -> None:
        self.fact = fact
        self.faults: tuple[Fault, ...] = ()
        self.typed = [invoice.to_row() for invoice in table] if data is None else _typed(data)
        # As many as there were and one more where that was asked for; always an empty one to go on in.
        there = 0 if data is None else sum(f"{PREFIX}{n}-number" in data for n in range(MOST_ROWS))
        shown = max(ROWS, len(self.typed) + 1, there + (data is not None and "more" in data))
        self.rows = [*self.typed, *(dict[str, str]() for _row in range(shown - len(self.typed)))][:MOST_ROWS]
        self.total: Decimal = total(table)  # of what is saved, in 元

    def show(self, rows: Sequence[Mapping[str, str]], *, more: bool = False) -> None:
        """Show these rows, as they were typed, with an empty one to go on in."""
        self.typed = [{column: str(row.get(column) or "") for column in (*COLUMNS, *MORE_COLUMNS)} for row in rows]
        shown = max(ROWS, len(self.typed) + (2 if more else 1))
        self.rows = [*self.typed, *(dict[str, str]() for _row in range(shown - len(self.typed)))][:MOST_ROWS]

    def read(self, *, now: datetime) -> bool:
        """Whether the rows can be kept; where not, `faults` says why."""
        try:
            read_table(rows=self.typed, now=now)
        except Invalid as invalid:
            self.faults = invalid.faults
        return not self.faults

    @property
    def cells(self) -> list[tuple[int, dict[str, str], set[str]]]:
        """(row from 1, what is typed, columns with a fault) for the template."""
        wrong = {fault.place for fault in self.faults}
        return [
            (n, row, {column for column in (*COLUMNS, *MORE_COLUMNS) if f"invoice.{n}.{column}" in wrong})
            for n, row in enumerate(self.rows, start=1)
        ]


def table_for(*, application: Application, rules: Rules, data: Mapping[str, Any] | None = None) -> InvoiceTable | None:
    """The table that the item asks for, as it is saved or as `data` (a POST) has it; None where it asks for none."""
    fact = invoice_fact(rules=rules)
    return None if fact is None else InvoiceTable(fact=fact, table=table_of(application=application), data=data)


def _typed(data: Mapping[str, Any]) -> list[dict[str, str]]:
    """Rows with something in them, in their order."""
    rows = []
    for n in range(MOST_ROWS):
        row = {column: str(data.get(f"{PREFIX}{n}-{column}") or "").strip()[:_LONGEST] for column in COLUMNS}
        if any(row.values()):
            more = {column: str(data.get(f"{PREFIX}{n}-{column}") or "").strip()[:_LONGEST] for column in MORE_COLUMNS}
            # An invoice, counted whole, is what a row is unless it says otherwise.
            rows.append(row | {name: said for name, said in more.items() if said not in ("", "invoice")})
    return rows
