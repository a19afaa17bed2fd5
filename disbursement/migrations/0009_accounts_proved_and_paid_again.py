"""The paper that proves an account; paying again to an account that was not at fault; holds for money asked back."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from disbursement.guards import install, remove


class Migration(migrations.Migration):
    dependencies = [
        ("disbursement", "0008_recalls_experts_and_bulk_decisions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="payable",
            name="hold_kind",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "未暂缓"),
                    ("credit", "信用校验"),
                    ("account", "账户校验"),
                    ("conflict", "收款冲突"),
                    ("cap", "上限校验"),
                    ("recovery", "追回校验"),
                    ("contradiction", "银行结果矛盾"),
                    ("person", "人工暂缓"),
                ],
                max_length=14,
                verbose_name="暂缓类别",
            ),
        ),
        migrations.CreateModel(
            name="AccountProof",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=200, verbose_name="文件名")),
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proof",
                        to="disbursement.payeeaccount",
                        verbose_name="收款账户",
                    ),
                ),
                (
                    "stored",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="disbursement.storedfile",
                        verbose_name="文件",
                    ),
                ),
            ],
            options={
                "verbose_name": "开户证明",
                "verbose_name_plural": "开户证明",
                "ordering": ["id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True), name="disbursement_accountproof_named"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Reissue",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reason", models.CharField(max_length=300, verbose_name="依据")),
                ("proposed_at", models.DateTimeField(verbose_name="提出时间")),
                ("approved", models.BooleanField(blank=True, null=True, verbose_name="是否同意")),
                ("decided_at", models.DateTimeField(blank=True, null=True, verbose_name="决定时间")),
                ("note", models.CharField(blank=True, max_length=300, verbose_name="意见")),
                (
                    "attempt",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reissues",
                        to="disbursement.paymentattempt",
                        verbose_name="退票明细",
                    ),
                ),
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
                    "payable",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reissues",
                        to="disbursement.payable",
                        verbose_name="应付款项",
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
                "verbose_name": "原账户重新支付",
                "verbose_name_plural": "原账户重新支付",
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("approved__isnull", True), ("approved", True), _connector="OR"),
                        fields=("attempt",),
                        name="disbursement_reissue_once_an_attempt",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="disbursement_reissue_gives_reason"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("decided_by__isnull", True),
                            models.Q(("decided_by", models.F("proposed_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="disbursement_reissue_two_people",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("approved__isnull", True), ("decided_at__isnull", True), ("decided_by__isnull", True)
                            ),
                            models.Q(
                                ("approved__isnull", False),
                                ("decided_at__isnull", False),
                                ("decided_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="disbursement_reissue_decided_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("approved", False), _negated=True),
                            models.Q(("note", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="disbursement_reissue_refused_with_note",
                    ),
                ],
            },
        ),
        migrations.RunPython(install, remove),
    ]
