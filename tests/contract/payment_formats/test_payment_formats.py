"""One suite for every payment format: deterministic bytes, honest totals, nothing refused that a bank would take."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disbursement.models import PaymentFormat as Choices
from disbursement.treasury.formats import (
    PAYMENT_FORMATS,
    FormatError,
    Party,
    PaymentFormat,
    PaymentLine,
    PaymentOrder,
    payment_format,
)
from disbursement.treasury.formats.base import clean
from disbursement.treasury.simulator import read_order

GOLDEN = Path(__file__).parents[2] / "golden" / "payment_formats"
FORMATS = pytest.mark.parametrize("fmt", PAYMENT_FORMATS.values(), ids=PAYMENT_FORMATS.keys())
PAYER = Party("青羊区财政局", "5100000000000001", "国库集中支付代理银行", "102651000001")
ORDER = PaymentOrder(
    number="202603001",
    created_at=datetime(2026, 3, 20, 17, tzinfo=ZoneInfo("Asia/Shanghai")),
    execute_on=date(2026, 3, 23),
    payer=PAYER,
    lines=[
        PaymentLine(
            "202603001-000001",
            Party("成都甲“引号”科技，有限公司", "6222000000000001", "成都银行青羊支行", "313651000015"),
            Decimal("100000.00"),
            "惠企政策兑现 2026-000001 第1期",
        ),
        PaymentLine(
            "202603001-000002",
            Party('乙 & <丙> "丁"', "6222000000000002", "中国银行\n青羊支行"),
            Decimal("0.01"),
            "惠企政策兑现 2026-000002 第1期",
        ),
    ],
)
FIRST = next(iter(ORDER.lines))

# Whatever a person may have typed; unpaired surrogates are no text at all.
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
parties = st.builds(
    Party,
    name=text.map(lambda t: "某" + t),
    account_number=st.from_regex(r"[0-9]{8,32}", fullmatch=True),
    bank_name=text,
    bank_code=st.sampled_from(["", "313651000015"]),
)
amounts = st.decimals(Decimal("0.01"), Decimal("99999999.99"), places=2)


@st.composite
def orders(draw: st.DrawFn) -> PaymentOrder:
    payments = draw(st.lists(st.tuples(parties, amounts, text), min_size=1, max_size=8))
    lines = [PaymentLine(f"202603001-{n:06d}", *payment) for n, payment in enumerate(payments, start=1)]
    return replace(ORDER, lines=lines, payer=draw(parties))


def unpacked(content: bytes) -> dict[str, bytes]:
    """The parts of an archive, or the content itself: a compressor may pack the same parts in other bytes."""
    if not content.startswith(b"PK"):
        return {"": content}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {part.filename: archive.read(part) for part in archive.infolist()}


def packed(parts: dict[str, bytes]) -> bytes:
    if list(parts) == [""]:
        return parts[""]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


@FORMATS
def test_the_bytes_are_those_of_the_golden_file(fmt: PaymentFormat) -> None:
    golden = (GOLDEN / f"{fmt.code}.{fmt.extension}").read_bytes()
    assert unpacked(fmt.write(ORDER)) == unpacked(golden)


@pytest.mark.slow
@FORMATS
@given(order=orders())
def test_the_same_order_gives_the_same_bytes_and_its_totals_are_read_back(
    fmt: PaymentFormat, order: PaymentOrder
) -> None:
    content = fmt.write(order)
    assert fmt.write(order) == content
    totals = fmt.read_totals(content)
    assert (totals.count, totals.total) == (order.count, order.total)
    assert totals.amounts == {line.line_id: line.amount for line in order.lines}


@pytest.mark.slow
@FORMATS
@given(order=orders(), data=st.data())
def test_a_file_cut_short_is_never_taken_for_whole(
    fmt: PaymentFormat, order: PaymentOrder, data: st.DataObject
) -> None:
    content = fmt.write(order)
    # The last line break is all that may be missing without loss.
    cut = data.draw(st.integers(0, len(content.rstrip()) - 1))
    with pytest.raises(FormatError):
        fmt.read_totals(content[:cut])


@FORMATS
@pytest.mark.parametrize(("old", "new"), [(b"100000.00", b"900000.00"), (b"000002", b"000001")])
def test_a_changed_amount_or_a_doubled_line_contradicts_the_totals(fmt: PaymentFormat, old: bytes, new: bytes) -> None:
    parts = unpacked(fmt.write(ORDER))
    assert any(old in part for part in parts.values())
    times = 1 if old.startswith(b"1") else -1
    with pytest.raises(FormatError):
        fmt.read_totals(packed({name: part.replace(old, new, times) for name, part in parts.items()}))


@FORMATS
@pytest.mark.parametrize(
    "lines",
    [
        [],
        [FIRST, FIRST],
        [replace(FIRST, amount=Decimal("0.00"))],
        [replace(FIRST, amount=Decimal("-1.00"))],
        [replace(FIRST, amount=Decimal("1.001"))],
        [replace(FIRST, payee=replace(PAYER, name=" "))],
        [replace(FIRST, payee=replace(PAYER, account_number=""))],
    ],
    ids=["nothing", "twice", "zero", "negative", "a third place", "no name", "no account"],
)
def test_an_order_that_no_bank_could_pay_is_refused(fmt: PaymentFormat, lines: list[PaymentLine]) -> None:
    with pytest.raises(FormatError):
        fmt.write(replace(ORDER, lines=lines))


def test_the_formats_are_those_that_a_batch_may_have() -> None:
    assert set(PAYMENT_FORMATS) == set(Choices.values)
    with pytest.raises(FormatError, match=r"pain001"):
        payment_format("nonsense")


@pytest.mark.parametrize("code", ["pain001", "voucher", "vouchergbk"])
def test_an_xml_file_with_a_document_type_is_not_opened(code: str) -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'
    with pytest.raises(FormatError):
        PAYMENT_FORMATS[code].read_totals(bomb)


@pytest.mark.slow
@FORMATS
@given(order=orders())
def test_a_bank_reads_every_line_of_it(fmt: PaymentFormat, order: PaymentOrder) -> None:
    read = read_order(fmt.write(order))
    assert (read.number, read.payer) == (order.number, order.payer.account_number)
    assert [(line.line_id, line.name, line.account, line.amount) for line in read.lines] == [
        (line.line_id, clean(line.payee.name, limit=140), line.payee.account_number, line.amount)
        for line in order.lines
    ]
