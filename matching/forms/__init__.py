"""The form of an item (申报表): what it asks beside the criteria, and what may be answered. No framework.

A version's `rules["form"]` is a list of fields (docs/import-formats.md). A field is either a fact of the vocabulary, or
the item's own question; both are answered in the JSON of the criteria language (docs/schemas/), and a field may be
required only where a condition of that language holds, over facts and over the form's own answers alike.
"""

from .answers import Fault, answer_faults, answered_facts, is_required, table_total, unknown_keys
from .fields import Column, FieldType, Form, FormField
from .parse import MOST_FIELDS, parse_form

__all__ = [
    "MOST_FIELDS",
    "Column",
    "Fault",
    "FieldType",
    "Form",
    "FormField",
    "answer_faults",
    "answered_facts",
    "is_required",
    "parse_form",
    "table_total",
    "unknown_keys",
]
