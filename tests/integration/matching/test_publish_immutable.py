"""The database itself refuses to change or delete what was published, recorded and pushed."""

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from matching.models import Fact, PolicyVersion, Push
from tests.factories.matching import NOW, enterprise, published

pytestmark = pytest.mark.django_db


@pytest.fixture(name="row")
def row_fixture(request: pytest.FixtureRequest) -> tuple[str, int]:
    version = published()
    subject = enterprise(registered_region="510105")
    push = Push.objects.create(
        enterprise=subject, version=version, verdict="eligible", cause="policy", reason=[], created_at=NOW
    )
    fact = Fact.objects.filter(enterprise=subject).first()
    assert fact is not None
    rows = {
        "matching_policyversion": version.pk,
        "matching_fact": fact.pk,
        "matching_push": push.pk,
    }
    return request.param, rows[request.param]


TABLES = ["matching_policyversion", "matching_fact", "matching_push"]
COLUMN = {"matching_policyversion": "number", "matching_fact": "source", "matching_push": "cause"}
MODEL: dict[str, Any] = {"matching_policyversion": PolicyVersion, "matching_fact": Fact, "matching_push": Push}


@pytest.mark.parametrize("row", TABLES, indirect=True)
def test_an_update_in_raw_sql_is_refused(row: tuple[str, int]) -> None:
    table, pk = row
    column = COLUMN[table]
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {column} = {column} WHERE id = %s", [pk])


@pytest.mark.parametrize("row", TABLES, indirect=True)
def test_a_delete_in_raw_sql_is_refused(row: tuple[str, int]) -> None:
    table, pk = row
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE id = %s", [pk])
    assert MODEL[table].objects.filter(pk=pk).exists()


@pytest.mark.parametrize("row", TABLES, indirect=True)
def test_the_orm_is_refused_too(row: tuple[str, int]) -> None:
    table, pk = row
    column = COLUMN[table]
    value = MODEL[table].objects.values_list(column, flat=True).get(pk=pk)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        MODEL[table].objects.filter(pk=pk).update(**{column: value})
