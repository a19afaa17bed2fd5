"""Items for people and premises: talent, graduates, stable jobs, rent, service vouchers."""

from __future__ import annotations

from datetime import date

from .build import Data, active, good_credit, item, local
from .forms import VOUCHER


def items(as_of: date) -> list[Data]:
    year = as_of.year
    return [
        item(
            as_of,
            "rc-talent",
            "高层次人才引进奖励",
            kind="talent",
            department="people",
            clause=("18", "第一条"),
            audience="全职引进高层次人才的企业",
            summary="近一年引进两名以上 D 类及以上人才，奖 20 万元；引进 A、B 类人才奖 50 万元。",
            criteria={
                "all": [
                    local(),
                    {
                        "id": "insured",
                        "fact": "insured_staff",
                        "gte": 50,
                        "text": "参保人数 50 人以上",
                        "evidence": ["social-security"],
                    },
                    {
                        "id": "recruited",
                        "fact": "talents",
                        "any_of": ["A", "B", "C", "D"],
                        "obtained": {"within_last": "P1Y"},
                        "count": {"gte": 2, "lte": 20},
                        "text": "近一年内全职引进 D 类及以上人才 2 至 20 名",
                        "evidence": ["labour-contract"],
                        "advice": "引进人才后请先在人社局完成人才分类认定",
                    },
                    {
                        "id": "wages",
                        "fact": "wages_on_time",
                        "is": True,
                        "text": "按时足额发放工资",
                        "evidence": ["social-security"],
                    },
                ]
            },
            award={
                "rules": [
                    {
                        "when": {"fact": "talents", "any_of": ["A", "B"], "obtained": {"within_last": "P1Y"}},
                        "fixed": "500000",
                    },
                    {"fixed": "200000"},
                ],
                "choose": "first",
                "instalments": ["50", "50"],
            },
            materials=("labour-contract", "social-security"),
        ),
        item(
            as_of,
            "rc-graduate",
            "吸纳高校毕业生补助",
            kind="talent",
            department="people",
            clause=("18", "第二条"),
            audience="新招用高校毕业生并缴纳社保的企业",
            summary="每新招用一名毕业生补 1,000 元，每年最多 200 人。",
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
                        "id": "insured",
                        "fact": "insured_staff",
                        "gte": 50,
                        "lt": 1000,
                        "text": "参保人数 50 人以上、1,000 人以下",
                        "evidence": ["social-security"],
                    },
                    {
                        "id": "social_security",
                        "fact": "social_security_paid",
                        "is": True,
                        "text": "依法缴纳社会保险",
                        "evidence": ["social-security"],
                    },
                    {
                        "id": "no_layoffs",
                        "fact": "staff",
                        "growth": True,
                        "gte": "0",
                        "soft": True,
                        "text": "原则上上年度不裁员或少裁员",
                        "evidence": ["social-security"],
                    },
                    {
                        "id": "hired",
                        "fact": "hired_graduates",
                        "gte": 1,
                        "text": "新招用高校毕业生并参保",
                        "evidence": ["labour-contract"],
                    },
                ]
            },
            award={"rules": [{"each": "1000", "of": "hired_graduates", "quantity_cap": "200"}]},
            materials=("labour-contract", "social-security", "tax-certificate"),
        ),
        item(
            as_of,
            "rc-jobs",
            "稳岗扩岗奖励",
            kind="relief",
            department="people",
            clause=("18", "第三条"),
            audience="从业人员稳定增长的劳动密集型企业",
            summary="近三年年均从业人员 100 人以上，净增岗位每个奖 500 元，另设 2 万元稳岗奖。",
            criteria={
                "all": [
                    local(),
                    {
                        "id": "insured",
                        "fact": "insured_staff",
                        "gte": 100,
                        "text": "参保人数 100 人以上",
                        "evidence": ["social-security"],
                    },
                    {
                        "id": "staff",
                        "fact": "staff",
                        "years": 3,
                        "over": "mean",
                        "gte": 100,
                        "text": "近三年年均从业人员 100 人以上",
                        "evidence": ["social-security"],
                    },
                    {
                        "id": "liabilities",
                        "fact": "total_liabilities",
                        "percent_of": "total_assets",
                        "years": 2,
                        "over": "mean",
                        "lt": "85",
                        "text": "近两年资产负债率平均低于 85%",
                        "evidence": ["audit-report"],
                    },
                    {
                        "id": "promises",
                        "fact": "promises_broken",
                        "none_of": ["informed_promise", "false_material", "fund_fraud"],
                        "held": "ever",
                        "text": "无承诺不实、骗取资金记录",
                        "evidence": ["credit-report"],
                    },
                ]
            },
            award={
                "rules": [
                    {"fixed": "20000"},
                    {"each": "500", "of": "hired_people", "quantity_cap": "300", "cap": "100000"},
                ],
                "choose": "sum",
            },
            materials=("social-security", "audit-report", "labour-contract"),
        ),
        item(
            as_of,
            "rc-rent",
            "重点载体房租补贴",
            kind="rent",
            department="people",
            clause=("18", "第四条"),
            audience="入驻重点产业载体、成立满半年的成长型企业",
            summary="成立三年内补房租的 50%，三年以上补 30%，最高 30 万元。",
            criteria={
                "all": [
                    local(),
                    {
                        "id": "carrier",
                        "fact": "carrier",
                        "in": ["incubator", "creative_valley", "satellite_park", "design_town", "fintech_block"],
                        "text": "入驻重点产业载体",
                        "evidence": ["lease"],
                        "advice": "联系街道推荐载体空间",
                    },
                    {
                        "id": "area",
                        "fact": "rent_area",
                        "gt": 50,
                        "lte": 2000,
                        "text": "租赁面积 50 ㎡ 以上、2,000 ㎡ 以下",
                        "evidence": ["lease"],
                    },
                    {
                        "id": "founded",
                        "fact": "established_on",
                        "at_least_ago": "P6M",
                        "within_last": "P10Y",
                        "text": "成立满半年、不超过十年",
                        "evidence": ["licence"],
                    },
                    {
                        "id": "leased",
                        "fact": "leased_on",
                        "on_or_before": f"{year}-12-31",
                        "on_or_after": f"{year - 3}-01-01",
                        "text": f"{year - 3} 年以来起租",
                        "evidence": ["lease"],
                    },
                    {
                        "id": "rent",
                        "fact": "rent_paid",
                        "gt": 0,
                        "text": "已支付房租",
                        "evidence": ["invoice"],
                    },
                ]
            },
            award={
                "rules": [
                    {
                        "when": {"fact": "established_on", "within_last": "P3Y"},
                        "rate": "50",
                        "of": "rent_paid",
                        "cap": "300000",
                    },
                    {"rate": "30", "of": "rent_paid", "cap": "300000"},
                ],
                "choose": "first",
                "cap_per_year": "300000",
            },
            materials=("lease", "invoice"),
        ),
        item(
            as_of,
            "fw-voucher",
            "惠企服务券",
            kind="relief",
            department="people",
            clause=("18", "第五条"),
            audience="所有企业",
            summary="购买法律、财税、检测等服务，按发票金额的 50% 抵扣，最高 5,000 元。",
            criteria={"all": []},
            award={
                "rules": [{"rate": "50", "of": "invoice_total", "cap": "5000"}],
                "rounding": "yuan",
                "cap_per_year": "5000",
            },
            materials=("invoice",),
            delivery="instant",
            promised=3,
            publicity_days=0,
            ceiling="500000.00",
            form=VOUCHER,
        ),
        item(
            as_of,
            "rc-disabled",
            "残疾人就业示范企业奖励",
            kind="talent",
            department="people",
            clause=("18", "第六条"),
            audience="安置残疾人就业比例较高的企业",
            summary="按残疾职工人数每人奖 2,000 元。",
            criteria={
                "all": [
                    local(),
                    active(),
                    {
                        "id": "ratio",
                        "fact": "disabled_staff",
                        "percent_of": "insured_staff",
                        "gt": "1.5",
                        "text": "残疾职工占参保人数的比例高于 1.5%",
                        "evidence": ["social-security"],
                    },
                    {
                        "not": {
                            "id": "none_employed",
                            "fact": "disabled_staff",
                            "eq": 0,
                            "text": "没有安置残疾职工",
                            "evidence": ["social-security"],
                        }
                    },
                    good_credit(),
                ]
            },
            award={"rules": [{"each": "2000", "of": "disabled_staff", "cap": "200000"}]},
            materials=("social-security",),
        ),
    ]
