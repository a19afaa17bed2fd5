"""The path of a review as officers write it and reviews carry it out."""

from __future__ import annotations

from typing import Any

import pytest

from matching.review_path import PathStep, codes_of, problems, read, write

WORDS = {"name": "受理", "by": "窗口", "days": 1, "note": ""}
STEPS: list[dict[str, Any]] = [
    {**WORDS, "kind": "acceptance", "checklist": "申报表已盖章\n\n 营业执照在有效期内 "},
    {"name": "上门看", "kind": "site_visit", "days": 5},
    {"name": "会审", "kind": "joint", "departments": "fgj、rsj fgj", "silence_consents": True},
    {"name": "专家", "kind": "expert", "days": None},
]


def test_steps_of_words_alone_say_no_path() -> None:
    assert write([WORDS, {**WORDS, "kind": ""}]) == {}
    assert read({}).steps == ()
    assert read({}).missing(()) == []


def test_what_is_written_is_read_again() -> None:
    path = read({"review": write(STEPS)})
    assert path.steps == (
        PathStep("site_visit", "上门看", 5),
        PathStep("joint", "会审", 5, ("fgj", "rsj"), True),
        PathStep("expert", "专家", 0),
    )
    assert [check.code for check in path.checks("acceptance")] == ["acceptance-1", "acceptance-2"]
    assert path.checks("acceptance")[1].text == "营业执照在有效期内"
    assert path.checks("review") == ()


def test_a_step_waits_for_those_before_it_and_one_that_is_not_asked_for_waits_for_none() -> None:
    path = read({"review": write(STEPS[1:3])})
    assert [step.kind for step in path.before("joint", ())] == ["site_visit"]
    assert path.before("joint", {"site_visit"}) == []
    assert path.before("expert", ()) == []
    assert [step.kind for step in path.missing({"joint"})] == ["site_visit"]


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ({"name": "会审", "kind": "joint"}, "请填写参加会审的部门代码"),
        ({"name": "会审", "kind": "joint", "departments": "nowhere"}, "没有部门 nowhere"),
        ({"name": "会审", "kind": "joint", "departments": "kejiju"}, "不参加会审"),
        ({"name": "专家", "kind": "expert", "departments": "fgj"}, "只有“部门会审”"),
        ({"name": "专家", "kind": "expert", "checklist": "看"}, "核对清单写在"),
    ],
)
def test_what_cannot_be_carried_out_is_told_before_it_is_published(step: dict[str, Any], words: str) -> None:
    [told] = problems([step], own="kejiju", departments={"kejiju", "fgj"})
    assert words in told


def test_a_kind_stands_once() -> None:
    assert "只能有一个" in problems([STEPS[3], STEPS[3]], own="kejiju", departments=set())[0]
    assert problems(STEPS, own="kejiju", departments={"fgj", "rsj"}) == []
    assert codes_of(" a，b;c ") == ["a", "b", "c"]
