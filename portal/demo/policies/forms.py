"""What some items of the demo ask in a form of their own, and how the enterprises of the story fill it in.

Every kind of field is there once: the answers are those that a reviewer then sees beside the conditions.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

Data = dict[str, Any]


def _options(**labels: str) -> list[Data]:
    return [{"code": code, "label": label} for code, label in labels.items()]


VOUCHER: list[Data] = [
    {
        "type": "choice",
        "key": "service",
        "label": "购买的服务",
        "options": _options(law="法律服务", tax="财税服务", testing="检验检测", other="其他"),
    },
    {
        "type": "text",
        "key": "service_other",
        "label": "其他服务的名称",
        "longest": 60,
        "required": {"when": {"fact": "service", "in": ["other"]}},
    },
    {"type": "date", "key": "contracted_on", "label": "服务合同签订日期", "past": True},
    {"type": "money", "key": "contract_price", "label": "服务合同金额", "gte": "1", "help": "按合同填写，含税。"},
    {"type": "invoices", "fact": "invoice_total", "help": "逐张填写服务费发票，合计由系统计算。"},
]

PLATFORM: list[Data] = [
    {
        "type": "choice",
        "key": "platform_kind",
        "label": "平台类别",
        "options": _options(centre="企业技术中心", engineering="工程技术研究中心", laboratory="重点实验室"),
    },
    {"type": "date", "key": "recognised_on", "label": "认定文件日期", "past": True},
    {"type": "money", "key": "platform_investment", "label": "平台建设投入", "gte": "100000"},
    {"type": "number", "key": "platform_area", "label": "场地面积", "unit": "㎡", "gte": "50"},
    {"type": "yes_no", "key": "open_to_others", "label": "仪器设备向社会开放共享"},
    {
        "type": "text",
        "key": "sharing_rules",
        "label": "开放共享办法",
        "required": {"when": {"fact": "open_to_others", "is": True}},
    },
    {
        "type": "table",
        "key": "devices",
        "label": "主要研发设备",
        "gte": 1,
        "lte": 50,
        "columns": [
            {"key": "name", "label": "设备名称"},
            {"key": "bought_on", "label": "购置日期", "type": "date"},
            {"key": "price", "label": "原值", "type": "money"},
        ],
    },
]

EQUIPMENT: list[Data] = [
    {"type": "fact", "fact": "project_investment", "gte": "100000"},
    {
        "type": "choice",
        "key": "project_kind",
        "label": "建设性质",
        "options": _options(new="新建", extend="扩建", upgrade="技术改造"),
    },
    {"type": "fact", "fact": "project_started_on", "past": True},
    {
        "type": "table",
        "key": "contracts",
        "label": "设备合同",
        "help": "逐份填写，项目设备投资按合同金额自动合计。",
        "fact": "equipment_investment",
        "total": "amount",
        "gte": 1,
        "columns": [
            {"key": "number", "label": "合同号"},
            {"key": "device", "label": "设备"},
            {"key": "amount", "label": "合同金额", "type": "money"},
        ],
    },
]

# What is looked into on the spot and asked of other departments before a research platform is rewarded.
PLATFORM_STEPS: list[Data] = [
    {"name": "受理", "by": "政务服务中心综合窗口", "days": 1, "kind": "acceptance"},
    {
        "name": "初审",
        "by": "科创局审核岗",
        "days": 3,
        "kind": "review",
        "checklist": "认定文件与公告一致\n设备清单已与发票核对",
    },
    {
        "name": "现场核查",
        "by": "科创局会同街道",
        "days": 5,
        "kind": "site_visit",
        "note": "两人以上到场，核对设备和人员",
    },
    {
        "name": "部门会审",
        "by": "经信局、金融局",
        "days": 8,
        "kind": "joint",
        "departments": "industry finance",
        "silence_consents": True,
        "note": "核对是否重复享受市级以上同类资金",
    },
    {
        "name": "复审",
        "by": "科创局复核岗",
        "days": 2,
        "kind": "second_review",
        "checklist": "部门会审意见已逐条核对\n核定金额与申报台账无重复",
    },
]


def answers(code: str, day: date) -> Data:
    """Answers to an item's own fields, as of a day (Asia/Shanghai); {} where it has none."""
    known: dict[str, Data] = {
        "fw-voucher": {
            "service": "testing",
            "contracted_on": (day - timedelta(days=40)).isoformat(),
            "contract_price": "9600.00",
        },
        "kj-platform": {
            "platform_kind": "centre",
            "recognised_on": (day - timedelta(days=120)).isoformat(),
            "platform_investment": "3260000.00",
            "platform_area": "820",
            "open_to_others": True,
            "sharing_rules": "每周二、周四对外开放，收费标准公示在企业网站。",
            "devices": [
                {"name": "三坐标测量机", "bought_on": (day - timedelta(days=400)).isoformat(), "price": "1180000.00"},
                {"name": "环境试验箱", "bought_on": (day - timedelta(days=210)).isoformat(), "price": "460000.00"},
            ],
        },
    }
    return known.get(code, {})
