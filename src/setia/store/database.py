"""The engine, transactions and advisory locks of one workspace's store."""

from __future__ import annotations

import secrets as random_source
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import IntEnum
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError, OperationalError

from setia.kernel.errors import SetiaError
from setia.settings import Settings, secret
from setia.store.schema import secrets

MIGRATIONS = Path(__file__).parent.parent / "migrations"


class StoreUnreachable(SetiaError):
    """The store does not answer: {problem}. Check the URL, or that the server runs; `setia check` tells more."""

    code = "store.unreachable"
    exit_code = 3


class StoreOutdated(SetiaError):
    """The store's schema is at {found}, this Setia needs {needed}. Run `setia migrate` first."""

    code = "store.outdated"
    exit_code = 3


class Busy(SetiaError):
    """Another process is {doing}. Wait until it has finished and try again."""

    code = "store.busy"
    exit_code = 4


class Lock(IntEnum):
    """Advisory locks; the number is the key within Setia's own class of keys."""

    WRITER = 1
    """Held by the one process that changes the catalogue of files."""
    READERS = 2
    """Shared by all who read files, taken alone by whoever removes some."""
    SENDER = 3
    """Held by the one process that sends messages."""
    WORKER = 4
    """Held by the one process that moves customers through their programmes."""
    SCHEMA = 5
    """Held while the schema is brought up to date."""


_LOCK_CLASS = 0x5E71A


class Store:
    """One workspace's store. Transactions begin and end at `begin`; nothing commits elsewhere."""

    def __init__(self, url: str) -> None:
        self.engine: Engine = create_engine(url, pool_size=5, max_overflow=5, pool_pre_ping=True)

        @event.listens_for(self.engine, "connect")
        def _in_utc(connection, _record) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
            connection.execute("set time zone 'UTC'")
            connection.commit()

    @classmethod
    def of(cls, workspace: Path, settings: Settings, say: Callable[[str], None] | None = None) -> Store:
        """The store that the settings name, or the workspace's private server, started if need be.

        `say` hears what a start that takes long is waiting for.
        """
        url = secret(settings.store.url, settings.store.url_file)
        if url is None:
            from setia.store.server import PrivateServer

            url = PrivateServer.of(workspace).start(say)
        return cls(url)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction: committed at the end of the block, rolled back by an exception.

        Raises StoreUnreachable when there is no connection to be had.
        """
        with self._connected() as connection, connection.begin():
            yield connection

    def _connected(self) -> Connection:
        try:
            return self.engine.connect()
        except OperationalError as problem:
            raise StoreUnreachable(problem=str(problem.orig).strip()) from problem

    @contextmanager
    def locked(self, lock: Lock, *, doing: str) -> Iterator[None]:
        """Hold an advisory lock alone. Raises Busy when another process has it, StoreUnreachable."""
        with self._connected().execution_options(isolation_level="AUTOCOMMIT") as session:
            key = {"c": _LOCK_CLASS, "k": int(lock)}
            if not session.scalar(text("select pg_try_advisory_lock(:c, :k)"), key):
                raise Busy(doing=doing)
            try:
                yield
            finally:
                with suppress(DBAPIError):  # a connection that broke has given its locks back
                    session.execute(text("select pg_advisory_unlock(:c, :k)"), key)

    @contextmanager
    def shared(self, lock: Lock) -> Iterator[None]:
        """Hold an advisory lock together with others, waiting for whoever holds it alone. Raises StoreUnreachable."""
        with self._connected().execution_options(isolation_level="AUTOCOMMIT") as session:
            key = {"c": _LOCK_CLASS, "k": int(lock)}
            session.execute(text("select pg_advisory_lock_shared(:c, :k)"), key)
            try:
                yield
            finally:
                with suppress(DBAPIError):
                    session.execute(
                        text("select pg_advisory_unlock_shared(:c, :k)"), {"c": _LOCK_CLASS, "k": int(lock)}
                    )

    def secret(self, name: str) -> str:
        """A random key of 32 bytes in hex, drawn when first asked for and the same ever after."""
        with self.begin() as tx:
            tx.execute(insert(secrets).values(name=name, value=random_source.token_hex(32)).on_conflict_do_nothing())
            return str(tx.scalar(select(secrets.c.value).where(secrets.c.name == name)))

    def versions(self) -> tuple[str | None, str]:
        """The schema's version in the database (None: no schema yet) and the one this Setia needs."""
        from alembic.runtime.migration import MigrationContext
        from alembic.script import ScriptDirectory

        needed = ScriptDirectory(str(MIGRATIONS)).get_current_head()
        with self.begin() as tx:
            found = MigrationContext.configure(tx).get_current_revision()
        return found, str(needed)

    def migrate(self) -> None:
        """Bring the schema to this Setia's version; processes that do so at once wait for one another."""
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with self.begin() as tx:
            tx.execute(text("select pg_advisory_xact_lock(:c, :k)"), {"c": _LOCK_CLASS, "k": int(Lock.SCHEMA)})
            config.attributes["connection"] = tx
            command.upgrade(config, "head")

    def require_current(self) -> None:
        """Make the schema of an empty database. Raises StoreOutdated when an older one is there."""
        found, needed = self.versions()
        if found is None:
            self.migrate()
        elif found != needed:
            raise StoreOutdated(found=found, needed=needed)

    def close(self) -> None:
        """Give back all connections."""
        self.engine.dispose()
