"""An empty database brought up to date, in less than half the time `migrate` takes."""

from pathlib import Path

from django.apps import apps
from django.core.management import call_command


def migrate_empty_database() -> None:
    """What `manage.py migrate` does, with Wagtail's applications first.

    A migration renders every model that is related to the ones it touches, and through the user all of ours are related
    to Wagtail's: its hundred and sixty migrations are done before our hundred tables stand, instead of after.
    """
    for config in apps.get_app_configs():
        if config.label.startswith("wagtail") and (Path(config.path) / "migrations").is_dir():
            call_command("migrate", config.label, verbosity=0, interactive=False)
    call_command("migrate", verbosity=0, interactive=False)
