"""Lazada's order export, one row a unit, as CSV with semicolons and as a workbook."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from setia.app import Shop

HEADERS = next(csv.reader([(
    "orderItemId|orderType|Guarantee|deliveryType|lazadaId|sellerSku|lazadaSku|wareHouse|createTime|updateTime|rtsSla|"
    "ttsSla|orderNumber|invoiceRequired|invoiceNumber|deliveredDate|customerName|customerEmail|"
    "nationalRegistrationNumber|shippingName|shippingAddress|shippingAddress2|shippingAddress3|shippingAddress4|"
    "shippingAddress5|shippingPhone|shippingPhone2|shippingCity|shippingPostCode|shippingCountry|shippingRegion|"
    "billingName|billingAddr|billingAddr2|billingAddr3|billingAddr4|billingAddr5|billingPhone|billingPhone2|billingCity|"
    "billingPostCode|billingCountry|taxCode|branchNumber|taxInvoiceRequested|payMethod|paidPrice|unitPrice|"
    "sellerDiscountTotal|shippingFee|walletCredit|itemName|variation|cdShippingProvider|shippingProvider|"
    "shipmentTypeName|shippingProviderType|cdTrackingCode|trackingCode|trackingUrl|shippingProviderFM|trackingCodeFM|"
    "trackingUrlFM|promisedShippingTime|premium|status|buyerFailedDeliveryReturnInitiator|buyerFailedDeliveryReason|"
    "buyerFailedDeliveryDetail|buyerFailedDeliveryUserName|bundleId|semiManaged|flexibleDeliveryTime|bundleDiscount|"
    "refundAmount|sellerNote"
)], delimiter="|"))  # fmt: skip
Row = dict[str, Any]
SITI = {"customerName": "Siti H", "customerEmail": "Siti@Example.com", "shippingPhone": "60123456789",
        "shippingCity": "Shah Alam", "shippingCountry": "Malaysia"}  # fmt: skip
HIDDEN = {"customerName": "B***i", "customerEmail": "", "shippingName": "B***i", "shippingPhone": "60********21"}
DELIVERED = {"status": "delivered", "deliveredDate": "09 Jan 2024 13:21", "updateTime": "09 Jan 2024 13:21"}


def unit(number: int, item: int, sku: str, price: str, shop: str, paid: str, *cells: Row, **more: Any) -> Row:
    """One unit: `shop` is what the seller takes off, negative as Lazada writes it."""
    row = {
        "orderItemId": f"{number}90{item}", "orderNumber": f"40000000{number}", "sellerSku": sku,
        "itemName": sku.title(),
        "createTime": "04 Jan 2024 06:56", "updateTime": "05 Jan 2024 08:00", "status": "shipped", "payMethod": "COD",
        "unitPrice": price, "sellerDiscountTotal": shop, "paidPrice": paid, "shippingFee": "0.00",
        "walletCredit": "0.00", "bundleDiscount": "0.00", "refundAmount": "", **SITI,
    }  # fmt: skip
    for each in cells:
        row |= each
    return row | more


def orders() -> list[Row]:
    """Eight orders, one of each fate."""
    off = {"status": "canceled", "buyerFailedDeliveryReturnInitiator": "cancellation-customer",
           "buyerFailedDeliveryReason": "Change of mind", "updateTime": "04 Jan 2024 09:00"}  # fmt: skip
    return [
        # Two units alike and one other; 2 x 5.00 and 3.00 are Lazada's vouchers.
        unit(1, 1, "KOPI", "85.00", "-10.00", "70.00", DELIVERED, shippingFee="2.50"),
        unit(1, 2, "KOPI", "85.00", "-10.00", "70.00", DELIVERED, shippingFee="2.50"),
        unit(1, 3, "TEH", "40.00", "0.00", "37.00", DELIVERED, shippingFee="1.00"),
        # One unit of two called off.
        unit(2, 1, "KOPI", "85.00", "-5.00", "80.00", DELIVERED, shippingFee="4.00"),
        unit(2, 2, "TEH", "40.00", "0.00", "38.00", off, shippingFee="4.00"),
        # The courier brought it back: never handed over.
        unit(3, 1, "KOPI", "85.00", "0.00", "85.00", status="Package Returned", updateTime="20 Jan 2024 10:00",
             buyerFailedDeliveryReason="Customer not at home", **HIDDEN),
        unit(4, 1, "TEH", "40.00", "0.00", "40.00", status="Lost by 3PL", updateTime="21 Jan 2024 10:00"),
        # Delivered, then given back; and money back for goods that were kept.
        unit(5, 1, "KOPI", "85.00", "-5.00", "75.00", DELIVERED, status="returned", updateTime="31 Jan 2024 23:30"),
        unit(6, 1, "TEH", "40.00", "0.00", "40.00", DELIVERED, refundAmount="15.00",
             buyerFailedDeliveryReturnInitiator="only_refund-customer", updateTime="12 Jan 2024 10:00"),
        unit(7, 1, "TEH", "40.00", "0.00", "40.00", off),
        unit(8, 1, "TEH", "40.00", "0.00", "40.00", status="unpaid"),
    ]  # fmt: skip


def semicolons(path: Path, rows: Sequence[Row]) -> Path:
    with path.with_suffix(".csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(HEADERS)
        writer.writerows([[row.get(header, "") for header in HEADERS] for row in rows])
    return path.with_suffix(".csv")


def workbook(path: Path, rows: Sequence[Row]) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "sheet1"
    sheet.append(HEADERS)
    for row in rows:
        sheet.append([row[header] if row.get(header, "") != "" else None for header in HEADERS])
    book.save(path)
    return path


def newer_workbook(path: Path, rows: Sequence[Row]) -> Path:
    """The later export says what Lazada takes off, and writes numbers as numbers."""
    money = ("unitPrice", "sellerDiscountTotal", "paidPrice", "shippingFee", "platformDiscountTotal", "refundAmount")
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    headers = [*HEADERS[:49], "platformDiscountTotal", *HEADERS[49:]]
    sheet.append(headers)
    for row in rows:
        lazada = Decimal(row["paidPrice"]) - Decimal(row["unitPrice"]) - Decimal(row["sellerDiscountTotal"])
        cells = {**row, "platformDiscountTotal": lazada}
        own = {header: float(cells[header]) for header in money if cells[header] != ""}
        sheet.append([own.get(header, cells.get(header) or None) for header in headers])
    book.save(path)
    return path


Write = Callable[[Path, Sequence[Row]], Path]
UTC = "strftime({} at time zone 'UTC', '%Y-%m-%d %H:%M')"


@pytest.fixture
def writer(request: pytest.FixtureRequest) -> Write:
    write: Write = getattr(request, "param", semicolons)
    return write


as_every_file = pytest.mark.parametrize(
    "writer", [semicolons, workbook, newer_workbook], ids=lambda writer: writer.__name__, indirect=True
)


@pytest.fixture
def imported(make_shop: Callable[..., Shop], writer: Write, tmp_path: Path) -> tuple[Shop, Any]:
    """A Malaysian shop with the eight orders."""
    shop = make_shop(currency="MYR", time_zone="Asia/Kuala_Lumpur")
    return shop, shop.import_files([writer(tmp_path / "export-order.xlsx", orders())])


def ask(shop: Shop, query: str) -> list[tuple[Any, ...]]:
    with shop.reading() as reader:
        return reader.duck.execute(query).fetchall()


@as_every_file
def test_totals_are_what_the_shop_gets(imported: tuple[Shop, Any]) -> None:
    # 1: 2 x 75 + 40 + 6 of shipping; 2: 80 + 4, the other unit being called off.
    shop, report = imported
    found = ask(shop, "select order_id[-1], total, shipping from orders where cancelled_at is null order by 1")
    assert found == [
        ("1", Decimal("196.00"), Decimal("6.00")),
        ("2", Decimal("84.00"), Decimal("4.00")),
        ("5", Decimal("80.00"), Decimal("0.00")),
        ("6", Decimal("40.00"), Decimal("0.00")),
    ]
    assert report.files[0].rejected == 0


def test_every_unit_is_a_line(imported: tuple[Shop, Any]) -> None:
    shop, _ = imported
    found = ask(
        shop, "select product_id, quantity, amount from order_lines where order_id[-1] in ('1', '2') order by all"
    )
    assert found == [("KOPI", 1, 75), ("KOPI", 1, 75), ("KOPI", 1, 80), ("TEH", 1, 40)]


def test_what_was_never_handed_over_is_no_return(imported: tuple[Shop, Any]) -> None:
    shop, _ = imported
    found = ask(shop, f"select order_id[-1], {UTC}, {UTC} from orders where cancelled_at is not null order by 1".format(
        "cancelled_at", "undelivered_at"))  # fmt: skip
    assert found == [
        ("3", "2024-01-20 02:00", "2024-01-20 02:00"),
        ("4", "2024-01-21 02:00", "2024-01-21 02:00"),
        ("7", "2024-01-04 01:00", None),
    ]


def test_returns_and_money_back_alone(imported: tuple[Shop, Any]) -> None:
    shop, _ = imported
    found = ask(shop, f"select order_id[-1], product_id, quantity, amount, {UTC} from returns order by 1".format(
        "returned_at"))  # fmt: skip
    assert found == [("5", "KOPI", 1, 80, "2024-01-31 15:30"), ("6", "TEH", 0, 15, "2024-01-12 02:00")]


def test_people_are_known_by_their_addresses(imported: tuple[Shop, Any]) -> None:
    shop, _ = imported
    assert ask(shop, "select email, phone, name, city from customers") == [
        ("siti@example.com", "+60123456789", "Siti H", "Shah Alam")
    ]
    assert ask(shop, "select order_id[-1] from orders where customer_id is null") == [("3",)]
    assert "@" not in ask(shop, "select customer_id from customers")[0][0]


def test_the_second_import_changes_nothing(imported: tuple[Shop, Any], writer: Write, tmp_path: Path) -> None:
    shop, first = imported
    assert first.snapshot is not None
    assert shop.import_files([writer(tmp_path / "again.xlsx", orders())]).snapshot is None


@as_every_file
def test_every_sen_between_lazadas_figure_and_setias(imported: tuple[Shop, Any]) -> None:
    _, report = imported
    (account,) = report.files[0].bridge.whole
    # 177 + 118 + 85 + 40 + 75 + 40 + 40.
    assert account.stated == 575
    assert account.steps == {
        "cancelled": -40 - 40,
        "undelivered": -85 - 40,
        "shipping": 6 + 4,
        "platform_voucher": 13 + 2 + 5,
        "returns": -80 - 15,
    }
    assert account.net == 196 + 84 + 80 + 40 - 95
