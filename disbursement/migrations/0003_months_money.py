"""The month before its cut-off, money asked back in instalments and over years, exceptions and findings followed up."""

import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

from disbursement.guards import install, remove


class Migration(migrations.Migration):
    dependencies = [
        ("disbursement", "0002_guards"),
        ("registry", "0002_whose_money"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CutOffDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("month", models.DateField(verbose_name="月份")),
                ("day", models.DateField(verbose_name="截止日")),
                ("former", models.DateField(verbose_name="原截止日")),
                ("reason", models.CharField(max_length=300, verbose_name="原因")),
                ("decided_at", models.DateTimeField(verbose_name="决定时间")),
                (
                    "decided_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="决定人",
                    ),
                ),
            ],
            options={
                "verbose_name": "截止日调整",
                "verbose_name_plural": "截止日调整",
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["month"], name="cutoffday_month")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="disbursement_cutoffday_has_reason"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("day", models.F("former")), _negated=True),
                        name="disbursement_cutoffday_is_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("day__gte", models.F("month"))), name="disbursement_cutoffday_in_its_month"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CyclePreflight",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("content", models.JSONField(verbose_name="内容")),
                ("stops", models.PositiveIntegerField(verbose_name="须先处理")),
                ("unpaid", models.PositiveIntegerField(verbose_name="不会支付（笔）")),
                ("made_at", models.DateTimeField(verbose_name="预检时间")),
                (
                    "cycle",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="preflights",
                        to="disbursement.cycle",
                        verbose_name="兑现周期",
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="预检人",
                    ),
                ),
            ],
            options={
                "verbose_name": "预检",
                "verbose_name_plural": "预检",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="ClawbackPlan",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveSmallIntegerField(verbose_name="序号")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("asked", "企业已申请"),
                            ("proposed", "待审批"),
                            ("in_force", "执行中"),
                            ("refused", "未同意"),
                            ("fulfilled", "已退清"),
                            ("defaulted", "违约，余款到期"),
                            ("replaced", "已另订计划"),
                        ],
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("asked_at", models.DateTimeField(blank=True, null=True, verbose_name="申请时间")),
                ("ask_reason", models.CharField(blank=True, max_length=300, verbose_name="申请理由")),
                ("wished", models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="希望的期数")),
                (
                    "amount",
                    models.DecimalField(
                        blank=True, decimal_places=2, max_digits=16, null=True, verbose_name="分期金额（元）"
                    ),
                ),
                ("proposed_at", models.DateTimeField(blank=True, null=True, verbose_name="提出时间")),
                ("reason", models.CharField(blank=True, max_length=300, verbose_name="提出依据")),
                ("approved_at", models.DateTimeField(blank=True, null=True, verbose_name="批准时间")),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="结束时间")),
                (
                    "approved_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "asked_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "clawback",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="plans",
                        to="disbursement.clawback",
                        verbose_name="追回",
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "分期退回计划",
                "verbose_name_plural": "分期退回计划",
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(fields=("clawback", "number"), name="disbursement_plan_number_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["asked", "proposed"])),
                        fields=("clawback",),
                        name="disbursement_plan_one_open",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "in_force")),
                        fields=("clawback",),
                        name="disbursement_plan_one_in_force",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                ["asked", "proposed", "in_force", "refused", "fulfilled", "defaulted", "replaced"],
                            )
                        ),
                        name="disbursement_plan_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("asked_at__isnull", True),
                                ("asked_by__isnull", True),
                                models.Q(("state", "asked"), _negated=True),
                            ),
                            models.Q(
                                ("asked_at__isnull", False),
                                ("asked_by__isnull", False),
                                models.Q(("ask_reason", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="disbursement_plan_asked_by_someone",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("state__in", ["proposed", "in_force", "fulfilled", "defaulted", "replaced"]),
                                _negated=True,
                            ),
                            models.Q(
                                ("amount__gt", 0),
                                ("proposed_at__isnull", False),
                                ("proposed_by__isnull", False),
                                models.Q(("reason", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="disbursement_plan_proposed_by_someone",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ["in_force", "fulfilled", "defaulted", "replaced"]), _negated=True),
                            models.Q(("approved_at__isnull", False), ("approved_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="disbursement_plan_approved_by_someone",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("approved_by__isnull", True),
                            models.Q(("approved_by", models.F("proposed_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="disbursement_plan_two_people",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ClawbackEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveSmallIntegerField(verbose_name="期次")),
                ("due_on", models.DateField(verbose_name="应退日期")),
                ("amount", models.DecimalField(decimal_places=2, max_digits=16, verbose_name="应退金额（元）")),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="disbursement.clawbackplan",
                    ),
                ),
            ],
            options={
                "verbose_name": "分期",
                "verbose_name_plural": "分期",
                "ordering": ["plan", "number"],
                "constraints": [
                    models.UniqueConstraint(fields=("plan", "number"), name="disbursement_entry_number_once"),
                    models.UniqueConstraint(fields=("plan", "due_on"), name="disbursement_entry_day_once"),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0), ("number__gte", 1)), name="disbursement_entry_positive"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PlanChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("action", models.CharField(max_length=10, verbose_name="操作")),
                ("source", models.CharField(max_length=10, verbose_name="原状态")),
                ("target", models.CharField(max_length=10, verbose_name="新状态")),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("enterprise", "企业"),
                            ("acceptor", "受理人"),
                            ("reviewer", "审核人"),
                            ("joint_reviewer", "会审人"),
                            ("second_reviewer", "复审人"),
                            ("appeal_reviewer", "复核人"),
                            ("finance_maker", "财务经办"),
                            ("finance_checker", "财务复核"),
                            ("finance_approver", "财务审批"),
                            ("system", "系统"),
                        ],
                        max_length=20,
                        verbose_name="身份",
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=300, verbose_name="说明")),
                ("made_at", models.DateTimeField(verbose_name="时间")),
                (
                    "person",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="人员",
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="changes",
                        to="disbursement.clawbackplan",
                    ),
                ),
            ],
            options={
                "verbose_name": "分期办理记录",
                "verbose_name_plural": "分期办理记录",
                "ordering": ["id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("person__isnull", True), ("role", "system")),
                            models.Q(models.Q(("role", "system"), _negated=True), ("person__isnull", False)),
                            _connector="OR",
                        ),
                        name="disbursement_planchange_person_unless_system",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SetOff",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("amount", models.DecimalField(decimal_places=2, max_digits=16, verbose_name="抵扣金额（元）")),
                ("reason", models.CharField(max_length=300, verbose_name="抵扣依据")),
                ("decided_at", models.DateTimeField(verbose_name="决定时间")),
                (
                    "clawback",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="set_offs",
                        to="disbursement.clawback",
                        verbose_name="追回",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="决定人",
                    ),
                ),
                (
                    "payable",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="set_off",
                        to="disbursement.payable",
                        verbose_name="抵扣的款项",
                    ),
                ),
            ],
            options={
                "verbose_name": "抵扣",
                "verbose_name_plural": "抵扣",
                "ordering": ["id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0), models.Q(("reason", ""), _negated=True)),
                        name="disbursement_setoff_has_reason",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ClawbackReceipt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("amount", models.DecimalField(decimal_places=2, max_digits=16, verbose_name="到账金额（元）")),
                ("applied", models.DecimalField(decimal_places=2, max_digits=16, verbose_name="冲抵金额（元）")),
                (
                    "excess",
                    models.DecimalField(decimal_places=2, default=0, max_digits=16, verbose_name="多退金额（元）"),
                ),
                ("received_on", models.DateField(verbose_name="到账日期")),
                ("reference", models.CharField(max_length=80, unique=True, verbose_name="银行流水号")),
                ("note", models.CharField(blank=True, max_length=300, verbose_name="说明")),
                ("recorded_at", models.DateTimeField(verbose_name="登记时间")),
                ("returned_on", models.DateField(blank=True, null=True, verbose_name="多退款退还日期")),
                ("returned_reference", models.CharField(blank=True, max_length=80, verbose_name="退还流水号")),
                (
                    "clawback",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="receipts",
                        to="disbursement.clawback",
                        verbose_name="追回",
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
                (
                    "return_line",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="receipt",
                        to="disbursement.returnline",
                        verbose_name="回单明细",
                    ),
                ),
                (
                    "returned_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "set_off",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="receipt",
                        to="disbursement.setoff",
                    ),
                ),
            ],
            options={
                "verbose_name": "追回到账",
                "verbose_name_plural": "追回到账",
                "ordering": ["id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "amount",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("applied"), "+", models.F("excess")
                                ),
                            ),
                            ("amount__gt", 0),
                            ("applied__gte", 0),
                            ("excess__gte", 0),
                        ),
                        name="disbursement_receipt_adds_up",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reference", ""), _negated=True), name="disbursement_receipt_has_reference"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("returned_by__isnull", True), ("returned_on__isnull", True), ("returned_reference", "")
                            ),
                            models.Q(
                                ("excess__gt", 0),
                                ("returned_by__isnull", False),
                                ("returned_on__isnull", False),
                                models.Q(("returned_reference", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="disbursement_receipt_excess_returned_by_someone",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("returned_by__isnull", True),
                            models.Q(("returned_by", models.F("recorded_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="disbursement_receipt_two_people",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TakeOver",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("amount", models.DecimalField(decimal_places=2, max_digits=16, verbose_name="金额（元）")),
                ("reason", models.CharField(max_length=300, verbose_name="原因")),
                ("moved_at", models.DateTimeField(verbose_name="承接时间")),
                (
                    "from_line",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="taken_from",
                        to="registry.budgetline",
                        verbose_name="原科目",
                    ),
                ),
                (
                    "moved_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "payable",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="take_overs",
                        to="disbursement.payable",
                        verbose_name="应付款项",
                    ),
                ),
                (
                    "to_line",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="taken_over",
                        to="registry.budgetline",
                        verbose_name="承接科目",
                    ),
                ),
            ],
            options={
                "verbose_name": "以前年度承接",
                "verbose_name_plural": "以前年度承接",
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(fields=("payable", "from_line"), name="disbursement_takeover_once"),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0), models.Q(("reason", ""), _negated=True)),
                        name="disbursement_takeover_has_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("from_line", models.F("to_line")), _negated=True),
                        name="disbursement_takeover_to_another",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ExceptionNote",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "remedy",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("duplicate", "重复回单，已入过账"),
                            ("not_ours", "不是本系统的付款"),
                            ("corrected", "银行已更正，另发回单"),
                            ("booked", "已在别处登记（退款、追回或更正）"),
                            ("recovery", "追回款到账，已登记"),
                            ("other", "其他，见说明"),
                        ],
                        max_length=10,
                        verbose_name="处理方式",
                    ),
                ),
                ("text", models.CharField(max_length=300, verbose_name="说明")),
                ("written_at", models.DateTimeField(verbose_name="登记时间")),
                (
                    "line",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notes",
                        to="disbursement.returnline",
                        verbose_name="回单明细",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="经办人",
                    ),
                ),
                (
                    "written_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="登记人",
                    ),
                ),
            ],
            options={
                "verbose_name": "例外处理记录",
                "verbose_name_plural": "例外处理记录",
                "ordering": ["id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("text", ""), _negated=True),
                        name="disbursement_exceptionnote_says_something",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("remedy__in", ["", "duplicate", "not_ours", "corrected", "booked", "recovery", "other"])
                        ),
                        name="disbursement_exceptionnote_remedy_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FindingAcknowledgement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(max_length=64, unique=True, verbose_name="摘要")),
                ("check_name", models.CharField(max_length=40, verbose_name="检查")),
                ("place", models.CharField(max_length=300, verbose_name="位置")),
                ("problem", models.TextField(verbose_name="问题")),
                ("reason", models.CharField(max_length=300, verbose_name="核查结论")),
                ("paper_number", models.CharField(blank=True, max_length=80, verbose_name="依据文号")),
                ("at", models.DateTimeField(verbose_name="时间")),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="督查人员",
                    ),
                ),
            ],
            options={
                "verbose_name": "审计发现的核查",
                "verbose_name_plural": "审计发现的核查",
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True),
                        name="disbursement_acknowledgement_has_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("digest__regex", "^[0-9a-f]{64}$")),
                        name="disbursement_acknowledgement_digest_shape",
                    ),
                ],
            },
        ),
        migrations.RunPython(install, remove),
    ]
