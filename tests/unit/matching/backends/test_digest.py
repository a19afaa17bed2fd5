"""The digest of what every leaf says: equal digests mean equal answers, and it is the same in any process."""

import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.backends import Listed
from matching.backends.memory import MemoryBackend
from matching.backends.reasons import Kept, compile_item
from matching.criteria import parse_criteria, parse_facts
from matching.criteria.clauses import ClauseCompiler
from tests.rounds import examples
from tests.unit.matching.criteria import strategies
from tests.unit.matching.criteria.samples import AS_OF, VOCABULARY

Json = Any
REPOSITORY = Path(__file__).parents[4]


def backend_of(policies: list[Json], *, backwards: bool = False) -> MemoryBackend:
    listed = [Listed(f"P{number}", parse_criteria(tree, VOCABULARY)) for number, tree in enumerate(policies)]
    backend = MemoryBackend()
    backend.put(listed[::-1] if backwards else listed)
    return backend


# Few facts that come up often, so that profiles and days are near each other and digests are often equal.
near_facts = st.builds(
    lambda base, more: base | more, strategies.facts, st.dictionaries(st.just("staff"), st.integers(1, 3))
)


@pytest.mark.slow
@settings(max_examples=examples(150))
@given(
    policies=st.lists(strategies.trees, min_size=1, max_size=6),
    base=strategies.facts,
    others=st.lists(st.one_of(strategies.facts, near_facts), min_size=1, max_size=4),
    days=st.lists(strategies.as_ofs, min_size=1, max_size=2),
    near=st.sampled_from([0, 1, 3]),
)
def test_equal_digests_mean_equal_answers_on_any_day(
    policies: list[Json], base: Json, others: list[Json], days: list[date], near: int
) -> None:
    backend = backend_of(policies)
    # Parts of the base, too: unknown facts, and a form's.
    profiles = [base, *others, {}, *({key: base[key] for key in base if key != gone} for gone in base)]
    answers: dict[bytes, Any] = {}
    for profile in profiles:
        facts = parse_facts(profile, VOCABULARY)
        for day in days:
            found = backend.match(facts, as_of=day, near=near)
            assert answers.setdefault(backend.digest(facts, as_of=day), found) == found


@pytest.mark.slow
@given(policies=st.lists(strategies.trees, min_size=1, max_size=6), profile=strategies.facts)
def test_the_order_in_which_policies_came_does_not_count(policies: list[Json], profile: Json) -> None:
    facts = parse_facts(profile, VOCABULARY)
    one, other = backend_of(policies), backend_of(policies, backwards=True)
    assert one.digest(facts, as_of=AS_OF) == other.digest(facts, as_of=AS_OF)


def test_a_leaf_that_turns_turns_the_digest() -> None:
    backend = backend_of(
        [{"fact": "staff", "gte": 100}, {"any": [{"fact": "staff", "lt": 5}, {"fact": "listed", "is": True}]}]
    )

    def digest(**facts: Json) -> bytes:
        return backend.digest(parse_facts(facts, VOCABULARY), as_of=AS_OF)

    assert digest(staff=50) == digest(staff=51) == digest(staff=99)
    assert len({digest(staff=50), digest(staff=100), digest(staff=4), digest(), digest(staff=50, listed=True)}) == 5


@pytest.mark.slow
def test_digests_are_the_same_in_every_process() -> None:
    script = (
        "import django; django.setup()\n"
        "from bench import generate\n"
        "from matching.backends import Listed\n"
        "from matching.backends.memory import MemoryBackend\n"
        "from matching.criteria import parse_criteria, parse_facts, parse_vocabulary\n"
        "V = parse_vocabulary(generate.vocabulary())\n"
        "B = MemoryBackend()\n"
        "lines = generate.policies(200, seed=6, kind='windows')\n"
        "B.put(Listed(line['id'], parse_criteria(line['criteria'], V)) for line in lines)\n"
        "for line in generate.enterprises(20, seed=7, kind='windows', unknown=0.2):\n"
        "    print(B.digest(parse_facts(line['facts'], V), as_of=generate.AS_OF).hex())\n"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=REPOSITORY,
            env=os.environ | {"PYTHONHASHSEED": seed, "DJANGO_SETTINGS_MODULE": "portal.settings.test"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert told[0] == told[1]
    assert len(set(told[0].split())) == 20


def test_reasons_are_forgotten_before_they_fill_the_memory() -> None:
    compiler, kept = ClauseCompiler(), Kept(most=3)
    items = [compile_item(f"P{n}", parse_criteria({"fact": "staff", "gte": n}, VOCABULARY), compiler) for n in (1, 2)]
    for number in range(7):
        item = items[number % 2]
        assert kept.keep(item, number, item.fits) is item.fits
        assert sum(len(one.reasons) for one in items) <= 3
    assert sum(len(one.reasons) for one in items) == kept.count == 1


def test_a_matcher_that_forgets_answers_as_one_that_does_not() -> None:
    trees = [{"any": [{"fact": "staff", "gte": n}, {"fact": "listed", "is": True}]} for n in range(5, 40, 5)]
    forgetful, mindful = backend_of(trees), backend_of(trees)
    forgetful._kept.most = 2
    for staff in (*range(0, 45, 3), *range(45, 0, -2)):
        facts = parse_facts({"staff": staff}, VOCABULARY)
        assert forgetful.match(facts, as_of=AS_OF, near=2) == mindful.match(facts, as_of=AS_OF, near=2)
