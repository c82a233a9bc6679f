"""The catalogue's rows, and the life of a file: put down, listed, dropped from the present, removed."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, delete, func, or_, select, update

from setia.kernel.errors import SetiaError
from setia.store.database import Busy, Lock, Store
from setia.warehouse.tables import fact_files, snapshots


@dataclass(frozen=True, slots=True)
class DataFile:
    """One Parquet file of one table, cut by month where the table is."""

    table: str
    month: dt.date | None
    path: str
    """Relative to the warehouse's folder."""
    rows: int
    schema_version: int


def in_snapshot(tx: Connection, snapshot: int | None = None) -> list[DataFile]:
    """The files of a snapshot, oldest first; without a number, those of the present."""
    f = fact_files.c
    visible = (
        f.snapshot_to.is_(None)
        if snapshot is None
        else (f.snapshot_from <= snapshot) & or_(f.snapshot_to.is_(None), f.snapshot_to > snapshot)
    )
    rows = tx.execute(
        select(f.fact_table, f.month, f.path, f.rows, f.schema_version)
        .where(visible)
        .order_by(f.fact_table, f.month, f.id)
    )
    return [DataFile(*row) for row in rows]


def latest_snapshot(tx: Connection) -> int | None:
    """The newest snapshot's number, None where nothing was ever written."""
    newest: int | None = tx.scalar(select(func.max(snapshots.c.id)))
    return newest


class SnapshotGone(SetiaError):
    """There is no snapshot {number}: it was never made, or is older than the days that snapshots are kept."""

    code = "warehouse.snapshot_gone"


def require_kept(tx: Connection, number: int) -> None:
    """Raises SnapshotGone for a snapshot that is not kept."""
    if not tx.scalar(select(snapshots.c.id).where(snapshots.c.id == number, snapshots.c.forgotten.is_(False))):
        raise SnapshotGone(number=number)


def record(
    tx: Connection, *, made_at: dt.datetime, reason: str, summary: dict[str, object], new: Iterable[DataFile],
    dropped: Iterable[str],
) -> int:  # fmt: skip
    """Make a snapshot in which `new` files stand and `dropped` ones no longer do; returns its number."""
    number: int = tx.execute(
        snapshots.insert().values(made_at=made_at, reason=reason, summary=summary).returning(snapshots.c.id)
    ).scalar_one()
    gone = list(dropped)
    if gone:
        tx.execute(update(fact_files).where(fact_files.c.path.in_(gone)).values(snapshot_to=number))
    rows = [
        {
            "fact_table": file.table,
            "month": file.month,
            "path": file.path,
            "rows": file.rows,
            "schema_version": file.schema_version,
            "snapshot_from": number,
        }
        for file in new
    ]
    if rows:
        tx.execute(fact_files.insert(), rows)
    return number


def forget_old_snapshots(store: Store, before: dt.datetime) -> None:
    """Drop from the catalogue what no snapshot made since `before` can see."""
    with store.begin() as tx:
        oldest_kept = tx.scalar(select(func.max(snapshots.c.id)).where(snapshots.c.made_at < before))
        if oldest_kept is not None:
            tx.execute(delete(fact_files).where(fact_files.c.snapshot_to <= oldest_kept))
            tx.execute(update(snapshots).where(snapshots.c.id < oldest_kept).values(forgotten=True))


def sweep(store: Store, folder: Path) -> int:
    """Remove files that the catalogue does not know: what a killed writer left, and forgotten snapshots.

    Only whoever holds the writer's lock may call this. Readers are waited for by leaving: while somebody
    reads, nothing is removed and the next sweep tries again. Returns how many files went.
    """
    try:
        with store.locked(Lock.READERS, doing="reading the warehouse"):
            return _remove_unknown(store, folder)
    except Busy:
        return 0


def _remove_unknown(store: Store, folder: Path) -> int:
    with store.begin() as tx:
        known = {str(path) for path in tx.scalars(select(fact_files.c.path))}
    removed = 0
    for file in folder.rglob("*.parquet"):
        if str(file.relative_to(folder)) not in known:
            file.unlink(missing_ok=True)
            removed += 1
    return removed


def clear_scratch(scratch: Path) -> None:
    """Remove the working folders of writers that are gone; the caller holds the writer's lock."""
    for leftover in scratch.glob("write-*"):
        shutil.rmtree(leftover, ignore_errors=True)
