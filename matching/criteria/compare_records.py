"""Comparisons of records: each by name with its dates, then how many and how much."""

from collections.abc import Sequence
from fractions import Fraction

from . import ast
from .facts import Record
from .judge import Truth
from .measure import Case, gap
from .records import judged_records
from .values import total, with_unit
from .words import amount_unit, codes_phrase, leaf_phrase

_MOST_RECORDS = 8

Judged = Sequence[tuple[Record, Truth]]


def compare_records(leaf: ast.RecordsLeaf, case: Case) -> str:
    judged = judged_records(leaf, case.facts.records(leaf.fact) or (), case.as_of)
    if not judged:
        found = f"{case.label(leaf.fact)}中没有{codes_phrase(leaf.codes, leaf, case.vocabulary)}的记录"
    else:
        shown = "、".join(_record(leaf, record, truth, case) for record, truth in judged[:_MOST_RECORDS])
        more = f"等 {len(judged)} 项" if len(judged) > _MOST_RECORDS else ""
        found = f"{case.label(leaf.fact)}：{shown}{more}"
    asked = leaf_phrase(leaf, case.vocabulary, case.negated, case.as_of)
    return f"{found}{_totals(leaf, judged, case)}，要求{asked}{_lacking(leaf, judged, case)}"


def _record(leaf: ast.RecordsLeaf, record: Record, truth: Truth, case: Case) -> str:
    """``“高新技术企业”（2024-11-01 取得，2027-10-31 到期，符合所列范围）``."""
    parts = []
    if record.on is not None:
        parts.append(f"{record.on} 取得")
    if record.until is not None:
        parts.append(f"{record.until} {'已到期' if record.until < case.as_of else '到期'}")
    if record.amount is not None:
        parts.append(with_unit(record.amount, amount_unit(leaf, case.vocabulary)))
    parts.append("符合所列范围" if truth else "缺日期或数值，尚不能判断" if truth is None else "不在所列范围")
    return f"“{case.vocabulary.code_list(leaf.fact).label(record.code)}”（{'，'.join(parts)}）"


def _totals(leaf: ast.RecordsLeaf, judged: Judged, case: Case) -> str:
    """How many and how much, where ``count`` or ``amount`` decide."""
    text = ""
    possible = sum(truth is None for _, truth in judged)
    passing = [record for record, truth in judged if truth]
    doubt = f"（另有 {possible} 项尚不能判断）" if possible else ""
    if leaf.count is not None:
        text += f"，符合的 {len(passing)} 项{doubt}"
        if not case.negated and not possible:
            text += gap(Fraction(len(passing)), leaf.count, "项")
    if leaf.amount is not None:
        known = total(record.amount for record in passing if record.amount is not None)
        unknown = sum(record.amount is None for record in passing)
        unit = amount_unit(leaf, case.vocabulary)
        text += f"，金额合计 {with_unit(known, unit)}{f'（{unknown} 项金额未知）' if unknown else doubt}"
        if not case.negated and not possible and not unknown:
            text += gap(Fraction(known), leaf.amount, unit)
    return text


def _lacking(leaf: ast.RecordsLeaf, judged: Judged, case: Case) -> str:
    """Which codes of an ``all_of`` are still missing."""
    if leaf.quantifier is not ast.Quantifier.ALL_OF or case.negated or len(leaf.codes) == 1:
        return ""
    lacking = tuple(
        code
        for code, covered in zip(leaf.codes, leaf.covered, strict=True)
        if not any(truth is not False and record.code in covered for record, truth in judged)
    )
    return f"，还缺{codes_phrase(lacking, leaf, case.vocabulary)}" if lacking else ""
