"""Rows that cannot be used: kept beside the shop's data with row, column and reason, nothing lost."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import merge
from pathlib import Path

from setia.kernel.spreadsheet import write_csv

HEADER = ("file", "row", "column", "reason", "content")


@dataclass(frozen=True, slots=True)
class Reject:
    """One row of a file that was not imported."""

    file: str
    row: int
    """Counted as a spreadsheet does: the header is row 1."""
    column: str
    reason: str
    content: str


def ordered(
    file: str,
    broken_lines: Iterable[tuple[int, str, str]],
    bad_rows: Iterable[tuple[int, str, str]],
    blank_lines: Iterable[int] = (),
) -> Iterator[Reject]:
    """Both kinds of bad row under one numbering: a row moves down by one for each broken or blank line above it.

    All that is given must be in the order of the file.
    """
    broken = [Reject(file, line, "", kind, text) for line, kind, text in broken_lines]
    return merge(broken, _moved(file, broken, bad_rows, blank_lines), key=lambda reject: reject.row)


def _moved(
    file: str, broken: Iterable[Reject], bad_rows: Iterable[tuple[int, str, str]], blank_lines: Iterable[int]
) -> Iterator[Reject]:
    skipped = merge((reject.row for reject in broken), blank_lines)
    following, passed = next(skipped, None), 0
    for row, problem, text in bad_rows:
        while following is not None and following <= row + passed:
            following, passed = next(skipped, None), passed + 1
        column, reason = problem.split("|", 1)
        yield Reject(file, row + passed, column, reason, text)


def cells(reject: Reject) -> list[str]:
    """The cells of a rejected row, whatever stands between them."""
    return [cell.strip() for cell in re.split(r"[,;\t|\"]", reject.content) if cell.strip()]


def write(rejects: Iterable[Reject], target: Path) -> None:
    """Write a rejects file that a spreadsheet opens without running anything in it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("w", encoding="utf-8", newline="") as file:
        write_csv(file, HEADER, ((each.file, each.row, each.column, each.reason, each.content) for each in rejects))
