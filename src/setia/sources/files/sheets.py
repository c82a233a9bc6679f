"""Excel and OpenDocument workbooks, sheet by sheet to CSV.

The library that reads them holds a whole sheet in memory and ends its process where that cannot be had, so workbooks
are read in a process of their own, with limits on its memory, time and output. This module is that process's program
too.
"""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import itertools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from setia.kernel.i18n import N_, Sentence
from setia.sources.files.errors import (
    FileEncrypted,
    FileTruncated,
    NoTable,
    NotATable,
    SheetTooLarge,
    TooManyColumns,
    TooManyParts,
)
from setia.sources.files.unpacking import Source

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

Kind = Literal["xlsx", "xlsb", "xls", "ods"]
_HEADER_ROWS = 4
"""A header of more rows is none."""


def open_sheets(source: Source, kind: Kind) -> list[Source]:
    """The tables of a workbook, as CSV in the scratch folder.

    Raises FileEncrypted, FileTruncated, NotATable, NoTable, TooManyParts, TooManyColumns, SheetTooLarge.
    """
    folder = source.new_file()
    folder.mkdir()
    # The library goes by the ending, which may lie.
    book = folder / f"book.{kind}"
    book.symlink_to(source.file.resolve())
    limits = source.limits
    room = max(min(source.meter.free(), limits.unpacked - source.meter.written), 1)
    task = [str(book), limits.sheet_memory, limits.sheet_seconds, room, limits.parts, limits.columns]
    done = subprocess.run(
        [sys.executable, "-P", "-m", __name__, json.dumps(task)], capture_output=True, check=False, cwd=folder
    )
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith(b"{")]
    _raise_what_went_wrong(source, told, ended=done.returncode == 0)
    return _tables(source, folder, told)


def _raise_what_went_wrong(source: Source, told: list[dict[str, Any]], *, ended: bool) -> None:
    last = told[-1] if told else {}
    match last.get("problem"):
        case "encrypted":
            raise FileEncrypted(path=source.said)
        case "broken":
            raise FileTruncated(path=source.said)
        case "parts":
            raise TooManyParts(path=source.said, count=f"{last['count']:,}", limit=f"{source.limits.parts:,}")
        case "columns":
            said = f"{source.said}, sheet {last['sheet']}"
            raise TooManyColumns(path=said, count=f"{last['count']:,}", limit=f"{source.limits.columns:,}")
    if not ended and told and "opened" in last:
        raise SheetTooLarge(path=source.said)
    if not ended:
        raise NotATable(path=source.said, problem="it is a workbook that cannot be opened; save it again as .xlsx")


def _tables(source: Source, folder: Path, told: list[dict[str, Any]]) -> list[Source]:
    sheets = [each for each in told if "sheet" in each]
    full = any(each.get("rows", 0) > 1 for each in sheets)
    tables, notes = [], []
    for each in sheets:
        why = each.get("skipped") or (N_("it has a header alone") if full and each["rows"] < 2 else None)
        if why:
            notes.append(Sentence("The sheet {sheet} was left out: {why}", sheet=each["sheet"], why=Sentence(why)))
            continue
        file = folder / each["file"]
        source.meter.add(file.stat().st_size)
        tall = (Sentence("The {n} rows of its header were made one", n=height) for height in each["header_rows"])
        tables.append(source.become(file, *tall, part=f"sheet {each['sheet']}"))
    if not tables:
        raise NoTable(path=source.said, problem="; ".join(notes[:3]) or "the workbook has no sheet with cells")
    first = tables[0]
    return [first.become(first.file, *notes), *tables[1:]]


def _number(value: float) -> str:
    """A number as a sheet shows it: 15 digits, no exponent, no point where it is whole."""
    if value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    text = format(value, ".15g")
    return format(Decimal(text), "f") if "e" in text else text


def _moment(value: dt.datetime) -> str:
    # A sheet counts days in floating point, so a time is a microsecond off.
    value += dt.timedelta(microseconds=500)
    return value.replace(microsecond=value.microsecond // 1000 * 1000).isoformat(" ").removesuffix("000")


def _duration(value: dt.timedelta) -> str:
    minutes, seconds = divmod(round(value.total_seconds()), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


_TEXT: dict[type, Callable[[Any], str]] = {
    str: lambda value: value.replace("\x00", ""),
    float: _number,
    int: str,
    bool: lambda value: "true" if value else "false",
    dt.datetime: _moment,
    dt.date: dt.date.isoformat,
    dt.time: dt.time.isoformat,
    dt.timedelta: _duration,
}


def _rows(sheet: CalamineSheet) -> Iterator[list[str]]:
    """The sheet's rows from its first filled one."""
    start = sheet.start
    for number, row in enumerate(sheet.iter_rows()):
        if start is None or number >= start[0]:
            yield [_TEXT[type(value)](value) for value in row]


def _with_one_header(sheet: CalamineSheet, heights: list[int]) -> Iterator[list[str]]:
    """The rows, a header whose cells are merged over several rows made one; titles above it stay as they are."""
    start = sheet.start or (0, 0)
    merged = [
        (top - start[0], left - start[1], bottom - start[0], right - start[1])
        for (top, left), (bottom, right) in sheet.merged_cell_ranges or ()
    ]
    rows = _rows(sheet)
    for number, row in enumerate(rows):
        if sum(map(bool, row)) > 1:
            tall = [bottom - top + 1 for top, left, bottom, right in merged if top == number and left == right]
            height = min(max(tall, default=1), _HEADER_ROWS)
            header = [row, *itertools.islice(rows, height - 1)]
            yield _one_header(header, number, merged) if len(header) > 1 else row
            if len(header) > 1:
                heights.append(len(header))
            break
        yield row
    yield from rows


def _one_header(header: list[list[str]], number: int, merged: list[tuple[int, int, int, int]]) -> list[str]:
    for top, left, _, right in merged:
        if number <= top < number + len(header):
            row = header[top - number]
            row[left : right + 1] = [row[left]] * (right + 1 - left)
    columns = zip(*header, strict=True)
    return [" ".join(" ".join(dict.fromkeys(filter(None, cells))).split()) for cells in columns]


def _write(sheet: CalamineSheet, file: Path, heights: list[int]) -> int:
    """Write a sheet; returns how many rows it has, header included. Blank rows stay blank lines, save at the end."""
    written = blank = 0
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        for row in _with_one_header(sheet, heights):
            if not any(row):
                blank += 1
                continue
            out.write("\n" * blank)
            writer.writerow(row)
            written, blank = written + 1, 0
    return written


def _say(**facts: Any) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def _confine(memory: int, seconds: int, room: int) -> None:
    import resource

    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, room),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(what, (most, most))


def _read_sheet(book: CalamineWorkbook, number: int, folder: Path, most_columns: int) -> bool:
    """Write one sheet and tell about it; False where the workbook cannot be used."""
    meta = book.sheets_metadata[number]
    name = meta.name
    if (why := _left_out(meta)) is None:
        sheet = book.get_sheet_by_index(number)
        if sheet.width > most_columns:
            _say(problem="columns", sheet=name, count=sheet.width)
            return False
        if sheet.start is None or not sheet.height:
            why = N_("it is empty")
        elif sheet.width < 2:
            why = N_("it has one column only")
        else:
            heights: list[int] = []
            rows = _write(sheet, folder / f"sheet-{number}.csv", heights)
            _say(sheet=name, file=f"sheet-{number}.csv", rows=rows, header_rows=heights)
            return True
    _say(sheet=name, skipped=why)
    return True


def _left_out(meta: Any) -> str | None:
    if str(meta.typ) != "SheetTypeEnum.WorkSheet":
        return N_("it holds a chart or a macro")
    return None if str(meta.visible) == "SheetVisibleEnum.Visible" else N_("it is hidden")


def main() -> None:
    """Read the workbook named by the one argument, under its limits; one line of JSON for each sheet."""
    book_path, memory, seconds, room, most_parts, most_columns = json.loads(sys.argv[1])
    _confine(memory, seconds, room)
    import python_calamine

    try:
        book = python_calamine.CalamineWorkbook.from_path(book_path)
        count = len(book.sheet_names)
        if count > most_parts:
            _say(problem="parts", count=count)
            return
        _say(opened=count)
        for number in range(count):
            if not _read_sheet(book, number, Path(book_path).parent, most_columns):
                return
            _say(opened=count)
    except python_calamine.PasswordError:
        _say(problem="encrypted")
    except (MemoryError, KeyboardInterrupt):
        raise
    except BaseException as problem:  # The library panics with an exception beside Exception.
        if isinstance(problem, OSError) and problem.errno:
            raise
        _say(problem="broken")


if __name__ == "__main__":
    main()
