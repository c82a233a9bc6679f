"""Files made to break the reader: each is refused with one clear sentence, in bounded time and memory."""

from __future__ import annotations

import gzip
import io
import json
import tempfile
import tracemalloc
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setia.kernel.errors import SetiaError
from setia.sources.files.container import Limits, open_containers
from setia.sources.files.errors import (
    DiskFull,
    FileEncrypted,
    FileTruncated,
    NoTable,
    NotATable,
    SheetTooLarge,
    TooManyColumns,
    TooManyParts,
    UnpacksTooLarge,
)

CSV = b"order,customer,amount\n" + b"".join(b"%d,Siti,%d\n" % (n, n) for n in range(60))
HTML = b"<table><tr><th>a</th><th>b</th></tr>" + b"<tr><td>1</td><td colspan=2>x &amp; y</td></tr>" * 20 + b"</table>"
ROWS = [{"order": n, "who": {"name": "Siti"}, "items": [1, "a"]} for n in range(30)]
SHEET = "xl/worksheets/sheet1.xml"
SHEET_HEAD = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'


def in_zip(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


@cache
def xlsx() -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    for row in (["order", "customer", "amount"], *([n, "Siti", n / 4] for n in range(30))):
        book.worksheets[0].append(row)
    book.save(out)
    return out.getvalue()


def xlsx_with(**parts: str) -> bytes:
    """The workbook with other content in some of its parts."""
    names = {"sheet": SHEET, "book": "xl/workbook.xml"}
    with zipfile.ZipFile(io.BytesIO(xlsx())) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    return in_zip(members | {names[name]: content.encode() for name, content in parts.items()})


@cache
def parquet() -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({"order": list(range(30)), "who": ["Siti"] * 30}), out)
    return out.getvalue()


KINDS: dict[str, Callable[[], bytes]] = {
    "csv": lambda: CSV,
    "utf-16": lambda: CSV.decode().encode("utf-16"),
    "gb18030": lambda: ("订单,姓名\n" + "1,陈大文\n" * 20).encode("gb18030"),
    "html": lambda: HTML,
    "json": lambda: json.dumps(ROWS).encode(),
    "json within": lambda: json.dumps({"data": {"orders": ROWS}}).encode(),
    "jsonl": lambda: b"\n".join(json.dumps(row).encode() for row in ROWS),
    "gzip": lambda: gzip.compress(CSV),
    "zstd": lambda: pa.compress(CSV, "zstd", asbytes=True),
    "zip": lambda: in_zip({"a.csv": CSV, "b.json": json.dumps(ROWS).encode(), "c.pdf": b"%PDF"}),
    "parquet": parquet,
    "xlsx": xlsx,
}


def opened(content: bytes, limits: Limits | None = None, name: str = "orders.bin") -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, scratch = Path(folder, name), Path(folder, "scratch")
        path.write_bytes(content)
        scratch.mkdir()
        open_containers(path, scratch, limits)


def damaged(content: bytes, random: Random) -> bytes:
    """The bytes cut, with some changed, a piece twice, or a piece gone."""
    found = bytearray(content)
    for _ in range(random.randint(1, 4)):
        here, there = sorted(random.randrange(len(found) + 1) for _ in range(2))
        match random.randrange(4):
            case 0:
                del found[there:]
            case 1:
                found[here : here + 4] = random.randbytes(4)
            case 2:
                found[here:here] = found[here:there]
            case 3:
                del found[here : min(there, here + 40)]
    return bytes(found)


@settings(max_examples=250, deadline=None)
@given(st.sampled_from([kind for kind in KINDS if kind != "xlsx"]), st.integers(0, 2**32))
def test_damaged_files_raise_errors_of_setia_alone(kind: str, seed: int) -> None:
    try:
        opened(damaged(KINDS[kind](), Random(seed)))
    except SetiaError as problem:
        assert len(str(problem)) < 900


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_damaged_workbooks(seed: int) -> None:
    random = Random(seed)
    content = damaged(xlsx(), random)
    if random.random() < 0.5:
        with zipfile.ZipFile(io.BytesIO(xlsx())) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        name = random.choice(sorted(members))
        content = in_zip(members | {name: damaged(members[name], random)})
    try:
        opened(content, name="orders.xlsx")
    except SetiaError as problem:
        assert len(str(problem)) < 900


@settings(max_examples=120, deadline=None)
@given(
    st.sampled_from([b"", b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b\x08\x00", b"\x28\xb5\x2f\xfd", b"PAR1", b"{", b"[{",
                     b"<table", b"\xff\xfe", b"\xff\xfe\x00\x00", b"\xef\xbb\xbf"]),
    st.binary(max_size=400),
)  # fmt: skip
def test_random_bytes(start: bytes, rest: bytes) -> None:
    try:
        opened(start + rest)
    except SetiaError as problem:
        assert len(str(problem)) < 900


def test_random_bytes_like_an_old_workbook() -> None:
    with pytest.raises(SetiaError):
        opened(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + Random(1).randbytes(5000))


def locked(content: bytes) -> bytes:
    """A zip whose every member says that it is encrypted."""
    found = bytearray(content)
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        here = found.find(mark)
        while here >= 0:
            found[here + at] |= 1
            here = found.find(mark, here + 1)
    return bytes(found)


FAR_CELL = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'
SHEETS = "".join(f'<sheet name="s{n}" sheetId="{n}" r:id="rId1"/>' for n in range(1, 2_000))
BOOK = (
    '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>{}</sheets></workbook>'
)
HOSTILE: dict[str, tuple[Callable[[], bytes], type[SetiaError]]] = {
    "a locked zip": (lambda: locked(in_zip({"orders.csv": CSV})), FileEncrypted),
    "a zip cut off": (lambda: in_zip({"orders.csv": CSV})[:-30], FileTruncated),
    "an empty zip": (lambda: in_zip({}), NoTable),
    "a zip of a zip": (lambda: in_zip({"a.zip": in_zip({"orders.csv": CSV})}), NoTable),
    "a zip of many files": (lambda: in_zip({f"{n}.csv": b"a" for n in range(10_001)}), TooManyParts),
    "gzip in gzip in gzip": (lambda: gzip.compress(gzip.compress(gzip.compress(gzip.compress(CSV)))), NotATable),
    "a workbook cut off": (lambda: xlsx()[:-400], FileTruncated),
    "a workbook without cells": (lambda: xlsx_with(sheet=f"{SHEET_HEAD}</sheetData></worksheet>"), NoTable),
    "a far cell": (lambda: xlsx_with(sheet=f"{SHEET_HEAD}{FAR_CELL}</sheetData></worksheet>"), SheetTooLarge),
    "many sheets": (lambda: xlsx_with(book=BOOK.format(SHEETS)), TooManyParts),
    "parquet cut off": (lambda: parquet()[:-20], FileTruncated),
    "a million columns": (lambda: b",".join(b"%d" % n for n in range(1_000_000)) + b"\n", TooManyColumns),
    "6,000 columns": (lambda: b";".join(b"c%d" % n for n in range(6_000)) + b"\n1;2\n", TooManyColumns),
    "6,000 fields": (lambda: json.dumps([{f"c{n}": n for n in range(6_000)}]).encode(), TooManyColumns),
    "6,000 cells": (lambda: b"<table><tr>" + b"<td>a" * 6_000 + b"</table>", TooManyColumns),
    "deep JSON": (lambda: b'{"a":' * 100_000, NotATable),
    "deep lists": (lambda: b'[{"a":' + b"[" * 1_000_000, NotATable),
    "JSON cut off": (lambda: json.dumps(ROWS).encode()[:-10], FileTruncated),
    "JSON of numbers": (lambda: b'{"a":1}', NotATable),
    "a tag without end": (lambda: b"<table><tr><td " + b"a" * 3_000_000, NotATable),
    "a comment without end": (lambda: b"<table><tr><td><!--" + b"-" * 3_000_000, NotATable),
    "many tags without end": (lambda: b"<table><tr><td>" + b"<a" * 1_000_000, NotATable),
    "many tables": (lambda: b"<table><tr><td>a<td>b</table>" * 600, TooManyParts),
    "tables in tables": (lambda: b"<table><tr><td>" * 600, TooManyParts),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files(name: str) -> None:
    content, expected = HOSTILE[name]
    with pytest.raises(SetiaError) as raised:
        opened(content())
    assert type(raised.value) is expected
    assert len(str(raised.value)) < 900


def zip_bomb(path: Path, size: int) -> None:
    piece = bytes(1 << 20)
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("orders.csv", "w", force_zip64=True) as out,
    ):
        for _ in range(size >> 20):
            out.write(piece)


def test_bombs_are_refused_without_unpacking_them(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    bomb, packed = tmp_path / "bomb.zip", tmp_path / "bomb.gz"
    zip_bomb(bomb, 64 << 20)
    packed.write_bytes(gzip.compress(bytes(64 << 20)))
    for path in (bomb, packed):
        tracemalloc.start()
        try:
            with pytest.raises(UnpacksTooLarge, match=r"but would unpack to \d+\.\d MB"):
                open_containers(path, scratch, Limits(ratio_from=16 << 20))
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert most < 32 << 20
    assert sum(file.stat().st_size for file in scratch.rglob("*")) < 32 << 20


def test_a_full_disk_is_said_before_it_is_full(tmp_path: Path) -> None:
    (tmp_path / "orders.csv.gz").write_bytes(gzip.compress(CSV))
    with pytest.raises(DiskFull, match="needs"):
        open_containers(tmp_path / "orders.csv.gz", tmp_path, Limits(spare=1 << 62))
    assert [file.stat().st_size for file in tmp_path.iterdir() if file.suffix != ".gz"] == [0]
