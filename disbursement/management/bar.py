"""How far a command has come, on the terminal."""

from __future__ import annotations

import sys
from typing import NoReturn, Self

from tqdm import tqdm


class Bar:
    """A bar on the terminal, and nothing where there is none."""

    def __init__(self, unit: str, *, text: str = "") -> None:
        self._bar: tqdm[NoReturn] = tqdm(desc=text, unit=unit, disable=not sys.stderr.isatty(), leave=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._bar.close()

    def say(self, text: str) -> None:
        self._bar.set_description(text)

    def show(self, done: int, total: int) -> None:
        self._bar.total = total
        self._bar.update(done - self._bar.n)
