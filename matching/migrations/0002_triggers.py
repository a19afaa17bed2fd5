"""What the database itself sees to.

Policy versions, facts and pushes are written once: no row is changed or deleted. And what the night knows to be up to
date is forgotten where a match is written or deleted.
"""

from django.db import migrations

WRITTEN_ONCE = ("matching_policyversion", "matching_fact", "matching_push")
CHANGES = ("UPDATE", "DELETE")

REFUSE = """
CREATE OR REPLACE FUNCTION matching_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END;
$$
"""


def refuse_changes(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    if vendor == "postgresql":
        schema_editor.execute(REFUSE, params=None)
        for table in WRITTEN_ONCE:
            schema_editor.execute(
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION matching_refuse_change()"
            )
    elif vendor == "sqlite":
        for table in WRITTEN_ONCE:
            for operation in CHANGES:
                schema_editor.execute(
                    f"CREATE TRIGGER {table}_no_{operation.lower()} BEFORE {operation} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only: {operation} refused'); END"
                )


def allow_changes(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    for table in WRITTEN_ONCE:
        if vendor == "postgresql":
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}")
        elif vendor == "sqlite":
            for operation in CHANGES:
                schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_no_{operation.lower()}")
    if vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION IF EXISTS matching_refuse_change()")


FORGET = """
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


def forget_states(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    if vendor == "postgresql":
        schema_editor.execute(FORGET, params=None)
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


def keep_states(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    for operation in ROWS if vendor == "postgresql" else SIDES:
        on = " ON matching_match" if vendor == "postgresql" else ""
        schema_editor.execute(f"DROP TRIGGER IF EXISTS matching_match_{operation.lower()}_forgets{on}")
    if vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION IF EXISTS matching_forget_state()")


class Migration(migrations.Migration):
    dependencies = [("matching", "0001_initial")]

    operations = [
        migrations.RunPython(refuse_changes, allow_changes, elidable=False),
        migrations.RunPython(forget_states, keep_states, elidable=False),
    ]
