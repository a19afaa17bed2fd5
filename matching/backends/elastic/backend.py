"""The matcher over the clause index: asks in batches, and lets ``criteria.evaluate`` decide about every row found."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Iterator
from datetime import date

from matching.chunks import chunks
from matching.criteria import Facts
from matching.criteria.clauses import ClauseCompiler
from matching.criteria.evaluate import CompiledTree, Evaluation, Verdict

from ..base import BackendUnavailable, Listed, Match, Sifted
from .aliases import MissingIndex
from .compile import Item, Questions, compile_item, failed_of, is_open
from .indices import ClauseIndex, Hit

logger = logging.getLogger(__name__)

_BATCH = 50
_TRIES = 3
LISTED = "listed"
"""The holder of what the district has listed: the same rows for every process."""


class ElasticBackend:
    """See ``MatcherBackend``. Rows are written at the first question after a change.

    Before it believes an answer it compares the number of rows with the last it has seen complete: where it differs
    (the data was lost, another process wrote) it looks through the keys and writes what is missing. Without a
    ``holder`` the rows are its own, and go when it is closed. Raises BackendUnavailable where the server is away.
    """

    def __init__(self, *, index: ClauseIndex | None = None, holder: str | None = None) -> None:
        self._index = index or ClauseIndex("scratch" if holder is None else "clauses")
        self._own = holder is None
        self.holder = holder or uuid.uuid4().hex
        self._compiler = ClauseCompiler()
        self._items: dict[str, Item] = {}
        self._by_version: dict[str, Item] = {}
        self._questions: Questions | None = None
        self._gone: set[str] = set()
        self._complete_at: int | None = None
        self._written = False

    def put(self, policies: Iterable[Listed]) -> None:
        for policy in policies:
            self._forget(policy.id)
            item = compile_item(policy, self._compiler)
            self._items[policy.id] = self._by_version[item.version] = item
        self._changed()

    def remove(self, policies: Iterable[str]) -> None:
        for policy in policies:
            self._forget(policy)
        self._changed()

    def close(self) -> None:
        """Takes away the rows that are this backend's own; where the server is away they stay, and harm nobody."""
        if self._own:
            keys = [*self._gone, *(key for item in self._items.values() for key in item.rows)]
            self._items, self._by_version, self._gone = {}, {}, set()
            try:
                if keys and self._written:
                    self._index.drop(self.holder, keys)
            except BackendUnavailable as error:
                logger.warning("the rows of a finished run were not taken away: %s", error)

    def eligible(self, facts: Facts, *, as_of: date) -> tuple[str, ...]:
        return self.sift(facts, as_of=as_of).eligible

    def sift(self, facts: Facts, *, as_of: date, near: int = 0) -> Sifted:
        groups: dict[Verdict, list[str]] = {verdict: [] for verdict in Verdict}
        for match in self.match(facts, as_of=as_of, near=near):
            groups[match.verdict].append(match.policy)
        return Sifted(
            tuple(groups[Verdict.ELIGIBLE]), tuple(groups[Verdict.UNDETERMINED]), tuple(groups[Verdict.INELIGIBLE])
        )

    def match(self, facts: Facts, *, as_of: date, near: int = 0) -> list[Match]:
        [(_, found)] = self.match_many([("", facts)], as_of=as_of, near=near)
        return found

    def match_many(
        self, profiles: Iterable[tuple[str, Facts]], *, as_of: date, near: int = 0
    ) -> Iterator[tuple[str, list[Match]]]:
        for piece in chunks(profiles, _BATCH):
            questions = self._ready()
            asked = [questions.query(self.holder, facts, as_of, near) for _, facts in piece]
            answers = self._ask([query for query, _ in asked])
            for (name, facts), (_, exact), hits in zip(piece, asked, answers, strict=True):
                yield name, self._decide(facts, as_of, near, exact, hits)

    def match_policy(
        self, policy: Listed, profiles: Iterable[tuple[str, Facts]], *, as_of: date, near: int = 0
    ) -> Iterator[tuple[str, Match]]:
        tree = CompiledTree(policy.criteria)
        for profile, facts in profiles:
            match = _match(policy.id, tree.evaluate(facts, as_of))
            if len(match.unmet) <= near:
                yield profile, match

    def held_rows(self) -> dict[str, dict[str, object]]:
        """Every row that should be in the index, by key."""
        return {key: row for item in self._items.values() for key, row in item.rows.items()}

    def _forget(self, policy: str) -> None:
        item = self._items.pop(policy, None)
        if item is not None:
            del self._by_version[item.version]
            self._gone.update(item.rows)

    def _changed(self) -> None:
        self._questions = None
        self._complete_at = None

    def _ready(self) -> Questions:
        """The questions, with every row in the index."""
        if self._complete_at is None:
            self._complete()
        if self._questions is None:
            self._questions = Questions(self._items.values())
        return self._questions

    def _ask(self, queries: list[object]) -> list[list[Hit]]:
        found: list[list[Hit]] | None = None
        for _ in range(_TRIES):
            try:
                rows, found = self._index.find(self.holder, queries)
            except MissingIndex:
                self._complete()
                continue
            if rows == self._complete_at:
                return found
            self._complete()
        if found is None:
            raise BackendUnavailable("Elasticsearch 的索引一再消失")
        return found  # others write all the time; this backend's rows were there before the last answer

    def _complete(self) -> None:
        """Writes what the index lacks of this backend's rows and takes out what it let go; notes how many there are."""
        rows = self.held_rows()
        gone = self._gone.difference(rows)
        if gone or rows or not self._own:
            self._index.ensure()
            self._written = True
            if gone:
                self._index.drop(self.holder, gone)
                self._index.refresh()
            there = set(self._index.keys(self.holder))
            lacking = {key: row for key, row in rows.items() if key not in there}
            if lacking:
                self._index.put(self.holder, lacking)
                self._index.refresh()
        self._gone = set()
        self._complete_at = self._index.count(self.holder) if rows or not self._own else 0

    def _decide(self, facts: Facts, as_of: date, near: int, exact: bool, hits: list[Hit]) -> list[Match]:
        """What the tree says of each policy of which a row was found; it must agree with the row that fails least."""
        best: dict[str, float] = {}
        for version, score in hits:
            known = best.get(version)
            best[version] = score if known is None else _better(known, score)
        found = []
        for version, score in best.items():
            item = self._by_version.get(version)
            if item is None:
                continue  # another process's, newer or older than what this one holds
            match = _match(item.policy.id, item.tree.evaluate(facts, as_of))
            self._compare(item, match, score=score, facts=facts, as_of=as_of, exact=exact and item.exact)
            if len(match.unmet) <= near:
                found.append(match)
        found.sort(key=_by_policy)
        return found

    def _compare(self, item: Item, match: Match, *, score: float, facts: Facts, as_of: date, exact: bool) -> None:
        """A row may promise too much where a number is not exact in it; all else is a defect, told with both inputs."""
        failed = failed_of(score)
        proposed = Verdict.INELIGIBLE
        if not failed:
            proposed = Verdict.UNDETERMINED if is_open(score) else Verdict.ELIGIBLE
        if proposed is match.verdict and failed == len(match.unmet):
            return
        if not exact and failed <= len(match.unmet):
            return
        logger.error(
            "defect: the clause index and the evaluator disagree as of %s: %s with %d unmet, against %s with %s; "
            "policy %s: %r; facts: %r",
            as_of,
            proposed,
            failed,
            match.verdict,
            match.unmet,
            item.policy.id,
            item.policy.criteria,
            facts,
        )


def _better(one: float, other: float) -> float:
    """The score of the row that fails less; of equal ones, of that with nothing unknown."""
    return min(one, other, key=lambda score: (failed_of(score), is_open(score)))


def _match(policy: str, found: Evaluation) -> Match:
    return Match(policy, found.verdict, found.unmet, found.unknown, found.form_only)


def _by_policy(match: Match) -> str:
    return match.policy
