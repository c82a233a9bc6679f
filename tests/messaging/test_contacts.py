"""The store's contacts follow the facts, and only rows that differ are touched."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import select, text

from setia.customers import contacts
from setia.customers.tables import contacts as table


def rows(shop: Any) -> dict[str, tuple[Any, str]]:
    """Each contact with its row version in PostgreSQL."""
    with shop.store.begin() as tx:
        return {row.customer_id: (row[1:-1], row.xmin) for row in tx.execute(select(table, text("xmin::text as xmin")))}


def sync(shop: Any) -> int:
    with shop.reading() as reader, shop.store.begin() as tx:
        return contacts.sync(tx, reader)


def test_only_changed_rows_are_touched(silent_shop: Any, mailing: Any) -> None:
    shop = silent_shop()
    assert sync(shop) == mailing.PEOPLE
    first = rows(shop)
    assert sync(shop) == 0
    assert rows(shop) == first
    email, name, language, consent, optout, last_order, gap, _order_value, _worth = first["C003"][0]
    assert (email, name, language) == ("c003@example.com", "Nama 3", None)
    assert (consent, optout) == (dt.datetime(2024, 1, 1, tzinfo=dt.UTC), None)
    assert last_order == mailing.NOW - dt.timedelta(days=307)
    assert 30 < gap < 60

    shop.import_files(
        [
            mailing.write_csv(
                shop.folder / "customers.csv",
                ("customer_id", "email", "email_optout_at"),
                [("C003", "new@example.com", ""), ("C004", "", "2026-03-01T00:00:00Z"), ("C999", "x@example.com", "")],
            ),
            mailing.write_csv(
                shop.folder / "orders.csv",
                ("order_id", "customer_id", "placed_at", "total", "cancelled_at", "is_test"),
                [
                    ("N1", "C005", mailing.NOW, 1, "", ""),
                    ("N2", "C006", mailing.NOW, 1, mailing.NOW, ""),
                    ("N3", "C007", mailing.NOW, 1, "", "true"),
                ],
            ),
        ]
    )
    assert sync(shop) == 4
    second = rows(shop)
    assert {who for who in second if second[who] != first.get(who)} == {"C003", "C004", "C005", "C999"}
    assert second["C003"][0][0] == "new@example.com"
    assert second["C004"][0][4] == dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    assert second["C005"][0][5] == mailing.NOW


def test_a_sync_that_fails_leaves_everything_as_it_was(silent_shop: Any) -> None:
    shop = silent_shop()
    try:
        with shop.reading() as reader, shop.store.begin() as tx:
            contacts.sync(tx, reader)
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    assert rows(shop) == {}


def test_a_refresh_brings_them_up_to_date_while_a_programme_runs(
    planned_shop: Any, silent_shop: Any, mailing: Any
) -> None:
    running, idle = planned_shop(), silent_shop()
    order = mailing.write_csv(
        running.folder / "orders.csv",
        ("order_id", "customer_id", "placed_at", "total"),
        [("N1", "C005", mailing.NOW - dt.timedelta(hours=1), 100_000)],
    )
    for shop in (running, idle):
        shop.import_files([order])
        shop.refresh()
    assert rows(running)["C005"][0][5] == mailing.NOW - dt.timedelta(hours=1)
    assert rows(idle) == {}
