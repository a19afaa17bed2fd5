"""Criteria as numbered Chinese text: what a policy page, a checklist and a PDF print."""

from typing import NamedTuple

from . import ast
from .vocabulary import Vocabulary
from .words import chinese_number, leaf_phrase

OPEN_TO_ALL = "面向所有企业，无其他条件"


class Line(NamedTuple):
    """``depth`` from 0; ``number`` as 1.2.3, empty for the first line; ``leaf_id`` None for a group's heading."""

    depth: int
    number: str
    text: str
    leaf_id: str | None = None


def render_criteria(tree: ast.Node, vocabulary: Vocabulary) -> list[Line]:
    """The tree's lines in tree order (``then`` before ``if``), groups as headings over their members."""
    if isinstance(tree, ast.All) and not tree.members:
        return [Line(0, "", OPEN_TO_ALL)]
    lines: list[Line] = []
    _render(tree, vocabulary, lines, depth=0, number="", lead="")
    return lines


def criteria_text(tree: ast.Node, vocabulary: Vocabulary) -> str:
    """The same as one text, two spaces for each level."""
    lines = render_criteria(tree, vocabulary)
    return "\n".join(f"{'  ' * line.depth}{line.number + ' ' if line.number else ''}{line.text}" for line in lines)


def leaf_text(leaf: ast.Leaf, vocabulary: Vocabulary, negated: bool = False) -> str:
    """One condition with its 原则上."""
    return f"{'原则上' if leaf.soft else ''}{leaf_phrase(leaf, vocabulary, negated)}"


def _render(
    node: ast.Node,
    vocabulary: Vocabulary,
    lines: list[Line],
    *,
    depth: int,
    number: str,
    lead: str,
    negated: bool = False,
) -> None:
    """``lead`` stands before the text: the part a member plays in its group."""
    if isinstance(node, ast.Not):
        # Said the other way round, so that a double negation says the thing itself.
        _render(node.member, vocabulary, lines, depth=depth, number=number, lead=lead, negated=not negated)
        return
    if isinstance(node, ast.LeafBase):
        lines.append(Line(depth, number, lead + leaf_text(node, vocabulary, negated), node.id))
        return
    lines.append(Line(depth, number, lead + _heading(node, negated)))
    for index, member in enumerate(ast.children(node), start=1):
        own_lead = ""
        if isinstance(node, ast.IfThen):
            own_lead = ("要求：", "前提：")[index - 1]
        inner = f"{number}.{index}" if number else str(index)
        _render(member, vocabulary, lines, depth=depth + 1, number=inner, lead=own_lead)


def _heading(node: ast.Group, negated: bool) -> str:
    match node:
        case ast.All():
            return "不得同时符合下列全部条件：" if negated else "同时符合下列条件："
        case ast.Any():
            return "不得符合下列任何一项条件：" if negated else "符合下列条件之一："
        case ast.AtLeast(needed, members):
            count = chinese_number(needed)
            if negated:
                return f"符合下列条件的不得达到{count}项："
            return f"符合下列条件中的{count}项{'（全部）' if needed == len(members) else ''}："
        case _:
            return "须符合前提而不满足要求：" if negated else "符合前提的，须满足要求："
