"""The kinds of enterprise that a centre district has, with the words their names are made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sector:
    """`weight` of a hundred or so; revenue and staff are ranges (万元 a year, people)."""

    weight: int
    industries: tuple[str, ...]
    chains: tuple[str, ...]
    words: tuple[str, ...]
    revenue: tuple[int, int]
    staff: tuple[int, int]
    makes: bool = False


SECTORS: tuple[Sector, ...] = (
    Sector(
        14,
        ("37", "35", "34"),
        ("aviation_manufacturing", "drone", "aerospace"),
        ("航空科技", "航空零部件", "精密机械", "无人机系统", "智能装备"),
        (600, 30000),
        (15, 400),
        True,
    ),
    Sector(
        9,
        ("39", "63"),
        ("satellite_internet", "integrated_circuit"),
        ("卫星通信", "微电子", "空天信息", "射频技术"),
        (400, 20000),
        (12, 300),
        True,
    ),
    Sector(
        6,
        ("40", "38", "33"),
        ("inspection_testing", "new_energy"),
        ("测控技术", "仪器仪表", "电气设备", "新能源装备"),
        (500, 15000),
        (15, 200),
        True,
    ),
    Sector(4, ("27",), ("biomedicine",), ("生物医药", "制药"), (800, 40000), (30, 350), True),
    Sector(
        15,
        ("65", "64"),
        ("artificial_intelligence", "big_data", "industrial_internet"),
        ("信息技术", "软件", "数据服务", "智能科技", "网络安全"),
        (100, 12000),
        (6, 260),
    ),
    Sector(
        10,
        ("87", "88", "86"),
        ("digital_media", "gaming", "museum_tourism"),
        ("数字文化", "影视传媒", "文化创意", "互动娱乐", "出版传媒"),
        (60, 6000),
        (5, 120),
    ),
    Sector(
        9,
        ("74",),
        ("industrial_design", "engineering_survey"),
        ("工业设计", "勘察设计", "工程咨询", "建筑设计"),
        (150, 9000),
        (10, 220),
    ),
    Sector(
        5,
        ("73", "75"),
        ("professional_services", "inspection_testing"),
        ("检测技术", "科技服务", "技术转移"),
        (80, 4000),
        (6, 90),
    ),
    Sector(
        6,
        ("67", "69"),
        ("fintech", "wealth_management"),
        ("金融科技", "数字金融", "供应链金融服务"),
        (200, 20000),
        (8, 150),
    ),
    Sector(
        9,
        ("51", "52"),
        ("modern_commerce", "modern_logistics"),
        ("商贸", "供应链管理", "电子商务", "百货"),
        (300, 60000),
        (8, 500),
    ),
    Sector(5, ("62", "61"), ("modern_commerce",), ("餐饮管理", "酒店管理"), (80, 8000), (12, 400)),
    Sector(
        6,
        ("72", "59"),
        ("professional_services", "exhibition_economy"),
        ("企业管理", "会展服务", "物流", "人力资源服务"),
        (60, 9000),
        (5, 300),
    ),
    Sector(4, ("84", "83"), ("health_care",), ("健康管理", "医疗科技", "教育科技"), (60, 7000), (8, 200)),
    Sector(4, ("49", "50", "48"), ("engineering_survey",), ("建设工程", "装饰工程"), (200, 30000), (15, 400)),
)

FIRST = "锦蜀青云天金玉华中新宏瑞恒博联创启智星航腾睿卓盛鼎思源远景和泰安信汇通"
SECOND = "川府城江帆翼桥杉岭溪泽峰澜穹岚麓杰程达众诚合能讯科维图灵元宇算芯辰曜拓界境"
