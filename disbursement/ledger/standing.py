"""Whether a budget line takes postings: frozen lines reserve nothing, closed ones take nothing at all."""

from __future__ import annotations

from disbursement.domain.errors import invalid
from disbursement.models import BudgetChange, ChangeKind, YearEnd
from matching.registry.models import BudgetLine


def freeze_of(*, line: BudgetLine) -> BudgetChange | None:
    """The change by which the line is frozen now; None where it is not."""
    turns = BudgetChange.objects.filter(line=line, approved=True, kind__in=[ChangeKind.FREEZE, ChangeKind.UNFREEZE])
    last = turns.order_by("-decided_at", "-pk").first()
    return last if last is not None and last.kind == ChangeKind.FREEZE else None


def is_closed(*, line: BudgetLine) -> bool:
    """Whether the line's year was closed."""
    return YearEnd.objects.filter(line=line).exists()


def check_open(*, line: BudgetLine) -> None:
    """Raise Invalid where the line's year was closed."""
    if is_closed(line=line):
        raise invalid(
            "line",
            f"预算科目“{line}”{line.year}年度已关账，不能再记账。请按新年度科目办理，或联系预算部门处理以前年度收支。",
        )
