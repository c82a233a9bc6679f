"""The few forms of Markdown that the generated pages use."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence

NOTE = "<!-- Written by `make docs` from the code; edit the declarations, not this page. -->"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [_row(head), _row(["---"] * len(head)), *(_row(row) for row in rows)]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


def code(text: object) -> str:
    """Text as code; nothing stays nothing."""
    return f"`{text}`" if text not in (None, "") else ""


def paragraphs(thing: object) -> str:
    """The whole docstring, line breaks within paragraphs removed; listings keep theirs."""
    text = inspect.cleandoc(thing.__doc__ or "")
    return "\n\n".join(block if "\n- " in f"\n{block}" else " ".join(block.split()) for block in text.split("\n\n"))


def first_line(text: str | None) -> str:
    """The first line of a docstring."""
    return (text or "").strip().splitlines()[0] if (text or "").strip() else ""
