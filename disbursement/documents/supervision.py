"""电子监察月报: the time limits of a month, by department and person, what was urged, and what was struck out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from disbursement.documents.context import Frame
from disbursement.documents.notice import Notice, Section, Table
from disbursement.domain.cycle import month_label
from disbursement.domain.supervision import EntryKind, Tally
from disbursement.selectors.calendar import working_calendar
from disbursement.selectors.supervision import Figures, Row, Span, figures, ledger, outcome, urging_counts

_MOST_LINES = 60
_WIDTHS = (22, 9, 9, 10, 10, 10, 10, 10, 10)
_LINES = (9, 13, 15, 19, 30, 14)


def supervision_report(*, frame: Frame, month: date) -> Notice:
    """The report of a month that is over, as the ledger stands when it is written."""
    span = Span.of_month(month)
    found = figures(span=span)
    urged = urging_counts(since=span.since, until=span.until)
    return Notice(
        title=_("电子监察月报"),
        number=frame.number,
        district=frame.district,
        issuer=_("%(district)s惠企政策督查") % {"district": frame.district},
        recipient="",
        issued_on=frame.issued_on,
        verify_url=frame.verify_url,
        facts=[
            (_("月份"), month_label(month)),
            (_("办结环节"), _("%(count)s 个") % {"count": len(found.whole.done)}),
            (_("按承诺时限办结"), _percent(found.whole.in_time_share)),
            (_("黄牌、红牌"), f"{found.whole.yellow}、{found.whole.red}"),
        ],
        sections=[
            Section(heading=_("一、总体情况"), paragraphs=_overview(found.whole, urged)),
            _figures(_("二、按部门"), _("部门"), found.departments),
            _figures(_("三、按责任人"), _("责任人"), _who(found)),
            _lines(_("四、红牌和其他问题"), span),
        ],
    )


def _overview(whole: Tally, urged: dict[str, int]) -> list[str]:
    none = _("本月没有办结的环节，月末在办 %(running)s 个。") % {"running": whole.running}
    told = _(
        "本月办结环节 %(done)s 个，月末在办 %(running)s 个；平均用时 %(mean)s 个工作日（平均承诺 %(promise)s 个），"
        "中位数 %(median)s 个，九成在 %(p90)s 个以内；按承诺时限办结的占 %(share)s。"
    ) % {
        "done": len(whole.done),
        "running": whole.running,
        "mean": _text(whole.mean),
        "promise": _text(whole.promise),
        "median": _text(whole.median),
        "p90": _text(whole.p90),
        "share": _percent(whole.in_time_share),
    }
    rate = whole.cards_per_hundred
    cards = _("预警 %(warned)s 次，黄牌 %(yellow)s 张，红牌 %(red)s 张%(rate)s；其他问题 %(others)s 项。") % {
        "warned": whole.counts.get(EntryKind.WARNING, 0),
        "yellow": whole.yellow,
        "red": whole.red,
        "rate": "" if rate is None else _("，每百件 %(rate)s 张") % {"rate": rate},
        "others": whole.others,
    }
    rest = _(
        "发出督办 %(sent)s 件，已答复 %(answered)s 件，整改到位 %(settled)s 件；经申辩撤销记录 %(struck)s 条。"
    ) % {
        **urged,
        "struck": whole.struck,
    }
    return [told if whole.done else none, cards, rest]


def _who(found: Figures) -> list[Row]:
    return [
        Row(f"{row.name or _('无人领取')}（{row.department}）", row.department, row.department_id, tally=row.tally)
        for row in found.people
    ]


def _figures(heading: str, what: str, found: Sequence[Row]) -> Section:
    if not found:
        return Section(heading, [_("本月没有办件。")])
    rows = [
        [
            row.name,
            str(len(row.tally.done)),
            str(row.tally.running),
            _text(row.tally.mean),
            _text(row.tally.p90),
            _percent(row.tally.in_time_share),
            str(row.tally.yellow),
            str(row.tally.red),
            _text(row.tally.cards_per_hundred),
        ]
        for row in found
    ]
    head = [what, _("办结"), _("在办"), _("平均用时"), _("九成用时"), _("按时率"), _("黄牌"), _("红牌"), _("百件牌数")]
    caption = _("用时按工作日计；经申辩撤销的记录不计。")
    return Section(heading, table=Table(caption, head, rows, _WIDTHS, frozenset(range(1, 9))))


def _lines(heading: str, span: Span) -> Section:
    """Red cards and what is no card, the latest first; the rest in one line."""
    calendar = working_calendar()
    wanted = ledger(span=span).exclude(kind__in=[EntryKind.WARNING, EntryKind.YELLOW])
    wanted = wanted.exclude(appeal__is_struck=True)
    count = wanted.count()
    ends = {"open": _("在办"), "in_time": _("已办结"), "late": _("超时办结"), "": "—"}
    rows = [
        [
            f"{entry.happened_on.month}-{entry.happened_on.day:02d}",
            entry.get_kind_display(),
            str(entry.department),
            str(entry.application.number or ""),
            entry.text[:90],
            ends[outcome(entry, calendar=calendar)[0]],
        ]
        for entry in wanted[:_MOST_LINES]
    ]
    if not rows:
        return Section(heading, [_("本月没有红牌，也没有其他问题。")])
    left = count - len(rows)
    caption = _("只列最近的，另有 %(count)s 条见监察台账。") % {"count": left} if left > 0 else ""
    head = [_("日期"), _("类别"), _("部门"), _("申报编号"), _("情况"), _("结果")]
    return Section(heading, table=Table(caption, head, rows, _LINES))


def _text(value: Decimal | int | None) -> str:
    return "—" if value is None else str(value)


def _percent(value: Decimal | None) -> str:
    return "—" if value is None else f"{value}%"
