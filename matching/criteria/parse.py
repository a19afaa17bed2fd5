"""From JSON to a criteria tree. Every mistake is found and placed; a tree that is returned is wholly sound."""

from typing import Any

from . import ast
from .errors import Collector, InvalidInput, join, shown
from .parse_leaf import parse_leaf
from .vocabulary import Vocabulary

_GROUPS = {
    "all": ("all",),
    "any": ("any",),
    "at_least": ("at_least", "of"),
    "of": ("at_least", "of"),
    "not": ("not",),
    "if": ("if", "then"),
    "then": ("if", "then"),
}
_SHAPES = '{"all": […]}、{"any": […]}、{"at_least": 2, "of": […]}、{"not": …}、{"if": …, "then": …} 或 {"fact": …}'


def parse_criteria(data: Any, vocabulary: Vocabulary, path: str = "criteria") -> ast.Node:
    """The tree of a criteria value. Raises InvalidInput with every mistake; places start with ``path``."""
    problems = Collector()
    node = _Parser(vocabulary, path, problems).node(data, "", 1)
    problems.raise_if_any()
    if node is None:
        raise InvalidInput(problems.problems)
    return node


class _Parser:
    def __init__(self, vocabulary: Vocabulary, prefix: str, problems: Collector) -> None:
        self.vocabulary = vocabulary
        self.prefix = prefix
        self.problems = problems
        self.places: dict[str, str] = {}  # leaf id → the place that took it

    def place(self, tree_path: str) -> str:
        return ".".join(part for part in (self.prefix, tree_path) if part)

    def node(self, data: Any, tree_path: str, depth: int) -> ast.Node | None:
        """``tree_path`` is the place inside the tree, ``""`` at the root; a lone leaf has depth 1."""
        place = self.place(tree_path)
        if depth > ast.MOST_DEPTH:
            self.problems.add(place, f"条件嵌套超过 {ast.MOST_DEPTH} 层；单独一个条件算 1 层")
            return None
        body = self.problems.mapping(data, place, "条件")
        if body is None:
            return None
        if "fact" in body:
            return self.leaf(body, tree_path)
        shapes = list(dict.fromkeys(_GROUPS[key] for key in body if key in _GROUPS))
        if len(shapes) != 1:
            told = f"不能同时写 {'、'.join(shape[0] for shape in shapes)}" if shapes else f"看不懂 {shown(body)}"
            self.problems.add(place, f"{told}；条件应是 {_SHAPES} 之一")
            return None
        keys = shapes[0]
        self.problems.keys(body, place, allowed=keys, required=keys)
        match keys[0]:
            case "all" | "any":
                members = self.members(body.get(keys[0]), tree_path, keys[0], depth)
                return None if members is None else (ast.All if keys[0] == "all" else ast.Any)(members)
            case "at_least":
                return self.at_least(body, tree_path, depth)
            case "not":
                member = self.child(body, tree_path, "not", depth)
                return None if member is None else ast.Not(member)
        then = self.child(body, tree_path, "then", depth)
        condition = self.child(body, tree_path, "if", depth)
        return None if then is None or condition is None else ast.IfThen(condition, then)

    def child(self, body: dict[str, Any], tree_path: str, key: str, depth: int) -> ast.Node | None:
        return self.node(body[key], join(tree_path, key), depth + 1) if key in body else None

    def members(self, value: Any, tree_path: str, key: str, depth: int) -> tuple[ast.Node, ...] | None:
        own_path = join(tree_path, key)
        items = self.problems.sequence(value, self.place(own_path), key + " ")
        if items is None:
            return None
        if not items and not (key == "all" and depth == 1):
            allowed = '只有单独的 {"all": []}（面向所有企业）可以为空'
            self.problems.add(self.place(own_path), f"组里至少要有一个条件；{allowed}")
            return None
        nodes = [self.node(item, join(own_path, index), depth + 1) for index, item in enumerate(items)]
        sound = tuple(node for node in nodes if node is not None)
        return sound if len(sound) == len(nodes) else None

    def at_least(self, body: dict[str, Any], tree_path: str, depth: int) -> ast.Node | None:
        needed = body.get("at_least")
        members = self.members(body["of"], tree_path, "of", depth) if "of" in body else None
        size = len(body["of"]) if isinstance(body.get("of"), list | tuple) else None
        if "at_least" not in body:
            return None
        place = self.place(join(tree_path, "at_least"))
        limit = f"1 到 {size}（of 的条数）之间的整数" if size else "1 到 of 条数之间的整数"
        if not isinstance(needed, int) or isinstance(needed, bool) or needed < 1 or (size and needed > size):
            self.problems.add(place, f"at_least 应是 {limit}，现为 {shown(needed)}")
            return None
        return None if members is None else ast.AtLeast(needed, members)

    def leaf(self, body: dict[str, Any], tree_path: str) -> ast.Leaf | None:
        place = self.place(tree_path)
        own_path = tree_path or "root"
        leaf_id: str | None = own_path
        if "id" in body:
            leaf_id = self.problems.text(body["id"], join(place, "id"), "id")
        if leaf_id is not None:
            if leaf_id in self.places:
                told = f"id {shown(leaf_id)} 已被 {self.places[leaf_id] or '根'} 使用；同一棵树里 id 不能重复"
                self.problems.add(join(place, "id") if "id" in body else place, told)
            else:
                self.places[leaf_id] = place
        return parse_leaf(
            body,
            place=place,
            leaf_id=leaf_id or own_path,
            tree_path=own_path,
            vocabulary=self.vocabulary,
            problems=self.problems,
        )
