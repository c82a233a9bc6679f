"""Files that are not what they say: one clear sentence each, and nothing changes."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from setia.app import Shop
from setia.kernel.errors import SetiaError
from setia.sources.files.errors import RowsRejected

HEADER = b"order,customer,date,amount\n"
GOOD = HEADER + b"1,a,2026-01-02,10\n"

BAD: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "files.empty"),
    "empty inside gzip": (gzip.compress(b""), "files.empty"),
    "header alone": (HEADER, "files.no_rows"),
    "header without a line end": (HEADER.strip(), "files.no_rows"),
    "blank lines alone": (b"\n\n\n", "files.not_a_table"),
    "one column": (b"date\n2026-01-01\n", "files.not_a_table"),
    "no date": (b"order,customer,amount\n1,a,2\n", "files.column_missing"),
    "no amount": (b"order,customer,date\n1,a,2026-01-01\n", "files.column_missing"),
    "no customer": (b"order,date,amount\n1,2026-01-01,3\n", "files.column_missing"),
    "blank header": (b",,,\n1,a,2026-01-01,3\n", "files.column_missing"),
    "unreadable dates": (HEADER + b"1,a,yesterday,2\n", "files.column_unreadable"),
    "unreadable amounts": (HEADER + b"1,a,2026-01-01,free\n", "files.column_unreadable"),
    "empty amounts": (HEADER + b"1,a,2026-01-01,\n", "files.column_unreadable"),
    "no row usable": (HEADER + b",a,2026-01-01,5\n,b,2026-01-01,6\n", "files.nothing_usable"),
    "dates of no time": (HEADER + b"1,a,99999-01-01,5\n2,b,infinity,5\n3,b,0001-01-01,5\n", "files.column_unreadable"),
    "binary rubbish": (bytes(range(256)) * 100, "files.not_a_table"),
    "binary rubbish without zeros": (bytes(range(1, 256)) * 100, "files.not_a_table"),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)), "files.not_a_table"),
    "a spreadsheet": (b"PK\x03\x04\x14\x00\x06\x00" + bytes(range(256)), "files.not_a_table"),
    "a web page": (b"<html><body>log in, please</body></html>\n<p>,</p>\n", "files.column_missing"),
    "JSON lines": (b'{"order": 1}\n{"order": 2}\n', "files.not_a_table"),
    "a zero byte": (HEADER + b"1,a\x00,2026-01-01,3\n", "files.not_a_table"),
    "gzip cut off": (gzip.compress(GOOD * 5000)[:-30], "files.truncated"),
    "gzip of three bytes": (b"\x1f\x8b\x08", "files.truncated"),
    "zstd cut off": (b"\x28\xb5\x2f\xfd\x00\x01", "files.truncated"),
    "parquet cut off": (b"PAR1" + b"abc" * 100, "files.truncated"),
    "a line of ten million": (HEADER + b"1,a,2026-01-01," + b"9" * 10_000_000, "files.line_too_long"),
    "the same in UTF-16": ((HEADER + b"9" * 3_000_000).decode().encode("utf-16"), "files.line_too_long"),
    "a header of 200,000": (b"x" * 200_000 + b",b\n1,2\n", "files.not_a_table"),
    "UTF-16 cut in a letter": (GOOD.decode().encode("utf-16") + b"\x00", "files.not_a_table"),
    "zeros in UTF-16": ((GOOD + b"2,b\x00,2026-01-02,3\n").decode().encode("utf-16"), "files.not_a_table"),
    "letters of no encoding": (HEADER + b"1,a\x81\x8d,2026-01-02,10\n", "files.not_a_table"),
    "a quote left open": (HEADER + b'1,"a,2026-01-01,3\n' + b"2,b,2026-01-02,4\n" * 10, "files.quote_not_closed"),
    "a quote left open, large": (
        GOOD + b'2,"a,2026-01-01,3\n' + b"3,b,2026-01-02,4\n" * 400_000,
        "files.quote_not_closed",
    ),
    "amounts beyond measure": (HEADER + b"1,a,2026-01-01,99999999999999\n" * 2, "files.amounts_too_large"),
}


def snapshots(shop: Shop) -> list[Any]:
    with shop.store.begin() as tx:
        return list(tx.exec_driver_sql("select id from snapshots"))


def test_each_says_what_is_wrong_and_changes_nothing(shop: Shop, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_bytes(GOOD)
    for name, (content, code) in BAD.items():
        bad.write_bytes(content)
        with pytest.raises(SetiaError) as raised:
            # A good file in the same command is not imported either.
            shop.import_files([good, bad])
        assert (name, raised.value.code) == (name, code)
        assert str(bad) in str(raised.value) or code == "files.amounts_too_large"
        assert len(str(raised.value)) < 700
    for missing in (tmp_path / "nothing.csv", tmp_path):
        with pytest.raises(SetiaError) as raised:
            shop.import_files([missing])
        assert raised.value.code == "files.missing"
    assert snapshots(shop) == []
    assert not list((shop.folder / "rejects").glob("*"))
    assert not list((shop.folder / "scratch").iterdir())


def test_a_parquet_file_cut_in_the_middle(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "orders.parquet"
    pq.write_table(pa.table({"customer": ["a"] * 9, "date": ["2026-01-01"] * 9, "amount": [1.5] * 9}), path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(SetiaError) as raised:
        shop.import_files([path])
    assert raised.value.code == "files.truncated"


def test_a_mapping_that_names_what_is_not_there(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(GOOD)
    for mapping in ({"amount": "sum"}, {"colour": "amount"}):
        with pytest.raises(SetiaError) as raised:
            shop.import_files([path], mapping=mapping)
        assert raised.value.code == "files.mapping_wrong"


REJECTED = b"""order,customer,date,amount
1,"a
b",2026-01-02,10
2,b,soon,11
3
4,d,2026-01-04,=9+9

,e,2026-01-05,12
6,f,2026-01-06,13,14
7,"g "x" h",2026-01-07,14
8,h,2026-01-08,15
9,i,2026-02-30,15
"""


def test_bad_rows_are_kept_with_row_column_and_reason(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(REJECTED)
    report = shop.import_files([path])
    assert report.rejects is not None
    assert report.rejects.read_text(encoding="utf-8").splitlines() == [
        "file,row,column,reason,content",
        'log.csv,3,date,unreadable,"2,b,soon,11"',
        "log.csv,4,,missing columns,3",
        'log.csv,5,amount,unreadable,"4,d,2026-01-04,=9+9"',
        'log.csv,7,order,empty,",e,2026-01-05,12"',
        'log.csv,8,,too many columns,"6,f,2026-01-06,13,14"',
        'log.csv,9,,unquoted value,"7,""g ""x"" h"",2026-01-07,14"',
        'log.csv,11,date,unreadable,"9,i,2026-02-30,15"',
    ]
    assert (report.files[0].rows, report.files[0].rejected) == (9, 7)
    assert shop.sql("select order_id from orders order by all").to_pydict() == {"order_id": ["1", "8"]}


def test_two_files_keep_their_rejects_apart(shop: Shop, tmp_path: Path) -> None:
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    first.write_bytes(GOOD + b"2\n")
    second.write_bytes(HEADER + b"5,e,2026-01-02,10\n6,f,2026-01-02,x\n7,f,2026-01-02,2\n")
    report = shop.import_files([first, second])
    assert [file.rejected for file in report.files] == [1, 1]
    assert report.rejects is not None
    assert [line.split(",")[:2] for line in report.rejects.read_text().splitlines()[1:]] == [
        ["first.csv", "3"],
        ["second.csv", "3"],
    ]


def test_strict_refuses_everything(shop: Shop, tmp_path: Path, all_facts: Callable[[Shop], Any]) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_bytes(GOOD)
    bad.write_bytes(HEADER + b"2,b,2026-01-02,3\n" * 5 + b"3,c,2026-01-02,x\n")
    before = all_facts(shop)
    with pytest.raises(RowsRejected, match="row 7: amount is unreadable"):
        shop.import_files([good, bad], strict=True)
    assert all_facts(shop) == before
    assert snapshots(shop) == []


def test_a_cell_that_looks_like_a_formula_does_not_run(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(GOOD.replace(b"order,customer", b"customer,order") + b"=1+1,2,2026-01-01,x\n")
    report = shop.import_files([path])
    assert report.rejects is not None
    assert "'=1+1" in report.rejects.read_text()
