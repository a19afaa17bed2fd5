import django.core.validators
import wagtail.fields
from django.db import migrations

import cms.form_blocks


class Migration(migrations.Migration):
    dependencies = [
        ("cms", "0003_steps_that_are_carried_out"),
    ]

    operations = [
        migrations.AddField(
            model_name="policyitempage",
            name="form_fields",
            field=wagtail.fields.StreamField(
                [
                    ("fact", 10),
                    ("text", 14),
                    ("number", 16),
                    ("money", 19),
                    ("date", 20),
                    ("choice", 25),
                    ("choices", 28),
                    ("yes_no", 29),
                    ("file", 31),
                    ("invoices", 34),
                    ("table", 45),
                ],
                blank=True,
                block_lookup={
                    0: (
                        "wagtail.blocks.CharBlock",
                        (),
                        {"help_text": "不填则用词表中的名称", "label": "名称", "max_length": 60, "required": False},
                    ),
                    1: ("wagtail.blocks.TextBlock", (), {"label": "填写说明", "required": False, "rows": 2}),
                    2: (
                        "wagtail.blocks.ChoiceBlock",
                        [],
                        {"choices": [("yes", "必填"), ("no", "选填"), ("when", "满足条件时必填")], "label": "是否必填"},
                    ),
                    3: (
                        "wagtail.blocks.TextBlock",
                        (),
                        {
                            "help_text": '条件语言，可引用词表事实和本表其他字段，如 {"fact": "leased", "is": true}',
                            "label": "必填的条件",
                            "required": False,
                            "rows": 2,
                        },
                    ),
                    4: ("wagtail.blocks.ChoiceBlock", [], {"choices": cms.form_blocks.all_facts, "label": "词表事实"}),
                    5: ("wagtail.blocks.CharBlock", (), {"label": "不小于", "max_length": 20, "required": False}),
                    6: ("wagtail.blocks.CharBlock", (), {"label": "不大于", "max_length": 20, "required": False}),
                    7: ("wagtail.blocks.DateBlock", (), {"label": "不早于", "required": False}),
                    8: ("wagtail.blocks.DateBlock", (), {"label": "不晚于", "required": False}),
                    9: ("wagtail.blocks.BooleanBlock", (), {"label": "不晚于填写当天", "required": False}),
                    10: (
                        "wagtail.blocks.StructBlock",
                        [
                            [
                                ("label", 0),
                                ("help", 1),
                                ("required", 2),
                                ("when", 3),
                                ("fact", 4),
                                ("gte", 5),
                                ("lte", 6),
                                ("on_or_after", 7),
                                ("on_or_before", 8),
                                ("past", 9),
                            ]
                        ],
                        {},
                    ),
                    11: ("wagtail.blocks.CharBlock", (), {"label": "名称", "max_length": 60}),
                    12: (
                        "wagtail.blocks.CharBlock",
                        (),
                        {
                            "label": "字段代码",
                            "max_length": 60,
                            "validators": [
                                django.core.validators.RegexValidator(
                                    "\\A[a-z][a-z0-9_]{0,59}\\Z",
                                    "字段代码以小写字母开头，只用小写字母、数字和下划线，最多 60 个字符",
                                )
                            ],
                        },
                    ),
                    13: (
                        "wagtail.blocks.IntegerBlock",
                        (),
                        {"default": 500, "label": "最多字数", "max_value": 5000, "min_value": 1},
                    ),
                    14: (
                        "wagtail.blocks.StructBlock",
                        [[("label", 11), ("help", 1), ("required", 2), ("when", 3), ("key", 12), ("longest", 13)]],
                        {},
                    ),
                    15: ("wagtail.blocks.CharBlock", (), {"label": "单位", "max_length": 10, "required": False}),
                    16: (
                        "wagtail.blocks.StructBlock",
                        [
                            [
                                ("label", 11),
                                ("help", 1),
                                ("required", 2),
                                ("when", 3),
                                ("key", 12),
                                ("unit", 15),
                                ("gte", 5),
                                ("lte", 6),
                            ]
                        ],
                        {},
                    ),
                    17: (
                        "wagtail.blocks.CharBlock",
                        (),
                        {"label": "不小于（元）", "max_length": 20, "required": False},
                    ),
                    18: (
                        "wagtail.blocks.CharBlock",
                        (),
                        {"label": "不大于（元）", "max_length": 20, "required": False},
                    ),
                    19: (
                        "wagtail.blocks.StructBlock",
                        [
                            [
                                ("label", 11),
                                ("help", 1),
                                ("required", 2),
                                ("when", 3),
                                ("key", 12),
                                ("gte", 17),
                                ("lte", 18),
                            ]
                        ],
                        {},
                    ),
                    20: (
                        "wagtail.blocks.StructBlock",
                        [
                            [
                                ("label", 11),
                                ("help", 1),
                                ("required", 2),
                                ("when", 3),
                                ("key", 12),
                                ("on_or_after", 7),
                                ("on_or_before", 8),
                                ("past", 9),
                            ]
                        ],
                        {},
                    ),
                    21: ("wagtail.blocks.CharBlock", (), {"label": "选项代码", "max_length": 60}),
                    22: ("wagtail.blocks.CharBlock", (), {"label": "选项名称", "max_length": 120}),
                    23: ("wagtail.blocks.StructBlock", [[("code", 21), ("label", 22)]], {}),
                    24: ("wagtail.blocks.ListBlock", (23,), {"label": "选项", "min_num": 2}),
                    25: (
                        "wagtail.blocks.StructBlock",
                        [[("label", 11), ("help", 1), ("required", 2), ("when", 3), ("key", 12), ("options", 24)]],
                        {},
                    ),
                    26: ("wagtail.blocks.IntegerBlock", (), {"label": "至少选几项", "min_value": 0, "required": False}),
                    27: ("wagtail.blocks.IntegerBlock", (), {"label": "最多选几项", "min_value": 1, "required": False}),
                    28: (
                        "wagtail.blocks.StructBlock",
                        [
                            [
                                ("label", 11),
                                ("help", 1),
                                ("required", 2),
                                ("when", 3),
                                ("key", 12),
                                ("options", 24),
                                ("gte", 26),
                                ("lte", 27),
                            ]
                        ],
                        {},
                    ),
                    29: (
                        "wagtail.blocks.StructBlock",
                        [[("label", 11), ("help", 1), ("required", 2), ("when", 3), ("key", 12)]],
                        {},
                    ),
                    30: (
                        "wagtail.blocks.CharBlock",
                        (),
                        {
                            "help_text": "是“申报材料”中的哪一份；文件按材料存放、核验和复用",
                            "label": "材料代码",
                            "max_length": 60,
                        },
                    ),
                    31: (
                        "wagtail.blocks.StructBlock",
                        [[("label", 11), ("help", 1), ("required", 2), ("when", 3), ("key", 12), ("material", 30)]],
                        {},
                    ),
                    32: ("wagtail.blocks.CharBlock", (), {"label": "名称", "max_length": 60, "required": False}),
                    33: ("wagtail.blocks.ChoiceBlock", [], {"choices": cms.form_blocks.sums, "label": "合计记为"}),
                    34: (
                        "wagtail.blocks.StructBlock",
                        [[("label", 32), ("help", 1), ("required", 2), ("when", 3), ("fact", 33)]],
                        {},
                    ),
                    35: (
                        "wagtail.blocks.CharBlock",
                        (),
                        {
                            "label": "列代码",
                            "max_length": 60,
                            "validators": [
                                django.core.validators.RegexValidator(
                                    "\\A[a-z][a-z0-9_]{0,59}\\Z",
                                    "字段代码以小写字母开头，只用小写字母、数字和下划线，最多 60 个字符",
                                )
                            ],
                        },
                    ),
                    36: ("wagtail.blocks.CharBlock", (), {"label": "列名", "max_length": 60}),
                    37: (
                        "wagtail.blocks.ChoiceBlock",
                        [],
                        {
                            "choices": [
                                ("text", "文字"),
                                ("number", "数值"),
                                ("money", "金额（元）"),
                                ("date", "日期"),
                            ],
                            "label": "类型",
                        },
                    ),
                    38: ("wagtail.blocks.BooleanBlock", (), {"default": True, "label": "必填", "required": False}),
                    39: (
                        "wagtail.blocks.StructBlock",
                        [[("key", 35), ("label", 36), ("type", 37), ("unit", 15), ("required", 38)]],
                        {},
                    ),
                    40: ("wagtail.blocks.ListBlock", (39,), {"label": "列", "max_num": 12, "min_num": 1}),
                    41: (
                        "wagtail.blocks.CharBlock",
                        (),
                        {"label": "合计哪一列（列代码）", "max_length": 60, "required": False},
                    ),
                    42: (
                        "wagtail.blocks.ChoiceBlock",
                        [],
                        {"choices": cms.form_blocks.sums, "label": "合计记为", "required": False},
                    ),
                    43: ("wagtail.blocks.IntegerBlock", (), {"label": "至少几行", "min_value": 0, "required": False}),
                    44: (
                        "wagtail.blocks.IntegerBlock",
                        (),
                        {"label": "最多几行", "max_value": 200, "min_value": 1, "required": False},
                    ),
                    45: (
                        "wagtail.blocks.StructBlock",
                        [
                            [
                                ("label", 11),
                                ("help", 1),
                                ("required", 2),
                                ("when", 3),
                                ("key", 12),
                                ("columns", 40),
                                ("total", 41),
                                ("fact", 42),
                                ("gte", 43),
                                ("lte", 44),
                            ]
                        ],
                        {},
                    ),
                },
                help_text="条件和标准用到的项目信息会自动列入申报表；在这里写明顺序、说明、界限，并加上本事项自己的问题",
                verbose_name="申报表字段",
            ),
        ),
    ]
