"""One import: all files of one command understood, staged, and made the present in one commit."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from setia.facts import FACTS
from setia.kernel.errors import SetiaError
from setia.kernel.progress import Progress
from setia.sources.files import bridge, rejects
from setia.sources.files.bridge import Bridge
from setia.sources.files.container import open_containers
from setia.sources.files.errors import (
    BeginsInAnotherFile,
    Declined,
    NoRows,
    NothingUsable,
    RowsRejected,
)
from setia.sources.files.last_word import settle, stage_facts
from setia.sources.files.overrides import Overrides
from setia.sources.files.recognition import recognise
from setia.sources.files.rejects import Reject
from setia.sources.files.table import NO_DATA, TextTable
from setia.sources.files.totals import Totals, count
from setia.sources.files.understood import ROWS, Part, Shop, Understood
from setia.warehouse.duck import literal, quoted, row
from setia.warehouse.writer import Replaced, Writer


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one export: a file, a table in it, or several that belong together."""

    path: Path
    """The file, the first of several."""
    name: str
    """What to call it: names of files and of the tables in them."""
    understood: Understood
    notes: tuple[str, ...]
    """What was done to open it: packing, letters, sheets left out."""
    examples: dict[str, list[str]]
    """Role to a few values of its column."""
    rows: int
    """Rows read, the rejected among them."""
    rejected: int
    with_rejected: int
    """Other rows of orders of which a row cannot be read: without it their totals would be too small."""
    others: int
    """Rows that are no data: explanations, totals, what the format says of them."""
    duplicates: int
    """Rows that repeat another row of the file exactly; they are kept."""
    erased: int
    """Rows of erased people, left out."""
    bridge: Bridge | None
    """From the figure that the shop's system shows to Setia's, where the format knows it."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import is about to do."""

    files: list[FileReport]
    skipped: list[tuple[str, SetiaError]]
    """Tables beside them of which nothing could be made."""
    totals: Totals


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What one import did."""

    files: list[FileReport]
    written: dict[str, Replaced]
    rejects: Path | None
    snapshot: int | None
    """The new snapshot, None where the import changed nothing."""
    totals: Totals


@dataclass(frozen=True, slots=True)
class _Staged:
    """An export whose rows, the usable ones, lie in temporary tables."""

    report: FileReport
    facts: dict[str, str]
    rejects: Iterator[Reject]


class Import:
    """The steps of one import, in the order of `run`."""

    def __init__(
        self,
        writer: Writer,
        shop: Shop,
        erased: Sequence[str],
        progress: Progress,
        *,
        overrides: Overrides,
        strict: bool,
        tell: Callable[[FileReport], None],
        confirm: Callable[[Preview], bool],
    ) -> None:
        self._writer = writer
        self._duck = writer.duck
        self._shop = shop
        self._erased = erased
        self._progress = progress
        self._overrides = overrides
        self._strict = strict
        self._tell = tell
        self._confirm = confirm
        self._duck.execute(f"create or replace temp macro pseudonym(x) as {shop.identity.customer_id_sql('x')}")
        self._duck.execute(
            f"create or replace temp macro shop_day(t) as timezone({literal(shop.zone)}, t::timestamptz)::date"
        )
        self._duck.execute("create or replace temp table erased_people as select unnest($1) as print", [list(erased)])

    def run(self, paths: Sequence[Path], rejects_file: Path, now: dt.datetime) -> ImportReport:
        """Read the files and commit them together.

        Raises one of `sources.files.errors` for a file that cannot be used, Declined where `confirm` says no; nothing
        is changed then.
        """
        tables, skipped = self._tables(paths)
        recognised = recognise(tables, self._overrides, self._shop)
        skipped += [(table.container.name, problem) for table, problem in recognised.skipped]
        exports = [self._stage(understood) for understood in recognised.understood]
        reports = [each.report for each in exports]
        groups = stage_facts(self._writer, [each.facts for each in exports], self._progress)
        preview = Preview(reports, skipped, count(self._duck, groups))
        if not self._confirm(preview):
            raise Declined
        written = settle(self._writer, groups)
        bad = sum(report.rejected for report in reports)
        if bad:
            rejects.write(chain.from_iterable(each.rejects for each in exports), rejects_file)
        snapshot = None
        if not all(part.same for part in written.values()):
            summary: dict[str, object] = {
                "files": [
                    {"name": r.name, "format": r.understood.format, "rows": r.rows, "rejected": r.rejected}
                    for r in reports
                ],
                "tables": {name: part.rows for name, part in written.items()},
            }
            snapshot = self._writer.commit(now, "import", summary)
        return ImportReport(reports, written, rejects_file if bad else None, snapshot, preview.totals)

    def _tables(self, paths: Sequence[Path]) -> tuple[list[TextTable], list[tuple[str, SetiaError]]]:
        """The tables of all files; one that is none is an error only where its file holds no other."""
        tables: list[TextTable] = []
        skipped: list[tuple[str, SetiaError]] = []
        for path in paths:
            containers = open_containers(path, self._writer.scratch)
            some = len(tables)
            for container in containers:
                try:
                    tables.append(TextTable(container, self._duck))
                except SetiaError as problem:
                    if len(containers) == 1:
                        raise
                    skipped.append((container.name, problem))
            if len(tables) == some:
                raise skipped[-1][1]
        return tables, skipped

    # Staging an export.

    def _stage(self, understood: Understood) -> _Staged:
        counts = self._read(understood)
        if any(each.bad for each in counts) and not any(part.table.loose for part in understood.parts.values()):
            understood = self._loosened(understood)
            counts = self._read(understood)
        rejected = sum(len(each.broken) + each.bad for each in counts)
        self._require_rows(understood, counts, rejected)
        with_rejected = self._drop(understood, counts)
        rows = self._joined(understood)
        erased = self._leave_out_erased(rows, understood.persons, whole_orders=understood.sells)
        first = next(iter(understood.parts.values())).table.container
        report = FileReport(
            path=first.given,
            name=", ".join(part.table.container.name for part in understood.parts.values()),
            understood=understood,
            notes=tuple(dict.fromkeys(n for part in understood.parts.values() for n in part.table.container.notes)),
            examples={
                role: part.table.examples(column)
                for part in understood.parts.values()
                for role, column in part.columns.items()
            },
            rows=sum(each.total + len(each.broken) for each in counts),
            rejected=rejected,
            with_rejected=with_rejected,
            others=sum(each.others for each in counts),
            duplicates=sum(each.duplicates for each in counts),
            erased=erased,
            bridge=bridge.build(self._duck, understood, rows),
        )
        self._tell(report)
        parts = zip(understood.parts.values(), counts, strict=True)
        return _Staged(report, self._facts(understood, rows), self._rejects(list(parts), understood.persons))

    def _read(self, understood: Understood) -> list[_Counts]:
        for part in understood.parts.values():
            with self._watched(part.table.container.name, part.table.container.bytes):
                part.table.stage(part)
        return [self._counts(part) for part in understood.parts.values()]

    def _loosened(self, understood: Understood) -> Understood:
        """The same export, whose odd moments are read in any other writing: that takes long, so hardly any is."""
        tables = [part.table for part in understood.parts.values()]
        for table in tables:
            table.loose = True
        (again,) = recognise(tables, self._overrides, self._shop).understood
        return again

    def _counts(self, part: Part) -> _Counts:
        total, bad, others, different = row(
            self._duck,
            f"select count(*) filter (where problem is distinct from {literal(NO_DATA)}), "
            f"count(problem) filter (where problem <> {literal(NO_DATA)}), "
            f"count(*) filter (where problem = {literal(NO_DATA)}), count(distinct fingerprint_of_row) "
            f"from {part.table.rows}",
        )
        return _Counts(int(total), int(bad), int(others), int(total + others - different), part.table.broken_lines())

    def _require_rows(self, understood: Understood, counts: Sequence[_Counts], rejected: int) -> None:
        parts = list(zip(understood.parts.values(), counts, strict=True))
        for part, each in parts:
            if each.total + each.others + len(each.broken) == 0:
                raise NoRows(path=part.table.container.given)
            if each.bad + len(each.broken) and (self._strict or each.bad == each.total):
                first = next(self._rejects([(part, each)], ()))
                where = {"path": part.table.container.given, "row": first.row, "reason": _said(first)}
                raise RowsRejected(count=rejected, **where) if self._strict else NothingUsable(**where)

    def _joined(self, understood: Understood) -> str:
        """The one table of rows that the facts are made of."""
        tables = {name: part.table.rows for name, part in understood.parts.items()}
        if understood.joined is None:
            rows = next(iter(tables.values()))
        else:
            rows = f"joined_{next(iter(tables.values()))}"
            self._duck.execute(f"create temp table {rows} as {_named(understood.joined, tables)}")
            if not understood.whole_orders:
                self._duck.execute(f"delete from {rows} where number is null or placed_at is null")
        if understood.whole_orders:
            headless = f"select number from {rows} group by number having max(placed_at) is null"
            (lost,) = row(self._duck, f"select count(*) from {rows} where number in ({headless}) or number is null")
            if lost:
                (order,) = row(self._duck, f"select min(number) from ({headless})")
                first = next(iter(understood.parts.values())).table.container
                raise BeginsInAnotherFile(path=first.given, rows=lost, order=order)
        return rows

    def _facts(self, understood: Understood, rows: str) -> dict[str, str]:
        tables = {name: part.table.rows for name, part in understood.parts.items()}
        facts = {}
        for name, select in understood.facts.items():
            facts[name] = _named(select.replace(ROWS, rows), tables)
            if ROWS not in select and self._erased:
                for column in FACTS[name].person:
                    facts[name] = f"select * from ({facts[name]}) where {self._not_erased(column, facts[name])}"
        return facts

    def _drop(self, understood: Understood, counts: Sequence[_Counts]) -> int:
        """Drop the rows that cannot be used, and with them the rest of their orders; returns the number of these."""
        dropped = 0
        for part, each in zip(understood.parts.values(), counts, strict=True):
            rows = part.table.rows
            if each.bad and "number" in part.staged:
                broken = f"select number from {rows} where problem <> {literal(NO_DATA)} and number is not null"
                where = f"problem is null and number in ({broken})"
                dropped += int(row(self._duck, f"select count(*) from {rows} where {where}")[0])
                self._duck.execute(f"delete from {rows} where {where}")
            if each.bad or each.others:
                self._duck.execute(f"delete from {rows} where problem is not null")
        return dropped

    def _rejects(self, parts: Sequence[tuple[Part, _Counts]], persons: Sequence[str]) -> Iterator[Reject]:
        for part, each in parts:
            if not each.bad and not each.broken:
                continue
            found = part.table.bad_rows(part, persons) if each.bad else iter(())
            kept = ((n, problem, text) for n, problem, text, who in found if not self._is_erased(who))
            blank = part.table.blank_lines() if each.bad else ()
            ordered = rejects.ordered(part.table.container.name, each.broken, kept, blank)
            yield from (reject for reject in ordered if not self._is_erased(rejects.cells(reject)))

    def _is_erased(self, identifiers: Sequence[str | None]) -> bool:
        """Whether a bad row names somebody who was erased: nothing of them is written anywhere again."""
        if not self._erased:
            return False
        identity, erased = self._shop.identity, set(self._erased)
        return any(
            identity.fingerprint(each) in erased
            for identifier in identifiers
            if identifier is not None
            for each in (identifier, identity.customer_id(identifier))
        )

    def _leave_out_erased(self, rows: str, persons: Sequence[str], *, whole_orders: bool) -> int:
        """Drop the rows of erased people; returns how many."""
        if not self._erased or not persons:
            return 0
        where = " or ".join(f"not {self._not_erased(quoted(column), rows)}" for column in persons)
        if whole_orders:
            # The person may stand on the first row of an order alone.
            where = f"number in (select number from {rows} where {where}) or {where}"
        (gone,) = row(self._duck, f"select count(*) from {rows} where {where}")
        if gone:
            self._duck.execute(f"delete from {rows} where {where}")
        return int(gone)

    def _not_erased(self, column: str, rows: str) -> str:
        # The hash is slow, so it is taken once for each person.
        source = rows if rows.isidentifier() else f"({rows})"
        prints = f"select {column}, {self._shop.identity.fingerprint_sql(column)} as print"
        known = f"select distinct {column} from {source} where {column} is not null"
        gone = f"select {column} from ({prints} from ({known})) semi join erased_people using (print)"
        return f"coalesce({column} not in ({gone}), true)"

    @contextmanager
    def _watched(self, title: str, size: int) -> Iterator[None]:
        """Show how far DuckDB is with one long statement."""
        done = threading.Event()
        with self._progress.stage(title, size, "bytes") as stage:

            def look() -> None:
                while not done.wait(0.2):
                    share = self._duck.query_progress()
                    if share > 0:
                        stage.advance(size * min(share, 100) / 100)

            watcher = threading.Thread(target=look, daemon=True)
            watcher.start()
            try:
                yield
            finally:
                done.set()
                watcher.join()
                stage.advance(size)


@dataclass(frozen=True, slots=True)
class _Counts:
    total: int
    bad: int
    others: int
    duplicates: int
    broken: list[tuple[int, str, str]]


def _named(sql: str, tables: Mapping[str, str]) -> str:
    for name, table in tables.items():
        sql = sql.replace(f"{{{name}}}", table)
    return sql


def _said(reject: Reject) -> str:
    return f"{reject.column} is {reject.reason}" if reject.column else reject.reason
