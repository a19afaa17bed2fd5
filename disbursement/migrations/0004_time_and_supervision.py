"""How forecasts of the pay month came about; warnings before cards, the supervision ledger, and what is urged."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from disbursement.guards import install, remove


class Migration(migrations.Migration):
    dependencies = [
        ("disbursement", "0003_months_money"),
        ("registry", "0002_whose_money"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SupervisionEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("warning", "预警"),
                            ("yellow", "黄牌"),
                            ("red", "红牌"),
                            ("late_correction", "追加补正"),
                            ("lapsed", "逾期未出具会审意见"),
                            ("broken_promise", "未兑现时间承诺"),
                            ("quality", "抽查发现问题"),
                        ],
                        max_length=16,
                        verbose_name="类别",
                    ),
                ),
                ("source", models.CharField(max_length=40, unique=True, verbose_name="来源")),
                ("limit", models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="时限（工作日）")),
                ("used", models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="已用工作日")),
                ("text", models.CharField(max_length=500, verbose_name="情况")),
                ("happened_on", models.DateField(verbose_name="发生日期")),
                ("entered_at", models.DateTimeField(verbose_name="登记时间")),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="supervision",
                        to="disbursement.application",
                        verbose_name="申报",
                    ),
                ),
                (
                    "clock",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="disbursement.stepclock",
                        verbose_name="时限",
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.department",
                        verbose_name="责任部门",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="责任人",
                    ),
                ),
            ],
            options={
                "verbose_name": "监察台账",
                "verbose_name_plural": "监察台账",
                "ordering": ["-happened_on", "-id"],
                "indexes": [
                    models.Index(fields=["-happened_on", "-id"], name="supervisionentry_by_day"),
                    models.Index(fields=["department", "-happened_on"], name="supervisionentry_by_place"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                ["warning", "yellow", "red", "late_correction", "lapsed", "broken_promise", "quality"],
                            ),
                            models.Q(("text", ""), _negated=True),
                            models.Q(("source", ""), _negated=True),
                        ),
                        name="supervisionentry_says_what",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind__in", ["warning", "yellow", "red"]), _negated=True),
                            models.Q(("clock__isnull", False), ("limit__isnull", False), ("used__isnull", False)),
                            _connector="OR",
                        ),
                        name="supervisionentry_of_a_clock",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="EntryAppeal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("grounds", models.TextField(verbose_name="申辩理由")),
                ("filed_at", models.DateTimeField(verbose_name="申辩时间")),
                ("is_struck", models.BooleanField(blank=True, null=True, verbose_name="予以撤销")),
                ("decision", models.TextField(blank=True, verbose_name="处理理由")),
                ("decided_at", models.DateTimeField(blank=True, null=True, verbose_name="处理时间")),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="处理人",
                    ),
                ),
                (
                    "filed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="申辩人",
                    ),
                ),
                (
                    "entry",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="appeal",
                        to="disbursement.supervisionentry",
                        verbose_name="台账记录",
                    ),
                ),
            ],
            options={
                "verbose_name": "台账申辩",
                "verbose_name_plural": "台账申辩",
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("grounds", ""), _negated=True), name="entryappeal_gives_grounds"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("decided_at__isnull", True),
                                ("decided_by__isnull", True),
                                ("decision", ""),
                                ("is_struck__isnull", True),
                            ),
                            models.Q(
                                ("decided_at__isnull", False),
                                ("decided_by__isnull", False),
                                ("is_struck__isnull", False),
                                models.Q(("decision", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="entryappeal_decided_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("decided_by__isnull", True),
                            models.Q(("decided_by", models.F("filed_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="entryappeal_decided_by_another",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Urging",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.TextField(verbose_name="督办要求")),
                ("due_on", models.DateField(verbose_name="答复期限")),
                ("sent_at", models.DateTimeField(verbose_name="发出时间")),
                ("reply", models.TextField(blank=True, verbose_name="整改说明")),
                ("replied_at", models.DateTimeField(blank=True, null=True, verbose_name="答复时间")),
                ("is_settled", models.BooleanField(blank=True, null=True, verbose_name="整改到位")),
                ("closing", models.TextField(blank=True, verbose_name="办结意见")),
                ("closed_at", models.DateTimeField(blank=True, null=True, verbose_name="办结时间")),
                (
                    "application",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="urgings",
                        to="disbursement.application",
                        verbose_name="申报",
                    ),
                ),
                (
                    "closed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="办结人",
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.department",
                        verbose_name="督办部门",
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="urgings",
                        to="disbursement.supervisionentry",
                        verbose_name="台账记录",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="督办人员",
                    ),
                ),
                (
                    "replied_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="答复人",
                    ),
                ),
                (
                    "sent_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="督办发起人",
                    ),
                ),
            ],
            options={
                "verbose_name": "督办",
                "verbose_name_plural": "督办",
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["department", "closed_at"], name="urging_open_by_place")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("text", ""), _negated=True), name="urging_asks_something"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("replied_at__isnull", True), ("replied_by__isnull", True), ("reply", "")),
                            models.Q(
                                ("replied_at__isnull", False),
                                ("replied_by__isnull", False),
                                models.Q(("reply", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="urging_replied_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("closed_at__isnull", True),
                                ("closed_by__isnull", True),
                                ("closing", ""),
                                ("is_settled__isnull", True),
                            ),
                            models.Q(
                                ("closed_at__isnull", False),
                                ("closed_by__isnull", False),
                                ("is_settled__isnull", False),
                                ("replied_at__isnull", False),
                                models.Q(("closing", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="urging_closed_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("replied_by__isnull", True),
                            models.Q(("replied_by", models.F("sent_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="urging_replied_by_another",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="WarningRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "step",
                    models.CharField(
                        choices=[("acceptance", "受理"), ("review", "审核"), ("appeal", "复核"), ("joint", "会审")],
                        max_length=12,
                        unique=True,
                        verbose_name="环节",
                    ),
                ),
                (
                    "percent",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="达到即提醒；应低于黄牌线 80%。留空不按比例提醒。",
                        null=True,
                        verbose_name="用去时限的比例（%）",
                    ),
                ),
                (
                    "days_before",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="剩余不超过这个数即提醒。留空不按天数提醒。",
                        null=True,
                        verbose_name="到期前的工作日数",
                    ),
                ),
                ("changed_at", models.DateTimeField(verbose_name="设置时间")),
                (
                    "changed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="设置人",
                    ),
                ),
            ],
            options={
                "verbose_name": "预警设置",
                "verbose_name_plural": "预警设置",
                "ordering": ["step"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("step__in", ["acceptance", "review", "appeal", "joint"])),
                        name="warningrule_step_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("percent__isnull", True),
                            models.Q(("percent__gte", 1), ("percent__lt", 80)),
                            _connector="OR",
                        ),
                        name="warningrule_before_yellow",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("days_before__isnull", True),
                            models.Q(("days_before__gte", 1), ("days_before__lte", 60)),
                            _connector="OR",
                        ),
                        name="warningrule_days_in_bounds",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ClockWarning",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "level",
                    models.CharField(
                        choices=[("share", "时限提醒"), ("days", "到期提醒")], max_length=8, verbose_name="预警"
                    ),
                ),
                ("used", models.PositiveSmallIntegerField(verbose_name="已用工作日")),
                ("limit", models.PositiveSmallIntegerField(verbose_name="时限（工作日）")),
                ("warned_at", models.DateTimeField(verbose_name="预警时间")),
                (
                    "clock",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="warnings",
                        to="disbursement.stepclock",
                        verbose_name="时限",
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.department",
                        verbose_name="责任部门",
                    ),
                ),
                (
                    "holder",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="责任人",
                    ),
                ),
            ],
            options={
                "verbose_name": "时限预警",
                "verbose_name_plural": "时限预警",
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(fields=("clock", "level"), name="clockwarning_once"),
                    models.CheckConstraint(
                        condition=models.Q(("level__in", ["share", "days"])), name="clockwarning_level_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("used__lte", models.F("limit"))), name="clockwarning_within_limit"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PayForecast",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("instalment", models.PositiveSmallIntegerField(default=0, verbose_name="期次")),
                ("seq", models.PositiveSmallIntegerField(verbose_name="序号")),
                ("month", models.DateField(blank=True, null=True, verbose_name="预计兑现月份")),
                ("previous", models.DateField(blank=True, null=True, verbose_name="原预计月份")),
                (
                    "cause",
                    models.CharField(
                        choices=[
                            ("on_time", "按承诺时限推算"),
                            ("correction", "补正材料"),
                            ("expert", "专家评审"),
                            ("joint", "部门会审"),
                            ("overdue", "办理超过承诺时限"),
                            ("sent_back", "退回审核"),
                            ("publicity", "公示"),
                            ("objection", "公示异议处理"),
                            ("appeal", "复核"),
                            ("cut_off", "当月已截止"),
                            ("calendar", "工作日历调整"),
                            ("approved", "审核通过"),
                            ("budget", "预算不足"),
                            ("held", "暂缓"),
                            ("bounced", "退票"),
                            ("mended", "新账户待核对"),
                            ("slipped", "顺延"),
                            ("paid", "已兑现"),
                            ("ended", "不再兑现"),
                        ],
                        max_length=12,
                        verbose_name="原因",
                    ),
                ),
                (
                    "basis",
                    models.CharField(
                        choices=[
                            ("on_time", "按承诺时限推算"),
                            ("correction", "补正材料"),
                            ("expert", "专家评审"),
                            ("joint", "部门会审"),
                            ("overdue", "办理超过承诺时限"),
                            ("sent_back", "退回审核"),
                            ("publicity", "公示"),
                            ("objection", "公示异议处理"),
                            ("appeal", "复核"),
                            ("cut_off", "当月已截止"),
                            ("calendar", "工作日历调整"),
                            ("approved", "审核通过"),
                            ("budget", "预算不足"),
                            ("held", "暂缓"),
                            ("bounced", "退票"),
                            ("mended", "新账户待核对"),
                            ("slipped", "顺延"),
                            ("paid", "已兑现"),
                            ("ended", "不再兑现"),
                        ],
                        max_length=12,
                        verbose_name="依据",
                    ),
                ),
                ("text", models.CharField(max_length=300, verbose_name="说明")),
                ("at", models.DateTimeField(verbose_name="时间")),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="pay_forecasts",
                        to="disbursement.application",
                        verbose_name="申报",
                    ),
                ),
            ],
            options={
                "verbose_name": "兑现月份预测",
                "verbose_name_plural": "兑现月份预测",
                "ordering": ["application", "instalment", "seq"],
                "constraints": [
                    models.UniqueConstraint(fields=("application", "instalment", "seq"), name="payforecast_seq_once"),
                    models.CheckConstraint(condition=models.Q(("seq__gte", 1)), name="payforecast_seq_from_1"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "basis__in",
                                [
                                    "on_time",
                                    "correction",
                                    "expert",
                                    "joint",
                                    "overdue",
                                    "sent_back",
                                    "publicity",
                                    "objection",
                                    "appeal",
                                    "cut_off",
                                    "calendar",
                                    "approved",
                                    "budget",
                                    "held",
                                    "bounced",
                                    "mended",
                                    "slipped",
                                    "paid",
                                    "ended",
                                ],
                            ),
                            (
                                "cause__in",
                                [
                                    "on_time",
                                    "correction",
                                    "expert",
                                    "joint",
                                    "overdue",
                                    "sent_back",
                                    "publicity",
                                    "objection",
                                    "appeal",
                                    "cut_off",
                                    "calendar",
                                    "approved",
                                    "budget",
                                    "held",
                                    "bounced",
                                    "mended",
                                    "slipped",
                                    "paid",
                                    "ended",
                                ],
                            ),
                            models.Q(("text", ""), _negated=True),
                        ),
                        name="payforecast_says_why",
                    ),
                ],
            },
        ),
        migrations.RunPython(install, remove),
    ]
