"""Who issues, owns and pays the demo's policies: departments, budget lines, documents, materials."""

from __future__ import annotations

from datetime import date
from typing import Any

REGION = "510105"

ADDRESS = "区政务服务中心三楼惠企政策综合窗口"


def _department(code: str, name: str, short_name: str, line: int) -> dict[str, str]:
    phone = f"028-8100-01{line:02d}"
    return {"code": code, "name": name, "short_name": short_name, "phone": phone, "address": ADDRESS}


DEPARTMENTS: tuple[dict[str, str], ...] = (
    _department("innovation", "区科技创新局", "科创局", 1),
    _department("industry", "区经济和信息化局", "经信局", 2),
    _department("market", "区市场监督管理局", "市监局", 3),
    _department("finance", "区金融工作局", "金融局", 4),
    _department("people", "区人力资源和社会保障局", "人社局", 5),
    _department("commerce", "区商务局", "商务局", 6),
    _department("culture", "区文化体育和旅游局", "文体旅局", 7),
    _department("investment", "区投资促进局", "投促局", 8),
)

# code, name, department, ceiling in 元 of one year
BUDGETS: tuple[tuple[str, str, str, str], ...] = (
    ("kj-cx", "科技创新专项", "innovation", "30000000.00"),
    ("zs-cq", "知识产权与标准专项", "market", "12000000.00"),
    ("gy-fz", "工业高质量发展专项", "industry", "40000000.00"),
    ("jr-fw", "金融服务实体经济专项", "finance", "20000000.00"),
    ("rc-jy", "人才与就业专项", "people", "10000000.00"),
    ("sm-fz", "商贸与开放专项", "commerce", "15000000.00"),
    ("wc-cy", "文创与设计产业专项", "culture", "12000000.00"),
    ("zb-lh", "总部与落户专项", "investment", "25000000.00"),
)
BUDGET_OF = {department: code for code, _, department, _ in BUDGETS}


def departments() -> list[dict[str, str]]:
    """The district's departments as import lines."""
    return [{"kind": "department", **department} for department in DEPARTMENTS]


def budget_lines(as_of: date) -> list[dict[str, Any]]:
    """The budget lines of this year and the next as import lines; ceilings in 元."""
    return [
        {
            "kind": "budget_line",
            "code": code,
            "year": year,
            "name": name,
            "department": department,
            "source": "区级财政预算",
            "ceiling": ceiling,
        }
        for year in (as_of.year, as_of.year + 1)
        for code, name, department, ceiling in BUDGETS
    ]


MATERIALS: dict[str, dict[str, Any]] = {
    "application": {"name": "申报表", "source": "form", "note": "在线填写，系统按企业画像预填"},
    "licence": {"name": "营业执照", "source": "exchange", "note": "市场监管登记信息，自动核验"},
    "credit-report": {"name": "公共信用信息报告", "source": "exchange", "note": "信用信息平台出具，自动核验"},
    "tax-certificate": {"name": "完税证明", "source": "exchange", "note": "税务数据，自动核验"},
    "statistics": {"name": "统计报表（入统证明）", "source": "exchange", "note": "统计数据，自动核验"},
    "social-security": {"name": "社会保险参保证明", "source": "exchange", "note": "人社数据，自动核验"},
    "customs": {"name": "进出口数据确认单", "source": "exchange", "note": "海关数据，自动核验"},
    "audit-report": {"name": "上年度财务审计报告", "source": "library", "note": "会计师事务所盖章全本"},
    "certificate": {"name": "资质认定文件或证书", "source": "library", "note": "认定公告页或证书正本"},
    "ip-certificate": {"name": "知识产权证书", "source": "library", "note": "每件一份，附清单"},
    "lease": {"name": "租赁合同与备案证明", "source": "library", "note": "含面积、租期、租金的完整合同"},
    "loan-contract": {"name": "贷款合同与质押登记通知", "source": "applicant", "original": "copy"},
    "interest-receipt": {"name": "利息支付凭证", "source": "applicant", "note": "银行回单，按月或按季"},
    "invoice": {"name": "发票与付款回单", "source": "applicant", "note": "电子发票原件，附清单"},
    "contract": {"name": "业务合同", "source": "applicant", "original": "copy"},
    "project-report": {"name": "项目备案与验收报告", "source": "applicant"},
    "labour-contract": {"name": "劳动合同与花名册", "source": "applicant", "original": "copy"},
    "commitment": {"name": "承诺书", "source": "applicant", "note": "在线签署"},
    "listing-document": {"name": "上市进程证明文件", "source": "applicant"},
    "photos": {"name": "现场照片与展位证明", "source": "applicant", "required": False},
}

_DOCUMENTS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "10": (
        "关于支持科技创新和知识产权发展的若干措施（演示）",
        "鼓励企业增加研发投入、培育创新资质、创造和运用知识产权。",
        (
            "# 一、壮大创新主体",
            "支持企业认定高新技术企业、入库科技型中小企业，对首次认定、首次入库的给予一次性奖励。",
            "# 二、激励研发投入",
            "按企业研发费用分档累进补助，鼓励建设研发平台，促进科技成果在区内转化。",
            "# 三、用好知识产权",
            "资助高质量发明专利、中国专利奖和标准制定，对知识产权质押贷款给予贴息。",
        ),
    ),
    "12": (
        "关于推动制造业提质增效的若干措施（演示）",
        "支持企业升规入统、技术改造、稳产增产、绿色化和数字化发展。",
        (
            "# 一、培育梯队",
            "对首次升规、成长型企业、专精特新和单项冠军企业分级奖励。",
            "# 二、扩大投入",
            "支持设备更新和技术改造，对产值增量按档奖励。",
            "# 三、绿色与数字",
            "支持绿色工厂建设和节能改造，支持企业上云用数。",
        ),
    ),
    "15": (
        "关于金融支持实体经济的若干措施（演示）",
        "支持企业上市挂牌、股权融资，降低小微企业融资成本。",
        (
            "# 一、对接资本市场",
            "按上市进程分阶段奖励，鼓励企业引入股权投资。",
            "# 二、降低融资成本",
            "对小微企业信用贷款给予贴息，与知识产权质押贷款贴息不重复享受。",
        ),
    ),
    "18": (
        "关于人才引育和稳定就业的若干措施（演示）",
        "支持企业引进人才、吸纳高校毕业生，减轻经营场所负担。",
        (
            "# 一、引进人才",
            "对全职引进高层次人才的企业给予引才奖励。",
            "# 二、稳定就业",
            "对吸纳高校毕业生、稳定岗位的企业给予补助。",
            "# 三、减轻负担",
            "对入驻重点载体的成长型企业给予房租补贴，发放惠企服务券。",
        ),
    ),
    "21": (
        "关于促进消费、开放与文化创意发展的若干措施（演示）",
        "支持企业开拓市场、扩大出口、打造文创与设计品牌，吸引总部落户。",
        (
            "# 一、开拓市场",
            "支持出口增长和参加展会，支持商贸企业升限和线上线下融合。",
            "# 二、文化创意与设计",
            "支持原创内容制作、工业设计中心建设和老字号创新。",
            "# 三、总部与落户",
            "对新落户总部企业按承诺和贡献分期奖励。",
        ),
    ),
}


def document_number(code: str, as_of: date) -> str:
    """The number (文号) under which a document of the demo was issued."""
    return f"演示府办发〔{as_of.year - 1}〕{code}号"


def documents(as_of: date) -> list[dict[str, Any]]:
    """The issued documents as import lines."""
    year = as_of.year - 1
    common = (
        "# 附则",
        "本措施所称企业，指在本区登记注册、信用状况良好的市场主体。同一事项按就高不重复原则支持。",
        "各条款由主管部门负责解释，资金在年度预算内安排，随时申报、及时审核、按月兑现。",
    )
    return [
        {
            "kind": "document",
            "number": document_number(code, as_of),
            "name": name,
            "issuer": "演示区人民政府办公室",
            "issued_on": f"{year}-12-10",
            "effective_on": f"{year + 1}-01-01",
            "expires_on": f"{year + 5}-12-31",
            "summary": summary,
            "body": [*body, *common],
        }
        for code, (name, summary, body) in _DOCUMENTS.items()
    ]
