"""A file as rows of text: its columns, a sample, and a staged copy with typed columns and a reason per bad row."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from setia.sources.files.container import CHUNK, LONGEST_LINE, Container
from setia.sources.files.errors import LineTooLong, NoRows, NotATable, QuoteNotClosed
from setia.sources.files.header import MOST_LINES_ABOVE, Header, find_header, unique_names
from setia.warehouse.duck import literal, quoted, row

if TYPE_CHECKING:
    import duckdb

SAMPLE_ROWS = 20_000
LONGEST_NAME = 10_000
NO_DATA = "|no data"
"""The problem of a row of explanations or totals, which is left out in silence."""
BLANK = "' '"
RARE_SPACES = ("chr(9)", "chr(160)")
"""What else may stand around a value, as SQL: a tab, a blank that does not break."""
LONGEST_QUOTED = 50
"""Lines within one pair of quotation marks; in a row that cannot be read, more than these mean it is never closed."""


@dataclass(frozen=True, slots=True)
class Read:
    """One value wanted of each row: a DuckDB expression over the file's text columns."""

    name: str
    sql: str
    column: str = ""
    """The column of the file it comes from; a value that stands there and does not read is a problem."""
    required: bool = False
    lenient: bool = False
    """What does not read is null and no problem, as with a masked address."""
    dashes: bool = False
    """A dash and the like mean nothing."""
    derived: bool = False
    """Over the other reads, not over the file's columns."""


class Wanted(Protocol):
    """What is taken of a table: see `understood.Part`."""

    @property
    def reads(self) -> Sequence[Read]:
        """Every value wanted of a row."""

    @property
    def staged(self) -> Mapping[str, str]:
        """The columns to keep, as SQL over the reads."""

    @property
    def only(self) -> str | None:
        """Which rows are data, as SQL over the reads."""

    @property
    def carried(self) -> Sequence[str]:
        """Columns of the file whose empty cells mean the same as in the row above."""

    @property
    def required(self) -> Sequence[str]:
        """Staged columns without which a row cannot be used."""


class TextTable:
    """A readable file under DuckDB, every column as trimmed text (empty text is null)."""

    def __init__(self, container: Container, connection: duckdb.DuckDBPyConnection) -> None:
        import duckdb

        self.container = container
        self._duck = connection
        self.rows = f"rows_{uuid.uuid4().hex}"
        """Name of the temporary table that `stage` fills."""
        self.above: list[list[str]] = []
        """The lines above the header, where the export begins with some."""
        self.loose = False
        """Whether moments that do not read as the others are read in any other writing."""
        self.sample = f"sample_{uuid.uuid4().hex}"
        """Name of the temporary table of its first rows."""
        self._counted: dict[tuple[str, bool], int] = {}
        try:
            self.columns, self._from = self._open()
            raw = ", ".join(f"nullif({quoted(c)}::varchar, '') as {quoted(c)}" for c in self.columns)
            connection.execute(f"create temp table {self.sample} as select {raw} from {self._from} limit {SAMPLE_ROWS}")
            # Hardly any cell has space around it; looking for all that may stand there takes long.
            seen = [mark for mark in RARE_SPACES if self._seen(mark)]
            cells = ", ".join(f"{self._cell(c, [BLANK, *seen])} as {quoted(c)}" for c in self.columns)
            self._select = f"select {cells} from {self._from}"
            trimmed = ", ".join(f"{_trimmed(quoted(c), [BLANK, *seen])} as {quoted(c)}" for c in self.columns)
            connection.execute(f"create or replace temp table {self.sample} as select {trimmed} from {self.sample}")
        except duckdb.Error as problem:
            raise NotATable(path=container.given, problem=_first_line(problem)) from problem
        if self.count("1") == 0:
            self.broken_lines()
            raise NoRows(path=container.given)

    def _seen(self, mark: str) -> bool:
        """Whether a mark stands before or behind any value of the sample."""
        around = " or ".join(_begins_or_ends(quoted(column), mark) for column in self.columns)
        return bool(row(self._duck, f"select count(*) from {self.sample} where {around}")[0])

    def _cell(self, column: str, spaces: Sequence[str]) -> str:
        """A cell as text without space around it, null where nothing is left."""
        text = quoted(column) if self.container.kind == "text" else f"nullif({quoted(column)}::varchar, '')"
        return _trimmed(text, spaces)

    def _open(self) -> tuple[list[str], str]:
        path = literal(str(self.container.readable))
        if self.container.kind != "text":
            described = self._duck.execute(f"describe select * from read_parquet({path})").fetchall()
            return [row[0] for row in described], f"read_parquet({path})"
        delimiter, quote = self._delimiter(), '"'
        header = self._header(delimiter)
        names = unique_names(header.names)
        if len(names) < 2:
            raise NotATable(path=self.container.given, problem="its first line does not name two columns or more")
        self.above = header.above
        columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
        options = (
            f"delim={literal(delimiter)}, quote={literal(quote)}, escape={literal(quote)}, header=true, "
            f"skip={header.lines_above}, columns={{{columns}}}, auto_detect=false, strict_mode=true, "
            f"null_padding=false, nullstr='', max_line_size={LONGEST_LINE}"
        )
        return names, f"read_csv({path}, {options}, store_rejects=true)"

    def _header(self, delimiter: str) -> Header:
        try:
            with self.container.readable.open(encoding="utf-8-sig", errors="replace", newline="") as file:
                header = find_header(csv.reader(file, delimiter=delimiter, quotechar='"'))
        except csv.Error as problem:
            raise NotATable(path=self.container.given, problem=f"its first line: {problem}") from problem
        if max(map(len, header.names), default=0) > LONGEST_NAME:
            raise NotATable(
                path=self.container.given, problem=f"its first line names a column in more than {LONGEST_NAME} letters"
            )
        return header

    def _delimiter(self) -> str:
        if self.container.delimiter is not None:
            return self.container.delimiter
        with self.container.readable.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            first = "".join(file.readline() for _ in range(MOST_LINES_ABOVE))
        header = first.split("\n", 1)[0]
        # A header tells; where the first line is a title, the lines under it do.
        return max(",;\t|", key=lambda mark: (min(header.count(mark), 1), header.count(mark), first.count(mark)))

    def count(self, expression: str, *, whole: bool = False) -> int:
        """How many rows of the sample, or of the whole file, an expression is not null in."""
        asked = (expression, whole)
        if asked not in self._counted:
            source = f"({self._select})" if whole else self.sample
            self._counted[asked] = int(row(self._duck, f"select count({expression}) from {source}")[0])
        return self._counted[asked]

    def ask(self, sql: str) -> tuple[Any, ...]:
        """The one row of a query over `sample`."""
        return row(self._duck, sql)

    def examples(self, column: str, most: int = 3) -> list[str]:
        """A few different values of a column."""
        found = self._duck.execute(
            f"select distinct {quoted(column)} from {self.sample} where {quoted(column)} is not null limit {most}"
        ).fetchall()
        return [str(row[0]) for row in found]

    def stage(self, wanted: Wanted) -> None:
        """Fill the temporary table `rows` with the file's rows: the wanted columns, SQL over the reads.

        Beside them stand `fingerprint_of_row` (equal for exact duplicates) and `problem` (null, or the column and
        reason why the row cannot be used; `NO_DATA` for a row that is none).
        """
        import duckdb

        raw = ", ".join(quoted(c) for c in self.columns)
        source = self._carried(wanted.carried) if wanted.carried else self._select
        kept = ", ".join(f"{sql} as {quoted(name)}" for name, sql in wanted.staged.items())
        try:
            self._duck.execute(
                f"create or replace temp table {self.rows} as select {kept}, fingerprint_of_row, "
                f"{_problem(wanted)} as problem "
                f"from ({_typed(wanted.reads, f'hash({raw}) as fingerprint_of_row', source)})"
            )
        except duckdb.Error as error:
            raise NotATable(path=self.container.given, problem=_first_line(error)) from error
        finally:
            self._duck.execute("set preserve_insertion_order=false")

    def _carried(self, columns: Sequence[str]) -> str:
        """The rows with empty cells of some columns filled from the row above."""
        self._duck.execute("set preserve_insertion_order=true")
        filled = ", ".join(
            f"last_value({quoted(c)} ignore nulls) over (order by setia_row rows unbounded preceding) as {quoted(c)}"
            for c in columns
        )
        numbered = f"select *, row_number() over () as setia_row from ({self._select})"
        return f"select * exclude (setia_row) replace ({filled}) from ({numbered})"

    def broken_lines(self) -> list[tuple[int, str, str]]:
        """Lines that are no row of this table at all: row, reason, text. For text files, after they were read.

        Raises QuoteNotClosed, LineTooLong, since what stands behind such a line was not read either.
        """
        if self.container.kind != "text":
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

    def bad_rows(self, wanted: Wanted, persons: Sequence[str] = ()) -> Iterator[tuple[int, str, str, list[str | None]]]:
        """The rows with a problem, read again in the file's order: number, problem, text, and whom they name.

        The header is row 1; lines that are no row, blank or broken, are not counted.
        """
        raw = ", ".join(f"{quoted(c)} as {quoted('text ' + c)}" for c in self.columns)
        shown = ", ".join(quoted("text " + c) for c in self.columns)
        who = f"[{', '.join(f'({wanted.staged[p]})::varchar' for p in persons if p in wanted.staged)}]::varchar[]"
        source = self._carried(wanted.carried) if wanted.carried else self._select
        cells = ", ".join(quoted(c) for c in self.columns)
        beside = f"row_number() over () + {1 + len(self.above)} as row, hash({cells}) as fingerprint_of_row"
        self._duck.execute("set preserve_insertion_order=true")
        try:
            found = self._duck.execute(
                f"select row, problem, {who}, {shown} from (select *, {_problem(wanted)} as problem from ("
                f"{_typed(wanted.reads, f'{raw}, {beside}', source)})) "
                f"where problem <> {literal(NO_DATA)} order by row"
            )
            while some := found.fetchmany(10_000):
                yield from ((int(row[0]), str(row[1]), _csv_line(row[3:]), list(row[2])) for row in some)
        finally:
            self._duck.execute("set preserve_insertion_order=false")

    def blank_lines(self) -> Iterator[int]:
        """The rows of a text file that hold nothing at all, where there are any between others."""
        if self.container.kind != "text" or not self._has_blank_lines():
            return
        delimiter = self._delimiter()
        with self.container.readable.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            records = csv.reader(file, delimiter=delimiter)
            numbered = enumerate(records, start=1)
            yield from (number for number, record in numbered if not record and number > len(self.above))

    def _has_blank_lines(self) -> bool:
        before = b""
        with self.container.readable.open("rb") as file:
            while chunk := file.read(CHUNK):
                whole = before + chunk
                if b"\n\n" in whole or b"\n\r\n" in whole:
                    return True
                before = chunk[-2:]
        return False


def _begins_or_ends(text: str, mark: str) -> str:
    return f"starts_with({text}, {mark}) or ends_with({text}, {mark})"


def _trimmed(text: str, spaces: Sequence[str]) -> str:
    spaced = " or ".join(_begins_or_ends(text, mark) for mark in spaces)
    return f"if({spaced}, nullif(trim({text}, {' || '.join(spaces)}), ''), {text})"


def _typed(reads: Sequence[Read], beside: str, source: str) -> str:
    """The SELECT of all reads, and of what else is wanted of each row."""
    columns = [f"{read.sql} as {quoted(read.name)}" for read in reads if not read.derived]
    filled = [f"{_filled(read)} as {quoted('has ' + read.name)}" for read in reads if _checked(read)]
    derived = [f"{read.sql} as {quoted(read.name)}" for read in reads if read.derived]
    typed = f"select {', '.join([*columns, *filled, beside])} from ({source})"
    return f"select *, {', '.join(derived)} from ({typed})" if derived else typed


def _filled(read: Read) -> str:
    there = f"{quoted(read.column)} is not null"
    return f"{there} and lower({quoted(read.column)}) not in ('-', '--', 'n/a', 'null')" if read.dashes else there


def _checked(read: Read) -> bool:
    return bool(read.column) and not read.lenient


def _problem(wanted: Wanted) -> str:
    checks = [f"when not coalesce({wanted.only}, false) then {literal(NO_DATA)}"] if wanted.only else []
    for read in wanted.reads:
        if _checked(read):
            unreadable = f"{quoted('has ' + read.name)} and {quoted(read.name)} is null"
            checks.append(f"when {unreadable} then {literal(f'{read.column}|unreadable')}")
        if read.required:
            checks.append(f"when {quoted(read.name)} is null then {literal(f'{read.column}|empty')}")
    by_name = {quoted(read.name): read.column or read.name for read in wanted.reads}
    for name in wanted.required:
        sql = wanted.staged[name]
        checks.append(f"when {sql} is null then {literal(f'{by_name.get(quoted(sql), by_name.get(sql, name))}|empty')}")
    return f"case {' '.join(checks)} end" if checks else "null::varchar"


def _csv_line(values: tuple[Any, ...]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(["" if value is None else value for value in values])
    return out.getvalue()


def _first_line(problem: Exception) -> str:
    return str(problem).strip().splitlines()[0][:300]
