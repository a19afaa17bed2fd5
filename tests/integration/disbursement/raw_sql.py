"""Attacks on the database in raw SQL, and whether each constraint and each trigger refuses the one meant for it.

Constraints are discovered from the models, triggers from `disbursement.guards`: one that nobody attacks fails its test,
and so does an attack that the database lets through.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from types import ModuleType, SimpleNamespace
from typing import Any

from django.apps import apps
from django.db import IntegrityError, connection, models, transaction

from disbursement import guards

Attack = Callable[[], object]


def models_in(*modules: ModuleType) -> list[type[models.Model]]:
    """The models of disbursement that these modules define."""
    names = {module.__name__ for module in modules}
    return [model for model in apps.get_app_config("disbursement").get_models() if model.__module__ in names]


def execute(sql: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def change(name: str, pk: int, /, **values: Any) -> Attack:
    """UPDATE one row."""
    sets = ", ".join(f"{column} = %s" for column in values)
    return lambda: execute(f"UPDATE disbursement_{name} SET {sets} WHERE id = %s", *values.values(), pk)


def copy(name: str, pk: int, /, **values: Any) -> Attack:
    """INSERT a copy of one row, with other values in some columns; names quoted, for one of them is `limit`."""
    model = apps.get_model("disbursement", name)
    quoted = connection.ops.quote_name
    columns = [field.column for field in model._meta.concrete_fields if not field.primary_key]
    names = ", ".join(quoted(column) for column in columns)
    chosen = ", ".join("%s" if column in values else quoted(column) for column in columns)
    given = [values[column] for column in columns if column in values]
    table = model._meta.db_table
    return lambda: execute(f"INSERT INTO {table} ({names}) SELECT {chosen} FROM {table} WHERE id = %s", *given, pk)


def delete(table: str) -> Attack:
    return lambda: execute(f"DELETE FROM {table}")


def one_after_the_other(*attacks: Attack) -> Attack:
    def run() -> None:
        for attack in attacks:
            attack()

    return run


def given_and_taken_back(name: str, pk: int, /, **values: Any) -> Attack:
    """UPDATE one row, then empty the same columns again."""
    return one_after_the_other(change(name, pk, **values), change(name, pk, **dict.fromkeys(values)))


def refused(attack: Attack) -> IntegrityError | None:
    """The database's refusal, or None where it let the attack through. Leaves nothing behind."""
    point = transaction.savepoint()
    try:
        # A model that is refused on its way leaves its transaction broken: this one takes it back.
        with transaction.atomic():
            attack()
    except IntegrityError as error:
        return error
    finally:
        transaction.savepoint_rollback(point)
    return None


def named(error: IntegrityError, constraint: str) -> bool:
    """Whether it was this constraint that refused; SQLite does not name unique ones."""
    if connection.vendor == "postgresql":
        return bool(error.__cause__.diag.constraint_name == constraint)  # type: ignore[union-attr]
    return constraint in str(error) or "UNIQUE constraint failed" in str(error)


def without_triggers() -> None:
    """They would be first to refuse: until the test's transaction is undone the constraints alone must hold."""
    guards.remove(None, SimpleNamespace(connection=connection))  # type: ignore[arg-type]


def check_constraints(tables: Iterable[type[models.Model]], attacks: Mapping[str, Attack]) -> None:
    """Each constraint of the models refuses its attack by itself. Afterwards the test has no triggers."""
    declared = {constraint.name for model in tables for constraint in model._meta.constraints}
    assert declared == set(attacks), "a constraint without its attack, or an attack without its constraint"
    without_triggers()
    results = {name: refused(attack) for name, attack in attacks.items()}
    assert [name for name, error in results.items() if error is None or not named(error, name)] == []


def triggers_of(tables: Iterable[type[models.Model]]) -> dict[str, str]:
    """The triggers that guard the models, each with what it says when it refuses."""
    names = {model._meta.db_table for model in tables}
    return {guard.name: guard.message for guard in guards.guards() if guard.table in names}


def check_triggers(
    tables: Iterable[type[models.Model]], attacks: Mapping[str, Attack], *, but: Collection[str] = ()
) -> None:
    """Each trigger of the models refuses its attack, in its own words; those of `but` are left to another test."""
    declared = triggers_of(tables)
    assert set(declared) == set(attacks), "a trigger without its attack, or an attack without its trigger"
    results = {name: refused(attack) for name, attack in attacks.items() if name not in but}
    assert [name for name, error in results.items() if error is None or declared[name] not in str(error)] == []
