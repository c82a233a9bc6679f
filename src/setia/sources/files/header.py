"""Where a table's header stands, and what its columns are called."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Protocol

MOST_LINES_ABOVE = 30
"""A header further down is not looked for."""
_NUMBER = re.compile(r"^[\W\d]+$")


class Records(Protocol):
    """What `csv.reader` gives: records, and the number of lines read so far."""

    @property
    def line_num(self) -> int:
        """Lines read so far."""

    def __iter__(self) -> Iterator[list[str]]: ...

    def __next__(self) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class Header:
    """The names of the columns, and what stands above them."""

    names: list[str]
    above: list[list[str]]
    """The records above the header."""
    lines_above: int
    """How many lines of the file they take."""


def find_header(records: Records) -> Header:
    """The header of a table: its first record, unless that is a title and a wider one with names alone follows.

    Raises csv.Error where not even the first record can be read.
    """
    found: list[list[str]] = []
    ends: list[int] = []
    try:
        for record in islice(records, MOST_LINES_ABOVE):
            found.append([cell.strip() for cell in record])
            ends.append(records.line_num)
    except csv.Error:
        # A broken line further down is told with its row when the table is read.
        if not found:
            raise
    if not found:
        return Header([], [], 0)
    filled = [sum(bool(cell) for cell in record) for record in found]
    # The last record read has something under it only by chance, so it is no header.
    for position in range(len(found) - 1):
        if 2 * filled[position] >= max(filled) and filled[position] > 1 and _names(found[position]):
            if position == 0:
                break
            return Header(found[position], found[:position], ends[position - 1])
    return Header(found[0], [], 0)


def _names(record: list[str]) -> bool:
    return not any(_NUMBER.match(cell) for cell in record if cell)


def unique_names(header: list[str]) -> list[str]:
    """Column names, trimmed; empty and repeated ones get a number, as nothing may be lost."""
    taken: set[str] = set()
    names = []
    for position, name in enumerate((cell.strip() for cell in header), start=1):
        name = free = name or f"column {position}"
        again = 1
        # DuckDB takes names that differ in case alone for the same.
        while free.lower() in taken:
            again += 1
            free = f"{name} ({again})"
        taken.add(free.lower())
        names.append(free)
    return names


@lru_cache(maxsize=20_000)
def plain(name: str) -> str:
    """A column's name without case, accents and marks: `Order ID*` and `order_id` are both `order id`."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return " ".join("".join(c if c.isalnum() else " " for c in bare.lower()).split())
