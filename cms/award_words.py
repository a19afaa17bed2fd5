"""An award as sentences that an enterprise reads."""

from decimal import Decimal

from matching.criteria import Node, Vocabulary, render_criteria
from matching.criteria.award import Award, Base, Rule
from matching.criteria.values import plain, with_unit

RELATIVE = {"last": "上年度", "this": "本年度", "before_last": "前年度"}
CHOOSE = {"first": "按以下顺序，适用第一条符合的：", "highest": "以下各条就高享受一条：", "sum": "以下各条可以叠加："}
SHORTFALL = {
    "first_come": "预算不足时，按批准先后兑现，用完为止。",
    "pro_rata": "预算不足时，按比例兑现。",
    "defer": "预算不足时，顺延到下一年度兑现。",
}
NO_MONEY = "本事项不涉及资金。"


def yuan(amount: Decimal) -> str:
    return with_unit(amount, "元")


def base_name(base: Base) -> str:
    """``上年度营业收入``, ``2024 年营业收入``, ``有效发票金额``."""
    if base.year is None:
        return base.label
    return RELATIVE.get(base.year, f"{base.year} 年") + base.label


def award_sentences(award: Award | None, vocabulary: Vocabulary) -> list[str]:
    """What the item pays, line by line; one line where it pays nothing."""
    if award is None:
        return [NO_MONEY]
    many = len(award.rules) > 1
    lines = [CHOOSE[award.choose]] if many else []
    for number, rule in enumerate(award.rules, start=1):
        rest = "其他符合条件的，" if award.choose == "first" and number > 1 and rule.when.tree is None else ""
        said = rest + rule_sentence(rule, vocabulary)
        lines.append(f"（{number}）{said}" if many else said)
    for bonus in award.bonus_points:
        when = "" if bonus.when.tree is None else f"{condition(bonus.when.tree, vocabulary)}的，"
        lines.append(f"{when}补助比例提高 {plain(bonus.points)} 个百分点。")
    if award.rate_limit is not None:
        lines.append(f"补助比例（含加成）最高 {plain(award.rate_limit)}%。")
    if award.cap_total is not None:
        lines.append(f"合计最高 {yuan(award.cap_total)}。")
    if award.cap_per_year is not None:
        lines.append(f"同一企业每年最高 {yuan(award.cap_per_year)}。")
    if len(award.instalments) > 1:
        parts = "、".join(f"{plain(part)}%" for part in award.instalments)
        lines.append(f"分 {len(award.instalments)} 期拨付：{parts}。")
    lines.append(SHORTFALL[award.shortfall])
    return lines


def award_headline(award: Award | None) -> str:
    """The most that a list can say in a few words: ``最高 100 万元``, ``20 万元``, ``按实际支出的 50%``."""
    if award is None:
        return ""
    tops = [rule_top(rule) for rule in award.rules]
    bounded = [top for top in tops if top is not None]
    if len(bounded) == len(tops) and bounded:
        top = sum(bounded, Decimal(0)) if award.choose == "sum" else max(bounded)
        capped = [cap for cap in (award.cap_total, award.cap_per_year) if cap is not None]
        top = min([top, *capped])
        sure = len(award.rules) == 1 and award.rules[0].fixed is not None and award.rules[0].when.tree is None
        return yuan(top) if sure else f"最高 {yuan(top)}"
    caps = [cap for cap in (award.cap_total, award.cap_per_year) if cap is not None]
    if caps:
        return f"最高 {yuan(min(caps))}"
    rates = [rule.rate for rule in award.rules if rule.rate is not None]
    return f"最高按 {plain(max(rates))}% 支持" if rates else ""


def rule_top(rule: Rule) -> Decimal | None:
    """The most one rule can pay in 元, or None where nothing bounds it."""
    if rule.fixed is not None:
        return rule.fixed if rule.cap is None else min(rule.fixed, rule.cap)
    if rule.each is not None and rule.quantity_cap is not None:
        top = rule.each * rule.quantity_cap
        return top if rule.cap is None else min(top, rule.cap)
    return rule.cap


def rule_sentence(rule: Rule, vocabulary: Vocabulary) -> str:
    when = "" if rule.when.tree is None else f"{condition(rule.when.tree, vocabulary)}的，"
    if rule.fixed is not None:
        said = f"给予 {yuan(rule.fixed)}"
    elif rule.rate is not None and rule.of is not None:
        said = f"按{base_name(rule.of)}的 {plain(rule.rate)}% 给予"
    elif rule.brackets and rule.of is not None:
        said = f"按{base_name(rule.of)}分档计算：{_brackets(rule)}"
    elif rule.each is not None and rule.of is not None:
        unit = rule.of.unit
        limit = f"，最多计 {with_unit(rule.quantity_cap, unit)}" if rule.quantity_cap is not None else ""
        said = f"按{base_name(rule.of)}，每{unit or '单位'} {yuan(rule.each)}{limit}"
    else:  # a parsed rule is one of the above
        said = ""
    if rule.cap is not None and rule.fixed is None:
        said += f"，最高 {yuan(rule.cap)}"
    if rule.cap_fact is not None:
        said += f"，且不超过{base_name(rule.cap_fact)}"
    return f"{when}{said}。"


def condition(node: Node, vocabulary: Vocabulary) -> str:
    """A condition inside a sentence: the leaves of its written-out form, joined."""
    lines = render_criteria(node, vocabulary)
    if len(lines) == 1:
        return lines[0].text
    return lines[0].text + "；".join(line.text.rstrip("；。：") for line in lines[1:])


def _brackets(rule: Rule) -> str:
    assert rule.of is not None
    parts = []
    floor: Decimal | None = None
    for bracket in rule.brackets:
        if bracket.upto is None:
            reach = "全部" if floor is None else f"超过 {with_unit(floor, rule.of.unit)} 的部分"
        elif floor is None:
            reach = f"{with_unit(bracket.upto, rule.of.unit)} 以内的部分"
        else:
            reach = f"{with_unit(floor, rule.of.unit)} 至 {with_unit(bracket.upto, rule.of.unit)} 的部分"
        parts.append(f"{reach} {plain(bracket.rate)}%")
        floor = bracket.upto
    return "，".join(parts)
