"""What an item asks of its review, as the rules of a version keep it: steps beside first and second review, in order,
and the lists that reviewers tick. Framework-free; officers write it in the editor, reviews carry it out.

    {"steps": [{"kind": "site_visit", "name": "现场核查", "days": 5},
               {"kind": "joint", "name": "部门会审", "days": 5, "departments": ["fgj", "rsj"],
                "silence_consents": true},
               {"kind": "expert", "name": "专家评审"}],
     "checklist": [{"code": "acceptance-1", "step": "acceptance", "text": "申报表已盖章"}]}

A version without it has acceptance, first and second review, as ever.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

KINDS = {"site_visit": "现场核查", "joint": "部门会审", "expert": "专家评审"}
LISTS = {"acceptance": "受理", "review": "审核", "second_review": "复审"}
# Working days that a department asked for its opinion has where the item names none.
JOINT_DAYS = 5


@dataclass(frozen=True, slots=True)
class PathStep:
    """One step. `days` are working days, 0: none named; `departments` are codes, for an opinion of departments."""

    kind: str
    name: str
    days: int = 0
    departments: tuple[str, ...] = ()
    silence_consents: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """One line that a reviewer ticks before the step (`LISTS`) is done."""

    code: str
    step: str
    text: str


@dataclass(frozen=True, slots=True)
class ReviewPath:
    steps: tuple[PathStep, ...] = ()
    checklist: tuple[Check, ...] = ()

    def checks(self, step: str) -> tuple[Check, ...]:
        return tuple(check for check in self.checklist if check.step == step)

    def step(self, kind: str) -> PathStep | None:
        return next((step for step in self.steps if step.kind == kind), None)

    def without(self, kinds: Collection[str]) -> ReviewPath:
        """The path without the steps of these kinds; the lists stay."""
        return ReviewPath(tuple(step for step in self.steps if step.kind not in kinds), self.checklist)

    def missing(self, done: Collection[str]) -> list[PathStep]:
        """Steps still to be taken, in order; `done` are the kinds that were."""
        return [step for step in self.steps if step.kind not in done]

    def before(self, kind: str, done: Collection[str]) -> list[PathStep]:
        """Steps that come before this one and were not taken; none where the item does not ask for this one."""
        kinds = [step.kind for step in self.steps]
        if kind not in kinds:
            return []
        return [step for step in self.steps[: kinds.index(kind)] if step.kind not in done]


def read(rules: Mapping[str, Any]) -> ReviewPath:
    """The path of a version's rules; the plain one where they name none."""
    told = rules.get("review") or {}
    steps = tuple(
        PathStep(
            kind=entry["kind"],
            name=entry.get("name") or KINDS[entry["kind"]],
            days=int(entry.get("days") or 0),
            departments=tuple(entry.get("departments") or ()),
            silence_consents=bool(entry.get("silence_consents")),
        )
        for entry in told.get("steps") or ()
    )
    checklist = tuple(Check(entry["code"], entry["step"], entry["text"]) for entry in told.get("checklist") or ())
    return ReviewPath(steps, checklist)


def write(steps: list[dict[str, Any]]) -> dict[str, Any]:
    """The path that the steps of an item's page say, in their order; empty where they are words only.

    Each has `kind` ("" for words only), `name`, `days`, `departments` (codes as typed), `silence_consents` and
    `checklist` (a line for each thing to tick).
    """
    found: list[dict[str, Any]] = []
    checklist: list[dict[str, str]] = []
    for step in steps:
        kind = step.get("kind") or ""
        if kind in KINDS:
            entry: dict[str, Any] = {"kind": kind, "name": step["name"], "days": step.get("days") or 0}
            if kind == "joint":
                entry["departments"] = codes_of(step.get("departments") or "")
                entry["silence_consents"] = bool(step.get("silence_consents"))
                entry["days"] = entry["days"] or JOINT_DAYS
            found.append(entry)
        lines = [line.strip() for line in (step.get("checklist") or "").splitlines() if line.strip()]
        if kind in LISTS:
            checklist += [{"code": f"{kind}-{n}", "step": kind, "text": text} for n, text in enumerate(lines, start=1)]
    told: dict[str, Any] = {}
    if found:
        told["steps"] = found
    if checklist:
        told["checklist"] = checklist
    return told


def codes_of(text: str) -> list[str]:
    """Department codes as typed, between blanks, commas or 、."""
    for mark in "，,、；;":
        text = text.replace(mark, " ")
    return list(dict.fromkeys(text.split()))


def problems(steps: list[dict[str, Any]], *, own: str, departments: Collection[str]) -> list[str]:
    """What stands against publishing these steps. `own` is the item's department, `departments` all codes."""
    told = []
    kinds = [step.get("kind") or "" for step in steps]
    for kind, label in (KINDS | LISTS).items():
        if kinds.count(kind) > 1:
            told.append(f"“{label}”环节只能有一个，现有 {kinds.count(kind)} 个")
    for step in steps:
        name, kind = step.get("name") or "", step.get("kind") or ""
        codes = codes_of(step.get("departments") or "")
        if kind == "joint":
            if not codes:
                told.append(f"“{name}”：请填写参加会审的部门代码")
            unknown = [code for code in codes if code not in departments]
            if unknown:
                told.append(f"“{name}”：没有部门 {'、'.join(unknown)}；可用的见系统管理中的部门代码")
            if own in codes:
                told.append(f"“{name}”：主管部门 {own} 自己审核，不参加会审")
        elif codes:
            told.append(f"“{name}”：只有“部门会审”环节填写会审部门")
        if step.get("checklist") and kind not in LISTS:
            told.append(f"“{name}”：核对清单写在“受理”、“审核”或“复审”环节里")
    return told


__all__ = ["JOINT_DAYS", "KINDS", "LISTS", "Check", "PathStep", "ReviewPath", "codes_of", "problems", "read", "write"]
