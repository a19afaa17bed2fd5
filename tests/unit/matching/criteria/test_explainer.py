"""An explainer that is used again and again says what `explain` says anew each time, and a push's part of it."""

from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from matching.criteria import Explainer, Outcome, explain, parse_criteria, parse_facts
from tests.unit.matching.criteria import strategies
from tests.unit.matching.criteria.samples import VOCABULARY

AS_OF = date(2026, 11, 22)


@given(tree=strategies.trees, profiles=st.lists(strategies.facts, min_size=1, max_size=4))
def test_one_explainer_for_many_enterprises_says_what_each_explanation_says(tree: Any, profiles: list[Any]) -> None:
    criteria = parse_criteria(tree, VOCABULARY)
    explainer = Explainer(criteria, AS_OF, VOCABULARY)
    for profile in [*profiles, *profiles]:
        facts = parse_facts(profile, VOCABULARY)
        anew = explain(criteria, facts, AS_OF, VOCABULARY)
        assert explainer.explain(facts) == anew
        brief = explainer.brief(facts)
        on_way = [leaf for leaf in anew.leaves if leaf.on_way and not leaf.soft]
        assert list(brief.met) == [leaf.comparison for leaf in on_way if leaf.outcome is Outcome.MET]
        assert list(brief.asked) == list(
            dict.fromkeys(
                label for leaf in on_way if leaf.outcome is Outcome.UNKNOWN for _key, label, _source in leaf.missing
            )
        )
        assert list(brief.warnings) == [leaf.comparison for leaf in anew.warnings]
