"""Unpacks gzip, zstd and zip, and stops where a small file would fill the disk."""

from __future__ import annotations

import errno
import gzip
import lzma
import shutil
import struct
import uuid
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, Literal

from setia.kernel.errors import printable
from setia.kernel.i18n import Sentence
from setia.sources.files.errors import (
    DiskFull,
    FileEncrypted,
    FileTruncated,
    NotATable,
    TooManyParts,
    UnpacksTooLarge,
)

CHUNK = 4 << 20
ZIP, EMPTY_ZIP, GZIP, ZSTD = b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_END, _END_64, _LOCATOR_64 = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_LONGEST_ENTRY = 66_000 * 3
_METHODS = (0, 1, 6, 8, 9, 12, 14, 93, 95, 98, 99)
_BROKEN = (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, struct.error, ValueError, OverflowError, OSError)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may become. Real exports stay far below; bytes where nothing else is said."""

    unpacked: int = 64 << 30
    ratio: int = 150
    """Unpacked bytes for each packed one, once `ratio_from` bytes have come out."""
    ratio_from: int = 256 << 20
    spare: int = 256 << 20
    """What must stay free on the disk of the scratch folder."""
    columns: int = 5_000
    parts: int = 500
    """Sheets of a workbook, members of a zip, tables of a page."""
    sheet_memory: int = 4 << 30
    """Address space of the process that reads a workbook."""
    sheet_seconds: int = 900
    """Processor time of that process."""


@dataclass(slots=True)
class Meter:
    """Counts what one given file writes to the scratch folder."""

    path: Path
    scratch: Path
    limits: Limits
    written: int = 0

    def add(self, count: int) -> None:
        """Allow `count` more bytes. Raises UnpacksTooLarge, DiskFull."""
        self.written += count
        self.require_ratio(self.written, self.path.stat().st_size)
        free = self.free()
        if free < count:
            raise DiskFull(path=self.path, needed=_size(count), free=_size(max(free, 0)), folder=self.scratch)

    def require_ratio(self, written: int, packed: int) -> None:
        """Refuse what grows as no table does. Raises UnpacksTooLarge."""
        much = written > self.limits.ratio_from and written > self.limits.ratio * max(packed, 1)
        if much or written > self.limits.unpacked:
            raise UnpacksTooLarge(
                path=self.path, packed=_size(self.path.stat().st_size), unpacked=_size(max(written, self.written))
            )

    def free(self) -> int:
        """Bytes that may still be written."""
        return shutil.disk_usage(self.scratch).free - self.limits.spare

    def check(self, count: int) -> None:
        """Whether `count` bytes might be written, without counting them. Raises UnpacksTooLarge, DiskFull."""
        replace(self).add(count)


@dataclass(frozen=True, slots=True)
class Source:
    """One file on its way to becoming tables: where its bytes lie now, and what to call it."""

    given: Path
    name: str
    file: Path
    meter: Meter
    notes: tuple[str, ...] = ()
    delimiter: str | None = None
    depth: int = field(default=0)

    @property
    def said(self) -> str:
        """What messages call it: the path as given, and the part of it."""
        return f"{self.given}{self.name.removeprefix(self.given.name)}"

    @property
    def limits(self) -> Limits:
        """What the given file may become."""
        return self.meter.limits

    def new_file(self, ending: str = "") -> Path:
        """A free name in the scratch folder."""
        return self.meter.scratch / f"{uuid.uuid4().hex}{ending}"

    def start(self, count: int = 8) -> bytes:
        """Its first bytes."""
        with self.file.open("rb") as file:
            return file.read(count)

    def become(self, file: Path, *notes: str, part: str = "") -> Source:
        """The same, or a named part of it, in another file."""
        name = f"{self.name}, {shown_name(part)}" if part else self.name
        return replace(self, file=file, name=name, notes=(*self.notes, *notes))


def shown_name(name: str) -> str:
    """A name from inside a file, fit to be shown in a line."""
    return printable(name).replace("\n", "?")[:200]


def chunks(file: IO[bytes] | gzip.GzipFile) -> Iterator[bytes]:
    """The rest of a file, piece by piece."""
    while chunk := file.read(CHUNK):
        yield chunk


def write(pieces: Iterator[bytes], target: Path, meter: Meter, consumed: Callable[[], int] | None = None) -> None:
    """Write the pieces, counted; `consumed` tells the packed bytes read so far. Raises UnpacksTooLarge, DiskFull."""
    written = 0
    with target.open("wb") as out:
        for piece in pieces:
            meter.add(len(piece))
            written += len(piece)
            if consumed:
                meter.require_ratio(written, consumed())
            try:
                out.write(piece)
            except OSError as problem:
                if problem.errno == errno.ENOSPC:
                    raise DiskFull(path=meter.path, needed=_size(len(piece)), free="0", folder=meter.scratch) from None
                raise


def unpacked(source: Source, packing: Literal["gzip", "zstd"]) -> Source:
    """What a gzip or zstd file holds. Raises FileTruncated, UnpacksTooLarge, DiskFull."""
    target = source.new_file()
    try:
        if packing == "gzip":
            with source.file.open("rb") as raw, gzip.GzipFile(fileobj=raw) as packed:
                write(chunks(packed), target, source.meter, raw.tell)
        else:
            import pyarrow as pa

            with pa.OSFile(str(source.file)) as raw, pa.CompressedInputStream(raw, "zstd") as packed:
                write(chunks(packed), target, source.meter, raw.tell)
    except _BROKEN as problem:
        raise FileTruncated(path=source.said) from problem
    return replace(source.become(target, Sentence("Unpacked from {packing}", packing=packing)), depth=source.depth + 1)


@dataclass(frozen=True, slots=True)
class Zip:
    """A zip file whose directory was found to be sound."""

    source: Source
    members: tuple[zipfile.ZipInfo, ...]

    def has(self, *names: str) -> bool:
        """Whether a member has one of these names."""
        return any(member.filename in names for member in self.members)

    def check_sizes(self) -> None:
        """Refuse a zip whose directory names more than may be unpacked. Raises UnpacksTooLarge, DiskFull."""
        self.source.meter.check(sum(member.file_size for member in self.members))

    def first_bytes(self, member: zipfile.ZipInfo, count: int = 8) -> bytes:
        """How a member begins. Raises FileTruncated, FileEncrypted, NotATable."""
        return bytes(self._read(member, lambda packed: packed.read(count)))

    def unpack(self, member: zipfile.ZipInfo) -> Source:
        """A member in a file of its own, whose name has nothing to do with the member's."""
        target = self.source.new_file()
        self._read(member, lambda packed: write(chunks(packed), target, self.source.meter))
        return replace(self.source.become(target, part=member.filename), notes=(), depth=self.source.depth + 1)

    def _read(self, member: zipfile.ZipInfo, use: Callable[[IO[bytes]], Any]) -> Any:
        said = f"{self.source.said}, {shown_name(member.filename)}"
        if member.flag_bits & 1:
            raise FileEncrypted(path=said)
        with _sound(said), zipfile.ZipFile(self.source.file) as archive, archive.open(member) as packed:
            return use(packed)


def open_zip(source: Source) -> Zip:
    """Read the directory of a zip file. Raises FileTruncated, NotATable, TooManyParts."""
    start = source.start(30)
    if start[:4] == ZIP and (len(start) < 10 or int.from_bytes(start[8:10], "little") not in _METHODS):
        raise NotATable(path=source.said, problem="it begins like a zip file but is none")
    entries, size = _directory(source)
    most = source.limits.parts * 20
    if entries > most or size > most * 200 + _LONGEST_ENTRY:
        raise TooManyParts(path=source.said, count=f"{entries:,}", limit=f"{most:,}")
    with _sound(source.said), zipfile.ZipFile(source.file) as archive:
        return Zip(source, tuple(archive.infolist()))


@contextmanager
def _sound(said: str) -> Iterator[None]:
    """Say what is wrong with a zip file in Setia's words."""
    try:
        yield
    except NotImplementedError as problem:
        raise NotATable(path=said, problem="it is packed in a way that Setia does not open") from problem
    except RuntimeError as problem:
        raise FileEncrypted(path=said) from problem
    except _BROKEN as problem:
        raise FileTruncated(path=said) from problem


def _directory(source: Source) -> tuple[int, int]:
    """How many entries a zip file's directory names, and its bytes, before anything is read into memory."""
    length = source.file.stat().st_size
    with source.file.open("rb") as file:
        file.seek(max(0, length - 65_557))
        tail = file.read()
        at = tail.rfind(_END)
        if at < 0 or len(tail) - at < 22:
            raise FileTruncated(path=source.said)
        entries, size = struct.unpack("<HL", tail[at + 10 : at + 16])
        locator = tail[max(0, at - 20) : at]
        if locator[:4] == _LOCATOR_64:
            (where,) = struct.unpack("<Q", locator[8:16])
            file.seek(min(where, length))
            record = file.read(56)
            if len(record) < 56 or record[:4] != _END_64:
                raise FileTruncated(path=source.said)
            entries, size = struct.unpack("<QQ", record[32:48])
    return entries, size


def _size(count: int) -> str:
    """Bytes as a person says them."""
    value, unit = float(count), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:,.0f} {unit}" if unit == "bytes" else f"{value:,.1f} {unit}"
