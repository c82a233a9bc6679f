"""Transactions and locks of the store."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select, text

import setia.app
from setia.app import Shop
from setia.settings import ShopSettings
from setia.store.database import Busy, Lock, Store, StoreUnreachable
from setia.store.schema import secrets


@pytest.fixture
def store(shop: Shop) -> Store:
    return shop.store


def names(store: Store) -> list[str]:
    with store.begin() as tx:
        return sorted(tx.scalars(select(secrets.c.name)))


def put(name: str) -> object:
    return secrets.insert().values(name=name, value="x")


def test_a_transaction_is_committed_at_its_end(store: Store) -> None:
    with store.begin() as tx:
        tx.execute(put("a"))
        assert names(store) == []  # nobody else sees it yet
    assert names(store) == ["a"]


@pytest.mark.parametrize("problem", [ValueError, KeyboardInterrupt, GeneratorExit])
def test_an_exception_rolls_everything_back(store: Store, problem: type[BaseException]) -> None:
    with pytest.raises(problem), store.begin() as tx:
        tx.execute(put("a"))
        tx.execute(put("b"))
        raise problem
    assert names(store) == []


def test_moments_come_back_in_utc(store: Store) -> None:
    with store.begin() as tx:
        assert tx.scalar(text("show time zone")) == "UTC"
        assert str(tx.scalar(text("select timestamptz '2026-03-02 09:00+07'"))) == "2026-03-02 02:00:00+00:00"


def test_an_exclusive_lock_is_for_one(store: Store) -> None:
    with store.locked(Lock.SENDER, doing="sending messages"):
        with (
            pytest.raises(Busy, match="Another process is sending messages"),
            store.locked(Lock.SENDER, doing="sending messages"),
        ):
            raise AssertionError
        with store.locked(Lock.WRITER, doing="writing"):
            pass  # another lock is free
    with store.locked(Lock.SENDER, doing="sending messages"):
        pass


def test_a_lock_is_given_back_after_an_exception(store: Store) -> None:
    with pytest.raises(ValueError, match="x"), store.locked(Lock.WRITER, doing="writing"):
        raise ValueError("x")
    with store.locked(Lock.WRITER, doing="writing"):
        pass


def test_readers_share_and_a_remover_waits_by_leaving(store: Store) -> None:
    with (
        store.shared(Lock.READERS),
        store.shared(Lock.READERS),
        pytest.raises(Busy),
        store.locked(Lock.READERS, doing="reading"),
    ):
        raise AssertionError
    with store.locked(Lock.READERS, doing="reading"):
        pass


def test_a_reader_waits_for_whoever_removes(store: Store) -> None:
    got = threading.Event()

    def read() -> None:
        with store.shared(Lock.READERS):
            got.set()

    with store.locked(Lock.READERS, doing="removing files"):
        reader = threading.Thread(target=read)
        reader.start()
        assert not got.wait(0.3)
    assert got.wait(10)
    reader.join()


def test_a_lock_dies_with_its_session(store: Store) -> None:
    end_it = text(
        "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' "
        "and database = (select oid from pg_database where datname = current_database())"
    )
    with store.locked(Lock.WRITER, doing="writing"), store.begin() as tx:
        tx.execute(end_it)
    with store.locked(Lock.WRITER, doing="writing"):
        pass


def test_a_secret_is_drawn_once(store: Store) -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(store.secret("pseudonym"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found[0]) == 64
    assert store.secret("fingerprint") != found[0]


def test_a_server_that_is_not_there_is_told_as_such(tmp_path: object) -> None:
    gone = Store(f"postgresql+psycopg://nobody@/nothing?host={tmp_path}&port=1")
    with pytest.raises(StoreUnreachable, match=r"does not answer"), gone.begin():
        raise AssertionError
    with pytest.raises(StoreUnreachable), gone.locked(Lock.WRITER, doing="writing"):
        raise AssertionError
    with pytest.raises(StoreUnreachable), gone.shared(Lock.READERS):
        raise AssertionError
    gone.close()


def test_a_shop_of_an_unreachable_store_is_told_as_such(tmp_path: object) -> None:
    folder = setia.app.init(f"{tmp_path}/shop", ShopSettings())
    (folder / "setia.toml").write_text(
        f'[store]\nurl = "postgresql+psycopg://nobody@/nothing?host={tmp_path}&port=1"\n'
    )
    with pytest.raises(StoreUnreachable):
        Shop.open(folder)
