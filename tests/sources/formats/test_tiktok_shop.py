"""The order export of TikTok Shop and of Tokopedia & TikTok Shop, in files built as the seller centre writes them."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from setia.app import Shop

HEADERS = next(csv.reader([(
    "Order ID|Order Status|Order Substatus|Cancelation/Return Type|Normal or Pre-order|SKU ID|Seller SKU|Product Name|"
    "Variation|Quantity|Sku Quantity of return|SKU Unit Original Price|SKU Subtotal Before Discount|"
    "SKU Platform Discount|SKU Seller Discount|SKU Subtotal After Discount|Shipping Fee After Discount|"
    "Original Shipping Fee|Shipping Fee Seller Discount|Shipping Fee Platform Discount|Distance Shipping Fee|"
    "Distance Fee|Order Refund Amount|Payment platform discount|Buyer Service Fee|Handling Fee|Shipping Insurance|"
    "Item Insurance|Order Amount|Created Time|Paid Time|RTS Time|Shipped Time|Delivered Time|Cancelled Time|Cancel By|"
    "Cancel Reason|Fulfillment Type|Warehouse Name|Tracking ID|Delivery Option|Shipping Provider Name|Buyer Message|"
    "Buyer Username|Recipient|Phone #|Zipcode|Country|Province|Regency and City|Districts|Villages|Detail Address|"
    "Additional address information|Payment Method|Weight(kg)|Product Category|Package ID|Purchase Channel|Seller Note|"
    "Checked Status|Checked Marked by|Tokopedia Invoice Number"
)], delimiter="|"))  # fmt: skip
EXPLAINED = {
    "Order ID": "Platform unique order ID.",
    "Order Status": "Current order status.",
    "Cancelation/Return Type": "The filed to explain the order is in cancellation or in return/refund.",
    "SKU ID": "Platform SKU ID.",
    "Seller SKU": "Seller sku input by the seller in the product system.",
    "Product Name": "Platform product name.",
    "Quantity": "SKU sold quantity in the order.",
    "Sku Quantity of return": "SKU returned quantity in the order.",
    "SKU Unit Original Price": "1 SKU original price.",
    "SKU Subtotal Before Discount": "It equals to SKU Unit Original Price * Sku Quantity.",
    "SKU Platform Discount": "Total platform discount in this SKU ID.",
    "SKU Seller Discount": "Total seller discount in this SKU ID.",
    "SKU Subtotal After Discount": "It equals SKU Subtotal Before Discount - SKU Platform Discount - …",
    "Order Amount": "Order amount.",
    "Created Time": "Order created time.",
}
SKU_MONEY = ["SKU Unit Original Price", "SKU Subtotal Before Discount", "SKU Platform Discount", "SKU Seller Discount",
             "SKU Subtotal After Discount"]  # fmt: skip
ORDER_MONEY = [
    "Shipping Fee After Discount", "Original Shipping Fee", "Order Refund Amount", "Payment platform discount",
    "Buyer Service Fee", "Handling Fee", "Shipping Insurance", "Item Insurance", "Order Amount",
]  # fmt: skip
IDS = ["Order ID", "SKU ID", "Created Time", "Paid Time", "Shipped Time", "Delivered Time", "Cancelled Time"]
Row = dict[str, Any]


def line(sku: str, price: int, *, quantity: int = 1, platform: int = 0, shop: int = 0, **cells: Any) -> Row:
    """One product of an order, its own money worked out."""
    before = price * quantity
    money = dict(zip(SKU_MONEY, (price, before, platform, shop, before - platform - shop), strict=True))
    own = {"SKU ID": f"17354744159489{sum(map(ord, sku))}", "Seller SKU": sku, "Product Name": sku.title()}
    return {**own, "Quantity": quantity, "Sku Quantity of return": 0, **money, **cells}


def order(number: int, *lines: Row, whole: Row | None = None) -> list[Row]:
    """The rows of an order; what belongs to the order is repeated on each."""
    usual = {
        "Order Status": "Selesai", "Order Substatus": "Selesai", "Normal or Pre-order": "Normal",
        "Created Time": "05/01/2024 10:11:12", "Paid Time": "05/01/2024 10:12:00", "RTS Time": "05/01/2024 12:00:00",
        "Shipped Time": "06/01/2024 08:00:00", "Delivered Time": "20/01/2024 10:00:00",
        **dict.fromkeys(ORDER_MONEY, 0), "Buyer Username": "siti_h", "Recipient": "Siti H",
        "Phone #": "(+62)81234567890", "Country": "Indonesia", "Province": "Jawa Barat",
        "Regency and City": "Kota Bandung", "Purchase Channel": "TikTok",
    }  # fmt: skip
    return [{"Order ID": f"58387090000000000{number}", **usual, **(whole or {}), **each} for each in lines]


def orders() -> list[Row]:
    """Seven orders, one of each fate."""
    off = {"Order Status": "Dibatalkan", "Order Substatus": "Dibatalkan", "Cancelation/Return Type": "Cancel",
           "Cancelled Time": "09/01/2024 09:00:00", "Delivered Time": ""}  # fmt: skip
    failed = {**off, "Cancel By": "System", "Cancel Reason": "Pengiriman paket gagal", "Paid Time": "",
              "Payment Method": "Bayar di tempat", "Buyer Username": "budi.s"}  # fmt: skip
    back = {"Cancelation/Return Type": "Return/Refund"}
    return [
        *order(1, line("KOPI", 100_000, quantity=2, platform=12_000, shop=30_000), line("TEH", 40_000), whole={
            "Shipping Fee After Discount": 9_000, "Payment platform discount": 3_000, "Buyer Service Fee": 2_000,
            "Handling Fee": 1_000, "Item Insurance": 500, "Order Amount": 207_500}),
        *order(2, line("JAKET", 189_950, platform=9_403, shop=104_472), whole={
            **failed, "Shipping Fee After Discount": 2_000, "Buyer Service Fee": 3_331, "Order Amount": 81_406}),
        *order(3, line("KOPI", 100_000), line("TEH", 40_000, platform=5_000, **{**off, "Shipped Time": ""}), whole={
            "Order Refund Amount": 35_000, "Order Amount": 135_000}),
        *order(4, line("KOPI", 100_000, platform=10_000, shop=20_000, **{"Sku Quantity of return": 1}), whole={
            **back, "Shipping Fee After Discount": 5_000, "Order Refund Amount": 75_000, "Order Amount": 75_000}),
        *order(5, line("TEH", 40_000), whole={**back, "Order Refund Amount": 10_000, "Order Amount": 40_000,
            "Purchase Channel": "Tokopedia", "Created Time": "31/01/2024 23:30:00", "Paid Time": "01/02/2024 00:05:00",
            "Delivered Time": "05/02/2024 10:00:00"}),
        *order(6, line("TEH", 40_000), whole={"Order Amount": 40_000, "Buyer Username": "i***mikayla200",
            "Recipient": "S******* s********", "Phone #": "(+62)812****54"}),
        *order(7, line("TEH", 40_000), whole={"Order Amount": 40_000, "Order Status": "Belum dibayar",
            "Order Substatus": "Belum dibayar", "Paid Time": "", "Shipped Time": "", "Delivered Time": ""}),
    ]  # fmt: skip


def workbook(path: Path, rows: Sequence[Row]) -> Path:
    """The seller centre's workbook: numbers as text, explanations in the second row."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "OrderSKUList"
    sheet.append(HEADERS)
    sheet.append([EXPLAINED.get(header, "-") for header in HEADERS])
    for row in rows:
        sheet.append([str(row[header]) if row.get(header, "") != "" else None for header in HEADERS])
    book.save(path)
    return path


def older_workbook(path: Path, rows: Sequence[Row]) -> Path:
    """As before 2024: every amount with its currency, points between the thousands."""
    money = {*SKU_MONEY, *ORDER_MONEY}
    rupiah = [{k: f"IDR {v:,}".replace(",", ".") if k in money else v for k, v in row.items()} for row in rows]
    return workbook(path, rupiah)


def table(path: Path, rows: Sequence[Row]) -> Path:
    """The seller centre's CSV: long numbers and times end in a tab, no explanations."""
    with path.with_suffix(".csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADERS)
        for row in rows:
            cells = [(header, row.get(header, "")) for header in HEADERS]
            writer.writerow([f"{value}\t" if header in IDS and value else value for header, value in cells])
    return path.with_suffix(".csv")


Write = Callable[[Path, Sequence[Row]], Path]
UTC = "strftime({} at time zone 'UTC', '%Y-%m-%d %H:%M')"


@pytest.fixture
def writer(request: pytest.FixtureRequest) -> Write:
    write: Write = getattr(request, "param", workbook)
    return write


as_every_file = pytest.mark.parametrize(
    "writer", [workbook, older_workbook, table], ids=lambda writer: writer.__name__, indirect=True
)


@pytest.fixture
def imported(shop: Shop, writer: Write, tmp_path: Path) -> tuple[Shop, Any]:
    """A shop with the seven orders."""
    return shop, shop.import_files([writer(tmp_path / "Semua pesanan-2024-02-10-10_00.xlsx", orders())])


def ask(shop: Shop, query: str) -> list[tuple[Any, ...]]:
    with shop.reading() as reader:
        return reader.duck.execute(query).fetchall()


@as_every_file
def test_totals_are_what_the_shop_gets(imported: tuple[Shop, Any], writer: Write) -> None:
    # 1: 2 x 100000 - 30000 + 40000 + 9000; 2: 189950 - 104472 + 2000; 3: what was not called off.
    shop, report = imported
    assert ask(shop, "select order_id[-1], total, channel from orders order by 1") == [
        ("1", 219_000, "TikTok Shop"),
        ("2", 87_478, "TikTok Shop"),
        ("3", 100_000, "TikTok Shop"),
        ("4", 85_000, "TikTok Shop"),
        ("5", 40_000, "Tokopedia"),
        ("6", 40_000, "TikTok Shop"),
    ]
    # The row of explanations and the order not yet paid.
    assert (report.files[0].rejected, report.files[0].others) == (0, 1 if writer is table else 2)
    assert ask(shop, "select order_id[-1], product_id, quantity, amount from order_lines order by all") == [
        ("1", "KOPI", 2, 170_000),
        ("1", "TEH", 1, 40_000),
        ("3", "KOPI", 1, 100_000),
        ("4", "KOPI", 1, 80_000),
        ("5", "TEH", 1, 40_000),
        ("6", "TEH", 1, 40_000),
    ]


def test_a_parcel_given_up_is_no_return(imported: tuple[Shop, Any]) -> None:
    shop, _ = imported
    found = ask(shop, f"select order_id[-1], {UTC}, {UTC} from orders where cancelled_at is not null".format(
        "cancelled_at", "undelivered_at"))  # fmt: skip
    assert found == [("2", "2024-01-09 02:00", "2024-01-09 02:00")]


def test_times_are_those_of_the_shop(imported: tuple[Shop, Any]) -> None:
    shop, _ = imported
    found = ask(shop, f"select {UTC}, {UTC}, day from orders where order_id[-1] = '5'".format("placed_at", "paid_at"))
    assert found == [("2024-01-31 16:30", "2024-01-31 17:05", dt.date(2024, 1, 31))]


def test_returns(imported: tuple[Shop, Any]) -> None:
    # 4: the goods at 80000, and 5000 of shipping that the buyer got back too. 5: money alone. 3: called off.
    shop, _ = imported
    assert ask(shop, "select order_id[-1], product_id, quantity, amount, day from returns order by all") == [
        ("4", "KOPI", 1, 80_000, dt.date(2024, 1, 20)),
        ("4", None, None, 5_000, dt.date(2024, 1, 20)),
        ("5", None, None, 10_000, dt.date(2024, 2, 5)),
    ]


def test_hidden_names_are_nobodys(imported: tuple[Shop, Any]) -> None:
    shop, _ = imported
    assert ask(shop, "select order_id[-1] from orders where customer_id is null") == [("6",)]
    assert ask(shop, "select customer_id, name, phone, city from customers order by 1") == [
        ("tiktok:budi.s", "Siti H", "+6281234567890", "Kota Bandung"),
        ("tiktok:siti_h", "Siti H", "+6281234567890", "Kota Bandung"),
        ("tokopedia:siti_h", "Siti H", "+6281234567890", "Kota Bandung"),
    ]


def test_the_second_import_changes_nothing(imported: tuple[Shop, Any], writer: Write, tmp_path: Path) -> None:
    shop, first = imported
    assert first.snapshot is not None
    assert shop.import_files([writer(tmp_path / "again.xlsx", orders())]).snapshot is None


@as_every_file
def test_every_rupiah_between_the_seller_centres_figure_and_setias(imported: tuple[Shop, Any]) -> None:
    _, report = imported
    (account,) = report.files[0].bridge.whole
    # 207500 + 81406 + 135000 + 75000 + 40000 + 40000.
    assert account.stated == 578_906
    assert account.steps == {
        "cancelled": -40_000,
        "undelivered": -81_406,
        "platform_voucher": 15_000 + 5_000 + 10_000,
        "fees": -3_500,
        "returns": -95_000,
    }
    assert account.net == 219_000 + 100_000 + 85_000 + 40_000 + 40_000 - 95_000


def test_a_malaysian_order_to_the_sen(make_shop: Callable[..., Shop], tmp_path: Path) -> None:
    # A public row: 130 - 11.70 + 5 is 123.30; 11.70 of it is TikTok's.
    shop = make_shop(currency="MYR", time_zone="Asia/Kuala_Lumpur")
    row = line("PLUSHIE", 130, platform=0)
    row |= {"SKU Platform Discount": "11.7", "SKU Subtotal After Discount": "118.3"}
    cells = {"Order Status": "To ship", "Order Substatus": "Awaiting collection", "Shipping Fee After Discount": 5,
             "Order Amount": "123.3", "Buyer Username": "aminah88", "Country": "Malaysia",
             "Created Time": "25/06/2026 13:03:57", "Paid Time": "25/06/2026 13:04:31"}  # fmt: skip
    report = shop.import_files([table(tmp_path / "to_ship.csv", order(1, row, whole=cells))])
    assert ask(shop, f"select total, shipping, {UTC} from orders".format("placed_at")) == [
        (Decimal("135.00"), Decimal("5.00"), "2026-06-25 05:03")
    ]
    bridge = report.files[0].bridge
    assert bridge is not None
    (account,) = bridge.whole
    assert (account.stated, account.net) == (Decimal("123.30"), Decimal("135.00"))
    assert account.steps == {"platform_voucher": Decimal("11.70")}
