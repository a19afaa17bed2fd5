"""The matcher on Elasticsearch: an index of clauses, asked with a profile. The only place that knows the client.

A document is a clause. ``asks`` names the columns in which it has a test, ``codes`` and ``ranges`` hold what each
column admits. A profile becomes one query that counts, clause by clause, the columns that fail, and lets through those
with at most as many as asked; its score tells how many fail and whether one cannot be told. What is let through is
decided by ``criteria.evaluate``: a column may let through too much, never too little.

Nothing but the server's core is used (no script, no percolator), so any Elasticsearch 8 or 9 will do.
"""
