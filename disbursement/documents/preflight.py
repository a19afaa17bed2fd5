"""预检报告: what the month's cut-off would do, printed. A working paper: not numbered, not kept, nothing to verify."""

from __future__ import annotations

from datetime import date, datetime

from django.utils.translation import gettext as _

from disbursement.documents.context import day_text, moment_text
from disbursement.documents.notice import Notice, Section, Table
from disbursement.domain.cycle import month_label
from disbursement.domain.money import yuan
from disbursement.domain.preflight import Issue, Outlook

# Of each issue so many payables are printed; the page lists more.
_MOST_ROWS = 60


def preflight_report(*, outlook: Outlook, district: str, made_at: datetime, address: str, today: date) -> Notice:
    """The report as it was seen at `made_at`; `address` is the page that shows it."""
    return Notice(
        title=_("%(month)s兑现预检报告") % {"month": month_label(outlook.month)},
        number=f"{outlook.month:%Y%m}",
        district=district,
        issuer=_("%(district)s惠企政策兑现专班") % {"district": district},
        recipient="",
        issued_on=today,
        verify_url=address,
        is_working_paper=True,
        facts=[
            (_("兑现月份"), month_label(outlook.month)),
            (_("截止日"), day_text(outlook.cut_off_on)),
            (_("预检时间"), moment_text(made_at)),
            (_("预计支付"), _("%(n)s 笔、%(sum)s 元") % {"n": outlook.count, "sum": yuan(outlook.total)}),
            (_("不会支付"), _("%(n)s 笔、%(sum)s 元") % {"n": outlook.unpaid_count, "sum": yuan(outlook.unpaid_total)}),
        ],
        sections=[
            _lines(_("一、各科目批次"), outlook),
            *(
                Section(heading=f"{heading}、{severity.label}", points=[_told(issue) for issue in issues])
                for heading, (severity, issues) in zip("二三四", outlook.by_severity, strict=False)
            ),
            *(_rows(issue) for issue in outlook.issues if issue.listed),
        ],
    )


def _lines(heading: str, outlook: Outlook) -> Section:
    if not outlook.lines:
        return Section(heading, [_("本月没有到期的款项。")])
    rows = [
        [
            line.label,
            str(line.count),
            yuan(line.total),
            f"{line.held_count} / {yuan(line.held_total)}",
            str(line.approvals_needed),
        ]
        for line in outlook.lines
    ]
    head = [_("科目"), _("笔数"), _("金额（元）"), _("校验暂缓（笔/元）"), _("审批人数")]
    return Section(heading, table=Table("", head, rows, (34, 11, 22, 21, 12), frozenset({1, 2, 3, 4})))


def _told(issue: Issue) -> str:
    sums = _("（%(n)s 笔、%(sum)s 元）") % {"n": issue.count, "sum": yuan(issue.total)} if issue.count else ""
    return f"{issue.place}：{issue.problem}{sums}。{issue.remedy}"


def _rows(issue: Issue) -> Section:
    rows = [
        [row.enterprise, row.application, yuan(row.amount), row.detail or issue.problem]
        for row in issue.listed[:_MOST_ROWS]
    ]
    left = issue.count - len(rows)
    caption = _("另有 %(n)s 笔，见系统页面。") % {"n": left} if left > 0 else ""
    head = [_("企业"), _("申报编号"), _("金额（元）"), _("原因")]
    heading = _("明细：%(problem)s") % {"problem": issue.problem}
    return Section(heading=heading, table=Table(caption, head, rows, (32, 18, 18, 32), frozenset({2})))
