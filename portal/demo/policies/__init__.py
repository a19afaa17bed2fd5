"""The demo district's policies: documents, the items cut from them, and their readings.

Everything is a function of a day (Asia/Shanghai), so that windows and years stay plausible whenever the demo runs.
The words are the demo's own: no real district issued them.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from . import commerce, culture, finance, industry, innovation, people, property_rights, readings, upgrading
from .district import budget_lines, departments, documents

__all__ = ["import_lines", "policy_items"]


def policy_items(as_of: date) -> list[dict[str, Any]]:
    """Every item of the demo district as import lines, sorted by code."""
    modules = (innovation, property_rights, industry, upgrading, finance, people, commerce, culture)
    found = [item for module in modules for item in module.items(as_of)]
    return sorted(found, key=lambda item: str(item["code"]))


def import_lines(as_of: date) -> list[dict[str, Any]]:
    """Everything that `import_policies` needs: departments, budget lines, documents, items and readings."""
    return [
        *departments(),
        *budget_lines(as_of),
        *documents(as_of),
        *policy_items(as_of),
        *readings.readings(as_of),
    ]
