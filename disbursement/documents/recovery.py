"""追回通知书: money that was paid is asked back."""

from __future__ import annotations

from django.utils.translation import gettext as _

from disbursement.documents.context import Frame, day_text, of_application, subject
from disbursement.documents.notice import Notice, Section
from disbursement.domain.money import in_words, yuan
from disbursement.models import Clawback


def clawback(*, frame: Frame, demand: Clawback) -> Notice:
    """What is asked back, why, by when, and how to object."""
    payable = demand.payable
    application = payable.application
    return of_application(
        frame,
        application,
        title=_("追回通知书"),
        opening=[
            _("你单位因“%(item)s”取得的兑现资金（第 %(number)s 期）经核查应予追回，现将有关事项通知如下。")
            % {"item": application.item.name, "number": payable.number}
        ],
        facts=[
            *subject(application),
            (_("追回编号"), demand.number),
            (_("追回金额"), _("人民币 %(amount)s 元") % {"amount": yuan(demand.amount)}),
            (_("大写"), in_words(demand.amount)),
            (_("退回期限"), day_text(demand.due_on)),
        ],
        sections=[
            Section(heading=_("一、追回原因"), paragraphs=[demand.reason]),
            Section(
                heading=_("二、如何退回"),
                paragraphs=[
                    _("请于 %(day)s 前将款项一次退回承办部门指定的账户，并在附言中注明追回编号 %(number)s。")
                    % {"day": day_text(demand.due_on), "number": demand.number}
                ],
            ),
            Section(
                heading=_("三、如有异议"),
                paragraphs=[
                    _("收到本通知后可以向承办部门陈述、申辩；对追回决定不服的，可以依法申请行政复议或者提起行政诉讼。")
                ],
            ),
        ],
        closing=[_("特此通知。")],
    )
