"""Migrations lead to the schema that the rooms declare."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import count

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

import setia.app  # noqa: F401  (knows every room, so every table is declared)
from setia.store.database import Store, StoreOutdated
from setia.store.schema import metadata

_numbers = count(1)


@pytest.fixture
def empty(server_url: str) -> Iterator[str]:
    """The URL of an empty database."""
    name = f"empty_{next(_numbers)}"
    engine = create_engine(server_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"create database {name}"))
    head, _, query = server_url.partition("?")
    yield f"{head.rsplit('/', 1)[0]}/{name}?{query}"
    with engine.connect() as connection:
        connection.execute(text(f"drop database {name} with (force)"))
    engine.dispose()


@pytest.fixture
def store(empty: str) -> Iterator[Store]:
    made = Store(empty)
    yield made
    made.close()


def test_a_migrated_database_is_what_the_rooms_declare(store: Store) -> None:
    store.require_current()
    found, needed = store.versions()
    assert found == needed
    with store.begin() as tx:
        context = MigrationContext.configure(tx, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
        tables = set(tx.scalars(text("select tablename from pg_tables where schemaname = 'public'")))
    assert tables == {*metadata.tables, "alembic_version"}
    assert {"sends", "codes", "contacts", "opt_outs", "enrolments", "fact_files", "erased", "secrets"} <= tables


def test_a_difference_would_be_seen(store: Store) -> None:
    store.require_current()
    with store.begin() as tx:
        tx.execute(text("alter table sends drop column reason, alter column code type varchar(9)"))
        tx.execute(text("drop index ix_sends_customer"))
        context = MigrationContext.configure(tx, opts={"compare_type": True})
        assert len(compare_metadata(context, metadata)) == 3


def test_an_older_schema_is_refused_until_it_is_migrated(store: Store) -> None:
    store.require_current()
    with store.begin() as tx:
        tx.execute(text("update alembic_version set version_num = '0000'"))
    with pytest.raises(StoreOutdated, match=r"at 0000, this Setia needs \d{4}.*setia migrate"):
        store.require_current()


def test_migrating_twice_and_at_once(store: Store, empty: str) -> None:
    problems: list[BaseException] = []

    def migrate() -> None:
        own = Store(empty)
        try:
            own.require_current()
        except BaseException as problem:
            problems.append(problem)
        finally:
            own.close()

    threads = [threading.Thread(target=migrate) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    store.migrate()
    found, needed = store.versions()
    assert found == needed


def test_a_migration_that_fails_leaves_nothing(store: Store) -> None:
    with store.begin() as tx:
        tx.execute(text("create table sends (x int)"))
    with pytest.raises(Exception, match="already exists"):
        store.migrate()
    with store.begin() as tx:
        assert tx.scalars(text("select tablename from pg_tables where schemaname = 'public'")).all() == ["sends"]
