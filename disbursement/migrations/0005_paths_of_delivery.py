"""The paths of delivery: offers without application, decisions by machine, lanes, promises of time."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from disbursement.guards import install, remove


class Migration(migrations.Migration):
    dependencies = [
        ("disbursement", "0004_time_and_supervision"),
        ("matching", "0007_index_writes_noted_at"),
        ("registry", "0002_whose_money"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="publicity",
            name="opened_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="发起人",
            ),
        ),
        migrations.CreateModel(
            name="Offer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("year", models.PositiveSmallIntegerField(verbose_name="年度")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "待确认"),
                            ("consented", "已同意"),
                            ("declined", "已放弃"),
                            ("withdrawn", "已收回"),
                            ("lapsed", "逾期未确认"),
                        ],
                        default="open",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("edition", models.PositiveIntegerField(default=1, verbose_name="内容版次")),
                ("revision", models.PositiveIntegerField(default=0)),
                ("last_day", models.DateField(verbose_name="确认截止日")),
                ("opened_at", models.DateTimeField(verbose_name="告知时间")),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="原因")),
                ("answered_at", models.DateTimeField(blank=True, null=True, verbose_name="答复时间")),
                (
                    "answered_by",
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
                    "application",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="offer",
                        to="disbursement.application",
                        verbose_name="申报",
                    ),
                ),
                (
                    "enterprise",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="offers",
                        to="matching.enterprise",
                        verbose_name="企业",
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="offers",
                        to="matching.policyitem",
                        verbose_name="政策事项",
                    ),
                ),
            ],
            options={
                "verbose_name": "免申即享告知",
                "verbose_name_plural": "免申即享告知",
                "ordering": ["-opened_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="OfferEdition",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("seq", models.PositiveIntegerField(verbose_name="版次")),
                ("as_of", models.DateField(verbose_name="判定基准日")),
                ("amount", models.DecimalField(decimal_places=2, max_digits=16, verbose_name="金额（元）")),
                ("working", models.JSONField(default=list, verbose_name="测算过程")),
                ("proofs", models.JSONField(default=list, verbose_name="数据核验")),
                ("inputs", models.TextField(verbose_name="判定输入")),
                ("result", models.TextField(verbose_name="判定结果")),
                ("inputs_sha256", models.CharField(max_length=64)),
                ("result_sha256", models.CharField(max_length=64)),
                ("digest", models.CharField(max_length=64, verbose_name="内容摘要")),
                ("why", models.JSONField(default=list, verbose_name="变化")),
                ("made_at", models.DateTimeField(verbose_name="测算时间")),
                (
                    "account",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="disbursement.payeeaccount",
                        verbose_name="收款账户",
                    ),
                ),
                (
                    "offer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="editions",
                        to="disbursement.offer",
                        verbose_name="告知",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="matching.policyversion",
                        verbose_name="政策版本",
                    ),
                ),
                (
                    "vocabulary",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.vocabularyrevision",
                        verbose_name="词表版本",
                    ),
                ),
            ],
            options={
                "verbose_name": "告知内容",
                "verbose_name_plural": "告知内容",
                "ordering": ["offer", "seq"],
            },
        ),
        migrations.CreateModel(
            name="OfferEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("seq", models.PositiveIntegerField()),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("revise", "重新测算"),
                            ("consent", "同意享受"),
                            ("decline", "放弃享受"),
                            ("withdraw", "收回"),
                            ("reopen", "重新告知"),
                            ("lapse", "逾期"),
                        ],
                        max_length=10,
                        verbose_name="操作",
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("open", "待确认"),
                            ("consented", "已同意"),
                            ("declined", "已放弃"),
                            ("withdrawn", "已收回"),
                            ("lapsed", "逾期未确认"),
                        ],
                        max_length=10,
                        verbose_name="原状态",
                    ),
                ),
                (
                    "target",
                    models.CharField(
                        choices=[
                            ("open", "待确认"),
                            ("consented", "已同意"),
                            ("declined", "已放弃"),
                            ("withdrawn", "已收回"),
                            ("lapsed", "逾期未确认"),
                        ],
                        max_length=10,
                        verbose_name="新状态",
                    ),
                ),
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
                ("edition", models.PositiveIntegerField(verbose_name="内容版次")),
                ("digest", models.CharField(max_length=64, verbose_name="内容摘要")),
                ("note", models.TextField(blank=True, verbose_name="说明")),
                ("at", models.DateTimeField(verbose_name="时间")),
                (
                    "actor",
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
                    "offer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="log",
                        to="disbursement.offer",
                        verbose_name="告知",
                    ),
                ),
            ],
            options={
                "verbose_name": "告知记录",
                "verbose_name_plural": "告知记录",
                "ordering": ["offer", "seq"],
            },
        ),
        migrations.CreateModel(
            name="PassedOver",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("year", models.PositiveSmallIntegerField(verbose_name="年度")),
                ("reasons", models.JSONField(default=list, verbose_name="原因")),
                ("seen_at", models.DateTimeField(verbose_name="核查时间")),
                (
                    "enterprise",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="matching.enterprise",
                        verbose_name="企业",
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="matching.policyitem",
                        verbose_name="政策事项",
                    ),
                ),
            ],
            options={
                "verbose_name": "未告知企业",
                "verbose_name_plural": "未告知企业",
                "ordering": ["item", "enterprise"],
            },
        ),
        migrations.CreateModel(
            name="TimePromise",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("days", models.PositiveSmallIntegerField(verbose_name="承诺时限（工作日）")),
                ("promised_on", models.DateField(verbose_name="承诺日")),
                ("due_on", models.DateField(verbose_name="最迟决定日")),
                ("pay_month", models.DateField(blank=True, null=True, verbose_name="承诺兑现月份")),
                ("broken_on", models.DateField(blank=True, null=True, verbose_name="超限日")),
                ("ended_on", models.DateField(blank=True, null=True, verbose_name="决定日")),
                ("used", models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="实际用时（工作日）")),
                ("kept", models.BooleanField(blank=True, null=True, verbose_name="已兑现承诺")),
                (
                    "application",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="time_promise",
                        to="disbursement.application",
                        verbose_name="申报",
                    ),
                ),
            ],
            options={
                "verbose_name": "限时承诺",
                "verbose_name_plural": "限时承诺",
                "ordering": ["-promised_on", "-id"],
            },
        ),
        migrations.CreateModel(
            name="LaneChoice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("seq", models.PositiveSmallIntegerField()),
                (
                    "mode",
                    models.CharField(
                        choices=[
                            ("automatic", "免申即享"),
                            ("instant", "即申即享"),
                            ("fast", "快申快享"),
                            ("window", "限时即享"),
                        ],
                        max_length=12,
                        verbose_name="办理方式",
                    ),
                ),
                (
                    "lane",
                    models.CharField(
                        choices=[("machine", "系统核验"), ("fast", "快审通道"), ("ordinary", "普通流程")],
                        max_length=10,
                        verbose_name="通道",
                    ),
                ),
                ("reasons", models.JSONField(default=list, verbose_name="原因")),
                ("at", models.DateTimeField(verbose_name="时间")),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lanes",
                        to="disbursement.application",
                        verbose_name="申报",
                    ),
                ),
            ],
            options={
                "verbose_name": "办理通道",
                "verbose_name_plural": "办理通道",
                "ordering": ["application", "seq"],
                "constraints": [
                    models.UniqueConstraint(fields=("application", "seq"), name="lanechoice_in_order"),
                    models.CheckConstraint(
                        condition=models.Q(("mode__in", ["automatic", "instant", "fast", "window"])),
                        name="lanechoice_mode_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("lane__in", ["machine", "fast", "ordinary"])), name="lanechoice_lane_known"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MachineDraw",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("item_code", models.CharField(max_length=60, verbose_name="事项编码")),
                ("share", models.PositiveSmallIntegerField(verbose_name="抽查比例（%）")),
                ("population", models.PositiveIntegerField(verbose_name="系统决定件数")),
                (
                    "draw",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="machine_draws",
                        to="disbursement.qualitydraw",
                        verbose_name="抽查批次",
                    ),
                ),
            ],
            options={
                "verbose_name": "系统决定抽查",
                "verbose_name_plural": "系统决定抽查",
                "ordering": ["draw", "item_code"],
                "constraints": [
                    models.UniqueConstraint(fields=("draw", "item_code"), name="machinedraw_once_an_item"),
                    models.CheckConstraint(condition=models.Q(("share__lte", 100)), name="machinedraw_share"),
                ],
            },
        ),
        migrations.CreateModel(
            name="MachineVerification",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "mode",
                    models.CharField(
                        choices=[
                            ("automatic", "免申即享"),
                            ("instant", "即申即享"),
                            ("fast", "快申快享"),
                            ("window", "限时即享"),
                        ],
                        max_length=12,
                        verbose_name="办理方式",
                    ),
                ),
                ("passed", models.BooleanField(verbose_name="核验通过")),
                ("accepts", models.BooleanField(default=False, verbose_name="受理")),
                ("reviews", models.BooleanField(default=False, verbose_name="初审")),
                ("decides", models.BooleanField(default=False, verbose_name="复审决定")),
                (
                    "amount",
                    models.DecimalField(
                        blank=True, decimal_places=2, max_digits=16, null=True, verbose_name="金额（元）"
                    ),
                ),
                (
                    "most",
                    models.DecimalField(
                        blank=True, decimal_places=2, max_digits=16, null=True, verbose_name="金额上限（元）"
                    ),
                ),
                ("proofs", models.JSONField(default=list, verbose_name="数据核验")),
                ("reasons", models.JSONField(default=list, verbose_name="原因")),
                ("made_at", models.DateTimeField(verbose_name="核验时间")),
                (
                    "application",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="verification",
                        to="disbursement.application",
                        verbose_name="申报",
                    ),
                ),
                (
                    "judgement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="disbursement.judgement",
                        verbose_name="判定记录",
                    ),
                ),
            ],
            options={
                "verbose_name": "系统核验",
                "verbose_name_plural": "系统核验",
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("accepts", True), ("amount__gt", 0), ("amount__isnull", False), ("passed", True)),
                            models.Q(("accepts", False), ("decides", False), ("passed", False), ("reviews", False)),
                            _connector="OR",
                        ),
                        name="verification_acts_only_if_passed",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("decides", False), ("reviews", True), _connector="OR"),
                        name="verification_decides_what_it_reviews",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("passed", False),
                            ("most__isnull", True),
                            ("amount__lte", models.F("most")),
                            _connector="OR",
                        ),
                        name="verification_within_its_limit",
                    ),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="offer",
            index=models.Index(fields=["item", "state"], name="disbursemen_item_id_ea1561_idx"),
        ),
        migrations.AddIndex(
            model_name="offer",
            index=models.Index(fields=["state", "last_day"], name="disbursemen_state_dc9cf4_idx"),
        ),
        migrations.AddConstraint(
            model_name="offer",
            constraint=models.UniqueConstraint(fields=("enterprise", "item", "year"), name="offer_once_a_year"),
        ),
        migrations.AddConstraint(
            model_name="offer",
            constraint=models.CheckConstraint(condition=models.Q(("edition__gte", 1)), name="offer_shows_an_edition"),
        ),
        migrations.AddConstraint(
            model_name="offer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("answered_by__isnull", True),
                        ("application", None),
                        ("reason", ""),
                        (
                            "state__in",
                            [
                                "open",
                                "lapsed",
                            ],
                        ),
                    ),
                    models.Q(
                        ("answered_by__isnull", True),
                        ("application", None),
                        ("state", "withdrawn"),
                        models.Q(("reason", ""), _negated=True),
                    ),
                    models.Q(
                        ("answered_by__isnull", False),
                        ("application", None),
                        ("state", "declined"),
                        models.Q(("reason", ""), _negated=True),
                    ),
                    models.Q(
                        ("answered_by__isnull", False),
                        ("application__isnull", False),
                        ("reason", ""),
                        ("state", "consented"),
                    ),
                    _connector="OR",
                ),
                name="offer_answered_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="offer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("answered_at__isnull", True), ("answered_by__isnull", True)),
                    models.Q(("answered_at__isnull", False), ("answered_by__isnull", False)),
                    _connector="OR",
                ),
                name="offer_answered_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="offeredition",
            constraint=models.UniqueConstraint(fields=("offer", "seq"), name="offeredition_numbered"),
        ),
        migrations.AddConstraint(
            model_name="offeredition",
            constraint=models.CheckConstraint(
                condition=models.Q(("seq__gte", 1), ("amount__gt", 0)), name="offeredition_offers_something"
            ),
        ),
        migrations.AddConstraint(
            model_name="offeredition",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(("digest", ""), _negated=True), models.Q(("inputs", ""), _negated=True)),
                name="offeredition_has_digest",
            ),
        ),
        migrations.AddConstraint(
            model_name="offerevent",
            constraint=models.UniqueConstraint(fields=("offer", "seq"), name="offerevent_in_order"),
        ),
        migrations.AddConstraint(
            model_name="offerevent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("actor__isnull", True), ("role", "system")),
                    models.Q(
                        models.Q(("role", "system"), _negated=True),
                        ("actor__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="offerevent_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="passedover",
            constraint=models.UniqueConstraint(fields=("enterprise", "item", "year"), name="passedover_once_a_year"),
        ),
        migrations.AddConstraint(
            model_name="timepromise",
            constraint=models.CheckConstraint(
                condition=models.Q(("days__gte", 1), ("due_on__gte", models.F("promised_on"))), name="timepromise_ahead"
            ),
        ),
        migrations.AddConstraint(
            model_name="timepromise",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_on__isnull", True), ("kept__isnull", True), ("used__isnull", True)),
                    models.Q(("ended_on__isnull", False), ("kept__isnull", True), ("used__isnull", True)),
                    models.Q(("ended_on__isnull", False), ("kept", True), ("used__lte", models.F("days"))),
                    models.Q(("ended_on__isnull", False), ("kept", False), ("used__gt", models.F("days"))),
                    _connector="OR",
                ),
                name="timepromise_kept_as_measured",
            ),
        ),
        # The publicity's table was rebuilt on SQLite, and the transition table has new rows.
        migrations.RunPython(install, remove),
    ]
