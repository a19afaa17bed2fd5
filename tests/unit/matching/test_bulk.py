"""Rows in one statement: the ids of those that are new, conflicts passed over or laid over."""

import pytest

from matching import bulk
from matching.models import Match, Push
from tests.factories import matching as make

pytestmark = pytest.mark.django_db

PUSH = ("enterprise", "version", "verdict", "cause", "reason", "created_at")
MATCH = ("enterprise", "version", "verdict", "form_only", "unmet", "unknown", "as_of")


def push(firm, version, *reasons):
    return (firm.pk, version.pk, "eligible", "policy", list(reasons), make.NOW)


def test_only_the_new_rows_are_returned_and_the_others_stay_as_they_were():
    firms, version = [make.enterprise() for _ in range(3)], make.published()
    told = ("enterprise", "version", "verdict")
    [first] = bulk.insert(model=Push, fields=PUSH, rows=[push(firms[1], version, "先")], unique=told)
    rows = [push(firm, version, '后 "引号"\n换行') for firm in firms]
    new = bulk.insert(model=Push, fields=PUSH, rows=rows, unique=told)
    assert list(Push.objects.filter(pk__in=new).order_by("pk").values_list("enterprise", flat=True)) == [
        firms[0].pk,
        firms[2].pk,
    ]
    assert Push.objects.get(pk=first).reason == ["先"]
    assert Push.objects.get(pk=new[0]).reason == ['后 "引号"\n换行']
    assert Push.objects.get(pk=new[0]).created_at == make.NOW


def test_a_row_that_is_there_takes_the_new_values():
    firm, version = make.enterprise(), make.published()
    row = (firm.pk, version.pk, "ineligible", False, ["root"], [], make.TODAY)
    [pk] = bulk.insert(model=Match, fields=MATCH, rows=[row])
    better = (firm.pk, version.pk, "undetermined", True, [], ["root"], make.TODAY)
    assert bulk.insert(
        model=Match, fields=MATCH, rows=[better], unique=("enterprise", "version"), update=MATCH[2:]
    ) == [pk]
    found = Match.objects.get()
    assert (found.verdict, found.form_only, found.unmet, found.unknown) == ("undetermined", True, [], ["root"])


def test_nothing_is_no_statement(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert bulk.insert(model=Push, fields=PUSH, rows=[]) == []


def test_more_rows_than_one_statement_takes_all_come_back_in_order(monkeypatch):
    monkeypatch.setattr(bulk, "_MOST", {"sqlite": 2, "postgresql": 2})
    firms, version = [make.enterprise() for _ in range(5)], make.published()
    ids = bulk.insert(model=Push, fields=PUSH, rows=[push(firm, version) for firm in firms])
    by_id = Push.objects.in_bulk(ids)
    assert [by_id[pk].enterprise_id for pk in ids] == [firm.pk for firm in firms]


def test_ids_among_are_one_parameter():
    firms = [make.enterprise() for _ in range(4)]
    kept = [firms[0].pk, firms[3].pk, 10**12]
    query = type(firms[0]).objects.filter(bulk.Among("id", kept))
    assert sorted(query.values_list("pk", flat=True)) == kept[:2]
    assert len(query.query.sql_with_params()[1]) == 1
    assert not type(firms[0]).objects.filter(bulk.Among("id", [])).exists()
