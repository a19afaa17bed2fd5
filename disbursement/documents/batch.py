"""The summary of a batch: its lines, its totals, the hash of its file, and who signed."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import Count, Sum
from django.utils.translation import gettext as _

from disbursement.documents.context import Frame, moment_text
from disbursement.documents.notice import Notice, Section, Table
from disbursement.domain.money import from_sum, in_words, yuan
from disbursement.domain.workflow import Role
from disbursement.models import AttemptOutcome, Batch

# Longer batches are printed by item; each line stands in the sealed file, whose hash the page bears.
MOST_LINES = 500


def batch_summary(*, frame: Frame, batch: Batch, names: Mapping[int, str]) -> Notice:
    """兑现批次汇总表, with its lines and signatures. `names` are the full names of those who signed, by id."""
    table = _lines(batch) if batch.count <= MOST_LINES else _totals(batch)
    signed = [
        (Role(approval.role).label, f"{names.get(approval.person_id, '')}　{moment_text(approval.signed_at)}")
        for approval in batch.approvals.filter(round=batch.round).order_by("id")
    ]
    return Notice(
        title=_("兑现批次汇总表"),
        number=frame.number,
        district=frame.district,
        issuer=batch.budget_line.department.name,
        recipient="",
        issued_on=frame.issued_on,
        verify_url=frame.verify_url,
        facts=[
            (_("批次号"), batch.number),
            (_("兑现周期"), str(batch.cycle)),
            (_("预算科目"), str(batch.budget_line)),
            (_("笔数"), str(batch.count)),
            (_("合计金额"), _("人民币 %(amount)s 元") % {"amount": yuan(batch.total)}),
            (_("大写"), in_words(batch.total)),
            (_("文件摘要"), f"SHA-256 {batch.file_sha256}"),
        ],
        sections=[Section(heading=_("明细"), table=table)],
        signatures=signed,
    )


def _lines(batch: Batch) -> Table:
    lines = batch.attempts.exclude(outcome=AttemptOutcome.WITHDRAWN).select_related("payable__application__item")
    rows = [
        [
            str(line.line_no or index),
            line.payee_name,
            line.payable.application.item.name,
            f"****{line.account_number[-4:]}",
            yuan(line.amount),
        ]
        for index, line in enumerate(lines.order_by("line_no"), 1)
    ]
    head = [_("序号"), _("收款单位"), _("事项"), _("账号"), _("金额（元）")]
    return Table("", head, rows, (8, 30, 24, 19, 19), frozenset({4}))


def _totals(batch: Batch) -> Table:
    by_item = (
        batch.attempts.exclude(outcome=AttemptOutcome.WITHDRAWN)
        .values("payable__application__item__name")
        .annotate(lines=Count("pk"), sum=Sum("amount"))
        .order_by("payable__application__item__name")
    )
    rows = [
        [str(index), row["payable__application__item__name"], str(row["lines"]), yuan(from_sum(row["sum"]))]
        for index, row in enumerate(by_item, 1)
    ]
    caption = _("本批次共 %(count)s 笔，按事项列示；逐笔明细见封存的支付文件。") % {"count": batch.count}
    head = [_("序号"), _("事项"), _("笔数"), _("金额（元）")]
    return Table(caption, head, rows, (10, 50, 16, 24), frozenset({2, 3}))
