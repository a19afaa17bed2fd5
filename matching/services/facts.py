"""Facts are recorded here and nowhere else: append-only, each with the day from which it held and the instant at which
it was learned.

A row is written only where it says something new: another value than the one that held on its day, or, for a fact that
has to stay fresh (`fresh_for`), the same value confirmed on a later day. The profile of today is folded anew; where it
changed, `enterprise.facts_changed` is emitted, once.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from matching.chunks import chunks
from matching.criteria import Collector, FactDefinition, Vocabulary
from matching.criteria.errors import join, shown
from matching.criteria.facts import parse_fact
from matching.days import day_of
from matching.models import Enterprise, Fact, Profile
from matching.profile import HistoryRow, fold, holding
from matching.registry import outbox
from matching.services.vocabulary import current_vocabulary

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class NewFact:
    """A fact to record: `value` is the JSON of the criteria language, None withdraws it (unknown again).

    `merge_years` lays the years of a `yearly` value over those known on `valid_on` instead of replacing them all.
    """

    enterprise_id: int
    key: str
    value: Any
    source: str
    valid_on: date
    merge_years: bool = False


@dataclass(slots=True)
class Recorded:
    """How many rows were written, and for which enterprises the profile of today changed."""

    rows: int = 0
    changed: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class StaleFact:
    """A known fact that is older than its `fresh_for`: to be warned of, never made unknown."""

    key: str
    label: str
    valid_on: date
    source: str
    warning: str


def record(
    *,
    enterprise: Enterprise,
    key: str,
    value: Any,
    source: str,
    valid_on: date,
    now: datetime,
    recorded_by: AbstractBaseUser | None = None,
) -> Recorded:
    """Record one fact. Raises InvalidInput where key or value are not of the vocabulary in force."""
    new = NewFact(enterprise.pk, key, value, source, valid_on)
    return record_many(facts=[new], now=now, recorded_by=recorded_by)


def record_many(*, facts: Iterable[NewFact], now: datetime, recorded_by: AbstractBaseUser | None = None) -> Recorded:
    """Record facts of any number of enterprises, all or none. Raises InvalidInput with every mistake.

    Places are `ENTERPRISE_ID.KEY…`. Rows of one enterprise are taken in the order given.
    """
    facts = list(facts)
    vocabulary = current_vocabulary()
    problems = Collector()
    for fact in facts:
        place = join(str(fact.enterprise_id), fact.key)
        definition = vocabulary.facts.get(fact.key)
        if definition is None:
            problems.add(place, _("词表中没有事实 %(key)s") % {"key": shown(fact.key)})
        elif fact.value is not None:
            parse_fact(fact.value, definition, vocabulary, place, problems)
        if not fact.source:
            problems.add(place, _("请写明事实的来源"))
    problems.raise_if_any()
    return store_checked(facts=facts, vocabulary=vocabulary, now=now, recorded_by=recorded_by)


@transaction.atomic
def store_checked(
    *,
    facts: Iterable[NewFact],
    vocabulary: Vocabulary,
    now: datetime,
    recorded_by: AbstractBaseUser | None = None,
    also_refresh: Iterable[int] = (),
) -> Recorded:
    """As `record_many`, for facts that were parsed by `vocabulary` already (files check line by line).

    `also_refresh` are enterprises to fold even without a new fact: those just registered.
    """
    by_enterprise: dict[int, list[NewFact]] = defaultdict(list)
    for fact in facts:
        by_enterprise[fact.enterprise_id].append(fact)
    for enterprise_id in also_refresh:
        by_enterprise.setdefault(enterprise_id, [])
    done = Recorded()
    for ids in chunks(sorted(by_enterprise), _CHUNK):
        chunk = {enterprise_id: by_enterprise[enterprise_id] for enterprise_id in ids}
        _store_chunk(chunk, vocabulary, now, recorded_by, done)
    return done


def profile_as_of(*, enterprise: Enterprise, day: date, known_at: datetime | None = None) -> dict[str, Any]:
    """The profile on `day` (Asia/Shanghai) as it was known at `known_at`; None: by all that is recorded since."""
    return fold(_history([enterprise.pk]).get(enterprise.pk, ()), day=day, known_at=known_at)


def profiles_as_of(
    *, enterprise_ids: Sequence[int], day: date, known_at: datetime | None = None, keys: Collection[str] | None = None
) -> dict[int, dict[str, Any]]:
    """As `profile_as_of`, for many enterprises in one query; of the facts named in `keys` alone, where it is given."""
    histories = _history(enterprise_ids, keys=keys)
    return {pk: fold(histories.get(pk, ()), day=day, known_at=known_at) for pk in enterprise_ids}


def stale_facts(*, enterprise: Enterprise, day: date) -> list[StaleFact]:
    """The known facts that on `day` are older than their `fresh_for`, in the order of their keys."""
    vocabulary = current_vocabulary()
    rows = Fact.objects.filter(enterprise=enterprise, valid_on__lte=day).order_by("id")
    sources: dict[int, str] = {}
    history = []
    for fact in rows:
        sources[fact.pk] = fact.source
        history.append(HistoryRow(fact.key, fact.value, fact.valid_on, fact.recorded_at, fact.pk))
    held = holding(history, day=day)
    stale = []
    for key in sorted(held):
        row, definition = held[key], vocabulary.facts.get(key)
        if row.value is None or definition is None or not _is_stale(definition, row.valid_on, day):
            continue
        warning = _("%(label)s 的数据日期为 %(day)s，已超过 %(period)s的有效期，请更新后再以此为准。") % {
            "label": definition.label,
            "day": row.valid_on.isoformat(),
            "period": definition.fresh_for,
        }
        stale.append(StaleFact(key, definition.label, row.valid_on, sources[row.order], warning))
    return stale


def _is_stale(definition: FactDefinition, valid_on: date, day: date) -> bool:
    """Whether a fact valid since `valid_on` is older than its `fresh_for` on `day`."""
    if definition.fresh_for is None:
        return False
    earliest = definition.fresh_for.before(day)
    return earliest is not None and valid_on < earliest


@transaction.atomic
def refresh_due(*, day: date, now: datetime) -> list[int]:
    """Fold in what becomes valid by `day`; returns the enterprises whose profile changed. Run twice, the second
    finds nothing."""
    due = (
        Fact.objects.filter(valid_on__lte=day, valid_on__gt=F("enterprise__profile__as_of"))
        .order_by("enterprise_id")
        .values_list("enterprise_id", flat=True)
        .distinct()
    )
    changed: list[int] = []
    vocabulary = current_vocabulary()
    for ids in chunks(list(due), _CHUNK):
        _lock(ids)
        histories = _history(ids)
        changed += _refold(ids, histories, vocabulary=vocabulary, now=now, today=day)
    Profile.objects.filter(as_of__lt=day).update(as_of=day)
    return changed


def _store_chunk(
    chunk: Mapping[int, list[NewFact]],
    vocabulary: Vocabulary,
    now: datetime,
    recorded_by: AbstractBaseUser | None,
    done: Recorded,
) -> None:
    # Two people recording for one enterprise take turns: each folds what the other wrote.
    _lock(chunk)
    histories = _history(list(chunk))
    rows: list[Fact] = []
    for enterprise_id, facts in chunk.items():
        history = histories[enterprise_id]
        order = max((row.order for row in history), default=0)
        for fact in facts:
            order += 1
            row = _new_row(fact, history, vocabulary, now, order)
            if row is None:
                continue
            history.append(row)
            rows.append(
                Fact(
                    enterprise_id=enterprise_id,
                    key=row.key,
                    value=row.value,
                    source=fact.source,
                    valid_on=row.valid_on,
                    recorded_at=row.recorded_at,
                    recorded_by_id=None if recorded_by is None else recorded_by.pk,
                )
            )
    Fact.objects.bulk_create(rows, batch_size=2000)
    done.rows += len(rows)
    done.changed += _refold(list(chunk), histories, vocabulary=vocabulary, now=now, today=day_of(now))


def _lock(enterprise_ids: Iterable[int]) -> None:
    list(Enterprise.objects.select_for_update(no_key=True).filter(pk__in=enterprise_ids).order_by("pk").values("pk"))


def _new_row(
    fact: NewFact, history: list[HistoryRow], vocabulary: Vocabulary, now: datetime, order: int
) -> HistoryRow | None:
    """The row to write, or None where it would say nothing new."""
    own = [row for row in history if row.key == fact.key]
    held = holding(own, day=fact.valid_on).get(fact.key)
    known = None if held is None else held.value
    value = fact.value
    if fact.merge_years and isinstance(value, dict) and isinstance(known, dict):
        value = {**known, **value}
    definition = vocabulary.facts[fact.key]
    if _same(known, value, definition, vocabulary):
        confirms = value is not None and definition.fresh_for is not None
        if not confirms or held is None or held.valid_on >= fact.valid_on:
            return None
        value = known  # in the writing that is known, so that the profile stays as it is
    # What is recorded later wins on its day, even where the clock of another server ran ahead.
    recorded_at = max([now, *(row.recorded_at for row in own if row.valid_on == fact.valid_on)])
    return HistoryRow(fact.key, value, fact.valid_on, recorded_at, order)


def _same(a: Any, b: Any, definition: FactDefinition, vocabulary: Vocabulary) -> bool:
    """Whether two values say the same: `"1.0"` is `1`, and records have no order."""
    if a is None or b is None:
        return a is b
    if type(a) is type(b) and a == b:
        return True
    typed = []
    for value in (a, b):
        problems = Collector()
        read = parse_fact(value, definition, vocabulary, "", problems)
        if problems.problems:  # recorded under an older vocabulary, and no longer readable
            return False
        typed.append(sorted(map(_record_identity, read)) if isinstance(read, tuple) else read)
    return bool(typed[0] == typed[1])


def _differ(before: Mapping[str, Any], after: Mapping[str, Any], vocabulary: Vocabulary) -> bool:
    """Whether two profiles say different things, in whatever writing."""
    if before == after:
        return False
    return any(
        key not in vocabulary.facts or not _same(before.get(key), after.get(key), vocabulary.facts[key], vocabulary)
        for key in before.keys() | after.keys()
        if before.get(key) != after.get(key)
    )


def _record_identity(record: Any) -> tuple[str, ...]:
    numbers = sorted((name, str(number.normalize())) for name, number in record.numbers.items())
    amount = "" if record.amount is None else str(record.amount.normalize())
    return (record.code, str(record.on), str(record.until), amount, str(numbers))


def _history(enterprise_ids: Sequence[int], *, keys: Collection[str] | None = None) -> dict[int, list[HistoryRow]]:
    histories: dict[int, list[HistoryRow]] = {pk: [] for pk in enterprise_ids}
    facts = Fact.objects.filter(enterprise_id__among=enterprise_ids)
    rows = (
        (facts if keys is None else facts.filter(key__in=keys))
        .order_by("id")
        .values_list("enterprise_id", "key", "value", "valid_on", "recorded_at", "id")
    )
    for enterprise_id, key, value, valid_on, recorded_at, pk in rows.iterator(chunk_size=5000):
        histories[enterprise_id].append(HistoryRow(key, value, valid_on, recorded_at, pk))
    return histories


def _refold(
    enterprise_ids: Sequence[int],
    histories: Mapping[int, Sequence[HistoryRow]],
    *,
    vocabulary: Vocabulary,
    now: datetime,
    today: date,
) -> list[int]:
    """Bring the profiles to `today`; returns the enterprises whose profile is new or changed, each announced once."""
    profiles = Profile.objects.in_bulk(enterprise_ids)
    created: list[Profile] = []
    updated: list[Profile] = []
    moved: list[Profile] = []
    for enterprise_id in enterprise_ids:
        profile = profiles.get(enterprise_id)
        day = today if profile is None else max(today, profile.as_of)
        facts = fold(histories[enterprise_id], day=day)
        if profile is None:
            created.append(
                Profile(enterprise_id=enterprise_id, facts=facts, revision=1, updated_at=now, as_of=day),
            )
        elif _differ(profile.facts, facts, vocabulary):
            profile.facts, profile.updated_at, profile.as_of = facts, now, day
            profile.revision += 1
            updated.append(profile)
        elif profile.as_of < day:
            profile.as_of = day
            moved.append(profile)
    Profile.objects.bulk_create(created)
    Profile.objects.bulk_update(updated, ["facts", "revision", "updated_at", "as_of"], batch_size=200)
    Profile.objects.bulk_update(moved, ["as_of"], batch_size=500)
    changed = created + updated
    outbox.emit_many(
        topic="enterprise.facts_changed",
        messages=[
            (
                {"enterprise_id": profile.enterprise_id, "revision": profile.revision},
                f"enterprise.facts_changed:{profile.enterprise_id}:{profile.revision}",
            )
            for profile in changed
        ],
        now=now,
    )
    return [profile.enterprise_id for profile in changed]
