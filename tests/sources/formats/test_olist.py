"""Olist's set of tables: a person of several customer ids, freight per item, vouchers, reviews in Brazilian time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from setia.app import Shop

D = Decimal
Files = dict[str, Path]
HEADERS = {
    "olist_orders_dataset": (
        "order_id,customer_id,order_status,order_purchase_timestamp,order_approved_at,order_delivered_carrier_date,"
        "order_delivered_customer_date,order_estimated_delivery_date"
    ),
    "olist_order_items_dataset": (
        "order_id,order_item_id,product_id,seller_id,shipping_limit_date,price,freight_value"
    ),
    "olist_order_payments_dataset": "order_id,payment_sequential,payment_type,payment_installments,payment_value",
    "olist_customers_dataset": "customer_id,customer_unique_id,customer_zip_code_prefix,customer_city,customer_state",
    "olist_products_dataset": (
        "product_id,product_category_name,product_name_lenght,product_description_lenght,product_photos_qty,"
        "product_weight_g,product_length_cm,product_height_cm,product_width_cm"
    ),
    "product_category_name_translation": "product_category_name,product_category_name_english",
    "olist_order_reviews_dataset": (
        "review_id,order_id,review_score,review_comment_title,review_comment_message,review_creation_date,"
        "review_answer_timestamp"
    ),
    "olist_sellers_dataset": "seller_id,seller_zip_code_prefix,seller_city,seller_state",
    "olist_geolocation_dataset": (
        "geolocation_zip_code_prefix,geolocation_lat,geolocation_lng,geolocation_city,geolocation_state"
    ),
}
LIMIT = "2018-02-01 00:00:00"
ROWS: dict[str, list[tuple[str, ...]]] = {
    "olist_orders_dataset": [
        # Eleven at night in Sao Paulo (two hours behind UTC in its summer) is the next day in London.
        ("o1", "c1", "delivered", "2018-01-10 23:30:00", "2018-01-10 23:45:00", "", "2018-01-20 10:00:00", LIMIT),
        ("o2", "c2", "shipped", "2018-07-01 22:15:00", "2018-07-02 08:00:00", "", "", LIMIT),
        ("o3", "c3", "canceled", "2018-01-12 10:00:00", "", "", "", LIMIT),
        ("o4", "c4", "unavailable", "2018-01-13 10:00:00", "2018-01-13 10:10:00", "", "", LIMIT),
    ],
    "olist_order_items_dataset": [
        ("o1", "1", "p1", "s1", LIMIT, "58.90", "13.29"),
        ("o1", "2", "p1", "s1", LIMIT, "58.90", "13.29"),
        ("o1", "3", "p2", "s2", LIMIT, "9.90", "5.00"),
        ("o2", "1", "p3", "s1", LIMIT, "100.00", "20.00"),
        ("o3", "1", "p2", "s2", LIMIT, "9.90", "5.00"),
    ],
    "olist_order_payments_dataset": [
        ("o1", "1", "credit_card", "1", "100.00"),
        ("o1", "2", "voucher", "1", "59.28"),
        # Interest on ten instalments.
        ("o2", "1", "credit_card", "10", "125.40"),
        ("o3", "1", "boleto", "1", "14.90"),
        ("o4", "1", "credit_card", "1", "77.00"),
    ],
    "olist_customers_dataset": [
        ("c1", "u1", "01409", "sao paulo", "SP"),
        ("c2", "u1", "01409", "sao paulo", "SP"),
        ("c3", "u2", "20000", "rio de janeiro", "RJ"),
        ("c4", "u3", "20000", "niteroi", "RJ"),
    ],
    "olist_products_dataset": [
        ("p1", "beleza_saude", "40", "100", "1", "200", "10", "10", "10"),
        ("p2", "pc_gamer", "40", "100", "1", "200", "10", "10", "10"),
        ("p3", "", "", "", "", "200", "10", "10", "10"),
    ],
    "product_category_name_translation": [("beleza_saude", "health_beauty")],
    "olist_order_reviews_dataset": [
        ("r1", "o1", "4", "", "", "2018-01-21 00:00:00", "2018-01-21 23:46:59"),
        ("r1", "o2", "5", "Ótimo", "Chegou antes,\nrecomendo", "2018-07-10 00:00:00", "2018-07-11 03:43:48"),
        ("r2", "o3", "1", "", "Não recebi", "2018-01-21 00:00:00", "2018-01-22 10:00:00"),
    ],
    "olist_sellers_dataset": [("s1", "13023", "campinas", "SP"), ("s2", "13844", "mogi guacu", "SP")],
    "olist_geolocation_dataset": [("01037", "-23.545621", "-46.639292", "sao paulo", "SP")] * 2,
}


@pytest.fixture
def files(write_csv: Callable[..., Path]) -> Files:
    """The tables as they are published; the translation begins with a byte order mark."""
    return {
        name: write_csv(
            f"{name}.csv",
            ROWS[name],
            header=header.split(","),
            encoding="utf-8-sig" if name.startswith("product") else "utf-8",
        )
        for name, header in HEADERS.items()
    }


@pytest.fixture
def london(make_shop: Callable[..., Shop]) -> Shop:
    """A shop elsewhere, as the tables' zone and currency are their own."""
    return make_shop(currency="GBP", time_zone="Europe/London")


def rows(shop: Shop, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in shop.sql(sql).to_pylist()]


def without(files: Files, *names: str) -> Iterable[Path]:
    return [path for name, path in files.items() if name not in names]


def test_the_whole_set(london: Shop, files: Files) -> None:
    report = london.import_files(list(files.values()))
    columns = "order_id, customer_id, day, currency, total, shipping, country, cancelled_at is null"
    day = dt.date
    assert rows(london, f"select {columns} from orders order by 1") == [
        ("o1", "olist:u1", day(2018, 1, 11), "BRL", D("159.28"), D("31.58"), "Brazil", True),
        ("o2", "olist:u1", day(2018, 7, 2), "BRL", D(120), D(20), "Brazil", True),
        ("o3", "olist:u2", day(2018, 1, 12), "BRL", D("14.90"), D(5), "Brazil", False),
        ("o4", "olist:u3", day(2018, 1, 13), "BRL", D(77), None, "Brazil", False),
    ]
    # One clock goes by Brazil's summer time, the other does not.
    assert rows(london, "select placed_at from orders where order_id in ('o1', 'o2') order by 1") == [
        (dt.datetime(2018, 1, 11, 1, 30, tzinfo=dt.UTC),),
        (dt.datetime(2018, 7, 2, 1, 15, tzinfo=dt.UTC),),
    ]
    assert rows(london, "select paid_at from orders where order_id in ('o1', 'o3') order by order_id") == [
        (dt.datetime(2018, 1, 11, 1, 45, tzinfo=dt.UTC),),
        (None,),
    ]
    lines = "order_id, line, product_id, quantity, unit_price, amount"
    assert rows(london, f"select {lines} from order_lines where product_id <> '' order by 1, 2") == [
        ("o1", 1, "p1", D(1), D("58.90"), D("58.90")),
        ("o1", 2, "p1", D(1), D("58.90"), D("58.90")),
        ("o1", 3, "p2", D(1), D("9.90"), D("9.90")),
        ("o2", 1, "p3", D(1), D(100), D(100)),
        ("o3", 1, "p2", D(1), D("9.90"), D("9.90")),
    ]
    assert rows(london, "select product_id, category, currency from products order by 1") == [
        ("p1", "health_beauty", "BRL"),
        ("p2", "pc_gamer", "BRL"),
        ("p3", None, "BRL"),
    ]
    assert rows(london, "select customer_id, city, country from customers order by 1") == [
        ("olist:u1", "sao paulo", "Brazil"),
        ("olist:u2", "rio de janeiro", "Brazil"),
        ("olist:u3", "niteroi", "Brazil"),
    ]
    assert rows(london, "select count(*) from returns") == [(0,)]
    assert {each.understood.format for each in report.files} == {"Olist: orders"}
    assert london.import_files(list(files.values())).snapshot is None


def test_reviews_are_answers(london: Shop, files: Files) -> None:
    london.import_files(list(files.values()))
    assert rows(london, "select * exclude (choice) from answers order by 1") == [
        (
            "r1:o1", "olist:u1", "csat", 4, 5, None,
            dt.datetime(2018, 1, 22, 1, 46, 59, tzinfo=dt.UTC), dt.date(2018, 1, 22),
        ),
        (
            "r1:o2", "olist:u1", "csat", 5, 5, "Ótimo: Chegou antes,\nrecomendo",
            dt.datetime(2018, 7, 11, 6, 43, 48, tzinfo=dt.UTC), dt.date(2018, 7, 11),
        ),
        (
            "r2:o3", "olist:u2", "csat", 1, 5, "Não recebi",
            dt.datetime(2018, 1, 22, 12, 0, tzinfo=dt.UTC), dt.date(2018, 1, 22),
        ),
    ]  # fmt: skip


def test_payments_are_bridged_to_the_cent(london: Shop, files: Files) -> None:
    report = london.import_files(list(files.values()))
    (bridge,) = [each.bridge for each in report.files if each.bridge is not None]
    (whole,) = bridge.whole
    assert (whole.currency, whole.stated, whole.net) == ("BRL", D("376.58"), D("279.28"))
    # 14.90 + 77.00 of orders that came to nothing, 5.40 of interest.
    assert dict(whole.steps) == {"cancelled": D("-91.90"), "fees": D("-5.40")}


def test_orders_and_items_are_enough(london: Shop, files: Files) -> None:
    paths = [files["olist_orders_dataset"], files["olist_order_items_dataset"]]
    london.import_files(paths)
    # Who bought is told by the customers' table alone.
    assert rows(london, "select order_id, customer_id, total from orders order by 1") == [
        ("o1", None, D("159.28")),
        ("o2", None, D(120)),
        ("o3", None, D("14.90")),
        ("o4", None, D(0)),
    ]
    assert rows(london, "select count(*) from answers") == [(0,)]


@pytest.mark.parametrize("missing", ["product_category_name_translation", "olist_products_dataset"])
def test_without_names_of_categories(london: Shop, files: Files, missing: str) -> None:
    london.import_files(list(without(files, missing)))
    expected = "beleza_saude" if missing.startswith("product_category") else None
    assert rows(london, "select category from products where product_id = 'p1'") == [(expected,)]


@pytest.mark.parametrize("turn", [1, 4])
def test_the_order_of_the_files_does_not_matter(london: Shop, files: Files, turn: int) -> None:
    paths = list(files.values())
    london.import_files(paths)
    assert london.import_files(paths[turn:] + paths[:turn]).snapshot is None
