"""Exports that somebody spoilt: refused in a sentence, or imported with every row accounted for; never half of it."""

from __future__ import annotations

import csv
import io
import json
import os
import random
import time
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from setia.app import Shop
from setia.kernel.errors import SetiaError

from .model import JAKARTA, KUALA_LUMPUR, Place, shops
from .packing import Table, as_parquet, as_workbook, objects, text_of
from .test_round_trip import FORMATS
from .writers import Format

pytestmark = pytest.mark.slow
EXAMPLES = int(os.environ.get("SETIA_FUZZ", "3"))
LONGEST_MESSAGE = 700
RISKY = ("=", "+", "-", "@", "\t", "\r")
SECONDS = 60
"""Far beyond what any small file takes, on any machine: this finds what does not end."""
_numbers = count()

Cells = list[list[str]]
Spoil = Callable[[Cells, random.Random], None]
NASTY = (
    "=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(1+9)*cmd|' /C calc'!A0", "\t=1", "\r=1", '=HYPERLINK("http://x","y")',
    "\x00", "a\x00b", '"', '""', '"open', 'a"b"c', "\n", "\r\n", "a\nb\rc", "", " ", "\u00a0", "\ufeff", "\ufeff12",
    "NaN", "inf", "-inf", "1e400", "1e-400", "9" * 40, "0x1F", "1.2.3,4,5", "--5", "(500", "12%", "Rp", "RM-", "٣٤",
    "0000-00-00", "9999-99-99", "0001-01-01", "99999-12-31", "2024-02-30", "31/31/2024", "25:61:61", "-1", "1/0",
    "{}", "[1,2", "{rows}", "{zone}", "'; drop table orders; --", "%s%n", "\\", "\\N", "NULL", "null", "true",
    "🙂" * 50, "\u202e", "\ud7ff", "x" * 5_000, "a,b;c|d\te", "<script>", "$1 \\1 \\0", "(?i)[", "C1",
)  # fmt: skip
HEADERS = (
    "", " ", "Order ID", "Nomor Pesanan", "order_id", "amount", "date", "customer", "=1+1", '"', "a" * 3_000,
    "column 1", "problem", "fingerprint_of_row", "has time", "rows", "select", "a\nb", "number", "day", "placed_at",
    "stated", "日期", "order_id (2)", "text number", "row", "setia_row", "part", "n", "document_id", "amount_mark",
    "file_name", "{rows}",
)  # fmt: skip


def _at(cells: Cells, dice: random.Random, first: int = 0) -> tuple[int, int] | None:
    rows = [n for n in range(first, len(cells)) if cells[n]]
    return (n, dice.randrange(len(cells[n]))) if rows and (n := dice.choice(rows)) >= 0 else None


def some_cells(cells: Cells, dice: random.Random) -> None:
    for _ in range(dice.choice([1, 1, 3, 20])):
        if at := _at(cells, dice, 1):
            cells[at[0]][at[1]] = dice.choice(NASTY)


def a_column(cells: Cells, dice: random.Random) -> None:
    at, value = dice.randrange(max(1, len(cells[0]))), dice.choice(NASTY)
    for row in cells[1:]:
        if at < len(row):
            row[at] = value


def swapped_columns(cells: Cells, dice: random.Random) -> None:
    one, other = (dice.randrange(max(1, len(cells[0]))) for _ in range(2))
    for row in cells[1:]:
        if max(one, other) < len(row):
            row[one], row[other] = row[other], row[one]


def a_header(cells: Cells, dice: random.Random) -> None:
    for _ in range(dice.choice([1, 1, 3])):
        if cells[0]:
            cells[0][dice.randrange(len(cells[0]))] = dice.choice([*HEADERS, *cells[0], *NASTY])


def a_missing_header(cells: Cells, dice: random.Random) -> None:
    if cells[0]:
        del cells[0][dice.randrange(len(cells[0]))]


def a_missing_column(cells: Cells, dice: random.Random) -> None:
    at = dice.randrange(max(1, len(cells[0])))
    for row in cells:
        del row[at : at + 1]


def doubled_header(cells: Cells, dice: random.Random) -> None:
    cells.insert(dice.randrange(len(cells) + 1), list(cells[0]))


def no_header(cells: Cells, dice: random.Random) -> None:
    del cells[0]


def shuffled(cells: Cells, dice: random.Random) -> None:
    head, rest = cells[0], cells[1:]
    dice.shuffle(rest)
    cells[:] = [head, *rest]


def short_rows(cells: Cells, dice: random.Random) -> None:
    for row in cells[1:]:
        if dice.random() < 0.3:
            del row[dice.randrange(len(row) + 1) :]


def long_rows(cells: Cells, dice: random.Random) -> None:
    for row in cells[1:]:
        if dice.random() < 0.3:
            row += ["more"] * dice.choice([1, 3, 300])


def doubled_rows(cells: Cells, dice: random.Random) -> None:
    cells += [list(row) for row in cells[1:] if dice.random() < 0.5]


def titles_above(cells: Cells, dice: random.Random) -> None:
    for _ in range(dice.choice([1, 2, 35])):
        cells.insert(0, [dice.choice(["Laporan Penjualan", "", "Periode", "=1+1"]), "01/01/2024 - 31/01/2024"])


def totals_below(cells: Cells, dice: random.Random) -> None:
    cells.append(["Total", *["1.234"] * (len(cells[0]) - 1)])


def blank_rows(cells: Cells, dice: random.Random) -> None:
    for _ in range(3):
        cells.insert(dice.randrange(len(cells) + 1), dice.choice([[], [""] * len(cells[0])]))


def sideways(cells: Cells, dice: random.Random) -> None:
    width = max(map(len, cells))
    cells[:] = [[row[n] if n < len(row) else "" for row in cells] for n in range(width)]


def very_wide(cells: Cells, dice: random.Random) -> None:
    many = dice.choice([300, 6_000])
    for row in cells:
        row += [text for _ in range(many // max(1, len(row))) for text in list(row)]


def a_huge_cell(cells: Cells, dice: random.Random) -> None:
    if at := _at(cells, dice, 1):
        cells[at[0]][at[1]] = dice.choice(["x", "9", "a b ", '"', "\n"]) * dice.choice([300_000, 10_000_000])


SPOILS: tuple[Spoil, ...] = (
    some_cells, some_cells, some_cells, a_column, a_column, swapped_columns, a_header, a_header, a_missing_header,
    a_missing_column, doubled_header, no_header, shuffled, short_rows, long_rows, doubled_rows, titles_above,
    totals_below, blank_rows, sideways, very_wide, a_huge_cell,
)  # fmt: skip


def some_bytes(raw: bytes, dice: random.Random) -> bytes:
    """What happens to a file beneath its cells."""
    match dice.randrange(14):
        case 0:
            return raw[: dice.randrange(len(raw) + 1)]
        case 1:
            at = dice.randrange(len(raw) + 1)
            return raw[:at] + dice.choice([b"\xef\xbb\xbf", b"\x00", b"\xff\xfe", b"\r", b'"', b"\x1a"]) + raw[at:]
        case 2:
            lines = raw.splitlines()
            return b"".join(line + dice.choice([b"\n", b"\r\n", b"\r"]) for line in lines)
        case 3:
            return raw + dice.choice([raw, b"\n\n\n", b'"', b"\x00" * 100])
        case 4:
            return b"\xef\xbb\xbf" + raw + b"\xef\xbb\xbf" + raw
        case 5:
            return raw.replace(b'"', b"")
        case 6:
            return raw.decode("utf-8", errors="replace").encode(dice.choice(["utf-16", "utf-32", "utf-7"]), "replace")
        case _:
            return raw


def as_file(path: Path, form: Format, cells: Cells, dice: random.Random) -> Path:
    width = max((len(row) for row in cells), default=0)
    kind = dice.choice(["csv", "csv", "csv", "tsv", "semicolon", "xlsx", "parquet", "json"])
    light = width < 1000 and sum(len(cell) for row in cells for cell in row) < 20_000
    header = [text or f"c{n}" for n, text in enumerate(cells[0] if cells else [])]
    square = light and len(header) > 1 and len(set(header)) == len(header)
    if kind == "xlsx" and light:
        clean = [["".join(c for c in text if c >= " " or c in "\t\n") for text in row] for row in cells]
        as_workbook(Table("x", clean[0] if clean else [], clean[1:]), path.with_suffix(".xlsx"))
        return path.with_suffix(".xlsx")
    if kind in ("parquet", "json") and square:
        rows = [[*row[: len(header)], *[""] * (len(header) - len(row))] for row in cells[1:]]
        table = Table("x", header, rows)
        if kind == "parquet":
            as_parquet(table, path.with_suffix(".parquet"))
            return path.with_suffix(".parquet")
        path = path.with_suffix(".json")
        path.write_bytes(some_bytes(json.dumps(objects(table)).encode(), dice))
        return path
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter={"tsv": "\t", "semicolon": ";"}.get(kind, ","))
    writer.writerows(cells)
    path.write_bytes(some_bytes(out.getvalue().encode("utf-8", "replace"), dice))
    return path


@settings(
    max_examples=EXAMPLES,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    report_multiple_bugs=False,
)
@given(data=st.data())
@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_a_spoilt_export_is_refused_or_accounted_for(
    emptied: Callable[[Place], Shop], tmp_path: Path, form: Format, data: st.DataObject
) -> None:
    place = data.draw(st.sampled_from([JAKARTA, KUALA_LUMPUR]))
    seed = data.draw(st.integers(0, 1_000_000))
    spoils = data.draw(st.lists(st.sampled_from(SPOILS), max_size=3))
    orders = [form.suits(order, place) for order in data.draw(shops(place, form.lacks))]
    dice = random.Random(seed)
    files = []
    folder = tmp_path / str(next(_numbers))
    folder.mkdir()
    for table in form.write(orders, place, dice, typed=False):
        cells = [list(table.header), *[[text_of(cell) for cell in row] for row in table.rows]]
        for spoil in spoils:
            if cells:
                spoil(cells, dice)
        files.append(as_file(folder / f"{table.name}.csv", form, cells, dice))
    note(f"{[spoil.__name__ for spoil in spoils]} {files}")
    shop = emptied(place)
    before = snapshots(shop)
    began = time.monotonic()
    try:
        report = shop.import_files(files)
    except SetiaError as refused:
        message = str(refused)
        for file in files:
            message = message.replace(str(file), file.name)
        assert 20 < len(message) < LONGEST_MESSAGE, message
        assert "Traceback" not in message
        assert "\x00" not in message
        assert snapshots(shop) == before
        assert shop.sql("select count(*) as n from orders").to_pylist() == [{"n": 0}]
        return
    finally:
        assert time.monotonic() - began < SECONDS
    if len(files) == 1 and files[0].suffix == ".parquet":
        # No row is lost and none is made up.
        assert [file.rows + file.others for file in report.files] == [pq.read_metadata(files[0]).num_rows]
    rejected = sum(file.rejected for file in report.files)
    for file in report.files:
        assert 0 <= file.rejected <= file.rows
        assert file.others >= 0
        assert file.erased == 0
    if rejected:
        assert report.rejects is not None
        harmless(report.rejects, rejected)
    else:
        assert report.rejects is None
    if report.snapshot is not None:
        assert snapshots(shop) != before
    assert shop.import_files(files).snapshot is None


def snapshots(shop: Shop) -> int:
    with shop.store.begin() as tx:
        return int(tx.exec_driver_sql("select count(*) from snapshots").scalar() or 0)


def harmless(rejects: Path, count: int) -> None:
    """A spreadsheet that opens the file runs nothing."""
    with rejects.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert len(rows) - 1 == count
    assert not [cell for row in rows for cell in row if cell.startswith(RISKY)]


def test_spoilers_spoil() -> None:
    """What is not changed by any seed tests nothing."""

    def spoilt(spoil: Spoil, seed: int) -> Sequence[Sequence[str]]:
        cells = [["a", "b", "c"], *[[f"{n}", "y", "z"] for n in range(9)]]
        spoil(cells, random.Random(seed))
        return cells

    for spoil in SPOILS:
        assert any(spoilt(spoil, seed) != spoilt(lambda *_: None, seed) for seed in range(5)), spoil
