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

from setia.sources.files.errors import FileEmpty, FileMissing, FileTruncated, FileUnreadable, LineTooLong, NotATable

CHUNK = 4 << 20
LONGEST_LINE = 2_000_000
_GZIP, _ZSTD, _PARQUET = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


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

    Raises FileMissing, FileEmpty, FileUnreadable, FileTruncated, NotATable, LineTooLong.
    """
    if not path.is_file():
        raise FileMissing(path=path)
    try:
        start = _start(path)
    except OSError as problem:
        raise FileUnreadable(path=path, problem=problem.strerror) from problem
    notes: list[str] = []
    readable = _by_a_plain_name(path, scratch)
    if start[:2] == _GZIP or start == _ZSTD:
        readable = _unpacked(path, scratch, "gzip" if start[:2] == _GZIP else "zstd")
        notes.append("gzip" if start[:2] == _GZIP else "zstd")
        start = _start(readable)
    if not start:
        raise FileEmpty(path=path)
    if start == _PARQUET:
        _check_parquet(path, readable)
        return Container(path, readable, "parquet", readable.stat().st_size, tuple(notes))
    encoding = "utf-16" if start.startswith(_UTF16) else "utf-8"
    if encoding == "utf-16":
        readable = _as_utf8(path, readable, encoding, scratch)
    found = _scan(path, readable)
    if not found.utf8 and (encoding := _encoding(path, readable)) != "utf-8":
        readable = _as_utf8(path, readable, encoding, scratch)
    if found.mixed_line_ends:
        readable = _with_one_line_end(readable, scratch)
    if encoding != "utf-8":
        notes.append(encoding)
    return Container(path, readable, "text", readable.stat().st_size, tuple(notes))


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4)


def _by_a_plain_name(path: Path, scratch: Path) -> Path:
    """The file itself, or a link to it where DuckDB would take its name for a pattern that fits other files too."""
    if not set("*?[") & set(str(path)):
        return path
    link = scratch / f"named-{uuid.uuid4().hex}"
    link.symlink_to(path.resolve())
    return link


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
    except (EOFError, zlib.error, OSError) as problem:
        raise FileTruncated(path=path) from problem
    return target


def _check_parquet(path: Path, readable: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        pq.read_schema(readable)
    except (pa.ArrowException, OSError) as problem:
        raise FileTruncated(path=path) from problem


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk


@dataclass(frozen=True, slots=True)
class _Scanned:
    utf8: bool
    mixed_line_ends: bool


def _scan(path: Path, readable: Path) -> _Scanned:
    """One pass over the bytes that finds what no table of text has, and what DuckDB cannot read in place."""
    utf8 = codecs.getincrementaldecoder("utf-8")()
    valid, line_from, position, last = True, 0, 0, b""
    feeds = returns = pairs = 0
    with readable.open("rb") as file:
        for chunk in _chunks(file):
            if b"\x00" in chunk:
                raise NotATable(path=path, problem=f"it holds binary data (byte {position + chunk.index(0)})")
            if b"\r" in chunk or last == b"\r":
                returns += chunk.count(b"\r")
                pairs += chunk.count(b"\r\n") + (last == b"\r" and chunk.startswith(b"\n"))
            feeds += chunk.count(b"\n")
            line_from = _longest_line_ends(path, chunk, position, line_from)
            if valid:
                try:
                    utf8.decode(chunk)
                except UnicodeDecodeError:
                    valid = False
            position, last = position + len(chunk), chunk[-1:]
    if position - line_from > LONGEST_LINE:
        raise LineTooLong(path=path, limit=LONGEST_LINE, byte=line_from)
    return _Scanned(valid, mixed_line_ends=returns > 0 and not returns == feeds == pairs)


def _longest_line_ends(path: Path, chunk: bytes, position: int, line_from: int) -> int:
    """Where the last line of a chunk begins. Raises LineTooLong for any line in it that is too long."""
    end = b"\n" if b"\n" in chunk else b"\r"
    first, last = chunk.find(end), chunk.rfind(end)
    if first < 0:
        if position + len(chunk) - line_from > LONGEST_LINE:
            raise LineTooLong(path=path, limit=LONGEST_LINE, byte=line_from)
        return line_from
    if position + first - line_from > LONGEST_LINE:
        raise LineTooLong(path=path, limit=LONGEST_LINE, byte=line_from)
    # Jump from line end to line end, a whole permitted length at a time.
    here = first
    while here < last:
        there = chunk.rfind(end, here + 1, here + 1 + LONGEST_LINE)
        if there < 0:
            raise LineTooLong(path=path, limit=LONGEST_LINE, byte=position + here + 1)
        here = there
    return position + last + 1


def _encoding(path: Path, readable: Path) -> str:
    """The encoding of a file that is not wholly valid UTF-8."""
    with readable.open("rb") as file:
        # The first chunk with letters beyond ASCII tells.
        sample = next((chunk for chunk in _chunks(file) if not chunk.isascii()), b"")
    control = sum(byte < 32 and byte not in b"\t\r\n\f\x1b" for byte in sample)
    if control > len(sample) // 1000:
        raise NotATable(path=path, problem="it holds binary data")
    decoded = sample.decode("utf-8", errors="replace")
    broken = decoded.count("\ufffd")
    if sum(not letter.isascii() for letter in decoded) > 2 * broken:
        # UTF-8 with a few broken letters: their rows are rejected, the others keep theirs.
        return "utf-8"
    return "cp1252"


def _as_utf8(path: Path, readable: Path, encoding: str, scratch: Path) -> Path:
    target = scratch / f"utf8-{uuid.uuid4().hex}.csv"
    try:
        with (
            readable.open("r", encoding=encoding, newline="") as source,
            target.open("w", encoding="utf-8", newline="") as out,
        ):
            shutil.copyfileobj(source, out, CHUNK)
    except UnicodeError as problem:
        raise NotATable(
            path=path, problem="its letters are in no encoding Setia knows (UTF-8, UTF-16, cp1252)"
        ) from problem
    return target


def _with_one_line_end(readable: Path, scratch: Path) -> Path:
    """A copy whose lines all end in a line feed, as DuckDB wants every line to end alike."""
    target = scratch / f"lines-{uuid.uuid4().hex}.csv"
    with readable.open("rb") as source, target.open("wb") as out:
        held = b""
        for chunk in _chunks(source):
            whole = held + chunk
            # A carriage return at the very end may be the first half of a pair.
            held = b"\r" if whole.endswith(b"\r") else b""
            whole = whole.removesuffix(b"\r")
            out.write(whole.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
        out.write(held.replace(b"\r", b"\n"))
    return target
