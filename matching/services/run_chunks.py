"""One chunk of a run: its enterprises judged, their rows brought up to date, those that fit told, all in one commit."""

from __future__ import annotations

import logging
import traceback
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import JSONObject

from matching import bulk, locks
from matching.backends.base import Listed
from matching.backends.base import Match as Found
from matching.backends.registry import create_backend
from matching.criteria import Facts
from matching.days import day_of
from matching.models import ChunkState, Match, MatchChange, MatchChunk, MatchRun, PolicyVersion, Profile, PushCause
from matching.services import runs
from matching.services.comparing import Comparison, facts_needed
from matching.services.listed import known_facts, readable
from matching.services.matches import NEAR, Tally, write_matches
from matching.services.run_planning import is_open
from matching.services.vocabulary import current_vocabulary

logger = logging.getLogger(__name__)

KILLED = "处理这一段的进程中断，没有留下原因（可能内存不足或被强行终止）。"
"""What is noted of an attempt that ended without a word."""

_Piece = list[tuple[int, Facts, list[Found]]]


def work_on_next(*, run_id: int, now: datetime) -> bool:
    """Take a chunk of a run that nobody has in hand, and do it; False where none waits.

    What goes wrong undoes the chunk, is kept with it, and is tried again later, up to `runs.MOST_ATTEMPTS` times. A
    worker that is killed says nothing: so each attempt is counted before it begins.
    """
    chunk_id = _take(run_id=run_id, now=now)
    done = None
    if chunk_id is not None:
        try:
            done = _carry_out(run_id=run_id, now=now, chunk_id=chunk_id)
        except Exception:  # whatever it was, it must be seen on the run's page, and other chunks go on
            logger.exception("chunk %s of match run %s failed", chunk_id, run_id)
            _failed(chunk_id, error=traceback.format_exc()[-4000:], now=now)
            done = Tally()
    runs.settle(run_id=run_id, now=now)
    return done is not None


def carry_out_next(*, run_id: int, now: datetime) -> Tally | None:
    """Do a chunk that nobody has in hand, and say what that did; None where none waits.

    Raises what goes wrong; then nothing was done.
    """
    return _carry_out(run_id=run_id, now=now)


@transaction.atomic
def _take(*, run_id: int, now: datetime) -> int | None:
    """The id of a chunk that waits, its attempt counted; None where none waits. What was tried too often has failed:
    whoever tried it last did not live to say so.
    """
    while (chunk := _waiting(run_id=run_id, now=now)) is not None:
        if chunk.attempts < runs.MOST_ATTEMPTS:
            if chunk.attempts and not chunk.error:
                chunk.error = KILLED
            chunk.attempts += 1
            chunk.save(update_fields=["attempts", "error"])
            return chunk.pk
        chunk.state, chunk.error = ChunkState.FAILED, chunk.error or KILLED
        chunk.save(update_fields=["state", "error"])
    return None


def _waiting(*, run_id: int, now: datetime, chunk_id: int | None = None) -> MatchChunk | None:
    """A chunk that waits and that nobody has locked, locked: that one, or the least tried of the run."""
    found = MatchChunk.objects.select_for_update(
        skip_locked=connection.features.has_select_for_update_skip_locked, of=("self",)
    ).filter(run=run_id, state=ChunkState.PENDING, due_at__lte=now)
    return (found if chunk_id is None else found.filter(pk=chunk_id)).order_by("attempts", "pk").first()


@transaction.atomic
def _carry_out(*, run_id: int, now: datetime, chunk_id: int | None = None) -> Tally | None:
    locks.matching_together()
    chunk = _waiting(run_id=run_id, now=now, chunk_id=chunk_id)
    if chunk is None:
        # Where one was taken, another worker was faster: others may wait.
        return None if chunk_id is None else Tally()
    run = MatchRun.objects.select_related("version__item", "replaced").get(pk=run_id)
    if not run.is_alive:
        return None
    if runs.is_void(run):
        runs.supersede(item_id=run.item_id, now=now)
        return None
    # A run that goes on past midnight must not bring back what the night has found otherwise.
    tally = _judge(chunk, run, as_of=max(run.as_of, day_of(now)), now=now)
    for name, number in asdict(tally).items():
        setattr(chunk, name, number)
    chunk.state, chunk.done_at, chunk.error = ChunkState.DONE, now, ""
    chunk.candidates = None if chunk.candidates is None else []
    chunk.save()
    return tally


def _judge(chunk: MatchChunk, run: MatchRun, *, as_of: date, now: datetime) -> Tally:
    vocabulary = current_vocabulary()
    listed = _open_rules(run.version, as_of)
    comparison, needed = None, facts_needed(listed.criteria) if listed else frozenset()
    if run.replaced is not None:
        old = _open_rules(run.replaced, as_of)
        comparison = Comparison(
            old.criteria if old else None, listed.criteria if listed else None, as_of=as_of, vocabulary=vocabulary
        )
        needed |= comparison.facts_needed
    typed = [
        (pk, known_facts(facts=facts, vocabulary=vocabulary)) for pk, facts in _locked_profiles(chunk, run, needed)
    ]
    piece = _matched(listed, typed, as_of=as_of)
    removed = 0
    earlier = list(
        PolicyVersion.objects.filter(item=run.item_id).exclude(pk=run.version_id).values_list("pk", flat=True)
    )
    if earlier:
        judged = bulk.Among("enterprise_id", [pk for pk, _ in typed])
        removed = _in_range(chunk).filter(judged, version__in=earlier).delete()[0]
    tally = write_matches(piece=piece, only_version=run.version_id, cause=PushCause.POLICY, as_of=as_of, now=now)
    tally.removed += removed
    if comparison is not None:
        _compare(comparison, typed, run, tally)
    return tally


def _open_rules(version: PolicyVersion, as_of: date) -> Listed | None:
    """The version's criteria; None where it is not open on the day, or the vocabulary in force cannot read it."""
    if not is_open(version=version, day=as_of):
        return None
    return readable(version_id=version.pk, rules=version.rules, vocabulary=current_vocabulary())


def _locked_profiles(chunk: MatchChunk, run: MatchRun, keys: frozenset[str]) -> list[tuple[int, dict[str, Any]]]:
    """Of the candidates, and of who in the range has a row of the item (nobody's row is taken away unseen), these
    facts, locked."""
    profiles = Profile.objects.select_for_update(no_key=True).order_by("pk")
    if chunk.candidates is None:
        profiles = profiles.filter(pk__gte=chunk.first, pk__lte=chunk.last)
    else:
        versions = list(PolicyVersion.objects.filter(item=run.item_id).values_list("pk", flat=True))
        stored = _in_range(chunk).filter(version__in=versions)
        ids = {*chunk.candidates, *stored.values_list("enterprise_id", flat=True)}
        profiles = profiles.filter(bulk.Among("pk", ids))
    # PostgreSQL picks the facts out of its binary form; all of a profile as text costs more than to judge it.
    read = _picked(keys) if connection.vendor == "postgresql" else F("facts")
    found = profiles.annotate(read=read).values_list("pk", "read")
    return [(pk, {key: facts[key] for key in keys if facts.get(key) is not None}) for pk, facts in found]


def _in_range(chunk: MatchChunk) -> QuerySet[Match]:
    return Match.objects.filter(enterprise_id__gte=chunk.first, enterprise_id__lte=chunk.last)


def _picked(keys: frozenset[str]) -> JSONObject:
    return JSONObject(**{key: KeyTransform(key, "facts") for key in sorted(keys)})


def _matched(listed: Listed | None, typed: list[tuple[int, Facts]], *, as_of: date) -> _Piece:
    if listed is None:
        return [(pk, facts, []) for pk, facts in typed]
    backend = create_backend("memory")  # one policy against many: no index helps, and the answer is the same
    named = ((str(pk), facts) for pk, facts in typed)
    found = {int(pk): [match] for pk, match in backend.match_policy(listed, named, as_of=as_of, near=NEAR)}
    return [(pk, facts, found.get(pk, [])) for pk, facts in typed]


def _compare(comparison: Comparison, typed: list[tuple[int, Facts]], run: MatchRun, tally: Tally) -> None:
    changes = [(pk, change) for pk, facts in typed if (change := comparison.of(facts)) is not None]
    tally.newly_in = sum(change.is_in for _, change in changes)
    tally.fell_out = len(changes) - tally.newly_in
    bulk.insert(
        model=MatchChange,
        fields=("run", "enterprise", "was", "now", "leaf", "reason"),
        rows=[(run.pk, pk, str(c.was), str(c.now), c.leaf[:200], c.reason) for pk, c in changes],
    )


@transaction.atomic
def _failed(chunk_id: int, *, error: str, now: datetime) -> None:
    chunk = MatchChunk.objects.select_for_update().get(pk=chunk_id)
    if chunk.state != ChunkState.PENDING:  # somebody else did it in the meantime
        return
    chunk.error, chunk.due_at = error, runs.next_try(attempts=chunk.attempts, now=now)
    if chunk.attempts >= runs.MOST_ATTEMPTS:
        chunk.state = ChunkState.FAILED
    chunk.save(update_fields=["attempts", "error", "due_at", "state"])
