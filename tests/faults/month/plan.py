"""Which evil comes at which step of a round: drawn from the round's seed, told afterwards as it happened."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from . import fuse
from .lab import Lab, Later
from .proxy import Spell

# About so many steps has a round; evils fall on different ones.
STEPS = 50


class Evils(Protocol):
    """What befalls a round; `told` says of each where it was meant to."""

    told: list[str]

    def before(self, step: str) -> None:
        """Called before each step, with its name."""

    def end(self) -> Counter[str]:
        """Called when the round's story is over: nothing happens from now on; how often what befell it."""


@dataclass
class Peace:
    """Nothing."""

    told: list[str] = field(default_factory=list)

    def before(self, step: str) -> None:
        return

    def end(self) -> Counter[str]:
        return Counter()


# (weight, what): the first two are exact to the statement, the others come some milliseconds into a step.
_KILLS: Sequence[tuple[int, str]] = (
    (6, "web at a statement"),
    (6, "worker at a statement"),
    (2, "backend of web"),
    (2, "backend of worker"),
    (2, "web process"),
    (2, "worker process"),
    (1, "web whole"),
    (1, "worker whole"),
    (1, "worker parent"),
    (2, "beat"),
    (1, "postmaster"),
    (1, "PostgreSQL whole"),
    (1, "Redis"),
)


@dataclass
class Kills:
    """kill -9 of one process at each of so many steps."""

    lab: Lab
    seed: str
    number: int
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._dice = random.Random(f"kills:{self.seed}")
        self._at = set(self._dice.sample(range(STEPS), self.number))
        self._step = 0
        self._later = Later()
        self._done: Counter[str] = Counter()

    def before(self, step: str) -> None:
        if self._step in self._at:
            [what] = self._dice.choices([name for _, name in _KILLS], [weight for weight, _ in _KILLS])
            self.told.append(f"{step}: {what}")
            self._arm(what)
        self._step += 1

    def end(self) -> Counter[str]:
        self._later.join()
        for ash in fuse.burnt(self.lab.folder):
            self._done[
                f"backend of {ash['role']}" if ash["kill"] == "backend" else f"{ash['role']} at a statement"
            ] += 1
            self.told.append(f"burnt in {ash['role']}: {ash['sql'][:100]}")
        fuse.clear(self.lab.folder)
        return self._done

    def _arm(self, what: str) -> None:
        lab, dice = self.lab, self._dice
        if what.endswith("at a statement"):
            fuse.lay(lab.folder, role=what.removesuffix(" at a statement"), after=dice.randint(1, 60), kill="process")
            return
        if what.startswith("backend"):
            fuse.lay(lab.folder, role=what.removeprefix("backend of "), after=dice.randint(1, 60), kill="backend")
            return

        def strike() -> None:
            deeds = {
                "web process": lambda: lab.kill_one("web", dice=dice),
                "worker process": lambda: lab.kill_one("worker", dice=dice),
                "web whole": lambda: lab.kill_all("web"),
                "worker whole": lambda: lab.kill_all("worker"),
                "worker parent": lambda: lab.kill_parent("worker"),
                "beat": lambda: lab.kill_all("beat"),
                "postmaster": lambda: lab.kill_postgres(whole=False),
                "PostgreSQL whole": lambda: lab.kill_postgres(whole=True),
                "Redis": lab.kill_redis,
            }
            if deeds[what]() is not False:
                self._done[what] += 1

        self._later.do(strike, after_ms=dice.randint(0, 120))


_WAYS = ("database", "database", "database", "broker", "bank", "bank")
_SPELLS = ("cut", "cut_after", "cut_after", "delay", "swallow", "refuse")


@dataclass
class Network:
    """A proxy that delays, swallows, cuts or refuses at each of so many steps, until it has struck."""

    lab: Lab
    seed: str
    number: int
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._dice = random.Random(f"network:{self.seed}")
        self._at = set(self._dice.sample(range(STEPS), self.number))
        self._step = 0
        self._done: Counter[str] = Counter()
        self._cast: dict[str, tuple[Spell, int]] = {}

    def before(self, step: str) -> None:
        self._lift()
        if self._step in self._at:
            way, kind = self._dice.choice(_WAYS), self._dice.choice(_SPELLS)
            number = {
                "cut": 0,
                "cut_after": self._dice.randint(1, 8000 if way == "database" else 1500),
                "delay": self._dice.randint(3, 12) if way == "database" else self._dice.randint(50, 600),
                "swallow": self._dice.randint(200, 1200),
                "refuse": self._dice.randint(200, 800),
            }[kind]
            proxy = self.lab.through[way]
            self._cast[way] = (Spell(kind, number), proxy.struck)
            proxy.cast(Spell(kind, number))
            self.told.append(f"{step}: {way} {kind} {number}")
        self._step += 1

    def end(self) -> Counter[str]:
        self._lift()
        for way in self._cast:
            self.lab.through[way].clear()
        return self._done

    def _lift(self) -> None:
        """What has struck is over; the rest waits for something to pass."""
        for way, (spell, before) in list(self._cast.items()):
            proxy = self.lab.through[way]
            if proxy.struck > before:
                proxy.clear()
                self._done[f"{way} {spell.kind}"] += 1
                del self._cast[way]
