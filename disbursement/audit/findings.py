"""What an audit finds: a sentence of what is wrong, where, and what to do."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it must be. `check` names the check; the texts are Chinese, for people."""

    check: str
    place: str
    problem: str
    remedy: str
    # What it rests on, where a supervisor may acknowledge it (`disbursement.audit.acknowledge`).
    mark: str = ""

    def __str__(self) -> str:
        return f"【{self.place}】{self.problem} 处理办法：{self.remedy}"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Scope:
    """What an audit looks at: everything, one application with its money, or what was written since a day.

    `applications`, `batches` and `lines` hold ids; None means all of them. `tables` limits the check of links to some
    tables (None: all).
    """

    applications: frozenset[int] | None = None
    batches: frozenset[int] | None = None
    lines: frozenset[int] | None = None
    enterprises: frozenset[int] | None = None
    tables: frozenset[str] | None = None
    since_link: int = 0
    label: dict[str, Any] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        return self.applications is None and self.tables is None and self.since_link == 0
