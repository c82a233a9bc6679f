"""Rows that cannot be used: kept beside the shop's data with row, column and reason, nothing lost."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

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
    file: str, broken_lines: Iterable[tuple[int, str, str]], bad_rows: Iterable[tuple[int, str, str]]
) -> list[Reject]:
    """Both kinds of bad row under one numbering: rows behind a broken line move down by one."""
    broken = sorted(broken_lines)
    rejects = [Reject(file, line, "", kind, text.rstrip("\r\n")) for line, kind, text in broken]
    passed = 0
    for row, problem, text in sorted(bad_rows):
        while passed < len(broken) and broken[passed][0] <= row + passed:
            passed += 1
        column, reason = problem.split("|", 1)
        rejects.append(Reject(file, row + passed, column, reason, text))
    return sorted(rejects, key=lambda reject: reject.row)


def write(rejects: Iterable[Reject], target: Path) -> None:
    """Write a rejects file that a spreadsheet opens without running anything in it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for reject in rejects:
            writer.writerow((reject.file, reject.row, reject.column, reject.reason, _harmless(reject.content)))


def _harmless(text: str) -> str:
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
