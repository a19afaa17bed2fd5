"""A file of which the bank's system never says clearly whether it has it: the bank is asked in writing.

One of finance begins, and from then on the file is not tried, nor does it stand in a folder: the bank's letter would
say nothing of what comes after it. The letter is entered, and an approver who did not enter it agrees: then the file
counts as arrived, or as refused, and may go another way. Where it is not agreed to, or given up, tries go on. Topics
`inquiry.entered` and `inquiry.ended` {inquiry}.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from disbursement.domain.actors import Actor
from disbursement.domain.conflicts import Conflict
from disbursement.domain.errors import Fault, Invalid, invalid
from disbursement.domain.workflow import BatchState, Role
from disbursement.models import BankInquiry, Batch, Delivery, DeliveryState, SealedFile
from disbursement.services.payment.gateways import is_asked_in_writing
from disbursement.services.payment.sending_deeds import FINANCE, forget, is_spoken_of, locked_delivery, recall
from disbursement.services.payment.sending_outcomes import PROBLEM, SETTLED, note
from disbursement.services.payment.transitions import lock_batch, person, require_role
from matching.days import SHANGHAI, day_of
from matching.registry import outbox

_OPEN = (DeliveryState.PLANNED, DeliveryState.UNSURE)
_KNOWN = "核实期间已经查明文件是否送达，或回单已到。请结束核实并写明情况。"


@dataclass(frozen=True, slots=True)
class Letter:
    """What the bank wrote: whether it took the file, under which number and on which day, in its words."""

    has_file: bool | None
    paper_number: str
    written_on: date | None
    text: str
    reference: str = ""


def in_doubt(*, delivery: Delivery, batch: Batch) -> bool:
    """Whether the file may have left and nobody knows its end; what returns have answered did arrive."""
    return delivery.state in _OPEN and delivery.tried_at is not None and batch.state == BatchState.SEALED


def settled_at(*, delivery: Delivery) -> datetime:
    """From when on a bank that has not got the file will not get it any more: no try before is under way by then."""
    assert delivery.tried_at is not None
    return delivery.tried_at + SETTLED


@transaction.atomic
def begin(*, batch_id: int, actor: Actor, now: datetime) -> BankInquiry:
    """Stop trying, and ask the bank in writing. Raises Invalid where it is not in doubt or was asked about; Denied."""
    batch, delivery = _locked(batch_id=batch_id, actor=actor, roles=FINANCE)
    if not in_doubt(delivery=delivery, batch=batch):
        raise invalid("batch", f"批次{batch.number}的文件是否送达已经清楚，不需要书面核实。请刷新页面查看现状。")
    if is_asked_in_writing(delivery=delivery):
        raise invalid("batch", f"批次{batch.number}正在书面核实。请刷新页面，登记银行的书面材料。")
    recall(delivery=delivery)
    return BankInquiry.objects.create(delivery=delivery, asked_by_id=person(actor), asked_at=now)


@transaction.atomic
def enter(*, batch_id: int, letter: Letter, actor: Actor, now: datetime) -> BankInquiry:
    """Enter what the bank wrote; nothing follows from it before it is agreed to. Raises Invalid with all that is
    missing, or where the letter is older than the doubt; Denied.
    """
    batch, delivery = _locked(batch_id=batch_id, actor=actor, roles=FINANCE)
    found = _open(batch=batch, delivery=delivery)
    if found.entered_at is not None:
        raise invalid("batch", "银行的书面材料已经登记，等待审批。请刷新页面。")
    if not _answers(has_file=letter.has_file, delivery=delivery, batch=batch):
        raise invalid("batch", _KNOWN)
    _check(letter=letter, delivery=delivery, today=day_of(now))
    found.has_file, found.written_on = letter.has_file, letter.written_on
    found.paper_number, found.text = letter.paper_number.strip()[:80], letter.text.strip()[:300]
    found.reference = letter.reference.strip()[:100]
    found.entered_by_id, found.entered_at = person(actor), now
    found.save(
        update_fields=["has_file", "written_on", "paper_number", "text", "reference", "entered_by", "entered_at"]
    )
    _tell("inquiry.entered", found, now)
    return found


@transaction.atomic
def decide(*, batch_id: int, approve: bool, actor: Actor, now: datetime, opinion: str = "") -> Delivery:
    """Agree to the letter, or refuse it with an opinion: an approver who did not enter it. Agreed to, the sending is
    done, or counts as refused. Raises Conflict, Denied, and Invalid where the doubt has ended otherwise or an earlier
    try may still be under way.
    """
    batch, delivery = _locked(batch_id=batch_id, actor=actor, roles=(Role.FINANCE_APPROVER,))
    found = _open(batch=batch, delivery=delivery)
    if found.entered_at is None:
        raise invalid("batch", "还没有登记银行的书面材料。请先登记，再由另一名财务审批人员决定。")
    if found.entered_by_id == person(actor):
        raise Conflict("银行的书面材料由您登记，须由另一名财务审批人员决定。")
    if not approve and not opinion.strip():
        raise invalid("note", "请写明不同意的原因。")
    if approve:
        delivery = _follow(inquiry=found, batch=batch, delivery=delivery, now=now, person_id=person(actor))
    _end(inquiry=found, approved=approve, actor=actor, now=now, opinion=opinion)
    return delivery


@transaction.atomic
def give_up(*, batch_id: int, actor: Actor, now: datetime, opinion: str = "") -> None:
    """Ask the bank's system again instead: tries go on. Raises Invalid where nothing was begun; Denied."""
    batch, delivery = _locked(batch_id=batch_id, actor=actor, roles=FINANCE)
    _end(
        inquiry=_open(batch=batch, delivery=delivery),
        approved=False,
        actor=actor,
        now=now,
        opinion=opinion.strip() or "撤回书面核实，继续通过系统查询。",
    )


def _answers(*, has_file: bool | None, delivery: Delivery, batch: Batch) -> bool:
    """Whether a letter can still say something of the file: of one in doubt anything; of one that a last try found
    refused, that the bank took it before.
    """
    is_refused = delivery.state == DeliveryState.REFUSED and batch.state == BatchState.SEALED
    return in_doubt(delivery=delivery, batch=batch) or (is_refused and bool(has_file))


def _follow(*, inquiry: BankInquiry, batch: Batch, delivery: Delivery, now: datetime, person_id: int) -> Delivery:
    if not _answers(has_file=inquiry.has_file, delivery=delivery, batch=batch):
        raise invalid("batch", _KNOWN)
    paper = f"银行书面材料{inquiry.paper_number}（{inquiry.written_on}）"
    if inquiry.has_file:
        done = {"reference": inquiry.reference, "done_at": now, "done_by_id": person_id}
        return note(delivery=delivery, state=DeliveryState.DONE, now=now, problem="", **done)
    if now < settled_at(delivery=delivery):
        raise invalid(
            "batch",
            f"最近一次发送不满一天，可能仍在途中，{_clock(settled_at(delivery=delivery))}以后才能按“银行没有受理”处理。",
        )
    if is_spoken_of(batch=batch):
        raise invalid("batch", "银行的回单提到了这个批次，与“没有受理”矛盾。请先处理该批次的回单例外，再决定。")
    forget(delivery=delivery, name=SealedFile.objects.values_list("name", flat=True).get(batch=batch))
    problem = f"{paper}确认没有受理该文件：{inquiry.text}可再次发送，或改走其他通道。"
    return note(delivery=delivery, state=DeliveryState.REFUSED, now=now, problem=problem[:PROBLEM])


def _check(*, letter: Letter, delivery: Delivery, today: date) -> None:
    faults = []
    if letter.has_file is None:
        faults.append(Fault("has_file", "请选择银行是否受理了该文件。"))
    if not letter.paper_number.strip():
        faults.append(Fault("paper_number", "请填写银行书面材料的编号。"))
    if not letter.text.strip():
        faults.append(Fault("text", "请填写银行的说明。"))
    if letter.written_on is None:
        faults.append(Fault("written_on", "请填写书面材料的日期。"))
    elif letter.written_on > today:
        faults.append(Fault("written_on", "书面材料的日期不能晚于今天。"))
    elif letter.has_file is False and letter.written_on < day_of(settled_at(delivery=delivery)):
        # What the bank had not got the day before, it may have got since.
        faults.append(
            Fault(
                "written_on",
                f"最近一次发送是{_clock(delivery.tried_at)}，银行出具的材料须在满一天以后"
                f"（{day_of(settled_at(delivery=delivery))}起），才能说明没有收到。",
            )
        )
    if faults:
        raise Invalid(faults)


def _clock(moment: datetime | None) -> str:
    assert moment is not None
    return f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def _locked(*, batch_id: int, actor: Actor, roles: tuple[Role, ...]) -> tuple[Batch, Delivery]:
    batch = lock_batch(batch_id=batch_id)
    require_role(actor=actor, roles=roles, department_id=batch.budget_line.department_id)
    delivery = locked_delivery(batch=batch)
    if delivery is None:
        raise invalid("batch", f"批次{batch.number}尚未登记发送。请先封存并发送。")
    return batch, delivery


def _open(*, batch: Batch, delivery: Delivery) -> BankInquiry:
    found = delivery.inquiries.select_for_update().filter(ended_at__isnull=True).first()
    if found is None:
        raise invalid("batch", f"批次{batch.number}没有进行中的书面核实。请刷新页面查看现状。")
    return found


def _end(*, inquiry: BankInquiry, approved: bool, actor: Actor, now: datetime, opinion: str) -> None:
    inquiry.approved, inquiry.ended_by_id, inquiry.ended_at = approved, person(actor), now
    inquiry.note = opinion.strip()[:300]
    inquiry.save(update_fields=["approved", "ended_by", "ended_at", "note"])
    _tell("inquiry.ended", inquiry, now)


def _tell(topic: str, inquiry: BankInquiry, now: datetime) -> None:
    outbox.emit(topic=topic, payload={"inquiry": inquiry.pk}, now=now, dedupe_key=f"{topic}:{inquiry.pk}")
