"""Leaves no trace of deleted rows on the server's disk."""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic, sleep

from sqlalchemy import Connection, Table, text

from setia.kernel.errors import SetiaError
from setia.store.database import Store

PATIENCE = 60
"""Seconds that transactions older than the deletion are waited for."""


class StillOpen(SetiaError):
    """The person is removed from the store, but an older transaction of database process {pid} keeps deleted rows on
    the disk, and the facts are as they were. End that process, then erase the person again.
    """

    code = "store.still_open"
    exit_code = 4


def scrub(store: Store, xid: str, tables: Iterable[Table]) -> None:
    """Leave no trace of rows of tables that the transaction `xid` deleted: rewrite the tables and the statistics of
    their columns, drop the old log.

    Needs the rights of a table's owner for the tables and of a superuser for the rest; on a server of your own
    without them, or one that recycles its log files, the administrator's `VACUUM FULL` and checkpoint do it. Raises
    StillOpen.
    """
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as session:
        _wait_for_older(session, xid)
        for table in tables:
            session.execute(text(f"vacuum (full, analyze) {table.name}"))
        if session.scalar(text("select rolsuper from pg_roles where rolname = current_user")):
            session.execute(text("vacuum full pg_catalog.pg_statistic"))
            # Old log files are removed, not recycled, once a checkpoint has passed them.
            for _ in range(2):
                session.execute(text("select pg_switch_wal()"))
                session.execute(text("checkpoint"))


def _wait_for_older(session: Connection, xid: str) -> None:
    """Wait until nobody can see the deleted rows any more: until then no vacuum removes them."""
    older = text(
        "select min(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database() "
        "and greatest(age(backend_xid), age(backend_xmin)) >= age(cast(cast(:xid as xid8) as xid))"
    )
    until = monotonic() + PATIENCE
    while (pid := session.scalar(older, {"xid": xid})) is not None:
        if monotonic() > until:
            raise StillOpen(pid=pid)
        sleep(0.1)
