import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("disbursement", "0007_evidence_library"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DraftSheet",
            fields=[
                (
                    "application",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="sheet",
                        serialize=False,
                        to="disbursement.application",
                        verbose_name="申报",
                    ),
                ),
                ("revision", models.PositiveIntegerField(default=0, verbose_name="修订号")),
                ("typed", models.JSONField(blank=True, default=dict, verbose_name="尚不能用的填写")),
                ("copied", models.JSONField(blank=True, null=True, verbose_name="沿用记录")),
            ],
            options={
                "verbose_name": "申报草稿",
                "verbose_name_plural": "申报草稿",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("revision__gte", 0)), name="draftsheet_revision_from_0")
                ],
            },
        ),
        migrations.CreateModel(
            name="DraftChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("revision", models.PositiveIntegerField()),
                ("key", models.CharField(max_length=80)),
                ("before", models.JSONField(null=True)),
                ("after", models.JSONField(null=True)),
                ("at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "sheet",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="changes",
                        to="disbursement.draftsheet",
                    ),
                ),
            ],
            options={
                "verbose_name": "草稿修改",
                "verbose_name_plural": "草稿修改",
                "ordering": ["sheet", "revision", "id"],
                "constraints": [
                    models.UniqueConstraint(fields=("sheet", "revision", "key"), name="draftchange_once_a_revision"),
                    models.CheckConstraint(
                        condition=models.Q(("revision__gte", 1)), name="draftchange_revision_from_1"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DraftPresence",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("seen_at", models.DateTimeField()),
                (
                    "sheet",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="present",
                        to="disbursement.draftsheet",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "正在填写",
                "verbose_name_plural": "正在填写",
                "constraints": [models.UniqueConstraint(fields=("sheet", "user"), name="draftpresence_once_each")],
            },
        ),
    ]
