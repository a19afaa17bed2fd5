"""The reasons for which an application is not accepted or refused, each with a code: notices word them alike, and they
can be counted. The words of the case stand beside the code, never instead of it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReasonCode:
    """`text` is how the notice words it; `remedy` what the enterprise can do, as a start for the reviewer's words."""

    code: str
    label: str
    text: str
    remedy: str


_ALL = (
    ReasonCode("criteria", "不符合申报条件", "不符合政策规定的申报条件", "条件具备后可在申报期内重新申报"),
    ReasonCode("evidence", "材料不能证明", "提交的材料不能证明所申报的情况", "补充能够证明的材料后可重新申报"),
    ReasonCode("missing", "材料不齐且未补正", "申报材料不齐全，经告知后仍未补齐", "备齐材料后可重新申报"),
    ReasonCode("inconsistent", "情况不一致", "申报内容与数据核验或现场核查的情况不一致", "更正申报内容后可重新申报"),
    ReasonCode("late", "超过申报期限", "提交时已超过政策规定的申报期限", "请关注下一期申报通知"),
    ReasonCode(
        "duplicate",
        "重复享受",
        "同一项目或票据已享受过同类政策（就高不重复）",
        "可就未享受过的部分另行申报",
    ),
    ReasonCode("exclusive", "与已享受政策互斥", "与已享受的其他政策不可同时享受", "可撤回其中一项后重新选择"),
    ReasonCode("dishonest", "信用限制", "处于失信惩戒期或信用限制期内", "完成信用修复后可重新申报"),
    ReasonCode("false", "提供虚假材料", "提供的材料或承诺不真实", "对认定不服的，可申请复核或依法申请行政复议"),
    ReasonCode("department", "不属于本部门", "不属于本部门的办理范围", "请向有管辖权的部门申报"),
    ReasonCode("other", "其他", "", ""),
)
REASONS: dict[str, ReasonCode] = {reason.code: reason for reason in _ALL}


def choices() -> list[tuple[str, str]]:
    """(code, label) pairs for a form's list."""
    return [(reason.code, reason.label) for reason in _ALL]


def worded(code: str, words: str) -> str:
    """A reason as the notice tells it: how it is worded everywhere, then the words of the case."""
    known = REASONS.get(code)
    if known is None or not known.text:
        return words
    return f"{known.text}：{words}" if words and words != known.text else known.text
