"""年度兑现决算报告: what a closed year's lines had, paid, carried over and gave back."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from django.db.models import Count, Sum
from django.utils.translation import gettext as _

from disbursement.documents.context import Frame, day_text
from disbursement.documents.notice import Notice, Section, Table
from disbursement.domain.money import ZERO, from_sum, in_words, total, yuan
from disbursement.models import BudgetChange, CarryOver, YearEnd
from matching.days import day_of

_SHOWN = 200


def year_report(*, frame: Frame, year: int) -> Notice:
    """The report of a year all of whose lines are closed."""
    ends = list(
        YearEnd.objects.filter(line__year=year).select_related("line__department", "closed_by").order_by("line__code")
    )
    paid = total(end.paid for end in ends)
    return Notice(
        title=_("年度兑现决算报告"),
        number=frame.number,
        district=frame.district,
        issuer=_("%(district)s惠企政策兑现专班") % {"district": frame.district},
        recipient="",
        issued_on=frame.issued_on,
        verify_url=frame.verify_url,
        facts=[
            (_("年度"), _("%(year)s 年") % {"year": year}),
            (_("预算科目"), _("%(count)s 个") % {"count": len(ends)}),
            (_("关账日期"), day_text(max(day_of(end.closed_at) for end in ends))),
            (_("批准文号"), "、".join(sorted({end.paper_number for end in ends}))),
            (_("已支付"), _("人民币 %(amount)s 元") % {"amount": yuan(paid)}),
            (_("大写"), in_words(paid)),
        ],
        sections=[
            Section(heading=_("一、各科目决算"), table=_lines(ends)),
            Section(heading=_("二、按资金级次和部门"), table=_by_fund(ends)),
            *_carried(year),
            *_changes(year),
        ],
    )


def _lines(ends: list[YearEnd]) -> Table:
    rows = [
        [
            end.line.name,
            yuan(end.ceiling),
            yuan(end.paid),
            yuan(end.carried),
            str(end.carried_count),
            yuan(end.released),
        ]
        for end in ends
    ]
    rows.append(
        [
            _("合计"),
            *(yuan(total(getattr(end, name) for end in ends)) for name in ("ceiling", "paid", "carried")),
            str(sum(end.carried_count for end in ends)),
            yuan(total(end.released for end in ends)),
        ]
    )
    head = [_("科目"), _("年末额度"), _("已支付"), _("结转下年"), _("结转笔数"), _("收回")]
    return Table(_("单位：元。"), head, rows, (22, 18, 17, 17, 8, 18), frozenset({1, 2, 3, 4, 5}))


def _by_fund(ends: list[YearEnd]) -> Table:
    sums: dict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO, ZERO])
    for end in ends:
        there = sums[end.line.get_fund_display(), str(end.line.department)]
        for index, amount in enumerate((end.paid, end.carried, end.released)):
            there[index] += amount
    rows = [[fund, department, *map(yuan, amounts)] for (fund, department), amounts in sorted(sums.items())]
    head = [_("资金级次"), _("部门"), _("已支付"), _("结转下年"), _("收回")]
    return Table("", head, rows, (16, 30, 18, 18, 18), frozenset({2, 3, 4}))


def _carried(year: int) -> list[Section]:
    moved = CarryOver.objects.filter(from_line__year=year).order_by()
    rows = [
        [reason, str(count), yuan(from_sum(amount))]
        for reason, count, amount in sorted(
            moved.values_list("reason")
            .annotate(count=Count("pk"), sum=Sum("amount"))
            .values_list("reason", "count", "sum")
        )
    ]
    if not rows:
        return [Section(_("三、结转"), [_("没有结转的款项。")])]
    table = Table("", [_("原因"), _("笔数"), _("金额（元）")], rows, (56, 18, 26), frozenset({1, 2}))
    return [Section(heading=_("三、结转"), table=table)]


def _changes(year: int) -> list[Section]:
    found = BudgetChange.objects.filter(line__year=year, approved=True).select_related("line", "to_line")
    rows = [
        [
            change.paper_number,
            str(change.get_kind_display()),
            change.line.name + (f" → {change.to_line.name}" if change.to_line else ""),
            "—" if change.amount is None else yuan(change.amount),
            change.reason,
        ]
        for change in found.order_by("decided_at", "pk")[:_SHOWN]
    ]
    if not rows:
        return [Section(_("四、年内预算调整"), [_("全年没有预算调整。")])]
    head = [_("文号"), _("类别"), _("科目"), _("金额（元）"), _("原因")]
    return [Section(heading=_("四、年内预算调整"), table=Table("", head, rows, (20, 12, 26, 18, 24), frozenset({3})))]
