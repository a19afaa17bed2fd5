"""The papers of a batch: its summary, and the paper with which its file is handed over to the treasury."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

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
    return _paper(
        frame,
        batch,
        title=_("兑现批次汇总表"),
        facts=[*_sums(batch.count, batch.total), (_("文件摘要"), f"SHA-256 {batch.file_sha256}")],
        section=Section(heading=_("明细"), table=table),
        signatures=_signed(batch, names),
    )


def handover(*, frame: Frame, batch: Batch, names: Mapping[int, str]) -> Notice:
    """资金拨付移交单: what file is handed over, so that the treasury pays that and nothing else; two sides sign it.

    `names` are the full names of those who signed the batch, by id. The batch is sealed.
    """
    sealed, payer = batch.sealed_file, batch.payer
    payer_account = "　".join(str(payer.get(key, "")) for key in ("name", "bank_name", "account_number"))
    return _paper(
        frame,
        batch,
        title=_("资金拨付移交单"),
        facts=[
            (_("资金来源"), batch.budget_line.source or _("未注明")),
            (_("付款账户"), payer_account),
            (_("文件名"), sealed.name),
            (_("文件格式"), sealed.get_format_display()),
            *_sums(sealed.count, sealed.total),
            (_("文件摘要"), f"SHA-256 {sealed.sha256}"),
            (_("封存时间"), moment_text(sealed.sealed_at)),
        ],
        section=Section(
            heading=_("移交说明"),
            points=[
                _(
                    "请核对收到的文件名称、笔数、合计金额和文件摘要，四项一致方可付款；任何一项不符，请停止办理并告知移交方。"
                ),
                _("同一文件只办理一次；重复收到的，以批次号为准，不再付款。"),
                _("付款结果请按行号回传，未成功的注明原因。"),
            ],
        ),
        signatures=[*_signed(batch, names), (_("移交人"), ""), (_("接收人"), ""), (_("接收时间"), "")],
    )


def _paper(
    frame: Frame,
    batch: Batch,
    *,
    title: str,
    facts: Sequence[tuple[str, str]],
    section: Section,
    signatures: Sequence[tuple[str, str]],
) -> Notice:
    """What both papers of a batch have in common: who issues them, and which batch they are of."""
    return Notice(
        title=title,
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
            *facts,
        ],
        sections=[section],
        signatures=signatures,
    )


def _sums(count: int, total: Decimal) -> list[tuple[str, str]]:
    return [
        (_("笔数"), str(count)),
        (_("合计金额"), _("人民币 %(amount)s 元") % {"amount": yuan(total)}),
        (_("大写"), in_words(total)),
    ]


def _signed(batch: Batch, names: Mapping[int, str]) -> list[tuple[str, str]]:
    """Who signed the batch in its last round, as what, and when."""
    return [
        (Role(approval.role).label, f"{names.get(approval.person_id, '')}　{moment_text(approval.signed_at)}")
        for approval in batch.approvals.filter(round=batch.round).order_by("id")
    ]


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
