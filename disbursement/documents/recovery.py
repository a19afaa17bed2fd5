"""Papers of money asked back: 追回通知书, 分期退回通知书, 抵扣通知书."""

from __future__ import annotations

from django.utils.translation import gettext as _

from disbursement.documents.context import Frame, day_text, of_application, subject
from disbursement.documents.notice import Notice, Section, Table
from disbursement.domain.money import in_words, yuan
from disbursement.models import Application, Clawback, ClawbackPlan, RepaymentAccount, SetOff


def clawback(*, frame: Frame, demand: Clawback, account: RepaymentAccount | None) -> Notice:
    """What is asked back, why, by when, to which account, and how to object."""
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
                    _("请于 %(day)s 前将款项一次退回指定的账户，并在附言中注明追回编号 %(number)s。")
                    % {"day": day_text(demand.due_on), "number": demand.number},
                    *_where(account, application),
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


def instalments(*, frame: Frame, plan: ClawbackPlan, account: RepaymentAccount | None) -> Notice:
    """The plan that was approved: what is due by when, and what follows where it is not paid. It is proposed."""
    demand = plan.clawback
    application = demand.payable.application
    assert plan.amount is not None
    rows = [
        [_("第 %(n)s 期") % {"n": entry.number}, day_text(entry.due_on), yuan(entry.amount), in_words(entry.amount)]
        for entry in plan.entries.all()
    ]
    table = Table("", [_("期次"), _("应退日期"), _("金额（元）"), _("大写")], rows, (10, 26, 24, 40), frozenset({2}))
    return of_application(
        frame,
        application,
        title=_("分期退回通知书"),
        opening=[
            _("经审核，同意你单位分期退回追回款项（追回编号 %(number)s），现将安排通知如下。")
            % {"number": demand.number}
        ],
        facts=[
            *subject(application),
            (_("追回编号"), demand.number),
            (_("分期金额"), _("人民币 %(amount)s 元") % {"amount": yuan(plan.amount)}),
            (_("大写"), in_words(plan.amount)),
            (_("期数"), str(len(rows))),
        ],
        sections=[
            Section(heading=_("一、分期安排"), table=table),
            Section(
                heading=_("二、如何退回"),
                paragraphs=[
                    _(
                        "请按期将款项退回指定的账户，附言注明追回编号 %(number)s。多次到账的，依次冲抵最早一期。"
                        "退回期限以本通知书为准，追回通知书原定的期限不再适用。"
                    )
                    % {"number": demand.number},
                    *_where(account, application),
                ],
            ),
            Section(
                heading=_("三、未按期退回的后果"),
                paragraphs=[
                    _("任何一期逾期的，可以认定违约，全部余款立即到期，并可以用你单位以后的应付款项抵扣。"),
                    _("确有困难的，请在到期前联系承办部门。"),
                ],
            ),
        ],
        closing=[_("特此通知。")],
    )


def set_off(*, frame: Frame, decision: SetOff) -> Notice:
    """What was not paid out because it paid back what was owed."""
    demand, payable = decision.clawback, decision.payable
    application = payable.application
    return of_application(
        frame,
        application,
        title=_("抵扣通知书"),
        opening=[
            _("你单位应退回的款项（追回编号 %(number)s）已经逾期，决定以“%(item)s”第 %(part)s 期应付款项抵扣。")
            % {"number": demand.number, "item": application.item.name, "part": payable.number}
        ],
        facts=[
            *subject(application),
            (_("追回编号"), demand.number),
            (_("抵扣金额"), _("人民币 %(amount)s 元") % {"amount": yuan(decision.amount)}),
            (_("大写"), in_words(decision.amount)),
        ],
        sections=[
            Section(heading=_("一、抵扣依据"), paragraphs=[decision.reason]),
            Section(
                heading=_("二、结果"),
                paragraphs=[_("该期款项视为已经兑现，不再支付；追回款项的尚欠金额相应减少。")],
            ),
            Section(
                heading=_("三、如有异议"),
                paragraphs=[
                    _("收到本通知后可以向承办部门陈述、申辩；对抵扣决定不服的，可以依法申请行政复议或者提起行政诉讼。")
                ],
            ),
        ],
        closing=[_("特此通知。")],
    )


def _where(account: RepaymentAccount | None, application: Application) -> list[str]:
    """The account to pay back to, and whom to ask."""
    if account is None:
        department = application.item.department
        return [
            _("退款账户请先向%(department)s询问%(phone)s；请勿退到其他渠道告知的账户。")
            % {"department": department, "phone": f"（{department.phone}）" if department.phone else ""}
        ]
    return [
        _("户名：%(name)s") % {"name": account.account_name},
        _("开户银行：%(bank)s") % {"bank": account.bank_name},
        _("账号：%(number)s") % {"number": account.account_number},
        _("联系：%(contact)s，%(phone)s") % {"contact": account.contact, "phone": account.phone},
    ]
