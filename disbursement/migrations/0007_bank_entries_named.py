"""Entries of the bank that people record, each once; and the account to which enterprises pay money back."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from disbursement.guards import install, remove


def enter_what_stands(apps, schema_editor):
    """What was recorded before entries were: each reference once, as what it was recorded first."""
    receipts = apps.get_model("disbursement", "ClawbackReceipt").objects.order_by("pk")
    entries = apps.get_model("disbursement", "BankEntry").objects
    for receipt in receipts.filter(set_off=None):
        entries.create(
            reference=receipt.reference,
            use="recovery",
            clawback_id=receipt.clawback_id,
            recorded_by_id=receipt.recorded_by_id,
            recorded_at=receipt.recorded_at,
        )
    for receipt in receipts.exclude(returned_reference=""):
        if not entries.filter(reference=receipt.returned_reference).exists():
            entries.create(
                reference=receipt.returned_reference,
                use="excess",
                receipt_id=receipt.pk,
                recorded_by_id=receipt.returned_by_id,
                recorded_at=receipt.recorded_at,
            )


class Migration(migrations.Migration):
    dependencies = [
        ("disbursement", "0006_preflight_in_the_background"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="BankEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reference", models.CharField(max_length=80, unique=True, verbose_name="银行流水号")),
                (
                    "use",
                    models.CharField(
                        choices=[("recovery", "追回到账"), ("refund", "退款到账"), ("excess", "退还多退款")],
                        max_length=10,
                        verbose_name="登记为",
                    ),
                ),
                ("recorded_at", models.DateTimeField(verbose_name="登记时间")),
                (
                    "attempt",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="bank_entry",
                        to="disbursement.paymentattempt",
                        verbose_name="支付明细",
                    ),
                ),
                (
                    "clawback",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="bank_entries",
                        to="disbursement.clawback",
                    ),
                ),
                (
                    "receipt",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="excess_entry",
                        to="disbursement.clawbackreceipt",
                        verbose_name="追回到账",
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="登记人",
                    ),
                ),
            ],
            options={
                "verbose_name": "银行流水登记",
                "verbose_name_plural": "银行流水登记",
                "ordering": ["id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("attempt__isnull", True),
                                ("clawback__isnull", False),
                                ("receipt__isnull", True),
                                ("use", "recovery"),
                            ),
                            models.Q(
                                ("attempt__isnull", False),
                                ("clawback__isnull", True),
                                ("receipt__isnull", True),
                                ("use", "refund"),
                            ),
                            models.Q(
                                ("attempt__isnull", True),
                                ("clawback__isnull", True),
                                ("receipt__isnull", False),
                                ("use", "excess"),
                            ),
                            _connector="OR",
                        ),
                        name="disbursement_bankentry_is_of_one_thing",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("reference", ""), _negated=True),
                            models.Q(("reference__startswith", "抵扣-"), _negated=True),
                        ),
                        name="disbursement_bankentry_is_the_banks",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RepaymentAccount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("account_name", models.CharField(max_length=120, verbose_name="户名")),
                ("bank_name", models.CharField(max_length=120, verbose_name="开户银行")),
                ("account_number", models.CharField(max_length=32, verbose_name="账号")),
                ("contact", models.CharField(max_length=60, verbose_name="联系人或科室")),
                ("phone", models.CharField(max_length=40, verbose_name="联系电话")),
                ("reason", models.CharField(max_length=300, verbose_name="依据")),
                ("proposed_at", models.DateTimeField(verbose_name="提出时间")),
                (
                    "decision",
                    models.CharField(
                        blank=True,
                        choices=[("", "待批准"), ("approved", "已批准"), ("refused", "不同意")],
                        max_length=10,
                        verbose_name="决定",
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True, verbose_name="决定时间")),
                ("note", models.CharField(blank=True, max_length=300, verbose_name="意见")),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="决定人",
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="提出人",
                    ),
                ),
            ],
            options={
                "verbose_name": "退款账户",
                "verbose_name_plural": "退款账户",
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("decision", "")),
                        fields=("decision",),
                        name="disbursement_repayment_one_waits",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at__isnull", True), ("decided_by__isnull", True), ("decision", "")),
                            models.Q(
                                ("decided_at__isnull", False),
                                ("decided_by__isnull", False),
                                ("decision__in", ["approved", "refused"]),
                            ),
                            _connector="OR",
                        ),
                        name="disbursement_repayment_decided_by_someone",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("decided_by__isnull", True),
                            models.Q(("decided_by", models.F("proposed_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="disbursement_repayment_two_people",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("account_name", ""), _negated=True),
                            models.Q(("bank_name", ""), _negated=True),
                            models.Q(("contact", ""), _negated=True),
                            models.Q(("phone", ""), _negated=True),
                            models.Q(("reason", ""), _negated=True),
                        ),
                        name="disbursement_repayment_is_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("account_number__regex", "^[0-9]{8,32}$")),
                        name="disbursement_repayment_number_shape",
                    ),
                ],
            },
        ),
        # Installed first, so that what is entered leaves its links.
        migrations.RunPython(install, remove),
        migrations.RunPython(enter_what_stands, migrations.RunPython.noop, elidable=True),
    ]
