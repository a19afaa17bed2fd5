"""The summary of a batch: its lines, its totals, the hash of its file, and who signed."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext as _

from disbursement.documents.context import Frame, moment_text
from disbursement.documents.notice import Notice, Section, Table
from disbursement.domain.money import in_words, yuan
from disbursement.domain.workflow import Role
from disbursement.models import Batch


def batch_summary(*, frame: Frame, batch: Batch, names: Mapping[int, str]) -> Notice:
    """兑现批次汇总表, with its lines and signatures. `names` are the full names of those who signed, by id."""
    lines = list(
        batch.attempts.exclude(outcome="withdrawn").select_related("payable__application__item").order_by("line_no")
    )
    rows = [
        [
            str(line.line_no or index),
            line.payee_name,
            line.payable.application.item.name,
            f"****{line.account_number[-4:]}",
            yuan(line.amount),
        ]
        for index, line in enumerate(lines, 1)
    ]
    table = Table(
        "", [_("序号"), _("收款单位"), _("事项"), _("账号"), _("金额（元）")], rows, (8, 34, 28, 12, 18), frozenset({4})
    )
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
