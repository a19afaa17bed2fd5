"""A file that a bank refuses whole, listing its transactions: nothing was paid, and no payee's account is at fault."""

from __future__ import annotations

import pytest

from tests.factories.returns import read_return

_TRANSACTION = """<TxInfAndSts><OrgnlEndToEndId>202603001-00000{place}</OrgnlEndToEndId><TxSts>{status}</TxSts>{why}
<OrgnlTxRef><Amt><InstdAmt Ccy="CNY">100.00</InstdAmt></Amt><CdtrAcct><Id><Othr><Id>6222000000000001</Id></Othr></Id>
</CdtrAcct></OrgnlTxRef></TxInfAndSts>"""


def why(code: str) -> str:
    return f"<StsRsnInf><Rsn><Cd>{code}</Cd></Rsn></StsRsnInf>" if code else ""


def report(*transactions: tuple[str, str], group: str = "", block: str = "") -> bytes:
    """A status report of these (status, reason), the group or the block refused for a reason of its own."""
    told = "".join(
        _TRANSACTION.format(place=place, status=status, why=why(code))
        for place, (status, code) in enumerate(transactions, start=1)
    )
    return f"""<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>
<GrpHdr><MsgId>S1</MsgId><CreDtTm>2026-03-24T18:00:00+08:00</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>202603001</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>
<GrpSts>{"RJCT" if group else "PART"}</GrpSts>{why(group)}</OrgnlGrpInfAndSts>
<OrgnlPmtInfAndSts><OrgnlPmtInfId>202603001</OrgnlPmtInfId>
{f"<PmtInfSts>RJCT</PmtInfSts>{why(block)}" if block else ""}{told}</OrgnlPmtInfAndSts>
</CstmrPmtStsRpt></Document>""".encode()


@pytest.mark.parametrize(
    ("group", "block", "own"),
    [("FF01", "", "FF01"), ("FF01", "", ""), ("FF01", "FF01", ""), ("", "AM04", "AM04"), ("", "AM04", "TECH")],
)
def test_what_falls_with_its_file_is_told_once_and_bounces_nobody(group: str, block: str, own: str) -> None:
    found = read_return("refused.xml", report(("RJCT", own), ("RJCT", own), group=group, block=block))
    [whole] = found.rows
    assert "整批拒绝" in whole.problem
    assert "重新发送同一份文件" in whole.problem
    assert found.is_complete


def test_a_payee_whose_own_account_is_at_fault_bounces_even_so_and_what_was_paid_is_paid() -> None:
    found = read_return("refused.xml", report(("RJCT", "AC04"), ("RJCT", ""), ("ACSC", ""), group="FF01"))
    assert [(row.line_id[-1], row.result) for row in found.rows[1:]] == [("1", "bounced"), ("3", "paid")]


def test_a_reason_that_is_given_for_all_is_nobodys_own() -> None:
    assert len(read_return("refused.xml", report(("RJCT", "AC03"), group="AC03")).rows) == 1


def test_a_block_whose_payees_are_each_at_fault_bounces_them_and_is_no_exception() -> None:
    found = read_return("refused.xml", report(("RJCT", "AC04"), ("RJCT", "BE01"), block="NARR"))
    assert [row.result for row in found.rows] == ["bounced", "bounced"]


def test_a_transaction_refused_as_a_duplicate_stays_an_exception_of_its_own() -> None:
    found = read_return("refused.xml", report(("RJCT", "DU03"), group="FF01"))
    assert ["整批拒绝" in row.problem for row in found.rows] == [True, False]
    assert "可能已经支付" in found.rows[1].problem
