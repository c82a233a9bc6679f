"""What advertising cost: Meta, Google, TikTok and Shopee."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from setia.app import Shop

COSTS = "select cost_id, category, channel, amount, currency, spent_at, day from costs order by cost_id, amount"


def write(path: Path, *rows: Sequence[object]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def ask(shop: Shop, query: str) -> list[tuple[Any, ...]]:
    with shop.reading() as reader:
        return reader.duck.execute(query).fetchall()


def cost(
    identifier: str, channel: str, amount: str, currency: str, day: str, offset: str = "+07:00"
) -> tuple[object, ...]:
    began = dt.datetime.fromisoformat(f"{day}T00:00:00{offset}")
    return (identifier, "advertising", channel, Decimal(amount), currency, began, dt.date.fromisoformat(day))


META_ID = [
    "Awal pelaporan", "Akhir pelaporan", "Nama kampanye", "Penayangan kampanye", "Hasil", "Indikator Hasil",
    "Jangkauan", "Biaya per Hasil", "Jumlah yang dibelanjakan (IDR)", "Berakhir", "Impresi",
    "CPM (Biaya Per 1.000 Tayangan) (IDR)", "Klik tautan",
]  # fmt: skip
META_EN = [
    "Reporting starts", "Reporting ends", "Campaign name", "Campaign delivery", "Results", "Result indicator",
    "Reach", "Cost per results", "Amount spent (IDR)", "Ends", "Impressions", "CPM (cost per 1,000 impressions) (IDR)",
    "Link clicks",
]  # fmt: skip


@pytest.mark.parametrize("header", [META_ID, META_EN], ids=["id", "en"])
def test_meta_by_day(shop: Shop, tmp_path: Path, header: list[str]) -> None:
    rows = [
        ["2026-05-08", "2026-05-09", "", "", 37, "", 4000, 12700, 470000, "", 9500, 0, 120],
        ["2026-05-08", "2026-05-08", "Kopi Gayo", "active", 18, "purchase", 2500, 8333, 150000, "", 3000, 50000, 50],
        ["2026-05-09", "2026-05-09", "Kopi Gayo", "active", 12, "purchase", 3200, 16666, 200000, "", 4000, 50000, 75],
        ["2026-05-08", "2026-05-08", "Teh Melati", "active", 7, "purchase", 2000, 17142, 120000, "", 2500, 48000, 40],
        ["2026-05-09", "2026-05-09", "Teh Melati", "inactive", "", "", "", "", 0, "", "", "", ""],
    ]  # fmt: skip
    file = write(tmp_path / "Toko-Melati-Kampanye-8-Mei-2026-9-Mei-2026.csv", header, *rows)
    report = shop.import_files([file])
    assert (report.files[0].understood.format, report.files[0].rejected) == ("Meta Ads: costs", 0)
    assert ask(shop, COSTS) == [
        cost("meta:2026-05-08:Kopi Gayo", "meta", "150000", "IDR", "2026-05-08"),
        cost("meta:2026-05-08:Teh Melati", "meta", "120000", "IDR", "2026-05-08"),
        cost("meta:2026-05-09:Kopi Gayo", "meta", "200000", "IDR", "2026-05-09"),
    ]
    assert shop.import_files([file]).snapshot is None


def test_meta_in_another_currency_and_by_ad(make_shop: Any, tmp_path: Path) -> None:
    shop = make_shop(time_zone="Asia/Kuala_Lumpur", currency="MYR")
    header = [
        "Day",
        "Campaign name",
        "Ad set name",
        "Ad name",
        "Amount spent (USD)",
        "Reporting starts",
        "Reporting ends",
    ]
    rows = [
        ["2026-05-08", "Raya", "Kuala Lumpur", "Video 1", "12.34", "2026-05-01", "2026-05-31"],
        ["2026-05-08", "Raya", "Kuala Lumpur", "Video 2", "0.66", "2026-05-01", "2026-05-31"],
        ["2026-05-09", "Raya", "Johor", "Video 1", "7.00", "2026-05-01", "2026-05-31"],
        ["", "Total", "", "", "20.00", "2026-05-01", "2026-05-31"],
    ]
    file = write(tmp_path / "ads.csv", header, *rows)
    shop.import_files([file])
    assert ask(shop, COSTS) == [
        cost("meta:2026-05-08:Raya", "meta", "0.66", "USD", "2026-05-08", "+08:00"),
        cost("meta:2026-05-08:Raya", "meta", "12.34", "USD", "2026-05-08", "+08:00"),
        cost("meta:2026-05-09:Raya", "meta", "7", "USD", "2026-05-09", "+08:00"),
    ]
    # A later export replaces the campaign's cost of the day, whatever its detail.
    later = write(tmp_path / "later.csv", header[:2] + header[4:5], ["2026-05-08", "Raya", "13.50"])
    shop.import_files([later])
    assert ask(shop, "select day, sum(amount) from costs group by day order by day") == [
        (dt.date(2026, 5, 8), Decimal("13.5")), (dt.date(2026, 5, 9), Decimal("7")),
    ]  # fmt: skip


def test_an_amount_for_several_days_counts_on_the_first(shop: Shop, tmp_path: Path) -> None:
    file = write(
        tmp_path / "april.csv", META_EN[:3] + META_EN[8:9], ["2026-04-01", "2026-04-30", "Kopi Gayo", "4.500.000"]
    )
    shop.import_files([file])
    assert ask(shop, COSTS) == [
        cost("meta:2026-04-01..2026-04-30:Kopi Gayo", "meta", "4500000", "IDR", "2026-04-01"),
    ]


GOOGLE = [
    ["Campaign report"],
    ["May 8, 2026 - May 9, 2026"],
    ["Campaign", "Campaign status", "Day", "Currency code", "Cost", "Impr.", "Clicks", "Conversions"],
    ["Search - Merek", "Enabled", "2026-05-08", "IDR", "1,250,000.50", "7,500", "300", "12.00"],
    ["Search - Merek", "Enabled", "2026-05-09", "IDR", "800,000.00", "3,000", "120", "2.00"],
    ["Total: Campaigns", "", " --", "", "2,050,000.50", "10,500", "420", "14.00"],
    ["Total: Account", "", " --", "", "2,050,000.50", "10,500", "420", "14.00"],
]


def test_google(shop: Shop, tmp_path: Path) -> None:
    file = write(tmp_path / "Campaign report.csv", *GOOGLE)
    report = shop.import_files([file])
    assert (report.files[0].understood.format, report.files[0].rejected) == ("Google Ads: costs", 0)
    assert ask(shop, COSTS) == [
        cost("google:2026-05-08:Search - Merek", "google", "1250000.50", "IDR", "2026-05-08"),
        cost("google:2026-05-09:Search - Merek", "google", "800000", "IDR", "2026-05-09"),
    ]
    assert shop.import_files([file]).snapshot is None


def test_tiktok(shop: Shop, tmp_path: Path) -> None:
    header = [
        "By Day",
        "Campaign name",
        "Ad group name",
        "Ad name",
        "Cost",
        "Currency",
        "Impressions",
        "Clicks (destination)",
    ]
    rows = [
        ["2026-05-08", "TT Lebaran", "Minat", "UGC 1", "123,450", "IDR", "120,000", "1,800"],
        ["2026-05-08", "TT Lebaran", "Minat", "UGC 2", "76,550", "IDR", "80,000", "900"],
        ["", "Total of 2 results", "-", "-", "200,000", "IDR", "200,000", "2,700"],
    ]  # fmt: skip
    file = write(tmp_path / "tiktok.csv", header, *rows)
    report = shop.import_files([file])
    assert (report.files[0].understood.format, report.files[0].rejected) == ("TikTok Ads: costs", 0)
    assert ask(shop, "select cost_id, sum(amount), min(currency) from costs group by 1") == [
        ("tiktok:2026-05-08:TT Lebaran", Decimal("200000"), "IDR")
    ]
    assert shop.import_files([file]).snapshot is None


SHOPEE_ID = (
    ["Semua Laporan Iklan CPC - Shopee Indonesia", "Username", "Nama Toko", "ID Toko", "Waktu Laporan Dibuat",
     "Periode"],
    ["Urutan", "Nama Iklan", "Status", "Jenis Iklan", "Kode Produk", "Tampilan Iklan", "Mode Bidding",
     "Penempatan Iklan", "Tanggal Mulai", "Tanggal Selesai", "Dilihat", "Jumlah Klik", "Persentase Klik", "Konversi",
     "Omzet Penjualan", "Biaya", "Efektifitas Iklan"],
)  # fmt: skip
SHOPEE_EN = (
    ["All CPC Ads Report - Shopee Indonesia", "User Name", "Shop Name", "Shop ID", "Report Creation Time",
     "Date Period"],
    ["Sequence", "Ad Name", "Status", "Ads Type", "Product ID", "Creative", "Bidding Method", "Placement",
     "Start Date", "End Date", "Impression", "Clicks", "CTR", "Conversions", "GMV", "Expense", "ROAS"],
)  # fmt: skip


@pytest.mark.parametrize(("labels", "header"), [SHOPEE_ID, SHOPEE_EN], ids=["id", "en"])
def test_shopee(shop: Shop, tmp_path: Path, labels: list[str], header: list[str]) -> None:
    title, *names = labels
    values = ["tokomelati", "Toko Melati", "123", "09/05/2026 22:10", "08/05/2026 - 08/05/2026"]
    rows = [
        [1, "Iklan Produk Otomatis", "Dijeda", "", "-", "-", "Otomatis", "Semua", "13/03/2026 00:00:00",
         "Tidak Terbatas", 44013, 2446, "5.56%", 129, 10007884, 899423, "11.13"],
        [2, "Kopi Gayo - 250 g", "Berjalan", "Iklan Produk", "111", "-", "GMV Max ROAS", "Semua", "22/12/2025 00:00:00",
         "Tidak Terbatas", 5626, 282, "5.01%", 19, 550100, 92092, "5.97"],
    ]  # fmt: skip
    above = [[title], *([name, value] for name, value in zip(names, values, strict=True)), []]
    file = write(tmp_path / "Data-Keseluruhan-Iklan-Shopee.csv", *above, header, *rows)
    report = shop.import_files([file])
    assert (report.files[0].understood.format, report.files[0].rejected) == ("Shopee Ads: costs", 0)
    assert ask(shop, COSTS) == [
        cost("shopee:tokomelati:2026-05-08:Iklan Produk Otomatis", "shopee", "899423", "IDR", "2026-05-08"),
        cost("shopee:tokomelati:2026-05-08:Kopi Gayo - 250 g:111", "shopee", "92092", "IDR", "2026-05-08"),
    ]
    assert shop.import_files([file]).snapshot is None
