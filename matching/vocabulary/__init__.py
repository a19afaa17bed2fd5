"""The default vocabulary: what can be known about an enterprise, and the code lists it is said in.

The data stands in ``default/*.json``. Each file is a part of one vocabulary file in the published format
(``docs/schemas/``): ``codes_*.json`` hold code lists, ``facts_*.json`` hold facts, split by subject so that a change
reads as a change of that subject. They are merged here; a key in two files is an error, never an override.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from matching.criteria import Vocabulary, parse_vocabulary

__all__ = ["load_default", "load_default_data"]


def load_default_data() -> dict[str, Any]:
    """The merged default vocabulary as plain data, in the format of a vocabulary file.

    The value is freshly built: a caller may change it and hand it to ``parse_vocabulary``.

    Raises:
        ValueError: two files define the same code list.
    """
    code_lists: dict[str, Any] = {}
    facts: list[dict[str, Any]] = []
    parts = (entry for entry in files(__name__).joinpath("default").iterdir() if entry.name.endswith(".json"))
    for entry in sorted(parts, key=lambda part: part.name):
        part = json.loads(entry.read_text(encoding="utf-8"))
        for name, code_list in part.get("code_lists", {}).items():
            if name in code_lists:
                raise ValueError(f"{entry.name}: 代码表 {name} 在另一个文件中已有定义，请只保留一处")
            code_lists[name] = code_list
        facts.extend(part.get("facts", ()))
    return {"code_lists": code_lists, "facts": facts}


@cache
def load_default() -> Vocabulary:
    """The default vocabulary, parsed once per process (it is immutable)."""
    return parse_vocabulary(load_default_data())
