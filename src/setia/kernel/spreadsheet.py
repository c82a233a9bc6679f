"""Tables for spreadsheets: a cell that a person wrote is never run as a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from typing import IO, Any

_RUNS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""What a spreadsheet takes for the beginning of a formula, wide signs of Asian keyboards included."""


def harmless(cell: Any) -> Any:
    """A cell as a spreadsheet may have it: a text that begins like a formula gets a `'` before it. Numbers stay."""
    return "'" + cell if isinstance(cell, str) and cell.startswith(_RUNS) else cell


def write_csv(target: IO[str], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write a table that a spreadsheet opens without running anything in it; returns how many rows."""
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(names)
    count = 0
    for row in rows:
        writer.writerow([harmless(cell) for cell in row])
        count += 1
    return count
