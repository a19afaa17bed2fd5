"""Items that raise manufacturing: scale, equipment, output, gradient, green, digital."""

from __future__ import annotations

from datetime import date

from .build import Data, in_statistics, item, local, safe
from .forms import EQUIPMENT


def items(as_of: date) -> list[Data]:
    return [
        item(
            as_of,
            "gy-abovescale",
            "首次升规入统奖励",
            kind="above_scale",
            department="industry",
            clause=("12", "第一条"),
            audience="首次纳入规模以上（限额以上）统计的企业",
            summary="首次升规奖 10 万元，工业企业奖 20 万元，免申即享。",
            criteria={
                "all": [
                    local(),
                    in_statistics(),
                    {
                        "id": "above_scale",
                        "fact": "above_scale",
                        "is": True,
                        "text": "规模以上（限额以上）企业",
                        "evidence": ["statistics"],
                        "advice": "先完成升规入统，街道统计站全程协助",
                    },
                    {
                        "id": "first_time",
                        "fact": "above_scale_records",
                        "any_of": ["industry", "services", "trade"],
                        "held": "ever",
                        "first": True,
                        "obtained": {"within_last": "P1Y"},
                        "text": "近一年内首次纳入规模以上统计",
                        "evidence": ["statistics"],
                        "advice": "达到入统标准后，由街道统计站协助按月申报入统",
                    },
                    {
                        "not": {
                            "id": "rewarded_before",
                            "fact": "earlier_awards",
                            "any_of": ["above_scale"],
                            "held": "ever",
                            "text": "曾享受升规奖励",
                        }
                    },
                ]
            },
            award={
                "rules": [
                    {
                        "when": {"fact": "above_scale_records", "any_of": ["industry"], "first": True},
                        "fixed": "200000",
                    },
                    {"fixed": "100000"},
                ],
                "choose": "highest",
                "exclusive_with": ["gy-growing"],
            },
            materials=("statistics",),
            delivery="automatic",
            promised=3,
            publicity_days=3,
        ),
        item(
            as_of,
            "gy-growing",
            "成长型企业培育奖励",
            kind="above_scale",
            department="industry",
            clause=("12", "第二条"),
            audience="营业收入接近规模以上标准、连续增长的制造业和信息服务业企业",
            summary="上年度营业收入 2,000 万元以上且连续两年增长 10%，奖 8 万元。",
            criteria={
                "all": [
                    local(),
                    {
                        "id": "industry",
                        "fact": "industry",
                        "in": ["C", "I"],
                        "text": "属于制造业或信息传输、软件和信息技术服务业",
                        "evidence": ["licence"],
                    },
                    {
                        "id": "revenue",
                        "fact": "revenue",
                        "year": "last",
                        "gte": "20000000",
                        "lt": "100000000",
                        "text": "上年度营业收入 2,000 万元以上、1 亿元以下",
                        "evidence": ["audit-report"],
                        "advice": "营业收入达到标准后即可申报，可先申请信用贷款贴息扩大经营",
                    },
                    {
                        "id": "growing",
                        "fact": "revenue",
                        "growth": True,
                        "years": 2,
                        "over": "each",
                        "gte": "10",
                        "text": "近两年营业收入每年增长 10% 以上",
                        "evidence": ["audit-report"],
                    },
                    {
                        "id": "not_yet",
                        "fact": "above_scale",
                        "is": False,
                        "text": "尚未纳入规模以上统计",
                        "evidence": ["statistics"],
                    },
                ]
            },
            award={"rules": [{"fixed": "80000"}], "exclusive_with": ["gy-abovescale"]},
            materials=("audit-report", "statistics"),
        ),
        item(
            as_of,
            "gy-equipment",
            "技术改造与设备投入补助",
            kind="equipment",
            department="industry",
            clause=("12", "第三条"),
            audience="实施技术改造项目的制造业企业",
            summary="按设备投资的 8% 补助，专精特新加 2 个百分点、绿色工厂加 3 个百分点，最高 500 万元。",
            criteria={
                "all": [
                    local(),
                    in_statistics(),
                    {
                        "id": "above_scale",
                        "fact": "above_scale",
                        "is": True,
                        "text": "规模以上（限额以上）企业",
                        "evidence": ["statistics"],
                        "advice": "先完成升规入统，街道统计站全程协助",
                    },
                    {
                        "id": "invested",
                        "fact": "equipment_spending",
                        "gte": "1000000",
                        "text": "上年度设备购置投入不低于 100 万元",
                        "evidence": ["statistics"],
                    },
                    {"id": "industry", "fact": "industry", "in": ["C"], "text": "属于制造业", "evidence": ["licence"]},
                    {
                        "id": "equipment",
                        "fact": "equipment_investment",
                        "gte": "2000000",
                        "text": "项目设备投资不低于 200 万元",
                        "evidence": ["invoice"],
                    },
                    {
                        "id": "share",
                        "fact": "equipment_investment",
                        "percent_of": "project_investment",
                        "gte": "40",
                        "text": "设备投资占项目总投资的比例不低于 40%",
                        "evidence": ["project-report"],
                    },
                    {
                        "id": "started",
                        "fact": "project_started_on",
                        "within_last": "P3Y",
                        "text": "项目近三年内开工",
                        "evidence": ["project-report"],
                    },
                    {
                        "id": "accepted",
                        "fact": "project_accepted",
                        "is": True,
                        "text": "项目已竣工验收",
                        "evidence": ["project-report"],
                    },
                    {
                        "id": "site",
                        "fact": "project_region",
                        "in": ["510105"],
                        "text": "项目在本区实施",
                        "evidence": ["project-report"],
                    },
                    safe(),
                ]
            },
            award={
                "rules": [{"rate": "8", "of": "equipment_investment", "cap": "5000000"}],
                "bonus_points": [
                    {"when": {"fact": "qualifications", "any_of": ["specialised"]}, "points": "2"},
                    {"when": {"fact": "qualifications", "any_of": ["green_factory"]}, "points": "3"},
                ],
                "rate_limit": "12",
                "cap_per_year": "5000000",
                "instalments": ["60", "40"],
                "shortfall": "pro_rata",
            },
            materials=("project-report", "invoice", "statistics"),
            ceiling="15000000.00",
            promised=20,
            form=EQUIPMENT,
        ),
        item(
            as_of,
            "gy-output",
            "稳产增产奖励",
            kind="growth",
            department="industry",
            clause=("12", "第四条"),
            audience="产值持续增长的规模以上工业企业",
            summary="按新增产值分档奖励：6,000 万元以内 1%，以上 1.2%，不超过前年度地方贡献。",
            criteria={
                "all": [
                    local(),
                    in_statistics(),
                    {
                        "id": "above",
                        "fact": "above_scale",
                        "is": True,
                        "text": "规模以上工业企业",
                        "evidence": ["statistics"],
                    },
                    {
                        "id": "base",
                        "fact": "output_value",
                        "year": "before_last",
                        "gte": "20000000",
                        "text": "前年度工业总产值不低于 2,000 万元",
                        "evidence": ["statistics"],
                    },
                    {
                        "id": "growing",
                        "fact": "output_value",
                        "growth": True,
                        "gt": "8",
                        "text": "上年度工业总产值增长超过 8%",
                        "evidence": ["statistics"],
                    },
                    {
                        "id": "increase",
                        "fact": "output_increase",
                        "gt": 0,
                        "text": "新增产值经统计部门确认",
                        "evidence": ["statistics"],
                    },
                ]
            },
            award={
                "rules": [
                    {
                        "of": "output_increase",
                        "brackets": [{"upto": "60000000", "rate": "1"}, {"rate": "1.2"}],
                        "cap": "2000000",
                        "cap_fact": "district_contribution@before_last",
                    }
                ],
                "shortfall": "defer",
                "rounding": "yuan",
            },
            materials=("statistics",),
        ),
    ]
