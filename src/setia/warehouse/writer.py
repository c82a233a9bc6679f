"""One door for writing: new files first, then the catalogue, in one PostgreSQL transaction."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from setia.facts import FACTS, FactTable
from setia.kernel.errors import SetiaError
from setia.kernel.progress import Progress, Silent
from setia.settings import WarehouseSettings
from setia.store.database import Lock, Store
from setia.warehouse import duck, files
from setia.warehouse.files import DataFile
from setia.warehouse.reader import fact_view

MOST_FILES_A_MONTH = 12
"""Small files of one month beyond this number are merged when the month is written again."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A staged file: rows of one month, not yet in their place."""

    path: Path
    month: dt.date | None
    rows: int


@dataclass(frozen=True, slots=True)
class StagedTables:
    """Rows of fact tables with the same key, written aside."""

    parts: Mapping[str, list[_Part]]

    def source(self, name: str) -> str | None:
        """A table's staged rows as a DuckDB table expression; None where there are none."""
        parts = self.parts.get(name)
        return duck.parquet(part.path for part in parts) if parts else None

    def rows(self) -> dict[str, int]:
        """How many rows each table has."""
        return {name: sum(part.rows for part in parts) for name, parts in self.parts.items()}


@dataclass(frozen=True, slots=True)
class Replaced:
    """What one table's part of a write did."""

    rows: int
    """Rows written."""
    old_rows: int
    """Rows that they took the place of."""
    same: bool
    """Whether the rows written are exactly the rows replaced."""

    def and_then(self, later: Replaced) -> Replaced:
        """Both of two parts of one write."""
        return Replaced(self.rows + later.rows, self.old_rows + later.old_rows, self.same and later.same)


class OvertakenByAnother(SetiaError):
    """Another process has written to this shop meanwhile, so nothing of this was kept. Try again."""

    code = "warehouse.overtaken"
    exit_code = 4


class Writer:
    """A write under way: stages rows, then makes them the present all at once."""

    def __init__(
        self, store: Store, folder: Path, scratch: Path, limits: WarehouseSettings, progress: Progress
    ) -> None:
        self._store = store
        self._folder = folder
        self.scratch = scratch
        self.duck = duck.connect(limits, scratch / "spill")
        self._progress = progress
        with store.begin() as tx:
            self._listed = files.in_snapshot(tx)
            self._based_on = files.latest_snapshot(tx)
        self._new: list[DataFile] = []
        self._dropped: list[DataFile] = []

    def present(self, table: str) -> list[DataFile]:
        """The files of a table as they will be once this write is committed."""
        gone = {file.path for file in self._dropped}
        return [file for file in [*self._listed, *self._new] if file.table == table and file.path not in gone]

    def replace(self, name: str, select: str) -> Replaced:
        """Put the rows of a SELECT (in the fact table's columns) in the place of all old rows with the same keys."""
        return self.replace_together({name: select})[name]

    def replace_together(self, selects: Mapping[str, str]) -> dict[str, Replaced]:
        """The same for several tables with the same key, as one: a key in any of them leaves all of them.

        So an order that is now a credit note does not stay an order.
        """
        return self.settle(self.stage(selects))

    def stage(self, selects: Mapping[str, str]) -> StagedTables:
        """The rows of SELECTs written to files aside, to be looked at before `settle` puts them in their place."""
        return StagedTables({name: self._stage(FACTS[name], select) for name, select in selects.items()})

    def settle(self, staged: StagedTables) -> dict[str, Replaced]:
        """Put staged rows in the place of all old ones with their keys."""
        old = {name: self.present(name) for name in staged.parts}
        if any(old.values()) and any(staged.parts.values()):
            self._note_new_keys(staged.parts)
        done = {name: self._settle(FACTS[name], parts, old[name]) for name, parts in staged.parts.items()}
        self.duck.execute("drop table if exists new_keys")
        return done

    def derive(self, name: str, select: str) -> int:
        """Make the rows of a SELECT the whole of a derived table; returns their number."""
        self._dropped += self.present(name)
        target = self._new_path(name, None)
        self.duck.execute(f"copy ({select}) to {duck.literal(str(target))} (format parquet)")
        self._list(name, None, target, version=0)
        return self._new[-1].rows

    def commit(
        self,
        now: dt.datetime,
        reason: str,
        summary: dict[str, object],
        also: Callable[[Connection], None] | None = None,
    ) -> int:
        """Make everything written the present, together with what `also` does in the same transaction.

        Returns the new snapshot's number.
        """
        gone = {file.path for file in self._dropped}
        new = [file for file in self._new if file.path not in gone]
        for file in new:
            _flush_to_disk(self._folder / file.path)
        with self._store.begin() as tx:
            # Should the writer's lock have been lost with its connection, whoever wrote meanwhile is not undone.
            if files.latest_snapshot(tx) != self._based_on:
                raise OvertakenByAnother
            number = self._based_on = files.record(
                tx, made_at=now, reason=reason, summary=summary, new=new, dropped=gone
            )
            if also is not None:
                also(tx)
        self._based_on = number
        return number

    # The steps of `replace`.

    def _stage(self, table: FactTable, select: str) -> list[_Part]:
        old = self.present(table.name)
        if table.merged and old:
            select = self._merged(table, select, old)
        target = self.scratch / f"{table.name}-{uuid.uuid4().hex}"
        month = f"date_trunc('month', {table.month_of})::date" if table.month_of else "null"
        columns = ", ".join(
            f"{duck.quoted(field.name)}::{field.kind.value} as {duck.quoted(field.name)}" for field in table.fields
        )
        self.duck.execute(
            f"copy (select {columns}, {month} as setia_month from ({select})) to {duck.literal(str(target))} "
            "(format parquet, partition_by (setia_month), filename_pattern '{uuid}')"
        )
        parts = [_Part(path, _month_of(path), _rows_in(path)) for path in sorted(target.rglob("*.parquet"))]
        return [part for part in parts if part.rows]

    def _merged(self, table: FactTable, select: str, old: list[DataFile]) -> str:
        # What an older file says fills gaps and overwrites nothing.
        columns = ", ".join(
            f"case when n.known_at < o.known_at then coalesce(o.{c}, n.{c}) else coalesce(n.{c}, o.{c}) end as {c}"
            for c in map(duck.quoted, table.names())
        )
        keys = ", ".join(duck.quoted(key) for key in table.key)
        return f"select {columns} from ({select}) n left join ({fact_view(table, self._folder, old)}) o using ({keys})"

    def _note_new_keys(self, staged: Mapping[str, list[_Part]]) -> None:
        (key,) = {FACTS[name].key for name in staged}
        keys = ", ".join(duck.quoted(column) for column in key)
        fresh = duck.parquet(part.path for parts in staged.values() for part in parts)
        self.duck.execute(f"create or replace temp table new_keys as select distinct {keys} from {fresh}")

    def _settle(self, table: FactTable, parts: list[_Part], old: list[DataFile]) -> Replaced:
        """Put staged rows in the place of old ones, unless they are the same."""
        rows = sum(part.rows for part in parts)
        hit = self._hit(table, old) if self._new_keys() else {}
        gone = sum(hit.values())
        if rows == gone == 0 or (rows == gone and self._same(table, parts, hit)):
            return Replaced(rows, gone, same=True)
        with self._progress.stage(table.name, len(hit), "files") as stage:
            for done, (file, leaving) in enumerate(hit.items()):
                stage.advance(done)
                self._dropped.append(file)
                if leaving < file.rows:
                    self.rewrite(file, self._without_new_keys(table, [file]), keep=True)
            stage.advance(len(hit))
        self._put_down(table, parts)
        return Replaced(rows, gone, same=False)

    def _new_keys(self) -> bool:
        return bool(duck.row(self.duck, "select count(*) from duckdb_tables() where table_name = 'new_keys'")[0])

    def _hit(self, table: FactTable, old: list[DataFile]) -> dict[DataFile, int]:
        """The old files that hold new keys, and how many rows of them."""
        if not old:
            return {}
        by_path = {str(self._folder / file.path): file for file in old}
        found = self.duck.execute(
            f"select filename, count(*) from {duck.parquet(by_path, filename=True)} "
            f"semi join new_keys using ({_keys(table)}) group by 1"
        ).fetchall()
        return {by_path[path]: int(rows) for path, rows in found}

    def _same(self, table: FactTable, parts: list[_Part], hit: Mapping[DataFile, int]) -> bool:
        view = fact_view(table, self._folder, list(hit))
        if sum(file.rows for file in hit) > sum(hit.values()):
            view = f"select o.* from ({view}) o semi join new_keys using ({_keys(table)})"
        fresh = f"select {', '.join(table.names())} from {duck.parquet(part.path for part in parts)}"
        if "known_at" in table.names():
            # To be told the same again later is no news.
            view, fresh = (f"select * exclude (known_at) from ({each})" for each in (view, fresh))
        return self._checksum(view) == self._checksum(fresh)

    def _without_new_keys(self, table: FactTable, files: list[DataFile]) -> str:
        view = fact_view(table, self._folder, files)
        return f"select o.* from ({view}) o anti join new_keys using ({_keys(table)})"

    def _checksum(self, select: str) -> object:
        return duck.row(self.duck, f"select count(*), sum(hash(t)::hugeint) from ({select}) t")

    def rewrite(self, file: DataFile, select: str, *, keep: bool = False) -> DataFile | None:
        """Write what a SELECT leaves of one file as a new file; None when nothing is left.

        With `keep` the new file joins this write's commit; otherwise the caller decides what becomes of it.
        """
        target = self._new_path(file.table, file.month)
        self.duck.execute(f"copy ({select}) to {duck.literal(str(target))} (format parquet)")
        version = FACTS[file.table].version if file.table in FACTS else file.schema_version
        written = self._described(file.table, file.month, target, version)
        if written.rows == 0:
            target.unlink()
            return None
        if keep:
            self._new.append(written)
        return written

    def _put_down(self, table: FactTable, parts: list[_Part]) -> None:
        for part in parts:
            target = self._new_path(table.name, part.month)
            part.path.rename(target)
            path = str(target.relative_to(self._folder))
            self._new.append(DataFile(table.name, part.month, path, part.rows, table.version))
        self._merge_small_files(table)

    def _merge_small_files(self, table: FactTable) -> None:
        by_month: dict[dt.date | None, list[DataFile]] = {}
        for file in self.present(table.name):
            by_month.setdefault(file.month, []).append(file)
        for month, found in by_month.items():
            if len(found) > MOST_FILES_A_MONTH:
                target = self._new_path(table.name, month)
                self.duck.execute(
                    f"copy ({fact_view(table, self._folder, found)}) to {duck.literal(str(target))} (format parquet)"
                )
                self._dropped += found
                self._list(table.name, month, target, version=table.version)

    def _new_path(self, table: str, month: dt.date | None) -> Path:
        part = f"{month:%Y-%m}" if month else "all"
        target = self._folder / table / part / f"{uuid.uuid4().hex}.parquet"
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def _described(self, table: str, month: dt.date | None, path: Path, version: int) -> DataFile:
        return DataFile(table, month, str(path.relative_to(self._folder)), _rows_in(path), version)

    def _list(self, table: str, month: dt.date | None, path: Path, version: int) -> None:
        self._new.append(self._described(table, month, path, version))


def _keys(table: FactTable) -> str:
    return ", ".join(duck.quoted(key) for key in table.key)


def _month_of(staged: Path) -> dt.date | None:
    value = staged.parent.name.removeprefix("setia_month=")
    return None if value.startswith("__HIVE") else dt.date.fromisoformat(value)


def _rows_in(path: Path) -> int:
    import pyarrow.parquet as pq

    return int(pq.read_metadata(path).num_rows)


def _flush_to_disk(path: Path) -> None:
    for target in (path, path.parent):
        handle = os.open(target, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def writing(
    store: Store,
    folder: Path,
    scratch: Path,
    limits: WarehouseSettings,
    forget_before: dt.datetime,
    progress: Progress | None = None,
) -> Iterator[Writer]:
    """A writer, one at a time. Raises Busy while another process writes. Nothing stays unless it is committed.

    What only snapshots older than `forget_before` could see is removed first.
    """
    with store.locked(Lock.WRITER, doing="writing to this shop's warehouse"):
        scratch.mkdir(parents=True, exist_ok=True)
        files.clear_scratch(scratch)
        files.forget_old_snapshots(store, forget_before)
        files.sweep(store, folder)
        own = Path(tempfile.mkdtemp(prefix="write-", dir=scratch))
        writer = Writer(store, folder, own, limits, progress or Silent())
        try:
            yield writer
        finally:
            writer.duck.close()
            shutil.rmtree(own, ignore_errors=True)
