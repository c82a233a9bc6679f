"""Two real data sets, written out as CSV, come in without a mapping and give their published figures."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from setia.app import Shop

pytestmark = [pytest.mark.data, pytest.mark.slow]
DataSet = Callable[[str], Path]


def as_csv(parquet: Path, target: Path) -> Path:
    duckdb.execute(f"copy (select * from '{parquet}') to '{target}' (format csv, header)")
    return target


def one(shop: Shop, sql: str) -> tuple[Any, ...]:
    (row,) = shop.sql(sql).to_pylist()
    return tuple(row.values())


def test_online_retail(make_shop: Callable[..., Shop], data_set: DataSet, tmp_path: Path) -> None:
    shop = make_shop(currency="GBP", time_zone="Europe/London")
    path = as_csv(data_set("online_retail.parquet"), tmp_path / "online_retail.csv")
    report = shop.import_files([path])
    file = report.files[0]
    assert (file.rows, file.rejected, file.duplicates) == (541_909, 0, 5_268)
    assert one(shop, "select count(*), sum(total) from orders") == (22_064, Decimal("10644560.4240"))
    assert one(shop, "select count(*), count(distinct document_id) from returns") == (9_288, 3_836)
    assert one(shop, "select (select sum(total) from orders) - (select sum(amount) from returns)") == (
        Decimal("9747747.9340"),
    )
    assert one(shop, "select count(*), sum(amount) from order_lines") == (532_621, Decimal("10644560.4240"))
    assert one(shop, "select count(*) from customers") == (4_372,)
    # 43 invoices bear two times and take the earlier, in the order and in all of its lines.
    two = f"select InvoiceNo, min(InvoiceDate) as first from '{path}' group by 1 having count(distinct InvoiceDate) = 2"
    times = dict(duckdb.execute(two).fetchall())
    assert len(times) == 43
    listed = ", ".join(f"'{number}'" for number in times)
    for table in ("orders", "order_lines"):
        found = shop.sql(
            f"select distinct order_id, timezone('Europe/London', placed_at) as at from {table} "
            f"where order_id in ({listed})"
        ).to_pylist()
        sold = {number: first for number, first in times.items() if not number.startswith("C")}
        assert {row["order_id"]: row["at"] for row in found} == sold
        assert len(found) == len(sold)
    assert shop.import_files([path]).snapshot is None


def test_cdnow(make_shop: Callable[..., Shop], data_set: DataSet, tmp_path: Path) -> None:
    shop = make_shop(currency="USD", time_zone="America/New_York")
    path = as_csv(data_set("cdnow_master.parquet"), tmp_path / "cdnow.csv")
    file = shop.import_files([path]).files[0]
    assert (file.rows, file.rejected, file.duplicates) == (69_659, 0, 255)
    figures = "count(*), sum(total), count(distinct customer_id), count(distinct order_id)"
    assert one(shop, f"select {figures} from orders") == (69_659, Decimal("2500315.6300"), 23_570, 69_659)
    assert one(shop, "select count(*), min(day)::varchar, max(day)::varchar from orders where total = 0")[0] == 80
    assert one(shop, "select count(*) from customers") == (23_570,)
    assert shop.import_files([path]).snapshot is None
