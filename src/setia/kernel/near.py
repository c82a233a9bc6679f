"""The name that was meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that looks most like it, or one that has it in it (revenue, returning_revenue); None if none."""
    known, name = list(known), name.lower()
    close = difflib.get_close_matches(name, known, n=1)
    return close[0] if close else next((each for each in known if len(name) > 2 and name in each.lower()), None)
