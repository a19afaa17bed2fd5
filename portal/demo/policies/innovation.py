"""Items that strengthen innovation: recognition, research, platforms, transfer."""

from __future__ import annotations

from datetime import date

from .build import Data, active, good_credit, item, local, taxed
from .forms import PLATFORM, PLATFORM_STEPS


def items(as_of: date) -> list[Data]:
    year = as_of.year
    return [
        item(
            as_of,
            "kj-hightech",
            "高新技术企业认定奖励",
            kind="recognition",
            department="innovation",
            clause=("10", "第一条"),
            audience="近一年内新取得或重新取得高新技术企业证书的企业",
            summary="首次认定奖 20 万元，重新认定奖 10 万元，免复印、免跑腿。",
            sub_items=("首次认定奖励", "重新认定奖励"),
            criteria={
                "all": [
                    local(),
                    taxed(),
                    {
                        "id": "certificate",
                        "fact": "qualifications",
                        "any_of": ["high_tech"],
                        "obtained": {"within_last": "P1Y"},
                        "text": "近一年内取得高新技术企业证书且证书有效",
                        "evidence": ["certificate"],
                        "advice": "每年三批申报，可先联系科创局做认定辅导",
                    },
                    good_credit(),
                ]
            },
            award={
                "rules": [
                    {
                        "when": {
                            "fact": "qualifications",
                            "any_of": ["high_tech"],
                            "held": "ever",
                            "first": True,
                            "obtained": {"within_last": "P1Y"},
                        },
                        "fixed": "200000",
                    },
                    {"fixed": "100000"},
                ]
            },
            materials=("certificate", "tax-certificate"),
            delivery="instant",
            promised=5,
        ),
        item(
            as_of,
            "kj-techsme",
            "科技型中小企业首次入库奖励",
            kind="recognition",
            department="innovation",
            clause=("10", "第二条"),
            audience="首次入库国家科技型中小企业信息库的企业",
            summary="首次入库即奖 1 万元，免申即享，一键确认。",
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
                        "id": "first_time",
                        "fact": "qualifications",
                        "any_of": ["tech_sme"],
                        "held": "ever",
                        "first": True,
                        "obtained": {"on_or_after": f"{year}-01-01"},
                        "text": f"{year} 年以来首次入库",
                        "evidence": ["certificate"],
                        "advice": "在科技型中小企业评价系统自评入库",
                    },
                    {
                        "id": "size",
                        "fact": "size",
                        "in": ["sme"],
                        "text": "属于中小微企业",
                        "evidence": ["audit-report"],
                    },
                ]
            },
            award={"rules": [{"fixed": "10000"}], "rounding": "yuan"},
            materials=("certificate", "audit-report"),
            delivery="automatic",
            promised=3,
            publicity_days=0,
        ),
        item(
            as_of,
            "kj-rd",
            "研发投入补助",
            kind="rd",
            department="innovation",
            clause=("10", "第三条"),
            audience="研发费用占比和增速达到要求的企业",
            summary="研发费用 500 万元以内补 3%，以上部分补 5%，不超过上年度地方贡献。",
            criteria={
                "all": [
                    local(),
                    taxed(),
                    {
                        "id": "intensity",
                        "fact": "rd_expense",
                        "percent_of": "revenue",
                        "years": 2,
                        "over": "sum",
                        "gte": "4",
                        "text": "近两年研发费用合计占营业收入合计的比例不低于 4%",
                        "evidence": ["audit-report"],
                        "advice": "规范归集研发费用，单独建立研发辅助账",
                    },
                    {
                        "id": "growth",
                        "fact": "rd_expense",
                        "growth": True,
                        "gte": "20",
                        "text": "上年度研发费用比前一年增长 20% 以上",
                        "evidence": ["audit-report"],
                        "advice": "增加研发投入，达到增速后次年即可申报",
                    },
                    {
                        "if": {"id": "is_factory", "fact": "industry", "in": ["C"], "text": "属于制造业"},
                        "then": {
                            "id": "rd_staff",
                            "fact": "rd_staff",
                            "percent_of": "insured_staff",
                            "gte": "10",
                            "text": "制造业企业研发人员占参保人数的比例不低于 10%",
                            "evidence": ["social-security"],
                        },
                    },
                    good_credit(),
                ]
            },
            award={
                "rules": [
                    {
                        "of": "rd_expense@last",
                        "brackets": [{"upto": "5000000", "rate": "3"}, {"rate": "5"}],
                        "cap": "1000000",
                        "cap_fact": "district_contribution@last",
                    }
                ],
                "cap_per_year": "1000000",
                "shortfall": "pro_rata",
            },
            materials=("audit-report", "social-security", "tax-certificate"),
            ceiling="8000000.00",
            promised=15,
        ),
        item(
            as_of,
            "kj-platform",
            "研发平台建设奖励",
            kind="platform",
            department="innovation",
            clause=("10", "第四条"),
            audience="新认定企业技术中心、工程技术研究中心、重点实验室的企业",
            summary="国家级 100 万元、省级 50 万元、市级 20 万元，就高不重复，分三期拨付。",
            criteria={
                "all": [
                    local(),
                    active(),
                    {
                        "id": "platform",
                        "fact": "qualifications",
                        "any_of": ["tech_centre", "engineering_centre", "key_laboratory"],
                        "obtained": {"within_last": "P2Y"},
                        "text": "近两年内新认定研发平台且在有效期内",
                        "evidence": ["certificate"],
                    },
                    {
                        "id": "rd_each_year",
                        "fact": "rd_expense",
                        "years": 3,
                        "over": "each",
                        "gte": "500000",
                        "text": "近三年每年研发费用均不低于 50 万元",
                        "evidence": ["audit-report"],
                    },
                ]
            },
            award={
                "rules": [
                    {
                        "when": {
                            "fact": "qualifications",
                            "any_of": ["tech_centre_national", "engineering_centre_national"],
                        },
                        "fixed": "1000000",
                    },
                    {
                        "when": {
                            "fact": "qualifications",
                            "any_of": ["tech_centre_province", "engineering_centre_province", "key_laboratory"],
                        },
                        "fixed": "500000",
                    },
                    {
                        "when": {"fact": "qualifications", "any_of": ["tech_centre_city", "engineering_centre_city"]},
                        "fixed": "200000",
                    },
                ],
                "choose": "highest",
                "instalments": ["40", "30", "30"],
            },
            materials=("certificate", "audit-report"),
            promised=15,
            form=PLATFORM,
            steps=PLATFORM_STEPS,
        ),
        item(
            as_of,
            "kj-transfer",
            "技术成果转化补助",
            kind="achievement",
            department="innovation",
            clause=("10", "第五条"),
            audience="技术合同成交活跃的企业",
            summary="按上年度技术合同成交额的 3% 补助，专精特新企业再加 1 个百分点，最高 80 万元。",
            criteria={
                "all": [
                    local(),
                    {
                        "id": "researchers",
                        "fact": "rd_staff",
                        "gte": 20,
                        "text": "研发人员 20 人以上",
                        "evidence": ["social-security"],
                    },
                    {
                        "id": "contracts",
                        "fact": "technology_contracts",
                        "years": 2,
                        "over": "mean",
                        "gt": "500000",
                        "text": "近两年年均技术合同成交额超过 50 万元",
                        "evidence": ["contract"],
                        "advice": "技术合同须在技术市场登记后计入",
                    },
                    {
                        "id": "tax_grade",
                        "fact": "tax_credit_grade",
                        "not_in": ["C", "D"],
                        "text": "纳税信用等级不为 C、D 级",
                        "evidence": ["tax-certificate"],
                        "advice": "可在电子税务局申请纳税信用修复",
                    },
                ]
            },
            award={
                "rules": [{"rate": "3", "of": "technology_contracts@last", "cap": "800000"}],
                "bonus_points": [{"when": {"fact": "qualifications", "any_of": ["specialised"]}, "points": "1"}],
                "rate_limit": "4",
            },
            materials=("contract", "tax-certificate", "social-security"),
        ),
    ]
