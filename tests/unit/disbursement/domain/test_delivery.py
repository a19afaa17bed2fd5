"""The paths of delivery, pure: the life of an offer, what bars a machine, what a digest covers, terms that hold."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from disbursement.domain.delivery import (
    OFFER,
    Content,
    OfferAction,
    OfferState,
    Seen,
    Unproved,
    changes,
    evidence_lacking,
    obstacles,
)
from disbursement.domain.workflow import Refused, Role
from matching import delivery_terms
from matching.delivery_terms import ItemShape, Terms

MOST = Decimal("40000.00")
CLEAR = Seen(verdict="eligible", amount=Decimal("20000.00"))
SHAPE = ItemShape(
    facts={"registered_region": "注册地", "invoice_total": "发票总额"},
    asked={},
    questions=(),
    materials=(),
    path=(),
    checked=(),
    pays=True,
    statutory=20,
)
MACHINE: dict[str, Any] = {"machine": ["acceptance", "review", "decision"], "most": "40000.00"}


@pytest.mark.parametrize("state", list(OfferState))
@pytest.mark.parametrize("role", list(Role))
def test_each_cell_of_the_offers_table_is_as_it_is_meant(state: OfferState, role: Role) -> None:
    meant = {
        (OfferState.OPEN, Role.ENTERPRISE): {OfferAction.CONSENT, OfferAction.DECLINE},
        (OfferState.OPEN, Role.SYSTEM): {OfferAction.REVISE, OfferAction.WITHDRAW, OfferAction.LAPSE},
        (OfferState.WITHDRAWN, Role.SYSTEM): {OfferAction.REOPEN},
    }
    allowed = meant.get((state, role), set())
    assert set(OFFER.actions(state, role)) == allowed
    for action in set(OfferAction) - allowed:
        with pytest.raises(Refused):
            OFFER.find(state, action, role)


def test_nothing_stands_against_a_clear_case_and_the_limit_itself_is_within_it() -> None:
    assert obstacles(CLEAR, most=MOST) == []
    assert obstacles(replace(CLEAR, amount=MOST), most=MOST) == []


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (replace(CLEAR, verdict="undetermined", in_the_way=("不知道注册地",)), "verdict"),
        (replace(CLEAR, unproved=(Unproved("注册地", "没有数据"),)), "unverified"),
        (replace(CLEAR, missing=("缺执照",)), "missing"),
        (replace(CLEAR, gaps=("执照",)), "gap"),
        (replace(CLEAR, promises=("租赁合同",)), "promise"),
        (replace(CLEAR, changed=("执照",)), "changed"),
        (replace(CLEAR, conflicts=("与某事项互斥",)), "conflict"),
        (replace(CLEAR, problems=("已核定过",)), "award"),
        (replace(CLEAR, account_checked=False), "account"),
        (replace(CLEAR, is_paused=True), "paused"),
        (replace(CLEAR, amount=Decimal("40000.01")), "ceiling"),
    ],
)
def test_whatever_stands_against_a_machine_is_told_by_its_code(seen: Seen, code: str) -> None:
    [found] = obstacles(seen, most=MOST)
    assert found.code == code
    assert found.text


def test_a_lane_that_presumes_evidence_asks_nothing_of_money() -> None:
    assert evidence_lacking(replace(CLEAR, problems=("没有预算",), account_checked=False)) == []
    assert [one.code for one in evidence_lacking(replace(CLEAR, gaps=("执照",)))] == ["gap"]


def test_a_digest_changes_with_whatever_the_enterprise_agrees_to() -> None:
    content = Content("第 1 版", "h", {"a": "1"}, Decimal("100.00"), "甲/乙/123")
    others = [
        replace(content, rule_hash="i"),
        replace(content, facts={"a": "2"}),
        replace(content, amount=Decimal("100.01")),
        replace(content, account="甲/乙/124"),
    ]
    assert len({content.digest, *(other.digest for other in others)}) == 1 + len(others)
    assert content.digest == replace(content, amount=Decimal("100.0")).digest
    told = [changes(content, other, labels={"a": "注册资本"}) for other in others]
    assert [len(lines) for lines in told] == [1, 1, 1, 1]
    assert "注册资本" in told[1][0]
    assert "100.01" in told[2][0]
    assert changes(content, content, labels={}) == []


def test_terms_are_read_as_they_were_written() -> None:
    written = delivery_terms.write("automatic", {**MACHINE, "most": Decimal(40000), "verified": [], "offer_days": 15})
    assert written == {**MACHINE, "offer_days": 15}
    terms = delivery_terms.read({"delivery": "automatic", "delivery_terms": written})
    assert terms == Terms("automatic", machine=tuple(MACHINE["machine"]), most=MOST, offer_days=15)
    assert delivery_terms.read({"delivery": "automatic"}) is None
    assert delivery_terms.read({"delivery_terms": written}) is None


@pytest.mark.parametrize(
    ("mode", "told", "shape", "words"),
    [
        ("automatic", {**MACHINE, "machine": ["review"]}, SHAPE, "依次勾选"),
        ("automatic", {**MACHINE, "machine": []}, SHAPE, "依次勾选"),
        ("instant", {"machine": ["acceptance"]}, SHAPE, "金额上限"),
        ("instant", {**MACHINE, "most": "-1"}, SHAPE, "金额上限"),
        ("instant", {**MACHINE, "audit_share": 101}, SHAPE, "抽查比例"),
        ("instant", {**MACHINE, "offer_days": 5}, SHAPE, "没有“offer_days”"),
        ("instant", {**MACHINE, "verified": ["patents"]}, SHAPE, "patents"),
        ("instant", MACHINE, replace(SHAPE, asked={"invoice_total": "发票总额"}), "无法用数据核验"),
        ("instant", MACHINE, replace(SHAPE, pays=False), "没有支持标准"),
        ("instant", MACHINE, replace(SHAPE, path=("joint",)), "初审不能由系统办理"),
        ("instant", MACHINE, replace(SHAPE, checked=("acceptance",)), "核对清单"),
        ("instant", MACHINE, replace(SHAPE, checked=("second_review",)), "“复审决定”环节有须由人员勾选的核对清单"),
        ("automatic", MACHINE, replace(SHAPE, materials=("合同",)), "不能要求企业提交：合同"),
        ("automatic", MACHINE, replace(SHAPE, questions=("用途",)), "不能要求企业填写：用途"),
        (
            "automatic",
            {**MACHINE, "verified": ["registered_region"]},
            replace(SHAPE, asked={"invoice_total": "发票总额"}),
            "申报表才有的信息",
        ),
        ("automatic", {**MACHINE, "offer_days": 0}, SHAPE, "确认期限"),
        ("fast", {}, SHAPE, "至少要缩短"),
        ("fast", {"review_days": 3, "skips": ["joint"]}, SHAPE, "没有“joint”"),
        ("fast", {"review_days": True}, SHAPE, "快审审核时限"),
        ("window", {}, SHAPE, "几个工作日"),
        ("window", {"decide_within": 21}, SHAPE, "法定时限 20"),
        ("other", {}, SHAPE, "没有“other”"),
    ],
)
def test_terms_that_cannot_be_carried_out_are_refused_with_what_to_do(
    mode: str, told: dict[str, Any], shape: ItemShape, words: str
) -> None:
    assert any(words in problem for problem in delivery_terms.problems(mode, told, shape))


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        ("automatic", MACHINE),
        ("instant", {"machine": ["acceptance"], "most": "1", "verified": ["registered_region"]}),
        ("fast", {"acceptance_days": 1, "review_days": 3}),
        ("window", {"decide_within": 20}),
    ],
)
def test_terms_that_hold_are_published(mode: str, told: dict[str, Any]) -> None:
    assert delivery_terms.problems(mode, told, SHAPE) == []
