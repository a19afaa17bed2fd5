"""A small month and the next, as people live them: each repeats a click until the page says that it is done.

Two lines, four enterprises: apply, be reviewed, be approved; hold one payment; cut off, by hand or by night; three
signatures; seal and send to the bank; its answers, well and badly; bounced payments mended, checked, and paid next
month with what was held.
"""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from disbursement.domain.cycle import cutoff_date
from disbursement.domain.workflow import ApplicationState, BatchState, CycleState, PayableState
from disbursement.models import (
    Application,
    AttemptOutcome,
    Batch,
    Cycle,
    Payable,
    PayeeAccount,
    PaymentAttempt,
    ReturnFile,
    ReturnLine,
)
from disbursement.selectors.calendar import working_calendar
from portal.accounts.models import StaffRole
from tests.factories.disbursement import at

from . import checks, clock
from .lab import HonestBank, Lab
from .people import Person
from .plan import Evils
from .scene import ITEMS

MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
PATIENCE = 60.0
_OVER = (BatchState.CLOSED, BatchState.DISSOLVED)


@dataclass
class Month:
    """The driver of one round."""

    lab: Lab
    bank: HonestBank
    evils: Evils
    seed: str
    steps: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = random.Random(f"story:{self.seed}")
        scene = self.lab.scene
        self.staff = {role: Person(self.lab.url, key) for role, key in scene.staff.items()}
        self.agents = {pk: Person(self.lab.url, key) for pk, key in scene.agents.items()}

    def live(self) -> None:
        """The whole story."""
        enterprises = list(self.agents)
        fixed, thirds = ITEMS
        self.now_is(at("2026-03-03", 9))
        wanted = [(enterprises[0], fixed), (enterprises[1], fixed), (enterprises[2], thirds)]
        for enterprise, code in wanted:
            self.apply(enterprise, code)
        self.now_is(at("2026-03-09", 9))
        for enterprise, code in wanted:
            self.review(enterprise, code)
        held = self.hold_one()
        self.run_month(MARCH)
        self.release(held)
        self.mend_what_bounced()
        self.now_is(at("2026-04-02", 9))
        self.apply(enterprises[3], fixed)
        self.review(enterprises[3], fixed)
        # In April the bank pays whatever it is sent: so that everything comes to its end.
        self.bank.mischief = replace(self.bank.mischief, bounce=0, late_bounce=0)
        self.run_month(APRIL)

    def now_is(self, moment: datetime) -> None:
        clock.set_to(self.lab.clock, max(moment, clock.read(self.lab.clock)))

    def step(self, name: str, done: Callable[[], Any], act: Callable[[], object] | None = None) -> None:
        """Until it is done: act, look for a moment whether it is, act again. What died is started by its supervisor."""
        self.steps.append(name)
        self.evils.before(name)
        end = time.monotonic() + PATIENCE
        while not self.lab.asks(done):
            self.lab.keep_up()
            if act is not None:
                self.lab.asks(act)
            look = time.monotonic() + 0.8
            while not (so := self.lab.asks(done)) and time.monotonic() < look:
                time.sleep(0.03)
            if so:
                return
            assert time.monotonic() < end, self.stuck(name)

    def stuck(self, name: str) -> str:
        said = [f"{role}: {person.last}" for role, person in [*self.staff.items(), *self.agents.items()] if person.last]
        logs = [f"--- {role}\n{self.lab.log(role)}" for role in ("web", "worker")]
        waiting = self.lab.asks(lambda: checks.waits(self.lab))
        return "\n".join([f"not done within {PATIENCE:.0f} s: {name}; waiting: {waiting}", *said, *logs])

    # applications

    def apply(self, enterprise: int, code: str) -> None:
        agent = self.agents[enterprise]
        mine = Application.objects.filter(enterprise=enterprise, item__code=code)
        self.step(
            f"apply {code}",
            mine.exists,
            lambda: agent.submits(f"/enterprise/opportunities/{code}/", f"/apply/{code}/"),
        )
        pk = self.lab.reads(lambda: mine.get().pk)
        page = f"/enterprise/applications/{pk}"
        self.step(
            "fill in",
            mine.exclude(contact_phone="").exists,
            lambda: agent.submits(
                f"{page}/edit/", f"{page}/edit/", button="next", contact_name="张三", contact_phone="028-00000000"
            ),
        )
        self.step(
            "submit",
            mine.exclude(state=ApplicationState.DRAFT).exists,
            lambda: agent.submits(f"{page}/check/", f"{page}/check/"),
        )

    def review(self, enterprise: int, code: str) -> None:
        pk = self.lab.reads(lambda: Application.objects.filter(enterprise=enterprise, item__code=code).get().pk)
        way: list[tuple[StaffRole, str, ApplicationState, dict[str, str]]] = [
            (StaffRole.ACCEPTOR, "accept", ApplicationState.SUBMITTED, {}),
            (StaffRole.REVIEWER, "start", ApplicationState.ACCEPTED, {}),
            (StaffRole.REVIEWER, "recommend", ApplicationState.IN_REVIEW, {"text": "条件满足，建议通过。"}),
            (StaffRole.SECOND_REVIEWER, "approve", ApplicationState.SECOND_REVIEW, {}),
        ]
        for role, deed, before, fields in way:
            self.step(
                deed,
                Application.objects.filter(pk=pk).exclude(state=before).exists,
                lambda role=role, deed=deed, fields=fields: self.staff[role].submits(  # type: ignore[misc]
                    f"/desk/applications/{pk}/", f"/do/{deed}/", **fields
                ),
            )

    # single payments

    def hold_one(self) -> int:
        pk = self.dice.choice(
            self.lab.reads(lambda: list(Payable.objects.order_by("pk").values_list("pk", flat=True)[:2]))
        )
        self.step(
            "hold",
            Payable.objects.filter(pk=pk, state=PayableState.HELD).exists,
            lambda: self.finance(StaffRole.FINANCE_CHECKER, f"/desk/payables/{pk}/", "/do/hold/", reason="待查"),
        )
        return pk

    def release(self, pk: int) -> None:
        self.step(
            "release",
            Payable.objects.filter(pk=pk).exclude(state=PayableState.HELD).exists,
            lambda: self.finance(StaffRole.FINANCE_CHECKER, f"/desk/payables/{pk}/", "/do/release/", note="已查清"),
        )

    def mend_what_bounced(self) -> None:
        waiting = Payable.objects.filter(state__in=[PayableState.BOUNCED, PayableState.MENDED])
        bounced = waiting.order_by("enterprise").values_list("enterprise", flat=True).distinct()
        for enterprise in self.lab.reads(lambda: list(bounced)):
            proposed = PayeeAccount.objects.filter(enterprise=enterprise, bank_name="中国银行")
            name = self.lab.scene.names[enterprise]
            self.step(
                "mend",
                proposed.exists,
                lambda who=enterprise, name=name: self.agents[who].submits(  # type: ignore[misc]
                    "/enterprise/account/",
                    "/enterprise/account/",
                    account_name=name,
                    bank_name="中国银行",
                    account_number=f"62170000{who:08d}",
                ),
            )
            self.step(
                "check the account",
                proposed.filter(state="checked").exists,
                self.check_one_account,
            )

    def check_one_account(self) -> None:
        waiting = PayeeAccount.objects.filter(state="proposed").order_by("pk").first()
        if waiting is not None:
            self.finance(StaffRole.FINANCE_CHECKER, "/desk/accounts/", f"/accounts/{waiting.pk}/check/", accept="yes")

    # the month

    def run_month(self, month: date) -> None:
        cut_off_on = cutoff_date(month, calendar=working_calendar())
        cycle = Cycle.objects.filter(month=month)
        self.step("the month opens by itself", cycle.exists)
        pk = self.lab.reads(lambda: cycle.get().pk)
        cut = cycle.exclude(state=CycleState.OPEN).exists
        if self.dice.random() < 0.3:
            self.now_is(at(cut_off_on + timedelta(days=1), 2, 31))
            self.step("cut off by night", cut)
        else:
            self.now_is(at(cut_off_on, 17))
            self.step(
                "cut off",
                cut,
                lambda: self.finance(StaffRole.FINANCE_MAKER, f"/desk/cycles/{pk}/", "/cut-off/"),
            )
        batches = Batch.objects.filter(cycle=pk).exclude(state=BatchState.DISSOLVED)
        numbered = batches.order_by("number").values_list("pk", flat=True)
        for batch in self.lab.reads(lambda: list(numbered)):
            self.sign(batch)
        self.seal(pk)
        self.now_is(at(cut_off_on + timedelta(days=4), 9))
        bring = self.dice.random() < 0.3
        self.step("the bank pays", lambda: self.bank.settle(on=clock.read(self.lab.clock).date()))
        self.step(
            "returns",
            lambda: not PaymentAttempt.objects.filter(batch__cycle=pk, outcome=AttemptOutcome.PENDING).exists(),
            self.bring_a_return if bring else None,
        )
        self.step(
            "exceptions, and the month closes",
            lambda: self.all_is_read() and cycle.filter(state=CycleState.CLOSED).exists(),
            self.resolve_one,
        )

    def sign(self, batch: int) -> None:
        page = f"/desk/batches/{batch}/"
        row = Batch.objects.filter(pk=batch)
        form = self.dice.choice(("bank_csv", "pain001", "bank_xlsx"))
        self.step(
            "make",
            row.exclude(state=BatchState.CHECKED).exists,
            lambda: self.finance(StaffRole.FINANCE_MAKER, page, "/do/make/", file_format=form),
        )
        self.step(
            "verify",
            row.exclude(state__in=[BatchState.CHECKED, BatchState.MADE]).exists,
            lambda: self.finance(StaffRole.FINANCE_CHECKER, page, "/do/verify/"),
        )
        self.step(
            "approve the batch",
            row.exclude(state__in=[BatchState.CHECKED, BatchState.MADE, BatchState.VERIFIED]).exists,
            lambda: self.finance(StaffRole.FINANCE_APPROVER, page, "/do/approve/"),
        )

    def seal(self, cycle: int) -> None:
        """Pressed once, then left to the machine: what was sealed must reach the bank without anybody."""
        batches = Batch.objects.filter(cycle=cycle).exclude(state=BatchState.DISSOLVED)
        unsealed = batches.filter(state=BatchState.APPROVED)
        sent = batches.exclude(state__in=[BatchState.APPROVED, BatchState.SEALED])

        def press() -> None:
            if unsealed.exists():
                self.finance(StaffRole.FINANCE_MAKER, f"/desk/cycles/{cycle}/", f"/cycles/{cycle}/seal/")

        self.step("seal and send", lambda: sent.count() == batches.count(), press)

    def bring_a_return(self) -> None:
        """A person carries a file of the bank's to the page instead of waiting."""
        for name, content in self.bank.returns():
            if not ReturnFile.objects.filter(name=name, posted_at__isnull=False).exists():
                self.finance(StaffRole.FINANCE_MAKER, "/desk/returns/", "/desk/returns/", file=(name, content))
                return

    def resolve_one(self) -> None:
        """What the machine leaves to people: lines that fit nothing. Anything else must go on by itself."""
        line = ReturnLine.objects.filter(status="exception", resolved_at__isnull=True).order_by("pk").first()
        if line is not None:
            self.finance(
                StaffRole.FINANCE_CHECKER,
                "/desk/exceptions/",
                f"/exceptions/{line.pk}/",
                remedy="other",
                text="已向银行核实",
            )

    def all_is_read(self) -> bool:
        """Whether every whole file of the bank's is in the books to its end."""
        whole = {hashlib.sha256(content).hexdigest() for name, content in self.bank.returns() if "-partial" not in name}
        return whole <= set(ReturnFile.objects.filter(posted_at__isnull=False).values_list("sha256", flat=True))

    def finance(self, role: StaffRole, page: str, action: str, *, file: Any = None, **fields: Any) -> bool:
        return self.staff[role].submits(page, action, file=file, **fields)
