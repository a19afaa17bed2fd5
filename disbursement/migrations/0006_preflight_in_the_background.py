from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("disbursement", "0005_paths_of_delivery")]

    operations = [
        migrations.RemoveConstraint(model_name="cyclerun", name="disbursement_run_subject_of_kind"),
        migrations.AlterField(
            model_name="cyclerun",
            name="kind",
            field=models.CharField(
                choices=[("cut_off", "截止"), ("seal", "封存并发送"), ("returns", "回单入账"), ("look", "预检")],
                max_length=8,
                verbose_name="事项",
            ),
        ),
        migrations.AddConstraint(
            model_name="cyclerun",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("cycle__isnull", False), ("file__isnull", True), ("kind__in", ["cut_off", "seal", "look"])
                    ),
                    models.Q(("cycle__isnull", True), ("file__isnull", False), ("kind", "returns")),
                    _connector="OR",
                ),
                name="disbursement_run_subject_of_kind",
            ),
        ),
    ]
