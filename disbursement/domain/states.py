"""The states, actions and roles of the money path, with the Chinese words that people see for them.

Callers wrap the labels in gettext where they render.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Labelled(StrEnum):
    """A string enum whose members carry the Chinese words that people see."""

    label: str

    def __new__(cls, value: str, label: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        return member

    @classmethod
    def choices(cls) -> list[tuple[str, str]]:
        """(value, label) pairs as Django's model fields take them."""
        return [(member.value, member.label) for member in cls]


class Role(Labelled):
    """Who acts. SYSTEM is the machine itself: cut-off, returns, deadlines."""

    ENTERPRISE = "enterprise", "企业"
    ACCEPTOR = "acceptor", "受理人"
    REVIEWER = "reviewer", "审核人"
    # Whoever reviews in a department that is asked for its opinion on somebody else's application.
    JOINT_REVIEWER = "joint_reviewer", "会审人"
    SECOND_REVIEWER = "second_reviewer", "复审人"
    APPEAL_REVIEWER = "appeal_reviewer", "复核人"
    FINANCE_MAKER = "finance_maker", "财务经办"
    FINANCE_CHECKER = "finance_checker", "财务复核"
    FINANCE_APPROVER = "finance_approver", "财务审批"
    SYSTEM = "system", "系统"


class ApplicationState(Labelled):
    DRAFT = "draft", "草稿"
    SUBMITTED = "submitted", "待受理"
    CORRECTION = "correction", "待补正"
    NOT_ACCEPTED = "not_accepted", "不予受理"
    ACCEPTED = "accepted", "已受理"
    IN_REVIEW = "in_review", "审核中"
    REVIEW_CORRECTION = "review_correction", "审核补正"
    EXPERT = "expert", "专家评审中"
    SITE_VISIT = "site_visit", "现场核查中"
    JOINT_REVIEW = "joint_review", "部门会审中"
    SECOND_REVIEW = "second_review", "复审中"
    PUBLICITY = "publicity", "公示中"
    APPROVED = "approved", "审核通过"
    REJECTED = "rejected", "审核不通过"
    APPEAL = "appeal", "复核中"
    REJECTION_UPHELD = "rejection_upheld", "复核维持不通过"
    WITHDRAWN = "withdrawn", "已撤回"
    REVOKED = "revoked", "已撤销"
    CLOSED = "closed", "已办结"


class ApplicationAction(Labelled):
    SUBMIT = "submit", "提交申报"
    ASK_CORRECTION = "ask_correction", "要求补正"
    SUPPLY = "supply", "提交补正"
    LAPSE = "lapse", "逾期未补正"
    ACCEPT = "accept", "受理"
    ACCEPT_WITH_GAP = "accept_with_gap", "容缺受理"
    REFUSE = "refuse", "不予受理"
    START_REVIEW = "start_review", "开始审核"
    ASK_EXPERT = "ask_expert", "提请专家评审"
    EXPERT_REPORT = "expert_report", "收到专家意见"
    CANCEL_EXPERT = "cancel_expert", "取消专家评审"
    ARRANGE_VISIT = "arrange_visit", "安排现场核查"
    RECORD_VISIT = "record_visit", "登记现场核查"
    CANCEL_VISIT = "cancel_visit", "取消现场核查"
    ASK_DEPARTMENTS = "ask_departments", "提请部门会审"
    RECALL_REQUEST = "recall_request", "撤回会审"
    GIVE_OPINION = "give_opinion", "出具会审意见"
    GATHER_OPINIONS = "gather_opinions", "汇总会审意见"
    RECOMMEND_APPROVAL = "recommend_approval", "建议通过"
    RECOMMEND_REJECTION = "recommend_rejection", "建议不通过"
    SEND_BACK = "send_back", "退回审核"
    PUBLICISE = "publicise", "公示"
    SUSTAIN_OBJECTION = "sustain_objection", "公示异议成立"
    APPROVE = "approve", "审核通过"
    REJECT = "reject", "审核不通过"
    APPEAL = "appeal", "申请复核"
    UPHOLD = "uphold", "维持原决定"
    WITHDRAW = "withdraw", "撤回"
    REVOKE = "revoke", "撤销决定"
    CLOSE = "close", "办结"


class PayableState(Labelled):
    AWAITING = "awaiting", "待安排预算"
    RESERVED = "reserved", "已预留预算"
    SCHEDULED = "scheduled", "已列入批次"
    HELD = "held", "暂缓"
    SEALED = "sealed", "已封存待付"
    PAID = "paid", "已支付"
    SETTLED = "settled", "已结清"
    BOUNCED = "bounced", "退票"
    MENDED = "mended", "新账户待核对"
    REFUNDED = "refunded", "已退款"
    CLAWBACK = "clawback", "追回中"
    CLAWED_BACK = "clawed_back", "已追回"
    CANCELLED = "cancelled", "已取消"


class PayableAction(Labelled):
    RESERVE = "reserve", "预留预算"
    SCHEDULE = "schedule", "列入批次"
    UNSCHEDULE = "unschedule", "移出批次"
    HOLD = "hold", "暂缓"
    RELEASE = "release", "解除暂缓"
    SEAL = "seal", "封存"
    PAY = "pay", "支付成功"
    CONFIRM_PAID = "confirm_paid", "核实为已支付"
    BOUNCE = "bounce", "退票"
    MEND = "mend", "更正账户"
    CHECK_ACCOUNT = "check_account", "账户核对通过"
    REFUSE_ACCOUNT = "refuse_account", "账户核对不通过"
    REISSUE = "reissue", "原账户重新支付"
    SETTLE = "settle", "结清"
    REFUND = "refund", "退款"
    CLAW_BACK = "claw_back", "发起追回"
    RECOVER = "recover", "追回到账"
    SET_OFF = "set_off", "抵扣追回款"
    CANCEL = "cancel", "取消"


class BatchState(Labelled):
    ASSEMBLING = "assembling", "归集中"
    FROZEN = "frozen", "已冻结"
    CHECKED = "checked", "已校验，待经办"
    MADE = "made", "待复核"
    VERIFIED = "verified", "待审批"
    APPROVED = "approved", "待封存"
    SEALED = "sealed", "已封存"
    SENT = "sent", "已发送"
    ACKNOWLEDGED = "acknowledged", "银行已受理"
    RECONCILED = "reconciled", "已对账"
    CLOSED = "closed", "已关闭"
    DISSOLVED = "dissolved", "已解散"


class BatchAction(Labelled):
    FREEZE = "freeze", "冻结"
    CHECK = "check", "校验"
    MAKE = "make", "经办提交"
    VERIFY = "verify", "复核通过"
    CO_APPROVE = "co_approve", "审批会签"
    APPROVE = "approve", "审批通过"
    SEND_BACK = "send_back", "退回经办"
    SEAL = "seal", "封存"
    SEND = "send", "发送"
    ACKNOWLEDGE = "acknowledge", "银行受理"
    RECONCILE = "reconcile", "对账"
    CLOSE = "close", "关闭"
    DISSOLVE = "dissolve", "解散"


class CycleState(Labelled):
    OPEN = "open", "归集中"
    CUT_OFF = "cut_off", "已截止"
    CLOSED = "closed", "已关闭"


class CycleAction(Labelled):
    CUT_OFF = "cut_off", "截止"
    CLOSE = "close", "关闭"


class ClockStep(Labelled):
    """What a clock measures; each has a statutory and a promised limit in working days."""

    ACCEPTANCE = "acceptance", "受理"
    REVIEW = "review", "审核"
    APPEAL = "appeal", "复核"
    # One for each department that is asked; its own department is charged, not the one that asks.
    JOINT = "joint", "会审"


class ClockAct(Labelled):
    START = "start", "开始计时"
    PAUSE = "pause", "暂停计时"
    RESUME = "resume", "恢复计时"
    STOP = "stop", "停止计时"
