"""Requests that are taken back, visits called off; who the experts were; decisions on many at once."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from disbursement.guards import install, remove


class Migration(migrations.Migration):
    dependencies = [
        ("disbursement", "0007_bank_entries_named"),
        ("registry", "0002_whose_money"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # SQLite rebuilds the tables, which triggers of other tables name.
        migrations.RunPython(remove, install),
        migrations.CreateModel(
            name="ExpertPaper",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=200, verbose_name="文件名")),
            ],
            options={
                "verbose_name": "专家评审材料",
                "verbose_name_plural": "专家评审材料",
                "ordering": ["opinion", "id"],
            },
        ),
        migrations.CreateModel(
            name="ExpertVoice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=40, verbose_name="姓名")),
                ("unit", models.CharField(max_length=100, verbose_name="工作单位")),
                ("title", models.CharField(blank=True, max_length=60, verbose_name="职称或职务")),
                ("is_unconcerned", models.BooleanField(verbose_name="已声明无利害关系")),
            ],
            options={
                "verbose_name": "评审专家",
                "verbose_name_plural": "评审专家",
                "ordering": ["opinion", "id"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="bulkrun",
            name="bulkrun_deed_known",
        ),
        migrations.RemoveConstraint(
            model_name="jointreview",
            name="jointreview_answered_whole",
        ),
        migrations.RemoveConstraint(
            model_name="transitionlog",
            name="transitionlog_words_known",
        ),
        migrations.AlterField(
            model_name="bulkrun",
            name="deed",
            field=models.CharField(
                choices=[
                    ("accept", "批量受理"),
                    ("assign", "批量分派"),
                    ("recommend", "批量建议通过"),
                    ("publicise", "批量发起公示"),
                    ("approve", "批量审核通过"),
                ],
                max_length=10,
                verbose_name="事项",
            ),
        ),
        migrations.AlterField(
            model_name="jointreview",
            name="answer",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "待出具"),
                    ("agree", "同意"),
                    ("disagree", "不同意"),
                    ("lapsed", "逾期视为同意"),
                    ("recalled", "已撤回"),
                ],
                default="",
                max_length=8,
                verbose_name="意见",
            ),
        ),
        migrations.AlterField(
            model_name="transitionlog",
            name="action",
            field=models.CharField(
                choices=[
                    ("submit", "提交申报"),
                    ("ask_correction", "要求补正"),
                    ("supply", "提交补正"),
                    ("lapse", "逾期未补正"),
                    ("accept", "受理"),
                    ("accept_with_gap", "容缺受理"),
                    ("refuse", "不予受理"),
                    ("start_review", "开始审核"),
                    ("ask_expert", "提请专家评审"),
                    ("expert_report", "收到专家意见"),
                    ("arrange_visit", "安排现场核查"),
                    ("record_visit", "登记现场核查"),
                    ("cancel_visit", "取消现场核查"),
                    ("ask_departments", "提请部门会审"),
                    ("recall_request", "撤回会审"),
                    ("give_opinion", "出具会审意见"),
                    ("gather_opinions", "汇总会审意见"),
                    ("recommend_approval", "建议通过"),
                    ("recommend_rejection", "建议不通过"),
                    ("send_back", "退回审核"),
                    ("publicise", "公示"),
                    ("sustain_objection", "公示异议成立"),
                    ("approve", "审核通过"),
                    ("reject", "审核不通过"),
                    ("appeal", "申请复核"),
                    ("uphold", "维持原决定"),
                    ("withdraw", "撤回"),
                    ("revoke", "撤销决定"),
                    ("close", "办结"),
                ],
                max_length=24,
                verbose_name="操作",
            ),
        ),
        migrations.AddConstraint(
            model_name="bulkrun",
            constraint=models.CheckConstraint(
                condition=models.Q(("deed__in", ["accept", "assign", "recommend", "publicise", "approve"])),
                name="bulkrun_deed_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="jointreview",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("answer", ""), ("at__isnull", True), ("by__isnull", True), ("text", "")),
                    models.Q(
                        ("answer__in", ["agree", "disagree", "recalled"]),
                        ("at__isnull", False),
                        ("by__isnull", False),
                        models.Q(("text", ""), _negated=True),
                    ),
                    models.Q(
                        ("answer", "lapsed"), ("at__isnull", False), ("by__isnull", True), ("silence_consents", True)
                    ),
                    _connector="OR",
                ),
                name="jointreview_answered_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="transitionlog",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "action__in",
                        [
                            "submit",
                            "ask_correction",
                            "supply",
                            "lapse",
                            "accept",
                            "accept_with_gap",
                            "refuse",
                            "start_review",
                            "ask_expert",
                            "expert_report",
                            "arrange_visit",
                            "record_visit",
                            "cancel_visit",
                            "ask_departments",
                            "recall_request",
                            "give_opinion",
                            "gather_opinions",
                            "recommend_approval",
                            "recommend_rejection",
                            "send_back",
                            "publicise",
                            "sustain_objection",
                            "approve",
                            "reject",
                            "appeal",
                            "uphold",
                            "withdraw",
                            "revoke",
                            "close",
                        ],
                    ),
                    (
                        "source__in",
                        [
                            "draft",
                            "submitted",
                            "correction",
                            "not_accepted",
                            "accepted",
                            "in_review",
                            "review_correction",
                            "expert",
                            "site_visit",
                            "joint_review",
                            "second_review",
                            "publicity",
                            "approved",
                            "rejected",
                            "appeal",
                            "rejection_upheld",
                            "withdrawn",
                            "revoked",
                            "closed",
                        ],
                    ),
                    (
                        "target__in",
                        [
                            "draft",
                            "submitted",
                            "correction",
                            "not_accepted",
                            "accepted",
                            "in_review",
                            "review_correction",
                            "expert",
                            "site_visit",
                            "joint_review",
                            "second_review",
                            "publicity",
                            "approved",
                            "rejected",
                            "appeal",
                            "rejection_upheld",
                            "withdrawn",
                            "revoked",
                            "closed",
                        ],
                    ),
                    (
                        "role__in",
                        [
                            "enterprise",
                            "acceptor",
                            "reviewer",
                            "joint_reviewer",
                            "second_reviewer",
                            "appeal_reviewer",
                            "finance_maker",
                            "finance_checker",
                            "finance_approver",
                            "system",
                        ],
                    ),
                ),
                name="transitionlog_words_known",
            ),
        ),
        migrations.AddField(
            model_name="expertpaper",
            name="opinion",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="papers",
                to="disbursement.opinion",
                verbose_name="专家意见",
            ),
        ),
        migrations.AddField(
            model_name="expertpaper",
            name="stored",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="disbursement.storedfile",
                verbose_name="文件",
            ),
        ),
        migrations.AddField(
            model_name="expertvoice",
            name="opinion",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="experts",
                to="disbursement.opinion",
                verbose_name="专家意见",
            ),
        ),
        migrations.AddConstraint(
            model_name="expertpaper",
            constraint=models.UniqueConstraint(fields=("opinion", "stored"), name="expertpaper_same_bytes_once"),
        ),
        migrations.AddConstraint(
            model_name="expertvoice",
            constraint=models.UniqueConstraint(fields=("opinion", "name", "unit"), name="expertvoice_once"),
        ),
        migrations.AddConstraint(
            model_name="expertvoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("name", ""), _negated=True),
                    models.Q(("unit", ""), _negated=True),
                    ("is_unconcerned", True),
                ),
                name="expertvoice_known_and_unconcerned",
            ),
        ),
        # Tables of triggers were rebuilt on SQLite, and the transition table has new rows.
        migrations.RunPython(install, remove),
    ]
