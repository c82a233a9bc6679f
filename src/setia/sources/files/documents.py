"""JSON to Parquet: one row for each object, every value as text, nested objects as dotted columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from setia.sources.files.errors import FileTruncated, NotATable, TooManyColumns
from setia.sources.files.header import unique_names
from setia.sources.files.unpacking import CHUNK, Source, chunks, write
from setia.warehouse.duck import literal, quoted, row

if TYPE_CHECKING:
    import duckdb

DEPTH = 4
"""Levels of nested objects that become columns."""
_HOLDS = 3
"""Levels of objects around the array that holds the rows."""
_MOST_ARRAYS = 2_000
_DEEPEST = 500
_KEY = re.compile(rb'"((?:[^"\\]|\\.)*)"\s*:\s*$')
Format = Literal["array", "newline_delimited", "unstructured"]


@dataclass(frozen=True, slots=True)
class _Array:
    """Where an array lies in the file, its brackets included, and the key it has."""

    start: int
    end: int
    key: str


def open_documents(source: Source) -> list[Source]:
    """The tables of a JSON file in UTF-8, as Parquet in the scratch folder.

    Raises NotATable, FileTruncated, TooManyColumns, UnpacksTooLarge, DiskFull.
    """
    if source.start(1 << 16).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"[":
        _arrays(source)
        return [_table(source, ("array", "unstructured"))]
    arrays = _arrays(source)
    if not arrays:
        return [_table(source, ("newline_delimited", "unstructured"))]
    tables = []
    for array in arrays:
        part = source.become(_cut(source, array), part=array.key if len(arrays) > 1 else "")
        tables.append(_table(part, ("array",)))
    return tables


def _structure(source: Source) -> Iterator[tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]]:
    """The brackets and braces outside of strings: position, byte, and how deep the file is behind each."""
    position = depth = 0
    inside, held = np.uint8(0), b""
    with source.file.open("rb") as file:
        for chunk in chunks(file):
            whole = held + chunk
            # A backslash belongs to the letter after it, which may come with the next piece.
            odd = (len(whole) - len(whole.rstrip(b"\\"))) % 2
            whole, held = (whole[:-1], b"\\") if odd else (whole, b"")
            if not whole:
                continue
            data = np.frombuffer(whole.replace(b"\\\\", b"__").replace(b'\\"', b"__"), np.uint8)
            within = np.bitwise_xor.accumulate((data == ord('"')).view(np.uint8)) ^ inside
            # This bit is all that [ and { differ in, and ] and }.
            folded = data | 0x20
            at = np.flatnonzero(((folded == ord("{")) | (folded == ord("}"))) & (within == 0))
            after = depth + np.cumsum(np.where(folded[at] == ord("{"), 1, -1))
            yield at + position, data[at], after
            position, inside = position + len(whole), within[-1]
            depth = int(after[-1]) if len(after) else depth


def _arrays(source: Source) -> list[_Array]:
    """The arrays of objects that the one object of a file holds; none where the file is objects in a row.

    Raises FileTruncated where the first value of the file does not end.
    """
    found: list[tuple[int, int]] = []
    opened: tuple[int, int] | None = None
    for at, byte, after in _structure(source):
        if len(after) and after.max() > _DEEPEST:
            raise NotATable(path=source.said, problem=f"it has objects within objects more than {_DEEPEST} levels deep")
        here = 0
        while here < len(at):
            if opened:
                # Nothing within an array matters until it ends.
                closed = np.flatnonzero(after[here:] < opened[1])
                if not len(closed):
                    break
                here += int(closed[0])
                if 0 < opened[1] <= _HOLDS + 1:
                    found.append((opened[0], int(at[here])))
                opened = None
            elif byte[here] == ord("["):
                opened = (int(at[here]), int(after[here]))
            if after[here] <= 0:
                return [] if _goes_on(source, int(at[here])) else _named(source, found)
            here += 1
            if here > CHUNK // 8 or len(found) > _MOST_ARRAYS:
                raise NotATable(path=source.said, problem="it does not hold one list of objects")
    raise FileTruncated(path=source.said)


def _goes_on(source: Source, end: int) -> bool:
    with source.file.open("rb") as file:
        file.seek(end + 1)
        return any(chunk.strip() for chunk in chunks(file))


def _named(source: Source, found: Iterable[tuple[int, int]]) -> list[_Array]:
    """Those of the arrays that hold objects, with their keys."""
    arrays: list[_Array] = []
    with source.file.open("rb") as file:
        for start, end in found:
            file.seek(max(0, start - 500))
            before = file.read(min(start, 500))
            after = file.read(1000)[1:].lstrip()
            if after[:1] == b"{" and start:
                key = _KEY.search(before)
                name = key[1].decode("utf-8", errors="replace") if key else f"list {len(arrays) + 1}"
                arrays.append(_Array(start, end, name))
    return arrays


def _cut(source: Source, array: _Array) -> Path:
    target = source.new_file(".json")

    def pieces() -> Iterator[bytes]:
        with source.file.open("rb") as file:
            file.seek(array.start)
            left = array.end + 1 - array.start
            while left and (piece := file.read(min(CHUNK, left))):
                left -= len(piece)
                yield piece

    write(pieces(), target, source.meter)
    return target


def _table(source: Source, formats: tuple[Format, ...]) -> Source:
    import duckdb

    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": "1GB",
        "temp_directory": str(source.meter.scratch),
        "autoinstall_known_extensions": False,
        # With more, DuckDB holds pieces back to keep their order, up to its whole memory.
        "threads": 1,
    }
    first: duckdb.Error | None = None
    with duckdb.connect(config=config) as connection:
        for form in formats:
            objects = f"read_json_objects({literal(str(source.file))}, format='{form}')"
            try:
                return _converted(source, connection, objects)
            except duckdb.Error as problem:
                first = first or problem
    raise NotATable(path=source.said, problem=str(first).strip().splitlines()[0][:300]) from first


def _converted(source: Source, connection: duckdb.DuckDBPyConnection, objects: str) -> Source:
    kinds = f"select count(*), count(*) filter (json_type(json) = 'OBJECT') from {objects}"
    entries, good = row(connection, kinds)
    if not good:
        raise NotATable(path=source.said, problem="it is JSON without objects that could be rows")
    if good < entries:
        objects = f"(select json from {objects} where json_type(json) = 'OBJECT')"
    paths = _paths(source, connection, objects)
    if len(paths) < 2:
        raise NotATable(path=source.said, problem="its objects do not have two fields or more")
    pointers = ", ".join(map(_pointer, paths))
    names = unique_names([".".join(path) for path in paths])
    columns = ", ".join(f"fields[{n}] as {quoted(name)}" for n, name in enumerate(names, start=1))
    target = source.new_file(".parquet")
    # Every column of a group of rows is held in memory until it is written.
    group = max(2_000, min(100_000, 2_000_000 // len(paths)))
    connection.execute(
        f"copy (select {columns} from (select json_extract_string(json, [{pointers}]) as fields from {objects})) "
        f"to {literal(str(target))} (format parquet, compression zstd, row_group_size {group})"
    )
    source.meter.add(target.stat().st_size)
    left_out = (f"{entries - good:,} entries that are no objects were left out",) if entries > good else ()
    return source.become(target, *left_out)


def _pointer(path: tuple[str, ...]) -> str:
    return literal("".join("/" + key.replace("~", "~0").replace("/", "~1") for key in path))


def _paths(source: Source, connection: duckdb.DuckDBPyConnection, objects: str) -> list[tuple[str, ...]]:
    """Every field that any of the objects has, down to DEPTH; what lies in an object stands behind it."""
    found: dict[tuple[str, ...], None] = {}
    level: list[tuple[str, ...]] = [()]
    for _ in range(DEPTH):
        pointers = ", ".join(map(_pointer, level))
        # The keys of all fields of the level above: none where a field is no object.
        kinds = connection.execute(f"select distinct json_keys(json, [{pointers}]) from {objects}")
        below: dict[tuple[str, ...], None] = {}
        while some := kinds.fetchmany(1_000):
            for (keys,) in some:
                fields = ((*path, key) for path, inner in zip(level, keys, strict=True) for key in inner or () if key)
                below.update(dict.fromkeys(fields))
            if len(found) + len(below) > source.limits.columns:
                count = f"{len(found) + len(below):,} or more"
                raise TooManyColumns(path=source.said, count=count, limit=f"{source.limits.columns:,}")
        if not below:
            break
        found.update(below)
        level = list(below)
    return _in_order(found)


def _in_order(found: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The fields with those that lie in them directly behind each."""
    inside: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for path in found:
        inside.setdefault(path[:-1], []).append(path)

    def walk(path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        for inner in inside.get(path, ()):
            yield inner
            yield from walk(inner)

    return list(walk(()))
