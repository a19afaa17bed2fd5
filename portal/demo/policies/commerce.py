"""Items of trade, openness, culture and settlement."""

from __future__ import annotations

from datetime import date

from .build import Data, in_statistics, item, local


def items(as_of: date) -> list[Data]:
    year = as_of.year
    return [
        item(
            as_of,
            "sw-export",
            "外贸出口增长奖励",
            kind="export",
            department="commerce",
            clause=("21", "第一条"),
            audience="货物或服务出口增长的企业",
            summary="按上年度出口额的 0.5% 奖励，最高 100 万元；出口信用保险保费补 30%。",
            sub_items=("出口增长奖励", "出口信用保险补助"),
            criteria={
                "all": [
                    local(),
                    {
                        "id": "grade",
                        "fact": "tax_credit_grade",
                        "in": ["A", "B"],
                        "text": "纳税信用等级为 A 级或 B 级",
                        "evidence": ["tax-certificate"],
                        "advice": "可在电子税务局申请纳税信用复评",
                    },
                    {
                        "any": [
                            {
                                "all": [
                                    {
                                        "id": "exports",
                                        "fact": "exports",
                                        "gte": "3000000",
                                        "text": "上年度货物出口额不低于 300 万元",
                                        "evidence": ["customs"],
                                    },
                                    {
                                        "id": "export_growth",
                                        "fact": "exports",
                                        "growth": True,
                                        "gte": "5",
                                        "text": "上年度货物出口额增长 5% 以上",
                                        "evidence": ["customs"],
                                    },
                                ]
                            },
                            {
                                "id": "service_exports",
                                "fact": "service_exports",
                                "year": str(year - 2),
                                "gte": "1000000",
                                "text": f"{year - 2} 年服务出口额不低于 100 万元",
                                "evidence": ["customs"],
                            },
                        ]
                    },
                    {
                        "not": {
                            "id": "customs_dishonest",
                            "fact": "credit_records",
                            "any_of": ["customs_dishonest"],
                            "text": "被列为海关失信企业",
                            "evidence": ["credit-report"],
                        }
                    },
                ]
            },
            award={
                "rules": [
                    {"rate": "0.5", "of": "exports@last", "cap": "1000000"},
                    {"rate": "30", "of": "export_insurance_paid", "cap": "200000"},
                ],
                "choose": "sum",
                "cap_total": "1100000",
            },
            materials=("customs", "invoice", "tax-certificate"),
        ),
        item(
            as_of,
            "sw-exhibition",
            "参展补贴",
            kind="exhibition",
            department="commerce",
            clause=("21", "第二条"),
            audience="参加境内外重点展会的中小微企业",
            summary="每个展位补 5,000 元，特装费用补 20%，最高 10 万元。",
            criteria={
                "all": [
                    local(),
                    {
                        "id": "chain",
                        "fact": "industry_chains",
                        "any_of": ["modern_commerce", "exhibition_economy", "cultural_creative", "industrial_design"],
                        "text": "属于商贸、会展、文创、设计产业链",
                        "evidence": ["licence"],
                    },
                    {
                        "id": "size",
                        "fact": "size",
                        "not_in": ["large"],
                        "text": "不属于大型企业",
                        "evidence": ["licence"],
                    },
                    {
                        "id": "trademark",
                        "fact": "trademarks",
                        "gt": 0,
                        "text": "拥有自主注册商标",
                        "evidence": ["ip-certificate"],
                        "advice": "可在商标受理窗口免费咨询注册",
                    },
                    {
                        "id": "booths",
                        "fact": "exhibition_booths",
                        "gte": 1,
                        "text": "参展展位 1 个以上",
                        "evidence": ["photos"],
                    },
                ]
            },
            award={
                "rules": [
                    {"each": "5000", "of": "exhibition_booths", "quantity_cap": "10"},
                    {"rate": "20", "of": "exhibition_spending", "cap": "60000"},
                ],
                "choose": "sum",
                "cap_total": "100000",
            },
            materials=("photos", "invoice", "ip-certificate"),
        ),
        item(
            as_of,
            "sw-retail",
            "商贸企业提质奖励",
            kind="commerce",
            department="commerce",
            clause=("21", "第三条"),
            audience="销售增长、线上线下融合的批发零售和住宿餐饮企业",
            summary="零售额增长 15% 以上奖 10 万元，增长 8% 以上奖 5 万元。",
            criteria={
                "all": [
                    local(),
                    in_statistics(),
                    {
                        "id": "industry",
                        "fact": "industry",
                        "in": ["F", "H"],
                        "text": "属于批发和零售业、住宿和餐饮业",
                        "evidence": ["licence"],
                    },
                    {
                        "id": "growth",
                        "fact": "retail_sales",
                        "growth": True,
                        "gte": "8",
                        "text": "上年度零售额增长 8% 以上",
                        "evidence": ["statistics"],
                    },
                    {
                        "id": "online",
                        "fact": "online_sales",
                        "percent_of": "retail_sales",
                        "gte": "10",
                        "lte": "90",
                        "text": "网络零售额占比在 10% 至 90% 之间",
                        "evidence": ["statistics"],
                    },
                ]
            },
            award={
                "rules": [
                    {"when": {"fact": "retail_sales", "growth": True, "gte": "15"}, "fixed": "100000"},
                    {"fixed": "50000"},
                ]
            },
            materials=("statistics",),
        ),
        item(
            as_of,
            "sw-brand",
            "老字号与首店创新奖励",
            kind="commerce",
            department="commerce",
            clause=("21", "第四条"),
            audience="老字号企业和新开首店",
            summary="老字号满十年以上并持续经营的奖 15 万元，首店奖 10 万元。",
            criteria={
                "all": [
                    {
                        "any": [
                            {
                                "all": [
                                    {
                                        "id": "time_honoured",
                                        "fact": "qualifications",
                                        "any_of": ["time_honoured"],
                                        "held": "ever",
                                        "text": "获评老字号",
                                        "evidence": ["certificate"],
                                    },
                                    {
                                        "id": "old",
                                        "fact": "established_on",
                                        "on_or_before": f"{year - 10}-12-31",
                                        "text": f"{year - 10} 年及以前成立",
                                        "evidence": ["licence"],
                                    },
                                ]
                            },
                            {
                                "id": "first_store",
                                "fact": "qualifications",
                                "any_of": ["first_store"],
                                "first": True,
                                "obtained": {"within_last": "P1Y"},
                                "text": "近一年内新认定首店",
                                "evidence": ["certificate"],
                            },
                        ]
                    },
                    {
                        "id": "industry",
                        "fact": "industry",
                        "in": ["F", "H", "R"],
                        "text": "属于商贸、住宿餐饮或文化体育娱乐业",
                        "evidence": ["licence"],
                    },
                ]
            },
            award={
                "rules": [
                    {
                        "when": {"fact": "qualifications", "any_of": ["time_honoured"], "held": "ever"},
                        "fixed": "150000",
                    },
                    {"fixed": "100000"},
                ]
            },
            materials=("certificate",),
        ),
    ]
