"""Shopee's order export in its languages and kinds, in workbooks built as Shopee writes them."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from setia.app import Shop

INDONESIAN = next(
    csv.reader(
        [
            (
                "No. Pesanan|Status Pesanan|Alasan Pembatalan|Status Pembatalan/ Pengembalian|No. Resi|Opsi Pengiriman|"
                "Antar ke counter/ pick-up|Pesanan Harus Dikirimkan Sebelum (Menghindari keterlambatan)|"
                "Waktu Pengiriman Diatur|"
                "Waktu Pesanan Dibuat|Waktu Pembayaran Dilakukan|Metode Pembayaran|SKU Induk|Nama Produk|"
                "Nomor Referensi SKU|"
                "Nama Variasi|Harga Awal|Harga Setelah Diskon|Jumlah|Returned quantity|Total Harga Produk|Total Diskon|"
                "Diskon Dari Penjual|Diskon Dari Shopee|Berat Produk|Jumlah Produk di Pesan|Total Berat|"
                "Voucher Ditanggung Penjual|Cashback Koin|Voucher Ditanggung Shopee|Paket Diskon|"
                "Paket Diskon (Diskon dari Shopee)|Paket Diskon (Diskon dari Penjual)|Potongan Koin Shopee|"
                "Diskon Kartu Kredit|"
                "Ongkos Kirim Dibayar oleh Pembeli|Estimasi Potongan Biaya Pengiriman|Ongkos Kirim Pengembalian Barang|"
                "Total Pembayaran|Perkiraan Ongkos Kirim|Catatan dari Pembeli|Catatan|Username (Pembeli)|Nama Penerima|"
                "No. Telepon|Alamat Pengiriman|Kota/Kabupaten|Provinsi|Waktu Pesanan Selesai"
            )
        ],
        delimiter="|",
    )
)
ENGLISH = {
    "No. Pesanan": "Order ID",
    "Status Pesanan": "Order Status",
    "Alasan Pembatalan": "Cancel reason",
    "Status Pembatalan/ Pengembalian": "Return / Refund Status",
    "No. Resi": "Tracking Number*",
    "Opsi Pengiriman": "Shipping Option",
    "Antar ke counter/ pick-up": "Shipment Method",
    "Pesanan Harus Dikirimkan Sebelum (Menghindari keterlambatan)": "Estimated Ship Out Date",
    "Waktu Pengiriman Diatur": "Ship Time",
    "Waktu Pesanan Dibuat": "Order Creation Date",
    "Waktu Pembayaran Dilakukan": "Order Paid Time",
    "SKU Induk": "Parent SKU Reference No.",
    "Nama Produk": "Product Name",
    "Nomor Referensi SKU": "SKU Reference No.",
    "Nama Variasi": "Variation Name",
    "Harga Awal": "Original Price",
    "Harga Setelah Diskon": "Deal Price",
    "Jumlah": "Quantity",
    "Total Harga Produk": "Product Subtotal",
    "Total Diskon": "Seller Rebate",
    "Diskon Dari Penjual": "Seller Discount",
    "Diskon Dari Shopee": "Shopee Rebate",
    "Voucher Ditanggung Penjual": "Seller Voucher",
    "Cashback Koin": "Seller Absorbed Coin Cashback",
    "Voucher Ditanggung Shopee": "Shopee Voucher",
    "Paket Diskon (Diskon dari Shopee)": "Shopee Bundle Discount",
    "Paket Diskon (Diskon dari Penjual)": "Seller Bundle Discount",
    "Potongan Koin Shopee": "Shopee Coins Offset",
    "Diskon Kartu Kredit": "Credit Card Discount Total",
    "Ongkos Kirim Dibayar oleh Pembeli": "Buyer Paid Shipping Fee",
    "Total Pembayaran": "Grand Total",
    "Username (Pembeli)": "Username (Buyer)",
    "Nama Penerima": "Receiver Name",
    "No. Telepon": "Phone Number",
    "Kota/Kabupaten": "City",
    "Provinsi": "Province",
    "Waktu Pesanan Selesai": "Order Complete Time",
}
NEWER = {
    **ENGLISH,
    "Voucher Ditanggung Penjual": "Discount Voucher Amount Sponsored by Seller",
    "Voucher Ditanggung Shopee": "Discount Voucher Amount Sponsored by Shopee",
    "Cashback Koin": "Coin Cashback Voucher Amount Sponsored by Seller",
}
PHILIPPINE = {
    **ENGLISH,
    "Total Diskon": "Total Discount(PHP)",
    "Diskon Dari Penjual": "Price Discount(from Seller)(PHP)",
    "Diskon Dari Shopee": "Shopee Rebate(PHP)",
    "Voucher Ditanggung Penjual": "Seller Voucher(PHP)",
    "Voucher Ditanggung Shopee": "Shopee Voucher(PHP)",
    "Paket Diskon (Diskon dari Shopee)": "Shopee Bundle Discount(PHP)",
    "Paket Diskon (Diskon dari Penjual)": "Seller Bundle Discount(PHP)",
    "Potongan Koin Shopee": "Shopee Coins Offset(PHP)",
    "Diskon Kartu Kredit": "Credit Card Discount Total(PHP)",
}
WORDS = {
    "Selesai": "Completed",
    "Batal": "Cancelled",
    "Belum Bayar": "Unpaid",
    "Pesanan diterima, namun Pembeli masih dapat mengajukan pengembalian hingga 2024-01-20.": "Order Received",
    "Dibatalkan secara otomatis oleh sistem Shopee. Alasan: Pengiriman gagal": "Cancelled by Shopee: Failed delivery",
    "Dibatalkan oleh Pembeli. Alasan: Berubah pikiran": "Cancelled by buyer: change of mind",
}
MONEY = {
    "Harga Awal", "Harga Setelah Diskon", "Total Harga Produk", "Total Diskon", "Diskon Dari Penjual",
    "Diskon Dari Shopee", "Voucher Ditanggung Penjual", "Cashback Koin", "Voucher Ditanggung Shopee",
    "Paket Diskon (Diskon dari Shopee)", "Paket Diskon (Diskon dari Penjual)", "Potongan Koin Shopee",
    "Diskon Kartu Kredit", "Ongkos Kirim Dibayar oleh Pembeli", "Total Pembayaran",
}  # fmt: skip
Row = dict[str, Any]
UTC = "strftime({} at time zone 'UTC', '%Y-%m-%d %H:%M')"
FATE = "cancelled_at is not null, undelivered_at is not null"


@dataclass(frozen=True)
class Edition:
    """One country's export: how it spells headers and states, and how it writes 1000 rupiah (there: 1.00)."""

    name: str
    headers: dict[str, str] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    shop: dict[str, str] = field(default_factory=dict)

    def cell(self, header: str, value: Any) -> Any:
        if header in MONEY:
            return f"{value:,}".replace(",", ".") if not self.headers else f"{Decimal(value) / 1000:.2f}"
        return self.words.get(value, value)

    def money(self, rupiah: int) -> Decimal:
        return Decimal(rupiah) if not self.headers else Decimal(rupiah) / 1000


MALAYSIA = {"currency": "MYR", "time_zone": "Asia/Kuala_Lumpur"}
EDITIONS = (
    Edition("Indonesia"),
    Edition("Malaysia, older", ENGLISH, WORDS, MALAYSIA),
    Edition("Malaysia, newer", NEWER, WORDS, MALAYSIA),
    Edition("Philippines", PHILIPPINE, WORDS, {"currency": "PHP", "time_zone": "Asia/Manila"}),
)

KOPI = {"Nama Produk": "Kopi Gayo", "Nama Variasi": "250 g", "SKU Induk": "KOPI", "Nomor Referensi SKU": "KOPI-250",
        "Harga Awal": 100_000, "Harga Setelah Diskon": 85_000, "Jumlah": 1, "Returned quantity": 0}  # fmt: skip
TEH = {"Nama Produk": "Teh Melati", "SKU Induk": "TEH", "Harga Awal": 40_000, "Harga Setelah Diskon": 40_000,
       "Jumlah": 1, "Returned quantity": 0}  # fmt: skip
SITI = {"Username (Pembeli)": "Siti_H", "Nama Penerima": "Siti H", "No. Telepon": "6281234567890",
        "Kota/Kabupaten": "KOTA BANDUNG"}  # fmt: skip
BUDI = {"Username (Pembeli)": "budi.s", "Nama Penerima": "B***i", "No. Telepon": "******21"}


def order(number: str, *lines: Row, whole: Row) -> list[Row]:
    """The rows of an order; what belongs to the order is repeated on each."""
    usual = {
        "Status Pesanan": "Selesai", "Waktu Pesanan Dibuat": "2024-01-05 10:11",
        "Waktu Pembayaran Dilakukan": "2024-01-05 10:15", "Waktu Pengiriman Diatur": "2024-01-06 08:00",
        "Waktu Pesanan Selesai": "2024-01-12 09:30", **dict.fromkeys(MONEY, 0), **SITI,
    }  # fmt: skip
    return [{"No. Pesanan": number, **usual, **whole, **line} for line in lines]


def orders() -> list[Row]:
    """Six orders, one of each fate."""
    gayo = {**KOPI, "Jumlah": 2, "Diskon Dari Penjual": 20_000, "Diskon Dari Shopee": 10_000, "Total Diskon": 30_000,
            "Total Harga Produk": 170_000}  # fmt: skip
    teh = {**TEH, "Total Harga Produk": 40_000}
    failed = "Dibatalkan secara otomatis oleh sistem Shopee. Alasan: Pengiriman gagal"
    changed = "Dibatalkan oleh Pembeli. Alasan: Berubah pikiran"
    never = {"Waktu Pembayaran Dilakukan": "-", "Waktu Pesanan Selesai": "-"}
    received = "Pesanan diterima, namun Pembeli masih dapat mengajukan pengembalian hingga 2024-01-20."
    vouchers = {"Voucher Ditanggung Penjual": 15_000, "Voucher Ditanggung Shopee": 20_000,
                "Potongan Koin Shopee": 5_000, "Ongkos Kirim Dibayar oleh Pembeli": 9_000,
                "Total Pembayaran": 179_000}  # fmt: skip
    return [
        *order("240105AAAA0001", gayo, teh, whole=vouchers),
        *order("240106BBBB0002", KOPI, whole={**BUDI, **never, "Status Pesanan": "Batal", "Alasan Pembatalan": failed,
            "Waktu Pesanan Dibuat": "2024-01-06 23:59", "Waktu Pengiriman Diatur": "2024-01-07 08:00",
            "Metode Pembayaran": "COD (Bayar di Tempat)", "Total Pembayaran": 85_000}),
        *order("240107CCCC0003", TEH, whole={**never, "Status Pesanan": "Batal", "Alasan Pembatalan": changed,
            "Waktu Pengiriman Diatur": "-", "Waktu Pesanan Dibuat": "2024-01-07 12:00", "Total Pembayaran": 40_000}),
        *order("240108DDDD0004", TEH, whole={**never, "Status Pesanan": "Belum Bayar", "Waktu Pengiriman Diatur": "-",
            "Waktu Pesanan Dibuat": "2024-01-08 12:00", "Total Pembayaran": 40_000}),
        *order("240131EEEE0005", {**KOPI, "Jumlah": 2, "Returned quantity": 1}, whole={
            "Voucher Ditanggung Penjual": 17_000, "Waktu Pesanan Dibuat": "2024-01-31 23:30",
            "Waktu Pembayaran Dilakukan": "2024-02-01 00:10", "Waktu Pesanan Selesai": "2024-02-12 09:30",
            "Total Pembayaran": 153_000}),
        *order("240109FFFF0006", TEH, whole={"Username (Pembeli)": "r***a", "No. Telepon": "******77",
            "Nama Penerima": "R***a", "Status Pesanan": received, "Waktu Pesanan Dibuat": "2024-01-09 07:00",
            "Waktu Pembayaran Dilakukan": "2024-01-09 07:01", "Paket Diskon (Diskon dari Shopee)": 4_000,
            "Total Pembayaran": 36_000}),
    ]  # fmt: skip


def write(path: Path, rows: Sequence[Row], edition: Edition, columns: Sequence[str] = INDONESIAN) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "orders"
    sheet.append([edition.headers.get(column, column) for column in columns])
    for row in rows:
        sheet.append([edition.cell(column, row[column]) if column in row else None for column in columns])
    book.save(path)
    return path


def ask(shop: Shop, query: str) -> list[tuple[Any, ...]]:
    with shop.reading() as reader:
        return reader.duck.execute(query).fetchall()


@pytest.fixture
def edition(request: pytest.FixtureRequest) -> Edition:
    found: Edition = getattr(request, "param", EDITIONS[0])
    return found


in_every_edition = pytest.mark.parametrize("edition", EDITIONS, ids=lambda edition: edition.name, indirect=True)


@pytest.fixture
def imported(edition: Edition, make_shop: Callable[..., Shop], tmp_path: Path) -> tuple[Shop, Any]:
    """A shop of that country with the six orders."""
    shop = make_shop(**edition.shop)
    return shop, shop.import_files([write(tmp_path / "Order.all.20240101_20240131.xlsx", orders(), edition)])


@in_every_edition
def test_totals_are_what_the_shop_gets(imported: tuple[Shop, Any], edition: Edition) -> None:
    # A: 170000 + 40000 - 15000 + 9000 that the buyer is asked, and 10000 + 20000 + 5000 of it that Shopee pays.
    shop, report = imported
    found = ask(shop, "select order_id, total, shipping from orders where cancelled_at is null order by order_id")
    assert found == [
        ("240105AAAA0001", edition.money(214_000), edition.money(9_000)),
        ("240109FFFF0006", edition.money(40_000), edition.money(0)),
        ("240131EEEE0005", edition.money(153_000), edition.money(0)),
    ]
    assert report.files[0].rejected == 0
    lines = ask(shop, "select product_id, quantity, amount from order_lines where order_id like '%AAAA%' order by 1")
    assert lines == [("KOPI-250", 2, edition.money(180_000)), ("TEH", 1, edition.money(40_000))]


def test_times_are_those_of_the_shop(imported: tuple[Shop, Any]) -> None:
    shop, _ = imported
    found = ask(shop, f"select {UTC}, day from orders where order_id like '%EEEE%'".format("placed_at"))
    assert found == [("2024-01-31 16:30", dt.date(2024, 1, 31))]


def test_a_failed_delivery_is_no_return_and_no_lost_customer(imported: tuple[Shop, Any]) -> None:
    shop, _ = imported
    found = ask(shop, f"select order_id[-4:], {FATE}, customer_id from orders order by 1")
    assert found == [
        ("0001", False, False, "shopee:siti_h"),
        ("0002", True, True, "shopee:budi.s"),
        ("0003", True, False, "shopee:siti_h"),
        ("0005", False, False, "shopee:siti_h"),
        ("0006", False, False, None),
    ]
    assert ask(shop, "select count(*) from returns where order_id like '%BBBB%'") == [(0,)]


def test_a_return_takes_its_share_of_the_voucher(imported: tuple[Shop, Any], edition: Edition) -> None:
    # 2 x 85000 - 17000, of which one piece of two comes back.
    shop, _ = imported
    assert ask(shop, "select order_id, product_id, quantity, amount, day from returns") == [
        ("240131EEEE0005", "KOPI-250", 1, edition.money(76_500), dt.date(2024, 2, 12))
    ]


def test_masked_names_and_numbers_are_nobodys(imported: tuple[Shop, Any]) -> None:
    shop, _ = imported
    people = ask(shop, "select customer_id, name, phone, city from customers order by customer_id")
    assert people == [
        ("shopee:budi.s", None, None, "KOTA BANDUNG"),
        ("shopee:siti_h", "Siti H", "+6281234567890", "KOTA BANDUNG"),
    ]


def test_the_second_import_changes_nothing(imported: tuple[Shop, Any], edition: Edition, tmp_path: Path) -> None:
    shop, first = imported
    assert first.snapshot is not None
    again = shop.import_files([write(tmp_path / "Order.all.again.xlsx", orders(), edition)])
    assert again.snapshot is None


def test_an_order_paid_since_comes_in(imported: tuple[Shop, Any], edition: Edition, tmp_path: Path) -> None:
    shop, _ = imported
    paid = [{**row, "Status Pesanan": "Selesai"} for row in orders() if "DDDD" in row["No. Pesanan"]]
    shop.import_files([write(tmp_path / "Order.completed.xlsx", paid, edition)])
    assert ask(shop, "select total, cancelled_at from orders where order_id = '240108DDDD0004'") == [
        (edition.money(40_000), None)
    ]


@in_every_edition
def test_every_rupiah_between_shopees_figure_and_setias(imported: tuple[Shop, Any], edition: Edition) -> None:
    # Shopee: 179000 + 85000 + 40000 + 153000 + 36000. Setia: 214000 + 153000 + 40000, less 76500 given back.
    _, report = imported
    (account,) = report.files[0].bridge.whole
    assert account.stated == edition.money(493_000)
    assert account.steps == {
        "cancelled": edition.money(-40_000),
        "undelivered": edition.money(-85_000),
        "platform_voucher": edition.money(39_000),
        "returns": edition.money(-76_500),
    }
    assert account.net == edition.money(330_500)


def test_orders_paid_after_midnight_belong_to_another_month(imported: tuple[Shop, Any], edition: Edition) -> None:
    _, report = imported
    january, february = report.files[0].bridge.months
    # Shopee dates E to its payment in February, Setia to its order in January.
    assert (january.steps["moved"], february.steps["moved"]) == (edition.money(153_000), edition.money(-153_000))
    assert (january.net, february.net) == (edition.money(407_000), edition.money(-76_500))


def test_the_file_of_cancelled_orders(shop: Shop, tmp_path: Path) -> None:
    columns = ["Dibayar Pembeli" if column == "Total Harga Produk" else column for column in INDONESIAN]
    cancelled = [row for row in orders() if row["Status Pesanan"] == "Batal"]
    shop.import_files([write(tmp_path / "Order.cancelled.xlsx", cancelled, EDITIONS[0], columns)])
    found = ask(shop, f"select order_id, total, {FATE} from orders order by 1")
    assert found == [("240106BBBB0002", Decimal(85_000), True, True), ("240107CCCC0003", Decimal(40_000), True, False)]


def test_the_file_of_failed_deliveries(shop: Shop, tmp_path: Path) -> None:
    columns = ["Status pengiriman gagal" if column == "Alasan Pembatalan" else column for column in INDONESIAN]
    back = {"Status Pesanan": "Telah Dikirim", "Status pengiriman gagal": "Sedang dikirim kembali ke penjual"}
    failed = order("240106BBBB0002", KOPI, whole={**BUDI, **back, "Waktu Pesanan Selesai": "-"})
    shop.import_files([write(tmp_path / "Order.failed_delivery.xlsx", failed, EDITIONS[0], columns)])
    found = ask(shop, f"select {UTC}, {UTC} from orders".format("cancelled_at", "undelivered_at"))
    assert found == [("2024-01-06 01:00", "2024-01-06 01:00")]
