"""Items of culture and design, and of settling in the district."""

from __future__ import annotations

from datetime import date

from .build import Data, good_credit, item, local, taxed


def items(as_of: date) -> list[Data]:
    year = as_of.year
    return [
        item(
            as_of,
            "wc-content",
            "原创文化内容扶持",
            kind="culture",
            department="culture",
            clause=("21", "第五条"),
            audience="从事数字文创、游戏、影视内容原创的企业",
            summary="按原创内容制作投入的 20% 扶持，入驻文创谷加 5 个百分点，最高 100 万元。",
            criteria={
                "all": [
                    local(),
                    {
                        "id": "chain",
                        "fact": "industry_chains",
                        "any_of": ["cultural_creative"],
                        "text": "属于文化创意产业链",
                        "evidence": ["licence"],
                    },
                    {
                        "id": "copyrights",
                        "fact": "software_copyrights",
                        "gt": 5,
                        "text": "软件著作权 5 件以上",
                        "evidence": ["ip-certificate"],
                    },
                    {
                        "id": "works",
                        "fact": "intellectual_property",
                        "any_of": ["work"],
                        "count": {"gt": 1},
                        "text": "作品著作权 2 件以上",
                        "evidence": ["ip-certificate"],
                    },
                    {
                        "id": "spending",
                        "fact": "production_spending",
                        "gte": "200000",
                        "text": "原创内容制作投入不低于 20 万元",
                        "evidence": ["invoice"],
                    },
                ]
            },
            award={
                "rules": [{"rate": "20", "of": "production_spending", "cap": "1000000"}],
                "bonus_points": [{"when": {"fact": "carrier", "in": ["creative_valley"]}, "points": "5"}],
                "rate_limit": "25",
            },
            materials=("ip-certificate", "invoice"),
        ),
        item(
            as_of,
            "wc-design",
            "工业设计中心与设计奖项奖励",
            kind="culture",
            department="culture",
            clause=("21", "第六条"),
            audience="认定工业设计中心或获得知名设计奖项的企业",
            summary="国家级设计中心 50 万元、省级 30 万元，国际设计奖 10 万元，就高奖励。",
            criteria={
                "all": [
                    local(),
                    {
                        "id": "chain",
                        "fact": "industry_chains",
                        "any_of": ["industrial_design", "engineering_survey"],
                        "text": "属于工业设计、工程勘察设计产业链",
                        "evidence": ["licence"],
                    },
                    {
                        "any": [
                            {
                                "id": "centre",
                                "fact": "qualifications",
                                "any_of": ["design_centre_national", "design_centre_province"],
                                "text": "国家级、省级工业设计中心",
                                "evidence": ["certificate"],
                            },
                            {
                                "id": "prize",
                                "fact": "honours",
                                "any_of": ["design_award", "design_award_domestic"],
                                "held": "ever",
                                "obtained": {"at_least_ago": "P30D", "within_last": "P2Y"},
                                "text": "近两年内获得知名设计奖，且公布满 30 日",
                                "evidence": ["certificate"],
                            },
                        ]
                    },
                    {
                        "id": "engineering",
                        "fact": "certificates",
                        "all_of": ["iso9001", "ip_management"],
                        "soft": True,
                        "text": "原则上通过质量管理和知识产权管理体系认证",
                        "evidence": ["certificate"],
                    },
                ]
            },
            award={
                "rules": [
                    {"when": {"fact": "qualifications", "any_of": ["design_centre_national"]}, "fixed": "500000"},
                    {"when": {"fact": "qualifications", "any_of": ["design_centre_province"]}, "fixed": "300000"},
                    {"fixed": "100000"},
                ],
                "choose": "highest",
            },
            materials=("certificate",),
        ),
        item(
            as_of,
            "zb-headquarters",
            "总部企业落户奖励",
            kind="settlement",
            department="investment",
            clause=("21", "第七条"),
            audience="近三年新落户本区的总部企业",
            summary="按上年度地方贡献的 30% 奖励，实缴资本 1 亿元以上另奖 200 万元，就高，分三期兑现。",
            criteria={
                "all": [
                    local(),
                    taxed(),
                    {
                        "id": "headquarters",
                        "fact": "is_headquarters",
                        "is": True,
                        "text": "经认定的总部机构",
                        "evidence": ["certificate"],
                    },
                    {
                        "id": "moved",
                        "fact": "moved_in_on",
                        "within_last": "P3Y",
                        "text": "近三年内迁入本区",
                        "evidence": ["licence"],
                    },
                    {
                        "id": "capital",
                        "fact": "paid_in_capital",
                        "gte": "50000000",
                        "text": "实缴资本不低于 5,000 万元",
                        "evidence": ["audit-report"],
                    },
                    {
                        "id": "ownership",
                        "fact": "ownership",
                        "not_in": ["collective"],
                        "text": "不属于集体企业",
                        "evidence": ["licence"],
                    },
                    {
                        "id": "tax",
                        "fact": "tax_paid",
                        "years": 2,
                        "over": "sum",
                        "gte": "3000000",
                        "text": "近两年缴纳税收合计不低于 300 万元",
                        "evidence": ["tax-certificate"],
                    },
                    {
                        "id": "commitment",
                        "fact": "commitment_signed",
                        "is": True,
                        "text": "承诺五年内不迁出、不改变在本区的纳税义务",
                        "evidence": ["commitment"],
                    },
                ]
            },
            award={
                "rules": [
                    {"rate": "30", "of": "district_contribution@last", "cap": "3000000"},
                    {"when": {"fact": "paid_in_capital", "gte": "100000000"}, "fixed": "2000000"},
                ],
                "choose": "highest",
                "instalments": ["40", "30", "30"],
                "cap_total": "3000000",
            },
            materials=("certificate", "audit-report", "tax-certificate", "commitment"),
            ceiling="12000000.00",
            promised=15,
            delivery="window",
            delivery_terms={"decide_within": 10},
            window={"from": f"{year}-01-01", "until": f"{year + 1}-06-30"},
        ),
        item(
            as_of,
            "zb-investment",
            "重大投资项目奖励",
            kind="settlement",
            department="investment",
            clause=("21", "第八条"),
            audience="新增固定资产投资较大的企业",
            summary="近两年固定资产投资合计 3,000 万元以上，按本年度投资额的 2% 奖励。",
            criteria={
                "all": [
                    local(),
                    {
                        "id": "investment",
                        "fact": "fixed_investment",
                        "years": 2,
                        "over": "sum",
                        "year": "this",
                        "gte": "30000000",
                        "text": "本年度和上年度固定资产投资合计不低于 3,000 万元",
                        "evidence": ["project-report"],
                    },
                    {
                        "id": "capital_ratio",
                        "fact": "paid_in_capital",
                        "percent_of": "registered_capital",
                        "gte": "30",
                        "text": "实缴资本占注册资本的比例不低于 30%",
                        "evidence": ["audit-report"],
                    },
                    {
                        "id": "score",
                        "fact": "credit_score",
                        "gte": 60,
                        "lte": 100,
                        "soft": True,
                        "text": "原则上公共信用综合评分不低于 60 分",
                        "evidence": ["credit-report"],
                    },
                    good_credit(),
                ]
            },
            award={
                "rules": [
                    {
                        "rate": "2",
                        "of": "fixed_investment@this",
                        "cap": "2000000",
                        "cap_fact": "district_contribution@last",
                    }
                ],
                "instalments": ["70", "30"],
                "shortfall": "pro_rata",
            },
            materials=("project-report", "audit-report"),
            promised=15,
        ),
    ]
