"""The commands against a second reading of the contract, and against broken input, by chance."""

import json
import os
import random
import re
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.vocabulary import load_default_data
from tests.oracle import award as oracle_award
from tests.oracle import criteria as oracle

from .chance import Chance
from .world import AS_OF, VOCABULARY, Outcome, enterprise, lines, policy, run

pytestmark = pytest.mark.slow

# The number of worlds for each vocabulary: 20 policies and 10 enterprises in each. Raise it to look harder.
WORLDS = int(os.environ.get("CONFORMANCE_WORLDS", "25"))
seeds = st.integers(min_value=0, max_value=2**32)
PLACED = re.compile(r"(P|E)\.jsonl:[1-9][0-9]*: \S.*: .+")


def differences(vocabulary: Any, named: Any, seed: int) -> list[str]:
    world = Chance(vocabulary, seed)
    policies = {f"p{n:02}": (world.criteria(), world.award()) for n in range(20)}
    enterprises = {f"e{n}": world.enterprise() for n in range(10)}
    lines_in = [policy(criteria, p, award=award) for p, (criteria, award) in policies.items()]
    facts_in = [enterprise(facts, e) for e, facts in enterprises.items()]
    as_of = (AS_OF, "2024-02-29", "2026-03-31", "2025-12-31")[seed % 4]
    found = run(lines_in, facts_in, near=2, vocabulary=named, as_of=as_of).rows
    paid = run(lines_in, facts_in, command="estimate", vocabulary=named, as_of=as_of).rows
    expected, estimates = [], []
    day = date.fromisoformat(as_of)
    for p, (criteria, award) in policies.items():
        for e, facts in enterprises.items():
            answer = oracle.judge(criteria, facts, vocabulary, day)
            if answer["verdict"] != "ineligible" or len(answer["unmet"]) <= 2:
                expected.append({"policy": p, "enterprise": e, **answer})
            if answer["verdict"] != "ineligible":
                low, high = oracle_award.estimate(award, facts, vocabulary, day)
                estimates.append({"policy": p, "enterprise": e, "low": low, "high": high})
    told = []
    for got, wanted in ((found, expected), (paid, estimates)):
        for line in [*got, *wanted]:
            if (line in got) != (line in wanted):
                p, e = line["policy"], line["enterprise"]
                side = "the command alone says" if line in got else "the oracle alone says"
                told.append(f"{side} {line}\n  of {json.dumps(policies[p])}\n  over {json.dumps(enterprises[e])}")
        if not told and got != wanted:
            told.append("the order differs")
    return told


@settings(max_examples=WORLDS)
@given(seeds)
def test_the_commands_and_a_second_reading_agree_over_the_default_vocabulary(seed: int):
    """Files in these formats come from outside; the verdict, `unmet`, `unknown`, `form_only`, `low`
    and `high` of each pair."""
    assert differences(load_default_data(), None, seed) == []


@settings(max_examples=WORLDS)
@given(seeds)
def test_the_commands_and_a_second_reading_agree_over_a_vocabulary_of_ones_own(seed: int):
    """`--vocabulary V.json`."""
    assert differences(VOCABULARY, VOCABULARY, seed) == []


def assert_told(done: Outcome) -> None:
    """Either all is well, or exit 2 with every message in its form, and nothing written."""
    assert "Traceback" not in done.err
    assert done.code in (0, 2)
    if done.code == 2:
        assert done.out is None
        *messages, count = done.err.splitlines()
        assert messages
        for message in messages:
            assert PLACED.fullmatch(message), message
        assert "有错" in count
    else:
        assert done.err == ""
    done.err.encode("utf-8")


@settings(max_examples=60)
@given(st.lists(st.binary(max_size=60), max_size=5), st.lists(st.binary(max_size=60), max_size=5))
def test_random_bytes_are_told_and_never_break_the_command(policies: list[bytes], enterprises: list[bytes]):
    """Exit 0; 2 with every error found, as `FILE:LINE: PATH: what is wrong and what is allowed`."""
    assert_told(run(b"\n".join(policies), b"\n".join(enterprises)))


STRANGE: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    1,
    2**70,
    "",
    "x",
    "1",
    "P1Y",
    "2026-01-01",
    [],
    {},
    [[]],
    [{}],
    {"": {}},
    ["x"],
    [None],
    {"gte": 1},
    {"fact": "staff"},
    "ht",
    "staff",
    "\x00",
    "\u202e",
    1.5,
    {"code": "ht"},
    ["ht", "ht"],
    {"all": []},
    "0",
    "rev@last",
    "each",
    10**15,
]
KEYS = [
    "id",
    "criteria",
    "facts",
    "window",
    "award",
    "fact",
    "all",
    "any",
    "at_least",
    "of",
    "not",
    "if",
    "then",
    "gte",
    "lte",
    "eq",
    "in",
    "any_of",
    "where",
    "count",
    "amount",
    "years",
    "over",
    "year",
    "percent_of",
    "growth",
    "held",
    "first",
    "obtained",
    "rules",
    "fixed",
    "rate",
    "brackets",
    "each",
    "when",
    "instalments",
    "soft",
    "code",
    "on",
    "until",
    "rank",
    "staff",
    "rev",
    "quals",
    "born",
    "",
    "\n",
    "键",
]


def mutate(value: Any, r: random.Random) -> Any:
    """The value with one place in it replaced, added, doubled or taken away."""
    if isinstance(value, dict) and value and r.random() < 0.8:
        body = dict(value)
        key = r.choice(list(body))
        deed = r.random()
        if deed < 0.65:
            body[key] = mutate(body[key], r)
        elif deed < 0.75:
            del body[key]
        elif deed < 0.9:
            body[r.choice(KEYS)] = r.choice(STRANGE)
        else:
            body[r.choice(KEYS)] = body.pop(key)
        return body
    if isinstance(value, list) and value and r.random() < 0.8:
        members = list(value)
        at = r.randrange(len(members))
        members[at : at + 1] = r.choice([[], [members[at], members[at]], [mutate(members[at], r)], [r.choice(STRANGE)]])
        return members
    return r.choice(STRANGE)


def damaged(text: bytes, r: random.Random) -> bytes:
    """The line with a few of its bytes lost, doubled or turned into others."""
    raw = bytearray(text)
    for _ in range(r.randint(1, 3)):
        at = r.randrange(len(raw))
        deed = r.random()
        if deed < 0.4:
            raw[at] = r.choice(b'{}[]",:\\0e.-+ \xff\xc3\x00\r')
        elif deed < 0.7:
            del raw[at : at + r.randint(1, 5)]
        else:
            raw[at:at] = raw[at : at + r.randint(1, 12)]
        raw = raw or bytearray(b"x")
    return bytes(raw).replace(b"\n", b" ")


@settings(max_examples=60)
@given(seeds)
def test_good_lines_with_something_broken_are_told_and_never_break_the_command(seed: int):
    """2 with every error found, as `FILE:LINE: PATH: what is wrong and what is allowed`. Nothing is
    written unless all
    lines are good, or `--skip-bad` was given."""
    r = random.Random(seed)
    world = Chance(VOCABULARY, seed)
    policies, enterprises = [], []
    for n in range(8):
        window = {"from": "2026-01-01", "until": "2026-12-31"}
        good = policy(world.criteria(), f"p{n}", award=world.award(), window=window)
        policies.append(damaged(lines([good]).strip(), r) if r.random() < 0.3 else lines([mutate(good, r)]).strip())
        known = enterprise(world.enterprise(), f"e{n}")
        enterprises.append(
            damaged(lines([known]).strip(), r) if r.random() < 0.3 else lines([mutate(known, r)]).strip()
        )
    raw = b"\n".join(policies), b"\n".join(enterprises)
    command = r.choice(["match", "estimate"])
    done = run(*raw, command=command)
    assert_told(done)
    skipped = run(*raw, command=command, skip_bad=True)
    assert skipped.code == 0
    assert skipped.out is not None
    if done.code == 0:
        assert skipped.out == done.out
    else:
        assert skipped.errors == done.errors


@pytest.mark.parametrize("core", [b"1.5", b"{}", b'{"fact": "staff", "gte": 1, "gte": 2}'])
def test_every_depth_of_nesting_is_told(core: bytes):
    """trees deeper than 32; `FILE:LINE: PATH: …`."""
    depths = [30, 31, 32, 33, 50, 150, *range(200, 1100, 25), 5000]
    deep = b"\n".join(
        b'{"id": "p%d", "criteria": %s%s%s}' % (n, opening * n, core, closing * n)
        for n in depths
        for opening, closing in ((b'{"not": ', b"}"), (b"[", b"]"), (b'{"all": [', b"]}"))
    )
    done = run(deep, deep.replace(b"criteria", b"facts"))
    assert_told(done)
    assert {int(e.split(":")[1]) for e in done.errors} == set(range(1, 3 * len(depths) + 1))
