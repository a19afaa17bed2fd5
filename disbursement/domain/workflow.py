"""The state machines of an application, a payable, a batch and a cycle, each as one typed table.

A row says: in this state, this action, done by one of these roles, leads to that state, and does this to the
clocks. What stands in no row is refused. Nothing here touches a database: the services lock a row, ask
`find`, change the state and write the log in one transaction; set-based services take their WHERE clause from
`sources`.

Labels are Chinese because people see them; callers wrap them in gettext where they render.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from .states import (
    ApplicationAction,
    ApplicationState,
    BatchAction,
    BatchState,
    ClockAct,
    ClockStep,
    CycleAction,
    CycleState,
    Labelled,
    PayableAction,
    PayableState,
    Role,
)

__all__ = [
    "APPLICATION",
    "BATCH",
    "CYCLE",
    "PAYABLE",
    "PAYABLE_DONE",
    "ApplicationAction",
    "ApplicationState",
    "BatchAction",
    "BatchState",
    "ClockAct",
    "ClockEffect",
    "ClockStep",
    "CycleAction",
    "CycleState",
    "Labelled",
    "PayableAction",
    "PayableState",
    "Refused",
    "Role",
    "Table",
    "Transition",
    "WrongRole",
    "WrongState",
]


@dataclass(frozen=True, slots=True)
class ClockEffect:
    """What a transition does to one clock. Stopping a clock that does not run is no error."""

    act: ClockAct
    step: ClockStep


S = TypeVar("S", bound=Labelled)
A = TypeVar("A", bound=Labelled)


@dataclass(frozen=True, slots=True)
class Transition(Generic[S, A]):
    source: S
    action: A
    roles: frozenset[Role]
    target: S
    clock: tuple[ClockEffect, ...] = ()


class Refused(Exception):
    """An action that the table does not allow; the message is for people."""

    def __init__(self, message: str, *, state: Labelled, action: Labelled, role: Role) -> None:
        super().__init__(message)
        self.state = state
        self.action = action
        self.role = role


class WrongState(Refused):
    """The state knows no such action."""


class WrongRole(Refused):
    """The state knows the action, but not from this role."""


class Table(Generic[S, A]):
    """All transitions of one kind of thing. (state, action) is unique: who acts decides whether, never
    whither.
    """

    def __init__(self, subject: str, rows: list[Transition[S, A]]) -> None:
        self.subject = subject
        self._rows: dict[tuple[S, A], Transition[S, A]] = {}
        for row in rows:
            key = (row.source, row.action)
            if key in self._rows:
                raise ValueError(f"{subject}: {row.source} {row.action} stands twice")
            self._rows[key] = row

    def __iter__(self) -> Iterator[Transition[S, A]]:
        return iter(self._rows.values())

    def find(self, state: S, action: A, role: Role) -> Transition[S, A]:
        """The transition, or WrongState / WrongRole with a message that says what is allowed instead."""
        row = self._rows.get((state, action))
        if row is None:
            allowed = "、".join(dict.fromkeys(r.action.label for r in self if r.source == state)) or "无"
            raise WrongState(
                f"{self.subject}现为“{state.label}”，不能“{action.label}”。可进行的操作：{allowed}。",
                state=state,
                action=action,
                role=role,
            )
        if role not in row.roles:
            allowed = "、".join(r.label for r in Role if r in row.roles)
            raise WrongRole(
                f"“{action.label}”须由{allowed}进行，当前身份是{role.label}。请换由有该职责的人员办理。",
                state=state,
                action=action,
                role=role,
            )
        return row

    def actions(self, state: S, role: Role) -> list[A]:
        """What this role may do in this state, in table order; for buttons."""
        return [row.action for row in self if row.source == state and role in row.roles]

    def sources(self, action: A, role: Role) -> list[S]:
        """States from which this role may do the action; the WHERE clause of a set-based transition."""
        return [row.source for row in self if row.action == action and role in row.roles]

    def is_final(self, state: S) -> bool:
        return not any(row.source == state for row in self)


def _rows(
    sources: S | tuple[S, ...], action: A, roles: Role | tuple[Role, ...], target: S, *clock: ClockEffect
) -> list[Transition[S, A]]:
    many = sources if isinstance(sources, tuple) else (sources,)
    who = frozenset(roles if isinstance(roles, tuple) else (roles,))
    return [Transition(source, action, who, target, clock) for source in many]


def _start(step: ClockStep) -> ClockEffect:
    return ClockEffect(ClockAct.START, step)


def _pause(step: ClockStep) -> ClockEffect:
    return ClockEffect(ClockAct.PAUSE, step)


def _resume(step: ClockStep) -> ClockEffect:
    return ClockEffect(ClockAct.RESUME, step)


def _stop(step: ClockStep) -> ClockEffect:
    return ClockEffect(ClockAct.STOP, step)


_S, _A, _R, _C = ApplicationState, ApplicationAction, Role, ClockStep

APPLICATION: Table[ApplicationState, ApplicationAction] = Table(
    "申报",
    [
        *_rows(_S.DRAFT, _A.SUBMIT, _R.ENTERPRISE, _S.SUBMITTED, _start(_C.ACCEPTANCE)),
        *_rows(_S.SUBMITTED, _A.ASK_CORRECTION, _R.ACCEPTOR, _S.CORRECTION, _pause(_C.ACCEPTANCE)),
        *_rows(_S.CORRECTION, _A.SUPPLY, _R.ENTERPRISE, _S.SUBMITTED, _resume(_C.ACCEPTANCE)),
        *_rows(_S.CORRECTION, _A.LAPSE, _R.SYSTEM, _S.WITHDRAWN, _stop(_C.ACCEPTANCE)),
        # Where SYSTEM stands beside a reviewer, the item lets the machine take that step (免申即享, 即申即享), and the
        # database lets it do so only on a verification that was passed.
        *_rows(
            _S.SUBMITTED,
            _A.ACCEPT,
            (_R.ACCEPTOR, _R.SYSTEM),
            _S.ACCEPTED,
            _stop(_C.ACCEPTANCE),
            _start(_C.REVIEW),
        ),
        *_rows(
            _S.SUBMITTED,
            _A.ACCEPT_WITH_GAP,
            _R.ACCEPTOR,
            _S.ACCEPTED,
            _stop(_C.ACCEPTANCE),
            _start(_C.REVIEW),
        ),
        *_rows(_S.SUBMITTED, _A.REFUSE, _R.ACCEPTOR, _S.NOT_ACCEPTED, _stop(_C.ACCEPTANCE)),
        *_rows(_S.ACCEPTED, _A.START_REVIEW, (_R.REVIEWER, _R.SYSTEM), _S.IN_REVIEW),
        # Asking for a correction means having looked: after it the review goes on, it does not begin anew.
        *_rows(
            (_S.ACCEPTED, _S.IN_REVIEW),
            _A.ASK_CORRECTION,
            _R.REVIEWER,
            _S.REVIEW_CORRECTION,
            _pause(_C.REVIEW),
        ),
        *_rows(_S.REVIEW_CORRECTION, _A.SUPPLY, _R.ENTERPRISE, _S.IN_REVIEW, _resume(_C.REVIEW)),
        *_rows(_S.REVIEW_CORRECTION, _A.LAPSE, _R.SYSTEM, _S.WITHDRAWN, _stop(_C.REVIEW)),
        *_rows(_S.IN_REVIEW, _A.ASK_EXPERT, _R.REVIEWER, _S.EXPERT, _pause(_C.REVIEW)),
        *_rows(_S.EXPERT, _A.EXPERT_REPORT, _R.REVIEWER, _S.IN_REVIEW, _resume(_C.REVIEW)),
        *_rows(_S.EXPERT, _A.CANCEL_EXPERT, _R.REVIEWER, _S.IN_REVIEW, _resume(_C.REVIEW)),
        # A visit is the department's own work: its clock runs on. Other departments' opinions are theirs: each has a
        # clock of its own, started by the service, and the review's stands still meanwhile.
        *_rows(_S.IN_REVIEW, _A.ARRANGE_VISIT, _R.REVIEWER, _S.SITE_VISIT),
        *_rows(_S.SITE_VISIT, _A.RECORD_VISIT, _R.REVIEWER, _S.IN_REVIEW),
        *_rows(_S.SITE_VISIT, _A.CANCEL_VISIT, _R.REVIEWER, _S.IN_REVIEW),
        *_rows(_S.IN_REVIEW, _A.ASK_DEPARTMENTS, _R.REVIEWER, _S.JOINT_REVIEW, _pause(_C.REVIEW)),
        *_rows(_S.JOINT_REVIEW, _A.GIVE_OPINION, _R.JOINT_REVIEWER, _S.JOINT_REVIEW),
        # What nobody can answer is taken back, and the opinions that came are gathered.
        *_rows(_S.JOINT_REVIEW, _A.RECALL_REQUEST, _R.REVIEWER, _S.JOINT_REVIEW),
        *_rows(_S.JOINT_REVIEW, _A.GATHER_OPINIONS, _R.SYSTEM, _S.IN_REVIEW, _resume(_C.REVIEW), _stop(_C.JOINT)),
        *_rows(_S.IN_REVIEW, _A.RECOMMEND_APPROVAL, (_R.REVIEWER, _R.SYSTEM), _S.SECOND_REVIEW),
        *_rows(_S.IN_REVIEW, _A.RECOMMEND_REJECTION, _R.REVIEWER, _S.SECOND_REVIEW),
        *_rows(_S.SECOND_REVIEW, _A.SEND_BACK, _R.SECOND_REVIEWER, _S.IN_REVIEW),
        *_rows(_S.SECOND_REVIEW, _A.PUBLICISE, (_R.SECOND_REVIEWER, _R.SYSTEM), _S.PUBLICITY, _pause(_C.REVIEW)),
        *_rows(_S.SECOND_REVIEW, _A.APPROVE, (_R.SECOND_REVIEWER, _R.SYSTEM), _S.APPROVED, _stop(_C.REVIEW)),
        *_rows(_S.SECOND_REVIEW, _A.REJECT, _R.SECOND_REVIEWER, _S.REJECTED, _stop(_C.REVIEW)),
        *_rows(_S.PUBLICITY, _A.SUSTAIN_OBJECTION, _R.SECOND_REVIEWER, _S.SECOND_REVIEW, _resume(_C.REVIEW)),
        *_rows(_S.PUBLICITY, _A.APPROVE, (_R.SECOND_REVIEWER, _R.SYSTEM), _S.APPROVED, _stop(_C.REVIEW)),
        # What turned out during the publicity (no longer eligible, another amount) takes it back to review.
        *_rows(_S.PUBLICITY, _A.SEND_BACK, _R.SECOND_REVIEWER, _S.IN_REVIEW, _resume(_C.REVIEW)),
        *_rows(_S.REJECTED, _A.APPEAL, _R.ENTERPRISE, _S.APPEAL, _start(_C.APPEAL)),
        *_rows(_S.APPEAL, _A.UPHOLD, _R.APPEAL_REVIEWER, _S.REJECTION_UPHELD, _stop(_C.APPEAL)),
        *_rows(_S.APPEAL, _A.PUBLICISE, _R.APPEAL_REVIEWER, _S.PUBLICITY, _stop(_C.APPEAL)),
        *_rows(_S.APPEAL, _A.APPROVE, _R.APPEAL_REVIEWER, _S.APPROVED, _stop(_C.APPEAL)),
        # What the first review left out (a visit, an opinion) is made up for before anything is granted.
        *_rows(_S.APPEAL, _A.SEND_BACK, _R.APPEAL_REVIEWER, _S.IN_REVIEW, _stop(_C.APPEAL), _resume(_C.REVIEW)),
        *_rows(
            (
                _S.DRAFT,
                _S.SUBMITTED,
                _S.CORRECTION,
                _S.ACCEPTED,
                _S.IN_REVIEW,
                _S.REVIEW_CORRECTION,
                _S.EXPERT,
                _S.SITE_VISIT,
                _S.JOINT_REVIEW,
                _S.SECOND_REVIEW,
                _S.PUBLICITY,
                _S.APPEAL,
            ),
            _A.WITHDRAW,
            _R.ENTERPRISE,
            _S.WITHDRAWN,
            _stop(_C.ACCEPTANCE),
            _stop(_C.REVIEW),
            _stop(_C.APPEAL),
            _stop(_C.JOINT),
        ),
        # Only while no instalment has left the house; the service cancels them in the same transaction.
        *_rows(_S.APPROVED, _A.REVOKE, _R.SECOND_REVIEWER, _S.REVOKED),
        *_rows(_S.APPROVED, _A.CLOSE, _R.SYSTEM, _S.CLOSED),
    ],
)
UNDER_WAY = frozenset(
    state
    for state in ApplicationState
    if state not in (_S.DRAFT, _S.APPROVED, _S.REJECTED) and not APPLICATION.is_final(state)
)
"""Submitted and not decided: somebody of the department has it at work, or waits for somebody else."""

_P, _Q = PayableState, PayableAction
_FINANCE = (_R.FINANCE_MAKER, _R.FINANCE_CHECKER, _R.FINANCE_APPROVER)

PAYABLE: Table[PayableState, PayableAction] = Table(
    "应付款项",
    [
        *_rows(_P.AWAITING, _Q.RESERVE, _R.SYSTEM, _P.RESERVED),
        *_rows((_P.RESERVED, _P.HELD), _Q.SCHEDULE, _R.SYSTEM, _P.SCHEDULED),
        *_rows(_P.SCHEDULED, _Q.UNSCHEDULE, (_R.SYSTEM, *_FINANCE), _P.RESERVED),
        *_rows((_P.RESERVED, _P.SCHEDULED), _Q.HOLD, (_R.SYSTEM, *_FINANCE), _P.HELD),
        *_rows(_P.HELD, _Q.RELEASE, (_R.FINANCE_CHECKER, _R.FINANCE_APPROVER), _P.RESERVED),
        *_rows(_P.SCHEDULED, _Q.SEAL, _R.SYSTEM, _P.SEALED),
        *_rows(_P.SEALED, _Q.PAY, _R.SYSTEM, _P.PAID),
        # Where the bank said both, a person asks it; until another payment is under way that can be put
        # right.
        *_rows((_P.BOUNCED, _P.MENDED, _P.RESERVED, _P.HELD), _Q.CONFIRM_PAID, _R.FINANCE_CHECKER, _P.PAID),
        *_rows((_P.SEALED, _P.PAID, _P.SETTLED), _Q.BOUNCE, _R.SYSTEM, _P.BOUNCED),
        *_rows(_P.BOUNCED, _Q.MEND, _R.ENTERPRISE, _P.MENDED),
        # The account was not at fault; another person of finance asked for it.
        *_rows(_P.BOUNCED, _Q.REISSUE, _R.FINANCE_APPROVER, _P.RESERVED),
        *_rows(_P.MENDED, _Q.CHECK_ACCOUNT, _R.FINANCE_CHECKER, _P.RESERVED),
        *_rows(_P.MENDED, _Q.REFUSE_ACCOUNT, _R.FINANCE_CHECKER, _P.BOUNCED),
        *_rows(_P.PAID, _Q.SETTLE, _R.SYSTEM, _P.SETTLED),
        *_rows((_P.PAID, _P.SETTLED), _Q.REFUND, (_R.SYSTEM, _R.FINANCE_CHECKER), _P.REFUNDED),
        *_rows((_P.PAID, _P.SETTLED), _Q.CLAW_BACK, _R.FINANCE_APPROVER, _P.CLAWBACK),
        # By an approver where the last of it is set off against this:
        *_rows(_P.CLAWBACK, _Q.RECOVER, (_R.SYSTEM, _R.FINANCE_CHECKER, _R.FINANCE_APPROVER), _P.CLAWED_BACK),
        *_rows((_P.RESERVED, _P.HELD), _Q.SET_OFF, _R.FINANCE_APPROVER, _P.SETTLED),
        *_rows(
            (_P.AWAITING, _P.RESERVED, _P.HELD, _P.BOUNCED, _P.MENDED),
            _Q.CANCEL,
            (_R.SECOND_REVIEWER, _R.FINANCE_APPROVER),
            _P.CANCELLED,
        ),
    ],
)

# An application closes when each of its payables stands in one of these.
PAYABLE_DONE: frozenset[PayableState] = frozenset({_P.SETTLED, _P.REFUNDED, _P.CLAWED_BACK, _P.CANCELLED})

_B, _D = BatchState, BatchAction
_BEFORE_SEAL = (_B.ASSEMBLING, _B.FROZEN, _B.CHECKED, _B.MADE, _B.VERIFIED, _B.APPROVED)

BATCH: Table[BatchState, BatchAction] = Table(
    "批次",
    [
        *_rows(_B.ASSEMBLING, _D.FREEZE, _R.SYSTEM, _B.FROZEN),
        *_rows(_B.FROZEN, _D.CHECK, _R.SYSTEM, _B.CHECKED),
        *_rows(_B.CHECKED, _D.MAKE, _R.FINANCE_MAKER, _B.MADE),
        *_rows(_B.MADE, _D.VERIFY, _R.FINANCE_CHECKER, _B.VERIFIED),
        # A large batch takes more than one approver; all but the last leave it where it is.
        *_rows(_B.VERIFIED, _D.CO_APPROVE, _R.FINANCE_APPROVER, _B.VERIFIED),
        *_rows(_B.VERIFIED, _D.APPROVE, _R.FINANCE_APPROVER, _B.APPROVED),
        *_rows(_B.MADE, _D.SEND_BACK, _R.FINANCE_CHECKER, _B.CHECKED),
        *_rows((_B.VERIFIED, _B.APPROVED), _D.SEND_BACK, _R.FINANCE_APPROVER, _B.CHECKED),
        *_rows(_B.APPROVED, _D.SEAL, _R.SYSTEM, _B.SEALED),
        *_rows(_B.SEALED, _D.SEND, _R.SYSTEM, _B.SENT),
        *_rows(_B.SENT, _D.ACKNOWLEDGE, _R.SYSTEM, _B.ACKNOWLEDGED),
        *_rows((_B.SENT, _B.ACKNOWLEDGED), _D.RECONCILE, _R.SYSTEM, _B.RECONCILED),
        *_rows(_B.RECONCILED, _D.CLOSE, (_R.SYSTEM, _R.FINANCE_CHECKER), _B.CLOSED),
        *_rows(_BEFORE_SEAL, _D.DISSOLVE, (_R.SYSTEM, _R.FINANCE_APPROVER), _B.DISSOLVED),
    ],
)

CYCLE: Table[CycleState, CycleAction] = Table(
    "兑现周期",
    [
        *_rows(CycleState.OPEN, CycleAction.CUT_OFF, _R.SYSTEM, CycleState.CUT_OFF),
        *_rows(CycleState.CUT_OFF, CycleAction.CLOSE, _R.SYSTEM, CycleState.CLOSED),
    ],
)
