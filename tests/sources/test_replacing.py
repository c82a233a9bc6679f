"""Importing again, correcting, several files at once: whole orders replaced, nothing lost, nothing doubled."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from setia.app import Shop

Facts = Callable[[Shop], dict[str, list[tuple[Any, ...]]]]
Write = Callable[..., Path]
JANUARY = [
    ("1", "a", "2026-01-02", "tea", 1, "10.00", "ID"),
    ("1", "a", "2026-01-02", "cup", 2, "5.00", "ID"),
    ("2", "b", "2026-01-03", "tea", 1, "10.00", "ID"),
    ("3", "c", "2026-01-04", "pot", 1, "80.00", "MY"),
    ("C9", "c", "2026-01-09", "pot", -1, "80.00", "MY"),
]


def orders(shop: Shop) -> dict[str, tuple[Any, ...]]:
    rows = shop.sql("select order_id, customer_id, day, total from orders").to_pylist()
    return {row.pop("order_id"): tuple(row.values()) for row in rows}


def count(shop: Shop, table: str) -> int:
    return int(shop.sql(f"select count(*) n from {table}").to_pylist()[0]["n"])


def test_importing_again_changes_nothing(shop: Shop, write_csv: Write, all_facts: Facts) -> None:
    path = write_csv("january.csv", [*JANUARY, JANUARY[0]])
    first = shop.import_files([path])
    assert first.snapshot is not None
    assert first.files[0].duplicates == 1
    before = all_facts(shop)
    again = shop.import_files([path])
    assert again.snapshot is None
    assert {name: (part.rows, part.old_rows, part.same) for name, part in again.written.items()} == {
        name: (len(before[name]), len(before[name]), True) for name in before
    }
    assert all_facts(shop) == before


def test_a_correction_replaces_whole_orders_wherever_they_lie(shop: Shop, write_csv: Write) -> None:
    shop.import_files([write_csv("january.csv", JANUARY)])
    corrected = [
        # Moved to March, one line less, another customer.
        ("1", "z", "2026-03-05", "tea", 3, "10.00", "SG"),
        # The credit note was none.
        ("C9", "c", "2026-01-09", "lid", 1, "7.00", "MY"),
        ("4", "d", "2026-02-01", "tea", 1, "10.00", "ID"),
    ]
    report = shop.import_files([write_csv("corrected.csv", corrected)])
    assert orders(shop) == {
        "1": ("z", dt.date(2026, 3, 5), Decimal(30)),
        "2": ("b", dt.date(2026, 1, 3), Decimal(10)),
        "3": ("c", dt.date(2026, 1, 4), Decimal(80)),
        "4": ("d", dt.date(2026, 2, 1), Decimal(10)),
        "C9": ("c", dt.date(2026, 1, 9), Decimal(7)),
    }
    assert count(shop, "order_lines") == 5
    assert count(shop, "returns") == 0
    assert (report.written["orders"].rows, report.written["orders"].old_rows) == (3, 1)
    # Who once bought stays a known customer; who was unknown is now one.
    customers = shop.sql("select customer_id, country from customers order by 1").to_pylist()
    assert [tuple(row.values()) for row in customers] == [
        ("a", "ID"), ("b", "ID"), ("c", "MY"), ("d", "ID"), ("z", "SG"),
    ]  # fmt: skip


def test_an_order_becomes_a_credit_note(shop: Shop, write_csv: Write) -> None:
    shop.import_files([write_csv("first.csv", [("C1", "a", "2026-01-02", "tea", 2, "10.00", "ID")])])
    assert (count(shop, "orders"), count(shop, "order_lines"), count(shop, "returns")) == (1, 1, 0)
    shop.import_files([write_csv("second.csv", [("C1", "a", "2026-01-02", "tea", -2, "10.00", "ID")])])
    assert (count(shop, "orders"), count(shop, "order_lines"), count(shop, "returns")) == (0, 0, 1)


def test_orders_alone_leave_lines_alone(shop: Shop, tmp_path: Path, write_csv: Write) -> None:
    shop.import_files([write_csv("january.csv", JANUARY)])
    path = tmp_path / "orders.csv"
    path.write_text("order_id,placed_at,total\n1,2026-01-02,25\n", encoding="utf-8")
    shop.import_files([path])
    assert orders(shop)["1"] == (None, dt.date(2026, 1, 2), Decimal(25))
    assert count(shop, "order_lines") == 4


def test_empty_fields_keep_what_was_known_of_a_customer(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "customers.csv"
    path.write_text("customer_id,email,name\na,A@x.com,Ani\nb,,Budi\nb,,Budi\n", encoding="utf-8")
    shop.import_files([path])
    path.write_text("customer_id,email,city\na,,Bandung\nb,b@x.com,\n", encoding="utf-8")
    shop.import_files([path])
    rows = shop.sql("select customer_id, email, name, city from customers order by 1").to_pylist()
    assert [tuple(row.values()) for row in rows] == [("a", "a@x.com", "Ani", "Bandung"), ("b", "b@x.com", "Budi", None)]


def test_files_of_one_command_are_one_commit(shop: Shop, write_csv: Write, tmp_path: Path, all_facts: Facts) -> None:
    """The file named last has the word where two speak of the same order, as if imported one after the other."""
    second = [("2", "b", "2026-02-03", "cup", 4, "5.00", "SG"), ("5", "a", "2026-02-04", "cup", 1, "5.00", None)]
    people = tmp_path / "customers.csv"
    people.write_text("customer_id,country,city\na,Indonesia,Bandung\n", encoding="utf-8")
    files = [people, write_csv("january.csv", JANUARY), write_csv("february.csv", second)]
    report = shop.import_files(files)
    assert report.snapshot == 1
    assert orders(shop)["2"] == ("b", dt.date(2026, 2, 3), Decimal(20))
    assert (count(shop, "orders"), count(shop, "order_lines"), count(shop, "customers")) == (4, 5, 3)
    together = all_facts(shop)
    assert shop.import_files(files).snapshot is None
    assert all_facts(shop) == together


def test_many_small_imports_are_merged(shop: Shop, write_csv: Write) -> None:
    for number in range(15):
        rows = [(f"{number}-{n}", "a", f"2026-01-{number + 1:02}", "tea", 1, "1.00", "ID") for n in range(3)]
        shop.import_files([write_csv("day.csv", rows)])
    assert count(shop, "orders") == count(shop, "order_lines") == 45
    with shop.writing() as writer:
        assert len(writer.present("orders")) <= 12
        assert len(writer.present("customers")) == 1


def test_two_kinds_of_file_with_orders_in_one_command(shop: Shop, tmp_path: Path, write_csv: Write) -> None:
    native = tmp_path / "orders.csv"
    native.write_text("order_id,placed_at,total\n50,2026-01-02,25\n", encoding="utf-8")
    january = write_csv("january.csv", JANUARY)
    shop.import_files([january])
    # The second of the two is there already and changes nothing; the first must come in all the same.
    report = shop.import_files([native, january])
    assert report.snapshot is not None
    assert report.written["orders"].rows == 4
    assert set(orders(shop)) == {"1", "2", "3", "50"}
    assert shop.import_files([native, january]).snapshot is None
