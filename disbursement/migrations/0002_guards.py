"""Triggers for what no constraint can say, and the chain over the rows that stand; see disbursement/guards/."""

from django.db import migrations

from disbursement.guards import install, remove


class Migration(migrations.Migration):
    # The history of roles is guarded, too.
    dependencies = [("accounts", "0002_initial"), ("disbursement", "0001_initial")]

    operations = [migrations.RunPython(install, remove)]
