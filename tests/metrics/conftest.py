"""Small warehouses of given facts, and the check queries that stand beside the metrics."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from setia.facts import FACTS
from setia.history.scope import Scope
from setia.metrics.metric import Metric
from setia.settings import WarehouseSettings
from setia.warehouse import duck
from setia.warehouse.files import DataFile
from setia.warehouse.reader import Reader

ReaderOf = Callable[..., Reader]
Check = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def reader_of(tmp_path: Path) -> Iterator[ReaderOf]:
    """Readers over facts given as SELECT statements or as rows: `reader_of(orders=[{...}], returns="select ...")`.

    Columns left out are null; where an order has no `document_id` it is its number, without `placed_at` it is noon UTC.
    """
    limits, numbers, opened = WarehouseSettings(memory="1GB"), count(), []

    def make(**facts: str | list[dict[str, Any]]) -> Reader:
        connection = duck.connect(limits, tmp_path)
        opened.append(connection)
        listed = []
        for name, rows in facts.items():
            path = tmp_path / f"{name}-{next(numbers)}.parquet"
            written = _write(connection, name, rows, path)
            listed.append(DataFile(name, None, path.name, written, FACTS[name].version))
        return Reader(connection, tmp_path, listed)

    yield make
    for connection in opened:
        connection.close()


def _write(connection: Any, name: str, rows: str | list[dict[str, Any]], path: Path) -> int:
    import pyarrow as pa

    table = FACTS[name]
    if not isinstance(rows, str):
        names = {column for row in rows for column in row} or {table.fields[0].name}
        connection.register("given", pa.table({c: [row.get(c) for row in rows] for c in names}))
        rows = "select * from given"
    blank = ", ".join(f"null::{field.kind.value} as {field.name}" for field in table.fields)
    typed = ", ".join(f"{field.name}::{field.kind.value} as {field.name}" for field in table.fields)
    select = f"select {typed} from (select {blank} where false union all by name from ({rows}))"
    if name == "orders":
        noon = "coalesce(placed_at, timezone('UTC', day + interval 12 hours)) as placed_at"
        select = f"select * replace (coalesce(document_id, order_id) as document_id, {noon}) from ({select})"
    return int(connection.execute(f"copy ({select}) to '{path}' (format parquet)").fetchall()[0][0])


@pytest.fixture
def check() -> Check:
    """Runs a metric's check query: `check(reader, metric, scope, since=…, until=…)` returns its rows."""

    def run(reader: Reader, metric: Metric, scope: Scope, **more: Any) -> list[dict[str, Any]]:
        sql = metric.check_query()
        given = {"as_of": scope.as_of, "moment": scope.until, "currency": scope.currency, **more}
        wanted = {name: given[name] for name in re.findall(r"\$(\w+)", sql)}
        return list(reader.duck.sql(sql, params=wanted).to_arrow_table().to_pylist())

    return run
