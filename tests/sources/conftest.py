"""What the tests of imports share: small files, and a shop's facts as plain values."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from setia.app import Shop

LINES = ("order", "customer", "date", "sku", "quantity", "price", "country")
WriteCsv = Callable[..., Path]


@pytest.fixture
def write_csv(tmp_path: Path) -> WriteCsv:
    """Writes a CSV file: `write_csv("a.csv", [row, …], header=LINES, delimiter=";", encoding="utf-16")`."""

    def write(
        name: str,
        rows: Iterable[Sequence[object]],
        *,
        header: Sequence[str] = LINES,
        delimiter: str = ",",
        encoding: str = "utf-8",
        end: str = "\n",
    ) -> Path:
        path = tmp_path / name
        with path.open("w", encoding=encoding, newline="") as file:
            writer = csv.writer(file, delimiter=delimiter, lineterminator=end)
            writer.writerow(header)
            writer.writerows(rows)
        return path

    return write


TABLES = ("customers", "orders", "order_lines", "returns", "products")
Facts = dict[str, list[tuple[Any, ...]]]


def facts(shop: Shop, tables: Sequence[str] = TABLES) -> Facts:
    """All rows of a shop's tables, sorted."""
    with shop.reading() as reader:
        return {name: reader.duck.execute(f"select * from {name} order by all").fetchall() for name in tables}


@pytest.fixture
def all_facts() -> Callable[[Shop], Facts]:
    """Reads all rows of a shop's tables, sorted."""
    return facts
