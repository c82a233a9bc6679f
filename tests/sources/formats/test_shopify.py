"""Shopify's orders, customers and products, in files built as Shopify writes them."""

from __future__ import annotations

import csv
import datetime as dt
import random
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from setia.app import Shop
from setia.sources.files.errors import BeginsInAnotherFile

D = Decimal
Row = dict[str, str]


def header(line: str) -> list[str]:
    return next(csv.reader([line]))


ORDERS = header(
    "Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,Currency,Subtotal,Shipping,"
    "Taxes,Total,Discount Code,Discount Amount,Shipping Method,Created at,Lineitem quantity,Lineitem name,"
    "Lineitem price,Lineitem compare at price,Lineitem sku,Lineitem requires shipping,Lineitem taxable,"
    "Lineitem fulfillment status,Billing Name,Billing Street,Billing Address1,Billing Address2,Billing Company,"
    "Billing City,Billing Zip,Billing Province,Billing Country,Billing Phone,Shipping Name,Shipping Street,"
    "Shipping Address1,Shipping Address2,Shipping Company,Shipping City,Shipping Zip,Shipping Province,"
    "Shipping Country,Shipping Phone,Notes,Note Attributes,Cancelled at,Payment Method,Payment Reference,"
    "Refunded Amount,Vendor,Outstanding Balance,Employee,Location,Device ID,Id,Tags,Risk Level,Source,"
    "Lineitem discount,Tax 1 Name,Tax 1 Value,Tax 2 Name,Tax 2 Value,Tax 3 Name,Tax 3 Value,Tax 4 Name,Tax 4 Value,"
    "Tax 5 Name,Tax 5 Value,Phone,Receipt Number,Duties,Billing Province Name,Shipping Province Name,Payment ID,"
    "Payment Terms Name,Next Payment Due At,Payment References"
)
NEWER = {
    "Cancelled at": "Canceled at",
    "Lineitem sku": "Lineitem SKU",
    "Lineitem compare at price": "Lineitem compare-at price",
    "Payment Reference": "Payment Reference (deprecated)",
}
"""Headers as later exports spell them."""
KOPI = {
    "Lineitem quantity": "2",
    "Lineitem name": "Kopi Gayo - 250 g",
    "Lineitem price": "85000.00",
    "Lineitem sku": "KG-250",
}
TEH = {"Lineitem quantity": "1", "Lineitem name": "Teh Melati", "Lineitem price": "40000.00", "Lineitem sku": ""}
SITI = {
    "Email": "Siti@Example.com", "Financial Status": "paid", "Paid at": "2024-01-05 10:12:00 +0700",
    "Fulfillment Status": "fulfilled", "Fulfilled at": "2024-01-06 09:00:00 +0700", "Accepts Marketing": "yes",
    "Currency": "IDR", "Subtotal": "189000.00", "Shipping": "15000.00", "Taxes": "18729.73", "Total": "204000.00",
    "Discount Code": "HEMAT10", "Discount Amount": "21000.00", "Created at": "2024-01-05 10:11:12 +0700",
    "Billing Name": "Siti Rahma", "Billing City": "Bandung", "Billing Country": "ID",
    "Billing Phone": "'+6281234567890",
    "Payment Method": "Xendit", "Refunded Amount": "0.00", "Outstanding Balance": "0.00", "Id": "'6005500001",
    "Source": "web",
}  # fmt: skip


def order(number: str, first: Row, *lines: Row, **cells: str) -> list[Row]:
    """The rows of an order: its own cells on the first, the others with a line alone."""
    head = {**SITI, **first, **{name.replace("_", " "): value for name, value in cells.items()}}
    own = [{"Lineitem discount": "0.00", "Vendor": "Kebun", **line} for line in lines or (KOPI,)]
    return [{"Name": number, **(head if n == 0 else {}), **line} for n, line in enumerate(own)]


def write(path: Path, rows: Sequence[Row], columns: Sequence[str] = ORDERS, names: Row | None = None) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([(names or {}).get(column, column) for column in columns])
        writer.writerows([[row.get(column, "") for column in columns] for row in rows])
    return path


Import = Callable[..., Any]


@pytest.fixture
def orders(shop: Shop, tmp_path: Path) -> Import:
    """Imports orders into the shop: `orders(order(…), order(…))`."""

    def run(*given: list[Row], name: str = "orders_export_1.csv", names: Row | None = None) -> Any:
        return shop.import_files([write(tmp_path / name, [row for rows in given for row in rows], names=names)])

    return run


def ask(shop: Shop, query: str) -> list[tuple[Any, ...]]:
    with shop.reading() as reader:
        return reader.duck.execute(query).fetchall()


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


@pytest.mark.parametrize("names", [{}, NEWER], ids=["older headers", "newer headers"])
def test_an_order_whose_cells_stand_on_its_first_row(shop: Shop, orders: Import, names: Row) -> None:
    orders(order("#1001", {}, KOPI, TEH), names=names)

    # 2 x 85,000 + 40,000 = 210,000; less 21,000; shipping 15,000; tax 11/111 of 189,000 is in it.
    assert ask(
        shop,
        "select order_id, total, discount, shipping, tax, currency, code, channel, country, placed_at, day, paid_at, "
        "cancelled_at, undelivered_at, is_test, is_staff, is_adjustment from orders",
    ) == [
        (
            "#1001", D("204000"), D("21000"), D("15000"), D("18729.73"), "IDR", "HEMAT10", "web", "ID",
            at("2024-01-05T10:11:12+07:00"), dt.date(2024, 1, 5), at("2024-01-05T10:12:00+07:00"), None, None,
            False, False, False,
        )
    ]  # fmt: skip
    siti = shop.identity.customer_id("siti@example.com")
    assert ask(
        shop,
        "select customer_id, product_id, quantity, unit_price, amount, placed_at, day from order_lines order by 2",
    ) == [
        (siti, "KG-250", D(2), D(85000), D(170000), at("2024-01-05T10:11:12+07:00"), dt.date(2024, 1, 5)),
        (siti, "Teh Melati", D(1), D(40000), D(40000), at("2024-01-05T10:11:12+07:00"), dt.date(2024, 1, 5)),
    ]
    assert ask(shop, "select customer_id, email, phone, name, city, country from customers") == [
        (siti, "siti@example.com", "+6281234567890", "Siti Rahma", "Bandung", "ID")
    ]
    assert ask(shop, "select product_id, name from products order by 1") == [
        ("KG-250", "Kopi Gayo - 250 g"),
        ("Teh Melati", "Teh Melati"),
    ]
    assert ask(shop, "select * from returns") == []


def test_rows_that_repeat_address_and_time_are_the_same_order(shop: Shop, orders: Import) -> None:
    rows = order("#1001", {}, KOPI, TEH)
    rows[1] |= {"Email": "siti@example.com", "Created at": "2024-01-05 10:11:12 +0700"}
    orders(rows)
    assert ask(shop, "select count(*), sum(total) from orders") == [(1, D(204000))]
    assert ask(shop, "select count(*), count(distinct customer_id) from order_lines") == [(2, 1)]


def test_tax_stands_beside_the_prices_or_in_them(make_shop: Callable[..., Shop], tmp_path: Path) -> None:
    shop = make_shop(currency="MYR", time_zone="Asia/Kuala_Lumpur")
    cases: dict[str, Row] = {
        # Prices without tax: 6 % of 50.00 beside them.
        "#1": {"Taxes": "3.00", "Total": "61.00"},
        # Prices with tax: 6/106 of 50.00.
        "#2": {"Taxes": "2.83", "Total": "58.00"},
        # A tip and duties stand in the total too.
        "#3": {"Taxes": "3.00", "Total": "62.50"},
        "#4": {"Taxes": "2.83", "Duties": "7.00", "Total": "65.00"},
        "#5": {"Taxes": "0.00", "Total": "58.00"},
        "#6": {"Taxes": "3.00", "Shipping": "", "Total": "53.00"},
    }
    mug = {"Lineitem quantity": "2", "Lineitem name": "Cawan", "Lineitem price": "25.00"}
    usual = {"Currency": "MYR", "Subtotal": "50.00", "Shipping": "8.00", "Discount Code": "", "Discount Amount": "0.00"}
    rows = [row for number, cells in cases.items() for row in order(number, {**usual, **cells}, mug)]
    shop.import_files([write(tmp_path / "orders.csv", rows)])
    assert ask(shop, "select order_id, total, tax, shipping, discount, currency from orders order by order_id") == [
        ("#1", D("61.00"), D("3.00"), D("8.00"), D(0), "MYR"),
        ("#2", D("58.00"), D("2.83"), D("8.00"), D(0), "MYR"),
        ("#3", D("62.50"), D("3.00"), D("8.00"), D(0), "MYR"),
        ("#4", D("65.00"), D("2.83"), D("8.00"), D(0), "MYR"),
        ("#5", D("58.00"), D("0.00"), D("8.00"), D(0), "MYR"),
        ("#6", D("53.00"), D("3.00"), None, D(0), "MYR"),
    ]


def test_discounts_on_lines_times_with_offsets_and_free_orders(shop: Shop, orders: Import) -> None:
    # 2 x 85,000 less 20,000 on the line: 150,000 and shipping.
    off = {"Subtotal": "150000.00", "Taxes": "0.00", "Total": "165000.00", "Discount Amount": "20000.00"}
    free = {"Subtotal": "0.00", "Shipping": "0.00", "Taxes": "0.00", "Total": "0.00", "Discount Amount": "170000.00"}
    orders(
        order("#1", off, {**KOPI, "Lineitem discount": "20000.00"}),
        order("#2", {**free, "Created at": "2024-01-05 23:30:00 +0000"}),
    )
    assert ask(shop, "select order_id, total, discount, is_adjustment, day from orders order by 1") == [
        ("#1", D(165000), D(20000), False, dt.date(2024, 1, 5)),
        ("#2", D(0), D(170000), False, dt.date(2024, 1, 6)),
    ]
    assert ask(shop, "select order_id, amount, day from order_lines order by 1") == [
        ("#1", D(150000), dt.date(2024, 1, 5)),
        ("#2", D(170000), dt.date(2024, 1, 6)),
    ]


def test_what_does_not_count(shop: Shop, orders: Import) -> None:
    called_off = "2024-01-07 08:00:00 +0700"
    orders(
        order("#1", {"Cancelled at": called_off, "Financial Status": "refunded", "Refunded Amount": "204000.00"}),
        order("#2", {"Financial Status": "voided", "Paid at": "", "Fulfillment Status": "unfulfilled"}),
        order(
            "#3",
            {
                "Cancelled at": called_off,
                "Financial Status": "voided",
                "Paid at": "",
                "Payment Method": "Cash on Delivery (COD)",
            },
        ),
        order("#4", {"Payment Method": "(for testing) Bogus Gateway"}),
        order("#5", {"Tags": "grosir, Karyawan"}),
        order("#6", {"Tags": "staffordshire", "Employee": "Budi"}),
    )
    assert ask(
        shop, "select order_id, cancelled_at, undelivered_at, is_test, is_staff from orders order by order_id"
    ) == [
        ("#1", at("2024-01-07T08:00:00+07:00"), None, False, False),
        ("#2", at("2024-01-05T10:11:12+07:00"), None, False, False),
        ("#3", at("2024-01-07T08:00:00+07:00"), at("2024-01-07T08:00:00+07:00"), False, False),
        ("#4", None, None, True, False),
        ("#5", None, None, False, True),
        ("#6", None, None, False, False),
    ]
    assert ask(shop, "select * from returns") == []


def test_a_part_paid_back_and_a_second_import(shop: Shop, orders: Import) -> None:
    given = order("#1", {"Financial Status": "partially_refunded", "Refunded Amount": "40000.00"}, KOPI, TEH)
    assert orders(given).snapshot is not None
    assert ask(shop, "select order_id, amount, product_id, returned_at, day from returns") == [
        ("#1", D(40000), None, at("2024-01-06T09:00:00+07:00"), dt.date(2024, 1, 6))
    ]
    assert ask(shop, "select total, cancelled_at from orders") == [(D(204000), None)]
    assert orders(given, name="again.csv").snapshot is None


def test_who_bought(shop: Shop, orders: Import) -> None:
    nobody = {"Email": "", "Billing Phone": "", "Billing Name": "", "Accepts Marketing": "no"}
    orders(
        order("#1", nobody, Source="pos", Location="Toko Dago"),
        order("#2", {**nobody, "Phone": "'+6281234567890", "Billing Name": "Budi"}),
        order("#3", {**nobody, "Billing Phone": "0812-3456-7890", "Billing Name": "Budi"}),
        order("#4", {}),
    )
    found = dict(ask(shop, "select order_id, customer_id from orders"))
    assert found["#1"] is None
    assert found["#2"] == found["#3"] is not None
    assert found["#4"] == shop.identity.customer_id("siti@example.com")
    assert ask(shop, "select channel from orders where order_id = '#1'") == [("pos",)]
    assert ask(shop, "select count(*) from customers") == [(2,)]


def test_an_order_that_ends_in_the_next_file(make_shop: Callable[..., Shop], tmp_path: Path) -> None:
    rows = [*order("#1", {}), *order("#2", {}, KOPI, TEH), *order("#3", {})]
    cut, whole = make_shop(), make_shop()
    with pytest.raises(BeginsInAnotherFile):
        cut.import_files([write(tmp_path / "orders_export_2.csv", rows[2:])])
    cut.import_files(
        [write(tmp_path / "orders_export_1.csv", rows[:2]), write(tmp_path / "orders_export_2.csv", rows[2:])]
    )
    whole.import_files([write(tmp_path / "orders_export.csv", rows)])
    query = "select order_id, total, discount, tax, day from orders order by 1"
    lines = "select order_id, product_id, quantity, amount, day from order_lines order by 1, 2"
    assert ask(cut, query) == ask(whole, query)
    assert ask(cut, lines) == ask(whole, lines)
    assert len(ask(cut, lines)) == 4


def test_from_total_sales_to_setias_net_sales(shop: Shop, orders: Import) -> None:
    report = orders(
        order("#1", {}, KOPI, TEH),
        order("#2", {"Cancelled at": "2024-01-07 08:00:00 +0700"}),
        order("#3", {"Payment Method": "bogus"}),
        order("#4", {"Tags": "staff"}),
        order("#5", {"Refunded Amount": "40000.50"}),
    )
    (account,) = report.files[0].bridge.whole
    # Shopify leaves trial orders out itself; five orders of 204,000, one of them a trial.
    assert account.stated == D(4 * 204000)
    assert account.steps == {"cancelled": D(-204000), "staff": D(-204000), "returns": D("-40000.50")}
    assert account.net == D("367999.50")


def test_many_orders_against_their_own_arithmetic(shop: Shop, tmp_path: Path) -> None:
    """Every order's figures are made here first, from its lines up; the file holds them as Shopify would."""
    dice, cent = random.Random(20240105), D("0.01")
    rows: list[Row] = []
    orders: list[tuple[Any, ...]] = []
    lines: list[tuple[Any, ...]] = []
    live, given_back = D(0), D(0)
    for n in range(300):
        number = f"#{1000 + n}"
        bought = [
            (f"SKU-{dice.randrange(20)}", dice.randint(1, 4), D(dice.randint(100, 20_000)) * cent)
            for _ in range(dice.randint(1, 4))
        ]
        off = [D(dice.choice((0, 0, dice.randint(1, 90)))) * cent for _ in bought]
        goods = sum((q * price - less for (_, q, price), less in zip(bought, off, strict=True)), D(0))
        code_off = D(dice.choice((0, dice.randint(0, int(goods / cent))))) * cent
        subtotal, shipping = goods - code_off, D(dice.choice((0, 800, 1550))) * cent
        rate, included = D(dice.choice(("0", "0.06", "0.11"))), dice.random() < 0.5
        share = rate / (1 + rate) if included else rate
        taxes = (subtotal * share).quantize(cent)
        total = subtotal + shipping + (0 if included else taxes)
        fate = dice.choice(("live", "live", "live", "cancelled", "trial", "staff"))
        refund = (total * D(dice.choice(("0", "0", "0.3", "1")))).quantize(cent)
        cells = {
            "Subtotal": subtotal, "Shipping": shipping, "Taxes": taxes, "Total": total, "Refunded Amount": refund,
            "Discount Amount": code_off + sum(off), "Discount Code": "HEMAT" if code_off else "",
            "Cancelled at": "2024-02-01 00:00:00 +0700" if fate == "cancelled" else "",
            "Payment Method": "bogus" if fate == "trial" else "Xendit", "Tags": "staff" if fate == "staff" else "",
        }  # fmt: skip
        own = [
            {
                "Lineitem quantity": str(q), "Lineitem name": sku, "Lineitem price": f"{price:.2f}",
                "Lineitem sku": sku, "Lineitem discount": f"{less:.2f}",
            }
            for (sku, q, price), less in zip(bought, off, strict=True)
        ]  # fmt: skip
        rows += order(number, {name: f"{c:.2f}" if isinstance(c, D) else c for name, c in cells.items()}, *own)
        orders.append((number, total, code_off + sum(off), shipping, taxes))
        lines += [(number, sku, D(q), q * price - less) for (sku, q, price), less in zip(bought, off, strict=True)]
        if fate == "live":
            live, given_back = live + total, given_back + refund
    cut = next(n for n in range(len(rows) // 2, len(rows)) if "Email" not in rows[n])
    files = [write(tmp_path / "orders_1.csv", rows[:cut]), write(tmp_path / "orders_2.csv", rows[cut:])]
    report = shop.import_files(files)

    assert ask(shop, "select order_id, total, discount, shipping, tax from orders order by 1") == orders
    assert ask(shop, "select order_id, product_id, quantity, amount from order_lines order by all") == sorted(lines)
    (account,) = report.files[0].bridge.whole
    assert account.net == live - given_back
    assert account.steps["returns"] == -given_back
    assert set(account.steps) == {"cancelled", "staff", "returns"}
    assert sum((month.net for month in report.files[0].bridge.months), D(0)) == account.net


CUSTOMERS = header(
    "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address Company,Default Address Address1,"
    "Default Address Address2,Default Address City,Default Address Province Code,Default Address Country Code,"
    "Default Address Zip,Default Address Phone,Phone,Accepts SMS Marketing,Total Spent,Total Orders,Note,Tax Exempt,"
    "Tags,Accepts WhatsApp Marketing"
)
AMINAH: Row = {
    "Customer ID": "'7210448301122", "First Name": "Aminah", "Last Name": "Yusof", "Email": "Aminah@Example.com",
    "Accepts Email Marketing": "yes", "Default Address City": "Ipoh", "Default Address Country Code": "MY",
    "Default Address Phone": "'+60123456789", "Accepts SMS Marketing": "no", "Accepts WhatsApp Marketing": "yes",
    "Total Spent": "79.80", "Total Orders": "2", "Tax Exempt": "no",
}  # fmt: skip
OLDER_CUSTOMERS = {
    "Default Address City": "City",
    "Default Address Country Code": "Country Code",
    "Accepts Email Marketing": "Accepts Marketing",
}


@pytest.mark.parametrize("names", [{}, OLDER_CUSTOMERS], ids=["newer headers", "older headers"])
def test_customers(shop: Shop, tmp_path: Path, names: Row) -> None:
    by_phone = {"First Name": "Tan", "Last Name": "Wei Ling", "Phone": "'+60198765432", "Tax Exempt": "no"}
    nobody = {"First Name": "Tamu", "Accepts Email Marketing": "no", "Tax Exempt": "no"}
    rows = [AMINAH, {"Accepts Email Marketing": "no", **by_phone}, nobody]
    shop.import_files([write(tmp_path / "customers_export.csv", rows, CUSTOMERS, names)])
    aminah = shop.identity.customer_id("aminah@example.com")
    found = ask(shop, "select customer_id, email, phone, name, city, country from customers order by email nulls last")
    assert found[0] == (aminah, "aminah@example.com", "+60123456789", "Aminah Yusof", "Ipoh", "MY")
    assert [row[1:] for row in found[1:]] == [(None, "+60198765432", "Tan Wei Ling", None, None)]


def test_the_key_of_a_customer_is_that_of_the_orders(shop: Shop, tmp_path: Path) -> None:
    tan = {"First Name": "Tan", "Accepts Email Marketing": "no", "Phone": "'+60198765432", "Tax Exempt": "no"}
    bought = order("#1", {"Email": "", "Phone": "'+60198765432", "Billing Phone": ""})
    shop.import_files(
        [write(tmp_path / "customers.csv", [AMINAH, tan], CUSTOMERS), write(tmp_path / "orders.csv", bought)]
    )
    assert ask(shop, "select name from customers join orders using (customer_id)") == [("Tan",)]


def test_what_a_customer_agreed_to(shop: Shop, tmp_path: Path) -> None:
    aminah = shop.identity.customer_id("aminah@example.com")
    query = "select consent_id, customer_id, channel, purpose, state from consents order by channel"
    with_phone = {**AMINAH, "Phone": "'+60123456789"}
    for email, state in (("yes", "given"), ("no", "withdrawn"), ("yes", "given")):
        row = {**with_phone, "Accepts Email Marketing": email}
        shop.import_files([write(tmp_path / "customers_export.csv", [row], CUSTOMERS)])
        assert ask(shop, query) == [
            ("shopify:7210448301122:email", aminah, "email", "marketing", state),
            ("shopify:7210448301122:sms", aminah, "sms", "marketing", "withdrawn"),
            ("shopify:7210448301122:whatsapp", aminah, "whatsapp", "marketing", "given"),
        ]
    # Without a telephone number there is nothing to write to.
    nobody = {**AMINAH, "Customer ID": "", "Email": "budi@example.com", "Accepts WhatsApp Marketing": ""}
    shop.import_files([write(tmp_path / "customers_export.csv", [nobody], CUSTOMERS)])
    assert ask(shop, "select channel, state from consents where email = 'budi@example.com'") == [("email", "given")]


OLDER_PRODUCTS = header(
    "Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name,Option1 Value,Option2 Name,"
    "Option2 Value,Option3 Name,Option3 Value,Variant SKU,Variant Grams,Variant Inventory Tracker,"
    "Variant Inventory Policy,Variant Fulfillment Service,Variant Price,Variant Compare At Price,"
    "Variant Requires Shipping,Variant Taxable,Variant Barcode,Image Src,Image Position,Gift Card,Variant Weight Unit,"
    "Cost per item,Status"
)
NEWER_PRODUCTS = {
    "Handle": "URL handle", "Body (HTML)": "Description", "Product Category": "Product category",
    "Option1 Name": "Option1 name", "Option1 Value": "Option1 value", "Variant SKU": "SKU", "Variant Price": "Price",
    "Variant Compare At Price": "Compare-at price", "Image Src": "Product image URL",
}  # fmt: skip


@pytest.mark.parametrize("names", [{}, NEWER_PRODUCTS], ids=["older headers", "newer headers"])
def test_products(shop: Shop, tmp_path: Path, names: Row) -> None:
    rows: list[Row] = [
        {
            "Handle": "kopi-gayo", "Title": "Kopi Gayo", "Type": "Kopi", "Option1 Name": "Berat",
            "Option1 Value": "250 g", "Variant SKU": "KG-250", "Variant Price": "85000.00", "Cost per item": "51000.00",
        },
        {"Handle": "kopi-gayo", "Option1 Value": "1 kg", "Variant Price": "310000.00"},
        {"Handle": "kopi-gayo", "Image Src": "https://example.com/2.jpg", "Image Position": "2"},
        {
            "Handle": "teh-melati", "Title": "Teh Melati", "Product Category": "Food > Tea", "Option1 Name": "Title",
            "Option1 Value": "Default Title", "Variant Price": "40000.00",
        },
    ]  # fmt: skip
    shop.import_files([write(tmp_path / "products_export.csv", rows, OLDER_PRODUCTS, names)])
    assert ask(shop, "select product_id, name, category, price, cost from products order by product_id") == [
        ("KG-250", "Kopi Gayo - 250 g", "Kopi", D(85000), D(51000)),
        ("Kopi Gayo - 1 kg", "Kopi Gayo - 1 kg", "Kopi", D(310000), None),
        ("Teh Melati", "Teh Melati", "Food > Tea", D(40000), None),
    ]
