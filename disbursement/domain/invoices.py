"""The invoice table of an application: what its rows look like, and how they are read from what was typed.

A row is an invoice or a contract. One that several applications share counts in each only for the part `used`; how a
number or an issuer is written (full width, blanks, hyphens, leading zeros) makes no other paper of it.

An item has the table where its criteria or its award look at a fact of `INVOICE_FACTS`: that answer is then the sum
of the rows and is never typed. No invoice counts twice (`disbursement.services.award.awards`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from disbursement.domain.errors import Fault, Invalid

# The application facts, in 元, that are totals of an invoice table. A vocabulary that names another is entered here.
INVOICE_FACTS = frozenset({"invoice_total"})
MOST_ROWS = 200
_CENT = Decimal("0.01")
COLUMNS = ("issuer", "number", "issued_on", "amount")
# Beside them, where they are given: "invoice" (the default) or "contract", and what of its amount is counted here.
MORE_COLUMNS = ("kind", "used")
KINDS = {"invoice": "发票", "contract": "合同"}
# The numbers of fully digital invoices are the country's, not the issuer's: one number is one invoice.
DIGITAL = r"^[0-9]{20}$"
_CREDIT_CODE = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}")
_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,2})?")
# Digits so many that a twenty-digit number was meant.
# An old invoice's code and number written together: a digital number begins with its year.
_WITH_CODE = re.compile(r"[01][0-9]{19}")
_MISTYPED = re.compile(r"[0-9]{17,19}|[0-9]{21,}")


@dataclass(frozen=True, slots=True)
class Invoice:
    """One invoice or contract: who issued it (credit code or name; a contract's other party), its number, its amount
    in 元, its day, and what of the amount is counted here (None: all of it).
    """

    issuer: str
    number: str
    amount: Decimal
    issued_on: date = date.min
    part: Decimal | None = None
    kind: str = "invoice"

    @property
    def used(self) -> Decimal:
        """What of the amount is counted, in 元."""
        return self.amount if self.part is None else self.part

    @property
    def label(self) -> str:
        return f"{KINDS[self.kind]}{self.number}"

    @property
    def is_digital(self) -> bool:
        """Whether the number alone says which invoice it is."""
        return self.kind == "invoice" and re.fullmatch(DIGITAL, plain(self.number)) is not None

    @property
    def plain_number(self) -> str:
        """The number, however it was written."""
        return plain(self.number)

    @property
    def key(self) -> str:
        """What tells this paper from every other of its kind: its number, and its issuer as written where that is
        needed (`selectors.papers` knows under which other keys it may stand).
        """
        return self.plain_number if self.is_digital else self.key_by(self.issuer)

    def key_by(self, issuer: str) -> str:
        """The key with another way of naming the issuer."""
        return f"{self.plain_number}|{letters(issuer)}"

    @property
    def issuer_code(self) -> str | None:
        """The issuer's unified social credit code, where that is what was written."""
        written = letters(self.issuer)
        return written if _CREDIT_CODE.fullmatch(written) else None

    def to_row(self) -> dict[str, str]:
        """The invoice as `read_rows` takes it."""
        day = self.issued_on.isoformat()
        row = {"issuer": self.issuer, "number": self.number, "issued_on": day, "amount": f"{self.amount:.2f}"}
        if self.kind != "invoice":
            row["kind"] = self.kind
        return row if self.part is None else {**row, "used": f"{self.part:.2f}"}


def letters(text: str) -> str:
    """Letters, digits and characters alone, in half width and capitals."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", text)).upper()


def plain(number: str) -> str:
    """A number as it is compared: `letters`, without leading zeros; never empty."""
    return letters(number).lstrip("0") or "0"


def read_rows(rows: Sequence[Mapping[str, str]], *, as_of: date) -> list[Invoice]:
    """The invoices of a typed table; empty rows are left out.

    Each row: {"issuer", "number", "issued_on", "amount"} and, as needed, {"kind", "used"}. `as_of` (Asia/Shanghai) is
    the last day that an invoice may bear. Raises Invalid with every fault, its place
    `invoice.<row from 1>.<column>`.
    """
    faults: list[Fault] = []
    found: list[tuple[int, Invoice]] = []
    for position, row in enumerate(rows, start=1):
        typed = {name: _plain(str(row.get(name) or "")) for name in (*COLUMNS, *MORE_COLUMNS)}
        if not any(typed[name] for name in COLUMNS):
            continue
        wrong = _faults(typed, position=position, as_of=as_of)
        faults += wrong
        if not wrong:
            day = date.fromisoformat(typed["issued_on"])
            amount = Decimal(_figure(typed["amount"])).quantize(_CENT)
            used = Decimal(_figure(typed["used"])).quantize(_CENT) if typed["used"] else None
            part = None if used == amount else used
            names = _squeezed(typed["issuer"]), _squeezed(typed["number"])
            found.append((position, Invoice(*names, amount, day, part, typed["kind"] or "invoice")))
    faults += _repeated(found)
    if len(found) > MOST_ROWS:
        faults.append(Fault("invoices", f"发票最多填 {MOST_ROWS} 张，请合并申报或分次申报。"))
    if faults:
        raise Invalid(faults)
    return [invoice for _position, invoice in found]


def total(invoices: Sequence[Invoice]) -> Decimal:
    """The sum of what is counted of them, in 元."""
    return sum((invoice.used for invoice in invoices), Decimal("0.00"))


def _faults(typed: Mapping[str, str], *, position: int, as_of: date) -> list[Fault]:
    said: dict[str, str] = {}
    number = _squeezed(typed["number"])
    if not typed["issuer"]:
        said["issuer"] = "请填写开票方的统一社会信用代码或名称。"
    elif len(typed["issuer"]) > 200:
        said["issuer"] = "开票方最多 200 个字。"
    if not number:
        said["number"] = "请填写发票号码。" if typed["kind"] != "contract" else "请填写合同编号。"
    elif len(number) > 40:
        said["number"] = "发票号码最多 40 个字符。"
    elif not re.search(r"\w", number):
        said["number"] = "号码中没有数字或字母，请核对。"
    elif typed["kind"] != "contract" and _WITH_CODE.fullmatch(letters(number)):
        said["number"] = "这里是 12 位发票代码加 8 位号码：请只填 8 位发票号码，不含发票代码。"
    elif typed["kind"] != "contract" and _MISTYPED.fullmatch(letters(number)):
        digits = len(letters(number))
        said["number"] = f"发票号码是 {digits} 位数字：数电发票应为 20 位，其他发票只填 8 位号码，不含代码。"
    if not typed["issued_on"]:
        said["issued_on"] = "请填写开票日期。"
    else:
        try:
            late = date.fromisoformat(typed["issued_on"]) > as_of
        except ValueError:
            said["issued_on"] = "开票日期请写作 2026-03-01。"
        else:
            if late:
                said["issued_on"] = "开票日期不能晚于今天。"
    figure = _figure(typed["amount"])
    if not figure:
        said["amount"] = "请填写发票金额。"
    elif not _AMOUNT.fullmatch(figure):
        said["amount"] = "发票金额请写作 12000.00：以元为单位，最多两位小数。"
    elif Decimal(figure) <= 0:
        said["amount"] = "发票金额应大于 0，红字发票请不要填入。"
    part = _figure(typed["used"])
    if part and "amount" not in said:
        if not _AMOUNT.fullmatch(part) or Decimal(part) <= 0:
            said["used"] = "本次使用金额请写作 12000.00，并大于 0；全额使用可不填。"
        elif Decimal(part) > Decimal(figure):
            said["used"] = "本次使用金额不能超过票面金额。"
    if typed["kind"] and typed["kind"] not in KINDS:
        said["kind"] = "种类请选择发票或合同。"
    return [Fault(f"invoice.{position}.{column}", f"第 {position} 张发票：{text}") for column, text in said.items()]


def _repeated(found: Sequence[tuple[int, Invoice]]) -> list[Fault]:
    seen: dict[tuple[str, str], int] = {}
    faults = []
    for position, invoice in found:
        key = (invoice.kind, invoice.key)
        first = seen.setdefault(key, position)
        if first != position:
            text = f"第 {position} 张发票与第 {first} 张重复，请删去一张。"
            faults.append(Fault(f"invoice.{position}.number", text))
    return faults


def _plain(text: str) -> str:
    # A NUL cannot be stored.
    return unicodedata.normalize("NFKC", text).replace("\0", "").strip()


def _squeezed(text: str) -> str:
    """Without blanks and in capitals, so that one invoice is written one way."""
    return re.sub(r"\s", "", text).upper()


def _figure(text: str) -> str:
    return re.sub(r"[\s,，元¥]", "", text)
