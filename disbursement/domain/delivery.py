"""The paths of delivery, pure: the life of an offer (免申即享), what bars a machine's decision, which lane is taken.

An offer (惠享告知) is put before an enterprise by the machine, and waits for one click. What the enterprise sees is an
edition with a digest; a consent names the digest that was seen, so that nobody agrees to what they were not shown.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from .states import Labelled, Role
from .workflow import Table, Transition


class Lane(Labelled):
    """The way on which an application is handled."""

    MACHINE = "machine", "系统核验"
    FAST = "fast", "快审通道"
    ORDINARY = "ordinary", "普通流程"


class OfferState(Labelled):
    OPEN = "open", "待确认"
    CONSENTED = "consented", "已同意"
    DECLINED = "declined", "已放弃"
    WITHDRAWN = "withdrawn", "已收回"
    LAPSED = "lapsed", "逾期未确认"


class OfferAction(Labelled):
    REVISE = "revise", "重新测算"
    CONSENT = "consent", "同意享受"
    DECLINE = "decline", "放弃享受"
    WITHDRAW = "withdraw", "收回"
    REOPEN = "reopen", "重新告知"
    LAPSE = "lapse", "逾期"


def _row(source: OfferState, action: OfferAction, role: Role, target: OfferState) -> Transition[Any, Any]:
    return Transition(source, action, frozenset({role}), target)


_S, _A, _R = OfferState, OfferAction, Role
OFFER: Table[OfferState, OfferAction] = Table(
    "免申即享告知",
    [
        _row(_S.OPEN, _A.REVISE, _R.SYSTEM, _S.OPEN),
        _row(_S.OPEN, _A.CONSENT, _R.ENTERPRISE, _S.CONSENTED),
        _row(_S.OPEN, _A.DECLINE, _R.ENTERPRISE, _S.DECLINED),
        _row(_S.OPEN, _A.WITHDRAW, _R.SYSTEM, _S.WITHDRAWN),
        _row(_S.OPEN, _A.LAPSE, _R.SYSTEM, _S.LAPSED),
        # What stood in the way is gone, in the same year.
        _row(_S.WITHDRAWN, _A.REOPEN, _R.SYSTEM, _S.OPEN),
    ],
)

# What a click of consent says. Kept with the consent, word by word.
CONSENT_WORDS = (
    "本企业同意享受上述政策，确认所列企业信息真实，同意以此作为申报内容，由主管部门按政策规定核定、公示和兑现，"
    "款项付至所列收款账户；同意主管部门事后抽查核实，如有不实，退回所得资金并承担相应责任。"
)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a machine may not decide, or a lane is not taken: a code for figures, and what people read."""

    code: str
    text: str

    def to_json(self) -> dict[str, str]:
        return {"code": self.code, "text": self.text}


@dataclass(frozen=True, slots=True)
class Unproved:
    """A fact on which the case stands and which data does not prove: its label, and why not."""

    label: str
    why: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What the machine sees of a case. Lists are empty where nothing is in the way.

    `in_the_way` are comparisons of conditions that are not met or not known; `missing` materials and answers that are
    not there; `gaps` and `promises` names of materials promised for later or by a signature; `changed` materials whose
    certificate changed; `conflicts` other cases that compete with this one; `amount` what would be granted, in 元, and
    `problems` why nothing can be.
    """

    verdict: str
    in_the_way: tuple[str, ...] = ()
    unproved: tuple[Unproved, ...] = ()
    missing: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    promises: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    amount: Decimal | None = None
    account_checked: bool = True
    is_paused: bool = False


def obstacles(seen: Seen, *, most: Decimal | None) -> list[Obstacle]:
    """Everything that stands against a decision by machine, `most` being the greatest amount (元) it may grant."""
    found = [*evidence_lacking(seen)]
    if seen.is_paused:
        found.append(Obstacle("paused", "区里已暂停系统自动办理。"))
    found += [Obstacle("conflict", text) for text in seen.conflicts]
    found += [Obstacle("award", text) for text in seen.problems]
    if not seen.account_checked:
        found.append(Obstacle("account", "收款账户还没有核对通过。"))
    if seen.amount is not None and not seen.problems and most is not None and seen.amount > most:
        found.append(Obstacle("ceiling", f"金额 {seen.amount:,} 元超过系统可办的上限 {most:,} 元。"))
    return found


def evidence_lacking(seen: Seen) -> list[Obstacle]:
    """What of the evidence is lacking: enough to leave a lane that presumes it is all there."""
    found = []
    if seen.verdict != "eligible":
        found += [Obstacle("verdict", text) for text in seen.in_the_way or ("条件没有全部满足。",)]
    found += [Obstacle("unverified", f"“{one.label}”没有经数据核验：{one.why}。") for one in seen.unproved]
    found += [Obstacle("missing", text) for text in seen.missing]
    found += [Obstacle("gap", f"“{name}”容缺后补。") for name in seen.gaps]
    found += [Obstacle("promise", f"“{name}”以告知承诺代替。") for name in seen.promises]
    found += [Obstacle("changed", f"“{name}”所用的证照有变动。") for name in seen.changed]
    return found


@dataclass(frozen=True, slots=True)
class Content:
    """What an edition of an offer says: all that a consent is about. `amount` in 元, `account` the number in full."""

    version: str
    rule_hash: str
    facts: Mapping[str, Any]
    amount: Decimal
    account: str

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over all of it; the day on which it was worked out is no part of it."""
        told = [self.version, self.rule_hash, self.facts, f"{self.amount:.2f}", self.account]
        text = json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def changes(before: Content, after: Content, *, labels: Mapping[str, str]) -> list[str]:
    """What is different for the enterprise, in the order of weight; `labels` are names of facts by key."""
    told = []
    if before.amount != after.amount:
        told.append(f"金额由 {before.amount:,} 元变为 {after.amount:,} 元。")
    if before.rule_hash != after.rule_hash:
        told.append(f"政策有了新版本（{before.version} 改为 {after.version}）。")
    keys = dict.fromkeys([*before.facts, *after.facts])
    other = [labels.get(key, key) for key in keys if before.facts.get(key) != after.facts.get(key)]
    if other:
        told.append(f"企业信息有更新：{'、'.join(other)}。")
    if before.account != after.account:
        told.append("收款账户有变化。" if after.account else "收款账户已停用，请重新登记。")
    return told


def reason_text(reasons: Sequence[Obstacle]) -> str:
    """The reasons as one line for a notice or a column."""
    return " ".join(dict.fromkeys(reason.text for reason in reasons))


__all__ = [
    "CONSENT_WORDS",
    "OFFER",
    "Content",
    "Lane",
    "Obstacle",
    "OfferAction",
    "OfferState",
    "Seen",
    "Unproved",
    "changes",
    "evidence_lacking",
    "obstacles",
    "reason_text",
]
