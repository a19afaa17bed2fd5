"""Items of finance: listing by stages, equity, loans of small enterprises."""

from __future__ import annotations

from datetime import date

from .build import Data, active, good_credit, item, local, taxed


def items(as_of: date) -> list[Data]:
    year = as_of.year
    return [
        item(
            as_of,
            "jr-listing",
            "企业上市分阶段奖励",
            kind="listing",
            department="finance",
            clause=("15", "第一条"),
            audience="进入上市辅导、申报、发行阶段的企业",
            summary="辅导备案 50 万元、受理 100 万元、发行上市 350 万元，按进程累计，分两期拨付。",
            sub_items=("辅导备案", "申请受理", "发行上市"),
            criteria={
                "all": [
                    local(),
                    taxed(),
                    {
                        "id": "joint_stock",
                        "fact": "entity_type",
                        "in": ["joint_stock_company"],
                        "text": "已完成股份制改造",
                        "evidence": ["licence"],
                        "advice": "可委托保荐机构先行完成股份制改造",
                    },
                    {
                        "id": "stage",
                        "fact": "listing_progress",
                        "any_of": ["tutoring_filed", "application_accepted", "issued"],
                        "held": "ever",
                        "obtained": {"within_last": "P1Y"},
                        "text": "近一年内取得上市进程新进展",
                        "evidence": ["listing-document"],
                        "advice": "与金融局上市服务专班对接",
                    },
                    {
                        "id": "market",
                        "fact": "listing",
                        "not_in": ["overseas"],
                        "text": "不属于已在境外上市的企业",
                        "evidence": ["listing-document"],
                    },
                    {
                        "id": "profit",
                        "fact": "net_profit",
                        "years": 2,
                        "over": "sum",
                        "gt": "0",
                        "text": "近两年净利润合计为正",
                        "evidence": ["audit-report"],
                    },
                ]
            },
            award={
                "rules": [
                    {
                        "when": {
                            "fact": "listing_progress",
                            "any_of": ["tutoring_filed"],
                            "held": "ever",
                            "obtained": {"within_last": "P1Y"},
                        },
                        "fixed": "500000",
                    },
                    {
                        "when": {
                            "fact": "listing_progress",
                            "any_of": ["application_accepted"],
                            "held": "ever",
                            "obtained": {"within_last": "P1Y"},
                        },
                        "fixed": "1000000",
                    },
                    {
                        "when": {
                            "fact": "listing_progress",
                            "any_of": ["issued"],
                            "held": "ever",
                            "obtained": {"within_last": "P1Y"},
                        },
                        "fixed": "3500000",
                    },
                ],
                "choose": "sum",
                "cap_total": "5000000",
                "instalments": ["50", "50"],
            },
            materials=("listing-document", "audit-report", "tax-certificate"),
            ceiling="10000000.00",
            promised=15,
        ),
        item(
            as_of,
            "jr-equity",
            "股权融资奖励",
            kind="investment",
            department="finance",
            clause=("15", "第二条"),
            audience="获得股权投资的科技企业",
            summary="按本轮到账股权融资额的 1% 奖励，最高 100 万元。",
            criteria={
                "all": [
                    local(),
                    {
                        "id": "young",
                        "fact": "established_on",
                        "within_last": "P5Y",
                        "text": "成立不超过五年",
                        "evidence": ["licence"],
                    },
                    {
                        "any": [
                            {
                                "id": "tech",
                                "fact": "qualifications",
                                "any_of": ["high_tech", "gazelle", "unicorn", "potential_unicorn"],
                                "text": "高新技术企业、瞪羚企业、（潜在）独角兽企业",
                                "evidence": ["certificate"],
                            },
                            {
                                "id": "chain",
                                "fact": "industry_chains",
                                "any_of": ["satellite_internet", "artificial_intelligence", "integrated_circuit"],
                                "text": "属于重点未来产业链",
                                "evidence": ["licence"],
                            },
                        ]
                    },
                    {
                        "id": "raised",
                        "fact": "equity_raised",
                        "year": "this",
                        "gte": "5000000",
                        "text": "本年度股权融资额不低于 500 万元",
                        "evidence": ["contract"],
                    },
                    {
                        "id": "received",
                        "fact": "equity_received",
                        "gt": 0,
                        "text": "本轮资金已到账",
                        "evidence": ["contract"],
                    },
                ]
            },
            award={
                "rules": [{"rate": "1", "of": "equity_received", "cap": "1000000"}],
                "cap_per_year": "1000000",
            },
            materials=("contract", "certificate"),
        ),
        item(
            as_of,
            "jr-loan",
            "小微企业信用贷款贴息",
            kind="loan",
            department="finance",
            clause=("15", "第三条"),
            audience="取得信用贷款的中小微企业",
            summary="按已付利息的 30% 贴息，最高 20 万元，与知识产权质押贷款贴息不重复享受。",
            criteria={
                "all": [
                    local(),
                    active(),
                    {
                        "id": "size",
                        "fact": "size",
                        "in": ["micro", "small"],
                        "text": "属于小型、微型企业",
                        "evidence": ["audit-report"],
                    },
                    {
                        "id": "credit_loan",
                        "fact": "loans",
                        "any_of": ["credit"],
                        "held": "now",
                        "where": {"amount": {"gt": "0", "lte": "10000000"}},
                        "text": "有单笔 1,000 万元以下的在贷信用贷款",
                        "evidence": ["loan-contract"],
                    },
                    {
                        "id": "leverage",
                        "fact": "total_liabilities",
                        "percent_of": "total_assets",
                        "lte": "70",
                        "text": "上年度资产负债率不高于 70%",
                        "evidence": ["audit-report"],
                    },
                    {
                        "id": "principal",
                        "fact": "loan_principal",
                        "gt": 0,
                        "lte": "10000000",
                        "text": "申报贷款本金不超过 1,000 万元",
                        "evidence": ["loan-contract"],
                    },
                    good_credit(),
                ]
            },
            award={
                "rules": [
                    {
                        "rate": "30",
                        "of": "loan_interest_paid",
                        "cap": "200000",
                        "cap_fact": f"tax_paid@{year - 1}",
                    }
                ],
                "exclusive_with": ["zs-pledge"],
                "shortfall": "defer",
            },
            materials=("loan-contract", "interest-receipt", "audit-report"),
        ),
    ]
