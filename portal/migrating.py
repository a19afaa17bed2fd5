"""An empty database brought up to date, in a fraction of the time `migrate` takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management import call_command
from django.core.management.commands import migrate
from django.db.migrations import AddConstraint, AddField, AddIndex, CreateModel
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.operations.base import Operation

# With fewer operations at once, rendering those that are related costs less than rendering all.
_MANY = 4


def migrate_empty_database() -> None:
    """What `manage.py migrate` does, with Wagtail's applications first, and what only makes tables done at once.

    A migration renders every model that is related to the ones it touches, and through the user all of ours are related
    to Wagtail's: its hundred and sixty migrations are done before our hundred tables stand, instead of after. And an
    application's first migration would do so after each of its models, of which there are dozens, and after each of the
    hundreds of constraints over them. The tables are the same, but for the order of a few columns.
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
        if len(migration.operations) >= _MANY and _only_makes_tables(migration.operations):
            migration.operations = [_AtOnce(migration.operations)]
        return super().apply_migration(state, migration, *args, **options)


def _only_makes_tables(operations: list[Any]) -> bool:
    """Whether they make models, and add fields, constraints and indexes to these models alone."""
    made = {one.name.lower() for one in operations if type(one) is CreateModel}
    return all(
        type(one) is CreateModel
        or (type(one) in (AddField, AddConstraint, AddIndex) and one.model_name.lower() in made)
        for one in operations
    )


class _AtOnce(Operation):
    """Operations that only make tables: each is made as it stands in the end, and all models are rendered once."""

    def __init__(self, operations: list[Any]) -> None:
        self.operations = operations

    def state_forwards(self, app_label: str, state: Any) -> None:
        state.__dict__.pop("apps", None)
        for operation in self.operations:
            operation.state_forwards(app_label, state)

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        for operation in self.operations:
            # What is added later stands in its table from the beginning.
            if isinstance(operation, CreateModel):
                operation.database_forwards(app_label, schema_editor, from_state, to_state)
