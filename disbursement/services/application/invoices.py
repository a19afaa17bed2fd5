"""Keeping an application's invoice table; the answer that it sums up follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from disbursement.domain.errors import Fault, Invalid
from disbursement.domain.invoices import Invoice, read_rows, total
from disbursement.models import Application, ApplicationInvoice
from disbursement.selectors.forms import Rules
from disbursement.selectors.invoices import already_claimed, invoice_fact, table_of
from disbursement.selectors.papers import keys_of
from matching.days import day_of


def replace(*, application: Application, rules: Rules, rows: Sequence[Mapping[str, str]], now: datetime) -> None:
    """Set the table of a locked application, and in its form the total; the caller saves the form.

    `rows` as `domain.invoices.read_rows` takes them. Raises Invalid for a bad row, or where the item has no table.
    """
    fact = invoice_fact(rules=rules)
    if fact is None:
        raise Invalid(Fault("invoices", _("这个事项不需要填写发票清单。")))
    table = read_table(rows=rows, now=now)
    ApplicationInvoice.objects.filter(application=application).delete()
    ApplicationInvoice.objects.bulk_create(
        ApplicationInvoice(
            application=application,
            kind=invoice.kind,
            issuer=invoice.issuer,
            number=invoice.number,
            plain_number=invoice.plain_number,
            issued_on=invoice.issued_on,
            amount=invoice.amount,
            used=invoice.used,
        )
        for invoice in table
    )
    application.form = {key: value for key, value in application.form.items() if key != fact.key}
    if table:
        application.form[fact.key] = _answer(table)


def read_table(*, rows: Sequence[Mapping[str, str]], now: datetime) -> list[Invoice]:
    """The rows as a table that can be kept. Raises Invalid for a bad row, or one paper in two of them."""
    table = read_rows(rows, as_of=day_of(now))
    _check_repeated(table)
    return table


def restate(*, application: Application, rules: Rules) -> None:
    """Set the total in the form by a table that was kept, where the item asks for one; the caller saves the form."""
    fact, table = invoice_fact(rules=rules), table_of(application=application)
    if fact is not None and table:
        application.form = {**application.form, fact.key: _answer(table)}


def _answer(table: Sequence[Invoice]) -> str:
    """The total as numbers stand in a form: no zeros behind the point that say nothing."""
    return f"{total(table):f}".rstrip("0").rstrip(".")


def _check_repeated(table: Sequence[Invoice]) -> None:
    """One paper stands in a table once, though its issuer is written by code in one row and by name in another."""
    keys = keys_of(table)
    first: dict[tuple[str, str], Invoice] = {}
    for invoice in table:
        other = first.setdefault((invoice.kind, keys[invoice][0]), invoice)
        if other is not invoice:
            text = _("%(paper)s填了两次：“%(one)s”和“%(two)s”是同一家单位，请删去一行。")
            raise Invalid(
                Fault("invoices", text % {"paper": invoice.label, "one": other.issuer, "two": invoice.issuer})
            )


def faults_of(*, application: Application, rules: Rules, facts: Mapping[str, Any]) -> list[Fault]:
    """What is wrong between the table and the total by which it is judged; empty where they agree.

    `facts` are those that the judgement saw, readable: the total counts wherever it came from.
    """
    fact = invoice_fact(rules=rules)
    if fact is None or facts.get(fact.key) is None:
        return []
    table = table_of(application=application)
    if not table:
        text = _("请在发票清单中逐张填写“%(label)s”的发票。")
        return [Fault(f"form.{fact.key}", text % {"label": fact.label})]
    if total(table) != Decimal(str(facts[fact.key])):
        text = _("“%(label)s”与发票清单合计 %(sum)s 元不一致，请核对发票清单。")
        return [Fault(f"form.{fact.key}", text % {"label": fact.label, "sum": total(table)})]
    return [
        Fault("invoices", _("%(paper)s已用于其他申报，可用余额 %(left)s 元。请删去，或改填本次使用金额。") % told)
        for told in _short(application=application)
    ]


def _short(*, application: Application) -> list[dict[str, str]]:
    """The papers of the table of which other awards leave too little; nothing is told of whose awards those are."""
    found = already_claimed(invoices=table_of(application=application), application=application)
    return [{"paper": invoice.label, "left": f"{max(used.left, Decimal(0)):,.2f}"} for invoice, used in found]
