"""`among`: thousands of ids in a filter, in one parameter."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from matching.models import Enterprise, Fact
from tests.factories import matching as base

pytestmark = pytest.mark.django_db


def test_it_finds_what_in_finds_by_number_text_and_relation_whatever_holds_the_values() -> None:
    made = [base.enterprise(registered_region="510105") for _ in range(6)]
    some = made[1::2]
    ids, codes = [each.pk for each in some], [each.credit_code for each in some]
    their_facts = set(Fact.objects.filter(enterprise__in=some))
    assert len(their_facts) == len(some)
    for values in (ids, set(ids), tuple(ids), dict.fromkeys(ids).keys(), [*ids, 10**12]):
        assert set(Enterprise.objects.filter(pk__among=values)) == set(some)
        for name in ("enterprise", "enterprise_id", "enterprise__pk"):
            assert set(Fact.objects.filter(**{f"{name}__among": values})) == their_facts
    assert set(Enterprise.objects.filter(credit_code__among=[*codes, "没有，'这个'"])) == set(some)
    assert set(Enterprise.objects.exclude(pk__among=[*ids, None])) == set(made) - set(some)


def test_among_none_nothing_is_found_and_the_database_not_asked() -> None:
    base.enterprise()
    with CaptureQueriesContext(connection) as asked:
        assert list(Enterprise.objects.filter(pk__among=[])) == []
    assert len(asked) == 0
    assert Enterprise.objects.exclude(pk__among=[]).count() == 1


@pytest.mark.parametrize("values", ["123", 7, Enterprise.objects.values("pk")], ids=["text", "number", "query"])
def test_what_is_no_collection_of_values_is_refused_at_once(values: Any) -> None:
    with pytest.raises(TypeError, match="among takes a collection"):
        Enterprise.objects.filter(pk__among=values)


def test_a_statement_does_not_grow_with_its_ids() -> None:
    _, parameters = Enterprise.objects.filter(pk__among=range(5000)).query.sql_with_params()
    assert len(parameters) == 1
