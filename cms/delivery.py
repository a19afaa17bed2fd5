"""How an officer sets an item's way of delivery: the terms in the editor and in files, and what stands against them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _
from wagtail import blocks

from cms.blocks import plain_values
from cms.fields import read_award, read_criteria
from cms.form_blocks import form_fields
from matching import delivery_terms, review_path
from matching.criteria import InvalidInput, Node, Scope, leaves
from matching.criteria.award import Award
from matching.delivery_terms import MACHINE_STEPS, OFFER_DAYS, ItemShape
from matching.forms import FieldType, parse_form
from matching.review_path import codes_of
from matching.services.vocabulary import current_vocabulary

_STEPS = [(code, _(label)) for code, label in MACHINE_STEPS.items()]
_KINDS = [(code, _(label)) for code, label in review_path.KINDS.items()]
_VERIFIED = _(
    "事实的编码，用空格或顿号隔开；不写则条件和标准用到的全部要核验。来自主管部门或共享平台、仍在有效期内的才算"
)


class _MachineBlock(blocks.StructBlock):
    machine = blocks.MultipleChoiceBlock(
        label=_("由系统办理的环节"),
        choices=_STEPS,
        required=False,
        help_text=_("从受理起依次勾选；没有勾选的由人员办理。公示、财务各环节不变"),
    )
    most = blocks.DecimalBlock(
        label=_("单件金额上限（元）"), max_digits=16, decimal_places=2, help_text=_("超过的由人员办理")
    )
    verified = blocks.CharBlock(label=_("须核验的事实"), required=False, max_length=1000, help_text=_VERIFIED)
    audit_share = blocks.IntegerBlock(
        label=_("事后抽查比例（%）"),
        required=False,
        min_value=0,
        max_value=100,
        help_text=_("系统决定的，每月按此比例随机抽取，由没有办理过的人员核查；不写按区里统一的比例"),
    )


class AutomaticBlock(_MachineBlock):
    """免申即享."""

    offer_days = blocks.IntegerBlock(
        label=_("确认期限（工作日）"),
        required=False,
        min_value=1,
        max_value=250,
        help_text=_("企业收到告知后多少个工作日内可以确认；不写为 %(days)s 个") % {"days": OFFER_DAYS},
    )

    class Meta:
        label = _("免申即享：系统找企业，企业一键确认")
        icon = "mail"


class InstantBlock(_MachineBlock):
    """即申即享."""

    class Meta:
        label = _("即申即享：提交后当场核验、当场办理")
        icon = "tick"


class FastBlock(blocks.StructBlock):
    """快申快享."""

    acceptance_days = blocks.IntegerBlock(label=_("快审受理时限（工作日）"), required=False, min_value=1, max_value=250)
    review_days = blocks.IntegerBlock(label=_("快审审核时限（工作日）"), required=False, min_value=1, max_value=250)
    skips = blocks.MultipleChoiceBlock(
        label=_("快审免去的环节"), choices=_KINDS, required=False, help_text=_("办理流程中有的才能免去")
    )
    verified = blocks.CharBlock(
        label=_("须核验的事实"),
        required=False,
        max_length=1000,
        help_text=_("这些事实要有数据证明才走快审通道；材料有缺、以承诺代替、需要补正的转为普通流程"),
    )

    class Meta:
        label = _("快申快享：材料齐全的走快审通道")
        icon = "arrow-right"


class WindowBlock(blocks.StructBlock):
    """限时即享."""

    decide_within = blocks.IntegerBlock(
        label=_("受理后几个工作日内决定"),
        min_value=1,
        max_value=250,
        help_text=_("向企业承诺，写明日期；超过的报督查、置顶办理，按期率列入统计"),
    )

    class Meta:
        label = _("限时即享：承诺几日内决定")
        icon = "time"


class TermsBlocks(blocks.StreamBlock):
    """The terms of one way of delivery; at most one, and of the way that the item has."""

    automatic = AutomaticBlock()
    instant = InstantBlock()
    fast = FastBlock()
    window = WindowBlock()

    class Meta:
        max_num = 1


def terms_of_page(page: Any) -> dict[str, Any]:
    """The terms as a version's rules keep them; empty where the page names none."""
    for block in page.delivery_terms:
        value = dict(block.value)
        if "verified" in value:
            value["verified"] = codes_of(value["verified"] or "")
        return delivery_terms.write(block.block_type, value)
    return {}


def blocks_of(mode: str, told: dict[str, Any] | None) -> list[tuple[str, dict[str, Any]]]:
    """The stream that says what a file says."""
    if not told:
        return []
    value: dict[str, Any] = {key: told.get(key) for key in delivery_terms.KEYS[mode]}
    for key in ("machine", "skips"):
        if key in value:
            value[key] = list(value[key] or [])
    if "verified" in value:
        value["verified"] = " ".join(value["verified"] or [])
    if value.get("most") is not None:
        value["most"] = Decimal(value["most"])
    return [(mode, value)]


def problems_of_terms(page: Any) -> list[str]:
    """What stands against publishing the page's terms; what the page's other fields get wrong is told there."""
    for block in page.delivery_terms:
        if block.block_type != page.delivery:
            labels = delivery_terms.MODES
            text = _text("办理条件写的是“%(terms)s”，办理方式却是“%(mode)s”，请改成一致")
            return [text % {"terms": labels[block.block_type], "mode": labels.get(page.delivery, page.delivery)}]
        try:
            shape = _shape(page)
        except InvalidInput:
            return []
        return delivery_terms.problems(block.block_type, terms_of_page(page), shape)
    return []


def _shape(page: Any) -> ItemShape:
    tree = read_criteria(page.criteria) if page.criteria else None
    award = read_award(page.award) if page.award else None
    vocabulary = current_vocabulary()
    materials = plain_values(page.materials)
    form = parse_form(form_fields(page.form_fields), vocabulary, materials=[one["code"] for one in materials])
    keys = list(dict.fromkeys(_facts(tree, award)))
    facts = {key: vocabulary.facts[key].label for key in keys}
    proved = {code for leaf in (leaves(tree) if tree is not None else ()) for code in leaf.evidence}
    steps = plain_values(page.steps)
    return ItemShape(
        facts=facts,
        asked={key: label for key, label in facts.items() if vocabulary.facts[key].scope is Scope.APPLICATION},
        questions=[
            one.label
            for one in form.fields
            if (one.required or one.when is not None)
            and not (one.type is FieldType.FACT and vocabulary.facts[one.fact or ""].scope is Scope.ENTERPRISE)
        ],
        materials=[
            one["name"]
            for one in materials
            if one["required"] and one["source"] == "applicant" and one["code"] not in proved
        ],
        path=[step["kind"] for step in steps if step.get("kind") in review_path.KINDS],
        checked=[
            step["kind"]
            for step in steps
            if step.get("kind") in review_path.LISTS and (step["checklist"] or "").strip()
        ],
        pays=award is not None,
        statutory=page.statutory_days,
    )


def _facts(tree: Node | None, award: Award | None) -> Iterator[str]:
    rules = award.rules if award else ()
    bonuses = award.bonus_points if award else ()
    trees = [tree, *(rule.when.tree for rule in rules), *(bonus.when.tree for bonus in bonuses)]
    for each in trees:
        for leaf in leaves(each) if each is not None else ():
            yield leaf.fact
            if (other := getattr(leaf, "percent_of", None)) is not None:
                yield other
    for rule in rules:
        yield from (base.fact for base in (rule.of, rule.cap_fact) if base is not None)
