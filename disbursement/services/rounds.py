"""Rounds of work that nobody watches: one step that breaks leaves no other undone."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TypeVar

logger = logging.getLogger(__name__)
Done = TypeVar("Done")


def every(steps: Mapping[str, Callable[[], Done]]) -> dict[str, Done]:
    """Take all steps, in their order, and give what each came to, by name. One that breaks is logged; when all the
    others are done, what broke first is raised, so that the round is seen to have failed.
    """
    done: dict[str, Done] = {}
    broken: list[Exception] = []
    for name, step in steps.items():
        try:
            done[name] = step()
        except Exception as error:
            logger.exception("%s broke; the round goes on without it", name)
            broken.append(error)
    if broken:
        raise broken[0]
    return done
