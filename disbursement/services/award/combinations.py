"""What competes for one enterprise this year, the best lawful combination of it, and the enterprise's choice.

Competing are items that exclude each other, share a cap that could bind, or stand on the same invoice or contract:
those applied for and not decided, in the order of their submission, then drafts and items that fit and are not applied
for. The amounts are those of the rules as known today; a range counts with its upper end, and says so.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F

from disbursement.domain import caps, money
from disbursement.domain.actors import Actor
from disbursement.domain.combination import (
    Bar,
    Cap,
    Combination,
    LeftOut,
    Option,
    Paper,
    Problem,
    best,
    competing,
    left_out,
    payments,
    unlawful,
)
from disbursement.domain.errors import Denied, Fault, Invalid, invalid
from disbursement.domain.invoices import Invoice
from disbursement.domain.payables import Earlier
from disbursement.domain.workflow import ApplicationState
from disbursement.models import Application, Choice
from disbursement.selectors.caps import Limit, Position, caps_of, limits_in_force, position_of
from disbursement.selectors.choices import latest_choice
from disbursement.selectors.invoices import papers_of, table_of
from disbursement.selectors.papers import keys_of
from disbursement.services.application import judging
from disbursement.services.application.applications import withdraw
from disbursement.services.award.history import beside_granted, rivals_of
from disbursement.services.payment.transitions import person
from matching.days import day_of
from matching.models import Enterprise, Match, PolicyItem, PolicyVersion, Verdict

_S = ApplicationState
_GONE = (
    *(_S.WITHDRAWN, _S.NOT_ACCEPTED, _S.REJECTED, _S.REJECTION_UPHELD, _S.REVOKED),
    *(_S.APPROVED, _S.CLOSED),
)
# More items than this are not compared at once: the newest matches are left out, and the page says so.
MOST_OPTIONS = 40


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item that competes: with the application for it, if there is one, and what its rules would pay, in 元."""

    item: PolicyItem
    version: PolicyVersion
    application: Application | None
    amount: Decimal
    is_estimate: bool
    rivals: Sequence[Earlier] = ()  # what exclusive items paid already, and this one would only add to

    @property
    def key(self) -> str:
        return self.item.code

    @property
    def before(self) -> Decimal:
        return money.total(each.amount for each in self.rivals)

    @property
    def is_applied(self) -> bool:
        return self.application is not None and self.application.state != _S.DRAFT


@dataclass(frozen=True, slots=True)
class Comparison:
    """What competes, the best of it, and why the rest is out. `unknown` compete too, but what they pay is not known."""

    year: int
    candidates: list[Candidate]
    problem: Problem
    best: Combination
    out: list[LeftOut]
    unknown: list[PolicyItem]
    choice: Choice | None
    left_aside: int = 0

    def candidate(self, key: str) -> Candidate:
        return next(candidate for candidate in self.candidates if candidate.key == key)


@dataclass(slots=True)
class _Found:
    candidates: list[Candidate] = field(default_factory=list)
    unknown: list[PolicyItem] = field(default_factory=list)


def compare(*, enterprise: Enterprise, now: datetime, extra: Collection[str] = ()) -> Comparison:
    """What competes for the enterprise now, and the best of it. Changes nothing.

    `extra` names items that are compared even if they do not fit yet (one that is being looked at).
    """
    today = day_of(now)
    limits = limits_in_force(year=today.year)
    position = position_of(enterprise=enterprise, as_of=today)
    found = _Found()
    seen: set[str] = set()
    for version, application in _sources(enterprise, extra=extra):
        if version.item.code not in seen:
            seen.add(version.item.code)
            _take(found, version=version, application=application, enterprise=enterprise, now=now)
    candidates = [_beside_granted(c, limits=limits, position=position) for c in found.candidates]
    candidates = [c for c in candidates if c.amount > 0]
    kept = candidates[:MOST_OPTIONS]
    problem = competing(_problem(kept, enterprise=enterprise, limits=limits, position=position))
    keys = {option.key for option in problem.options}
    chosen = best(problem) or Combination({})
    return Comparison(
        year=today.year,
        candidates=[c for c in kept if c.key in keys],
        problem=problem,
        best=chosen,
        out=left_out(problem, chosen),
        unknown=found.unknown,
        choice=latest_choice(enterprise_id=enterprise.pk, year=today.year),
        left_aside=len(candidates) - len(kept),
    )


def try_out(*, comparison: Comparison, taken: Collection[str]) -> tuple[Combination, list[str]]:
    """What these would pay together, and what is wrong with them, for people (empty: lawful)."""
    known = {option.key for option in comparison.problem.options}
    wrong = [f"“{key}”不在可比选的事项中。" for key in taken if key not in known]
    return Combination(payments(comparison.problem, taken)), wrong + unlawful(comparison.problem, taken)


@transaction.atomic
def choose(*, enterprise_id: int, taken: Sequence[str], give_up: bool, actor: Actor, now: datetime) -> Choice:
    """Record which of what competes the enterprise takes (item codes); approval obeys it from now on.

    Applications for what it gives up, not decided yet, are withdrawn with it where `give_up` says so; else they stay,
    and are not approved while the choice stands. A later choice takes its place.
    Raises Denied, Invalid.
    """
    if not actor.acts_for(enterprise_id):
        raise Denied("没有这家企业的授权，不能代为选择。")
    # In the order in which an approval takes them: a choice comes before an approval or after it, never beside it.
    live = Application.objects.select_for_update(no_key=True).filter(enterprise=enterprise_id)
    list(live.exclude(state__in=[state.value for state in _GONE]).order_by("pk").values_list("pk", flat=True))
    enterprise = Enterprise.objects.select_for_update().get(pk=enterprise_id)
    comparison = compare(enterprise=enterprise, now=now)
    if not comparison.problem.options:
        raise invalid("taken", "现在没有需要选择的事项。已审核通过的不能再改选。")
    chosen, wrong = try_out(comparison=comparison, taken=taken)
    if wrong:
        raise Invalid([Fault("taken", text) for text in wrong])
    if not chosen.paid:
        raise invalid("taken", "请至少选择一项。")
    out = left_out(comparison.problem, chosen)
    choice = Choice.objects.create(
        enterprise=enterprise,
        year=comparison.year,
        taken=[_row(comparison, key, amount) for key, amount in chosen.paid.items()],
        given_up=[
            {
                **_row(comparison, each.option.key, each.option.amount),
                "reasons": each.reasons,
                "cost": f"{each.cost:.2f}",
                "for": _rivals(comparison.problem, each.option.key, chosen.paid),
            }
            for each in out
            if each.option.key not in taken and _rivals(comparison.problem, each.option.key, chosen.paid)
        ],
        total=chosen.total,
        best=comparison.best.total,
        proven=comparison.best.proven,
        made_by_id=person(actor),
        made_at=now,
    )
    if give_up:
        for row in choice.given_up:
            candidate = comparison.candidate(row["item"])
            if candidate.is_applied and candidate.application is not None:
                withdraw(application_id=candidate.application.pk, actor=actor, now=now)
    return choice


def _rivals(problem: Problem, key: str, taken: Collection[str]) -> list[str]:
    """The taken options that stand against this one: by a bar, or by a paper that does not suffice for both."""
    found = []
    for other in taken:
        if other != key and unlawful(problem, [key, other]):
            found.append(other)
    if not found and unlawful(problem, [key, *taken]):
        found = [other for other in taken if other != key]
    return found


def _row(comparison: Comparison, key: str, amount: Decimal) -> dict[str, Any]:
    candidate = comparison.candidate(key)
    return {
        "item": key,
        "application": None if candidate.application is None else candidate.application.pk,
        "label": candidate.item.name,
        "amount": f"{amount:.2f}",
    }


def _sources(enterprise: Enterprise, *, extra: Collection[str]) -> list[tuple[PolicyVersion, Application | None]]:
    """Applications not decided, submitted ones first; then what fits and is not applied for."""
    found: list[tuple[PolicyVersion, Application | None]] = []
    related = ("item", "version__vocabulary", "version__item", "enterprise")
    live = Application.objects.filter(enterprise=enterprise).exclude(state__in=[state.value for state in _GONE])
    ordered = live.select_related(*related).order_by(F("submitted_at").asc(nulls_last=True), "pk")
    found += [(application.version, application) for application in ordered]
    fits = Match.objects.filter(
        enterprise=enterprise, version__item__is_listed=True, version__item__current_version=F("version")
    ).filter(verdict__in=[Verdict.ELIGIBLE, Verdict.UNDETERMINED])
    found += [
        (match.version, None)
        for match in fits.select_related("version__item", "version__vocabulary").order_by("-verdict", "pk")
        if match.verdict == Verdict.ELIGIBLE or match.form_only
    ]
    asked = PolicyItem.objects.filter(code__in=extra, current_version__isnull=False)
    for item in asked.select_related("current_version__vocabulary"):
        version = item.current_version
        assert version is not None
        version.item = item
        found.append((version, None))
    return found


def _take(
    found: _Found, *, version: PolicyVersion, application: Application | None, enterprise: Enterprise, now: datetime
) -> None:
    if not version.rules.get("award"):
        return
    try:
        if application is not None and application.submitted_at is not None:
            told = judging.assess(application=application, now=now)
        else:
            form = {} if application is None else application.form
            told = judging.rehearse(version=version, enterprise=enterprise, form=form, now=now)
    except Invalid:
        found.unknown.append(version.item)
        return
    figures = told.result["estimate"]
    if figures is None or figures["high"] is None or not money.fits(figures["high"]):
        found.unknown.append(version.item)
        return
    high = money.money(figures["high"])
    if high > 0:
        is_estimate = figures["low"] != figures["high"]
        found.candidates.append(Candidate(version.item, version, application, high, is_estimate))


def _beside_granted(candidate: Candidate, *, limits: Sequence[Limit], position: Position) -> Candidate:
    """What the item would still add to what was granted of items that exclude it (the difference, 补差)."""
    award = candidate.version.rules.get("award") or {}
    rivals = rivals_of(code=candidate.key, award=award, limits=limits, position=position)
    granted = beside_granted(
        computed=candidate.amount, code=candidate.key, award=award, rivals=rivals, limits=limits, position=position
    )
    return replace(candidate, amount=granted.amount, rivals=rivals)


def _problem(
    candidates: Sequence[Candidate], *, enterprise: Enterprise, limits: Sequence[Limit], position: Position
) -> Problem:
    tables = {c.key: [] if c.application is None else table_of(application=c.application) for c in candidates}
    everything = [invoice for table in tables.values() for invoice in table]
    used = papers_of(everything, application=None)
    keys_by_invoice = keys_of(everything)

    def place(invoice: Invoice) -> str:
        return f"{invoice.kind}:{keys_by_invoice[invoice][0]}"

    options = [
        Option(
            c.key,
            c.item.name,
            c.amount,
            {place(invoice): invoice.used for invoice in tables[c.key]},
        )
        for c in candidates
    ]
    papers = {
        place(invoice): Paper(
            place(invoice),
            invoice.label,
            invoice.amount if (known := used.get((invoice.kind, invoice.key))) is None else known.left,
        )
        for invoice in everything
    }
    bars = _bars(candidates, limits=limits)
    shared = [_cap(cap, candidates) for limit in limits for cap in caps_of(limit=limit, position=position)[0]]
    return Problem(options, bars, [cap for cap in shared if cap.members], list(papers.values()))


def _cap(cap: caps.Cap, candidates: Sequence[Candidate]) -> Cap:
    """A declared cap over what competes: what the rivals of a candidate were paid outside it stands beside each."""
    inside = [c for c in candidates if cap.covers(c.key)]
    outside = {c.key: money.total(each.amount for each in c.rivals if not cap.covers(each.item)) for c in inside}
    return Cap(cap.label, frozenset(outside), cap.room, outside)


def _bars(candidates: Sequence[Candidate], *, limits: Sequence[Limit]) -> list[Bar]:
    keys = {c.key for c in candidates}
    bars: dict[frozenset[str], Bar] = {}
    for candidate in candidates:
        for other in (candidate.version.rules.get("award") or {}).get("exclusive_with") or []:
            pair = frozenset({candidate.key, other})
            if other in keys and len(pair) > 1:
                bars.setdefault(pair, Bar("就高不重复", pair))
    for limit in limits:
        group = frozenset(key for key in keys if limit.covers(key))
        if limit.declared.is_exclusive and len(group) > 1:
            bars.setdefault(group, Bar(f"就高不重复（{limit.declared.name}）", group))
    return list(bars.values())
