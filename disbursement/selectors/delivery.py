"""An item's way of delivery, read: its terms, the lane of an application, what data proves, and how promises fared."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery

from disbursement.domain.delivery import Lane, OfferState, Unproved
from disbursement.models import (
    Application,
    LaneChoice,
    MachineVerification,
    Offer,
    PassedOver,
    Payable,
    QualityCheck,
    TimePromise,
)
from disbursement.selectors.evidence import trusted_facts
from disbursement.selectors.forms import Rules
from matching import delivery_terms
from matching.criteria import Scope
from matching.delivery_terms import Terms
from matching.models import Match, PolicyItem, PolicyVersion, Verdict


def terms_of(*, version: PolicyVersion) -> Terms | None:
    """The terms of delivery that a version names; None where its way of delivery is a name only."""
    return delivery_terms.read(version.rules)


def audit_share(*, terms: Terms | None) -> int:
    """The share in % of an item's decisions by machine that people audit: the item's own, or the site's."""
    if terms is None or terms.audit_share is None:
        return int(settings.HUIDA_MACHINE_SHARE)
    return terms.audit_share


def lane_of(*, application: Application) -> LaneChoice | None:
    """The lane that counts; None where the item offers none and the application goes the ordinary way."""
    return LaneChoice.objects.filter(application=application).order_by("-seq").first()


def lanes_of(*, application_ids: Collection[int]) -> dict[int, LaneChoice]:
    """The lanes of many applications, by id. One query."""
    latest = LaneChoice.objects.filter(application=OuterRef("application")).order_by("-seq").values("pk")[:1]
    rows = LaneChoice.objects.filter(application__in=application_ids, pk=Subquery(latest))
    return {row.application_id: row for row in rows}


def open_promises(*, application_ids: Collection[int]) -> dict[int, TimePromise]:
    """Promises of time not yet settled, by application. One query."""
    rows = TimePromise.objects.filter(application__in=application_ids, ended_on__isnull=True)
    return {row.application_id: row for row in rows}


@dataclass(frozen=True, slots=True)
class Proofs:
    """Which of the facts that matter are proved by data, and which are not and why."""

    proved: tuple[dict[str, str], ...]
    unproved: tuple[Unproved, ...]


def proofs_of(*, terms: Terms, rules: Rules, facts: Iterable[str], enterprise_id: int, day: date) -> Proofs:
    """What data proves of `facts` (those that a judgement saw) on a day in Asia/Shanghai, as the terms ask for it.

    Without a list of its own the item asks that every fact be proved on which the verdict and the amount stand.
    """
    needed = list(terms.verified or facts)
    known = trusted_facts(keys=needed, rules=rules, enterprise_id=enterprise_id, day=day)
    proved, unproved = [], []
    for key in needed:
        definition = rules.vocabulary.facts.get(key)
        label = key if definition is None else definition.label
        found = known.get(key)
        if found is not None:
            told = {"fact": key, "label": label, "source": found.source, "valid_on": found.valid_on.isoformat()}
            proved.append(told)
        elif definition is not None and definition.scope is Scope.APPLICATION:
            unproved.append(Unproved(label, "这是申报表填写的内容"))
        else:
            unproved.append(Unproved(label, "没有来自主管部门或共享平台的、仍在有效期内的数据"))
    return Proofs(tuple(proved), tuple(unproved))


@dataclass(frozen=True, slots=True)
class Figures:
    """One item's way of delivery in figures. `found` are the enterprises that the criteria call eligible today."""

    item: PolicyItem
    terms: Terms
    found: int
    offers: dict[str, int]
    passed_over: int
    by_machine: int
    fallen: int
    fast: int
    ordinary: int
    audited: int
    audit_open: int
    faulty: int
    honoured: Honoured | None

    @property
    def answered_percent(self) -> int | None:
        """Of the offers that stand or stood, how many % were consented to; None where there was none."""
        total = sum(self.offers.values()) - self.offers.get(OfferState.WITHDRAWN, 0)
        return 100 * self.offers.get(OfferState.CONSENTED, 0) // total if total else None


@dataclass(frozen=True, slots=True)
class Honoured:
    """Promises of time: how many were settled, kept within their limit, broken, and paid in the month promised."""

    settled: int
    kept: int
    open: int
    overdue: int
    paid: int
    paid_in_time: int

    @property
    def percent(self) -> int | None:
        """The share kept, in whole %; None where none is settled. What is overdue now counts as broken."""
        total = self.settled + self.overdue
        return 100 * self.kept // total if total else None


def items_with_terms(*, department_ids: Collection[int] | None = None) -> list[PolicyItem]:
    """Listed items whose version in force names terms of delivery, by code."""
    found = PolicyItem.objects.filter(is_listed=True, current_version__isnull=False)
    if department_ids is not None:
        found = found.filter(department_id__in=department_ids)
    items = found.select_related("current_version", "department").order_by("code")
    return [item for item in items if _terms(item) is not None]


def figures(*, items: Sequence[PolicyItem], year: int) -> list[Figures]:
    """What became of each item's way of delivery in a calendar year. The number of queries is fixed."""
    ids = [item.pk for item in items]
    versions = {item.current_version_id: item.pk for item in items}
    found = _counts(
        Match.objects.filter(version__in=versions, verdict=Verdict.ELIGIBLE)
        .values_list("version__item")
        .annotate(n=Count("pk"))
    )
    offers: dict[int, dict[str, int]] = {}
    rows = Offer.objects.filter(item__in=ids, year=year).order_by().values_list("item", "state").annotate(n=Count("pk"))
    for item_id, state, number in rows:
        offers.setdefault(item_id, {})[state] = number
    over = _counts(
        PassedOver.objects.filter(item__in=ids, year=year).order_by().values_list("item").annotate(n=Count("pk"))
    )
    verified = MachineVerification.objects.filter(application__item__in=ids, made_at__year=year).order_by()
    by_item = verified.values_list("application__item").annotate(
        acted=Count("pk", filter=Q(passed=True)), fell=Count("pk", filter=Q(passed=False))
    )
    machine = {item_id: (acted, fell) for item_id, acted, fell in by_item}
    latest = LaneChoice.objects.filter(application=OuterRef("application")).order_by("-seq").values("pk")[:1]
    lanes: dict[int, dict[str, int]] = {}
    chosen = LaneChoice.objects.filter(application__item__in=ids, at__year=year, pk=Subquery(latest)).order_by()
    for item_id, lane, number in chosen.values_list("application__item", "lane").annotate(n=Count("pk")):
        lanes.setdefault(item_id, {})[lane] = number
    checks = QualityCheck.objects.filter(
        application__item__in=ids, application__verification__decides=True, promise__isnull=True, draw__month__year=year
    ).order_by()
    audits = {
        item_id: (done, waiting, wrong)
        for item_id, done, waiting, wrong in checks.values_list("application__item").annotate(
            done=Count("pk", filter=Q(checked_at__isnull=False)),
            waiting=Count("pk", filter=Q(checked_at__isnull=True)),
            wrong=Count("pk", filter=Q(finding="serious")),
        )
    }
    promised = _honoured_by_item(ids, year)
    told = []
    for item in items:
        terms = _terms(item)
        assert terms is not None
        acted, fell = machine.get(item.pk, (0, 0))
        done, waiting, wrong = audits.get(item.pk, (0, 0, 0))
        told.append(
            Figures(
                item=item,
                terms=terms,
                found=found.get(item.pk, 0),
                offers=offers.get(item.pk, {}),
                passed_over=over.get(item.pk, 0),
                by_machine=acted,
                fallen=fell,
                fast=lanes.get(item.pk, {}).get(Lane.FAST, 0),
                ordinary=lanes.get(item.pk, {}).get(Lane.ORDINARY, 0),
                audited=done,
                audit_open=waiting,
                faulty=wrong,
                honoured=promised.get(item.pk),
            )
        )
    return told


def _honoured_by_item(ids: Collection[int], year: int) -> dict[int, Honoured]:
    rows = TimePromise.objects.filter(application__item__in=ids, promised_on__year=year).order_by()
    counted = rows.values_list("application__item").annotate(
        settled=Count("pk", filter=Q(kept__isnull=False)),
        kept=Count("pk", filter=Q(kept=True)),
        open=Count("pk", filter=Q(ended_on__isnull=True, broken_on__isnull=True)),
        overdue=Count("pk", filter=Q(ended_on__isnull=True, broken_on__isnull=False)),
    )
    first = Payable.objects.filter(application__time_promise__in=rows, number=1, state__in=["paid", "settled"])
    paid = {
        item_id: (number, in_time)
        for item_id, number, in_time in first.order_by()
        .values_list("application__item")
        .annotate(n=Count("pk"), t=Count("pk", filter=Q(pay_month__lte=F("application__time_promise__pay_month"))))
    }
    return {
        item_id: Honoured(settled, kept, still, late, *paid.get(item_id, (0, 0)))
        for item_id, settled, kept, still, late in counted
    }


def _terms(item: PolicyItem) -> Terms | None:
    return None if item.current_version is None else terms_of(version=item.current_version)


def _counts(rows: Any) -> dict[int, int]:
    return dict(rows)


def open_offers(*, enterprise_id: int, day: date) -> QuerySet[Offer]:
    """What waits for the enterprise's answer on a day (Asia/Shanghai), the nearest last day first."""
    found = Offer.objects.filter(enterprise_id=enterprise_id, state=OfferState.OPEN, last_day__gte=day)
    return found.select_related("item__department").order_by("last_day", "pk")


def shown_amounts(*, offer_ids: Collection[int]) -> dict[int, Decimal]:
    """What offers show at present, in 元, by offer. One query."""
    rows = Offer.objects.filter(pk__in=offer_ids, editions__seq=F("edition"))
    return dict(rows.values_list("pk", "editions__amount"))
