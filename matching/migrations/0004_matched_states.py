"""What the night knows to be up to date, and the triggers that make it forget where a match is written or deleted."""

import django.db.models.deletion
from django.db import migrations, models

FUNCTION = """
CREATE OR REPLACE FUNCTION matching_forget_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP IN ('INSERT', 'UPDATE') THEN
        DELETE FROM matching_matchedstate WHERE enterprise_id IN (SELECT DISTINCT enterprise_id FROM written);
    END IF;
    IF TG_OP IN ('DELETE', 'UPDATE') THEN
        DELETE FROM matching_matchedstate WHERE enterprise_id IN (SELECT DISTINCT enterprise_id FROM gone);
    END IF;
    IF TG_OP = 'TRUNCATE' THEN
        DELETE FROM matching_matchedstate;
    END IF;
    RETURN NULL;
END;
$$
"""
ROWS = {
    "INSERT": "REFERENCING NEW TABLE AS written",
    "UPDATE": "REFERENCING OLD TABLE AS gone NEW TABLE AS written",
    "DELETE": "REFERENCING OLD TABLE AS gone",
    "TRUNCATE": "",
}
SIDES = {"INSERT": ("NEW",), "UPDATE": ("OLD", "NEW"), "DELETE": ("OLD",)}


def forwards(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    if vendor == "postgresql":
        schema_editor.execute(FUNCTION, params=None)
        for operation, rows in ROWS.items():
            schema_editor.execute(
                f"CREATE TRIGGER matching_match_{operation.lower()}_forgets AFTER {operation} ON matching_match "
                f"{rows} FOR EACH STATEMENT EXECUTE FUNCTION matching_forget_state()"
            )
    elif vendor == "sqlite":
        for operation, sides in SIDES.items():
            ids = ", ".join(f"{side}.enterprise_id" for side in sides)
            schema_editor.execute(
                f"CREATE TRIGGER matching_match_{operation.lower()}_forgets AFTER {operation} ON matching_match "
                f"BEGIN DELETE FROM matching_matchedstate WHERE enterprise_id IN ({ids}); END"
            )


def backwards(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    for operation in ROWS if vendor == "postgresql" else SIDES:
        on = " ON matching_match" if vendor == "postgresql" else ""
        schema_editor.execute(f"DROP TRIGGER IF EXISTS matching_match_{operation.lower()}_forgets{on}")
    if vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION IF EXISTS matching_forget_state()")


class Migration(migrations.Migration):
    dependencies = [("matching", "0003_match_runs")]

    operations = [
        migrations.CreateModel(
            name="MatchedListing",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("content", models.JSONField()),
            ],
        ),
        migrations.CreateModel(
            name="MatchedState",
            fields=[
                (
                    "enterprise",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="matched_state",
                        serialize=False,
                        to="matching.enterprise",
                    ),
                ),
                ("digest", models.CharField(max_length=32)),
                (
                    "listing",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="states",
                        to="matching.matchedlisting",
                    ),
                ),
            ],
        ),
        migrations.RunPython(forwards, backwards, elidable=False),
    ]
