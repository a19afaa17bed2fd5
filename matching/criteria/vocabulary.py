"""The vocabulary: which facts are known of an enterprise, their types, units, sources and code lists."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from itertools import islice
from types import MappingProxyType
from typing import Any

from .errors import Collector, join, shown
from .values import Period, read_period


class FactType(StrEnum):
    CODE = "code"
    NUMBER = "number"
    YEARLY = "yearly"
    DATE = "date"
    BOOLEAN = "boolean"
    RECORDS = "records"


class Hierarchy(StrEnum):
    NONE = "none"
    PREFIX = "prefix"
    PARENTS = "parents"


class Scope(StrEnum):
    ENTERPRISE = "enterprise"
    APPLICATION = "application"


_CODED = (FactType.CODE, FactType.RECORDS)
_MEASURED = (FactType.NUMBER, FactType.YEARLY, FactType.RECORDS)


@dataclass(frozen=True)
class CodeList:
    """Codes with their Chinese labels. A code covers itself and its descendants: by prefix, or through parents."""

    name: str
    hierarchy: Hierarchy
    codes: Mapping[str, str]
    parents: Mapping[str, str] = field(default_factory=dict)

    def __contains__(self, code: object) -> bool:
        return code in self.codes

    def label(self, code: str) -> str:
        return self.codes.get(code, code)

    def not_listed(self, code: str) -> str:
        """The message for a code that is not on this list: what is wrong and what is allowed."""
        examples = "、".join(f"{known}（{label}）" for known, label in islice(self.codes.items(), 3))
        more = f"等 {len(self.codes)} 个代码" if len(self.codes) > 3 else ""
        return f"代码 {shown(code)} 不在代码表 {self.name} 中；可用：{examples}{more}"

    def ancestors(self, code: str) -> tuple[str, ...]:
        """The listed codes that cover ``code``, itself first, then the nearest."""
        if self.hierarchy is Hierarchy.PREFIX:
            prefixes = (code[:length] for length in range(len(code), 0, -1))
            return tuple(prefix for prefix in prefixes if prefix in self.codes)
        found = [code]
        while self.hierarchy is Hierarchy.PARENTS and found[-1] in self.parents:
            found.append(self.parents[found[-1]])
        return tuple(found)

    def covers(self, ancestor: str, code: str) -> bool:
        """Whether ``code`` is ``ancestor`` or one of its descendants."""
        return ancestor in self.ancestors(code)

    def descendants(self, code: str) -> frozenset[str]:
        """Every listed code that ``code`` covers, itself included."""
        return self._covered.get(code, frozenset((code,)))

    @cached_property
    def _covered(self) -> dict[str, frozenset[str]]:
        covered: dict[str, set[str]] = {code: {code} for code in self.codes}
        for code in self.codes:
            for ancestor in self.ancestors(code):
                covered[ancestor].add(code)
        return {code: frozenset(members) for code, members in covered.items()}


@dataclass(frozen=True, slots=True)
class FactDefinition:
    """One fact. ``unit`` is 元, %, 人, …; ``codes`` names the code list of a code or records fact."""

    key: str
    label: str
    type: FactType
    codes: str | None = None
    unit: str = ""
    source: str = ""
    fresh_for: Period | None = None
    scope: Scope = Scope.ENTERPRISE


@dataclass(frozen=True)
class Vocabulary:
    """Facts by key and code lists by name. ``digest`` addresses the content: equal data, equal digest."""

    facts: Mapping[str, FactDefinition]
    code_lists: Mapping[str, CodeList]
    canonical: str = "{}"

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the canonical JSON."""
        return hashlib.sha256(self.canonical.encode()).hexdigest()

    @cached_property
    def derived(self) -> dict[str, Any]:
        """What others work out from the vocabulary once, by a name of theirs; it goes when the vocabulary goes."""
        return {}

    def code_list(self, key: str) -> CodeList:
        """The code list of a code or records fact."""
        name = self.facts[key].codes
        if name is None:
            raise KeyError(f"fact {key} has no code list")
        return self.code_lists[name]


def canonical_json(data: Any) -> str:
    """Sorted keys, no spaces, UTF-8 without escapes: equal data give equal text."""
    return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def parse_vocabulary(data: Any, path: str = "") -> Vocabulary:
    """A vocabulary from its JSON value. Raises InvalidInput with every mistake and its place."""
    problems = Collector()
    lists: dict[str, CodeList] = {}
    facts: dict[str, FactDefinition] = {}
    top = problems.mapping(data, path, "词表")
    if top is not None:
        problems.keys(top, path, allowed=("code_lists", "facts"), required=("facts",))
        known_lists = _parse_code_lists(top.get("code_lists", {}), join(path, "code_lists"), problems, lists)
        members = problems.sequence(top.get("facts", []), join(path, "facts"), "facts ")
        for index, item in enumerate(members or ()):
            place = join(join(path, "facts"), index)
            definition = _parse_definition(item, place, problems, known_lists)
            if definition is None:
                continue
            if definition.key in facts:
                problems.add(join(place, "key"), f"事实 {definition.key} 已定义过；每个 key 只能出现一次")
            facts[definition.key] = definition
    problems.raise_if_any()
    return Vocabulary(MappingProxyType(facts), MappingProxyType(lists), canonical_json(data))


def _parse_code_lists(value: Any, path: str, problems: Collector, lists: dict[str, CodeList]) -> frozenset[str]:
    """Fills ``lists`` with the good ones; returns the names of all, so that one mistake is told once."""
    named = problems.mapping(value, path, "code_lists ")
    for name, item in (named or {}).items():
        place = join(path, name)
        body = problems.mapping(item, place, "代码表")
        if body is None:
            continue
        problems.keys(body, place, allowed=("hierarchy", "codes", "parents"), required=("codes",))
        hierarchy = problems.one_of(body.get("hierarchy", "none"), join(place, "hierarchy"), "层级", list(Hierarchy))
        codes = _parse_labels(body.get("codes", {}), join(place, "codes"), problems) if "codes" in body else {}
        parents: dict[str, str] = {}
        if hierarchy == Hierarchy.PARENTS:
            if "parents" not in body:
                problems.add(place, "层级为 parents 的代码表缺少键 parents")
            else:
                parents = _parse_parents(body["parents"], join(place, "parents"), problems, codes)
        elif "parents" in body and hierarchy is not None:
            problems.add(join(place, "parents"), "只有层级为 parents 的代码表才有 parents")
        if hierarchy is not None:
            lists[name] = CodeList(name, Hierarchy(hierarchy), MappingProxyType(codes), MappingProxyType(parents))
    return frozenset(named or ())


def _parse_labels(value: Any, path: str, problems: Collector) -> dict[str, str]:
    codes = problems.mapping(value, path, "codes ")
    if codes is None:
        return {}
    if not codes:
        problems.add(path, "代码表不能为空，至少要有一个代码")
    for code, label in codes.items():
        if not code:
            problems.add(path, "代码不能是空文本")
        problems.text(label, join(path, code), "代码的名称")
    return codes


def _parse_parents(value: Any, path: str, problems: Collector, codes: dict[str, str]) -> dict[str, str]:
    parents = problems.mapping(value, path, "parents ")
    if parents is None:
        return {}
    sound: dict[str, str] = {}
    for child, parent in parents.items():
        place = join(path, child)
        if child not in codes:
            problems.add(place, f"{shown(child)} 不在本代码表的 codes 中")
        if not isinstance(parent, str) or parent not in codes:
            problems.add(place, f"上级 {shown(parent)} 不在本代码表的 codes 中")
        elif child in codes:
            sound[child] = parent
    return _without_cycles(sound, path, problems)


def _without_cycles(parents: dict[str, str], path: str, problems: Collector) -> dict[str, str]:
    """The parents without the edges that close a cycle, each of which is told once."""
    order = {child: position for position, child in enumerate(parents)}
    sound = dict(parents)
    for start in parents:
        chain = [start]
        while (parent := sound.get(chain[-1])) is not None and parent not in chain:
            chain.append(parent)
        if parent is not None:
            cycle = chain[chain.index(parent) :]
            first = min(cycle, key=order.__getitem__)
            problems.add(join(path, first), f"上级关系成环：{' → '.join([*cycle, parent])}；上级不能是自己或自己的下级")
            del sound[first]
    return sound


def _parse_definition(item: Any, path: str, problems: Collector, known_lists: frozenset[str]) -> FactDefinition | None:
    body = problems.mapping(item, path, "事实定义")
    if body is None:
        return None
    before = len(problems.problems)
    allowed = ("key", "label", "type", "codes", "unit", "source", "fresh_for", "scope")
    problems.keys(body, path, allowed=allowed, required=("key", "label", "type"))
    text = {
        name: problems.text(body[name], join(path, name), name, empty=name in ("unit", "source"))
        for name in ("key", "label", "unit", "source")
        if name in body
    }
    key = text.get("key")
    if key and ("@" in key or not key.isprintable() or key != key.strip()):
        problems.add(join(path, "key"), f"key {shown(key)} 不能含 @、首尾空白或控制字符")
    kind = problems.one_of(body["type"], join(path, "type"), "类型", list(FactType)) if "type" in body else None
    if kind in _CODED and "codes" not in body:
        problems.add(path, f"{kind} 类型的事实缺少键 codes（所用代码表的名称）")
    if "codes" in body:
        name = problems.text(body["codes"], join(path, "codes"), "codes")
        if kind is not None and kind not in _CODED:
            problems.add(join(path, "codes"), f"{kind} 类型的事实没有 codes；只有 code、records 类型才有")
        elif name is not None and name not in known_lists:
            allowed_names = "、".join(sorted(known_lists)) or "（没有）"
            problems.add(join(path, "codes"), f"代码表 {shown(name)} 不存在；已有：{allowed_names}")
    if "unit" in body and kind is not None and kind not in _MEASURED:
        problems.add(join(path, "unit"), f"{kind} 类型的事实没有单位；只有 number、yearly、records 类型才有")
    fresh_for = None
    if "fresh_for" in body:
        fresh_for = read_period(body["fresh_for"], join(path, "fresh_for"), problems, "有效期")
    scope = problems.one_of(body.get("scope", "enterprise"), join(path, "scope"), "范围", list(Scope))
    if len(problems.problems) > before:
        return None
    return FactDefinition(
        key=body["key"],
        label=body["label"],
        type=FactType(body["type"]),
        codes=body.get("codes"),
        unit=body.get("unit", ""),
        source=body.get("source", ""),
        fresh_for=fresh_for,
        scope=Scope(scope or "enterprise"),
    )
