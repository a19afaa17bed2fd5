"""The evidence library read: what an enterprise has, what an item may take from it, where it is used, and which
materials need no paper because data says the same."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet

from disbursement.domain.workflow import ApplicationState
from disbursement.models import (
    Application,
    Evidence,
    EvidenceSource,
    EvidenceVersion,
    Material,
    MaterialFlag,
    ScanState,
    StoredFile,
)
from disbursement.selectors.forms import Rules, material_rules
from matching.criteria import Scope, leaves
from matching.models import Fact, PolicyItem, PolicyVersion

# Days before the end of validity from which the enterprise is warned.
WARN_DAYS = 30
# Where an application stands decided, a change of its certificates changes nothing any more.
DECIDED = frozenset(
    {
        ApplicationState.NOT_ACCEPTED,
        ApplicationState.APPROVED,
        ApplicationState.REJECTED,
        ApplicationState.REJECTION_UPHELD,
        ApplicationState.WITHDRAWN,
        ApplicationState.REVOKED,
        ApplicationState.CLOSED,
    }
)
LIBRARY = "library"
# What an enterprise says of itself is no proof, whatever the vocabulary calls its source.
_OWN_WORD = frozenset({"企业填报", "申报表"})


def kinds() -> dict[str, str]:
    """What the listed items take from the library: name by code, in the order of names."""
    found: dict[str, str] = {}
    items = PolicyItem.objects.filter(is_listed=True, current_version__isnull=False).select_related("current_version")
    for item in items.order_by("pk"):
        assert item.current_version is not None
        for rule in material_rules(version=item.current_version):
            if rule.origin == LIBRARY:
                found.setdefault(rule.code, rule.name)
    return dict(sorted(found.items(), key=lambda pair: pair[1]))


def latest_versions() -> QuerySet[EvidenceVersion]:
    """The version in use of each certificate, with its certificate and file."""
    newer = EvidenceVersion.objects.filter(evidence=OuterRef("evidence"), seq__gt=OuterRef("seq"))
    return EvidenceVersion.objects.filter(~Exists(newer)).select_related("evidence__department", "stored")


@dataclass(frozen=True, slots=True)
class Entry:
    """One certificate as the library shows it on a day."""

    evidence: Evidence
    version: EvidenceVersion
    day: date

    @property
    def days_left(self) -> int | None:
        """Days until it ends, today not counted; None where it does not end."""
        until = self.version.valid_until
        return None if until is None else (until - self.day).days

    @property
    def state(self) -> str:
        """withdrawn, infected, waiting, expired, early, expiring or valid."""
        if self.evidence.withdrawn_at is not None:
            return "withdrawn"
        if not self.version.stored.may_be_opened:
            return "infected" if self.version.stored.scan == ScanState.INFECTED else "waiting"
        if self.version.issued_on > self.day:
            return "early"
        left = self.days_left
        if left is None:
            return "valid"
        return "expired" if left < 0 else "expiring" if left <= WARN_DAYS else "valid"

    @property
    def is_usable(self) -> bool:
        return self.state in {"valid", "expiring"}


def library(*, enterprise_id: int, day: date, with_withdrawn: bool = True) -> list[Entry]:
    """All certificates of an enterprise, what needs attention first."""
    found = latest_versions().filter(evidence__enterprise_id=enterprise_id)
    if not with_withdrawn:
        found = found.filter(evidence__withdrawn_at__isnull=True)
    entries = [Entry(version.evidence, version, day) for version in found]
    rank = {"infected": 0, "expired": 1, "expiring": 2, "waiting": 3, "early": 4, "valid": 5, "withdrawn": 6}
    return sorted(entries, key=lambda e: (rank[e.state], e.evidence.kind_name, -e.evidence.pk))


def usable(*, enterprise_id: int, day: date, kinds: Collection[str]) -> dict[str, list[Entry]]:
    """By kind, the certificates that may be handed in on this day, the best first: what a department registered before
    what the enterprise put there, then the one issued last."""
    found = latest_versions().filter(
        evidence__enterprise_id=enterprise_id, evidence__kind__in=kinds, evidence__withdrawn_at__isnull=True
    )
    by_kind: dict[str, list[Entry]] = {}
    for version in found:
        entry = Entry(version.evidence, version, day)
        if entry.is_usable:
            by_kind.setdefault(version.evidence.kind, []).append(entry)
    for entries in by_kind.values():
        entries.sort(
            key=lambda e: (e.evidence.source == EvidenceSource.ATTESTED, e.version.issued_on, e.version.given_at),
            reverse=True,
        )
    return by_kind


def staleness(*, version: EvidenceVersion, day: date) -> str:
    """Why a version is no longer the one to hand in (`MaterialFlagReason`), or empty."""
    evidence = version.evidence
    if version.stored.scan == ScanState.INFECTED:
        return "infected"
    if evidence.withdrawn_at is not None:
        return "withdrawn"
    if evidence.versions.filter(seq__gt=version.seq).exists():
        return "replaced"
    return "" if version.is_valid_on(day) else "expired"


def codes_there(*, application: Application, day: date) -> set[str]:
    """Codes of the materials of an application for which there is a file that may be handed in on this day."""
    live = Material.objects.filter(application=application, replaced_at__isnull=True)
    infected = set(
        StoredFile.objects.filter(sha256__in=live.values("sha256"), scan=ScanState.INFECTED).values_list(
            "sha256", flat=True
        )
    )
    return {
        material.code
        for material in live.select_related("evidence_version__evidence", "evidence_version__stored")
        if material.sha256 not in infected
        and (material.evidence_version is None or not staleness(version=material.evidence_version, day=day))
    }


def promised_codes(*, application: Application, version: PolicyVersion) -> set[str]:
    """Codes of the materials for which a promise stands in: signed, and offered by the version in these very words."""
    offered = {(rule.code, rule.promise) for rule in material_rules(version=version) if rule.promise}
    return {
        promise.material_code
        for promise in application.promises.all()
        if (promise.material_code, promise.text) in offered
    }


def uses(*, evidence: Evidence) -> list[Material]:
    """Every application that took a version of the certificate, the latest first."""
    found = Material.objects.filter(evidence_version__evidence=evidence).select_related(
        "application__item", "evidence_version"
    )
    return list(found.order_by("-pk"))


def open_flags(*, application_id: int) -> list[MaterialFlag]:
    """What happened to certificates of an application and nobody has settled yet."""
    found = MaterialFlag.objects.filter(material__application_id=application_id, settled_at__isnull=True)
    return list(found.select_related("material__evidence_version__evidence"))


@dataclass(frozen=True, slots=True)
class Verified:
    """One fact that says what a material would prove: its label, who says so, since when."""

    label: str
    source: str
    valid_on: date


def verified_by_data(
    *, version: PolicyVersion, rules: Rules, enterprise_id: int, day: date
) -> dict[str, list[Verified]]:
    """Materials that need no paper on this day (数据核验，免提交), by code, with the facts that speak for them.

    A material is covered where conditions name it as evidence, and each fact of these conditions is known of the
    enterprise from a trusted source (its authority, or one of `HUIDA_TRUSTED_SOURCES`) and no older than its
    `fresh_for`. Facts that the application's form asks for cover nothing: the enterprise says them itself.
    """
    brought = {rule.code for rule in material_rules(version=version) if not rule.is_typed}
    wanted: dict[str, set[str]] = {}
    for leaf in leaves(rules.tree):
        other = getattr(leaf, "percent_of", None)
        for code in leaf.evidence:
            if code in brought:
                wanted.setdefault(code, set()).update(key for key in (leaf.fact, other) if key is not None)
    keys = {key for needed in wanted.values() for key in needed}
    known = trusted_facts(keys=keys, rules=rules, enterprise_id=enterprise_id, day=day)
    return {
        code: [known[key] for key in sorted(needed)]
        for code, needed in wanted.items()
        if all(key in known for key in needed)
    }


def trusted_facts(*, keys: Iterable[str], rules: Rules, enterprise_id: int, day: date) -> dict[str, Verified]:
    """Those of the facts that are known of the enterprise from a trusted source and are no older than their
    `fresh_for` on a day (Asia/Shanghai), by key. What only a form tells is never among them. One query.
    """
    definitions = rules.vocabulary.facts
    asked = [key for key in keys if key in definitions and definitions[key].scope is Scope.ENTERPRISE]
    latest: dict[str, Fact] = {}
    rows = Fact.objects.filter(enterprise_id=enterprise_id, key__in=asked, valid_on__lte=day)
    for fact in rows.order_by("valid_on", "recorded_at", "pk"):
        latest[fact.key] = fact
    found = {}
    for key, fact in latest.items():
        definition = definitions[key]
        trusted = {definition.source, *settings.HUIDA_TRUSTED_SOURCES} - _OWN_WORD
        if fact.value is None or fact.source not in trusted:
            continue
        earliest = None if definition.fresh_for is None else definition.fresh_for.before(day)
        if earliest is None or fact.valid_on >= earliest:
            found[key] = Verified(definition.label, fact.source, fact.valid_on)
    return found


def ending_soon(*, day: date) -> QuerySet[EvidenceVersion]:
    """Versions in use that end within `WARN_DAYS`, or have ended."""
    return latest_versions().filter(
        evidence__withdrawn_at__isnull=True, valid_until__lte=day + timedelta(days=WARN_DAYS)
    )
