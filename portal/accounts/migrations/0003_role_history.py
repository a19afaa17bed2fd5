"""Who held which role when, guarded and linked like every table that money stands on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import django.db.models.functions.datetime
from django.db import migrations, models

from disbursement.guards import install, remove


def note_what_stands(apps: Any, schema_editor: Any) -> None:
    """Roles that stand when the history begins were held always, as far as anybody can tell."""
    change = apps.get_model("accounts", "RoleChange")
    change.objects.bulk_create(
        change(
            user_id=assignment.user_id,
            role=assignment.role,
            department_id=assignment.department_id,
            is_granted=True,
            at=datetime(1970, 1, 1, tzinfo=UTC),
        )
        for assignment in apps.get_model("accounts", "RoleAssignment").objects.order_by("pk")
    )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_initial"),
        ("disbursement", "0002_guards"),
    ]

    operations = [
        migrations.CreateModel(
            name="RoleChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("user_id", models.BigIntegerField(db_index=True, verbose_name="人员")),
                ("role", models.CharField(max_length=20, verbose_name="角色")),
                ("department_id", models.BigIntegerField(blank=True, null=True, verbose_name="部门")),
                ("is_granted", models.BooleanField(verbose_name="授予")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="时间")),
            ],
            options={
                "verbose_name": "角色变动",
                "verbose_name_plural": "角色变动",
                "ordering": ["id"],
            },
        ),
        migrations.RunPython(install, remove),
        migrations.RunPython(note_what_stands, migrations.RunPython.noop),
    ]
