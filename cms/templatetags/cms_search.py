"""Marks the words of a search in what is shown."""

from collections.abc import Iterable
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from matching.search.highlight import pieces, snippet

register = template.Library()


@register.filter
def marked(text: str, words: Iterable[str] | None) -> SafeString | str:
    """The text, escaped, with the words inside `<mark>`."""
    if not words:
        return text
    return format_html_join(
        "", "{}", ((format_html("<mark>{}</mark>", piece) if hit else piece,) for piece, hit in pieces(text, words))
    )


@register.filter
def found_in(row: Any, words: Iterable[str]) -> str:
    """The place in a row's conditions or body where the words stand; empty where its title or summary show one."""
    words = list(words)
    if any(hit for text in (row.title, row.summary[:110]) for _, hit in pieces(text, words)):
        return ""
    return snippet(row.texts.get("clauses", ""), words) or snippet(row.texts.get("body", ""), words)
