"""What a log of any make means where its columns could mean several things: amounts worked out by hand."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from setia.app import Shop
from setia.sources.files.errors import MappingWrong

MEANT: dict[str, tuple[str, dict[str, str]]] = {
    "jumlah counts units where there is a price": (
        "No Pesanan,Tanggal,Pelanggan,Produk,Jumlah,Harga\nA,2026-01-01,siti,Kopi,2,50000\n",
        {"A": "100000"},
    ),
    "jumlah is money where there is none": (
        "No Pesanan,Tanggal,Pelanggan,Jumlah\nA,2026-01-01,siti,50000\n",
        {"A": "50000"},
    ),
    "a total of the order stands on each of its lines": (
        "order_id,date,customer,sku,quantity,unit_price,order_total\n"
        "A,2026-01-01,siti,x,2,100,310\nA,2026-01-01,siti,y,1,100,310\nB,2026-01-01,budi,x,1,100,110\n",
        {"A": "310", "B": "110"},
    ),
    "the same under a name that could be a line's": (
        "order_id,date,customer,sku,quantity,unit_price,total\n"
        "A,2026-01-01,siti,x,2,100,310\nA,2026-01-01,siti,y,1,100,310\nB,2026-01-01,budi,x,1,100,110\n",
        {"A": "310", "B": "110"},
    ),
    "an amount of each line is added up": (
        "order_id,date,customer,sku,quantity,unit_price,total\n"
        "A,2026-01-01,siti,x,2,100,200\nA,2026-01-01,siti,y,2,100,200\n",
        {"A": "400"},
    ),
    "shipping is within what the amount says": (
        "order_id,date,customer,amount,shipping\nA,2026-01-01,siti,310,10\n",
        {"A": "310"},
    ),
    "a discount of each line is taken off each line": (
        "order_id,date,customer,sku,qty,unit_price,discount\nA,2026-01-01,siti,x,2,100,10\nA,2026-01-01,siti,y,1,100,20\n",
        {"A": "270"},
    ),
    "a person's name is no order's number": (
        "Name,Email,Date,Total\nAni,ani@example.com,2026-01-01,100\nAni,ani2@example.com,2026-01-02,200\n",
        {"1": "100", "2": "200"},
    ),
    "of an order never paid nothing counts": (
        "order_id,date,customer,amount,status\nA,2026-01-01,siti,1,Selesai\nB,2026-01-01,siti,2,Pending Payment\n"
        "C,2026-01-01,siti,3,Dibatalkan oleh pembeli\nD,2026-01-01,siti,4,Cancelled by buyer\n"
        "E,2026-01-01,siti,5,Refunded\n",
        {"A": "1"},
    ),
    "without order numbers it is so too": (
        "date,customer,amount,status,is_test\n2026-01-01,siti,1,Selesai,\n2026-01-01,siti,2,Batal,\n2026-01-01,siti,3,,yes\n",
        {"1": "1"},
    ),
    "a currency is one however it is written": (
        "order_id,date,customer,amount,currency\nA,2026-01-01,siti,1,idr\nB,2026-01-01,siti,2,Rp\nC,2026-01-01,siti,3,IDR\n",
        {"A": "1", "B": "2", "C": "3"},
    ),
    "of an order only whole totals count": (
        "order_id,date,customer,amount\nA,2026-01-01,siti,100\nA,2026-01-01,siti,much\nB,2026-01-01,siti,7\n",
        {"B": "7"},
    ),
}  # fmt: skip
COUNTS = "cancelled_at is null and not is_test and currency = 'IDR'"


@pytest.mark.parametrize("name", MEANT)
def test_what_is_meant(shop: Shop, tmp_path: Path, name: str) -> None:
    text, totals = MEANT[name]
    (tmp_path / "log.csv").write_text(text, encoding="utf-8")
    report = shop.import_files([tmp_path / "log.csv"])
    found = shop.sql(f"select order_id, total from orders where {COUNTS} order by placed_at, total").to_pylist()
    numbered = set(totals) != {str(n) for n in range(1, len(totals) + 1)}
    read = {row["order_id"] if numbered else str(n): row["total"] for n, row in enumerate(found, 1)}
    assert read == {order: Decimal(total) for order, total in totals.items()}
    assert report.totals.net_sales == {"IDR": sum(read.values())}
    counted = sum(file.rows - file.rejected - file.with_rejected for file in report.files)
    assert shop.sql("select count(*) as n from orders").to_pylist()[0]["n"] <= counted


LOG = "order,customer,date,sku,qty,price\n1,a,2026-01-01,x,1,5\n2,a,2026-01-02,x,1,6\n"


def orders(shop: Shop) -> list[tuple[Any, ...]]:
    found = shop.sql("select document_id, customer_id, total from orders order by all").to_pylist()
    return [tuple(row.values()) for row in found]


def test_two_tills_that_number_alike_are_told_apart_by_their_source(shop: Shop, tmp_path: Path) -> None:
    for name, customer in (("left.csv", "a"), ("right.csv", "b")):
        (tmp_path / name).write_text(LOG.replace(",a,", f",{customer},"))
    (tmp_path / "map.toml").write_text(
        '[[file]]\nname = "left*"\nsource = "left"\n[[file]]\nname = "right*"\nsource = "right"\n'
    )
    shop.import_files([tmp_path / "left.csv", tmp_path / "right.csv"], mapping=tmp_path / "map.toml")
    assert [(document, who) for document, who, _ in orders(shop)] == [
        ("left:1", "a"), ("left:2", "a"), ("right:1", "b"), ("right:2", "b"),
    ]  # fmt: skip
    again = shop.import_files([tmp_path / "left.csv"], mapping=tmp_path / "map.toml")
    assert again.snapshot is None


def test_a_later_file_without_lines_takes_the_old_lines_away(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "lines.csv").write_text(LOG)
    (tmp_path / "orders.csv").write_text("no pesanan,pelanggan,tanggal,total\n1,b,2026-02-01,9\n")
    shop.import_files([tmp_path / "lines.csv", tmp_path / "orders.csv"])
    assert orders(shop) == [("1", "b", Decimal(9)), ("2", "a", Decimal(6))]
    assert shop.sql("select order_id from order_lines").to_pylist() == [{"order_id": "2"}]


SHOPIFY = (
    "Name,Email,Financial Status,Paid at,Currency,Subtotal,Shipping,Taxes,Total,Created at,Lineitem quantity,"
    "Lineitem name,Lineitem price,Lineitem sku\n"
    "#1,siti@example.com,paid,2026-01-01 10:00:00 +0700,IDR,300,0,0,300,2026-01-01 10:00:00 +0700,1,Kopi,100,K\n"
    "#1,,,,,,,,,,1,Teh,200,T\n"
    "#2,budi@example.com,paid,2026-01-02 10:00:00 +0700,IDR,50,0,0,50,2026-01-02 10:00:00 +0700,1,Teh,50,T\n"
)


def test_an_erased_person_does_not_come_back_on_the_other_rows_of_the_order(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "orders_export.csv").write_text(SHOPIFY)
    shop.import_files([tmp_path / "orders_export.csv"])
    assert [total for _, _, total in orders(shop)] == [Decimal(300), Decimal(50)]
    shop.erase("siti@example.com")
    report = shop.import_files([tmp_path / "orders_export.csv"])
    assert report.files[0].erased == 2
    assert [(document, total) for document, _, total in orders(shop)] == [("shopify:#2", Decimal(50))]


def test_an_order_whose_first_row_cannot_be_read_is_left_out_whole(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "orders_export.csv").write_text(SHOPIFY.replace(",300,2026-01-01 10:00:00", ",300,soon", 1))
    report = shop.import_files([tmp_path / "orders_export.csv"])
    assert (report.files[0].rejected, report.files[0].with_rejected) == (1, 1)
    assert [(document, total) for document, _, total in orders(shop)] == [("shopify:#2", Decimal(50))]


def test_the_same_number_from_two_systems_is_two_orders(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "orders_export.csv").write_text(SHOPIFY)
    (tmp_path / "log.csv").write_text("order,customer,date,amount\n#1,x,2026-03-01,1\n")
    shop.import_files([tmp_path / "orders_export.csv", tmp_path / "log.csv"])
    assert {document for document, _, _ in orders(shop)} == {"#1", "shopify:#1", "shopify:#2"}


def test_rejects_of_an_erased_telephone_stay_unwritten(shop: Shop, tmp_path: Path) -> None:
    log = "order,customer,date,amount\n1,0812-3456-7890,2026-01-01,5\n"
    (tmp_path / "log.csv").write_text(log)
    shop.import_files([tmp_path / "log.csv"])
    shop.erase("+6281234567890")
    (tmp_path / "log.csv").write_text(
        log + "2,0812 3456 7890,soon,5\n3,0898-7654-3210,soon,5\n4,0811-1111-1111,2026-01-02,5\n"
    )
    report = shop.import_files([tmp_path / "log.csv"])
    assert report.rejects is not None
    assert "3456" not in report.rejects.read_text()
    assert "0898-7654-3210" in report.rejects.read_text()


def test_a_customers_file_of_today_is_newer_than_an_old_order(shop: Shop, tmp_path: Path) -> None:
    head = "First Name,Last Name,Email,Accepts Email Marketing,Tax Exempt\n"
    (tmp_path / "customers_export.csv").write_text(head + "Siti,Baru,siti@example.com,no,no\n")
    shop.import_files([tmp_path / "customers_export.csv"])
    (tmp_path / "old.csv").write_text(
        "order,email,customer_name,date,amount\n1,siti@example.com,Siti Lama,2019-01-01,5\n"
    )
    shop.import_files([tmp_path / "old.csv"])
    assert shop.sql("select name from customers").to_pylist() == [{"name": "Siti Baru"}]


def test_a_mapping_for_a_known_export_is_checked(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "orders_export.csv").write_text(SHOPIFY)
    shopify = {"format": "Shopify: orders"}
    for wrong in ({"order_total": "Nope"}, {"totl": "Total"}):
        with pytest.raises(MappingWrong):
            shop.import_files([tmp_path / "orders_export.csv"], mapping={**shopify, **wrong})


def test_repeated_events_are_one(shop: Shop, tmp_path: Path) -> None:
    event = (
        '{"type":"track","event":"Product Viewed","messageId":"m1","userId":"u","timestamp":"2026-01-01T00:00:00Z"}\n'
    )
    (tmp_path / "events.jsonl").write_text(event + event + event.replace("m1", "m2"))
    shop.import_files([tmp_path / "events.jsonl"])
    assert shop.sql("select count(*) as n from events").to_pylist() == [{"n": 2}]
