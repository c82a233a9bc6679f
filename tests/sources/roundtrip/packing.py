"""One table as the files in which it may come: text of many dialects, workbooks, JSON, Parquet, packed."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import json
import random
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

Cell = str | int | Decimal | dt.datetime | None


@dataclass(frozen=True)
class Table:
    name: str
    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]


TEXTS = ("csv", "tsv", "semicolon", "pipe")
PACKED = ("gzip", "zstd", "zip")
TYPED = ("xlsx", "parquet", "json", "jsonl")
EVERY = (*TEXTS, *PACKED, *TYPED)
DELIMITERS = {"csv": ",", "tsv": "\t", "semicolon": ";", "pipe": "|"}


def text_of(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, dt.datetime):
        return cell.isoformat(sep=" ")
    return str(cell)


def as_text(table: Table, kind: str, dice: random.Random) -> bytes:
    """A delimited text in one of the usual encodings, the first of a random order that has all its letters."""
    out = io.StringIO(newline="")
    writer = csv.writer(
        out,
        delimiter=DELIMITERS.get(kind, ","),
        lineterminator=dice.choice(["\n", "\r\n"]),
        quoting=dice.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    )
    writer.writerow(table.header)
    writer.writerows([[text_of(cell) for cell in row] for row in table.rows])
    for encoding in dice.sample(["utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1252"], 5):
        if encoding == "cp1252" and not _is_western(out.getvalue()):
            continue
        return out.getvalue().encode(encoding)
    raise AssertionError


def _is_western(text: str) -> bool:
    """Whether a text may come in the letters of Western Europe: elsewhere few such letters are anybody's guess."""
    return text.isascii()


def as_workbook(table: Table, path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for number, row in enumerate([table.header, *table.rows], start=1):
        for position, value in enumerate(row, start=1):
            if value in (None, ""):
                continue
            cell = sheet.cell(number, position)
            cell.value = float(value) if isinstance(value, Decimal) else value
            if isinstance(value, str):
                # A text that begins like a formula is still a text.
                cell.data_type = "s"
    book.save(path)


def as_parquet(table: Table, path: Path) -> None:
    columns: dict[str, Any] = {}
    for position, name in enumerate(table.header):
        values = [row[position] for row in table.rows]
        kinds = {type(value) for value in values if value not in (None, "")}
        if len(kinds) == 1 and kinds != {str}:
            columns[name] = pa.array([None if value == "" else value for value in values])
        else:
            columns[name] = pa.array([text_of(value) for value in values])
    pq.write_table(pa.table(columns), path)


def objects(table: Table) -> list[dict[str, Any]]:
    return [
        {
            name: int(cell) if isinstance(cell, Decimal) and cell == int(cell)
            else float(cell) if isinstance(cell, Decimal)
            else cell.isoformat() if isinstance(cell, dt.datetime)
            else cell
            for name, cell in zip(table.header, row, strict=True)
        }
        for row in table.rows
    ]  # fmt: skip


def pack(tables: Sequence[Table], kind: str, folder: Path, seed: int) -> list[Path]:
    """The tables as files of their own, or as one zip."""
    dice = random.Random(seed)
    folder.mkdir(parents=True)
    if kind == "zip":
        path = folder / "export.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for table in tables:
                archive.writestr(f"{table.name}.csv", as_text(table, "csv", dice))
        return [path]
    return [_pack(table, kind, folder, dice) for table in tables]


def _pack(table: Table, kind: str, folder: Path, dice: random.Random) -> Path:
    endings = {"gzip": "csv.gz", "zstd": "csv.zst", "tsv": "tsv"}
    path = folder / f"{table.name}.{endings.get(kind, kind if kind in TYPED else 'csv')}"
    match kind:
        case "xlsx":
            as_workbook(table, path)
        case "parquet":
            as_parquet(table, path)
        case "json" | "jsonl":
            rows = [json.dumps(row, ensure_ascii=dice.random() < 0.5) for row in objects(table)]
            text = "\n".join(rows) if kind == "jsonl" else f"[{', '.join(rows)}]"
            if kind == "json" and dice.random() < 0.3:
                text = f'{{"page": 1, "data": {text}}}'
            path.write_text(text, encoding="utf-8")
        case "gzip":
            path.write_bytes(gzip.compress(as_text(table, "csv", dice)))
        case "zstd":
            path.write_bytes(pa.compress(as_text(table, "csv", dice), codec="zstd", asbytes=True))
        case _:
            path.write_bytes(as_text(table, kind, dice))
    return path
