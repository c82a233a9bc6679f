"""One door for reading: a pinned snapshot as SQL views and Ibis tables, in the schema that `facts` declares."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from setia.facts import FACTS, FactTable
from setia.kernel.errors import SetiaError
from setia.settings import WarehouseSettings
from setia.store.database import Lock, Store
from setia.warehouse import duck, files, persons
from setia.warehouse.files import DataFile
from setia.warehouse.snapshot import Memory

if TYPE_CHECKING:
    import duckdb
    import ibis.expr.types as ir
    import pyarrow as pa


IMPORTED_CUSTOMERS = "imported_customers"


class FileTooNew(SetiaError):
    """Files of {table} were written by a newer Setia (schema {found}, this one knows {known}). Upgrade Setia."""

    code = "warehouse.file_too_new"


class NotRefreshed(SetiaError):
    """There is no table {table} yet. Run `setia refresh` first."""

    code = "warehouse.not_refreshed"


class BadQuery(SetiaError):
    """DuckDB does not take this query: {problem}"""

    code = "warehouse.bad_query"


class Reader(Memory):
    """A snapshot under one DuckDB connection. Every fact table is there, empty ones included.

    Customers who were found to be one person are one; with `as_imported` all stay under the keys of their files.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        folder: Path,
        listed: Sequence[DataFile],
        *,
        as_imported: bool = False,
    ) -> None:
        super().__init__()
        self.duck = connection
        self._folder = folder
        self._by_table: dict[str, list[DataFile]] = {name: [] for name in FACTS}
        for file in listed:
            self._by_table.setdefault(file.table, []).append(file)
        self._numbers = count()
        joined = None if as_imported or not self.rows(persons.SAME_PERSON) else duck.quoted(persons.SAME_PERSON)
        for name, found in self._by_table.items():
            if name not in FACTS:
                self.duck.execute(f"create view {duck.quoted(name)} as {derived_view(folder, found)}")
        self.contact_list = IMPORTED_CUSTOMERS if joined else "customers"
        """The contact list under the keys of its files, in SQL."""
        for name, table in FACTS.items():
            definition = fact_view(table, folder, self._by_table[name])
            if joined and persons.is_joined(name):
                if name == "customers":
                    self.duck.execute(f"create view {IMPORTED_CUSTOMERS} as {definition}")
                definition = persons.as_one(table, f"({definition})", joined)
            self.duck.execute(f"create view {duck.quoted(name)} as {definition}")

    def files(self, table: str) -> list[DataFile]:
        """The files that make up a table in this snapshot."""
        return list(self._by_table.get(table, ()))

    def rows(self, table: str) -> int:
        """How many rows a table has, from the catalogue alone."""
        return sum(file.rows for file in self._by_table.get(table, ()))

    def columns(self, table: str) -> tuple[str, ...]:
        """The columns of a table; none where a derived table is not there."""
        if table not in self._by_table:
            return ()
        return tuple(name for name, *_ in self.duck.execute(f"describe {duck.quoted(table)}").fetchall())

    def changes(self, table: str, before: Collection[DataFile]) -> str | None:
        """The SELECT of the rows that came or went since a snapshot of these files; None where nothing did.

        Rows that were only written into another file have done neither.
        """
        old = {file.path: file for file in before if file.table == table}
        new = {file.path: file for file in self.files(table)}
        gone = [file for path, file in old.items() if path not in new]
        came = [file for path, file in new.items() if path not in old]
        if not gone and not came:
            return None

        def rows(found: list[DataFile]) -> str:
            return fact_view(FACTS[table], self._folder, found) if table in FACTS else derived_view(self._folder, found)

        if not gone or not came:
            return rows(gone or came)
        one, other = rows(came), rows(gone)
        return f"(({one}) except all ({other})) union all (({other}) except all ({one}))"

    def table(self, name: str) -> ir.Table:
        """A table as an Ibis expression. Raises NotRefreshed for a derived table that is not there."""
        if name not in self._by_table:
            raise NotRefreshed(table=name)
        return self.remembered(("table", name), lambda: self.ibis.table(name))

    @property
    def ibis(self) -> Any:
        """The Ibis backend over this connection."""
        import ibis

        if not hasattr(self, "_ibis"):
            self._ibis = ibis.duckdb.from_connection(self.duck)
        return self._ibis

    def arrow(self, expression: ir.Table) -> pa.Table:
        """The rows of an expression, in the types that Ibis gives them."""
        return self.ibis.to_pyarrow(expression)

    def kept(self, expression: ir.Table) -> ir.Table:
        """The same rows, worked out once and kept as long as the snapshot is open."""

        def make() -> ir.Table:
            return self.ibis.create_table(f"kept_{next(self._numbers)}", expression, temp=True)

        return self.remembered(("kept", expression.op()), make)

    def view(self, name: str, expression: ir.Table) -> None:
        """Show the rows of an expression under a name that SQL may use."""
        self.ibis.create_view(name, expression)

    def query(self, sql: str) -> pa.Table:
        """The rows of one SELECT over this snapshot.

        From here on the connection reaches no file but the shop's and its settings stay as they are. Raises BadQuery.
        """
        import duckdb

        self.duck.execute(f"set allowed_directories = [{duck.literal(str(self._folder))}]")
        self.duck.execute("set enable_external_access = false")
        self.duck.execute("set lock_configuration = true")
        try:
            # Nothing but a SELECT: a COPY could write over the shop's own files.
            kinds = [statement.type for statement in self.duck.extract_statements(sql)]
            if kinds != [duckdb.StatementType.SELECT]:
                raise BadQuery(problem="give one SELECT; nothing else runs here.")
            return self.duck.sql(sql).to_arrow_table()
        except duckdb.Error as problem:
            raise BadQuery(problem=str(problem).strip()) from problem


def fact_view(table: FactTable, folder: Path, found: Sequence[DataFile]) -> str:
    """The SELECT that shows a fact table's files in its declared columns and types.

    A column that was added after a file was written is null there. Raises FileTooNew.
    """
    if not found:
        columns = ", ".join(f"null::{field.kind.value} as {duck.quoted(field.name)}" for field in table.fields)
        return f"select {columns} where false"
    require_known(table, found)
    columns = ", ".join(
        f"{duck.quoted(field.name)}::{field.kind.value} as {duck.quoted(field.name)}" for field in table.fields
    )
    listed = duck.parquet(folder / file.path for file in found)
    if min(file.schema_version for file in found) == table.version:
        return f"select {columns} from {listed}"
    blank = ", ".join(f"null::{field.kind.value} as {duck.quoted(field.name)}" for field in table.fields)
    return f"select {columns} from (select {blank} where false union all by name select * from {listed})"


def require_known(table: FactTable, found: Sequence[DataFile]) -> None:
    """Raises FileTooNew for files that a newer Setia has written."""
    newest = max(file.schema_version for file in found)
    if newest > table.version:
        raise FileTooNew(table=table.name, found=newest, known=table.version)


def derived_view(folder: Path, found: Sequence[DataFile]) -> str:
    """The SELECT that shows a derived table as it was written."""
    return f"select * from {duck.parquet(folder / file.path for file in found)}"


@contextmanager
def pinned(store: Store, snapshot: int | None = None) -> Iterator[list[DataFile]]:
    """The files of a snapshot, the newest unless a number is given; they stay until the block ends."""
    with store.shared(Lock.READERS):
        with store.begin() as tx:
            if snapshot is not None:
                files.require_kept(tx, snapshot)
            listed = files.in_snapshot(tx, snapshot)
        yield listed


@contextmanager
def reading(
    store: Store,
    folder: Path,
    scratch: Path,
    limits: WarehouseSettings,
    snapshot: int | None = None,
    *,
    as_imported: bool = False,
) -> Iterator[Reader]:
    """A reader of one snapshot, the newest unless a number is given; its files stay until the block ends."""
    scratch.mkdir(parents=True, exist_ok=True)
    spill = Path(tempfile.mkdtemp(prefix="read-", dir=scratch))
    try:
        with pinned(store, snapshot) as listed, duck.connect(limits, spill) as connection:
            yield Reader(connection, folder, listed, as_imported=as_imported)
    finally:
        shutil.rmtree(spill, ignore_errors=True)
