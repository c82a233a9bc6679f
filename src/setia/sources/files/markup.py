"""Tables of web pages and of Excel's XML: what many exports named .xls are in truth."""

from __future__ import annotations

import csv
from html.parser import HTMLParser
from pathlib import Path
from typing import IO

from setia.kernel.i18n import N_
from setia.sources.files.errors import NoTable, NotATable, TooManyColumns, TooManyParts
from setia.sources.files.unpacking import Source, chunks

_PIECE = 1 << 16
_LONGEST = 1 << 18
"""Letters of one tag or comment; more is no page, and reading on would take ever longer."""
_TITLE = 1 << 16
_DEEPEST, _MOST = 20, 10_000
"""Tables within tables, and tables of a page, those for the looks included."""


def has_tables(source: Source) -> bool:
    """Whether a text file is a page or an XML workbook with a table in it."""
    if not source.start(_TITLE).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return False
    before = b""
    with source.file.open("rb") as file:
        for chunk in chunks(file):
            whole = (before + chunk).lower()
            if b"<table" in whole or b":table" in whole:
                return True
            before = chunk[-8:]
    return False


def open_tables(source: Source) -> list[Source]:
    """The tables of a page in UTF-8 that have two columns or more, as CSV in the scratch folder.

    Raises NoTable, NotATable, TooManyColumns, TooManyParts, DiskFull.
    """
    reader = _Reader(source)
    try:
        with source.file.open(encoding="utf-8-sig", errors="replace") as text:
            while piece := text.read(_PIECE):
                reader.feed(piece)
                if len(reader.rawdata) > _LONGEST:
                    raise NotATable(path=source.said, problem="it is a web page with a tag that never ends")
        reader.close()
    except AssertionError as problem:
        # The parser's own word for markup it cannot make sense of.
        raise NotATable(path=source.said, problem="it is a web page that is damaged") from problem
    finally:
        reader.end()
    kept = [table for table in reader.tables if table.rows and table.width > 1]
    full = [table for table in kept if table.rows > 1] or kept
    if not full:
        raise NoTable(path=source.said, problem="it is a web page without a table of two columns or more")
    note = N_("It is a web page by its content; its tables were read")
    several = len(full) > 1
    return [
        source.become(table.file, note, part=table.title or f"table {n}" if several else table.title)
        for n, table in enumerate(full, start=1)
    ]


class _Table:
    """One table on its way to its file."""

    def __init__(self, file: Path, title: str) -> None:
        self.file, self.title = file, title
        self.rows = self.width = 0
        self.cells: list[str] = []
        self.covered: dict[int, int] = {}
        """Column to how many rows below are covered by a cell above."""
        self.out: IO[str] = file.open("w", encoding="utf-8", newline="")
        self.writer = csv.writer(self.out, lineterminator="\n")

    def end_row(self) -> None:
        cells, self.cells = self.cells, []
        if not any(cells):
            return
        self.width = self.width or len(cells)
        self.writer.writerow(cells + [""] * (self.width - len(cells)))
        self.rows += 1


class _Reader(HTMLParser):
    def __init__(self, source: Source) -> None:
        super().__init__(convert_charrefs=True)
        self._source = source
        self._open: list[_Table] = []
        self._text: list[str] | None = None
        self._covers = (1, 1)
        self._title = ""
        self._started = 0
        self.tables: list[_Table] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        match tag.rpartition(":")[2]:
            case "worksheet":
                self._title = f"sheet {found.get('ss:name') or found.get('name') or ''}".strip()
            case "table":
                self._start_table()
            case "tr" | "row":
                self._end_cell()
                self._end_row()
            case "td" | "th" | "cell":
                self._end_cell()
                self._start_cell(found)
            case "br" if self._text is not None:
                self._text.append(" ")

    def handle_endtag(self, tag: str) -> None:
        match tag.rpartition(":")[2]:
            case "table":
                self._end_cell()
                self._end_row()
                if self._open:
                    self._open.pop().out.close()
            case "tr" | "row":
                self._end_cell()
                self._end_row()
            case "td" | "th" | "cell":
                self._end_cell()

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def end(self) -> None:
        """Close what is still open."""
        self._end_cell()
        for table in self._open:
            table.end_row()
            table.out.close()

    def _start_table(self) -> None:
        limit = self._source.limits.parts
        self._started += 1
        if len(self.tables) >= limit or len(self._open) > _DEEPEST or self._started > _MOST:
            raise TooManyParts(path=self._source.said, count=f"more than {limit:,}", limit=f"{limit:,}")
        if self._open:
            # A table around others is there for the looks.
            outer = self._open[-1]
            self._text, outer.cells, outer.rows, outer.width = None, [], 0, 0
        table = _Table(self._source.new_file(".csv"), self._title)
        if self._open:
            self.tables = [each for each in self.tables if each is not self._open[-1]]
        self.tables.append(table)
        self._open.append(table)

    def _start_cell(self, found: dict[str, str | None]) -> None:
        if not self._open:
            return
        table = self._open[-1]
        wanted = _count(found.get("ss:index"), 0, self._source.limits.columns + 1)
        while len(table.cells) < wanted - 1 or (table.covered and table.covered.get(len(table.cells), 0) > 0):
            self._skip(table)
        self._text = []
        self._covers = (1, 1)
        if not found:
            return
        across = _count(found.get("colspan"), 1, 1000) + _count(found.get("ss:mergeacross"), 0, 1000)
        down = _count(found.get("rowspan"), 1, 65_534) + _count(found.get("ss:mergedown"), 0, 65_534)
        self._covers = (max(across, 1), max(down, 1))

    def _skip(self, table: _Table) -> None:
        column = len(table.cells)
        if table.covered.get(column, 0) > 0:
            table.covered[column] -= 1
        table.cells.append("")

    def _end_cell(self) -> None:
        if self._text is None or not self._open:
            self._text = None
            return
        table = self._open[-1]
        text, self._text = " ".join("".join(self._text).replace("\x00", "").split()), None
        across, down = self._covers
        for n in range(across):
            if down > 1:
                table.covered[len(table.cells)] = down - 1
            table.cells.append("" if n else text)
        if len(table.cells) > self._source.limits.columns:
            raise TooManyColumns(
                path=self._source.said, count=f"{len(table.cells):,} or more", limit=f"{self._source.limits.columns:,}"
            )

    def _end_row(self) -> None:
        if not self._open or not self._open[-1].cells:
            return
        table = self._open[-1]
        for column, rows in table.covered.items():
            if column >= len(table.cells) and rows > 0:
                table.covered[column] = rows - 1
        before = table.out.tell() if table.rows % 1000 == 0 else None
        table.end_row()
        if before is not None:
            self._source.meter.check(max(before, 1))


def _count(stated: str | None, otherwise: int, most: int) -> int:
    if stated is None:
        return otherwise
    try:
        return min(max(int(stated), 0), most)
    except ValueError:
        return otherwise
