"""月度兑现报告: what a month paid, how promptly, and what is left."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from disbursement.documents.context import Frame, day_text
from disbursement.documents.notice import Notice, Section, Table
from disbursement.domain.money import ZERO, in_words, yuan
from disbursement.models import Cycle
from disbursement.selectors.month import MonthFigures, Total, month_figures

_MOST_ITEMS = 40
_SUMS = (8, 52, 16, 24)


def month_report(*, frame: Frame, cycle: Cycle) -> Notice:
    """The report of a closed cycle, as its figures stand when it is written."""
    figures = month_figures(cycle=cycle)
    return Notice(
        title=_("月度兑现报告"),
        number=frame.number,
        district=frame.district,
        issuer=_("%(district)s惠企政策兑现专班") % {"district": frame.district},
        recipient="",
        issued_on=frame.issued_on,
        verify_url=frame.verify_url,
        facts=[
            (_("兑现月份"), str(cycle)),
            (_("截止日"), day_text(cycle.cut_off_on)),
            (_("兑现企业"), _("%(count)s 家") % {"count": figures.enterprises}),
            (_("兑现笔数"), _("%(count)s 笔") % {"count": figures.paid.count}),
            (_("兑现金额"), _("人民币 %(amount)s 元") % {"amount": yuan(figures.paid.amount)}),
            (_("大写"), in_words(figures.paid.amount)),
        ],
        sections=[
            Section(heading=_("一、总体情况"), paragraphs=_overview(figures)),
            Section(heading=_("二、按部门"), table=_sums(_("部门"), figures.by_department)),
            Section(heading=_("三、按事项"), table=_items(figures.by_item)),
            _promptness(_("四、是否按承诺月份兑现"), figures),
            *_left_over(figures),
            Section(heading=_("六、预算科目"), table=_lines(figures)),
        ],
    )


def _overview(figures: MonthFigures) -> list[str]:
    told = _(
        "本月付款文件共 %(sent)s 笔、%(sum)s 元；银行已确认支付 %(paid)s 笔、%(amount)s 元；"
        "退票 %(back)s 笔、%(lost)s 元。"
    ) % {
        "sent": figures.sent.count,
        "sum": yuan(figures.sent.amount),
        "paid": figures.paid.count,
        "amount": yuan(figures.paid.amount),
        "back": figures.bounced.count,
        "lost": yuan(figures.bounced.amount),
    }
    if not figures.held.count:
        return [told]
    waiting = _("截至报告日，到期而暂缓的 %(count)s 笔、%(amount)s 元。")
    return [told, waiting % {"count": figures.held.count, "amount": yuan(figures.held.amount)}]


def _promptness(heading: str, figures: MonthFigures) -> Section:
    if figures.prompt_share is None:
        return Section(heading, [_("本月没有支付。")])
    told = _("%(prompt)s 笔在承诺月份或之前兑现，占 %(share)s%%。") % {
        "prompt": figures.prompt,
        "share": figures.prompt_share,
    }
    late = [_("%(reason)s：%(count)s 笔") % {"reason": reason, "count": count} for reason, count in figures.late]
    return Section(heading, [told], late)


def _left_over(figures: MonthFigures) -> list[Section]:
    heading = _("五、退票与暂缓")
    if not figures.bounces and not figures.holds:
        return [Section(heading=heading, paragraphs=[_("没有退票，也没有暂缓。")])]
    sections = []
    if figures.bounces:
        sections.append(Section(heading=heading, table=_sums(_("退票原因"), figures.bounces)))
    if figures.holds:
        sections.append(Section(heading="" if sections else heading, table=_sums(_("暂缓原因"), figures.holds)))
    return sections


def _items(found: Sequence[Total]) -> Table:
    """The largest; the rest in one line, so that the sum is whole."""
    shown, rest = list(found[:_MOST_ITEMS]), found[_MOST_ITEMS:]
    if rest:
        label = _("其余 %(count)s 项") % {"count": len(rest)}
        shown.append(Total(label, sum(row.count for row in rest), sum((row.amount for row in rest), ZERO)))
    return _sums(_("事项"), shown)


def _sums(what: str, found: Sequence[Total]) -> Table:
    rows = [[str(index), row.label, str(row.count), yuan(row.amount)] for index, row in enumerate(found, 1)]
    head = [_("序号"), what, _("笔数"), _("金额（元）")]
    return Table("", head, rows or [["", _("无"), "0", yuan(ZERO)]], _SUMS, frozenset({2, 3}))


def _lines(figures: MonthFigures) -> Table:
    rows = [
        [line.label, yuan(line.ceiling), yuan(line.bound), yuan(line.paid), yuan(line.free)] for line in figures.lines
    ]
    head = [_("科目"), _("预算额度"), _("已预留"), _("已支付"), _("可用")]
    caption = _("单位：元，为报告日的数额。")
    return Table(caption, head, rows or [[_("无"), "", "", "", ""]], (32, 17, 17, 17, 17), frozenset({1, 2, 3, 4}))
