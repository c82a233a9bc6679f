"""Joins customers who are one person, everywhere at once: the log, the facts as they are shown, what programmes do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, select, update

from setia.customers import identity
from setia.customers.tables import contacts
from setia.erasure import find
from setia.programmes.journeys.tables import enrolments
from setia.store.database import Store
from setia.warehouse.identity import Identity
from setia.warehouse.persons import SAME_PERSON
from setia.warehouse.reader import Reader
from setia.warehouse.writer import Writer


def look_for_joins(store: Store, imported: Reader, writer: Writer, now: dt.datetime) -> int:
    """Note what the facts say of who is who and let it hold; returns how many keys are another's.

    `imported` shows customers under the keys of their files; the caller holds the writer.
    """
    found = identity.evidence(imported.duck)
    with store.begin() as tx:
        identity.note(tx, found, now)
    return let_hold(store, writer, now)


def let_hold(store: Store, writer: Writer, now: dt.datetime) -> int:
    """Make what follows from the log the present, in one transaction; returns how many keys are another's.

    Keys of one person under which journeys are going on: the one that came first goes on, the others end.
    """
    with store.begin() as tx:
        known, mapping = identity.mapping(tx), identity.persons(tx, _first_exposed(tx))
    if mapping != known:
        _derive(writer, mapping)

        def also(tx: Connection) -> None:
            identity.keep(tx, mapping)
            identity.remark(tx, _in_both_arms(tx, mapping))
            aliases = [key for key, person in mapping.items() if key != person]
            own = enrolments.c.customer_id.in_(aliases)
            tx.execute(
                update(enrolments)
                .where(own, enrolments.c.state == "active")
                .values(state="stopped", due_at=None, ended_at=now)
            )
            tx.execute(delete(contacts).where(contacts.c.customer_id.in_(aliases)))

        writer.commit(now, "joins", {"keys": len(mapping), "persons": len(set(mapping.values()))}, also)
    return sum(key != person for key, person in mapping.items())


def _derive(writer: Writer, mapping: Mapping[str, str]) -> None:
    import pyarrow as pa

    columns = {"customer_id": list(mapping), "person_id": list(mapping.values())}
    writer.duck.register("setia_persons", pa.table({k: pa.array(v, pa.string()) for k, v in columns.items()}))
    writer.derive(SAME_PERSON, "select * from setia_persons")
    writer.duck.unregister("setia_persons")


def _first_exposed(tx: Connection) -> dict[str, dt.datetime]:
    e = enrolments.c
    rows: Any = tx.execute(
        select(e.customer_id, e.entered_at).where(e.customer_id.is_not(None)).order_by(e.entered_at.desc())
    )
    return {row.customer_id: row.entered_at for row in rows}


def _in_both_arms(tx: Connection, mapping: Mapping[str, str]) -> dict[str, str]:
    """Keys that were in another arm of a measurement than the key that now stands for them, in words."""
    e = enrolments.c
    rows = tx.execute(select(e.measurement, e.customer_id, e.arm).where(e.customer_id.in_(list(mapping))))
    arms = {(row.measurement, row.customer_id): row.arm for row in rows}
    return {
        key: f"{measurement}: {key} was {arm}, {mapping[key]} {arms[measurement, mapping[key]]}; the earlier counts"
        for (measurement, key), arm in arms.items()
        if arms.get((measurement, mapping[key]), arm) != arm
    }


def all_keys(store: Store, hidden: Identity, reader: Reader, identifier: str) -> tuple[str, ...]:
    """Every key of the person behind one, the one that stands for them first. Raises NobodyFound."""
    keys = find(reader, hidden, identifier).customer_ids
    with store.begin() as tx:
        known = identity.mapping(tx)
    return tuple(dict.fromkeys([*(known.get(key, key) for key in keys), *keys]))
