"""A file as rows of text: its columns, a sample, and a staged copy with typed columns and a reason per bad row."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from setia.sources.files.container import CHUNK, LONGEST_LINE, Container
from setia.sources.files.errors import LineTooLong, NoRows, NotATable, QuoteNotClosed
from setia.warehouse.duck import literal, quoted, row

if TYPE_CHECKING:
    import duckdb

SAMPLE_ROWS = 20_000
LONGEST_QUOTED = 50
"""Lines within one pair of quotation marks; in a row that cannot be read, more than these mean it is never closed."""


@dataclass(frozen=True, slots=True)
class Typed:
    """One column wanted from a file, as a DuckDB expression over its text columns."""

    name: str
    expression: str
    required: bool = False
    source: str = ""
    """The column of the file it comes from, for messages."""
    filled: str | None = None
    """An expression that is null where the file has no value; a value that was there but unreadable is a problem."""


class TextTable:
    """A readable file under DuckDB, every column as trimmed text (empty text is null)."""

    def __init__(self, container: Container, connection: duckdb.DuckDBPyConnection) -> None:
        import duckdb

        self.container = container
        self._duck = connection
        self.rows = f"rows_{uuid.uuid4().hex}"
        """Name of the temporary table that `stage` fills."""
        try:
            self.columns, self._from = self._open()
            columns = ", ".join(f"nullif(trim({quoted(c)}::varchar), '') as {quoted(c)}" for c in self.columns)
            self._select = f"select {columns} from {self._from}"
            self._sample = f"sample_{uuid.uuid4().hex}"
            connection.execute(f"create temp table {self._sample} as {self._select} limit {SAMPLE_ROWS}")
        except duckdb.Error as problem:
            raise NotATable(path=container.given, problem=_first_line(problem)) from problem
        if self.count("1") == 0:
            self.broken_lines()
            raise NoRows(path=container.given)

    def _open(self) -> tuple[list[str], str]:
        path = literal(str(self.container.readable))
        if self.container.kind == "parquet":
            described = self._duck.execute(f"describe select * from read_parquet({path})").fetchall()
            return [row[0] for row in described], f"read_parquet({path})"
        delimiter, quote = self._delimiter(), '"'
        with self.container.readable.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            try:
                header = next(csv.reader(file, delimiter=delimiter, quotechar=quote), [])
            except csv.Error as problem:
                raise NotATable(path=self.container.given, problem=f"its first line: {problem}") from problem
        names = _unique_names(header)
        if len(names) < 2:
            raise NotATable(path=self.container.given, problem="its first line does not name two columns or more")
        columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
        options = (
            f"delim={literal(delimiter)}, quote={literal(quote)}, escape={literal(quote)}, header=true, "
            f"columns={{{columns}}}, auto_detect=false, strict_mode=true, null_padding=false, "
            f"max_line_size={LONGEST_LINE}"
        )
        return names, f"read_csv({path}, {options}, store_rejects=true)"

    def _delimiter(self) -> str:
        with self.container.readable.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            header = file.readline()
        return max(",;\t|", key=header.count)

    def count(self, expression: str, *, whole: bool = False) -> int:
        """How many rows of the sample, or of the whole file, an expression is not null in."""
        source = f"({self._select})" if whole else self._sample
        return int(row(self._duck, f"select count({expression}) from {source}")[0])

    def examples(self, column: str, most: int = 3) -> list[str]:
        """A few different values of a column."""
        found = self._duck.execute(
            f"select distinct {quoted(column)} from {self._sample} where {quoted(column)} is not null limit {most}"
        ).fetchall()
        return [str(row[0]) for row in found]

    def stage(self, wanted: list[Typed]) -> None:
        """Fill the temporary table `rows` with the file's rows, their columns typed.

        Beside the wanted columns stand `fingerprint_of_row` (equal for exact duplicates) and `problem` (null, or the
        column and reason why the row cannot be used).
        """
        import duckdb

        raw = ", ".join(quoted(c) for c in self.columns)
        kept = ", ".join(quoted(item.name) for item in wanted)
        sql = (
            f"create temp table {self.rows} as select {kept}, fingerprint_of_row, {self._problem(wanted)} as problem "
            f"from (select {self._typed(wanted)}, hash({raw}) as fingerprint_of_row from ({self._select}))"
        )
        try:
            self._duck.execute(sql)
        except duckdb.Error as error:
            raise NotATable(path=self.container.given, problem=_first_line(error)) from error

    def _typed(self, wanted: list[Typed]) -> str:
        columns = [f"{item.expression} as {quoted(item.name)}" for item in wanted]
        filled = [f"{item.filled} is not null as {quoted('has ' + item.name)}" for item in wanted if item.filled]
        return ", ".join(columns + filled)

    def _problem(self, wanted: list[Typed]) -> str:
        checks = []
        for item in wanted:
            if item.filled:
                unreadable = f"{quoted('has ' + item.name)} and {quoted(item.name)} is null"
                checks.append(f"when {unreadable} then {literal(f'{item.source}|unreadable')}")
            if item.required:
                checks.append(f"when {quoted(item.name)} is null then {literal(f'{item.source}|empty')}")
        return f"case {' '.join(checks)} end" if checks else "null::varchar"

    def broken_lines(self) -> list[tuple[int, str, str]]:
        """Lines that are no row of this table at all: row, reason, text. For text files, after they were read.

        Raises QuoteNotClosed, LineTooLong, since what stands behind such a line was not read either.
        """
        if self.container.kind == "parquet":
            return []
        found = self._duck.execute(
            "select distinct on (line) line, error_type::varchar, csv_line, line_byte_position "
            "from reject_errors join reject_scans using (scan_id, file_id) where file_path = $1 order by line",
            [str(self.container.readable)],
        ).fetchall()
        lines = []
        for line, kind, text, start in found:
            if kind == "UNQUOTED VALUE":
                self._require_closed(int(line), int(start))
            if kind == "LINE SIZE OVER MAXIMUM":
                raise LineTooLong(path=self.container.given, limit=LONGEST_LINE, byte=start)
            lines.append((int(line), str(kind).lower().replace("_", " "), str(text or "").strip("\r\n")))
        return lines

    def _require_closed(self, line: int, start: int) -> None:
        with self.container.readable.open("rb") as file:
            file.seek(max(start - 1, 0))
            rest = file.read(CHUNK).decode("utf-8", errors="replace").lstrip("\r\n").splitlines(keepends=True)
        open_quote = False
        for number, text in enumerate(rest):
            open_quote ^= text.count('"') % 2 == 1
            if not open_quote:
                return
            if number > LONGEST_QUOTED:
                break
        raise QuoteNotClosed(path=self.container.given, row=line, content=rest[0].strip()[:100])

    def bad_rows(self, wanted: list[Typed]) -> Iterator[tuple[int, str, str]]:
        """The rows with a problem, read again in the file's order: number, problem, text.

        The header is row 1; lines that are no row, blank or broken, are not counted.
        """
        raw = ", ".join(f"{quoted(c)} as {quoted('text ' + c)}" for c in self.columns)
        shown = ", ".join(quoted("text " + c) for c in self.columns)
        self._duck.execute("set preserve_insertion_order=true")
        try:
            found = self._duck.execute(
                f"select row, problem, {shown} from (select *, {self._problem(wanted)} as problem from ("
                f"select {self._typed(wanted)}, {raw}, row_number() over () + 1 as row from ({self._select}))) "
                "where problem is not null order by row"
            )
            while some := found.fetchmany(10_000):
                yield from ((int(row[0]), str(row[1]), _csv_line(row[2:])) for row in some)
        finally:
            self._duck.execute("set preserve_insertion_order=false")

    def blank_lines(self) -> Iterator[int]:
        """The rows of a text file that hold nothing at all, where there are any between others."""
        if self.container.kind == "parquet" or not self._has_blank_lines():
            return
        delimiter = self._delimiter()
        with self.container.readable.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            records = csv.reader(file, delimiter=delimiter)
            yield from (number for number, record in enumerate(records, start=1) if not record)

    def _has_blank_lines(self) -> bool:
        before = b""
        with self.container.readable.open("rb") as file:
            while chunk := file.read(CHUNK):
                whole = before + chunk
                if b"\n\n" in whole or b"\n\r\n" in whole:
                    return True
                before = chunk[-2:]
        return False


def _unique_names(header: list[str]) -> list[str]:
    """Column names, trimmed; empty and repeated ones get a number, as nothing may be lost."""
    seen: dict[str, int] = {}
    names = []
    for position, name in enumerate((cell.strip() for cell in header), start=1):
        name = name or f"column {position}"
        # DuckDB takes names that differ in case alone for the same.
        seen[name.lower()] = seen.get(name.lower(), 0) + 1
        names.append(name if seen[name.lower()] == 1 else f"{name} ({seen[name.lower()]})")
    return names


def _csv_line(values: tuple[Any, ...]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(["" if value is None else value for value in values])
    return out.getvalue()


def _first_line(problem: Exception) -> str:
    return str(problem).strip().splitlines()[0][:300]
