"""DuckDB connections with Setia's limits, and the small words of its SQL."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from setia.settings import WarehouseSettings

if TYPE_CHECKING:
    import duckdb


def connect(limits: WarehouseSettings, scratch: Path) -> duckdb.DuckDBPyConnection:
    """An empty in-memory DuckDB within the settings' limits that spills into `scratch`, in UTC, without downloads."""
    import duckdb

    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": limits.memory,
        "temp_directory": str(scratch),
        "TimeZone": "UTC",
        "autoinstall_known_extensions": False,
        "preserve_insertion_order": False,
    }
    if limits.threads is not None:
        config["threads"] = limits.threads
    connection = duckdb.connect(config=config)
    # Progress is counted, so that it can be asked for, and never printed.
    connection.execute("set enable_progress_bar_print = false")
    connection.execute("set enable_progress_bar = true")
    # What Spark calls so, for expressions that are the same on both.
    connection.execute(
        "create macro get_json_object(document, path) as "
        "case when json_valid(document) then json_extract_string(document, path) end"
    )
    return connection


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str | int | float | dt.date | None) -> str:
    """A value as an SQL literal."""
    if value is None:
        return "null"
    if isinstance(value, dt.datetime):
        return f"timestamptz '{value.isoformat()}'"
    if isinstance(value, dt.date):
        return f"date '{value.isoformat()}'"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value)


def parquet(paths: Iterable[Path | str], *, filename: bool = False) -> str:
    """A table expression over Parquet files, columns matched by name."""
    files = ", ".join(literal(str(path)) for path in paths)
    more = ", filename=true" if filename else ""
    return f"read_parquet([{files}], union_by_name=true, hive_partitioning=false{more})"


def row(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, ...]:
    """The one row of a query, read to its end so that the connection is free again."""
    (found,) = connection.execute(sql).fetchall()
    return tuple(found)
