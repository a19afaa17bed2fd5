"""Items for intellectual property and standards."""

from __future__ import annotations

from datetime import date

from .build import Data, good_credit, item, local


def items(as_of: date) -> list[Data]:
    return [
        item(
            as_of,
            "zs-patent",
            "高质量发明专利资助",
            kind="intellectual_property",
            department="market",
            clause=("10", "第六条"),
            audience="近一年半内获得三件以上发明专利（含 PCT）授权的企业",
            summary="每件资助 3,000 元，最多 100 件。",
            criteria={
                "all": [
                    local(),
                    {
                        "id": "stock",
                        "fact": "invention_patents",
                        "gte": 10,
                        "text": "有效发明专利 10 件以上",
                        "evidence": ["ip-certificate"],
                    },
                    {
                        "id": "granted",
                        "fact": "intellectual_property",
                        "any_of": ["invention", "pct"],
                        "held": "ever",
                        "obtained": {"within_last": "P1Y6M"},
                        "count": {"gte": 3},
                        "text": "近一年半内获授权发明专利（含 PCT）三件以上",
                        "evidence": ["ip-certificate"],
                        "advice": "授权公告后请在知识产权服务窗口更新明细",
                    },
                    {
                        "id": "claimed",
                        "fact": "patents_granted",
                        "gte": 1,
                        "lte": 200,
                        "text": "本次申报件数为 1 至 200 件",
                        "evidence": ["ip-certificate"],
                    },
                    {
                        "id": "honest",
                        "fact": "credit_records",
                        "none_of": ["ip_dishonest"],
                        "text": "无知识产权领域严重违法失信记录",
                        "evidence": ["credit-report"],
                    },
                ]
            },
            award={
                "rules": [{"each": "3000", "of": "patents_granted", "quantity_cap": "100"}],
                "exclusive_with": ["zs-award"],
            },
            materials=("ip-certificate",),
        ),
        item(
            as_of,
            "zs-pledge",
            "知识产权质押贷款贴息",
            kind="loan",
            department="market",
            clause=("10", "第七条"),
            audience="以专利权、商标权、著作权质押取得银行贷款的中小微企业",
            summary="按已付利息的 50% 贴息，专精特新企业加 5 个百分点，最高 50 万元；评估担保费补一半。",
            sub_items=("贷款利息贴息", "评估与担保费补助"),
            criteria={
                "all": [
                    local(),
                    {
                        "id": "size",
                        "fact": "size",
                        "in": ["sme"],
                        "text": "属于中小微企业",
                        "evidence": ["audit-report"],
                    },
                    {
                        "id": "pledge",
                        "fact": "loans",
                        "any_of": ["ip_pledge"],
                        "amount": {"gte": "1000000"},
                        "text": "在贷知识产权质押贷款合计不低于 100 万元",
                        "evidence": ["loan-contract"],
                        "advice": "可联系辖内银行办理知识产权质押贷款",
                    },
                    {
                        "id": "interest",
                        "fact": "loan_interest_paid",
                        "gt": 0,
                        "text": "已按期支付贷款利息",
                        "evidence": ["interest-receipt"],
                    },
                    good_credit(),
                ]
            },
            award={
                "rules": [
                    {"rate": "50", "of": "loan_interest_paid", "cap": "500000"},
                    {
                        "when": {"fact": "guarantee_fee_paid", "gt": 0},
                        "rate": "50",
                        "of": "guarantee_fee_paid",
                        "cap": "50000",
                    },
                ],
                "choose": "sum",
                "bonus_points": [{"when": {"fact": "qualifications", "any_of": ["specialised"]}, "points": "5"}],
                "rate_limit": "60",
                "cap_total": "520000",
                "cap_per_year": "520000",
                "exclusive_with": ["jr-loan"],
            },
            materials=("loan-contract", "interest-receipt", "audit-report"),
        ),
        item(
            as_of,
            "zs-award",
            "中国专利奖和四川省专利奖配套奖励",
            kind="intellectual_property",
            department="market",
            clause=("10", "第八条"),
            audience="作为主要权利人获得专利奖的企业",
            summary="金奖 50 万元、银奖 30 万元、优秀奖 20 万元、省专利奖 10 万元。",
            criteria={
                "all": [
                    local(),
                    {
                        "id": "stock",
                        "fact": "invention_patents",
                        "gte": 5,
                        "text": "有效发明专利 5 件以上",
                        "evidence": ["ip-certificate"],
                    },
                    {
                        "id": "prize",
                        "fact": "honours",
                        "any_of": ["china_patent", "province_patent"],
                        "held": "ever",
                        "obtained": {"within_last": "P2Y"},
                        "where": {"rank": {"lte": 2}},
                        "text": "近两年内获奖且为前两位权利人",
                        "evidence": ["certificate"],
                    },
                ]
            },
            award={
                "rules": [
                    {"when": {"fact": "honours", "any_of": ["china_patent_gold"]}, "fixed": "500000"},
                    {"when": {"fact": "honours", "any_of": ["china_patent_silver"]}, "fixed": "300000"},
                    {"when": {"fact": "honours", "any_of": ["china_patent_excellent"]}, "fixed": "200000"},
                    {"fixed": "100000"},
                ],
                "exclusive_with": ["zs-patent"],
            },
            materials=("certificate", "ip-certificate"),
            delivery="instant",
            promised=5,
        ),
        item(
            as_of,
            "zs-standard",
            "标准制定奖励",
            kind="standards",
            department="market",
            clause=("10", "第九条"),
            audience="主导或主要参与制定国际、国家、行业标准的企业",
            summary="国际标准 50 万元、国家标准 20 万元、行业标准 10 万元，可累计，最高 80 万元。",
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
                        "id": "drafted",
                        "fact": "standards",
                        "any_of": ["international", "national", "industry"],
                        "held": "ever",
                        "obtained": {"at_least_ago": "P1M", "within_last": "P3Y"},
                        "where": {"rank": {"gte": 1, "lt": 4}},
                        "text": "近三年内发布满一个月的标准，起草单位排名前三",
                        "evidence": ["certificate"],
                    },
                    {
                        "not": {
                            "id": "punished",
                            "fact": "penalties",
                            "any_of": ["licence_revoked", "suspended", "closed"],
                            "held": "ever",
                            "obtained": {"within_last": "P3Y"},
                            "text": "近三年内受过吊销许可、停产停业、关闭处罚",
                            "evidence": ["credit-report"],
                        }
                    },
                ]
            },
            award={
                "rules": [
                    {
                        "when": {"fact": "standards", "any_of": ["international"], "where": {"rank": {"lte": 3}}},
                        "fixed": "500000",
                    },
                    {
                        "when": {"fact": "standards", "any_of": ["national"], "where": {"rank": {"lte": 3}}},
                        "fixed": "200000",
                    },
                    {
                        "when": {"fact": "standards", "any_of": ["industry"], "where": {"rank": {"lte": 3}}},
                        "fixed": "100000",
                    },
                ],
                "choose": "sum",
                "cap_total": "800000",
            },
            materials=("certificate", "tax-certificate"),
        ),
    ]
