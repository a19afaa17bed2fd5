"""People and workers who ask throughout, and remember what they were told and how long it took."""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import connection

from bench import generate
from matching.backends.base import Listed, Match
from matching.backends.memory import MemoryBackend
from matching.criteria import Facts, parse_facts
from matching.services.listed import ListedVersions
from matching.services.vocabulary import current_vocabulary

WHOLE = os.environ.get("CLUSTER") == "whole"
"""Whether the large version runs (make test-cluster), or the one that the suite has time for."""
AS_OF = generate.AS_OF
NEAR = 1


def tell(line: str) -> None:
    """A figure of a run, for whoever runs it with ``-s`` (make test-cluster)."""
    sys.stdout.write(f"\n   {line}\n")


@dataclass(frozen=True, slots=True)
class Told:
    """One answer: when it was asked for and how long it took (seconds), whether it is right, and what went wrong."""

    question: str
    at: float
    took: float
    right: bool
    wrong: str = ""


@dataclass
class Traffic:
    """Askers in threads of their own. ``with traffic.flowing():`` they ask; afterwards ``told`` has it all."""

    questions: dict[str, Callable[[], str]] = field(default_factory=dict)
    """By name, what is asked again and again; returns what is wrong with the answer, or nothing."""
    told: list[Told] = field(default_factory=list)

    @contextmanager
    def flowing(self) -> Iterator[None]:
        stop = threading.Event()
        threads = [
            threading.Thread(target=self._ask, args=(name, question, stop), name=name, daemon=True)
            for name, question in self.questions.items()
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join(120)
        assert not any(thread.is_alive() for thread in threads), "an asker waits and waits"

    def _ask(self, name: str, question: Callable[[], str], stop: threading.Event) -> None:
        try:
            while not stop.is_set():
                at = time.monotonic()
                try:
                    wrong = question()
                except Exception:
                    wrong = traceback.format_exc()
                self.told.append(Told(name, at, time.monotonic() - at, not wrong, wrong))
                stop.wait(0.02)
        finally:
            connection.close()

    def count(self, name: str) -> int:
        return sum(told.question == name for told in list(self.told))

    def wait_for(self, more: int = 3, *, seconds: float = 90) -> None:
        """Until each question was answered so many times more: the traffic has met what was just done."""
        end = time.monotonic() + seconds
        wanted = {name: self.count(name) + more for name in self.questions}
        while any(self.count(name) < count for name, count in wanted.items()):
            assert time.monotonic() < end, f"nobody is answered any more: {wanted}"
            time.sleep(0.05)

    def judge(self, *, within: float, at_least: int = 5) -> dict[str, float]:
        """All answers right and in time; returns the longest of each question, in seconds."""
        wrong = [told for told in self.told if not told.right]
        assert not wrong, (
            f"{len(wrong)} of {len(self.told)} answers; the first, to {wrong[0].question}: {wrong[0].wrong}"
        )
        longest = {name: max(told.took for told in self.told if told.question == name) for name in self.questions}
        for name in self.questions:
            assert self.count(name) >= at_least, f"{name} was asked {self.count(name)} times only"
            assert longest[name] <= within, f"{name}: an answer took {longest[name]:.2f} s"
        return longest


class Matching:
    """Profiles put to the listed versions as a process of its own would, against the embedded engine's answers.

    Only items that stand throughout are compared; what is published meanwhile may or may not have arrived.
    """

    def __init__(self, policies: list[Listed], *, profiles: int = 12, seed: int = 77) -> None:
        vocabulary = current_vocabulary()
        lines = generate.enterprises(profiles, seed=seed, kind="windows", unknown=0.1)
        self._profiles: list[Facts] = [parse_facts(line["facts"], vocabulary) for line in lines]
        memory = MemoryBackend()
        memory.put(policies)
        self._standing = {policy.id for policy in policies}
        self._right = [memory.match(facts, as_of=AS_OF, near=NEAR) for facts in self._profiles]
        self._process = ListedVersions("elasticsearch")
        self._next = 0

    @property
    def trouble(self) -> str:
        return self._process.trouble

    def __call__(self) -> str:
        number, self._next = self._next, (self._next + 1) % len(self._profiles)
        [(_, found)] = self._process.match([(number, self._profiles[number])], as_of=AS_OF, near=NEAR)
        compared = [match for match in found if match.policy in self._standing]
        return _difference(compared, self._right[number])


def _difference(found: list[Match], right: list[Match]) -> str:
    if found == right:
        return ""
    return f"told {len(found)} matches, {len(right)} are right; first {next(iter(set(found) ^ set(right)), None)}"
