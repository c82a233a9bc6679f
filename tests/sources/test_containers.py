"""Whatever a table is packed in, the cells that were written are the cells that are read."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setia.sources.files.container import Container, open_containers
from setia.sources.files.errors import NoTable

Table = list[list[str]]
ORDERS: Table = [["Order ID", "Customer", "Amount"], ["240101A", "Siti", "12.50"], ["240101B", "Budi", "7"]]


def cells(container: Container, delimiter: str = ",") -> Table:
    """A container's cells as DuckDB reads them; what is null as empty text."""
    path = str(container.readable)
    if container.kind != "text":
        found = duckdb.sql(f"select * from read_parquet('{path}')")
        return [found.columns, *([cell or "" for cell in row] for row in found.fetchall())]
    with container.readable.open(encoding="utf-8-sig", newline="") as file:
        names = next(csv.reader(file, delimiter=delimiter))
    columns = ", ".join(f"'c{n}': 'VARCHAR'" for n in range(len(names)))
    found = duckdb.sql(
        f"select * from read_csv('{path}', delim='{delimiter}', quote='\"', escape='\"', header=false, "
        f"columns={{{columns}}}, auto_detect=false)"
    )
    return [[cell or "" for cell in row] for row in found.fetchall()]


def as_csv(table: Table, delimiter: str = ",", end: str = "\n") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(table)
    return out.getvalue()


def workbook(sheets: dict[str, Sequence[Sequence[object]]], path: Path) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        for cell in (cell for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)):
            # What begins with an equals sign is text here, no formula.
            cell.data_type = "s"
    book.save(path)
    return book


def as_json(table: Table) -> list[dict[str, str]]:
    return [dict(zip(table[0], row, strict=True)) for row in table[1:]]


def zipped(name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return out.getvalue()


# Random tables.

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be")
CELL = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs"), exclude_characters="\u0085\ufeff"), max_size=9
).map(str.strip)
NAMES = st.lists(st.sampled_from(["No. Pesanan", "名字", "Großhändler", "a,b", 'say "x"', "Jumlah"]), min_size=2,
                 max_size=5, unique=True)  # fmt: skip


@st.composite
def tables(draw: st.DrawFn) -> Table:
    names = draw(NAMES)
    # The first cell holds something, so that no row is blank.
    rows = draw(st.lists(st.tuples(st.integers(0, 10**9).map(str), *[CELL] * (len(names) - 1)), min_size=2, max_size=6))
    return [names, *map(list, rows)]


def write_xlsx(table: Table, path: Path) -> None:
    workbook({"Orders": table}, path)


def write_json(wrap: Callable[[list[dict[str, str]]], str]) -> Callable[[Table, Path], None]:
    def write(table: Table, path: Path) -> None:
        path.write_text(wrap(as_json(table)), encoding="utf-8")

    return write


def write_parquet(table: Table, path: Path) -> None:
    pq.write_table(pa.table({name: [row[n] for row in table[1:]] for n, name in enumerate(table[0])}), path)


WRITERS: dict[str, Callable[[Table, Path], None]] = {
    "xlsx": write_xlsx,
    "jsonl": write_json(lambda rows: "\n".join(json.dumps(row) for row in rows)),
    "json": write_json(lambda rows: json.dumps(rows, indent=1, ensure_ascii=False)),
    "json within": write_json(lambda rows: json.dumps({"ok": True, "page": [1, 2], "data": {"orders": rows}})),
    "parquet": write_parquet,
}


def packed(content: bytes, packing: str) -> bytes:
    match packing:
        case "gzip":
            return gzip.compress(content)
        case "zstd":
            return pa.compress(content, "zstd", asbytes=True)
        case "zip":
            return zipped("orders.csv", content)
    return content


@settings(max_examples=60, deadline=None)
@given(tables(), st.sampled_from(",;\t|"), st.sampled_from(ENCODINGS), st.sampled_from(["\n", "\r\n"]),
       st.sampled_from(["", "gzip", "zstd", "zip"]))  # fmt: skip
def test_text_in_any_encoding_and_packing(table: Table, delimiter: str, encoding: str, end: str, packing: str) -> None:
    content = as_csv(table, delimiter, end).encode(encoding)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "orders.csv")
        path.write_bytes(packed(content, packing))
        (container,) = open_containers(path, Path(folder))
        assert cells(container, delimiter) == table


@settings(max_examples=40, deadline=None)
@given(tables(), st.sampled_from(sorted(WRITERS)), st.sampled_from(["", "gzip", "zstd"]))
def test_other_containers(table: Table, kind: str, packing: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "orders.bin")
        WRITERS[kind](table, path)
        path.write_bytes(packed(path.read_bytes(), packing))
        (container,) = open_containers(path, Path(folder))
        assert cells(container) == table


CHINESE = "訂單編號,姓名,金額\n" + "1001,陳大文,25\n1002,李小明,30\n1003,黃美玲,12\n"
LETTERS = {
    "gb18030": "订单编号,姓名,金额\n1001,陈大文,25\n1002,李小明,30\n",
    "big5": CHINESE,
    "cp932": "注文番号,名前,金額\n1001,たなか,25\n1002,すずき,30\n",
    "cp1252": "order,name,amount\n1,Françoise Müller,25\n2,José Peña,30\n",
    "cp1251": "заказ,имя,сумма\n" + "1001,Иван Петров купил новые книги и заказал доставку на дом,25\n" * 9,
}


@pytest.mark.parametrize("encoding", LETTERS)
def test_encodings_without_a_mark(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(LETTERS[encoding].encode(encoding))
    (container,) = open_containers(path, tmp_path)
    assert container.readable.read_text(encoding="utf-8") == LETTERS[encoding]
    assert "letters are read as" in container.notes[0]


# Workbooks.


def test_every_kind_of_cell(tmp_path: Path) -> None:
    path = tmp_path / "orders.xlsx"
    moment = dt.datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001
    row = ["a", moment, dt.date(2026, 1, 2), 12.0, 0.1 + 0.2, 240101123456789, 1e22, True, dt.time(3, 4), "x\ny"]
    book = workbook({"Orders": [[f"c{n}" for n in range(11)], row]}, path)
    book["Orders"]["K2"] = "#N/A"
    book["Orders"]["K2"].data_type = "e"
    book.save(path)
    (container,) = open_containers(path, tmp_path)
    assert cells(container)[1] == [
        "a", "2026-01-02 03:04:05", "2026-01-02", "12", "0.3", "240101123456789", "1" + "0" * 22, "true", "03:04:00",
        "x\ny", "",
    ]  # fmt: skip


def test_sheets_are_tables_and_odd_ones_are_told(tmp_path: Path) -> None:
    path = tmp_path / "orders.xlsx"
    sheets = {"Orders": ORDERS, "Items": ORDERS[:2], "Read me": [["explanation"]], "Lists": ORDERS, "Empty": []}
    book = workbook(sheets, path)
    book["Lists"].sheet_state = "hidden"
    book.create_chartsheet("Chart")
    book.save(path)
    first, second = open_containers(path, tmp_path)
    assert [first.name, second.name] == ["orders.xlsx, sheet Orders", "orders.xlsx, sheet Items"]
    assert first.notes == (
        "The sheet Read me was left out: it has one column only",
        "The sheet Lists was left out: it is hidden",
        "The sheet Empty was left out: it is empty",
        "The sheet Chart was left out: it holds a chart or a macro",
    )
    assert cells(second) == ORDERS[:2]


def test_a_header_of_merged_rows_and_blank_rows(tmp_path: Path) -> None:
    path = tmp_path / "orders.xlsx"
    rows: list[list[object]] = [
        ["Order", "Customer", None], [None, "Name", "Phone"], ["1", "Siti", "60123"], [], ["2", "Budi", "62811"], []
    ]  # fmt: skip
    book = workbook({"Orders": rows}, path)
    book["Orders"].merge_cells("A1:A2")
    book["Orders"].merge_cells("B1:C1")
    book.save(path)
    (container,) = open_containers(path, tmp_path)
    assert container.readable.read_text() == "Order,Customer Name,Customer Phone\n1,Siti,60123\n\n2,Budi,62811\n"


@pytest.mark.parametrize("content", [
    '<html><body><table border=1><tr><th>Order&nbsp;ID<th>Customer<th>Amount</tr><tr><td>240101A<td><b>Siti</b>'
    "<td>12.50<tr><td>240101B<td>Budi<td>7</table></body></html>",
    '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook xmlns:ss="x"><Worksheet ss:Name="S"><Table>'
    "<Row><Cell><Data>Order ID</Data></Cell><Cell><Data>Customer</Data></Cell><Cell><Data>Amount</Data></Cell></Row>"
    '<Row><Cell><Data>240101A</Data></Cell><Cell><Data>Siti</Data></Cell><Cell ss:Index="3"><Data>12.50</Data></Cell>'
    "</Row><Row><Cell><Data>240101B</Data></Cell><Cell><Data>Budi</Data></Cell><Cell><Data>7</Data></Cell></Row>"
    "</Table></Worksheet></Workbook>",
    as_csv(ORDERS),
])  # fmt: skip
def test_xls_that_is_none(content: str, tmp_path: Path) -> None:
    path = tmp_path / "orders.xls"
    path.write_text(content, encoding="utf-8")
    (container,) = open_containers(path, tmp_path)
    assert cells(container) == ORDERS


def test_cells_of_a_page_that_cover_others(tmp_path: Path) -> None:
    path = tmp_path / "orders.xls"
    path.write_text(
        "<table><tr><td>menu</td></tr></table><table><tr><th>a</th><th colspan=2>b</th></tr>"
        "<tr><td rowspan=2>1</td><td>2</td><td>3</td></tr><tr><td>4</td><td>5</td></tr><tr><td>6</td></tr></table>"
    )
    (container,) = open_containers(path, tmp_path)
    assert cells(container) == [["a", "b", ""], ["1", "2", "3"], ["", "4", "5"], ["6", "", ""]]


# JSON.


def test_fields_of_json(tmp_path: Path) -> None:
    path = tmp_path / "orders.jsonl"
    rows: list[dict[str, Any]] = [
        {"id": 12345678901234567890, "who": {"name": "Siti", "at": {"city": "KL"}}, "items": [{"sku": "a"}], "x": None},
        {"id": "b", "who": [], "Who": True, "a/b~c": 1.5, "note": 'a "\\" [{'},
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    (container,) = open_containers(path, tmp_path)
    assert container.kind == "json"
    names, *found = cells(container)
    assert [dict(zip(names, row, strict=True)) for row in found] == [
        {"id": "12345678901234567890", "who": '{"name":"Siti","at":{"city":"KL"}}', "who.name": "Siti",
         "who.at": '{"city":"KL"}', "who.at.city": "KL", "items": '[{"sku":"a"}]', "x": "", "Who (2)": "", "a/b~c": "",
         "note": ""},
        {"id": "b", "who": "[]", "who.name": "", "who.at": "", "who.at.city": "", "items": "", "x": "",
         "Who (2)": "true", "a/b~c": "1.5", "note": 'a "\\" [{'},
    ]  # fmt: skip


def test_an_object_of_two_lists_is_two_tables(tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    path.write_text(json.dumps({"orders": as_json(ORDERS), "none": [], "shop": {"customers": as_json(ORDERS[:2])}}))
    first, second = open_containers(path, tmp_path)
    assert [first.name, second.name] == ["export.json, orders", "export.json, customers"]
    assert (cells(first), cells(second)) == (ORDERS, ORDERS[:2])


# Zip files.


def test_members_of_a_zip(tmp_path: Path) -> None:
    path, folder = tmp_path / "export.zip", tmp_path / "scratch"
    folder.mkdir()
    workbook({"Items": ORDERS}, tmp_path / "items.xlsx")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../orders.csv", as_csv(ORDERS))
        archive.writestr("/deep/items.xlsx", (tmp_path / "items.xlsx").read_bytes())
        archive.writestr("more.csv.gz", gzip.compress(as_csv(ORDERS).encode()))
        archive.writestr("invoice.pdf", b"%PDF-1.7")
        archive.writestr("read me.txt", "This is your export.\n")
        archive.writestr("old.zip", zipped("orders.csv", as_csv(ORDERS).encode()))
        archive.writestr("__MACOSX/._orders.csv", b"\x00\x05\x16\x07")
        archive.writestr(".DS_Store", b"\x00")
        archive.mkdir("folder")
    found = open_containers(path, folder)
    assert [each.name for each in found] == [
        "export.zip, ../../orders.csv", "export.zip, /deep/items.xlsx, sheet Items", "export.zip, more.csv.gz"
    ]  # fmt: skip
    assert all(cells(each) == ORDERS for each in found)
    assert [note.split(" was left out")[0] for note in found[0].notes] == ["invoice.pdf", "read me.txt", "old.zip"]
    assert all(folder in each.readable.parents for each in found)


def test_a_zip_without_tables(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    path.write_bytes(zipped("invoice.pdf", b"%PDF-1.7"))
    with pytest.raises(NoTable, match=r"invoice\.pdf was left out"):
        open_containers(path, tmp_path)
