"""What was compared with what, in Chinese: the known value, the range asked, and how much is missing."""

from datetime import date
from fractions import Fraction

from . import ast
from .compare_records import compare_records
from .compare_yearly import compare_yearly
from .evaluate import missing_facts
from .facts import Facts
from .measure import Case, measured
from .vocabulary import Vocabulary
from .words import codes_phrase, dates_phrase, leaf_phrase, required, subject, unit_of


def comparison(leaf: ast.Leaf, negated: bool, facts: Facts, as_of: date, vocabulary: Vocabulary) -> str:
    """One sentence about one leaf; ``negated`` where a ``not`` stands over it."""
    about = Case(negated, facts, as_of, vocabulary)
    lacking = [f"{about.label(key)}{about.origin(key)}" for key in missing_facts(leaf, facts)]
    if lacking:
        return f"缺少{'、'.join(lacking)}，{required(leaf_phrase(leaf, vocabulary, negated, as_of))}"
    match leaf:
        case ast.CodeLeaf():
            return _code(leaf, about)
        case ast.NumberLeaf():
            return _number(leaf, about)
        case ast.YearlyLeaf():
            return compare_yearly(leaf, about)
        case ast.DateLeaf():
            return _date(leaf, about)
        case ast.BooleanLeaf():
            return _boolean(leaf, about)
        case ast.RecordsLeaf():
            return compare_records(leaf, about)


def _code(leaf: ast.CodeLeaf, case: Case) -> str:
    code = case.facts.code(leaf.fact) or ""
    own = case.vocabulary.code_list(leaf.fact).label(code)
    denied = leaf.negated is not case.negated
    among = "" if len(leaf.codes) == 1 else "任何一项" if denied else "之一"
    codes = codes_phrase(leaf.codes, leaf, case.vocabulary)
    return f"{case.label(leaf.fact)}为“{own}”，要求{'不属于' if denied else '属于'}{codes}{among}"


def _boolean(leaf: ast.BooleanLeaf, case: Case) -> str:
    known = "是" if case.facts.boolean(leaf.fact) else "否"
    return f"{case.label(leaf.fact)}：{known}，要求：{'是' if leaf.value is not case.negated else '否'}"


def _number(leaf: ast.NumberLeaf, case: Case) -> str:
    number = case.facts.number(leaf.fact)
    assert number is not None
    about = subject(leaf, case.vocabulary)
    value = Fraction(number)
    if leaf.percent_of is not None:
        whole = case.facts.number(leaf.percent_of)
        assert whole is not None
        if whole <= 0:
            return f"{case.label(leaf.percent_of)}不大于 0，无法计算{about}"
        value = 100 * value / Fraction(whole)
    return f"{about} {measured(value, leaf.bounds, unit_of(leaf, case.vocabulary), case.negated)}"


def _date(leaf: ast.DateLeaf, case: Case) -> str:
    value = case.facts.date(leaf.fact)
    assert value is not None
    asked = dates_phrase(leaf.dates, case.as_of)
    told = f"{case.label(leaf.fact)} {value}，要求{f'不是“{asked}”' if case.negated else asked}"
    window = leaf.dates.window(case.as_of)
    if case.negated or window is None:
        return told
    if value < window[0]:
        return f"{told}，早了 {(window[0] - value).days} 天"
    return f"{told}，晚了 {(value - window[1]).days} 天" if value > window[1] else told
