"""The bank itself: takes files, once for each key, and answers them later, well or badly.

Its books are a folder, so that it may be killed and started again like a real one: an order is taken when its record
stands there under its key, and two that come at once leave one record.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from .answers import Answer, write_answer
from .orders import NotAnOrder, Order, read_order

_BOUNCES = (("AC04", "账号已销户"), ("BE01", "账号户名不符"), ("AC06", "账户已冻结"))


@dataclass(frozen=True, slots=True)
class Mischief:
    """How badly the bank behaves. `slow` is in seconds; the others are shares from 0 (never) to 1 (always).

    On the way in: `lost_request` (cut before the file is taken), `lost_answer` (taken, then cut), `error` (503 before
    it is taken). In what it returns: `bounce` and `refund` are its ordinary life; `late_bounce` says paid first and
    退票 a day later; `routed_again` pays a day after it bounced; `duplicate` the same results in other words, `repeat`
    the very same file again; `partial` a file cut short before the whole; `wrong_amount`, `wrong_payee` a line that
    does not agree, mended in a later file; `out_of_order` later files before earlier ones; `strangers` a line of
    somebody else's.
    """

    slow: float = 0
    lost_request: float = 0
    lost_answer: float = 0
    error: float = 0
    bounce: float = 0
    refund: float = 0
    late_bounce: float = 0
    routed_again: float = 0
    duplicate: float = 0
    repeat: float = 0
    partial: float = 0
    wrong_amount: float = 0
    wrong_payee: float = 0
    out_of_order: float = 0
    strangers: float = 0

    @classmethod
    def parse(cls, text: str) -> Mischief:
        """From "lost_answer=0.5,slow=2". Raises ValueError with what is allowed."""
        known = [found.name for found in fields(cls)]
        made = cls()
        for part in filter(None, (piece.strip() for piece in text.split(","))):
            name, _, value = part.partition("=")
            if name not in known:
                raise ValueError(f"没有“{name}”，可用：{'、'.join(known)}。")
            try:
                share = float(value or "1")
            except ValueError as error:
                raise ValueError(f"“{part}”应如 {name}=0.5。") from error
            if share < 0 or (share > 1 and name != "slow"):
                raise ValueError(f"“{part}”应在0到1之间。")
            made = replace(made, **{name: share})
        return made


@dataclass(frozen=True, slots=True)
class Taken:
    """An order in the bank's books."""

    key: str
    name: str
    sha256: str
    status: str  # accepted or rejected
    reference: str
    reason: str = ""


class KeyConflict(Exception):
    """The key was used for other bytes before."""


class Bank:
    """Takes orders and writes returns. Safe to use from several threads and processes on one folder."""

    def __init__(self, folder: Path, *, mischief: Mischief | None = None, seed: int = 1, answers: str = "csv") -> None:
        self.mischief = mischief or Mischief()
        self._answers = answers
        self._dice = random.Random(seed)
        self._orders, self._returns = folder / "orders", folder / "returns"
        for made in (self._orders, self._returns):
            made.mkdir(parents=True, exist_ok=True)

    def happens(self, kind: str) -> bool:
        """Whether this mischief befalls now."""
        share: float = getattr(self.mischief, kind)
        return share > 0 and self._dice.random() < share

    def take(self, *, key: str, name: str, content: bytes) -> Taken:
        """Take a file under a key; the same again is the one that was taken. Raises KeyConflict."""
        digest = hashlib.sha256(content).hexdigest()
        standing = self.status(key)
        if standing is None:
            try:
                order = read_order(content)
                made = Taken(key, name, digest, "accepted", f"BK{order.number}{digest[:6].upper()}")
            except NotAnOrder as error:
                made = Taken(key, name, digest, "rejected", "", str(error))
            self._write_once(self._orders / f"{key}.bin", content)
            record = {found.name: getattr(made, found.name) for found in fields(Taken)}
            self._write_once(self._orders / f"{key}.json", json.dumps(record, ensure_ascii=False).encode())
            standing = self.status(key)
            assert standing is not None
        if standing.sha256 != digest:
            raise KeyConflict(key)
        return standing

    def status(self, key: str) -> Taken | None:
        try:
            return Taken(**json.loads((self._orders / f"{key}.json").read_bytes()))
        except FileNotFoundError:
            return None

    def orders(self) -> list[tuple[Taken, Order]]:
        """Everything that it has taken to pay."""
        found = []
        for path in sorted(self._orders.glob("*.json")):
            taken = Taken(**json.loads(path.read_bytes()))
            if taken.status == "accepted":
                found.append((taken, read_order((self._orders / f"{taken.key}.bin").read_bytes())))
        return found

    def paid_lines(self) -> list[str]:
        """Every line id that it was made to pay; one that stands here twice was paid twice."""
        return [line.line_id for _, order in self.orders() for line in order.lines]

    def settle(self, *, on: date) -> list[str]:
        """Pay what was taken and not answered yet, as of that day; the names of the return files, in the order of
        `returns`.
        """
        for taken, order in self.orders():
            done = self._orders / f"{taken.key}.done"
            if done.exists():
                continue
            for name, content in self._files(order, on):
                self._write_once(self._returns / name, content)
            self._write_once(done, b"")
        return [name for name, _ in self.returns()]

    def returns(self) -> Iterator[tuple[str, bytes]]:
        """The return files as they are offered: each under a name of its own."""
        for path in sorted(self._returns.iterdir()):
            if not path.name.startswith("."):
                yield path.name, path.read_bytes()

    def returned(self, name: str) -> bytes | None:
        path = self._returns / name
        if Path(name).name != name or name.startswith(".") or not path.is_file():
            return None
        return path.read_bytes()

    def _files(self, order: Order, on: date) -> Iterator[tuple[str, bytes]]:
        first, late, last = self._results(order, on)
        files: list[tuple[str, bytes]] = []

        def add(label: str, answers: Sequence[Answer], *, cut: bool = False) -> None:
            suffix, content = write_answer(self._answers, answers, payer=order.payer)
            files.append((f"{label}{suffix}", content[: len(content) * 2 // 3] if cut else content))

        told = self._spoilt(first)
        if told != first:
            add("b-wrong", told)
        if self.happens("partial"):
            add("a-partial", first, cut=True)
        if self.happens("out_of_order"):
            self._dice.shuffle(first)
        add("c-whole", first + self._strange(order, on))
        if self.happens("duplicate"):
            add("d-again", [replace(answer, reference=f"{answer.reference}R") for answer in reversed(first)])
        if self.happens("repeat"):
            files.append((f"e-{files[-1][0]}", files[-1][1]))
        if late:
            add("f-late", late)
        if last:
            add("g-routed-again", last)
        if self.happens("out_of_order"):
            files.reverse()
        for place, (label, content) in enumerate(files, start=1):
            yield f"HD{order.number}-{place}-{label}", content

    def _results(self, order: Order, on: date) -> tuple[list[Answer], list[Answer], list[Answer]]:
        first: list[Answer] = []
        late: list[Answer] = []
        last: list[Answer] = []
        for place, line in enumerate(order.lines, start=1):
            paid = Answer(line.line_id, line.name, line.account, line.amount, "paid", on, f"B{on:%m%d}{place:06d}")
            next_day = replace(paid, on=on + timedelta(days=1), reference=f"{paid.reference}L")
            code, reason = self._dice.choice(_BOUNCES)
            if self.happens("bounce"):
                first.append(replace(paid, result="bounced", code=code, reason=reason))
                if self.happens("routed_again"):
                    last.append(next_day)
                continue
            first.append(paid)
            if self.happens("late_bounce"):
                late.append(replace(next_day, result="bounced", code=code, reason=reason))
                if self.happens("routed_again"):
                    last.append(replace(next_day, on=on + timedelta(days=2), reference=f"{next_day.reference}L"))
            elif self.happens("refund") and self._answers != "pain002":  # which has no word for it
                late.append(replace(next_day, result="refunded", reason="企业主动退回"))
        return first, late, last

    def _spoilt(self, answers: list[Answer]) -> list[Answer]:
        told = list(answers)
        place = self._dice.randrange(len(told))
        if self.happens("wrong_amount"):
            told[place] = replace(told[place], amount=told[place].amount + Decimal("1.00"))
        if self.happens("wrong_payee"):
            told[place] = replace(told[place], account=f"9{told[place].account[1:]}")
        return told

    def _strange(self, order: Order, on: date) -> list[Answer]:
        if not self.happens("strangers"):
            return []
        return [Answer(f"{order.number}-900001", "路人", "6222000000000000", Decimal("1888.00"), "paid", on, "B9")]

    @staticmethod
    def _write_once(path: Path, content: bytes) -> None:
        """Whole or not at all, and never over what stands there."""
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        try:
            os.link(handle.name, path)
        except FileExistsError:
            pass
        finally:
            os.unlink(handle.name)
