"""What is still to be told to the search index, where the settings ask for one."""

from django.conf import settings

from matching.services import indexing

KIND = "items"


def in_use() -> bool:
    """Whether the settings ask for it."""
    return bool(settings.HUIDA_SEARCH == "elasticsearch")


def note(*, page_id: int) -> None:
    """Say, in the caller's transaction, that a row was changed or taken away. Asks no server."""
    if in_use():
        indexing.note(kind=KIND, ids=[page_id])
