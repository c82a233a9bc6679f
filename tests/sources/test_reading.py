"""What files mean: columns, packings, dates, amounts, and the native layout."""

from __future__ import annotations

import datetime as dt
import gzip
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from setia.app import Shop
from setia.facts import FACTS, Kind

RETAIL = """InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
536365,85123A,WHITE HANGING HEART,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom
536365,71053,"LANTERN, ""METAL"" SMALL",6,2010-12-01 08:27:00,3.39,17850.0,United Kingdom
536365,71053,"LANTERN, ""METAL"" SMALL",6,2010-12-01 08:27:00,3.39,17850.0,United Kingdom
C536379,85123A,WHITE HANGING HEART,-1,2010-12-02 09:41:00,2.55,17850.0,United Kingdom
536380,22961,JAM MAKING SÉT,24,2010-12-03 09:45:00,1.45,,France
536381,22961,JAM MAKING SÉT,-5,2010-12-03 10:00:00,0,,France
"""


def retail_facts(shop: Shop) -> list[tuple[Any, ...]]:
    columns = "order_id, customer_id, day, total, country, is_adjustment"
    return [tuple(row.values()) for row in shop.sql(f"select {columns} from orders order by 1").to_pylist()]


def check_retail(shop: Shop, report: Any) -> None:
    assert retail_facts(shop) == [
        ("536365", "17850", dt.date(2010, 12, 1), Decimal("55.98"), "United Kingdom", False),
        ("536380", None, dt.date(2010, 12, 3), Decimal("34.80"), "France", False),
        ("536381", None, dt.date(2010, 12, 3), Decimal("0"), "France", True),
    ]
    (returned,) = shop.sql("select document_id, quantity, amount, day from returns").to_pylist()
    assert list(returned.values()) == ["C536379", Decimal(1), Decimal("2.55"), dt.date(2010, 12, 2)]
    assert shop.sql("select count(*) n, count(distinct placed_at) t, sum(quantity) q from order_lines").to_pylist() == [
        {"n": 5, "t": 3, "q": Decimal("37")}
    ]
    assert {r["name"] for r in shop.sql("select name from products").to_pylist()} == {
        "WHITE HANGING HEART", 'LANTERN, "METAL" SMALL', "JAM MAKING SÉT",
    }  # fmt: skip
    assert (report.files[0].rows, report.files[0].duplicates, report.files[0].rejected) == (6, 1, 0)


PACKED: dict[str, Callable[[str], bytes]] = {
    "utf-8": str.encode,
    "utf-8 with a mark": lambda text: text.encode("utf-8-sig"),
    "utf-16": lambda text: text.encode("utf-16"),
    "utf-16 big": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "cp1252": lambda text: text.encode("cp1252"),
    "windows lines": lambda text: text.replace("\n", "\r\n").encode(),
    "old mac lines": lambda text: text.replace("\n", "\r").encode(),
    "mixed lines": lambda text: text.replace("\n", "\r\n", 3).encode(),
    "semicolons": lambda text: text.replace(",", ";").replace("LANTERN; ", "LANTERN, ").encode(),
    "tabs": lambda text: text.replace(",", "\t").replace("LANTERN\t ", "LANTERN, ").encode("utf-16"),
    "gzip": lambda text: gzip.compress(text.encode()),
    "gzip in two members": lambda text: gzip.compress(text.encode()[:50]) + gzip.compress(text.encode()[50:]),
    "zstd": lambda text: pa.compress(text.encode(), codec="zstd", asbytes=True),
    "no last line end": lambda text: text.rstrip("\n").encode(),
    "quotes everywhere": lambda text: "\n".join(
        line if "LANTERN" in line else ",".join(f'"{cell}"' for cell in line.split(",")) for line in text.splitlines()
    ).encode(),
}


def test_every_packing_gives_the_same_facts(make_shop: Callable[..., Shop], tmp_path: Path) -> None:
    shop = make_shop(currency="GBP", time_zone="Europe/London")
    snapshot = None
    for name, pack in PACKED.items():
        path = tmp_path / "retail.csv"
        path.write_bytes(pack(RETAIL))
        report = shop.import_files([path])
        # The same facts every time, so that nothing changes after the first.
        assert (report.snapshot is None) == (snapshot is not None), name
        snapshot = snapshot or report.snapshot
        check_retail(shop, report)


def test_parquet(make_shop: Callable[..., Shop], tmp_path: Path) -> None:
    shop = make_shop(currency="GBP", time_zone="Europe/London")
    source, path = tmp_path / "retail.csv", tmp_path / "retail.parquet"
    source.write_text(RETAIL, encoding="utf-8")
    table = pa_csv.read_csv(source)
    assert pa.types.is_timestamp(table.schema.field("InvoiceDate").type)
    pq.write_table(table, path)
    check_retail(shop, shop.import_files([path]))


def orders(shop: Shop) -> list[tuple[Any, ...]]:
    found = shop.sql("select customer_id, placed_at, day, total from orders order by all").to_pylist()
    return [tuple(row.values()) for row in found]


def import_text(shop: Shop, tmp_path: Path, text: str, **more: Any) -> Any:
    path = tmp_path / "log.csv"
    path.write_text(text, encoding="utf-8")
    return shop.import_files([path], **more)


def test_a_log_without_order_numbers(shop: Shop, tmp_path: Path) -> None:
    """Each row is an order, exact duplicates included; the CDNOW layout."""
    report = import_text(shop, tmp_path, "customer_id,date,quantity,spend\n00001,1997-01-01,1,11.77\n"
                         "00004,1997-01-18,2,29.73\n00004,1997-01-18,2,29.73\n00004,1997-01-18,1,14.96\n")  # fmt: skip
    assert report.files[0].duplicates == 1
    assert [(c, t) for c, _, _, t in orders(shop)] == [
        ("00001", Decimal("11.77")),
        ("00004", Decimal("14.96")),
        ("00004", Decimal("29.73")),
        ("00004", Decimal("29.73")),
    ]
    assert shop.sql("select count(distinct order_id) n, count(distinct document_id) d from orders").to_pylist() == [
        {"n": 4, "d": 2}
    ]


def test_a_mapping_overrides_names(shop: Shop, tmp_path: Path) -> None:
    text = "date,who,paid on,amount,real amount\n2020-01-01,a,2026-01-05,1,9\n"
    mapping = {"customer": "who", "time": "paid on", "amount": "real amount"}
    import_text(shop, tmp_path, text, mapping=mapping)
    assert [(c, d, t) for c, _, d, t in orders(shop)] == [("a", dt.date(2026, 1, 5), Decimal(9))]


AMOUNTS: list[tuple[list[str], list[str]]] = [
    (["1,234.50", "12.00"], ["1234.50", "12"]),
    (["1.234,56", "5,00"], ["1234.56", "5"]),
    (["Rp1.234.567", "Rp5.000"], ["1234567", "5000"]),
    (["Rp. 1.234.567", "Rp.5000"], ["1234567", "5000"]),
    (["Rp1.000.000,-", "Rp 25.500,-"], ["1000000", "25500"]),
    (["25.500", "110.000"], ["25500", "110000"]),
    (["25.500", "-1.110.000"], ["25500", "-1110000"]),
    (["RM 12.50", "-RM 3.00"], ["12.50", "-3"]),
    (["(1,200.00)", "5.00"], ["-1200", "5"]),
    (["5.00-", "$7.25"], ["-5", "7.25"]),
    (["EUR 1,234.50", "EUR 2.00"], ["1234.50", "2"]),
    (["1e3", "2.5"], ["1000", "2.5"]),
    (["12,000,000,000", "1.5"], ["12000000000", "1.5"]),
    (["1,00,000.00", "12.50"], ["100000", "12.50"]),
    (["0.123", "10.5"], ["0.123", "10.5"]),
]


def test_amounts(shop: Shop, tmp_path: Path) -> None:
    for case, (written, read) in enumerate(AMOUNTS):
        rows = "".join(f'{case}-{n};c{case};2026-01-0{n};"{text}"\n' for n, text in enumerate(written, start=1))
        report = import_text(shop, tmp_path, "order;customer;date;amount\n" + rows)
        assert (written, report.files[0].rejected) == (written, 0)
        totals = [total for customer, _, _, total in orders(shop) if customer == f"c{case}"]
        assert (written, totals) == (written, [Decimal(value) for value in read])


def test_amounts_that_could_mean_anything_are_rejected(shop: Shop, tmp_path: Path) -> None:
    texts = ("1,234.50", "12.50", "1.234,50", "1,23", "$.50", "12 or 13", "2026-01-02", "1e5")
    rows = "".join(f'{n};c;2026-01-01;"{text}"\n' for n, text in enumerate((*texts[:2] * 5, *texts[2:])))
    report = import_text(shop, tmp_path, "order;customer;date;amount\n" + rows)
    assert report.files[0].rejected == 6
    assert {total for _, _, _, total in orders(shop)} == {Decimal("1234.50"), Decimal("12.50")}


def test_quantities_with_three_decimals_stay_small(shop: Shop, tmp_path: Path) -> None:
    import_text(shop, tmp_path, "order,customer,date,qty,price,sku\n1,a,2026-01-01,2.000,10.50,x\n")
    assert orders(shop)[0][3] == Decimal(21)


def test_a_line_of_twelve_billion_rupiah(shop: Shop, tmp_path: Path) -> None:
    import_text(shop, tmp_path, "order,customer,date,qty,price,sku\n1,a,2026-01-01,1000,12500000.50,x\n")
    assert orders(shop)[0][3] == Decimal("12500000500")


DATES: list[tuple[list[str], list[str], str]] = [
    (["03/01/2026", "02/01/2026"], ["2026-01-02", "2026-01-03"], "other way round"),
    (["03/01/2026", "22/01/2026"], ["2026-01-03", "2026-01-22"], ""),
    (["03/01/2026", "01/22/2026"], ["2026-01-22", "2026-03-01"], ""),
    (["3/1/2026 21:30", "22/1/2026 08:05"], ["2026-01-03", "2026-01-22"], ""),
    (["20260103", "20260122"], ["2026-01-03", "2026-01-22"], ""),
    (["3 Jan 2026", "22 Jan 2026"], ["2026-01-03", "2026-01-22"], ""),
    (["2026-01-03T10:00", "2026-01-22"], ["2026-01-03", "2026-01-22"], ""),
    # 20:00 UTC is three in the morning of the next day in Jakarta.
    (["2026-01-03T20:00:00Z", "2026-01-22T10:00:00.123Z"], ["2026-01-04", "2026-01-22"], ""),
    (["2026-01-03 20:00:00 UTC", "2026-01-22 10:00:00 UTC"], ["2026-01-04", "2026-01-22"], ""),
    (["2026-01-03 23:30:00 +0700", "2026-01-03 23:30:00 -0500"], ["2026-01-03", "2026-01-04"], ""),
    (["2026-01-03T20:00:00+00:00", "2026-01-22T20:00:00"], ["2026-01-04", "2026-01-22"], ""),
]


def test_dates(shop: Shop, tmp_path: Path) -> None:
    for case, (written, days, note) in enumerate(DATES):
        rows = "".join(f"{case}-{n},c{case},{text},1\n" for n, text in enumerate(written, start=1))
        report = import_text(shop, tmp_path, "order,customer,date,amount\n" + rows)
        found = [day.isoformat() for customer, _, day, _ in orders(shop) if customer == f"c{case}"]
        assert (written, found) == (written, days)
        assert ("other way round" in " ".join(report.files[0].understood.notes)) == bool(note)


def test_the_whole_column_decides_between_day_and_month(shop: Shop, tmp_path: Path) -> None:
    """Only the last of 25,000 dates shows that the month comes first."""
    rows = "".join(f"{n},c,01/02/2026,1\n" for n in range(25_000))
    import_text(shop, tmp_path, f"order,customer,date,amount\n{rows}x,c,01/13/2026,1\n")
    assert {d.isoformat() for _, _, d, _ in orders(shop)} == {"2026-01-02", "2026-01-13"}


def test_days_follow_the_shops_zone(make_shop: Callable[..., Shop], tmp_path: Path) -> None:
    shop = make_shop(time_zone="Asia/Kuala_Lumpur")
    import_text(shop, tmp_path, "order,customer,date,amount\n1,a,2026-01-31 23:30,1\n")
    assert orders(shop) == [("a", dt.datetime(2026, 1, 31, 15, 30, tzinfo=dt.UTC), dt.date(2026, 1, 31), Decimal(1))]


VALUES = {
    Kind.TEXT: "x{n}", Kind.INSTANT: "2026-01-0{n} 23:30:00", Kind.DAY: "2026-01-0{n}", Kind.INTEGER: "{n}",
    Kind.AMOUNT: "{n}.25", Kind.RATE: "{n}.00012345", Kind.FLAG: "true",
}  # fmt: skip


def test_the_native_layout_of_every_table(shop: Shop, tmp_path: Path) -> None:
    """All columns, then only the required ones: what is missing is null or has its documented stand-in."""
    for name in FACTS:
        check_native(shop, tmp_path, name)


def check_native(shop: Shop, tmp_path: Path, name: str) -> None:
    table = FACTS[name]
    required = tuple(field for field in table.fields if field.required)
    # A CSV of one column is refused, so a table with one required column gets a second.
    few = required if len(required) > 1 else (*required, table.field("name"))
    for number, fields in enumerate((table.fields, few), start=1):
        path = tmp_path / f"{name}.csv"
        values = [VALUES[field.kind].format(n=number) for field in fields]
        path.write_text(",".join(f.name for f in fields) + "\n" + ",".join(values) + "\n", encoding="utf-8")
        report = shop.import_files([path])
        assert report.files[0].understood.format == f"Setia's own layout: {name}"
        assert report.files[0].rejected == 0
    full, bare = shop.sql(f"select * from {name} order by {table.key[0]}").to_pylist()
    assert all(value is not None for value in full.values())
    for field in table.fields:
        if field in few:
            assert bare[field.name] is not None
        elif field.default == "order_id" or field.default == "return_id":
            assert bare[field.name] == bare[field.default]
        elif field.default is not None:
            assert bare[field.name] == dt.date(2026, 1, 2)
        elif field.name == "currency":
            assert bare[field.name] == "IDR"
        else:
            assert bare[field.name] is None


def test_a_native_key_left_empty_takes_its_stand_in(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("order_id,document_id,placed_at,day,total\n1,,2026-01-02 10:00,,5\n2,d,2026-01-02,2026-01-03,6\n")
    shop.import_files([path])
    found = shop.sql("select document_id, day from orders order by order_id").to_pylist()
    assert [tuple(row.values()) for row in found] == [("1", dt.date(2026, 1, 2)), ("d", dt.date(2026, 1, 3))]


def test_odd_headers(shop: Shop, tmp_path: Path) -> None:
    """Repeated, blank and hostile column names, and names that Setia uses itself."""
    header = 'Order,order,,"it\'s","a ""b""",{rows},problem,fingerprint_of_row,customer,date,date,amount\n'
    import_text(shop, tmp_path, header + "1,2,x,y,z,v,u,t,a,2026-01-02,,5\n")
    assert orders(shop)[0][3] == Decimal(5)
