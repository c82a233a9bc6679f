from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

Tables = dict[str, list[dict[str, str]]]


@pytest.fixture(scope="session")
def read() -> Callable[[list[Path]], Tables]:
    """Reads the files a shop wrote, by table."""

    def rows(paths: list[Path]) -> Tables:
        tables = {}
        for path in paths:
            with path.open(encoding="utf-8", newline="") as file:
                tables[path.stem] = list(csv.DictReader(file))
        return tables

    return rows
