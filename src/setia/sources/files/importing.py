"""One import: all files of one command understood, staged, and made the present in one commit."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from setia.facts import FACTS
from setia.kernel.progress import Progress
from setia.sources.files import rejects
from setia.sources.files.container import open_container
from setia.sources.files.errors import AmountsTooLarge, NothingUsable, RowsRejected
from setia.sources.files.formats import FORMATS, Understood
from setia.sources.files.formats.understood import Shop
from setia.sources.files.rejects import Reject
from setia.sources.files.table import TextTable
from setia.warehouse.duck import quoted, row
from setia.warehouse.writer import Replaced, Writer


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file."""

    path: Path
    understood: Understood
    examples: dict[str, list[str]]
    """Role to a few values of its column."""
    rows: int
    """Rows read, the rejected among them."""
    rejected: int
    duplicates: int
    """Rows that repeat another row of the file exactly; they are kept."""
    erased: int
    """Rows of erased people, left out."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What one import did."""

    files: list[FileReport]
    written: dict[str, Replaced]
    rejects: Path | None
    snapshot: int | None
    """The new snapshot, None where the import changed nothing."""
    totals: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Staged:
    """A file whose rows, the usable ones, lie in the temporary table `table.rows`."""

    table: TextTable
    report: FileReport
    rejects: Iterator[Reject]

    def facts(self) -> dict[str, str]:
        return {name: s.replace("{rows}", self.table.rows) for name, s in self.report.understood.facts.items()}


class Import:
    """The steps of one import, in the order of `run`."""

    def __init__(
        self,
        writer: Writer,
        shop: Shop,
        erased: Sequence[str],
        progress: Progress,
        *,
        mapping: Mapping[str, str],
        strict: bool,
        tell: Callable[[FileReport], None],
    ) -> None:
        self._writer = writer
        self._shop = shop
        self._erased = erased
        self._progress = progress
        self._mapping = mapping
        self._strict = strict
        self._tell = tell
        self._documents = 0

    def run(self, paths: Sequence[Path], rejects_file: Path, now: dt.datetime) -> ImportReport:
        """Read the files and commit them together.

        Raises one of `sources.files.errors` for a file that cannot be used; nothing is changed then.
        """
        staged = [self._stage(path) for path in paths]
        written = self._replace(staged)
        reports = [part.report for part in staged]
        bad = sum(report.rejected for report in reports)
        if bad:
            rejects.write(chain.from_iterable(part.rejects for part in staged), rejects_file)
        snapshot = None
        if not all(part.same for part in written.values()):
            summary: dict[str, object] = {
                "files": [{"name": r.path.name, "rows": r.rows, "rejected": r.rejected} for r in reports],
                "tables": {name: part.rows for name, part in written.items()},
            }
            snapshot = self._writer.commit(now, "import", summary)
        return ImportReport(reports, written, rejects_file if bad else None, snapshot)

    def _stage(self, path: Path) -> _Staged:
        container = open_container(path, self._writer.scratch)
        table = TextTable(container, self._writer.duck)
        understood = self._understand(table)
        wanted = list(understood.typed)
        with self._watched(f"{path.name}", container.bytes):
            table.stage(wanted)
        total, bad, duplicates = self._counts(table.rows)
        broken = table.broken_lines()
        rejected = len(broken) + bad

        def bad_rows() -> Iterator[Reject]:
            found = table.bad_rows(wanted) if bad else iter(())
            ordered = rejects.ordered(path.name, broken, found, table.blank_lines() if bad else ())
            return (reject for reject in ordered if not self._of_the_erased(reject))

        if rejected and (self._strict or bad == total):
            first = next(bad_rows())
            facts = {"path": path, "row": first.row, "reason": _said(first)}
            raise RowsRejected(count=rejected, **facts) if self._strict else NothingUsable(**facts)
        report = FileReport(
            path=path,
            understood=understood,
            examples={role: table.examples(column) for role, column in understood.columns.items()},
            rows=total + len(broken),
            rejected=rejected,
            duplicates=duplicates,
            erased=self._leave_out_erased(table, understood.persons),
        )
        if bad:
            self._writer.duck.execute(f"delete from {table.rows} where problem is not null")
        self._tell(report)
        return _Staged(table, report, bad_rows())

    def _understand(self, table: TextTable) -> Understood:
        for form in FORMATS:
            understood: Understood | None = form.recognise(table, self._mapping, self._shop)
            if understood is not None:
                return understood
        raise AssertionError("the last format recognises everything or says what is missing")

    def _counts(self, rows: str) -> tuple[int, int, int]:
        counts = "count(*), count(problem), count(distinct fingerprint_of_row)"
        total, bad, different = row(self._writer.duck, f"select {counts} from {rows}")
        return int(total), int(bad), int(total - different)

    def _of_the_erased(self, reject: Reject) -> bool:
        """Whether a bad row names somebody who was erased: nothing of them is written anywhere again."""
        if not self._erased:
            return False
        identity, erased = self._shop.identity, set(self._erased)
        return any(
            identity.fingerprint(each) in erased
            for cell in rejects.cells(reject)
            for each in (cell, identity.customer_id(cell))
        )

    def _leave_out_erased(self, table: TextTable, persons: Sequence[str]) -> int:
        """Drop the rows of erased people; returns how many."""
        if not self._erased or not persons:
            return 0
        duck = self._writer.duck
        duck.execute("create or replace temp table erased_people as select unnest($1) as print", [list(self._erased)])
        conditions = []
        for column in map(quoted, persons):
            # The hash is slow, so it is taken once for each person.
            prints = f"select {column}, {self._shop.identity.fingerprint_sql(column)} as print"
            known = f"select distinct {column} from {table.rows} where {column} is not null"
            conditions.append(
                f"{column} in (select {column} from ({prints} from ({known})) semi join erased_people using (print))"
            )
        where = " or ".join(f"coalesce({condition}, false)" for condition in conditions)
        (gone,) = row(duck, f"select count(*) from {table.rows} where {where}")
        if gone:
            duck.execute(f"delete from {table.rows} where {where}")
        return int(gone)

    def _replace(self, staged: Sequence[_Staged]) -> dict[str, Replaced]:
        """Write the facts of all files; where they speak of the same thing, the file named last has the word."""
        import duckdb

        merged: dict[str, list[str]] = {}
        documents: dict[tuple[str, ...], list[dict[str, str]]] = {}
        for part in staged:
            facts = part.facts()
            for name in [name for name in facts if FACTS[name].merged]:
                merged.setdefault(name, []).append(facts.pop(name))
            if facts:
                documents.setdefault(tuple(sorted(facts)), []).append(facts)
        groups = [{name: self._last_known(name, parts)} for name, parts in merged.items()]
        groups += [self._last_documents(parts) if len(parts) > 1 else parts[0] for parts in documents.values()]
        written: dict[str, Replaced] = {}
        with self._progress.stage("tables", len(groups), "steps") as stage:
            for done, group in enumerate(groups):
                stage.advance(done)
                try:
                    replaced = self._writer.replace_together(group)
                except (duckdb.ConversionException, duckdb.OutOfRangeException) as problem:
                    raise AmountsTooLarge(problem=str(problem).splitlines()[0]) from problem
                for name, done_now in replaced.items():
                    written[name] = written[name].and_then(done_now) if name in written else done_now
            stage.advance(len(groups))
        return written

    def _last_known(self, name: str, parts: Sequence[str]) -> str:
        """One row for each key, from all files: each column's last value that is known."""
        table = FACTS[name]
        keys = ", ".join(quoted(key) for key in table.key)
        numbered = " union all by name ".join(f"select *, {n} as part from ({part})" for n, part in enumerate(parts))
        columns = ", ".join(
            f"max_by({quoted(c)}, (part, {quoted(c)})) as {quoted(c)}"
            if len(parts) > 1
            else f"max({quoted(c)}) as {quoted(c)}"
            for c in table.names()
            if c not in table.key
        )
        return f"select {keys}, {columns} from ({numbered}) group by {keys}"

    def _last_documents(self, parts: Sequence[dict[str, str]]) -> dict[str, str]:
        """The facts of several files alike: a document that stands in several is taken from the last, whole."""
        keys = ", ".join(quoted(key) for key in FACTS[next(iter(parts[0]))].key)
        all_keys = " union all ".join(
            f"select {keys}, {n} as part from ({select})" for n, part in enumerate(parts) for select in part.values()
        )
        self._documents += 1
        last = f"last_documents_{self._documents}"
        self._writer.duck.execute(
            f"create temp table {last} as select {keys}, max(part) as part from ({all_keys}) group by {keys}"
        )
        own = f"semi join (select {keys} from {last} where part = {{n}}) using ({keys})"
        return {
            name: " union all by name ".join(
                f"select p.* from ({part[name]}) p {own.format(n=n)}" for n, part in enumerate(parts)
            )
            for name in parts[0]
        }

    @contextmanager
    def _watched(self, title: str, size: int) -> Iterator[None]:
        """Show how far DuckDB is with one long statement."""
        done = threading.Event()
        with self._progress.stage(title, size, "bytes") as stage:

            def look() -> None:
                while not done.wait(0.2):
                    share = self._writer.duck.query_progress()
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


def _said(reject: Reject) -> str:
    return f"{reject.column} is {reject.reason}" if reject.column else reject.reason
