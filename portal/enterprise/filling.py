"""A draft being filled in: what the page shows, and what it sends, read into the states that are merged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from disbursement.domain.errors import Invalid
from disbursement.domain.invoices import KINDS
from disbursement.domain.merging import Choice, Clash, Settlement, State
from disbursement.models import Application, DraftSheet
from disbursement.selectors.forms import Rules
from disbursement.services.application import judging, sheets
from disbursement.services.application.invoices import read_table
from disbursement.services.application.readiness import asked_answers
from matching.criteria import Scope
from matching.days import day_of
from matching.forms import FieldType
from matching.models import PolicyVersion
from matching.services.declarations import Known, known_facts
from matching.services.publish import FORM_WORDS
from portal.accounts.models import User
from portal.enterprise.answers import state_lines
from portal.enterprise.invoices import InvoiceTable, table_for
from portal.enterprise.sheet import SheetForm, SheetRow, rows_of_sheet, storable
from portal.facts.fields import PREFIX
from portal.forms import PHONE

CONTACT_KEYS = {"contact_name": "@contact_name", "contact_phone": "@contact_phone"}


class ContactForm(forms.Form):
    contact_name = forms.CharField(label=gettext_lazy("联系人"), max_length=60, required=False)
    contact_phone = forms.CharField(
        label=gettext_lazy("联系电话"),
        max_length=40,
        required=False,
        validators=[PHONE],
        help_text=gettext_lazy("办理中有事会打这个电话。"),
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "tel"}),
    )


@dataclass(frozen=True, slots=True)
class ClashTold:
    """A clash in words: what the other person wrote, who and when."""

    key: str
    label: str
    theirs: list[str]
    mine: list[str]
    who: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Sent:
    """What a page sent: the states it shows, the revision as of which it knows the draft, what was said of clashes."""

    states: dict[str, State]
    base: int
    settled: dict[str, Settlement]


@dataclass
class Filling:
    """One draft on one person's screen at `now` (aware). `mine`: answers of clashes, shown in place of the draft's."""

    application: Application
    now: datetime
    mine: dict[str, State] = field(default_factory=dict)
    clashes: dict[str, ClashTold] = field(default_factory=dict)
    more: str = ""

    @cached_property
    def rules(self) -> Rules:
        return judging.rules_of(version=self.application.version, now=self.now)

    @cached_property
    def sheet(self) -> DraftSheet:
        return sheets.sheet_of(application=self.application)

    @cached_property
    def states(self) -> dict[str, State]:
        return {**sheets.states_of(application=self.application, sheet=self.sheet), **self.mine}

    @property
    def day(self) -> date:
        return day_of(self.now)

    @cached_property
    def known(self) -> dict[str, Known]:
        facts = self.rules.form.vocabulary.facts
        own = [k for k in self.rules.form.keys if k in facts and facts[k].scope is Scope.ENTERPRISE]
        return known_facts(enterprise=self.application.enterprise, keys=own, day=self.day) if own else {}

    def form(self, data: Any = None) -> SheetForm:
        """The sheet as it stands, or as `data` (a POST) has it."""
        item = self.application.item
        current = item.current_version_id == self.application.version_id
        helps: Mapping[str, str] = (item.words or {}).get(FORM_WORDS, {}) if current else {}
        made = SheetForm(data, rules=self.rules, states=self.states, known=self.known, as_of=self.day, helps=helps)
        for name, one in made.fields.items():
            if self.more == name and hasattr(one.widget, "spare"):
                one.widget.spare += 1
        return made

    @cached_property
    def rows(self) -> list[SheetRow]:
        return rows_of_sheet(self.form())

    @cached_property
    def invoices(self) -> InvoiceTable | None:
        table = table_for(application=self.application, rules=self.rules)
        state = self.states.get(sheets.INVOICES)
        if table is not None and state is not None:
            shown = state.get("raw", state.get("value")) or []
            table.show(shown, more=self.more == "more")
            if "raw" in state:
                table.read(now=self.now)
        elif table is not None:
            table.show([], more=self.more == "more")
        return table

    @cached_property
    def contact(self) -> list[dict[str, Any]]:
        """The two fields of the contact, each with its key, what stands in it and what is wrong with it."""
        initial = {}
        for name, key in CONTACT_KEYS.items():
            state = self.states.get(key) or {}
            initial[name] = state.get("raw", state.get("value", ""))
        form = ContactForm(initial=initial)
        rows = []
        for name, key in CONTACT_KEYS.items():
            state = self.states.get(key) or {}
            attrs = form.fields[name].widget.attrs
            described = [f"id_{name}_helptext"] if form.fields[name].help_text else []
            attrs["aria-describedby"] = " ".join([*described, f"note-{key}"])
            if "raw" in state:
                attrs["aria-invalid"] = "true"
            rows.append({"key": key, "bound": form[name], "told": state.get("messages", []) if "raw" in state else []})
        return rows

    @cached_property
    def assessment(self) -> judging.Assessment | None:
        """What the rules say of the draft as it stands; None where its answers cannot be judged."""
        try:
            return judging.rehearse(
                version=self.application.version,
                enterprise=self.application.enterprise,
                form=asked_answers(rules=self.rules, form=self.application.form),
                now=self.now,
            )
        except Invalid:
            return None

    @property
    def told(self) -> list[tuple[str, str]]:
        """(anchor, message) for each answer that cannot be used, for the summary above the form."""
        found = [(f"id_{PREFIX}{row.key}", text) for row in self.rows for text in row.told]
        if self.invoices is not None:
            found += [(f"id_{PREFIX}{self.invoices.fact.key}", fault.message) for fault in self.invoices.faults]
        return found + [(row["bound"].auto_id, text) for row in self.contact for text in row["told"]]

    def label(self, key: str) -> str:
        if key == sheets.INVOICES:
            return _("发票清单")
        for row in self.contact:
            if row["key"] == key:
                return str(row["bound"].label)
        one = self.rules.form.get(key)
        return one.label if one else key

    def lines(self, key: str, state: State) -> list[str]:
        """A state in words."""
        one = self.rules.form.get(key)
        if one is not None:
            return state_lines(one, state, self.rules)
        if not state:
            return [_("（空）")]
        value = state.get("raw", state.get("value"))
        if key == sheets.INVOICES and isinstance(value, list):
            return [_paper_line(row) for row in value]
        return [str(value)]

    def tell(self, clashes: tuple[Clash, ...]) -> None:
        """Keep what was sent on the screen beside what the other person wrote."""
        people = User.objects.in_bulk([clash.last.by for clash in clashes if clash.last])
        for clash in clashes:
            self.mine[clash.key] = clash.mine
            last = clash.last
            self.clashes[clash.key] = ClashTold(
                key=clash.key,
                label=self.label(clash.key),
                theirs=self.lines(clash.key, clash.theirs),
                mine=self.lines(clash.key, clash.mine),
                who=people[last.by].get_full_name() if last and last.by in people else _("另一位经办人"),
                at=last.at if last else None,
            )


def _paper_line(row: Mapping[str, Any]) -> str:
    """A row of the invoice table in words, with all in which two can differ."""
    words = [KINDS.get(row.get("kind") or "invoice", ""), *(row.get(c) or "" for c in ("issuer", "number", "amount"))]
    if row.get("used"):
        words.append(_("本次使用 %(amount)s") % {"amount": row["used"]})
    return " ".join(str(word) for word in words if word)


def read_sent(request: HttpRequest, filling: Filling) -> Sent:
    """What the page sent. One without a revision knows the draft as it is, and speaks only of what it names."""
    data = request.POST
    whole = "revision" in data
    states = filling.form(data).typed_states(whole=whole)
    states |= _contact_states(data)
    table = filling.rules.form
    if any(one.type is FieldType.INVOICES for one in table.fields) and (whole or "invoice-0-number" in data):
        states[sheets.INVOICES] = _invoice_state(filling, data)
    settled = {}
    for key in states:
        if f"clash-{key}" in data:
            said = data.get(f"settle-{key}", "")
            choice = Choice(said) if said in (Choice.MINE, Choice.THEIRS) else Choice.OPEN
            settled[key] = Settlement(choice, _number(data.get(f"clash-{key}")))
    shown = _shown_by(data, filling)
    states = {key: storable(state) for key, state in states.items() if shown is None or key in shown}
    return Sent(states, _number(data.get("revision")) if whole else filling.sheet.revision, settled)


def stale_page(data: Mapping[str, Any], filling: Filling) -> PolicyVersion | None:
    """The version whose questions the page shows, where that is not the one the draft stands under now."""
    known = _number(data.get("version"))
    if known in (0, filling.application.version_id):
        return None
    return PolicyVersion.objects.filter(pk=known, item_id=filling.application.item_id).first()


def _shown_by(data: Mapping[str, Any], filling: Filling) -> set[str] | None:
    """What a page of an older version can speak of: a question that it does not show, it has not left empty.

    None for a page of the version under which the draft stands.
    """
    version = stale_page(data, filling)
    if version is None:
        return None
    then, asked = judging.rules_of(version=version, now=filling.now).form, filling.rules.form
    both = [one for one in asked.fields if (was := then.get(one.key)) is not None and was.type is one.type]
    table = any(one.type is FieldType.INVOICES for one in both)
    return {one.key for one in both} | set(CONTACT_KEYS.values()) | ({sheets.INVOICES} if table else set())


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0


def _contact_states(data: Any) -> dict[str, State]:
    form = ContactForm(data)
    form.is_valid()
    states: dict[str, State] = {}
    for name, key in CONTACT_KEYS.items():
        if name not in data:
            continue
        if name in form.errors:
            raw = str(data.get(name) or "").replace("\0", "")[:200]
            states[key] = {"raw": raw, "messages": [f"{form.fields[name].label}：{t}" for t in form.errors[name]]}
        else:
            text = form.cleaned_data[name].strip()
            states[key] = {"value": text} if text else None
    return states


def _invoice_state(filling: Filling, data: Any) -> State:
    table = table_for(application=filling.application, rules=filling.rules, data=data)
    assert table is not None
    if not table.typed:
        return None
    if table.read(now=filling.now):
        invoices = read_table(rows=table.typed, now=filling.now)
        return {"value": [invoice.to_row() for invoice in invoices]}
    wrong = {fault.place.split(".")[1] for fault in table.faults if fault.place.startswith("invoice.")}
    good = [row for number, row in enumerate(table.typed, start=1) if str(number) not in wrong]
    state: dict[str, Any] = {"raw": table.typed, "messages": [fault.message for fault in table.faults]}
    try:
        rows = [invoice.to_row() for invoice in read_table(rows=good, now=filling.now)]
    except Invalid:
        rows = []
    return {**state, "value": rows} if rows else state
