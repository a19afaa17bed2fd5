"""Simple list search: every word must stand in the title or the body; titles rank first. LIKE, on any database."""

from collections.abc import Sequence
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.db.models.expressions import Combinable

from matching.search.tokenise import normalise, query_tokens

Rows = QuerySet[Any]

WHOLE_IN_TITLE, WORD_IN_TITLE, WORD_IN_BODY = 100, 10, 1


def search(rows: Rows, query: str, *, title: str = "title_text", body: str = "body_text") -> tuple[Rows, bool]:
    """(the rows that a query finds, best first, annotated with `rank`; whether all its words were found together).

    `title` and `body` name text fields that hold normalised text. Where no row has every word, rows with some of them
    are given and the second value is False. A query without words finds all, unranked.
    """
    tokens = query_tokens(query) if query else []
    if not tokens:
        return rows, True
    each = [_holds(title, token) | _holds(body, token) for token in tokens]
    ranked = rows.annotate(rank=_rank(tokens, normalise(query), title, body))
    together = ranked.filter(reduce(and_, each))
    if len(tokens) == 1 or together.exists():
        return together.order_by("-rank", *_order(rows)), True
    return ranked.filter(reduce(or_, each)).order_by("-rank", *_order(rows)), False


def _order(rows: Rows) -> Sequence[str]:
    return [*(field for field in rows.query.order_by if isinstance(field, str)), "pk"]


def _holds(field: str, token: str) -> Q:
    return Q(**{f"{field}__contains": token})


def _rank(tokens: Sequence[str], whole: str, title: str, body: str) -> Combinable:
    def points(field: str, text: str, worth: int) -> Combinable:
        return Case(When(_holds(field, text), then=Value(worth)), default=Value(0), output_field=IntegerField())

    parts = [points(title, whole, WHOLE_IN_TITLE)]
    for token in tokens:
        parts += [points(title, token, WORD_IN_TITLE), points(body, token, WORD_IN_BODY)]
    return reduce(lambda total, part: total + part, parts)
