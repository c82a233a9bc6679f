"""One import: all files of one command understood, staged, and made the present in one commit."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from setia.kernel.progress import Progress
from setia.sources.files import rejects
from setia.sources.files.container import open_container
from setia.sources.files.errors import NothingUsable, RowsRejected
from setia.sources.files.formats import FORMATS, Understood
from setia.sources.files.formats.understood import Shop
from setia.sources.files.rejects import Reject
from setia.sources.files.table import TextTable
from setia.warehouse.duck import literal, quoted, row
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


@dataclass(slots=True)
class _Staged:
    path: Path
    table: TextTable
    understood: Understood
    rows: Path
    count: int
    rejects: list[Reject]
    duplicates: int
    erased: int


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

    def run(self, paths: Sequence[Path], rejects_file: Path, now: dt.datetime) -> ImportReport:
        """Read the files and commit them together.

        Raises one of `sources.files.errors` for a file that cannot be used; nothing is changed then.
        """
        staged = [self._stage(path) for path in paths]
        written = self._replace(staged)
        bad = [reject for part in staged for reject in part.rejects]
        reports = [self._report(part) for part in staged]
        if bad:
            rejects.write(bad, rejects_file)
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
        rows = self._writer.scratch / f"rows-{uuid.uuid4().hex}.parquet"
        wanted = list(understood.typed)
        with self._watched(f"{path.name}", container.bytes):
            table.stage(wanted, rows)
        total, bad, duplicates = self._counts(rows)
        broken = table.broken_lines()
        found = rejects.ordered(path.name, broken, table.bad_rows(wanted) if bad else [])
        if found and self._strict:
            raise RowsRejected(path=path, count=len(found), row=found[0].row, reason=_said(found[0]))
        if found and bad == total:
            raise NothingUsable(path=path, row=found[0].row, reason=_said(found[0]))
        staged = _Staged(path, table, understood, rows, total + len(broken), found, duplicates, erased=0)
        staged.erased = self._count_erased(staged)
        self._tell(self._report(staged))
        return staged

    def _understand(self, table: TextTable) -> Understood:
        for form in FORMATS:
            understood = form.recognise(table, self._mapping, self._shop)
            if understood is not None:
                return understood
        raise AssertionError("the last format recognises everything or says what is missing")

    def _counts(self, rows: Path) -> tuple[int, int, int]:
        source = f"read_parquet({literal(str(rows))})"
        total, bad = row(self._writer.duck, f"select count(*), count(problem) from {source}")
        repeated = f"select count(*) as n from {source} group by fingerprint_of_row having n > 1"
        (duplicates,) = row(self._writer.duck, f"select coalesce(sum(n - 1), 0) from ({repeated})")
        return int(total), int(bad), int(duplicates)

    def _gone(self, staged: _Staged) -> str:
        """A condition that is true for rows of erased people."""
        if not self._erased or not staged.understood.persons:
            return "false"
        listed = ", ".join(literal(fingerprint) for fingerprint in self._erased)
        identity = self._shop.identity
        return " or ".join(
            f"coalesce({identity.fingerprint_sql(quoted(column))} in ({listed}), false)"
            for column in staged.understood.persons
        )

    def _count_erased(self, staged: _Staged) -> int:
        condition = self._gone(staged)
        if condition == "false":
            return 0
        source = f"read_parquet({literal(str(staged.rows))})"
        return int(row(self._writer.duck, f"select count(*) from {source} where {condition}")[0])

    def _replace(self, staged: Sequence[_Staged]) -> dict[str, Replaced]:
        selects: dict[str, list[str]] = {}
        for part in staged:
            good = (
                f"(select * from read_parquet({literal(str(part.rows))}) "
                f"where problem is null and not ({self._gone(part)}))"
            )
            for name, select in part.understood.facts.items():
                selects.setdefault(name, []).append(select.replace("{rows}", good))
        written = {}
        with self._progress.stage("tables", len(selects), "tables") as stage:
            for done, (name, parts) in enumerate(selects.items()):
                stage.advance(done)
                joined = " union all by name ".join(f"select * from ({part})" for part in parts)
                written[name] = self._writer.replace(name, joined)
            stage.advance(len(selects))
        return written

    def _report(self, staged: _Staged) -> FileReport:
        return FileReport(
            path=staged.path,
            understood=staged.understood,
            examples={role: staged.table.examples(c) for role, c in staged.understood.columns.items()},
            rows=staged.count,
            rejected=len(staged.rejects),
            duplicates=staged.duplicates,
            erased=staged.erased,
        )

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
