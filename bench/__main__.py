"""``python -m bench``: the embedded matcher against zen-engine and the plain evaluator, and ``manage.py match`` whole.

Contestants take turns of some profiles each, the same ones, in one process, so that a ratio compares like with like on
any machine; a turn of one would time how the others left the processor's caches (that is shown too). Every verdict is
compared before anything is timed. Exits 1 where verdicts differ or a promised ratio is missed.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import zen

from bench import generate, zen_opponent
from bench.generate import AS_OF, Kind
from matching.backends import Listed
from matching.backends.memory import MemoryBackend
from matching.criteria import Facts, compile_tree, parse_criteria, parse_facts, parse_vocabulary
from matching.criteria.clauses import ClauseCompiler

PROMISED = {"verdict alone": 200, "unknown facts and near misses": 80}
ZEN_JSON = "zen, an expression a policy, context as JSON"
VERDICT = "matcher, verdict alone"
COLD = "matcher, verdict alone, straight after zen"
NEAR = "matcher, unknown facts and near misses"
EVALUATOR = "plain evaluator, the same with every reason"
UNKNOWN = 0.15
WARM_UP = 100
TURN = 100

Contestant = Callable[[Facts, Facts, dict[str, Any], str], Any]


@dataclass
class Field:
    """One kind of criteria, ready for all contestants."""

    kind: Kind
    ids: list[str]
    backend: MemoryBackend
    trees: list[Any]
    expressions: list[Any]
    together: Any
    facts: list[Facts]
    gappy: list[Facts]
    contexts: list[dict[str, Any]]
    warm_up: list[Facts]
    clauses: int
    prepared_in: float


def prepare(kind: Kind, policies: int, profiles: int) -> Field:
    vocabulary = parse_vocabulary(generate.vocabulary())
    lines = generate.policies(policies, seed=1, kind=kind)
    known = generate.enterprises(profiles, seed=2, kind=kind)
    unknown = generate.enterprises(profiles, seed=2, kind=kind, unknown=UNKNOWN)
    others = generate.enterprises(WARM_UP, seed=3, kind=kind, unknown=UNKNOWN / 2)
    listed = [Listed(line["id"], parse_criteria(line["criteria"], vocabulary)) for line in lines]
    expressions = [zen_opponent.expression(line["criteria"]) for line in lines]
    facts = [parse_facts(line["facts"], vocabulary) for line in known]
    backend, compiler = MemoryBackend(), ClauseCompiler()
    start = time.perf_counter()
    backend.put(listed)
    backend.eligible(facts[0], as_of=AS_OF)
    prepared_in = time.perf_counter() - start
    return Field(
        kind=kind,
        ids=[line["id"] for line in lines],
        backend=backend,
        trees=[compile_tree(policy.criteria) for policy in listed],
        expressions=[zen.compile_expression(expression) for expression in expressions],
        together=zen.compile_expression("[" + ", ".join(expressions) + "]"),
        facts=facts,
        gappy=[parse_facts(line["facts"], vocabulary) for line in unknown],
        contexts=[zen_opponent.context(line["facts"]) for line in known],
        warm_up=[parse_facts(line["facts"], vocabulary) for line in others],
        clauses=sum(len(compiler.compile(policy.criteria).clauses) for policy in listed),
        prepared_in=prepared_in,
    )


def check(field: Field, by_evaluator: int) -> list[str]:
    """What the contestants disagree about: zen and the matcher on all profiles, the evaluator on the first few."""
    wrong = []
    for number, (facts, context) in enumerate(zip(field.facts, field.contexts, strict=True)):
        ours = set(field.backend.eligible(facts, as_of=AS_OF))
        theirs = [expression.evaluate(context) for expression in field.expressions]
        if ours != {policy for policy, fits in zip(field.ids, theirs, strict=True) if fits is True}:
            wrong.append(f"{field.kind}: zen and the matcher differ on profile {number}")
        if theirs != field.together.evaluate(context):
            wrong.append(f"{field.kind}: zen differs from itself on profile {number}")
    for number, facts in enumerate(field.gappy[:by_evaluator]):
        expected = []
        for policy, tree in zip(field.ids, field.trees, strict=True):
            told = tree.evaluate(facts, AS_OF)
            if len(told.unmet) <= 1:
                expected.append((policy, told.verdict, told.unmet, told.unknown, told.form_only))
        found = field.backend.match(facts, as_of=AS_OF, near=1)
        if [(m.policy, m.verdict, m.unmet, m.unknown, m.form_only) for m in found] != expected:
            wrong.append(f"{field.kind}: evaluator and matcher differ on profile {number}")
    return wrong


def race(field: Field) -> dict[str, float]:
    """The median processor seconds of each contestant for one profile against all policies."""
    backend = field.backend
    expressions, trees = field.expressions, field.trees
    contestants: dict[str, Contestant] = {
        "zen, an expression a policy, context as dict": lambda facts, gappy, context, text: [
            expression.evaluate(context) for expression in expressions
        ],
        ZEN_JSON: lambda facts, gappy, context, text: [expression.evaluate(text) for expression in expressions],
        "zen, all policies in one expression": lambda facts, gappy, context, text: field.together.evaluate(context),
        VERDICT: lambda facts, gappy, context, text: backend.eligible(facts, as_of=AS_OF),
        "matcher, near misses": lambda facts, gappy, context, text: backend.sift(facts, as_of=AS_OF, near=1),
        NEAR: lambda facts, gappy, context, text: backend.sift(gappy, as_of=AS_OF, near=1),
        "matcher, the same with every reason": lambda facts, gappy, context, text: backend.match(
            gappy, as_of=AS_OF, near=1
        ),
        EVALUATOR: lambda facts, gappy, context, text: [tree.evaluate(gappy, AS_OF) for tree in trees],
    }
    for facts in field.warm_up:
        backend.eligible(facts, as_of=AS_OF)
        backend.match(facts, as_of=AS_OF, near=1)
    taken: dict[str, list[float]] = {name: [] for name in (*contestants, COLD)}
    profiles = list(zip(field.facts, field.gappy, field.contexts, map(json.dumps, field.contexts), strict=True))

    def timed(name: str, answer: Contestant, profile: tuple[Facts, Facts, dict[str, Any], str]) -> None:
        start = time.thread_time()  # not the clock on the wall: another process must not cost a contestant time
        answer(*profile)
        taken[name].append(time.thread_time() - start)

    for first in range(0, len(profiles), TURN):
        for name, answer in contestants.items():
            for profile in profiles[first : first + (TURN if name != EVALUATOR else 5)]:
                timed(name, answer, profile)
        for profile in profiles[first : first + 10]:
            contestants[ZEN_JSON](*profile)
            timed(COLD, contestants[VERDICT], profile)
    return {name: median(times) for name, times in taken.items()}


def report(field: Field, medians: dict[str, float]) -> list[str]:
    """Prints the table of a kind; returns the promises missed."""
    sifted = [field.backend.sift(facts, as_of=AS_OF, near=1) for facts in field.gappy]
    hits = [len(field.backend.eligible(facts, as_of=AS_OF)) for facts in field.facts]
    print(f"\n## {field.kind}: {len(field.ids)} policies, {field.clauses} clauses, {len(field.facts)} profiles")
    print(
        f"made ready in {field.prepared_in:.2f} s; median profile: {median(hits):.0f} eligible; with {UNKNOWN:.0%} of"
    )
    print(
        f"facts unknown {median(len(s.eligible) for s in sifted):.0f} eligible, "
        f"{median(len(s.undetermined) for s in sifted):.0f} undetermined, "
        f"{median(len(s.near) for s in sifted):.0f} near misses\n"
    )
    for name, seconds in medians.items():
        print(f"{name:<50}{seconds * 1e3:>10.3f} ms")
    zen_best = min(seconds for name, seconds in medians.items() if "a policy" in name)
    ratios = {
        "verdict alone": zen_best / medians[VERDICT],
        "unknown facts and near misses": zen_best / medians[NEAR],
    }
    missed = []
    print("\nagainst zen's compiled expressions, one a policy, in its faster form:")
    for name, ratio in ratios.items():
        promised = f" (promised: {PROMISED[name]})" if field.kind == "columns" else ""
        print(f"{name:<50}{ratio:>8.0f} times faster{promised}")
        if promised and ratio < PROMISED[name]:
            missed.append(f"{name}: {ratio:.0f} times, promised {PROMISED[name]}")
    together = medians["zen, all policies in one expression"] / medians[VERDICT]
    print(f"{'verdict alone, against all in one zen expression':<50}{together:>8.0f} times faster")
    return missed


def whole_command(policies: int, enterprises: int) -> None:
    """Times ``manage.py match`` as a process, from start to exit."""
    print(f"\n## manage.py match, {policies} policies x {enterprises} enterprises, the whole process")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "V.json").write_text(json.dumps(generate.vocabulary(), ensure_ascii=False), encoding="utf-8")
        runs: list[tuple[Kind, float, int]] = [("columns", 0, 0), ("columns", UNKNOWN, 1), ("windows", UNKNOWN, 1)]
        for kind, unknown, near in runs:
            files = {
                "P.jsonl": generate.policies(policies, seed=1, kind=kind),
                "E.jsonl": generate.enterprises(enterprises, seed=2, kind=kind, unknown=unknown),
            }
            for name, lines in files.items():
                text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
                (place / name).write_text(text, encoding="utf-8")
            command = [sys.executable, "manage.py", "match", "--as-of", AS_OF.isoformat(), "--near", str(near)]
            for option, name in (("policies", "P.jsonl"), ("enterprises", "E.jsonl"), ("vocabulary", "V.json")):
                command += [f"--{option}", str(place / name)]
            start, busy = time.perf_counter(), _children()
            subprocess.run([*command, "--out", str(place / "M.jsonl")], check=True)
            taken, busy = time.perf_counter() - start, _children() - busy
            with (place / "M.jsonl").open("rb") as written:
                lines_written = sum(1 for _ in written)
            run = f"{kind}, {unknown:.0%} unknown, --near {near}"
            print(f"{run:<40}{taken:>6.1f} s ({busy:.1f} s of processor), {lines_written:,} lines")


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--policies", type=int, default=5000)
    parser.add_argument("--profiles", type=int, default=200)
    parser.add_argument("--skip-command", action="store_true", help="leave manage.py match out")
    options = parser.parse_args()
    missed: list[str] = []
    by_evaluator = min(10, options.profiles)
    kinds: tuple[Kind, ...] = ("columns", "windows")
    for kind in kinds:
        field = prepare(kind, options.policies, options.profiles)
        if wrong := check(field, by_evaluator):
            print(*wrong, sep="\n")
            return 1
        missed += report(field, race(field))
    if not options.skip_command:
        whole_command(1000, 2000)
    if missed:
        print("\nmissed:", *missed, sep="\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
