"""Items that upgrade manufacturing: gradient, green, digital."""

from __future__ import annotations

from datetime import date

from .build import Data, good_credit, item, local, safe, taxed


def items(as_of: date) -> list[Data]:
    year = as_of.year
    return [
        item(
            as_of,
            "gy-gradient",
            "专精特新梯度培育奖励",
            kind="recognition",
            department="industry",
            clause=("12", "第五条"),
            audience="新认定专精特新、小巨人、单项冠军的企业",
            summary="单项冠军 80 万元、小巨人 50 万元、专精特新 20 万元，就高奖励。",
            criteria={
                "all": [
                    local(),
                    {
                        "id": "title",
                        "any_of": ["specialised", "champion"],
                        "fact": "qualifications",
                        "obtained": {"on_or_after": f"{year - 1}-01-01", "on_or_before": f"{year}-12-31"},
                        "text": f"{year - 1} 年以来新认定",
                        "evidence": ["certificate"],
                        "advice": "经信局每年组织两次申报辅导",
                    },
                    {
                        "at_least": 2,
                        "of": [
                            {
                                "id": "patents",
                                "fact": "invention_patents",
                                "gte": 5,
                                "text": "有效发明专利 5 件以上",
                                "evidence": ["ip-certificate"],
                            },
                            {
                                "id": "intensity",
                                "fact": "rd_expense",
                                "percent_of": "revenue",
                                "gte": "5",
                                "text": "上年度研发费用占营业收入的比例不低于 5%",
                                "evidence": ["audit-report"],
                            },
                            {
                                "id": "focus",
                                "fact": "main_business_revenue",
                                "percent_of": "revenue",
                                "years": 2,
                                "over": "each",
                                "gte": "70",
                                "text": "近两年主营业务收入占营业收入的比例均不低于 70%",
                                "evidence": ["audit-report"],
                            },
                        ],
                    },
                    {
                        "id": "grade",
                        "fact": "tax_credit_grade",
                        "in": ["A", "B"],
                        "soft": True,
                        "text": "原则上纳税信用等级为 A 级或 B 级",
                        "evidence": ["tax-certificate"],
                    },
                ]
            },
            award={
                "rules": [
                    {"when": {"fact": "qualifications", "any_of": ["champion"]}, "fixed": "800000"},
                    {"when": {"fact": "qualifications", "any_of": ["little_giant"]}, "fixed": "500000"},
                    {"when": {"fact": "qualifications", "any_of": ["specialised"]}, "fixed": "200000"},
                ],
                "choose": "highest",
            },
            materials=("certificate", "ip-certificate", "audit-report", "tax-certificate"),
        ),
        item(
            as_of,
            "gy-green",
            "绿色工厂与节能改造奖励",
            kind="green",
            department="industry",
            clause=("12", "第六条"),
            audience="获评绿色工厂或实施节能改造的制造业企业",
            summary="绿色工厂最高奖 50 万元，节能改造按投入的 10% 补助，两项可叠加。",
            sub_items=("绿色工厂认定奖励", "节能改造补助"),
            criteria={
                "all": [
                    local(),
                    {
                        "id": "above_scale",
                        "fact": "above_scale",
                        "is": True,
                        "text": "规模以上（限额以上）企业",
                        "evidence": ["statistics"],
                        "advice": "先完成升规入统，街道统计站全程协助",
                    },
                    {
                        "any": [
                            {
                                "id": "factory",
                                "fact": "qualifications",
                                "any_of": ["green_factory"],
                                "held": "now",
                                "text": "绿色工厂称号有效",
                                "evidence": ["certificate"],
                            },
                            {
                                "all": [
                                    {
                                        "id": "energy",
                                        "fact": "energy_use",
                                        "growth": True,
                                        "years": 2,
                                        "over": "each",
                                        "lte": "0",
                                        "text": "近两年综合能源消费量每年不增长",
                                        "evidence": ["statistics"],
                                    },
                                    {
                                        "id": "saved",
                                        "fact": "energy_saved",
                                        "gte": 100,
                                        "text": "项目年节能量 100 吨标准煤以上",
                                        "evidence": ["project-report"],
                                    },
                                ]
                            },
                        ]
                    },
                    {
                        "id": "environment",
                        "fact": "environment_incidents",
                        "none_of": ["ordinary", "serious_or_worse"],
                        "held": "ever",
                        "obtained": {"within_last": "P3Y"},
                        "text": "近三年内未发生突发环境事件",
                        "evidence": ["credit-report"],
                    },
                    safe(),
                ]
            },
            award={
                "rules": [
                    {"when": {"fact": "qualifications", "any_of": ["green_factory_national"]}, "fixed": "500000"},
                    {
                        "when": {"fact": "qualifications", "any_of": ["green_factory_province", "green_factory_city"]},
                        "fixed": "200000",
                    },
                    {
                        "when": {"fact": "green_spending", "gt": 0},
                        "rate": "10",
                        "of": "green_spending",
                        "cap": "300000",
                    },
                ],
                "choose": "sum",
                "cap_total": "700000",
            },
            materials=("certificate", "project-report", "invoice", "statistics"),
        ),
        item(
            as_of,
            "gy-digital",
            "上云用数与数字化转型补助",
            kind="digital",
            department="industry",
            clause=("12", "第七条"),
            audience="购买软件和云服务、实施数字化改造的企业",
            summary="按软件及云服务支出的 20% 补助，最高 30 万元，取整到元。",
            criteria={
                "all": [
                    local(),
                    taxed(),
                    {
                        "id": "above_scale",
                        "fact": "above_scale",
                        "is": True,
                        "text": "规模以上（限额以上）企业",
                        "evidence": ["statistics"],
                        "advice": "先完成升规入统，街道统计站全程协助",
                    },
                    {
                        "id": "spending",
                        "fact": "software_spending",
                        "gte": "50000",
                        "text": "软件及云服务支出不低于 5 万元",
                        "evidence": ["invoice"],
                    },
                    {
                        "at_least": 1,
                        "of": [
                            {
                                "id": "cloud",
                                "fact": "qualifications",
                                "any_of": ["cloud_adopter", "smart_factory", "digital_benchmark"],
                                "text": "上云企业、智能工厂或数字化标杆",
                                "evidence": ["certificate"],
                            },
                            {
                                "id": "management",
                                "fact": "certificates",
                                "all_of": ["integration_management", "iso27001"],
                                "text": "同时通过两化融合贯标和信息安全管理体系认证",
                                "evidence": ["certificate"],
                            },
                            {
                                "id": "capability",
                                "fact": "certificates",
                                "any_of": ["dcmm"],
                                "where": {"level": {"gte": 2}},
                                "text": "数据管理能力成熟度二级以上",
                                "evidence": ["certificate"],
                            },
                        ],
                    },
                    good_credit(),
                ]
            },
            award={
                "rules": [{"rate": "20", "of": "software_spending", "cap": "300000"}],
                "rounding": "yuan",
                "shortfall": "first_come",
            },
            materials=("invoice", "certificate", "tax-certificate", "statistics"),
        ),
    ]
