"""What an item says of its way of delivery (免申即享, 即申即享, 快申快享, 限时即享), as the rules of a version keep it.
Framework-free; officers write it in the editor, the money path carries it out.

    {"machine": ["acceptance", "review", "decision"], "verified": ["registered_region"], "most": "200000.00",
     "audit_share": 20, "offer_days": 20}                                            automatic, instant
    {"acceptance_days": 1, "review_days": 3, "skips": ["site_visit"], "verified": []}    fast
    {"decide_within": 5}                                                                 window

A version without them has its way of delivery as a name only: everything goes the ordinary way.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

MODES = {"automatic": "免申即享", "instant": "即申即享", "fast": "快申快享", "window": "限时即享"}
# Steps of the review that a machine may take in a person's place, in their order. The finance chain is never among
# them.
MACHINE_STEPS = {"acceptance": "受理", "review": "初审", "decision": "复审决定"}
# Which checklist of the item (`review_path.LISTS`) is ticked at a step.
TICKED_AT = {"acceptance": "acceptance", "review": "review", "decision": "second_review"}
BY_MACHINE = ("automatic", "instant")
# Working days for which an offer stands where the item names none.
OFFER_DAYS = 20
KEYS = {
    "automatic": ("machine", "verified", "most", "audit_share", "offer_days"),
    "instant": ("machine", "verified", "most", "audit_share"),
    "fast": ("acceptance_days", "review_days", "skips", "verified"),
    "window": ("decide_within",),
}
_LONGEST = 250


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of one version. Days are working days, `most` is 元, `audit_share` a whole % (None: the site's).

    `verified` names the facts that data must prove; empty: every fact that the verdict and the amount stand on.
    `machine` are the steps that the machine takes, always from acceptance on without a gap.
    """

    mode: str
    machine: tuple[str, ...] = ()
    verified: tuple[str, ...] = ()
    most: Decimal | None = None
    audit_share: int | None = None
    offer_days: int = OFFER_DAYS
    acceptance_days: int | None = None
    review_days: int | None = None
    skips: tuple[str, ...] = ()
    decide_within: int | None = None

    @property
    def label(self) -> str:
        return MODES[self.mode]


def read(rules: Mapping[str, Any]) -> Terms | None:
    """The terms of a version's rules; None where it names none."""
    mode, told = rules.get("delivery"), rules.get("delivery_terms")
    if not told or mode not in MODES:
        return None
    return Terms(
        mode=mode,
        machine=tuple(step for step in MACHINE_STEPS if step in (told.get("machine") or ())),
        verified=tuple(told.get("verified") or ()),
        most=None if told.get("most") is None else Decimal(told["most"]),
        audit_share=told.get("audit_share"),
        offer_days=int(told.get("offer_days") or OFFER_DAYS),
        acceptance_days=told.get("acceptance_days"),
        review_days=told.get("review_days"),
        skips=tuple(told.get("skips") or ()),
        decide_within=told.get("decide_within"),
    )


def write(mode: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The terms as rules keep them, of what the editor or a file says; what is empty is left out."""
    told: dict[str, Any] = {}
    for key in KEYS[mode]:
        value = values.get(key)
        if isinstance(value, Decimal):
            value = f"{value:.2f}"
        if value is not None and value not in ("", [], ()):
            told[key] = list(value) if isinstance(value, (list, tuple)) else value
    return told


@dataclass(frozen=True, slots=True)
class ItemShape:
    """What of an item bears on its terms: facts (key → label) that decide, those of them that only the form tells,
    required questions and materials that nothing but the enterprise can bring, kinds of extra steps, steps with a
    checklist (`review_path.LISTS`), whether it pays, and its statutory limit in working days (None: not said)."""

    facts: Mapping[str, str]
    asked: Mapping[str, str]
    questions: Sequence[str]
    materials: Sequence[str]
    path: Collection[str]
    checked: Collection[str]
    pays: bool
    statutory: int | None


def problems(mode: str, told: Mapping[str, Any], shape: ItemShape) -> list[str]:
    """What stands against publishing these terms, in Chinese; empty where nothing does."""
    if mode not in MODES:
        return [f"没有“{mode}”这种办理方式"]
    found = [
        f"“{MODES[mode]}”没有“{key}”这一项；可用的有 {'、'.join(KEYS[mode])}" for key in told if key not in KEYS[mode]
    ]
    found += [
        f"“须核验的事实”中的 {key} 不在本事项的条件和标准里；用到的有 {'、'.join(shape.facts) or '（无）'}"
        for key in told.get("verified") or ()
        if key not in shape.facts
    ]
    if mode in BY_MACHINE:
        found += _of_machine(mode, told, shape)
    if mode == "fast":
        found += _of_fast(told, shape)
    if mode == "window":
        within: Any = told.get("decide_within")
        if not _is_days(within):
            found.append(f"“限时即享”要写明受理后几个工作日内作出决定，为 1 至 {_LONGEST} 的整数")
        elif shape.statutory is not None and within > shape.statutory:
            found.append(f"承诺 {within} 个工作日内决定，不能长于法定时限 {shape.statutory} 个工作日")
    return found


def _of_machine(mode: str, told: Mapping[str, Any], shape: ItemShape) -> list[str]:
    found = []
    steps = list(told.get("machine") or ())
    names = list(MACHINE_STEPS)
    if not steps or steps != names[: len(steps)]:
        found.append(
            "“由系统办理的环节”须从受理起依次勾选（受理；受理、初审；受理、初审、复审决定），不能跳过前面的环节"
        )
    if not shape.pays:
        found.append(f"没有支持标准的事项不能{MODES[mode]}：系统没有可以核定的金额")
    if _money(told.get("most")) is None:
        found.append("请写明单件金额上限（元，大于 0）：超过的由人员办理")
    share = told.get("audit_share")
    if share is not None and (not isinstance(share, int) or not 0 <= share <= 100):
        found.append("事后抽查比例应为 0 至 100 的整数（%）")
    for step in steps:
        if TICKED_AT.get(step) in shape.checked:
            found.append(f"“{MACHINE_STEPS.get(step, step)}”环节有须由人员勾选的核对清单，不能由系统办理")
    if "review" in steps and shape.path:
        found.append("有现场核查、部门会审或专家评审的事项，初审不能由系统办理")
    must = {key: label for key, label in shape.asked.items() if not told.get("verified") or key in told["verified"]}
    if must:
        found.append(f"{'、'.join(must.values())}只能由企业在申报表中填写，无法用数据核验")
    if mode == "automatic":
        if told.get("offer_days") is not None and not _is_days(told["offer_days"]):
            found.append(f"确认期限应为 1 至 {_LONGEST} 个工作日")
        if shape.asked and not must:
            found.append(f"免申即享的条件和标准不能用到申报表才有的信息：{'、'.join(shape.asked.values())}")
        if shape.questions:
            found.append(f"免申即享不能要求企业填写：{'、'.join(shape.questions)}；请改为选填或删去")
        if shape.materials:
            found.append(
                f"免申即享不能要求企业提交：{'、'.join(shape.materials)}；请改由证照库或数据共享获取，或在条件中注明用哪项数据证明"
            )
    return found


def _of_fast(told: Mapping[str, Any], shape: ItemShape) -> list[str]:
    found = []
    if not any(told.get(key) for key in ("acceptance_days", "review_days", "skips")):
        found.append("“快申快享”至少要缩短一个时限，或免去一个环节")
    for key, label in (("acceptance_days", "受理时限"), ("review_days", "审核时限")):
        if told.get(key) is not None and not _is_days(told[key]):
            found.append(f"快审{label}应为 1 至 {_LONGEST} 个工作日")
    for kind in told.get("skips") or ():
        if kind not in shape.path:
            found.append(f"办理流程中没有“{kind}”环节，无从免去")
    return found


def _is_days(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _LONGEST


def _money(value: Any) -> Decimal | None:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount > 0 else None


__all__ = [
    "BY_MACHINE",
    "KEYS",
    "MACHINE_STEPS",
    "MODES",
    "OFFER_DAYS",
    "ItemShape",
    "Terms",
    "problems",
    "read",
    "write",
]
