"""Several people type in one draft: what each of them changed is kept, and what two changed differently is asked.

An answer's *state* is JSON: {"value": …} what counts, {"raw": …, "messages": […]} what was typed and cannot be used as
it stands (then `value` may hold the part that can), None nothing. A page knows the draft as of a revision; it sends
all that it shows, and three states of each answer are compared: as the page knew it, as it is now, as it was sent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

State = dict[str, Any] | None


class Choice(StrEnum):
    """What a person says of an answer that somebody else changed too."""

    MINE = "mine"
    THEIRS = "theirs"
    OPEN = "open"  # asked, and not said yet


@dataclass(frozen=True, slots=True)
class Change:
    """One answer changed with one revision of the draft, by one person (their id)."""

    revision: int
    key: str
    before: State
    after: State
    by: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Settlement:
    """What was said of a clash, told when the draft was at `revision`."""

    choice: Choice
    revision: int


@dataclass(frozen=True, slots=True)
class Clash:
    """Two people changed one answer differently; `last` is the other change, None where it is not known any more."""

    key: str
    mine: State
    theirs: State
    last: Change | None


@dataclass(frozen=True, slots=True)
class Merge:
    """`apply`: answers to write. `taken`: answers that others changed and the page did not. `clashes`: to be asked."""

    apply: dict[str, State] = field(default_factory=dict)
    taken: dict[str, State] = field(default_factory=dict)
    clashes: list[Clash] = field(default_factory=list)


def merge(
    *,
    base: int,
    sent: Mapping[str, State],
    current: Mapping[str, State],
    changes: Sequence[Change],
    settled: Mapping[str, Settlement] | None = None,
) -> Merge:
    """What becomes of the answers `sent` by a page that knew the draft as of revision `base`.

    `changes` are those after the earliest revision named here, in their order; keys that are not sent stay as they are.
    """
    found = Merge()
    for key, mine in sent.items():
        theirs = current.get(key)
        own = [change for change in changes if change.key == key]
        last = own[-1] if own else None
        if same(mine, theirs):
            continue
        said = (settled or {}).get(key)
        if said is not None:
            newer = last is not None and last.revision > said.revision
            if said.choice is Choice.MINE and not newer:
                found.apply[key] = mine
            elif said.choice is Choice.THEIRS and not newer:
                found.taken[key] = theirs
            else:
                found.clashes.append(Clash(key, mine, theirs, last))
            continue
        known = next((change.before for change in own if change.revision > base), theirs)
        if same(known, theirs):
            found.apply[key] = mine
        elif same(mine, known):
            found.taken[key] = theirs
        else:
            found.clashes.append(Clash(key, mine, theirs, last))
    return found


def same(one: State, other: State) -> bool:
    """Whether two states say the same; what is told about them does not count."""
    return _plain(one) == _plain(other)


def _plain(state: State) -> str:
    if not state:
        return "null"
    kept = {"raw": state["raw"]} if "raw" in state else {"value": state.get("value")}
    return json.dumps(kept, ensure_ascii=False, sort_keys=True)
