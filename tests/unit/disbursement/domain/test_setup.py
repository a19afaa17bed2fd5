"""Which account pays for which line, and how many approve which sum: read from settings, refused where wrong."""

from __future__ import annotations

from decimal import Decimal

import pytest

from disbursement.domain.cycle import approvals_needed
from disbursement.domain.setup import BadSetting, parse_payers, parse_tiers, payer_for

FUNDS = ("central", "district")
DEFAULT = {"name": "财政局", "account_number": "51000000", "bank_name": "甲行", "bank_code": ""}
CENTRAL = {"name": "财政局专户", "account_number": "51000001", "bank_name": "乙行", "funds": ["central"]}
BY_CODE = {"name": "科技局", "account_number": "51000002", "bank_name": "丙行", "codes": ["kj-cx"]}


@pytest.mark.parametrize(
    ("code", "fund", "account"),
    [
        ("kj-cx", "central", "51000002"),
        ("other", "central", "51000001"),
        ("other", "district", "51000000"),
    ],
)
def test_a_line_is_paid_by_the_account_of_its_code_then_of_its_fund_then_of_the_district(
    code: str, fund: str, account: str
) -> None:
    payers = parse_payers([CENTRAL, BY_CODE], funds=FUNDS)
    found = payer_for(code=code, fund=fund, payers=payers, default=DEFAULT)
    assert found["account_number"] == account
    assert set(found) == set(DEFAULT)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({}, "应为列表"),
        ([{**CENTRAL, "colour": "red"}], "可用"),
        ([{**CENTRAL, "name": " "}], "缺少name"),
        ([{**CENTRAL, "account_number": "12-34"}], "8至32位数字"),
        ([{**CENTRAL, "funds": []}], "没有写明"),
        ([{**CENTRAL, "funds": ["moon"]}], "“moon”无法识别"),
        ([{**CENTRAL, "funds": "central"}], "文字列表"),
        ([CENTRAL, CENTRAL], "“central”已由前面"),
    ],
)
def test_payers_that_cannot_be_right_are_refused(value: object, told: str) -> None:
    with pytest.raises(BadSetting, match=told):
        parse_payers(value, funds=FUNDS)


def test_tiers_say_how_many_approve() -> None:
    tiers = parse_tiers(["0:1", "5000000:2", "20000000:3"])
    wanted = {"4999999.99": 1, "5000000.00": 2, "19999999.99": 2, "20000000.00": 3}
    assert {total: approvals_needed(Decimal(total), tiers=tiers) for total in wanted} == wanted
    assert parse_tiers([]) == ()


@pytest.mark.parametrize(
    "value", [["5000000"], ["x:1"], ["-1:1"], ["NaN:1"], ["0:0"], ["0:2", "100:2"], ["9:1", "8:2"]]
)
def test_tiers_that_cannot_be_right_are_refused(value: list[str]) -> None:
    with pytest.raises(BadSetting):
        parse_tiers(value)
