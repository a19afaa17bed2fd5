"""The matcher's index and the database: compared, mended, or the index built anew."""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime

from django.conf import settings

from matching.backends.base import BackendUnavailable, Listed
from matching.backends.elastic import rebuild
from matching.backends.elastic.rebuild import Difference, Rebuilt
from matching.models import PolicyItem
from matching.services.listed import readable
from matching.services.vocabulary import current_vocabulary

logger = logging.getLogger(__name__)


def listed_policies() -> Iterator[Listed]:
    """Every listed version that the vocabulary in force can read."""
    vocabulary = current_vocabulary()
    rows = PolicyItem.objects.filter(is_listed=True).order_by("pk")
    for version_id, rules in rows.values_list("current_version_id", "current_version__rules").iterator(chunk_size=500):
        listed = readable(version_id=version_id, rules=rules, vocabulary=vocabulary)
        if listed is not None:
            yield listed


def rebuild_index(*, now: datetime, on_progress: Callable[[int, int], None]) -> Rebuilt:
    """Build the index of listed versions anew, verify it and put it into service. What was listed or withdrawn
    meanwhile is mended afterwards. A rebuild that was stopped is gone on with.

    Raises BackendUnavailable, and RebuildFailed where the new index is not what was written.
    """
    built = rebuild.rebuild(listed_policies(), stamp=f"{now:%Y%m%d%H%M%S%f}", on_progress=on_progress)
    rebuild.mend(listed_policies())
    return built


def check_index() -> Difference:
    """How the index differs from the database; false where they are equal. Raises BackendUnavailable."""
    return rebuild.check(listed_policies())


def mend_index() -> Difference | None:
    """Bring the index to what is listed, where the settings name Elasticsearch; None where they do not, or where the
    server is away (the embedded matcher stands in, and the next run mends)."""
    if settings.HUIDA_MATCHER != "elasticsearch":
        return None
    try:
        return rebuild.mend(listed_policies())
    except BackendUnavailable as error:
        logger.warning("the index of listed versions could not be mended: %s", error)
        return None
