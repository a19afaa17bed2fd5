"""Why a version fits an enterprise or not, in the words now in force for its conditions."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from matching.criteria import Explainer, Explanation, Facts, Node, Vocabulary, canonical_json, explain, parse_criteria
from matching.models import PolicyVersion
from matching.services.listed import known_facts
from matching.services.vocabulary import current_vocabulary

_MOST_TREES = 2048
_MOST_EXPLAINERS = 256
_trees: dict[tuple[str, str], Node] = {}  # by canonical criteria and the vocabulary's digest: both never change
_explainers: dict[tuple[str, str, date], Explainer] = {}


def criteria_of(*, version: PolicyVersion, vocabulary: Vocabulary | None = None) -> Node:
    """The version's criteria, read by the vocabulary in force (which a caller with many versions hands in).

    Raises InvalidInput where that cannot read them, which the vocabulary's service prevents for listed items.
    """
    vocabulary = vocabulary or current_vocabulary()
    key = (canonical_json(version.rules["criteria"]), vocabulary.digest)
    tree = _trees.get(key)
    if tree is None:
        tree = parse_criteria(version.rules["criteria"], vocabulary)
        if len(_trees) >= _MOST_TREES:
            _trees.clear()
        _trees[key] = tree
    return tree


def explainer_of(*, version: PolicyVersion, as_of: date, vocabulary: Vocabulary | None = None) -> Explainer:
    """What explains a version to any enterprise, as of a day in Asia/Shanghai: made once, and kept for some days and
    versions. Its clauses and advice are those of the version itself. Raises InvalidInput as `criteria_of`."""
    vocabulary = vocabulary or current_vocabulary()
    key = (canonical_json(version.rules["criteria"]), vocabulary.digest, as_of)
    explainer = _explainers.get(key)
    if explainer is None:
        explainer = Explainer(criteria_of(version=version, vocabulary=vocabulary), as_of, vocabulary)
        if len(_explainers) >= _MOST_EXPLAINERS:
            _explainers.clear()
        _explainers[key] = explainer
    return explainer


def explain_pair(
    *, version: PolicyVersion, facts: Mapping[str, Any] | Facts, as_of: date, vocabulary: Vocabulary | None = None
) -> Explanation:
    """Every condition with what was compared with what, as of a day in Asia/Shanghai.

    `facts` is a profile's JSON, or typed already. Texts and advice that the item carries today lie over those of its
    version in force (needs `version.item`).
    """
    vocabulary = vocabulary or current_vocabulary()
    typed = facts if isinstance(facts, Facts) else known_facts(facts=facts, vocabulary=vocabulary)
    explanation = explain(criteria_of(version=version, vocabulary=vocabulary), typed, as_of, vocabulary)
    words: dict[str, dict[str, str]] = version.item.words if version.item.current_version_id == version.pk else {}
    if not words:
        return explanation
    leaves = tuple(
        replace(
            leaf,
            clause=words.get(leaf.id, {}).get("text", leaf.clause),
            advice=words.get(leaf.id, {}).get("advice", leaf.advice),
        )
        for leaf in explanation.leaves
    )
    return replace(explanation, leaves=leaves)
