"""A lookup for filters that name thousands of ids: `filter(pk__among=ids)`, as `in`, but with one parameter."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, ForeignObject, Lookup
from django.db.models.sql.compiler import SQLCompiler

from matching.statements import among


# A relation knows the lookups of relations alone.
@ForeignObject.register_lookup
@Field.register_lookup
class Among(Lookup):
    """The column holds one of these values: numbers or texts as the database keeps them, never a query.

    `in` makes a parameter of each value, and Django, the driver and the database each look at every one of them.
    """

    lookup_name = "among"

    def get_prep_lookup(self) -> list[Any]:
        if isinstance(self.rhs, str) or not isinstance(self.rhs, Collection):
            raise TypeError(f"among takes a collection of values, not {type(self.rhs).__name__}")
        # As `in` does: beside a NULL nothing is known to be excluded.
        return [value for value in self.rhs if value is not None]

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        if not self.rhs:
            raise EmptyResultSet
        column, parameters = self.process_lhs(compiler, connection)
        condition, values = among(column, self.rhs)
        return condition, (*parameters, *values)
