"""Long sequences in pieces, so that work over all enterprises holds a bounded part of them."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")


def chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of `size` items, the last may be shorter; none is empty."""
    iterator = iter(items)
    while piece := list(islice(iterator, size)):
        yield piece
