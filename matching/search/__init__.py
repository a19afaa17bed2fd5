"""Chinese text search over one row for each published thing, on any database."""
