"""Opens a file whatever its packing: finds out what it is, and makes it something DuckDB reads in place."""

from __future__ import annotations

import codecs
import gzip
import shutil
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from setia.sources.files.errors import FileEmpty, FileMissing, FileTruncated, LineTooLong, NotATable

CHUNK = 4 << 20
LONGEST_LINE = 2_000_000
_GZIP, _ZSTD, _PARQUET = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1"


@dataclass(frozen=True, slots=True)
class Container:
    """A file ready to be read: UTF-8 text or Parquet."""

    given: Path
    """As the person named it."""
    readable: Path
    """Where the readable form lies: the file itself, or an unpacked copy in the scratch folder."""
    kind: Literal["text", "parquet"]
    bytes: int
    notes: tuple[str, ...] = ()


def open_container(path: Path, scratch: Path) -> Container:
    """Find out what a file is and make it readable.

    Raises FileMissing, FileEmpty, FileTruncated, NotATable, LineTooLong.
    """
    if not path.is_file():
        raise FileMissing(path=path)
    if path.stat().st_size == 0:
        raise FileEmpty(path=path)
    with path.open("rb") as file:
        start = file.read(4)
    notes: list[str] = []
    readable = path
    if start[:2] == _GZIP or start == _ZSTD:
        readable = _unpacked(path, scratch, "gzip" if start[:2] == _GZIP else "zstd")
        notes.append("gzip" if start[:2] == _GZIP else "zstd")
        if readable.stat().st_size == 0:
            raise FileEmpty(path=path)
        with readable.open("rb") as file:
            start = file.read(4)
    if start == _PARQUET:
        _check_parquet(path, readable)
        return Container(path, readable, "parquet", readable.stat().st_size, tuple(notes))
    encoding = _encoding(path, readable)
    if encoding != "utf-8":
        readable = _as_utf8(readable, encoding, scratch)
        notes.append(encoding)
    return Container(path, readable, "text", readable.stat().st_size, tuple(notes))


def _unpacked(path: Path, scratch: Path, packing: Literal["gzip", "zstd"]) -> Path:
    target = scratch / f"unpacked-{uuid.uuid4().hex}"
    try:
        with target.open("wb") as out:
            if packing == "gzip":
                with gzip.open(path, "rb") as packed:
                    shutil.copyfileobj(packed, out, CHUNK)
            else:
                import pyarrow as pa

                with pa.OSFile(str(path)) as raw, pa.CompressedInputStream(raw, "zstd") as packed:
                    shutil.copyfileobj(packed, out, CHUNK)
    except (EOFError, zlib.error, gzip.BadGzipFile, OSError) as problem:
        raise FileTruncated(path=path) from problem
    return target


def _check_parquet(path: Path, readable: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        pq.read_schema(readable)
    except (pa.ArrowInvalid, OSError) as problem:
        raise FileTruncated(path=path) from problem


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk


def _encoding(path: Path, readable: Path) -> str:
    """The file's encoding, after one pass that also finds what no table of text has."""
    with readable.open("rb") as file:
        start = file.read(4)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    utf8 = codecs.getincrementaldecoder("utf-8")()
    valid, line_from, position = True, 0, 0
    with readable.open("rb") as file:
        for chunk in _chunks(file):
            if b"\x00" in chunk:
                raise NotATable(path=path, problem=f"it holds binary data (byte {position + chunk.index(0)})")
            line_from = _longest_line_ends(path, chunk, position, line_from)
            if valid:
                try:
                    utf8.decode(chunk)
                except UnicodeDecodeError:
                    valid = False
            position += len(chunk)
    if position - line_from > LONGEST_LINE:
        raise LineTooLong(path=path, limit=LONGEST_LINE, byte=line_from)
    if valid:
        return "utf-8"
    return _single_byte_encoding(path, readable)


def _longest_line_ends(path: Path, chunk: bytes, position: int, line_from: int) -> int:
    """Where the last line of a chunk begins. Raises LineTooLong for any line in it that is too long."""
    first, last = chunk.find(b"\n"), chunk.rfind(b"\n")
    if first < 0:
        if position + len(chunk) - line_from > LONGEST_LINE:
            raise LineTooLong(path=path, limit=LONGEST_LINE, byte=line_from)
        return line_from
    if position + first - line_from > LONGEST_LINE:
        raise LineTooLong(path=path, limit=LONGEST_LINE, byte=line_from)
    # Jump from line end to line end, a whole permitted length at a time.
    here = first
    while here < last:
        there = chunk.rfind(b"\n", here + 1, here + 1 + LONGEST_LINE)
        if there < 0:
            raise LineTooLong(path=path, limit=LONGEST_LINE, byte=position + here + 1)
        here = there
    return position + last + 1


def _single_byte_encoding(path: Path, readable: Path) -> str:
    with readable.open("rb") as file:
        sample = file.read(CHUNK)
    control = sum(byte < 32 and byte not in b"\t\r\n\f\x1b" for byte in sample)
    if control > len(sample) // 1000:
        raise NotATable(path=path, problem="it holds binary data")
    try:
        sample.decode("cp1252")
    except UnicodeDecodeError as problem:
        raise NotATable(
            path=path, problem="its letters are in no encoding Setia knows (UTF-8, UTF-16, cp1252)"
        ) from problem
    return "cp1252"


def _as_utf8(path: Path, encoding: str, scratch: Path) -> Path:
    target = scratch / f"utf8-{uuid.uuid4().hex}.csv"
    with (
        path.open("r", encoding=encoding, errors="replace", newline="") as source,
        target.open("w", encoding="utf-8", newline="") as out,
    ):
        shutil.copyfileobj(source, out, CHUNK)
    return target
