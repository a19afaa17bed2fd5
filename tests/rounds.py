"""Which tests need only the first of the suite's two rounds (`bin/test`).

The second round repeats on PostgreSQL what touches a database. What asks nothing of it in which two databases could
differ, and takes long, is left out there: what only permissions, pages, processes or a command of SQLite decide. Where
there is no PostgreSQL the first round is all there is, so each test runs at least once.
"""

import pytest

first_round_only = pytest.mark.skipif(
    "config.getoption('database_only')", reason="asks nothing of a database that the first round has not asked"
)
