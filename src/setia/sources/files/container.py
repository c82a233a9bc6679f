"""Opens a file whatever its packing: finds out what it is, and makes each of its tables something DuckDB reads."""

from __future__ import annotations

import csv
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from setia.kernel.i18n import N_, Sentence
from setia.sources.files import documents, letters, markup, sheets, unpacking
from setia.sources.files.errors import (
    FileEmpty,
    FileMissing,
    FileTruncated,
    FileUnreadable,
    LineTooLong,
    NoTable,
    NotATable,
    TooManyColumns,
    TooManyParts,
)
from setia.sources.files.unpacking import CHUNK, EMPTY_ZIP, GZIP, ZIP, ZSTD, Limits, Meter, Source, chunks

__all__ = ["CHUNK", "LONGEST_LINE", "Container", "Limits", "open_containers"]

LONGEST_LINE = 2_000_000
DELIMITERS = ",;\t|"
_PARQUET, _OFFICE = b"PAR1", b"\xd0\xcf\x11\xe0"
_DEEPEST = 3
"""Packings within packings."""
_NOT_TABLES = (b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"{\\rtf", b"\x7fELF", b"MZ")
_LOOSE = {"", ".txt", ".text", ".log", ".md", ".xml", ".html", ".htm", ".css", ".js", ".json"}
"""Endings that files beside the tables of a zip have too."""
_TABLES = {".csv", ".tsv", ".tab", ".psv", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".jsonl", ".ndjson", ".parquet"}
_PACKED = {".gz", ".zst"}
_NO_TABLE = N_("{name} was left out: it is no table")
_ZIP_IN_ZIP = N_("{name} was left out: it is a zip file within a zip file; unpack it and import what is inside")


@dataclass(frozen=True, slots=True)
class Container:
    """A table ready to be read."""

    given: Path
    """The file as the person named it."""
    name: str
    """What to call the table to a person: "orders.xlsx, sheet Orders"."""
    readable: Path
    """UTF-8 text where `kind` is text, else Parquet: the file itself, or a copy in the scratch folder."""
    kind: Literal["text", "parquet", "json"]
    bytes: int
    notes: tuple[str, ...] = ()
    """Sentences for the owner, without a full stop."""
    delimiter: str | None = None
    """What stands between the cells, where Setia wrote the text itself."""


def open_containers(path: Path, scratch: Path, limits: Limits | None = None) -> list[Container]:
    """Find out what a file is and make every table in it readable.

    Raises one of `sources.files.errors`: a file that cannot be read whole is not read at all.
    """
    if not path.is_file():
        raise FileMissing(path=path)
    try:
        with path.open("rb"):
            pass
    except OSError as problem:
        raise FileUnreadable(path=path, problem=problem.strerror) from problem
    meter = Meter(path, scratch, limits or Limits())
    return _opened(Source(path, path.name, _by_a_plain_name(path, scratch), meter))


def _by_a_plain_name(path: Path, scratch: Path) -> Path:
    """The file itself, or a link to it where DuckDB would take its name for a pattern that fits other files too."""
    if not set("*?[") & set(str(path)):
        return path
    link = scratch / f"named-{uuid.uuid4().hex}"
    link.symlink_to(path.resolve())
    return link


def _opened(source: Source) -> list[Container]:
    start = source.start()
    if not start:
        raise FileEmpty(path=source.said)
    if source.depth > _DEEPEST:
        raise NotATable(path=source.said, problem="it is packed again and again")
    if start[:2] == GZIP or start[:4] == ZSTD:
        return _opened(unpacking.unpacked(source, "gzip" if start[:2] == GZIP else "zstd"))
    if start[:4] == _PARQUET:
        _check_parquet(source)
        return [_container(source, "parquet")]
    if start[:4] in (ZIP, EMPTY_ZIP):
        return _of_zip(source)
    if start[:4] == _OFFICE:
        return [_container(part, "text") for part in sheets.open_sheets(source, "xls")]
    return _of_text(source)


def _container(source: Source, kind: Literal["text", "parquet", "json"], *, own: bool = True) -> Container:
    delimiter = "," if kind == "text" and own else None
    size = source.file.stat().st_size
    return Container(source.given, source.name, source.file, kind, size, source.notes, delimiter)


def _check_parquet(source: Source) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        columns = len(pq.read_schema(source.file))
    except (pa.ArrowException, OSError, ValueError) as problem:
        raise FileTruncated(path=source.said) from problem
    _check_columns(source, columns)


def _check_columns(source: Source, columns: int) -> None:
    if columns > source.limits.columns:
        raise TooManyColumns(path=source.said, count=f"{columns:,}", limit=f"{source.limits.columns:,}")


def _of_zip(source: Source) -> list[Container]:
    """A zip file is a workbook, or holds files that are tables."""
    archive = unpacking.open_zip(source)
    archive.check_sizes()
    kinds: dict[sheets.Kind, str] = {"xlsx": "xl/workbook.xml", "xlsb": "xl/workbook.bin", "ods": "content.xml"}
    for kind, sign in kinds.items():
        if archive.has(sign):
            return [_container(part, "text") for part in sheets.open_sheets(source, kind)]
    found: list[Container] = []
    notes: list[str] = []
    for member in archive.members:
        if not _is_hidden(member):
            found += _of_member(archive, member, notes)
            if len(found) > source.limits.parts:
                raise TooManyParts(path=source.said, count=f"{len(found):,}", limit=f"{source.limits.parts:,}")
    if not found:
        raise NoTable(path=source.said, problem="; ".join(notes[:3]) or "the zip file is empty")
    first = replace(found[0], notes=(*found[0].notes, *notes))
    return [first, *found[1:]]


def _is_hidden(member: zipfile.ZipInfo) -> bool:
    parts = member.filename.split("/")
    return (
        member.is_dir()
        or "__MACOSX" in parts
        or any(part.startswith(".") and part not in (".", "..") for part in parts)
    )


def _of_member(archive: unpacking.Zip, member: zipfile.ZipInfo, notes: list[str]) -> list[Container]:
    """The tables of one member; none, and a note, where it is something else."""
    ending = Path(member.filename).suffix.lower()
    name = unpacking.shown_name(member.filename)
    if ending not in _TABLES | _PACKED | _LOOSE:
        notes.append(Sentence(_NO_TABLE, name=name))
        return []
    start = archive.first_bytes(member)
    if start[:4] in (ZIP, EMPTY_ZIP) and ending not in _TABLES:
        notes.append(Sentence(_ZIP_IN_ZIP, name=name))
        return []
    if ending in _LOOSE and start.startswith(_NOT_TABLES):
        notes.append(Sentence(_NO_TABLE, name=name))
        return []
    source = archive.unpack(member)
    if ending not in _LOOSE:
        return _opened(source)
    try:
        found = _opened(source)
        if len(found) == 1 and found[0].kind == "text" and _width(found[0].readable) < 2:
            raise NoTable(path=source.said, problem="its first line does not name two columns or more")
    except (NotATable, NoTable, FileEmpty, FileTruncated, LineTooLong):
        notes.append(Sentence(_NO_TABLE, name=name))
        return []
    return found


def _of_text(source: Source) -> list[Container]:
    source = letters.in_utf8(source)
    start = source.start(1 << 16).lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:1] == b"{" or (start[:1] == b"[" and start[1:].lstrip()[:1] in (b"{", b"]", b"")):
        return [_container(part, "json") for part in documents.open_documents(source)]
    if markup.has_tables(source):
        return [_container(part, "text") for part in markup.open_tables(source)]
    _check_columns(source, _width(source.file))
    if _has_mixed_line_ends(source):
        source = source.become(_with_one_line_end(source))
    return [_container(source, "text", own=False)]


def _width(file: Path) -> int:
    """Columns that the first line of a text file names."""
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as text:
        line = text.readline(8 * LONGEST_LINE)
    delimiter = max(DELIMITERS, key=line.count)
    try:
        return len(next(csv.reader([line], delimiter=delimiter), []))
    except csv.Error:
        return line.count(delimiter) + 1


def _has_mixed_line_ends(source: Source) -> bool:
    """One pass over the bytes that finds what no table of text has, and what DuckDB cannot read in place.

    Raises NotATable for binary data, LineTooLong.
    """
    line_from, position, last = 0, 0, b""
    feeds = returns = pairs = 0
    with source.file.open("rb") as file:
        for chunk in chunks(file):
            if b"\x00" in chunk:
                problem = f"it holds binary data (byte {position + chunk.index(0)})"
                raise NotATable(path=source.said, problem=problem)
            if b"\r" in chunk or last == b"\r":
                returns += chunk.count(b"\r")
                pairs += chunk.count(b"\r\n") + (last == b"\r" and chunk.startswith(b"\n"))
            feeds += chunk.count(b"\n")
            line_from = _longest_line_ends(source.said, chunk, position, line_from)
            position, last = position + len(chunk), chunk[-1:]
    if position - line_from > LONGEST_LINE:
        raise LineTooLong(path=source.said, limit=LONGEST_LINE, byte=line_from)
    return returns > 0 and not returns == feeds == pairs


def _longest_line_ends(said: str, chunk: bytes, position: int, line_from: int) -> int:
    """Where the last line of a chunk begins. Raises LineTooLong for any line in it that is too long."""
    end = b"\n" if b"\n" in chunk else b"\r"
    first, last = chunk.find(end), chunk.rfind(end)
    if first < 0:
        if position + len(chunk) - line_from > LONGEST_LINE:
            raise LineTooLong(path=said, limit=LONGEST_LINE, byte=line_from)
        return line_from
    if position + first - line_from > LONGEST_LINE:
        raise LineTooLong(path=said, limit=LONGEST_LINE, byte=line_from)
    # Jump from line end to line end, a whole permitted length at a time.
    here = first
    while here < last:
        there = chunk.rfind(end, here + 1, here + 1 + LONGEST_LINE)
        if there < 0:
            raise LineTooLong(path=said, limit=LONGEST_LINE, byte=position + here + 1)
        here = there
    return position + last + 1


def _with_one_line_end(source: Source) -> Path:
    """A copy whose lines all end in a line feed, as DuckDB wants every line to end alike."""
    target = source.new_file(".csv")

    def pieces() -> Iterator[bytes]:
        held = b""
        with source.file.open("rb") as file:
            for chunk in chunks(file):
                whole = held + chunk
                # A carriage return at the very end may be the first half of a pair.
                held = b"\r" if whole.endswith(b"\r") else b""
                whole = whole.removesuffix(b"\r")
                yield whole.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        yield held.replace(b"\r", b"\n")

    unpacking.write(pieces(), target, source.meter)
    return target
