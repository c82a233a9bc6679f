"""A snapshot under Spark: the same Parquet files, the same expressions. Needs `setia[spark]` and Java 17."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from setia.facts import FACTS, FactTable, Kind
from setia.kernel.errors import SetiaError
from setia.warehouse import persons
from setia.warehouse.files import DataFile
from setia.warehouse.reader import NotRefreshed, require_known
from setia.warehouse.snapshot import Memory

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

TYPES = {
    Kind.TEXT: "string", Kind.INSTANT: "timestamp", Kind.DAY: "date", Kind.INTEGER: "bigint",
    Kind.AMOUNT: "decimal(18,4)", Kind.RATE: "decimal(18,8)", Kind.FLAG: "boolean",
}  # fmt: skip
NEEDED = {"spark.sql.session.timeZone": "UTC", "spark.sql.ansi.enabled": "true"}
"""Settings without which Spark would give other figures."""
_NUMBERS = count()


class SparkSetOtherwise(SetiaError):
    """This Spark session has {name} = {found}; figures need {wanted}. Set it when the session is built."""

    code = "warehouse.spark_set_otherwise"


class SparkReader(Memory):
    """A snapshot under a Spark session of the caller's. Every fact table is there, empty ones included.

    Close it when done: the session keeps nothing of it then. Several at a time do not get into each other's way.
    Raises SparkSetOtherwise for a session in another time zone or without ANSI arithmetic, FileTooNew.
    """

    def __init__(self, session: SparkSession, folder: Path, listed: Sequence[DataFile]) -> None:
        import ibis

        super().__init__()
        for name, wanted in NEEDED.items():
            if (found := session.conf.get(name)) != wanted:
                raise SparkSetOtherwise(name=name, found=found, wanted=wanted)
        self._session = session
        self._others = self._memtables()
        self._prefix = f"setia_{next(_NUMBERS)}_"
        self._kept: list[Any] = []
        self._imported: list[str] = []
        self._by_table: dict[str, list[DataFile]] = {name: [] for name in FACTS}
        for file in listed:
            self._by_table.setdefault(file.table, []).append(file)
        self._ibis = ibis.pyspark.connect(session)
        try:
            self._joined = self.rows(persons.SAME_PERSON) > 0
            for name in (persons.SAME_PERSON, *(each for each in self._by_table if each != persons.SAME_PERSON)):
                files = self._by_table.get(name)
                if files is not None:
                    self._show(name, files, [str(folder / file.path) for file in files])
        except BaseException:
            self.close()
            raise

    def _show(self, name: str, files: Sequence[DataFile], paths: Sequence[str]) -> None:
        frame = self._fact(FACTS[name], files, paths) if name in FACTS else self._session.read.parquet(*paths)
        if self._joined and persons.is_joined(name):
            imported = f"{self._prefix}imported_{name}"
            frame.createOrReplaceTempView(imported)
            self._imported.append(imported)
            frame = self._session.sql(persons.as_one(FACTS[name], imported, self._prefix + persons.SAME_PERSON))
        frame.createOrReplaceTempView(self._prefix + name)

    def _fact(self, table: FactTable, found: Sequence[DataFile], paths: Sequence[str]) -> DataFrame:
        """A fact table in its declared columns and types; a column added after a file was written is null there."""
        from pyspark.sql import functions as f

        schema = ", ".join(f"`{field.name}` {TYPES[field.kind]}" for field in table.fields)
        if not found:
            return self._session.createDataFrame([], schema)
        require_known(table, found)
        frame = self._session.read.option("mergeSchema", "true").parquet(*paths)
        there = set(frame.columns)

        def column(name: str) -> Any:
            return f.col(name) if name in there else f.lit(None)

        return frame.select(*(column(field.name).cast(TYPES[field.kind]).alias(field.name) for field in table.fields))

    def rows(self, table: str) -> int:
        """How many rows a table has, from the catalogue alone."""
        return sum(file.rows for file in self._by_table.get(table, ()))

    def table(self, name: str) -> ir.Table:
        """A table as an Ibis expression. Raises NotRefreshed for a derived table that is not there."""
        if name not in self._by_table:
            raise NotRefreshed(table=name)
        return self.remembered(("table", name), lambda: self._ibis.table(self._prefix + name))

    def arrow(self, expression: ir.Table) -> pa.Table:
        """The rows of an expression, in the types that Ibis gives them; moments in UTC, which is the session's zone."""
        import pyarrow as pa

        found = self._ibis.to_pyarrow(expression)
        zoned = [
            field.with_type(pa.timestamp(field.type.unit, "UTC")) if pa.types.is_timestamp(field.type) else field
            for field in found.schema
        ]
        return found.cast(pa.schema(zoned))

    def kept(self, expression: ir.Table) -> ir.Table:
        """The same rows, worked out once and kept until this is closed."""

        def make() -> ir.Table:
            self._kept.append(expression.cache())
            return self._kept[-1]

        return self.remembered(("kept", expression.op()), make)

    def close(self) -> None:
        """Take what was made out of the session."""
        own = [*(self._prefix + table for table in self._by_table), *self._imported]
        for name in [*own, *(self._memtables() - self._others)]:
            self._session.catalog.dropTempView(name)
        for kept in self._kept:
            kept.release()

    def _memtables(self) -> set[str]:
        """The small tables of Ibis in the session: it leaves them there."""
        return {each.name for each in self._session.catalog.listTables() if each.name.startswith("ibis_")}
