"""Rows of the public list hold their texts by field, and the tokens of these."""

from uuid import uuid4

from django.db import migrations, models


def texts_by_field(apps, schema_editor):
    SearchRow = apps.get_model("cms", "SearchRow")
    for row in SearchRow.objects.all().iterator():
        row.texts = {"title": row.title, "head": row.summary, "body": row.body_text}
        row.stamp = uuid4().hex
        row.save(update_fields=["texts", "stamp"])


class Migration(migrations.Migration):
    dependencies = [("cms", "0001_initial")]

    operations = [
        migrations.AddField("searchrow", "texts", models.JSONField(default=dict)),
        migrations.AddField("searchrow", "words", models.JSONField(default=dict)),
        migrations.AddField(
            "searchrow",
            "words_version",
            models.CharField(blank=True, default="", max_length=16),
            preserve_default=False,
        ),
        migrations.AddField("searchrow", "stamp", models.CharField(default="", max_length=32), preserve_default=False),
        migrations.RunPython(texts_by_field, migrations.RunPython.noop, elidable=True),
        migrations.RemoveField("searchrow", "title_text"),
        migrations.RemoveField("searchrow", "body_text"),
    ]
