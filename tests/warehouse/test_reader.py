"""What readers see: their own snapshot, every declared table, and no file but the shop's."""

from __future__ import annotations

import datetime as dt
import multiprocessing
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sqlalchemy import text

from setia.app import Shop
from setia.facts import FACTS
from setia.store.database import Busy
from setia.warehouse.reader import BadQuery, FileTooNew, NotRefreshed
from setia.warehouse.tables import fact_files

NOW = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
SUM = "select count(*) as orders, sum(total) as total, sum(hash(o)::hugeint) as all_of_it from orders o"


def log(path: Path, amount: int, orders: int = 300) -> Path:
    rows = [f"{n},c{n % 40},2026-0{1 + n % 2}-1{n % 9},{amount + n}" for n in range(orders)]
    path.write_text("order,customer,date,amount\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def import_in_a_process(folder: Path, file: Path) -> None:
    with Shop.open(folder) as shop:
        shop.import_files([file])


def elsewhere(target: Callable[..., None], *args: Any) -> None:
    process = multiprocessing.get_context("spawn").Process(target=target, args=args)
    process.start()
    process.join()
    assert process.exitcode == 0


def figures(reader: Any) -> Any:
    return reader.duck.execute(SUM).fetchall()


@pytest.mark.slow
def test_a_reader_keeps_its_snapshot_while_others_import(shop: Shop, tmp_path: Path) -> None:
    shop.import_files([log(tmp_path / "first.csv", 100)])
    with shop.reading() as reader:
        # Nothing was read yet: all of its files must still be there afterwards.
        for amount in (200, 300):
            elsewhere(import_in_a_process, shop.folder, log(tmp_path / "next.csv", amount))
        assert figures(reader)[0][:2] == (300, 300 * 100 + 299 * 150)
        with shop.reading() as newer:
            assert figures(newer)[0][:2] == (300, 300 * 300 + 299 * 150)
        with shop.reading(snapshot=2) as between:
            assert figures(between)[0][:2] == (300, 300 * 200 + 299 * 150)
        assert figures(reader)[0][:2] == (300, 300 * 100 + 299 * 150)


def test_of_two_writers_the_second_is_told_to_wait(shop: Shop, tmp_path: Path) -> None:
    file = log(tmp_path / "a.csv", 1)
    with Shop.open(shop.folder) as other:
        with other.writing(), pytest.raises(Busy, match="writing to this shop's warehouse"):
            shop.import_files([file])
        assert shop.import_files([file]).snapshot == 1


def test_old_snapshots_are_forgotten_and_their_files_go(make_shop: Callable[..., Shop], tmp_path: Path) -> None:
    now = [NOW]
    shop = make_shop(clock=lambda: now[0])
    data = shop.folder / "data"
    shop.import_files([log(tmp_path / "a.csv", 1)])
    first = set(data.rglob("*.parquet"))
    now[0] += dt.timedelta(days=10)
    shop.import_files([log(tmp_path / "a.csv", 2)])
    now[0] += dt.timedelta(days=25)
    with shop.writing():
        # The first snapshot was replaced 25 days ago: whoever asks for what was known 30 days ago still needs it.
        assert first <= set(data.rglob("*.parquet"))
    now[0] += dt.timedelta(days=10)
    with shop.reading() as reader:
        with shop.writing():
            # A reader is there, so nothing is removed yet.
            assert first <= set(data.rglob("*.parquet"))
        assert figures(reader)[0][0] == 300
    with shop.writing():
        kept = set(data.rglob("*.parquet"))
    replaced = {path for path in first if "orders" in path.parts}
    assert replaced and not replaced & kept
    with shop.store.begin() as tx:
        assert {str(path.relative_to(data)) for path in kept} == set(tx.scalars(text("select path from fact_files")))
    with shop.reading() as reader:
        assert figures(reader)[0][:2] == (300, 300 * 2 + 299 * 150)


def test_all_tables_are_there_and_empty(shop: Shop) -> None:
    with shop.reading() as reader:
        for name, table in FACTS.items():
            described = reader.duck.execute(f"describe {name}").fetchall()
            assert [(row[0], row[1]) for row in described] == [(f.name, f.kind.value) for f in table.fields]
            assert reader.rows(name) == 0
            assert reader.arrow(reader.table(name)).num_rows == 0
        with pytest.raises(NotRefreshed):
            reader.table("traits")


def put_down(shop: Shop, select: str, version: int) -> None:
    """A file of the orders table as some other version of Setia wrote it."""
    path = shop.folder / "data" / "orders" / "2026-01" / f"version-{version}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    duckdb.execute(f"copy ({select}) to '{path}' (format parquet)")
    with shop.store.begin() as tx:
        number = tx.scalar(
            text("insert into snapshots (made_at, reason, summary) values (now(), 'test', '{}') returning id")
        )
        tx.execute(
            fact_files.insert().values(
                fact_table="orders", month=dt.date(2026, 1, 1), path=str(path.relative_to(shop.folder / "data")),
                rows=2, schema_version=version, snapshot_from=number,
            )
        )  # fmt: skip


def test_columns_added_later_are_null_in_old_files(shop: Shop, tmp_path: Path) -> None:
    old = (
        "select n as order_id, n as document_id, 'a' as customer_id, timestamptz '2026-01-02' as placed_at, "
        "date '2026-01-02' as day, 12.5::decimal(18,4) as total from (values ('1'), ('x')) t(n)"
    )
    put_down(shop, old, version=0)
    shop.import_files([log(tmp_path / "a.csv", 5, orders=3)])
    rows = shop.sql("select order_id, total, currency, is_test from orders order by 1").to_pylist()
    assert [(row["order_id"], row["currency"]) for row in rows] == [
        ("0", "IDR"),
        ("1", "IDR"),
        ("2", "IDR"),
        ("x", None),
    ]
    # Order 1 was in the old file too: the import replaced it there, and kept what else the file held.
    assert (rows[3]["total"], rows[3]["is_test"]) == (Decimal("12.5"), None)


def test_a_file_of_a_newer_setia_is_refused(shop: Shop) -> None:
    put_down(shop, "select '1' as order_id", version=FACTS["orders"].version + 1)
    with pytest.raises(FileTooNew, match="orders"):
        shop.sql("select 1")


FORBIDDEN = [
    "select * from read_csv('/etc/passwd')",
    "select * from read_text('/etc/passwd')",
    "select * from '/etc/passwd'",
    "select * from glob('/etc/*')",
    "copy (select 1) to '/tmp/setia-was-here.csv'",
    "copy orders to '{data}/orders/stolen.parquet' (format parquet)",
    "attach '/tmp/setia-was-here.duckdb'",
    "install httpfs",
    "load '/tmp/setia-was-here.duckdb_extension'",
    "set enable_external_access = true",
    "select 1; copy orders to '{data}/orders/stolen.parquet'",
    "explain analyze copy orders to '{data}/orders/stolen.parquet'",
    "create table t as select 1",
    "drop view orders",
    "set memory_limit = '100GB'",
    "export database '/tmp/setia-was-here'",
    "select * from no_such_table",
    "selekt 1",
    "",
]


def test_the_sql_door_stays_inside_and_writes_nothing(shop: Shop, tmp_path: Path) -> None:
    shop.import_files([log(tmp_path / "a.csv", 10)])
    data = shop.folder / "data"
    files = {path: path.read_bytes() for path in data.rglob("*.parquet")}
    for query in FORBIDDEN:
        with pytest.raises(BadQuery):
            shop.sql(query.format(data=data))
    assert {path: path.read_bytes() for path in data.rglob("*") if path.is_file()} == files
    assert not list(Path("/tmp").glob("setia-was-here*"))


def test_the_sql_door_answers(shop: Shop, tmp_path: Path) -> None:
    shop.import_files([log(tmp_path / "a.csv", 10)])
    assert shop.sql("select count(*) as n from orders").to_pylist() == [{"n": 300}]
    bought = "with c as (select customer_id from orders) select count(distinct customer_id) as n from c"
    assert shop.sql(bought).to_pylist() == [{"n": 40}]
    assert shop.sql("describe orders").num_rows == len(FACTS["orders"].fields)
