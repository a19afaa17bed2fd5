"""Who may match at the same time, and why nothing is missed and nothing stale comes back.

Two kinds of work write the same rows. *Profile work* judges some enterprises by every listed version (a profile
changed, or the night came). A *chunk* of a version's run judges many enterprises by that version. Both go together:

1. Both hold `matching_together`, then the profiles of the enterprises that they judge, in the order of their ids, from
   before they read the facts until they commit. So two writers of one pair take turns, and the later one has seen the
   facts that are in force: what was read is never overtaken before it is written.
2. Both read what is listed after they hold `matching_together`. A run begins with a **barrier**: it takes
   `matching_alone` for an instant, after its version was committed. Work that began before the barrier is over by then;
   work that begins after it sees the new version in force. So once a run has begun nobody writes a row, or a push, of
   the version that it replaces, and what its chunks take away stays away. Withdrawing an item does the same.
3. A chunk takes no row away unseen. It judges its candidates **and** every enterprise in its range for which a row of
   the item is stored, each under its profile's lock. An enterprise that is neither is left alone.
4. So the candidates may be out of date. A profile that changed after they were found has its own event, written in the
   transaction of the change. Delivered after the version was committed, that event matches the enterprise with the new
   version too (whether before the chunk, whose judging then agrees, or after it). Delivered before, the change was in
   the index before the walk began. Either way the pair is judged by the facts in force, at least once after both the
   version and the facts were there. That the index was brought up to date by then is what `candidates.walk` promises.
5. What was told is never told twice whoever tells it: a push is unique by (enterprise, version, verdict).

Locks are taken in one order: `matching_together`, chunk, profiles. SQLite has one writer at a time anyway.
"""

from django.db import connection

# The numbers of these advisory locks, any but the same everywhere.
_MATCHING = 7_301_001
_READING = 7_301_002


def matching_alone() -> None:
    """Wait until nobody matches any more; until the transaction ends, nobody begins. Keep it short."""
    _advisory("pg_advisory_xact_lock")


def matching_together() -> None:
    """Until the transaction ends, nobody gets past a barrier."""
    _advisory("pg_advisory_xact_lock_shared")


def making_a_reading() -> None:
    """Until the transaction ends, nobody else makes a reading of profiles."""
    _advisory("pg_advisory_xact_lock", _READING)


def _advisory(function: str, number: int = _MATCHING) -> None:
    if not connection.in_atomic_block:
        raise RuntimeError("a lock of a transaction needs a transaction")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {function}(%s)", [number])
