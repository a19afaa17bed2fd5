"""Warnings, cards and urgings are told to people of the district."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("inbox", "0001_initial"),
        ("matching", "0007_index_writes_noted_at"),
        ("registry", "0002_whose_money"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="mute",
            name="inbox_mute_kind_known",
        ),
        migrations.RemoveConstraint(
            model_name="notification",
            name="inbox_notification_kind_known",
        ),
        migrations.AlterField(
            model_name="mute",
            name="kind",
            field=models.CharField(
                blank=True,
                choices=[
                    ("policy", "政策推送"),
                    ("application", "申报进度"),
                    ("payment", "兑现进度"),
                    ("service", "服务通知"),
                    ("supervision", "监察督办"),
                ],
                max_length=12,
                verbose_name="类别",
            ),
        ),
        migrations.AlterField(
            model_name="notification",
            name="kind",
            field=models.CharField(
                choices=[
                    ("policy", "政策推送"),
                    ("application", "申报进度"),
                    ("payment", "兑现进度"),
                    ("service", "服务通知"),
                    ("supervision", "监察督办"),
                ],
                max_length=12,
                verbose_name="类别",
            ),
        ),
        migrations.AddConstraint(
            model_name="mute",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["", "policy", "application", "payment", "service", "supervision"])),
                name="inbox_mute_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="notification",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["policy", "application", "payment", "service", "supervision"])),
                name="inbox_notification_kind_known",
            ),
        ),
    ]
