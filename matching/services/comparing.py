"""Two versions of an item's rules side by side: who is newly in, who fell out, and the condition that decides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from matching.criteria import Evaluation, Explainer, Facts, Node, Verdict, Vocabulary, facts_of, leaves
from matching.models.run import FITTING, Standing

Window = tuple[date | None, date | None]
"""The first and the last day of applications (Asia/Shanghai), both included; None: no such end."""


def is_within(*, window: Window, day: date) -> bool:
    """Whether applications may be made on `day`."""
    first, last = window
    return (first is None or first <= day) and (last is None or day <= last)


@dataclass(frozen=True, slots=True)
class Change:
    """How one enterprise stood and stands. `leaf` decides (of the rules that it does not fit), `reason` says what was
    compared with what there."""

    was: Standing
    now: Standing
    leaf: str
    reason: str

    @property
    def is_in(self) -> bool:
        return self.now in FITTING


class Comparison:
    """What new rules change, by the facts of one moment. A tree of None: not open for applications on the day."""

    def __init__(self, old: Node | None, new: Node | None, *, as_of: date, vocabulary: Vocabulary) -> None:
        self._old = None if old is None else Explainer(old, as_of, vocabulary)
        self._new = None if new is None else Explainer(new, as_of, vocabulary)
        self.facts_needed = frozenset(key for tree in (old, new) if tree is not None for key in facts_needed(tree))

    def of(self, facts: Facts) -> Change | None:
        """None where the enterprise fits both, or neither."""
        was, now = _standing(self._old, facts), _standing(self._new, facts)
        if (was in FITTING) == (now in FITTING):
            return None
        failing = self._new if was in FITTING else self._old
        if failing is None:
            return Change(was, now, "", _("不在受理期内"))
        told = failing.explain(facts)
        leaf_id = (*told.unmet, *told.unknown)[0]
        return Change(was, now, leaf_id, told.leaf(leaf_id).comparison)


def facts_needed(tree: Node) -> frozenset[str]:
    """The keys of the facts that a tree looks at: nothing else of a profile has to be read for it."""
    return frozenset(key for leaf in leaves(tree) for key in facts_of(leaf))


def _standing(rules: Explainer | None, facts: Facts) -> Standing:
    if rules is None:
        return Standing.CLOSED
    told: Evaluation = rules.compiled.evaluate(facts, rules.as_of)
    if told.verdict is Verdict.ELIGIBLE:
        return Standing.FITS
    if told.form_only:
        return Standing.FORM
    return Standing.LACKING if told.verdict is Verdict.UNDETERMINED else Standing.OUT
