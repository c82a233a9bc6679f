"""Flags: words for yes in English, Indonesian and Malay."""

from __future__ import annotations

from collections.abc import Iterable

from setia.warehouse.duck import literal

YES = ("yes", "y", "true", "t", "1", "1.0", "on", "x", "✓", "ya", "iya", "benar", "betul", "ada")


def flag_sql(column: str, yes: Iterable[str] = YES) -> str:
    """Whether the text is one of the words (compared in lower case), as a DuckDB expression; null when empty."""
    words = ", ".join(literal(word.lower()) for word in yes)
    return f"lower(nullif(trim({column}), '')) in ({words})"
