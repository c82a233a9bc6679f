"""Tokopedia's own sales report, with its title lines, and its still older English headers."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from setia.app import Shop

HEADERS = next(csv.reader([(
    "Nomor|Nomor Invoice|Tanggal Pembayaran|Status Terakhir|Tanggal Pesanan Selesai|Waktu Pesanan Selesai|"
    "Tanggal Pesanan Dibatalkan|Waktu Pesanan Dibatalkan|Nama Produk|Tipe Produk|Nomor SKU|Catatan Produk Pembeli|"
    "Catatan Produk Penjual|Jumlah Produk Dibeli|Harga Awal (IDR)|Harga Satuan Bundling (IDR)|Diskon Produk (IDR)|"
    "Harga Jual (IDR)|Jumlah Subsidi Tokopedia (IDR)|Nilai Kupon Toko Terpakai (IDR)|Jenis Kupon Toko Terpakai|"
    "Kode Kupon Toko Yang Digunakan|Biaya Pengiriman Tunai (IDR)|Biaya Asuransi Pengiriman (IDR)|"
    "Total Biaya Pengiriman (IDR)|Total Penjualan (IDR)|Nama Pembeli|No Telp Pembeli|Nama Penerima|No Telp Penerima|"
    "Alamat Pengiriman|Kota|Provinsi|Nama Kurir|Tipe Pengiriman (regular, same day, etc)|No Resi / Kode Booking|"
    "Tanggal Pengiriman Barang|Waktu Pengiriman Barang|Gudang Pengiriman|Nama Campaign|Nama Bundling|"
    "Tipe Bebas Ongkir (Bebas Ongkir, Bebas Ongkir DT)|COD|Jumlah Produk Yang Dikurangkan|Total Pengurangan (IDR)|"
    "Nama Penawaran Terpakai|Tingkatan Promosi Terpakai|Diskon Penawaran Terpakai (IDR)"
)], delimiter="|"))  # fmt: skip
VOUCHER = {"Nilai Kupon Toko Terpakai (IDR)": "Nilai Voucher Toko Terpakai (IDR)"}
"""As the report called a coupon before."""
ENGLISH = {
    "Nomor": "Count", "Nomor Invoice": "Invoice", "Tanggal Pembayaran": "Payment Date",
    "Status Terakhir": "Order Status",
    "Nama Produk": "Product Name", "Nomor SKU": "Stock Keeping Unit (SKU)", "Jumlah Produk Dibeli": "Quantity",
    "Harga Awal (IDR)": "Harga Awal (Rp.)", "Harga Jual (IDR)": "Harga Jual (Rp.)",
    "Diskon Produk (IDR)": "Discount Amount (Rp.)", "Jumlah Subsidi Tokopedia (IDR)": "Subsidi Amount (Rp.)",
    "Biaya Pengiriman Tunai (IDR)": "Shipping Price + fee (Rp.)", "Biaya Asuransi Pengiriman (IDR)": "Insurance (Rp.)",
    "Total Biaya Pengiriman (IDR)": "Total Shipping Fee (Rp.)", "Total Penjualan (IDR)": "Total Amount (Rp.)",
    "Nama Pembeli": "Customer Name", "No Telp Pembeli": "Customer Phone", "Nama Penerima": "Recipient",
    "Alamat Pengiriman": "Recipient Address", "Nama Kurir": "Courier", "No Resi / Kode Booking": "AWB",
}  # fmt: skip
Row = dict[str, Any]
SITI = {"Nama Pembeli": "Siti H", "No Telp Pembeli": "6281234567890", "Kota": "Kota Bandung"}
HIDDEN = {"Nama Pembeli": "B***i", "No Telp Pembeli": "628*******21", "Kota": "Kota Bandung"}


def line(sku: str, price: int, quantity: int = 1, **cells: Any) -> Row:
    return {"Nomor SKU": sku, "Nama Produk": sku.title(), "Jumlah Produk Dibeli": quantity, "Harga Awal (IDR)": price,
            "Diskon Produk (IDR)": 0, "Harga Jual (IDR)": price, "Jumlah Subsidi Tokopedia (IDR)": 0,
            "Nilai Kupon Toko Terpakai (IDR)": 0, **cells}  # fmt: skip


def invoice(number: int, *lines: Row, whole: Row | None = None) -> list[Row]:
    """The rows of an invoice: shipping and total on the first line only."""
    usual = {"Tanggal Pembayaran": "05-01-2024 10:11:12", "Status Terakhir": "Pesanan Selesai",
             "Tanggal Pesanan Selesai": "12-01-2024", "Waktu Pesanan Selesai": "09:30:00", **SITI}  # fmt: skip
    first = {"Biaya Pengiriman Tunai (IDR)": 0, "Biaya Asuransi Pengiriman (IDR)": 0, "Total Biaya Pengiriman (IDR)": 0}
    name = f"INV/20240105/MPL/360000000{number}"
    once = ("Biaya", "Total Biaya", "Total Penjualan")
    rows = []
    for n, each in enumerate(lines):
        cells = {**usual, **first, **(whole or {}), **each}
        rows.append(
            {
                "Nomor": number,
                "Nomor Invoice": name,
                **{k: v for k, v in cells.items() if not n or not k.startswith(once)},
            }
        )
    return rows


def invoices() -> list[Row]:
    """Six invoices, one of each fate."""
    gayo = line("KOPI", 85_000, 2, **{"Harga Awal (IDR)": 100_000, "Diskon Produk (IDR)": 15_000,
        "Jumlah Subsidi Tokopedia (IDR)": 10_000, "Nilai Kupon Toko Terpakai (IDR)": 8_000})  # fmt: skip
    coupon = {"Nilai Kupon Toko Terpakai (IDR)": 5_000}
    off = {"Tanggal Pesanan Selesai": "", "Waktu Pesanan Selesai": "", "Tanggal Pesanan Dibatalkan": "07-01-2024",
           "Waktu Pesanan Dibatalkan": "08:05:00"}  # fmt: skip
    return [
        *invoice(1, gayo, line("TEH", 40_000, **{"Nilai Kupon Toko Terpakai (IDR)": 2_000}), whole={
            "Biaya Pengiriman Tunai (IDR)": 9_000, "Biaya Asuransi Pengiriman (IDR)": 500,
            "Total Biaya Pengiriman (IDR)": 9_500, "Total Penjualan (IDR)": 219_500}),
        *invoice(2, line("TEH", 40_000, **coupon), line("GULA", 20_000, **coupon), whole={
            "Total Penjualan (IDR)": 60_000}),
        *invoice(3, line("TEH", 40_000), whole={**off, "Status Terakhir": "Dibatalkan Pembeli -\nSalah pilih produk",
            "Total Penjualan (IDR)": 40_000}),
        *invoice(4, line("TEH", 40_000), whole={**off, "Status Terakhir": "Dibatalkan Sistem -\nPengiriman gagal",
            "Total Penjualan (IDR)": 40_000}),
        *invoice(5, line("TEH", 40_000, 3, **{"Jumlah Produk Yang Dikurangkan": 1, "Total Pengurangan (IDR)": 40_000}),
            whole={"Tanggal Pembayaran": "31-01-2024 23:30:00", "Total Penjualan (IDR)": 80_000}),
        *invoice(6, line("TEH", 40_000), whole={**HIDDEN, "Biaya Pengiriman Tunai (IDR)": "Non Tunai",
            "Total Biaya Pengiriman (IDR)": "Non Tunai", "Total Penjualan (IDR)": 40_000}),
    ]  # fmt: skip


def write(path: Path, rows: Sequence[Row], names: dict[str, str] | None = None) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Laporan Penjualan"
    sheet.append(["Laporan Penjualan"])
    sheet.append(["Nama Toko", "Kebun Kopi"])
    sheet.append(["Tanggal", "01-01-2024 - 31-01-2024"])
    sheet.append([])
    sheet.append([(names or {}).get(header, header) for header in HEADERS])
    for row in rows:
        sheet.append([row[header] if row.get(header, "") != "" else None for header in HEADERS])
    book.save(path)
    return path


UTC = "strftime({} at time zone 'UTC', '%Y-%m-%d %H:%M')"
FATE = "cancelled_at is not null, undelivered_at is not null"


@pytest.fixture
def imported(shop: Shop, request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Shop, Any]:
    """A shop with the six invoices."""
    path = write(tmp_path / "Tokopedia_Order_20240131.xlsx", invoices(), getattr(request, "param", None))
    return shop, shop.import_files([path])


def ask(shop: Shop, query: str) -> list[tuple[Any, ...]]:
    with shop.reading() as reader:
        return reader.duck.execute(query).fetchall()


@pytest.mark.parametrize("imported", [{}, VOUCHER], ids=["kupon", "voucher"], indirect=True)
def test_totals_are_what_the_shop_gets(imported: tuple[Shop, Any]) -> None:
    # 1: 170000 + 10000 of Tokopedia + 40000 - 8000 - 2000 + 9500; 2: one coupon on both lines; 5: one piece missing.
    shop, report = imported
    assert ask(shop, f"select order_id[-1], total, shipping, {FATE} from orders order by 1") == [
        ("1", 219_500, 9_500, False, False),
        ("2", 55_000, 0, False, False),
        ("3", 40_000, 0, True, False),
        ("4", 40_000, 0, True, True),
        ("5", 80_000, 0, False, False),
        ("6", 40_000, 0, False, False),
    ]
    assert report.files[0].rejected == 0
    lines = (
        "select product_id, quantity, unit_price, amount from order_lines where order_id[-1] in ('1', '5') order by all"
    )
    assert ask(shop, lines) == [("KOPI", 2, 85_000, 180_000), ("TEH", 1, 40_000, 40_000), ("TEH", 2, 40_000, 80_000)]


def test_times_are_western_indonesian_wherever_the_shop_is(make_shop: Callable[..., Shop], tmp_path: Path) -> None:
    shop = make_shop(time_zone="Asia/Makassar")
    shop.import_files([write(tmp_path / "Tokopedia_Order_20240131.xlsx", invoices())])
    found = ask(shop, f"select {UTC}, day from orders where order_id[-1] = '5'".format("placed_at"))
    assert found == [("2024-01-31 16:30", dt.date(2024, 2, 1))]
    found = ask(
        shop, f"select {UTC}, {UTC} from orders where order_id[-1] = '4'".format("cancelled_at", "undelivered_at")
    )
    assert found == [("2024-01-07 01:05", "2024-01-07 01:05")]


def test_hidden_numbers_are_nobodys(imported: tuple[Shop, Any]) -> None:
    shop, _ = imported
    assert ask(shop, "select phone, name, city, country from customers") == [
        ("+6281234567890", "Siti H", "Kota Bandung", "ID")
    ]
    assert ask(shop, "select order_id[-1] from orders where customer_id is null") == [("6",)]
    assert "628" not in ask(shop, "select customer_id from customers")[0][0]


def test_the_second_import_changes_nothing(shop: Shop, tmp_path: Path) -> None:
    assert shop.import_files([write(tmp_path / "a.xlsx", invoices())]).snapshot is not None
    assert shop.import_files([write(tmp_path / "b.xlsx", invoices())]).snapshot is None


def test_every_rupiah_between_tokopedias_figure_and_setias(imported: tuple[Shop, Any]) -> None:
    _, report = imported
    (account,) = report.files[0].bridge.whole
    # 219500 + 60000 + 40000 + 40000 + 80000 + 40000.
    assert account.stated == 479_500
    assert account.steps == {
        "cancelled": -40_000,
        "undelivered": -40_000,
        "platform_voucher": 10_000,
        "seller_voucher": -15_000,
    }
    assert account.net == 219_500 + 55_000 + 80_000 + 40_000


def test_english_headers_and_an_invoice_on_its_first_line_only(shop: Shop, tmp_path: Path) -> None:
    columns = [header for header in HEADERS if header in ENGLISH]
    own = ("Nomor", "Nomor Invoice", "Tanggal Pembayaran", "Status Terakhir", "Nama Pembeli", "No Telp Pembeli")
    rows: list[Row] = []
    for row in invoices():
        further = bool(rows) and row["Nomor"] == rows[-1]["of"]
        rows.append({**row, "of": row["Nomor"], **(dict.fromkeys(own, "") if further else {})})
    with (tmp_path / "report.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([ENGLISH[column] for column in columns])
        writer.writerows([[row.get(column, "") for column in columns] for row in rows])
    report = shop.import_files([tmp_path / "report.csv"])
    assert report.files[0].rejected == 0
    # No coupons and no missing pieces in this report.
    found = ask(shop, "select order_id[-1], total from orders where cancelled_at is null order by 1")
    assert found == [("1", 229_500), ("2", 60_000), ("5", 120_000), ("6", 40_000)]
    assert ask(shop, "select count(*) from order_lines where order_id[-1] in ('1', '2')") == [(4,)]
    assert ask(shop, "select count(*) from order_lines where customer_id is null") == [(1,)]
