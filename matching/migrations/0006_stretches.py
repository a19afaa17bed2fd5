"""One version's matches and pushes of a stretch of enterprises are read through an index of their own."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("matching", "0005_index_writes")]

    operations = [
        migrations.AddIndex(
            model_name="match", index=models.Index(fields=["version", "enterprise"], name="matching_match_stretch")
        ),
        migrations.AddIndex(
            model_name="push", index=models.Index(fields=["version", "enterprise"], name="matching_push_stretch")
        ),
    ]
