"""One server, stopped, frozen and emptied while people read, search and are matched, and while officers publish and
facts change: nobody sees a fault, nobody waits long, nothing is lost, and the indices heal by themselves."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException
from io import StringIO
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import urlopen

import pytest
from django.core.management import call_command
from django.db import connection
from pytest_django.fixtures import Settings

from cms.services.finding import PublishedRows
from cms.services.listing import Narrowing
from matching.backends.memory import MemoryBackend
from matching.models import Enterprise, Match, Profile, Push
from matching.registry import outbox
from matching.services import publish, reindex
from matching.services.listed import ListedVersions, known_facts
from matching.services.matches import NEAR
from matching.services.vocabulary import current_vocabulary
from tests.cluster.nodes import Cluster, until
from tests.cluster.processes import web, worker
from tests.cluster.traffic import WHOLE, Traffic, tell
from tests.cluster.work import BROKER, Beat, all_is_done, announced, differing
from tests.factories import cms
from tests.factories.matching import TODAY, enterprise, learn

PATIENCE = 2.0
WITHIN = 10.0  # the patience, the embedded engine filled, and a machine that runs all of this at once
REGION = "510105"
WORDS = ("研发补贴", "租金", "人才", "yfbt")

pytestmark = [
    pytest.mark.elasticsearch,
    pytest.mark.postgres,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("DATABASE_URL" not in os.environ, reason="needs PostgreSQL"),
]


@pytest.fixture(autouse=True)
def chosen(settings: Settings, server: Cluster) -> None:
    settings.HUIDA_SEARCH = "elasticsearch"
    settings.ELASTICSEARCH_TIMEOUT = PATIENCE


@dataclass
class District:
    """What stands throughout, and what changes."""

    paths: list[str]
    enterprises: list[Enterprise]
    standing: list[str]
    """The versions that are listed throughout."""


@pytest.fixture
def district() -> District:
    with outbox.quiet():
        paths, standing = [], []
        kinds = ("企业研发补贴", "厂房租金补助", "引进人才奖励")
        for number in range(12):
            criteria = {
                "all": [
                    {"fact": "registered_region", "in": [REGION], "text": "在青羊区注册"},
                    {"fact": "staff", "gte": 10 * number},
                ]
            }
            page = cms.published_item(title=f"{kinds[number % 3]}第{number}项", criteria=criteria)
            paths.append(page.url)
            standing.append(str(page.item.current_version_id))
        made = [enterprise(registered_region=REGION, staff={"2025": str(7 * number)}) for number in range(16)]
    return District(paths, made, standing)


def reader(address: str, paths: list[str]) -> Callable[[], str]:
    """Somebody who reads pages, searches, and looks at the health page."""
    asked = [*paths, *(f"/policies/?q={quote(word)}" for word in WORDS), "/healthz"]
    rng = random.Random(1)

    def read() -> str:
        path = rng.choice(asked)
        try:
            with urlopen(address + path, timeout=60) as answer:
                answer.read()
        except HTTPError as error:
            return f"{path}: {error.code} {error.read()[:2000]!r}"
        except (URLError, HTTPException, OSError) as error:
            return f"{path}: {error!r}"
        return ""

    return read


def searcher(right: dict[str, list[str]]) -> Callable[[], str]:
    """A web process's search, as if it were another process."""
    rows, rng = PublishedRows("elasticsearch"), random.Random(2)

    def search() -> str:
        word = rng.choice(list(right))
        found = ids_of(rows, word)
        return "" if found == right[word] else f"{word}: {found} instead of {right[word]}"

    return search


def ids_of(rows: PublishedRows, word: str) -> list[str]:
    return [hit.id for hit in rows.search(narrowing=Narrowing(query=word), today=TODAY, fits=None).hits]


def matcher(district: District) -> Callable[[], str]:
    """A worker's matching, as if it were another process, on the versions that stand."""
    process, rng, vocabulary = ListedVersions("elasticsearch"), random.Random(3), current_vocabulary()
    memory = MemoryBackend()
    memory.put([policy for policy in reindex.listed_policies() if policy.id in district.standing])

    def match() -> str:
        staff = rng.randrange(150)
        known = {"registered_region": REGION, "staff": {"2025": str(staff)}}
        facts = known_facts(facts=known, vocabulary=vocabulary)
        [(_, found)] = process.match([(1, facts)], as_of=TODAY, near=NEAR)
        right = memory.match(facts, as_of=TODAY, near=NEAR)
        compared = [one for one in found if one.policy in district.standing]
        return "" if compared == right else f"{staff} people: {compared} instead of {right}"

    return match


def officer(beat: Beat, district: District) -> Callable[[], str]:
    """Facts change, and items come, change and go, all the time."""
    rng = random.Random(4)

    def change() -> str:
        now = datetime.now(UTC)
        with outbox.quiet():
            draw = rng.random()
            if draw < 0.6:
                learn(rng.choice(district.enterprises), now=now, staff={"2025": str(rng.randrange(150))})
            elif draw < 0.9:
                code = f"moving-{rng.randrange(6)}"
                rules = {"criteria": {"all": [{"fact": "staff", "gte": rng.randrange(150)}]}}
                publish.publish_version(
                    item_code=code,
                    name=code,
                    department=cms.department(),
                    rules=rules,
                    details={},
                    words={},
                    now=now,
                )
            else:
                publish.withdraw_item(item_code=f"moving-{rng.randrange(6)}", now=now)
        beat.wake()
        time.sleep(0.2)
        return ""

    return change


def told_by(address: str) -> list[str]:
    with urlopen(f"{address}/healthz", timeout=60) as answer:
        notices: list[str] = json.load(answer)["notices"]
    return notices


def assert_everybody_is_matched_and_told_once(district: District) -> None:
    """What stands in the database is what the embedded engine says of everybody now."""
    memory, vocabulary = MemoryBackend(), current_vocabulary()
    memory.put(reindex.listed_policies())
    for pk, facts in Profile.objects.values_list("pk", "facts"):
        right = memory.match(known_facts(facts=facts, vocabulary=vocabulary), as_of=TODAY, near=NEAR)
        stored = {
            (str(version), verdict)
            for version, verdict in Match.objects.filter(enterprise=pk).values_list("version_id", "verdict")
        }
        assert stored == {(match.policy, str(match.verdict)) for match in right}
        fitting = {int(match.policy) for match in right if match.verdict == "eligible" or match.form_only}
        told = list(Push.objects.filter(enterprise=pk).values_list("version_id", flat=True))
        assert fitting <= set(told), "somebody was not told"
    pairs = list(Push.objects.values_list("enterprise_id", "version_id", "verdict"))
    assert len(pairs) == len(set(pairs))
    assert announced() == sorted(Push.objects.values_list("pk", flat=True)), "each push is announced once"


def test_a_server_that_comes_and_goes_is_noticed_by_operators_alone(
    server: Cluster, district: District, tmp_path: Path
) -> None:
    [node] = server.nodes
    assert not differing() or call_command("reindex", stdout=StringIO()) is None
    right = {word: ids_of(PublishedRows("memory"), word) for word in WORDS}
    assert all(right.values())
    beat = Beat()
    firsts: dict[str, float] = {}
    with web(tmp_path / "web.log", CELERY_BROKER_URL=BROKER) as address, worker(tmp_path / "worker.log", BROKER):
        traffic = Traffic(
            {
                "page": reader(address, district.paths),
                "another page": reader(address, district.paths[::-1]),
                "search": searcher(right),
                "match": matcher(district),
                "change": officer(beat, district),
            }
        )

        def during(what: str, deed: Callable[[], None]) -> None:
            """Traffic meets what was done; the longest first answer after it is kept."""
            deed()
            at = time.monotonic()
            traffic.wait_for(5)
            firsts[what] = max(told.took for told in list(traffic.told) if told.at + told.took >= at)

        def healed() -> None:
            until(lambda: not told_by(address), seconds=90, what="a clean health page")

        with beat.beating(), traffic.flowing():
            during("well", lambda: None)
            healed()
            during("frozen", node.freeze)
            until(lambda: told_by(address), seconds=30, what="a notice on the health page")
            during("thawed", node.thaw)
            healed()
            during("stopped", node.stop)
            until(lambda: told_by(address), seconds=30, what="a notice on the health page")
            node.wipe()
            during("empty", node.start)
            server.whole()
            healed()
            if WHOLE:
                during("killed", node.kill)
                node.start()
                server.whole()
                during("back", lambda: None)
                healed()
        with beat.beating():
            until(all_is_done, seconds=120, what="everything delivered, matched and indexed")
            until(lambda: not differing(), seconds=60, what="indices that equal the database")
    traffic.judge(within=WITHIN)
    assert_everybody_is_matched_and_told_once(district)
    told = ", ".join(f"{what} {took:.1f} s" for what, took in firsts.items())
    tell(f"{len(traffic.told)} answers; the longest after each turn: {told}")
    connection.close()
