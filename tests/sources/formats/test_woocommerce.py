"""WooCommerce's own reports and the usual order-export plug-ins, in files built as they write them."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from setia.app import Shop

D = Decimal
Row = dict[str, str]


def header(line: str) -> list[str]:
    return next(csv.reader([line]))


def write(path: Path, columns: Sequence[str], rows: Sequence[Row], names: Row | None = None) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([(names or {}).get(column, column) for column in columns])
        writer.writerows([[row.get(column, "") for column in columns] for row in rows])
    return path


def ask(shop: Shop, query: str) -> list[tuple[Any, ...]]:
    with shop.reading() as reader:
        return reader.duck.execute(query).fetchall()


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


SERVER = header(
    "Date,Order #,N. Revenue (formatted),Status,Customer,Customer type,Product(s),Items sold,Coupon(s),Net Sales,"
    "Attribution"
)
BROWSER = header(
    "Date,Order #,Status,Customer,Customer type,Payment method,Product(s),Items sold,Coupon(s),Net sales,Attribution"
)


def report_row(date: str, number: str, status: str, net: str, **cells: str) -> Row:
    return {
        "Date": date, "Order #": number, "N. Revenue (formatted)": "Rp999.999", "Status": status,
        "Customer": "Siti Rahma", "Customer type": "new", "Payment method": "Transfer",
        "Product(s)": "2× Kopi Gayo, 1× Teh", "Items sold": "3", "Coupon(s)": "HEMAT10", "Net Sales": net,
        "Net sales": net, "Attribution": "Direct", **cells,
    }  # fmt: skip


@pytest.mark.parametrize("columns", [SERVER, BROWSER], ids=["from the server", "from the browser"])
def test_the_orders_report(shop: Shop, tmp_path: Path, columns: list[str]) -> None:
    rows = [
        report_row("2024-01-05 10:11:12", "1001", "completed", "189000.5"),
        report_row("2024-01-05 11:00:00", "1002", "cancelled", "50000"),
        report_row("2024-01-06 00:30:00", "1003", "processing", "40000"),
        # A refund stands as a row of its own under the order's number.
        report_row("2024-01-09 12:00:00", "1001", "completed", "-40000.5", **{"Items sold": "-1"}),
    ]
    report = shop.import_files([write(tmp_path / "orders.csv", columns, rows)])
    assert ask(
        shop, "select order_id, customer_id, total, code, channel, placed_at, day, cancelled_at from orders order by 1"
    ) == [
        ("1001", None, D("189000.5"), "HEMAT10", "Direct", at("2024-01-05T10:11:12+07:00"), dt.date(2024, 1, 5), None),
        (
            "1002", None, D(50000), "HEMAT10", "Direct", at("2024-01-05T11:00:00+07:00"), dt.date(2024, 1, 5),
            at("2024-01-05T11:00:00+07:00"),
        ),
        ("1003", None, D(40000), "HEMAT10", "Direct", at("2024-01-06T00:30:00+07:00"), dt.date(2024, 1, 6), None),
    ]  # fmt: skip
    assert ask(shop, "select order_id, amount, returned_at from returns") == [
        ("1001", D("40000.5"), at("2024-01-09T12:00:00+07:00"))
    ]
    (account,) = report.files[0].bridge.whole
    assert (account.stated, account.steps, account.net) == (
        D("229000.5"), {"returns": D("-40000.5")}, D(189000),
    )  # fmt: skip
    assert shop.import_files([write(tmp_path / "again.csv", columns, rows)]).snapshot is None


CUSTOMERS = header(
    "Name,Username,Last Active,Sign Up,Email,Orders,Total Spend,AOV,Country / Region,City,Region,Postal Code,"
    "Billing Phone,Shipping Phone,Role"
)


@pytest.mark.parametrize("columns", [CUSTOMERS[:12], CUSTOMERS], ids=["before there were telephones", "with them"])
def test_the_customers_report(shop: Shop, tmp_path: Path, columns: list[str]) -> None:
    siti = {
        "Name": "Siti Rahma", "Username": "siti", "Last Active": "2024-02-01 08:00:00",
        "Sign Up": "2024-01-05 10:00:00",
        "Email": "Siti@Example.com", "Orders": "2", "Total Spend": "229000.50", "AOV": "114500.25",
        "Country / Region": "ID", "City": "Bandung", "Billing Phone": "0812-3456-7890", "Role": "customer",
    }  # fmt: skip
    guest = {"Name": "Budi", "Email": "budi@example.com", "Orders": "1", "Total Spend": "0.00", "AOV": "0.00"}
    shop.import_files([write(tmp_path / "customers.csv", columns, [siti, guest])])
    phone = "+6281234567890" if "Billing Phone" in columns else None
    assert ask(
        shop, "select customer_id, email, phone, name, city, country, created_at from customers order by email"
    ) == [
        (shop.identity.customer_id("budi@example.com"), "budi@example.com", None, "Budi", None, None, None),
        (
            shop.identity.customer_id("siti@example.com"), "siti@example.com", phone, "Siti Rahma", "Bandung", "ID",
            at("2024-01-05T10:00:00+07:00"),
        ),
    ]  # fmt: skip


PRODUCTS = header(
    'ID,Type,SKU,"GTIN, UPC, EAN, or ISBN",Name,Published,Is featured?,Visibility in catalog,Short description,'
    "Description,Date sale price starts,Date sale price ends,Tax status,Tax class,In stock?,Stock,Sale price,"
    "Regular price,Categories,Tags,Images,Parent,Position,Cost of goods"
)


def test_products(shop: Shop, tmp_path: Path) -> None:
    rows: list[Row] = [
        {"ID": "12", "Type": "simple", "SKU": "TEH", "Name": "Teh Melati", "Regular price": "40000",
         "Categories": "Teh", "Sale price": "35000", "Cost of goods": "18000"},
        {"ID": "13", "Type": "variable", "Name": "Kopi Gayo", "Categories": "Kopi, Kopi > Arabika"},
        {"ID": "14", "Type": "variation", "SKU": "KG-250", "Name": "Kopi Gayo - 250 g", "Regular price": "85000",
         "Parent": "id:13"},
    ]  # fmt: skip
    shop.import_files([write(tmp_path / "wc-product-export.csv", PRODUCTS, rows)])
    assert ask(shop, "select product_id, name, category, price, cost from products order by product_id") == [
        ("13", "Kopi Gayo", "Kopi, Kopi > Arabika", None, None),
        ("KG-250", "Kopi Gayo - 250 g", "Kopi, Kopi > Arabika", D(85000), None),
        ("TEH", "Teh Melati", "Teh", D(35000), D(18000)),
    ]


ADVANCED = header(
    "Order Number,Order Status,Order Date,Customer Note,First Name (Billing),Last Name (Billing),Company (Billing),"
    "Address 1&2 (Billing),City (Billing),State Code (Billing),Postcode (Billing),Country Code (Billing),"
    "Email (Billing),Phone (Billing),First Name (Shipping),Last Name (Shipping),Address 1&2 (Shipping),"
    "City (Shipping),State Code (Shipping),Postcode (Shipping),Country Code (Shipping),Payment Method Title,"
    "Cart Discount Amount,Order Subtotal Amount,Shipping Method Title,Order Shipping Amount,Order Refund Amount,"
    "Order Total Amount,Order Total Tax Amount,SKU,Item #,Item Name,Quantity,Item Cost,Coupon Code,Discount Amount,"
    "Discount Amount Tax"
)
MORE = ["Order Line Total", "Quantity (- Refund)", "Order Line Total Refunded", "Date of first refund", "Paid Date"]
# Three bags at 33,333.33 less 10,000: 90,000 for three, 29,999.997 each; 11 % tax on goods and shipping.
ADVANCED_ORDER: Row = {
    "Order Number": "2001", "Order Status": "Completed", "Order Date": "2024-01-05 23:30",
    "First Name (Billing)": "Siti", "Last Name (Billing)": "Rahma", "City (Billing)": "Bandung",
    "Country Code (Billing)": "ID", "Email (Billing)": "Siti@Example.com", "Phone (Billing)": "0812-3456-7890",
    "Payment Method Title": "Transfer", "Cart Discount Amount": "10000", "Order Subtotal Amount": "130000",
    "Order Shipping Amount": "15000", "Order Refund Amount": "0", "Order Total Amount": "149850",
    "Order Total Tax Amount": "14850", "Paid Date": "2024-01-05 23:45",
}  # fmt: skip
BAGS = {
    "SKU": "KG",
    "Item #": "1",
    "Item Name": "Kopi",
    "Quantity": "3",
    "Item Cost": "30000",
    "Order Line Total": "90000",
}
CUPS = {
    "SKU": "",
    "Item #": "2",
    "Item Name": "Cangkir",
    "Quantity": "1",
    "Item Cost": "30000",
    "Order Line Total": "30000",
}
COUPON = {"Coupon Code": "HEMAT10", "Discount Amount": "10000", "Discount Amount Tax": "1100"}


@pytest.mark.parametrize("repeated", [True, False], ids=["on each row", "on the first row"])
@pytest.mark.parametrize("more", [MORE, []], ids=["more columns", "columns at first"])
def test_the_advanced_export(shop: Shop, tmp_path: Path, repeated: bool, more: list[str]) -> None:
    rest: Row = ADVANCED_ORDER if repeated else {"Order Number": "2001"}
    rows = [{**ADVANCED_ORDER, **BAGS, **COUPON}, {**rest, **CUPS}]
    shop.import_files([write(tmp_path / "orders.csv", [*ADVANCED, *more], rows)])
    siti = shop.identity.customer_id("siti@example.com")
    assert ask(
        shop, "select order_id, customer_id, total, discount, shipping, tax, code, day, cancelled_at from orders"
    ) == [("2001", siti, D(149850), D(10000), D(15000), D(14850), "HEMAT10", dt.date(2024, 1, 5), None)]
    assert ask(shop, "select product_id, customer_id, quantity, amount, day from order_lines order by 1") == [
        ("Cangkir", siti, D(1), D(30000), dt.date(2024, 1, 5)),
        ("KG", siti, D(3), D(90000), dt.date(2024, 1, 5)),
    ]
    assert ask(shop, "select email, phone, name, city, country from customers") == [
        ("siti@example.com", "+6281234567890", "Siti Rahma", "Bandung", "ID")
    ]


def test_the_advanced_export_with_more_coupons_than_items(shop: Shop, tmp_path: Path) -> None:
    second = {**ADVANCED_ORDER, "Coupon Code": "ONGKIR", "Discount Amount": "0"}
    rows = [{**ADVANCED_ORDER, **BAGS, **COUPON}, second]
    shop.import_files([write(tmp_path / "orders.csv", ADVANCED, rows)])
    assert ask(shop, "select count(*), sum(total) from orders") == [(1, D(149850))]
    assert ask(shop, "select product_id, amount from order_lines") == [("KG", D(90000))]


def test_the_advanced_export_of_refunds(shop: Shop, tmp_path: Path) -> None:
    part = {**ADVANCED_ORDER, "Order Refund Amount": "36630", "Date of first refund": "2024-01-09 08:00"}
    whole = {**ADVANCED_ORDER, "Order Number": "2002", "Order Status": "Refunded", "Order Refund Amount": "149850"}
    kept = {**BAGS, "Quantity (- Refund)": "2", "Order Line Total Refunded": "30000"}
    # The refund of 2001 as an order of its own, which the plug-in writes when it is told to.
    own = {**ADVANCED_ORDER, "Order Total Amount": "-36630", **BAGS, "Quantity": "-1", "Order Line Total": "-30000"}
    rows = [{**part, **kept}, {**part, **CUPS, "Quantity (- Refund)": "1"}, own, {**whole, **BAGS}]
    report = shop.import_files([write(tmp_path / "orders.csv", [*ADVANCED, *MORE], rows)])
    # 30,000 for the bag; 3,300 of tax on it and 3,330 of shipping are given back beside it.
    assert ask(shop, "select order_id, product_id, quantity, amount, day from returns order by order_id, amount") == [
        ("2001", None, None, D(6630), dt.date(2024, 1, 9)),
        ("2001", "KG", D(1), D(30000), dt.date(2024, 1, 9)),
        ("2002", None, None, D(149850), dt.date(2024, 1, 5)),
    ]
    assert ask(shop, "select order_id, total from orders order by 1") == [("2001", D(149850)), ("2002", D(149850))]
    (account,) = report.files[0].bridge.whole
    assert account.stated == D(240000)
    assert account.steps == {"shipping": D(30000), "tax": D(29700), "returns": D(-186480)}
    assert account.net == D(113220)


def test_the_advanced_export_of_what_does_not_count(shop: Shop, tmp_path: Path) -> None:
    states = {
        "1": "Cancelled", "2": "Failed", "3": "Pending payment", "4": "Dibatalkan", "5": "wc-cancelled",
        "6": "Processing", "7": "On hold", "8": "Selesai",
    }  # fmt: skip
    rows = [{**ADVANCED_ORDER, "Order Number": n, "Order Status": state, **BAGS} for n, state in states.items()]
    rows += [
        {**rows[0], "Order Number": "9", "Order Status": "Completed", "Email (Billing)": "", "Phone (Billing)": ""}
    ]
    rows += [{**rows[-1], "Order Number": "10", "Customer Role": "administrator", "Customer User ID": "1"}]
    columns = [*ADVANCED, "Customer Role", "Customer User ID"]
    shop.import_files([write(tmp_path / "orders.csv", columns, rows)])
    assert ask(shop, "select order_id, cancelled_at is not null, is_staff from orders order by order_id::int") == [
        *((str(n), n < 6, False) for n in range(1, 10)),
        ("10", False, True),
    ]
    assert ask(shop, "select order_id, customer_id from orders where order_id in ('9', '10') order by 1") == [
        ("10", "woocommerce:1"),
        ("9", None),
    ]


KEYS = header(
    "order_id,order_number,order_date,paid_date,status,shipping_total,shipping_tax_total,fee_total,fee_tax_total,"
    "tax_total,cart_discount,order_discount,discount_total,order_total,order_subtotal,order_key,order_currency,"
    "payment_method,payment_method_title,transaction_id,customer_ip_address,customer_user_agent,shipping_method,"
    "customer_id,customer_user,customer_email,billing_first_name,billing_last_name,billing_company,billing_email,"
    "billing_phone,billing_address_1,billing_address_2,billing_postcode,billing_city,billing_state,billing_country,"
    "shipping_first_name,shipping_last_name,shipping_company,shipping_phone,shipping_address_1,shipping_address_2,"
    "shipping_postcode,shipping_city,shipping_state,shipping_country,customer_note,wt_import_key,shipping_items,"
    "fee_items,tax_items,coupon_items,refund_items,order_notes,download_permissions"
)
ITEM_KEYS = header(
    "item_product_id,item_name,item_sku,item_quantity,item_subtotal,item_subtotal_tax,item_total,item_total_tax,"
    "item_refunded,item_refunded_qty,item_meta"
)
# As in the plug-in's own sample: goods 8.00, shipping 10, gift wrap 1, tax 3.42 on all of them.
LILLY: Row = {
    "order_id": "1001", "order_number": "1001", "order_date": "2018-05-16 07:32:06", "paid_date": "2018-05-16 08:00:00",
    "status": "completed", "shipping_total": "10", "shipping_tax_total": "1.8", "fee_total": "1",
    "fee_tax_total": "0.18", "tax_total": "3.42", "cart_discount": "0", "order_discount": "0", "discount_total": "0",
    "order_total": "22.42", "order_currency": "USD", "payment_method": "cod", "customer_id": "3",
    "customer_email": "lilly@example.com", "billing_first_name": "Lilly", "billing_last_name": "Gordon",
    "billing_email": "lilly@example.com", "billing_phone": "+60123456789", "billing_city": "San Pedro",
    "billing_country": "US", "fee_items": "name:Gift Wrap|total:1.00|tax:0.18",
}  # fmt: skip
MARK: Row = {
    **LILLY, "order_id": "1003", "order_number": "1003", "status": "processing", "tax_total": "8.99",
    "cart_discount": "10", "order_discount": "10", "discount_total": "10", "order_total": "58.98",
    "customer_email": "mark@example.com", "billing_email": "mark@example.com", "billing_first_name": "Mark",
    "coupon_items": "code:flat20|amount:10.00",
    "refund_items": "amount:5.00|reason:late|date:2018-06-19 12:13:48;amount:6.50|reason:|date:2018-06-20 08:00:00",
}  # fmt: skip
SHOE = {
    "item_product_id": "13",
    "item_name": "Formal shoe",
    "item_sku": "A12",
    "item_quantity": "1",
    "item_total": "8.00",
}
TV = {"item_product_id": "47", "item_name": "LED TV", "item_sku": "A13", "item_quantity": "1", "item_total": "23.19"}
SHIRT = {
    "item_product_id": "55", "item_name": "T-Shirt", "item_sku": "", "item_quantity": "2", "item_total": "16.80",
    "item_refunded": "8.40", "item_refunded_qty": "1",
}  # fmt: skip


def pieces(item: Row) -> str:
    keys = {"name": "name", "product_id": "product_id", "sku": "sku", "quantity": "quantity", "total": "total"}
    keys |= {"refunded": "refunded"} if "item_refunded" in item else {}
    return "|".join(f"{key}:{item[f'item_{key}']}" for key in keys)


def webtoffee_rows(path: Path) -> Path:
    return write(path, [*KEYS, *ITEM_KEYS], [{**LILLY, **SHOE}, {**MARK, **TV}, {**MARK, **SHIRT}])


def webtoffee_cells(path: Path) -> Path:
    rows = [
        {**LILLY, "line_item_1": pieces(SHOE)},
        {**MARK, "line_item_1": pieces(TV), "line_item_2": pieces(SHIRT) + "|_variation_id:56|tax:1.44"},
    ]
    return write(path, [*KEYS, "line_item_1", "line_item_2", "line_item_3"], rows)


SKYVERGE = {"order_date": "date", "refund_items": "refunds"}
SKYVERGE_KEYS = [
    *(key for key in KEYS if key not in ("paid_date", "customer_email", "wt_import_key")),
    "refunded_total",
]


def skyverge(row: Row) -> Row:
    refunds = row.get("refund_items", "").replace(":13:48", "\\:13\\:48").replace(":00:00", "\\:00\\:00")
    return {**row, "refund_items": refunds, "refunded_total": "11.50" if refunds else "0.00"}


def skyverge_rows(path: Path) -> Path:
    rows = [{**skyverge(LILLY), **SHOE}, {**skyverge(MARK), **TV}, {**skyverge(MARK), **SHIRT}]
    return write(path, [*SKYVERGE_KEYS, *ITEM_KEYS], rows, SKYVERGE)


def skyverge_cells(path: Path) -> Path:
    items = [pieces(TV).replace("LED TV", "LED\\: TV\\; \\|big"), pieces(SHIRT)]
    rows = [{**skyverge(LILLY), "line_items": pieces(SHOE)}, {**skyverge(MARK), "line_items": ";".join(items)}]
    return write(path, [*SKYVERGE_KEYS, "line_items"], rows, SKYVERGE)


@pytest.mark.parametrize("build", [webtoffee_rows, webtoffee_cells, skyverge_rows, skyverge_cells])
def test_the_plug_ins_that_export_keys(
    make_shop: Callable[..., Shop], tmp_path: Path, build: Callable[[Path], Path]
) -> None:
    shop = make_shop(currency="MYR", time_zone="Asia/Kuala_Lumpur")
    report = shop.import_files([build(tmp_path / "order_export.csv")])
    mark = shop.identity.customer_id("mark@example.com")
    assert ask(
        shop, "select order_id, total, discount, shipping, tax, currency, code, placed_at, day from orders order by 1"
    ) == [
        (
            "1001", D("22.42"), D(0), D(10), D("3.42"), "USD", None, at("2018-05-16T07:32:06+08:00"),
            dt.date(2018, 5, 16),
        ),
        (
            "1003", D("58.98"), D(10), D(10), D("8.99"), "USD", "flat20", at("2018-05-16T07:32:06+08:00"),
            dt.date(2018, 5, 16),
        ),
    ]  # fmt: skip
    assert ask(
        shop, "select order_id, product_id, quantity, unit_price, amount from order_lines order by order_id, product_id"
    ) == [
        ("1001", "A12", D(1), D(8), D(8)),
        ("1003", "55", D(2), D("8.4"), D("16.8")),
        ("1003", "A13", D(1), D("23.19"), D("23.19")),
    ]
    # 11.50 given back in all, 8.40 of it for a shirt.
    assert ask(shop, "select order_id, customer_id, product_id, amount, returned_at from returns order by amount") == [
        ("1003", mark, None, D("3.1"), at("2018-06-20T08:00:00+08:00")),
        ("1003", mark, "55", D("8.4"), at("2018-06-20T08:00:00+08:00")),
    ]
    assert ask(shop, "select email, name, phone, country from customers order by email") == [
        ("lilly@example.com", "Lilly Gordon", "+60123456789", "US"),
        ("mark@example.com", "Mark Gordon", "+60123456789", "US"),
    ]
    (account,) = report.files[0].bridge.whole
    assert account.stated == D("22.42") - D("13.42") + D("58.98") - D("18.99")
    assert account.steps == {"shipping": D(20), "tax": D("12.41"), "returns": D("-11.5")}
    assert account.net == D("69.9")
    assert shop.import_files([build(tmp_path / "again.csv")]).snapshot is None


def test_items_in_cells(shop: Shop, tmp_path: Path) -> None:
    rows = [{**LILLY, "order_id": "7", "order_number": ""}, {**MARK, "line_item_1": pieces(TV)}]
    first = write(tmp_path / "orders_1.csv", [*KEYS, "line_item_1"], rows)
    shop.import_files([first, skyverge_cells(tmp_path / "orders_2.csv")])
    # An order of nothing but a fee keeps its total; marks in names are no ends.
    assert ask(shop, "select order_id, total from orders order by 1") == [
        ("1001", D("22.42")),
        ("1003", D("58.98")),
        ("7", D("22.42")),
    ]
    assert ask(shop, "select order_id, product_id from order_lines order by 1, 2") == [
        ("1001", "A12"),
        ("1003", "55"),
        ("1003", "A13"),
    ]
    assert ask(shop, "select name from products where product_id = 'A13'") == [("LED: TV; |big",)]


def test_orders_without_items_and_customers(shop: Shop, tmp_path: Path) -> None:
    customer = {
        "customer_id": "3", "first_name": "Lilly", "last_name": "Gordon", "user_login": "lilly", "user_pass": "$P$Bx",
        "email": "lilly@example.org", "date_registered": "2018-05-01 09:00:00", "billing_email": "Lilly@Example.com",
        "billing_phone": "+60123456789", "billing_city": "Ipoh", "billing_country": "MY",
    }  # fmt: skip
    shop.import_files(
        [
            write(tmp_path / "orders.csv", KEYS, [LILLY, {**MARK, "status": "wc-refunded", "refund_items": ""}]),
            write(tmp_path / "customers_export.csv", list(customer), [customer]),
        ]
    )
    assert ask(shop, "select order_id, total from orders order by 1") == [("1001", D("22.42")), ("1003", D("58.98"))]
    assert ask(shop, "select order_id, amount from returns") == [("1003", D("58.98"))]
    lilly = shop.identity.customer_id("lilly@example.com")
    assert ask(shop, "select customer_id, email, name, city, created_at from customers order by email") == [
        (lilly, "lilly@example.com", "Lilly Gordon", "Ipoh", at("2018-05-01T09:00:00+07:00")),
        (shop.identity.customer_id("mark@example.com"), "mark@example.com", "Mark Gordon", "San Pedro", None),
    ]
