"""A question as bodies of searches: how rare its concepts are, how much of it a document can hold, the hits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matching.chunks import chunks

from ..base import FACETS, MOST_HITS, Request
from ..expand import Concept, Understood
from ..weighing import BASE, BITS, LEAST_COVER, STEPS, TITLE, WHOLE_TITLE, phrase, sure_terms, worth
from .documents import spaced

Json = Any
MOST_TERMS = 60_000  # of one clause; the server takes 65,536
MOST_CODES = 10_000  # of one facet
_TOLERANCE = 1 - 1e-5  # scores are of single precision
ALL: Json = {"match_all": {}}
COUNTED = "counted_"
CHECK: Json = {"stats": {"field": "check"}}


def state_and_counts(concepts: Sequence[Concept]) -> Json:
    """How many documents there are, their state, and how many hold each concept. The server caches the answer."""
    counted = {str(place): {"filter": _any_of("words", sure_terms(concept))} for place, concept in enumerate(concepts)}
    return {"size": 0, "track_total_hits": True, "query": ALL, "aggs": {"check": CHECK, **counted}}


@dataclass(frozen=True, slots=True)
class Weighed:
    """A query with what each of its concepts is worth among the documents there are."""

    understood: Understood
    worths: tuple[float, ...]

    @classmethod
    def of(cls, understood: Understood, *, holding: Sequence[int], among: int) -> Weighed:
        worths = [
            worth(concept, holding=count, among=among)
            for concept, count in zip(understood.concepts, holding, strict=True)
        ]
        return cls(understood, tuple(worths))

    @property
    def found(self) -> list[tuple[Concept, float]]:
        """The concepts that some word stands for, with what each is worth."""
        pairs = zip(self.understood.concepts, self.worths, strict=True)
        return [(concept, value) for concept, value in pairs if concept.terms]

    @property
    def all_cover_enough(self) -> bool:
        """Whether any one concept is enough of the query, however much another document holds."""
        values = [value for _, value in self.found]
        return not values or min(values) >= LEAST_COVER * sum(values)

    def most_covered(self) -> Json:
        """The one document that holds the most of the query, scored by how much that is."""
        return {
            "size": 1,
            "_source": False,
            "stored_fields": "_none_",
            "track_total_hits": False,
            "query": self._cover(),
        }

    def scored(self, most: float | None) -> Json:
        """Every document that covers enough, scored. `most` is the score of `most_covered`, None where all do."""
        everything = sum(self.worths)
        inner: Json = {"should": [_strength(concept, value) for concept, value in self.found]}
        inner["minimum_should_match"] = 1
        if most is not None:
            least = LEAST_COVER * most * _TOLERANCE
            inner["filter"] = [{"function_score": {"query": self._cover(), "min_score": least}}]
        covered = [
            {"weight": BASE},
            *(
                {"filter": _any_of("words", concept.terms), "weight": (1 - BASE) * value / everything}
                for concept, value in self.found
            ),
        ]
        bonus: list[Json] = [{"weight": 1.0}]
        for concept, value in self.found:
            bonus += _titled(concept, TITLE * value / everything)
        if asked := phrase(self.understood):
            bonus.append({"filter": phrase_in("letters", asked), "weight": WHOLE_TITLE})
        return _times(_times({"bool": inner}, covered, mode="sum"), bonus, mode="sum")

    def whole(self) -> Json | None:
        """Those that hold every concept; None where none can."""
        if len(self.found) < len(self.understood.concepts):
            return None
        return {"bool": {"filter": [_any_of("words", concept.terms) for concept, _ in self.found]}}

    def _cover(self) -> Json:
        return {
            "bool": {"should": [_constant(_any_of("words", concept.terms), value) for concept, value in self.found]}
        }


def hits(request: Request, weighed: Weighed | None, most: float | None) -> Json:
    """The page of hits that was asked for, and the counts. Narrowing comes after, as each facet counts around it."""
    scored = ALL if weighed is None else weighed.scored(most)
    whole = ALL if weighed is None else weighed.whole()
    if weighed is not None and request.prefer:
        scored = _times(scored, _preferred(request.prefer), mode="first")
    if weighed is not None and whole is not None:
        # Costs nothing and adds nothing: it only tells which of the hits it holds for.
        told = {"constant_score": {"filter": whole, "boost": 0.0, "_name": "whole"}}
        scored = {"bool": {"must": [scored], "should": [told]}}
    kind = [{"term": {"kind": request.kind}}] if request.kind else []
    choices = _choices(request)

    def kept(without: str = "") -> list[Json]:
        return [*kind, *(clause for name, clause in choices.items() if name != without)]

    counted: dict[str, Json] = {
        **{name: {"terms": {"field": f"facets.{name}", "size": MOST_CODES}} for name in FACETS},
        "open": {"filter": _all_of(_open_on(request))},
        "fits": {"filter": _any_of("id", request.prefer)},
        "whole": {"filter": {"match_none": {}} if whole is None else whole},
    }
    # What is counted by the same documents is counted in one go: for most questions everything is.
    around = {name if name in choices else "": kept(name) for name in counted}
    aggs: dict[str, Json] = {
        "all": {"global": {}, "aggs": {"check": CHECK}},
        "kinds": {"terms": {"field": "kind", "size": 100}},
    }
    for without, clauses in around.items():
        inside = {name: agg for name, agg in counted.items() if (name if name in choices else "") == without}
        aggs[f"{COUNTED}{without}"] = {"filter": _all_of(clauses), "aggs": inside}
    order: list[Json] = ["id"] if weighed is None else [{"_score": "desc"}, "id"]
    order[-1:-1] = [{"published": "desc"}, "code", "title"]
    size = MOST_HITS if request.size is None else request.size
    start = min(request.start, MOST_HITS)
    return {
        "from": start,
        "size": min(size, MOST_HITS - start),
        "track_total_hits": True,
        "track_scores": weighed is not None,
        "_source": False,
        "docvalue_fields": ["id"],
        "query": scored,
        "post_filter": _all_of(kept()),
        "sort": order,
        "aggs": aggs,
    }


def counts(aggregations: Json) -> Json:
    """What was counted of the hits, by name, wherever it was."""
    return {name: told for key, agg in aggregations.items() if key.startswith(COUNTED) for name, told in agg.items()}


def titles(clauses: Sequence[Json], *, kind: str, size: int, first: str = "") -> Json:
    """Documents whose titles pass one of the clauses, those that begin with `first` before others; and the state."""
    narrowed = [{"term": {"kind": kind}}] if kind else []
    begins = [_constant({"prefix": {"title": first}}, 1.0)] if first else []
    query = {"bool": {"filter": [{"bool": {"should": list(clauses)}}, *narrowed], "should": begins}}
    return {
        "size": size,
        "_source": ["id", "title"],
        "track_total_hits": True,
        "query": query,
        "sort": [{"_score": "desc"}, "title", "id"],
        "aggs": {"all": {"global": {}, "aggs": {"check": CHECK}}},
    }


def phrase_in(field: str, text: str) -> Json:
    """The characters of a text side by side, in a field of single characters."""
    return {"match_phrase": {field: spaced(text)}}


def _strength(concept: Concept, value: float) -> Json:
    """The best of a concept's alternatives: the bits of each add up to its step."""
    return {
        "dis_max": {
            "queries": [
                {
                    "bool": {
                        "should": [
                            _constant({"term": {"impacts": f"{bit}{term}"}}, value * weight * 2**bit / STEPS)
                            for bit in range(BITS)
                        ]
                    }
                }
                for term, weight in concept.terms.items()
            ]
        }
    }


def _titled(concept: Concept, value: float) -> list[Json]:
    """Functions that add up to the weight of the best alternative that stands in the title, times a value.

    The heaviest alternatives add what they are above the next heaviest, those and the next what these are above the
    ones after, and so on: whoever holds the heaviest holds all the sums.
    """
    by_weight: defaultdict[float, list[str]] = defaultdict(list)
    for term, weight in concept.terms.items():
        by_weight[weight].append(term)
    found, terms = [], list[str]()
    weights = sorted(by_weight, reverse=True)
    for weight, lighter in zip(weights, [*weights[1:], 0.0], strict=True):
        terms += by_weight[weight]
        found.append({"filter": _any_of("titled", terms), "weight": value * (weight - lighter)})
    return found


def _preferred(prefer: Mapping[str, float]) -> list[Json]:
    by_factor: defaultdict[float, list[str]] = defaultdict(list)
    for key, factor in prefer.items():
        by_factor[factor].append(key)
    return [{"filter": _any_of("id", keys), "weight": factor} for factor, keys in by_factor.items()]


def _choices(request: Request) -> dict[str, Json]:
    """What narrows the hits, by the name under which its own count leaves it out."""
    found = {name: _any_of(f"facets.{name}", codes) for name, codes in request.chosen.items() if codes}
    if request.open_now and request.today is not None:
        found["open"] = _all_of(_open_on(request))
    if request.only is not None:
        found["fits"] = _any_of("id", request.only)
    return found


def _open_on(request: Request) -> list[Json]:
    if request.today is None:
        return []
    day = request.today.isoformat()
    return [{"range": {"opens": {"lte": day}}}, {"range": {"closes": {"gte": day}}}]


def _times(query: Json, functions: list[Json], *, mode: str) -> Json:
    return {"function_score": {"query": query, "functions": functions, "score_mode": mode, "boost_mode": "multiply"}}


def _constant(clause: Json, score: float) -> Json:
    return {"constant_score": {"filter": clause, "boost": score}}


def _all_of(clauses: Sequence[Json]) -> Json:
    return {"bool": {"filter": list(clauses)}} if clauses else ALL


def _any_of(field: str, values: Collection[str]) -> Json:
    pieces = [{"terms": {field: piece}} for piece in chunks(sorted(values), MOST_TERMS)]
    if not pieces:
        return {"match_none": {}}
    return pieces[0] if len(pieces) == 1 else {"bool": {"should": pieces}}
