"""What Setia understands of a file by itself, what a person may say against it, and the question before it is done."""

from __future__ import annotations

import datetime as dt
import os
import pty
import subprocess
import sys
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from setia.app import Shop
from setia.kernel.errors import SetiaError
from setia.sources.files.errors import Declined

SETIA = Path(sys.executable).parent / "setia"


def text_file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def rows(shop: Shop, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in shop.sql(query).to_pylist()]


TITLED = """Laporan Penjualan Toko Kopi;;;
Periode: 1 Jan 2026 - 31 Jan 2026;;;
;;;
No Pesanan;Tanggal;Pelanggan;Jumlah
A1;2026-01-03;siti;100
A2;2026-01-04;budi;x
A3;2026-01-05;budi;300
"""


def test_a_title_above_the_header_is_passed_over(shop: Shop, tmp_path: Path) -> None:
    report = shop.import_files([text_file(tmp_path, "laporan.csv", TITLED)])
    assert rows(shop, "select order_id, total from orders order by all") == [("A1", Decimal(100)), ("A3", Decimal(300))]
    assert report.rejects is not None
    # Counted as a spreadsheet counts: the title is row 1.
    assert report.rejects.read_text().splitlines()[1].startswith("laporan.csv,6,Jumlah,unreadable")


def test_columns_without_a_telling_name_are_known_by_what_they_hold(shop: Shop, tmp_path: Path) -> None:
    path = text_file(tmp_path, "log.csv", "nota,kapan,kontak,total\nA1,3 Maret 2026,siti@example.com,100\n")
    report = shop.import_files([path])
    assert report.files[0].understood.columns["time"] == "kapan"
    assert report.files[0].understood.columns["email"] == "kontak"
    assert {"kapan", "kontak"} == {note.split()[0] for note in report.files[0].understood.notes if "because" in note}
    assert rows(shop, "select day, total from orders") == [(dt.date(2026, 3, 3), Decimal(100))]


def test_telephones_as_keys_are_hidden_and_the_same_however_written(shop: Shop, tmp_path: Path) -> None:
    log = "order,customer,date,amount\n1,0812-3456-7890,2026-01-01,5\n2,+62 812 3456 7890,2026-01-02,6\n"
    shop.import_files([text_file(tmp_path, "log.csv", log)])
    ((key, phone),) = rows(shop, "select customer_id, phone from customers")
    assert phone == "+6281234567890"
    assert key == shop.identity.customer_id("+6281234567890")
    assert key.startswith("p-")
    assert shop.takeout("+6281234567890")


def test_numbers_of_customers_are_no_telephones(shop: Shop, tmp_path: Path) -> None:
    log = "order,customer,date,amount\n1,000012345,2026-01-01,5\n2,12345678,2026-01-02,6\n"
    shop.import_files([text_file(tmp_path, "log.csv", log)])
    assert rows(shop, "select customer_id from customers order by 1") == [("000012345",), ("12345678",)]


def test_an_older_file_overwrites_nothing(shop: Shop, tmp_path: Path) -> None:
    """It fills gaps: what a newer one said of a customer stands."""
    head = "order,customer,date,amount,city,country\n"
    shop.import_files([text_file(tmp_path, "new.csv", head + "2,siti,2026-02-01,5,Bandung,\n")])
    shop.import_files([text_file(tmp_path, "old.csv", head + "1,siti,2025-02-01,5,Solo,Indonesia\n")])
    assert rows(shop, "select city, country from customers") == [("Bandung", "Indonesia")]
    both = [text_file(tmp_path, "a.csv", head + "4,budi,2026-02-01,5,Medan,\n"),
            text_file(tmp_path, "b.csv", head + "3,budi,2025-02-01,5,Solo,Malaysia\n")]  # fmt: skip
    shop.import_files(both)
    found = rows(shop, "select city, country from customers where customer_id = 'budi'")
    assert found == [("Medan", "Malaysia")]


def test_discount_and_shipping_come_on_top_of_quantity_times_price(shop: Shop, tmp_path: Path) -> None:
    text = "order,customer,date,sku,qty,unit_price,discount,shipping\n" + "".join(
        f"1,a,2026-01-01,{sku},{n},10.00,5.00,3.50\n" for sku, n in (("tea", 2), ("cup", 1))
    )
    shop.import_files([text_file(tmp_path, "log.csv", text)])
    assert rows(shop, "select total, discount, shipping from orders") == [(Decimal("28.5"), Decimal(5), Decimal("3.5"))]


def test_staff_trials_free_and_cancelled_orders_are_counted_apart(
    make_shop: Callable[..., Shop], tmp_path: Path
) -> None:
    shop = make_shop(staff=("@toko.example", "budi"))
    text = """order,customer,date,amount,status,is_test
1,siti@example.com,2026-01-01,100,done,
2,ani@toko.example,2026-01-01,200,done,
3,budi,2026-01-02,300,done,
4,siti@example.com,2026-01-03,400,dibatalkan,
5,siti@example.com,2026-01-04,500,done,yes
6,siti@example.com,2026-01-05,0,done,no
"""
    totals = shop.import_files([text_file(tmp_path, "log.csv", text)]).totals
    counted = (totals.orders, totals.customers, totals.cancelled, totals.trials, totals.staff, totals.free)
    assert counted == (2, 1, 1, 1, 2, 1)
    assert totals.net_sales == {"IDR": Decimal(100)}
    assert shop.metrics.order_value().figures["net"] == Decimal(100)


def test_other_currencies_count_at_the_rate_of_their_day(shop: Shop, tmp_path: Path) -> None:
    log = "order,customer,date,amount,currency\n1,a,2026-01-01,10,USD\n2,a,2026-01-20,10,USD\n3,a,2026-01-20,7,SGD\n"
    log += "4,b,2026-01-20,5000,IDR\n5,b,2026-01-20,RM 20,\n"
    report = shop.import_files([text_file(tmp_path, "log.csv", log)])
    assert report.totals.net_sales == {"IDR": Decimal(5000 + 20), "USD": Decimal(20), "SGD": Decimal(7)}
    rates = "day,from_currency,to_currency,rate\n2025-12-31,USD,IDR,16000\n2026-01-15,USD,IDR,16500.5\n"
    shop.import_files([text_file(tmp_path, "rates.csv", rates)])
    figures = shop.metrics.order_value().figures
    assert figures["gross"] == Decimal(160_000 + 165_005 + 5000 + 20)
    assert (figures["orders"], figures["unpriced"]) == (4, 1), "what has no rate enters no average"


def test_currency_marks_name_the_currency(shop: Shop, tmp_path: Path) -> None:
    amounts = ('"RM1,234.50"', "RM20.00", '"Rp 5,000.00"')
    log = "order,customer,date,amount\n" + "".join(f"{n},a,2026-01-01,{each}\n" for n, each in enumerate(amounts))
    report = shop.import_files([text_file(tmp_path, "log.csv", log)])
    assert report.totals.net_sales == {"IDR": Decimal(5000), "MYR": Decimal("1254.50")}


# Several tables.

LOG = "order,customer,date,amount\n1,a,2026-01-01,5\n"


def test_a_zip_of_several_tables(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("one/orders 1.csv", LOG)
        archive.writestr("one/orders 2.csv", LOG.replace("1,a", "2,b"))
        archive.writestr("one/readme.csv", "please,read\nme,now\n")
    seen = []
    report = shop.import_files([path], confirm=lambda preview: seen.extend(preview.skipped) or True)
    assert [file.name for file in report.files] == ["export.zip, one/orders 1.csv", "export.zip, one/orders 2.csv"]
    assert [name for name, _problem in seen] == ["export.zip, one/readme.csv"]
    assert rows(shop, "select order_id from orders order by 1") == [("1",), ("2",)]


# Overriding, confirming, refusing.


def test_a_written_mapping_says_the_same_again(make_shop: Callable[..., Shop], tmp_path: Path) -> None:
    log = text_file(
        tmp_path, "my [log].csv", "nota;tgl;siapa;total\nA1;02/01/2026;siti;1.500,00\nA2;13/01/2026;budi;2,00\n"
    )
    said = {"order": "nota", "time": "tgl", "customer": "siapa", "amount": "total"}
    first, second = make_shop(), make_shop()
    first.import_files([log], mapping=said)
    given = text_file(tmp_path, "said.toml", "".join(f'{role} = "{column}"\n' for role, column in said.items()))
    arguments = ["-C", first.folder, "--map", given, "--write-map", tmp_path / "map.toml", log]
    done = subprocess.run([SETIA, "import", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert 'order = "nota"  # A1, A2' in (tmp_path / "map.toml").read_text()
    second.import_files([log], mapping=tmp_path / "map.toml")
    query = "select order_id, customer_id, placed_at, total from orders order by 1"
    assert rows(first, query) == rows(second, query)
    assert rows(first, query)[0][3] == Decimal(1500)


def test_a_mapping_may_say_how_values_are_written(shop: Shop, tmp_path: Path) -> None:
    log = text_file(tmp_path, "log.csv", "order,customer,date,amount\n1,a,02/01/2026 23:30,1.500\n")
    mapping = text_file(
        tmp_path, "map.toml",
        '[[file]]\nname = "*.csv"\ndates = "%m/%d/%Y %H:%M"\namounts = "1234.56"\ntime_zone = "America/New_York"\n',
    )  # fmt: skip
    shop.import_files([log], mapping=mapping)
    # Half past eleven on 1 February in New York is the next day's noon in Jakarta.
    assert rows(shop, "select day, total from orders") == [(dt.date(2026, 2, 2), Decimal("1.5"))]


WRONG = {
    "format = 'Shopify'\n": "is none of",
    "amounts = '1 234'\n": "is none of 1234.56",
    "time_zone = 'Mars'\n": "no time zone",
    "order = \n": "Invalid value",
    "file = 3\n": "section of its own",
    "[columns]\ncolour = 'amount'\n": "is none of order",
    "columns = 3\n": "[columns]",
}


def test_a_wrong_mapping_is_told(shop: Shop, tmp_path: Path) -> None:
    log = text_file(tmp_path, "log.csv", LOG)
    for text, told in WRONG.items():
        with pytest.raises(SetiaError) as raised:
            shop.import_files([log], mapping=text_file(tmp_path, "map.toml", text))
        assert raised.value.code == "files.mapping_wrong"
        assert told in str(raised.value)


def test_what_is_refused_changes_nothing(shop: Shop, tmp_path: Path) -> None:
    asked = []
    with pytest.raises(Declined):
        shop.import_files(
            [text_file(tmp_path, "log.csv", LOG + "2,b,soon,1\n")], confirm=lambda p: asked.append(p) or False
        )
    assert asked[0].totals.orders == 1
    assert rows(shop, "select count(*) from orders") == [(0,)]
    assert not list((shop.folder / "rejects").glob("*"))
    assert not list((shop.folder / "scratch").iterdir())


@pytest.mark.parametrize(("answer", "orders"), [("n", 0), ("y", 1)])
def test_a_terminal_is_asked(shop: Shop, tmp_path: Path, answer: str, orders: int) -> None:
    log = text_file(tmp_path, "log.csv", LOG)
    own, other = pty.openpty()
    os.write(own, f"{answer}\n".encode())
    done = subprocess.run(
        [SETIA, "import", "-C", shop.folder, "--lang", "ms", log],
        stdin=other,
        capture_output=True,
        text=True,
        check=False,
    )
    os.close(other)
    os.close(own)
    assert "Import ini?" in done.stdout + done.stderr
    assert rows(shop, "select count(*) from orders") == [(orders,)]
    assert (done.returncode == 0) == (orders == 1)


def test_to_look_is_not_to_import(shop: Shop, tmp_path: Path) -> None:
    log = text_file(tmp_path, "log.csv", LOG)
    done = subprocess.run(
        [SETIA, "import", "-C", shop.folder, "--look", log], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "net sales, IDR" in done.stdout
    assert rows(shop, "select count(*) from orders") == [(0,)]
