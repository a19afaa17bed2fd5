"""An empty database brought up to date, in a fraction of the time `migrate` takes."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management import call_command
from django.core.management.commands import migrate
from django.db.migrations import AddConstraint, AddField, AddIndex, CreateModel
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.operations.base import Operation
from django.db.models import CheckConstraint

# With fewer models at once, rendering those that are related costs less than rendering all.
_MANY = 4


def migrate_empty_database() -> None:
    """What `manage.py migrate` does, with Wagtail's applications first, and models that are made in a row made at once.

    A migration renders every model that is related to the ones it touches, and through the user all of ours are related
    to Wagtail's: its hundred and sixty migrations are done before our hundred tables stand, instead of after. And an
    application's first migration would do so after each of its models, of which there are dozens, and after each of the
    hundreds of constraints over them. The tables are the same, to the letter.
    """
    command: Any = migrate
    usual = command.MigrationExecutor
    command.MigrationExecutor = _Executor
    try:
        for config in apps.get_app_configs():
            if config.label.startswith("wagtail") and (Path(config.path) / "migrations").is_dir():
                call_command("migrate", config.label, verbosity=0, interactive=False)
        call_command("migrate", verbosity=0, interactive=False)
    finally:
        command.MigrationExecutor = usual


class _Executor(MigrationExecutor):
    def apply_migration(self, state: Any, migration: Any, *args: Any, **options: Any) -> Any:
        grouped: list[Operation] = []
        for kind, found in groupby(_rules_last(migration.operations), _kind):
            run = list(found)
            if kind is _Rules:
                grouped.append(_Rules(run))
            elif kind is CreateModel and len(run) >= _MANY:
                grouped.append(_Together(run))
            else:
                grouped += run
        migration.operations = grouped
        return super().apply_migration(state, migration, *args, **options)


def _kind(operation: Operation) -> type[Operation]:
    return _Rules if type(operation) in (AddConstraint, AddIndex) else type(operation)


def _rules_last(operations: list[Operation]) -> list[Operation]:
    """A first migration makes models and fields, and rules over them: those can all wait for the end."""
    if not all(type(one) in (CreateModel, AddField, AddConstraint, AddIndex) for one in operations):
        return operations
    return sorted(operations, key=lambda one: _kind(one) is _Rules)


class _Together(Operation):
    """Models made one after another: the tables are the same, and all models are rendered once, after the last."""

    def __init__(self, operations: list[Any]) -> None:
        self.operations = operations

    def state_forwards(self, app_label: str, state: Any) -> None:
        state.__dict__.pop("apps", None)
        for operation in self.operations:
            operation.state_forwards(app_label, state)

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        for operation in self.operations:
            operation.database_forwards(app_label, schema_editor, from_state, to_state)


class _Rules(_Together):
    """Constraints and indexes. Where a constraint makes its table anew, it does so once, with all that the table is to
    have.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        remade: set[str] = set()
        if schema_editor.connection.vendor == "sqlite":
            for operation in self.operations:
                model = operation.model_name.lower()
                if _remakes(operation) and model not in remade:
                    remade.add(model)
                    operation.database_forwards(app_label, schema_editor, from_state, to_state)
        for operation in self.operations:
            if operation.model_name.lower() not in remade:
                operation.database_forwards(app_label, schema_editor, from_state, to_state)


def _remakes(operation: Operation) -> bool:
    """Whether SQLite makes the table anew: it has no other way to add what stands in the table's own definition."""
    return isinstance(operation, AddConstraint) and isinstance(operation.constraint, CheckConstraint)
