"""Writes rows as native CSV files: one per fact table, its header the field names."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

Columns = Mapping[str, Sequence[str]]
"""Columns of one table by field name, all of one length; an empty text is a missing value."""


class Later:
    """Rows that are known already but happen after the current tick."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names
        self._rows: list[tuple[int, tuple[str, ...]]] = []

    def put(self, seconds: Sequence[int], columns: Columns) -> None:
        """Keep rows, with the second at which each happens."""
        rows = zip(*(columns[name] for name in self._names), strict=True)
        self._rows.extend(zip(seconds, rows, strict=True))

    def take(self, until: int) -> Columns:
        """The rows that happen before `until`, in order of time; they are kept no longer."""
        due = sorted(row for row in self._rows if row[0] < until)
        self._rows = [row for row in self._rows if row[0] >= until]
        columns = list(zip(*(row for _, row in due), strict=True)) or [()] * len(self._names)
        return dict(zip(self._names, columns, strict=True))


def write(folder: Path, tables: Mapping[str, Columns]) -> list[Path]:
    """Write each table that has rows to `<name>.csv` in the folder, which is made if need be. Returns the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, columns in tables.items():
        if not any(len(column) for column in columns.values()):
            continue
        path = folder / f"{name}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(zip(*columns.values(), strict=True))
        paths.append(path)
    return paths
