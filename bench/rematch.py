"""``python -m bench.rematch``: every item against every enterprise on one core, as the night does it.

5,000 items × 100,000 profiles (``bench.generate``; making them is outside the clock), in processor time of this one
process. Three figures for each kind of criteria:

- verdicts over parsed facts: eligible, undetermined and near misses of all items, as lists of ids (``sift``);
- the same from the JSON text of the facts: read, typed, verdicts;
- what a night does for an enterprise for which nothing changed: read, typed, and the digest of what every leaf of
  every item says, which decides whether any verdict or reason changed.

``--database`` runs the nightly command's service on PostgreSQL instead (``DATABASE_URL``; a database of its own beside
it): a first night that writes everything and a second that finds nothing changed, for as many enterprises as fit into
the time; then a night over all of them that finds nothing changed, whose states are put there as a first night would
have left them. Exits 1 where an answer is wrong or a promise is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import django
from tqdm import tqdm

from bench import generate
from bench.generate import AS_OF, Kind

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings.test")

PROMISED = 20_000_000
PROMISED_MB = 1024
VERDICTS = "verdicts over parsed facts"
WHOLE = "the same from JSON text: read, typed, verdicts"
NIGHT = "a night in which nothing changed: typed, digest"
UNKNOWN = 0.15
PIECE = 1000
CHECKED = 20
NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)


def texts(count: int, kind: Kind) -> Iterator[list[str]]:
    """Profiles as JSON text, in pieces."""
    for start in range(0, count, PIECE):
        lines = generate.enterprises(min(PIECE, count - start), seed=start + 2, kind=kind, unknown=UNKNOWN)
        yield [json.dumps(line["facts"], ensure_ascii=False) for line in lines]


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def engine(kind: Kind, items: int, profiles: int) -> list[str]:
    """Times the engine alone; returns what is wrong or missed."""
    from matching.backends import Listed
    from matching.backends.memory import MemoryBackend
    from matching.criteria import compile_tree, parse_criteria, parse_facts, parse_vocabulary

    vocabulary = parse_vocabulary(generate.vocabulary())
    listed = [
        Listed(line["id"], parse_criteria(line["criteria"], vocabulary))
        for line in generate.policies(items, seed=1, kind=kind)
    ]
    backend = MemoryBackend()
    start = time.process_time()
    backend.put(listed)
    backend.sift(parse_facts({}, vocabulary), as_of=AS_OF, near=1)
    backend.digest(parse_facts({}, vocabulary), as_of=AS_OF)
    print(f"\n## {kind}: {items:,} items × {profiles:,} profiles, {UNKNOWN:.0%} of facts unknown")
    print(f"made ready in {time.process_time() - start:.1f} s")
    verdicts = whole = night = 0.0
    pairs = 0
    trees = [(policy.id, compile_tree(policy.criteria)) for policy in listed]
    missed: list[str] = []
    with tqdm(total=items * profiles, unit=" pairs", unit_scale=True, disable=None) as bar:
        for number, piece in enumerate(texts(profiles, kind)):
            known = [parse_facts(json.loads(text), vocabulary) for text in piece]
            start = time.process_time()
            sifted = [backend.sift(facts, as_of=AS_OF, near=1) for facts in known]
            verdicts += time.process_time() - start
            pairs += sum(len(found.eligible) + len(found.undetermined) + len(found.near) for found in sifted)
            start = time.process_time()
            for text in piece:
                facts = parse_facts(json.loads(text), vocabulary)
                backend.sift(facts, as_of=AS_OF, near=1)
            whole += time.process_time() - start
            start = time.process_time()
            for text in piece:
                backend.digest(parse_facts(json.loads(text), vocabulary), as_of=AS_OF)
            night += time.process_time() - start
            if number == 0:
                for facts, found in zip(known[:CHECKED], sifted, strict=False):
                    fits = {policy for policy, tree in trees if tree.evaluate(facts, AS_OF).verdict == "eligible"}
                    if fits != set(found.eligible):
                        missed.append(f"{kind}: the evaluator finds others eligible")
            bar.update(items * len(piece))
    asked = items * profiles
    print(f"{pairs / profiles:,.0f} items come up for an enterprise, near misses among them")
    for name, seconds in (
        (VERDICTS, verdicts),
        (WHOLE, whole),
        (NIGHT, night),
    ):
        rate = asked / seconds
        print(f"{name:<52}{seconds / profiles * 1e6:>8.0f} µs a profile{rate / 1e6:>8.1f} million pairs a second")
        if rate < PROMISED and (kind == "columns" or name == NIGHT):
            missed.append(f"{kind}, {name}: {rate / 1e6:.1f} million pairs a second, promised {PROMISED / 1e6:.0f}")
    print(f"peak memory of the process: {peak_mb():,.0f} MB")
    if peak_mb() > PROMISED_MB:
        missed.append(f"{peak_mb():,.0f} MB, promised {PROMISED_MB}")
    return missed


def fill(items: int, enterprises: int, kind: Kind) -> None:
    """Items in force and enterprises without profiles, in an empty migrated database."""
    from django.db import connection

    from matching.models import PolicyItem, PolicyVersion
    from matching.registry.models import Department
    from matching.services import publish, vocabulary

    revision = vocabulary.activate(data=generate.vocabulary(), note="bench", now=NOW)
    owner = Department.objects.create(code="bench", name="bench")
    lines = generate.policies(items, seed=1, kind=kind)
    PolicyItem.objects.bulk_create(
        [PolicyItem(code=line["id"].lower(), name=line["id"], department=owner) for line in lines], batch_size=1000
    )
    made = []
    for item, line in zip(PolicyItem.objects.order_by("code"), lines, strict=True):
        rules = {"criteria": line["criteria"]}
        digest = publish.rule_hash(rules=rules)
        made.append(
            PolicyVersion(
                item=item, number=1, rule_hash=digest, rules=rules, details={}, vocabulary=revision, published_at=NOW
            )
        )
    PolicyVersion.objects.bulk_create(made, batch_size=1000)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE matching_policyitem i SET is_listed = true, current_version_id = v.id "
            "FROM matching_policyversion v WHERE v.item_id = i.id"
        )
        cursor.execute(
            "INSERT INTO matching_enterprise (id, credit_code, name, external_id, created_at) "
            "SELECT n, '91510105MA' || lpad(n::text, 8, '0'), '企业' || n, 'e' || n, %s "
            "FROM generate_series(1, %s) AS n",
            [NOW, enterprises],
        )


def add_profiles(count: int, kind: Kind) -> None:
    from django.db import connection

    number = 0
    with connection.cursor() as cursor:
        columns = "enterprise_id, facts, revision, as_of, updated_at"
        with cursor.cursor.copy(f"COPY matching_profile ({columns}) FROM STDIN") as copy:
            for piece in texts(count, kind):
                for text in piece:
                    number += 1
                    copy.write_row((number, text, 1, AS_OF, NOW))
        cursor.execute("ANALYZE")


def timed(name: str, profiles: int, items: int, work: Callable[[Callable[[int], None]], Any]) -> Any:
    """Runs a night behind a progress bar and prints what it took."""
    wall, busy = time.perf_counter(), time.process_time()
    with tqdm(total=profiles, unit=" enterprises", desc=name, disable=None, leave=False) as bar:

        def matched(count: int) -> None:
            bar.update(count)

        tally = work(matched)
    wall, busy = time.perf_counter() - wall, time.process_time() - busy
    print(
        f"{name:<44}{wall:>8.1f} s{busy:>8.1f} s of this process{busy / profiles * 1e6:>8.0f} µs an enterprise"
        f"{items * profiles / busy / 1e6:>8.1f} million pairs a second; {tally.written:,} rows written, "
        f"{tally.pushed:,} pushes, {tally.unchanged:,} unchanged"
    )
    return tally


def nights(kind: Kind, items: int, profiles: int, written: int) -> list[str]:
    """The nightly service on PostgreSQL."""
    from django.db import connection

    from matching import bulk
    from matching.models import Match, MatchedState, Profile
    from matching.registry import outbox
    from matching.services import listing
    from matching.services.listed import known_facts
    from matching.services.match_profiles import match_nightly
    from tests import database

    missed: list[str] = []

    def night(on_progress: Callable[[int], None]) -> Any:
        return match_nightly(as_of=AS_OF, now=NOW, on_progress=on_progress)

    name = database.make_postgresql_database("rematch")
    try:
        with outbox.quiet():
            fill(items, profiles, kind)
            add_profiles(written, kind)
            print(f"\n## {kind}: the nightly service on PostgreSQL, {items:,} items")
            timed(f"first night, {written:,} enterprises", written, items, night)
            print(f"{Match.objects.count():,} rows stand")
            second = timed(f"second night, {written:,} enterprises", written, items, night)
            if second.unchanged != written:
                missed.append(f"{kind}: of {written} only {second.unchanged} unchanged in a second night")
            with connection.cursor() as cursor:
                cursor.execute("TRUNCATE matching_match, matching_matchedstate, matching_profile")
            add_profiles(profiles, kind)
            held = listing.Listing(listing.content_on(day=AS_OF))
            rows = Profile.objects.order_by("pk").values_list("pk", "facts").iterator(chunk_size=2000)
            typed = ((pk, known_facts(facts=facts, vocabulary=held.content.vocabulary)) for pk, facts in rows)
            states = [(pk, held.pk, held.engine.digest(facts, as_of=AS_OF).hex()) for pk, facts in typed]
            bulk.insert(model=MatchedState, fields=("enterprise", "listing", "digest"), rows=states)
            third = timed(f"nothing changed, {profiles:,} enterprises", profiles, items, night)
            if third.unchanged != profiles:
                missed.append(f"{kind}: of {profiles} only {third.unchanged} unchanged")
    finally:
        database.drop_postgresql_database(name)
    print(f"peak memory of the process: {peak_mb():,.0f} MB")
    return missed


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.rematch", description=__doc__)
    parser.add_argument("--items", type=int, default=5000)
    parser.add_argument("--profiles", type=int, default=100_000)
    parser.add_argument("--kinds", nargs="+", choices=["columns", "windows"], default=["columns", "windows"])
    parser.add_argument("--database", action="store_true", help="the nightly service on PostgreSQL")
    parser.add_argument("--written", type=int, default=500, help="enterprises of the first night that writes rows")
    options = parser.parse_args()
    django.setup()
    missed: list[str] = []
    for kind in options.kinds:
        if options.database:
            missed += nights(kind, options.items, options.profiles, options.written)
        else:
            missed += engine(kind, options.items, options.profiles)
    if missed:
        print("\nmissed:", *missed, sep="\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
