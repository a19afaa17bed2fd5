"""What no constraint can say, said by database triggers: append-only tables, frozen columns, balances, bound
signatures.

`install` is run by a migration, and again by any later migration that adds a guarded table or a column to one, or
that rebuilds a guarded table on SQLite (which drops a table's triggers with the old table). Both databases get the same
rules, with two differences: on SQLite rows may be deleted (Django empties tables there by DELETE, and the demo's file
belongs to whoever holds it), and a balance may be written by hand. `manage.py audit` finds both, and triggers that are
missing or changed.

A refused statement is an integrity error, as from any constraint.
"""

from disbursement.guards.install import install, remove
from disbursement.guards.money import APPEND_ONLY, NEVER_DELETED, Guard, guards

__all__ = ["APPEND_ONLY", "NEVER_DELETED", "Guard", "guards", "install", "remove"]
