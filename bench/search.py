"""``python -m bench.search``: the judged queries of tests/search_quality on each database that can be had.

Prints nDCG@10, recall@10 and the 95th percentile of one search: ours on both engines, Wagtail's, and Elasticsearch's
with its own analyzer; then the same for the queries that were held out. Exits 1 where ours falls below what is
promised, the engines are apart, or another database gives another order. Databases: SQLite in memory, and the
PostgreSQL of TEST_DATABASE_URL.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from statistics import quantiles
from typing import Any

PROMISED = 0.85
LATEST_MS = 50.0
APART = 0.03
PROFILES = 10_000
CITY = 5_000


def measure_here() -> dict[str, Any]:
    """In a test database of the process's own settings: scores, what ours found, and the time of a simulation."""
    import django

    django.setup()
    from django.test.utils import setup_databases, teardown_databases

    kept = setup_databases(verbosity=0, interactive=False)
    try:
        from tests.elastic import delete_indices, was_used
        from tests.search_quality import corpus, measure

        measure.load()
        tables, engines = {}, {}
        for name in (corpus.TUNED, corpus.HELD_OUT):
            scores = measure.contest(name)
            if _has_elasticsearch():
                scores |= measure.on_elasticsearch(name)
            tables[name] = measure.table(scores)
            if name == corpus.TUNED:
                engines = {
                    engine: {"ndcg": score.ndcg, "recall": score.recall, "p95": score.p95, "found": score.found}
                    for engine, score in scores.items()
                    if engine in (measure.OURS, measure.SHARED)
                }
        return {"tables": tables, "engines": engines, "city": _city(), "simulation": _simulation()}
    finally:
        teardown_databases(kept, verbosity=0)
        if was_used() and _has_elasticsearch():
            delete_indices()


def _has_elasticsearch() -> bool:
    from matching.backends import BackendUnavailable
    from matching.backends.elastic import client

    try:
        client.probe()
    except BackendUnavailable:
        return False
    return True


def _city() -> dict[str, float]:
    """The 95th percentile of a search (ms) over `CITY` documents, made of the corpus over and over, for each engine."""
    from dataclasses import replace
    from itertools import cycle, islice

    from cms.services import search_documents
    from matching.search import Request, SearchEngine, create_engine
    from matching.search.elastic.engine import ElasticSearch
    from matching.search.elastic.index import ItemIndex
    from tests.search_quality import corpus, measure

    few = list(search_documents.documents(ids=list(search_documents.versions())))
    many = [replace(one, id=str(number), version=f"{number}") for number, one in enumerate(islice(cycle(few), CITY))]
    engines: dict[str, SearchEngine] = {measure.OURS: create_engine("memory")}
    if _has_elasticsearch():
        engines[measure.SHARED] = ElasticSearch(ItemIndex("city"))
    found = {}
    for name, engine in engines.items():
        engine.put(many)
        engine.search(Request("补贴"))
        times = []
        for query in corpus.judgements():
            start = time.perf_counter()
            engine.search(Request(query, kind="item", today=measure.TODAY, size=20))
            times.append((time.perf_counter() - start) * 1000)
        found[name] = quantiles(times, n=20)[-1]
    return found


def _simulation() -> tuple[float, float]:
    """Seconds, and those of the processor, for one item of the demo district over enterprises in the database."""
    from datetime import UTC, date, datetime

    from cms.fields import read_award, read_criteria
    from cms.models import PolicyItemPage
    from matching.models import Enterprise, Profile
    from matching.services.simulate import simulate
    from portal.demo.enterprises import generate

    day, now = date(2026, 11, 22), datetime(2026, 11, 22, tzinfo=UTC)
    lines = generate(as_of=day, count=600)
    made = Enterprise.objects.bulk_create(
        Enterprise(credit_code=f"91510105MA{n:07d}X", name=f"企业{n}", external_id=f"e{n}", created_at=now)
        for n in range(PROFILES)
    )
    Profile.objects.bulk_create(
        Profile(enterprise=one, facts=lines[n % len(lines)]["facts"], revision=1, as_of=day, updated_at=now)
        for n, one in enumerate(made)
    )
    page = PolicyItemPage.objects.get(code="gy-equipment")
    start, busy = time.perf_counter(), time.process_time()
    simulate(
        criteria=read_criteria(page.criteria),
        award=read_award(page.award),
        budget_line=page.budget_line,
        ceiling=page.ceiling,
        as_of=day,
    )
    return time.perf_counter() - start, time.process_time() - busy


def main() -> int:
    if "--here" in sys.argv:
        json.dump(measure_here(), sys.stdout)
        return 0
    postgres = os.environ.get("TEST_DATABASE_URL", "postgres://huida:huida@127.0.0.1:5432/huida_search")
    answers: dict[str, dict[str, Any]] = {}
    for name, url in (("SQLite", None), ("PostgreSQL", postgres)):
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "portal.settings.test"}
        environment.pop("DATABASE_URL", None)
        if url:
            environment["DATABASE_URL"] = url
        done = subprocess.run(
            [sys.executable, "-m", "bench.search", "--here"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            print(f"\n## {name}: not measured\n{done.stderr.strip().splitlines()[-1] if done.stderr else ''}")
            continue
        answers[name] = json.loads(done.stdout)
        for queries, table in answers[name]["tables"].items():
            print(f"\n## {name}, {queries}\n{table}")
        for engine, p95 in answers[name]["city"].items():
            print(f"{engine}, {CITY:,} documents: p95 {p95:.1f} ms")
        taken, busy = answers[name]["simulation"]
        print(f"simulation of one item over {PROFILES:,} enterprises: {taken:.1f} s ({busy:.1f} s of processor)")
    missed = [told for name, answer in answers.items() for told in _missed(name, answer["engines"])]
    if len(answers) == 2:
        found = [answer["engines"] for answer in answers.values()]
        same = all(found[0][engine]["found"] == found[1][engine]["found"] for engine in found[0])
        print(f"\nthe same hits in the same order on both: {'yes' if same else 'NO'}")
        if not same:
            missed.append("the databases give different hits")
    if missed or not answers:
        print("\nmissed:", *missed, sep="\n")
    return 1 if missed or not answers else 0


def _missed(database: str, engines: dict[str, dict[str, Any]]) -> list[str]:
    missed = []
    for engine, score in engines.items():
        for what in ("ndcg", "recall"):
            if score[what] < PROMISED:
                missed.append(f"{database}, {engine}: {what} {score[what]:.3f}, promised {PROMISED}")
        if score["p95"] > LATEST_MS:
            missed.append(f"{database}, {engine}: p95 {score['p95']:.0f} ms, promised {LATEST_MS:.0f}")
    for what in ("ndcg", "recall"):
        values = [score[what] for score in engines.values()]
        if max(values) - min(values) > APART:
            missed.append(f"{database}: the engines are {max(values) - min(values):.3f} apart in {what}")
    if len(engines) < 2:
        print("Elasticsearch: not measured, no server")
    return missed


if __name__ == "__main__":
    sys.exit(main())
