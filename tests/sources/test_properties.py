"""Random order logs in random dialects: what is written is what is read."""

from __future__ import annotations

import csv
import datetime as dt
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from setia.app import Shop

Row = tuple[str, str, dt.datetime, Decimal]
DATE = "%Y-%m-%d"
TEXT = st.text(st.characters(codec="cp1252", categories=("L", "N", "P")), min_size=1, max_size=8)
EARLIEST, LATEST = dt.datetime(2024, 1, 13), dt.datetime(2026, 1, 31)  # noqa: DTZ001
MOMENTS = st.datetimes(EARLIEST, LATEST).map(lambda t: t.replace(microsecond=0, fold=0))
AMOUNTS = st.decimals("-9999999", "9999999", places=2)
ROWS = st.lists(st.tuples(st.sampled_from("abcdefgh"), TEXT.filter(lambda t: "@" not in t), MOMENTS, AMOUNTS),
                min_size=1, max_size=12)  # fmt: skip
DIALECTS = st.fixed_dictionaries(
    {
        "delimiter": st.sampled_from(",;\t|"),
        "encoding": st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
        "end": st.sampled_from(["\n", "\r\n"]),
        "quoting": st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
        "dates": st.sampled_from([DATE + "T%H:%M:%S", DATE + " %H:%M", "%d/%m/%Y %H:%M:%S", DATE + "T%H:%M:%S+07:00"]),
        "amounts": st.sampled_from(["{:.2f}", "{:,.2f}", "RM {:,.2f}", "comma"]),
    }
)  # fmt: skip
_numbers = count()


def amount(value: Decimal, style: str) -> str:
    if style == "comma":
        return f"Rp {value:,.2f}".translate(str.maketrans(",.", ".,"))
    return style.format(value)


def write(folder: Path, rows: list[Row], dialect: dict[str, Any]) -> Path:
    path = folder / f"log-{next(_numbers)}.csv"
    with path.open("w", encoding=dialect["encoding"], newline="", errors="strict") as file:
        writer = csv.writer(
            file, delimiter=dialect["delimiter"], lineterminator=dialect["end"], quoting=dialect["quoting"]
        )
        writer.writerow(["order", "customer", "date", "amount"])
        for order, customer, moment, value in rows:
            writer.writerow([order, customer, moment.strftime(dialect["dates"]), amount(value, dialect["amounts"])])
    return path


@pytest.fixture
def emptied(shop: Shop) -> Callable[[], Shop]:
    """The same shop, without any facts: making one for each example takes too long."""

    def empty() -> Shop:
        with shop.store.begin() as tx:
            tx.exec_driver_sql("delete from fact_files")
        return shop

    return empty


ONE_SHOP = settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])


def expected(rows: list[Row], dialect: dict[str, Any]) -> dict[str, tuple[dt.date, Decimal]]:
    """Each order: the day of its earliest line and the sum of its lines, in plain Python."""
    found: dict[str, tuple[dt.date, Decimal]] = {}
    for order, _, moment, value in rows:
        day, total = found.get(order, (dt.date.max, Decimal(0)))
        found[order] = (min(day, moment.date()), total + value)
    return found


@pytest.mark.slow
@ONE_SHOP
@given(rows=ROWS, dialect=DIALECTS)
def test_what_is_written_is_what_is_read(
    emptied: Callable[[], Shop], tmp_path: Path, rows: list[Row], dialect: dict[str, Any]
) -> None:
    shop = emptied()
    path = write(tmp_path, rows, dialect)
    report = shop.import_files([path], strict=True)
    found = shop.sql("select order_id, day, total from orders").to_pylist()
    assert {row["order_id"]: (row["day"], row["total"]) for row in found} == expected(rows, dialect)
    customers = {row["customer_id"] for row in shop.sql("select customer_id from customers").to_pylist()}
    # One customer an order: the greatest key; all who stand in the file are known.
    assert customers == {customer.removesuffix(".0") for _, customer, _, _ in rows} or customers == {
        customer for _, customer, _, _ in rows
    }
    assert report.files[0].duplicates == len(rows) - len(Counter(map(str, rows)))
    assert shop.import_files([path]).snapshot is None


@pytest.mark.slow
@settings(ONE_SHOP, max_examples=10)
@given(first=ROWS, second=ROWS, one=DIALECTS, other=DIALECTS)
def test_one_after_the_other_is_both_at_once(
    emptied: Callable[[], Shop],
    tmp_path: Path,
    all_facts: Callable[[Shop], Any],
    first: list[Row],
    second: list[Row],
    one: dict[str, Any],
    other: dict[str, Any],
) -> None:
    """Also where both hold the same order: the later file has the word."""
    files = [write(tmp_path, first, one), write(tmp_path, second, other)]
    shop = emptied()
    for file in files:
        shop.import_files([file])
    apart = all_facts(shop)
    shop = emptied()
    shop.import_files(files)
    assert all_facts(shop) == apart
