"""Joins customers who are one person, everywhere at once: the log, the facts as they are shown, what programmes do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, func, select, update

from setia.customers import identity
from setia.customers.tables import joins, same_person
from setia.programmes.journeys.tables import enrolments
from setia.store.database import Store
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


def decide(store: Store, writer: Writer, number: int, state: str, now: dt.datetime) -> int:
    """A person's word on a join, and what follows from it; returns how many keys are another's.

    The caller holds the writer. Raises NoJoin, KeptApart.
    """
    with store.begin() as tx:
        identity.decide(tx, number, state, now, _first_exposed(tx))
    return let_hold(store, writer, now)


def let_hold(store: Store, writer: Writer, now: dt.datetime) -> int:
    """Make what follows from the log the present, in one transaction; returns how many keys are another's.

    Of several journeys of one person in one measurement the one that began first goes on, the others end.
    """
    with store.begin() as tx:
        known, mapping = identity.mapping(tx), identity.persons(tx, _first_exposed(tx))
    if mapping != known:
        _derive(writer, mapping)

        def also(tx: Connection) -> None:
            identity.keep(tx, mapping)
            identity.remark(tx, _in_both_arms(tx))
            journeys = _journeys()
            later = select(journeys.c.id).where(journeys.c.place > 1)
            tx.execute(
                update(enrolments)
                .where(enrolments.c.id.in_(later), enrolments.c.state == "active")
                .values(state="stopped", due_at=None, ended_at=now)
            )

        writer.commit(now, "joins", {"keys": len(mapping), "persons": len(set(mapping.values()))}, also)
    return sum(key != person for key, person in mapping.items())


def _journeys() -> Any:
    """The enrolments of everybody with several keys, with their `place` among those of the person in a measurement."""
    e, p = enrolments.c, same_person.c
    place = func.row_number().over(partition_by=(e.measurement, p.person_id), order_by=(e.entered_at, e.id))
    return (
        select(e.id, e.measurement, e.customer_id, e.arm, p.person_id, place.label("place"))
        .join(same_person, p.customer_id == e.customer_id)
        .subquery()
    )


def _derive(writer: Writer, mapping: Mapping[str, str]) -> None:
    import pyarrow as pa

    columns = {"customer_id": list(mapping), "person_id": list(mapping.values())}
    writer.duck.register("setia_persons", pa.table({k: pa.array(v, pa.string()) for k, v in columns.items()}))
    writer.derive(SAME_PERSON, "select * from setia_persons")
    writer.duck.unregister("setia_persons")


def _first_exposed(tx: Connection) -> dict[str, dt.datetime]:
    """When each key that stands in the log was first in a measurement."""
    e = enrolments.c
    known = select(joins.c.customer_id).union(select(joins.c.other_id))
    rows = tx.execute(
        select(e.customer_id, func.min(e.entered_at).label("first"))
        .where(e.customer_id.in_(known))
        .group_by(e.customer_id)
    )
    return {row.customer_id: row.first for row in rows}


def _in_both_arms(tx: Connection) -> dict[str, str]:
    """Keys that were in another arm of a measurement than the person's first one, in words."""
    first, later = _journeys(), _journeys()
    rows = tx.execute(
        select(later.c.measurement, later.c.customer_id, later.c.arm, first.c.customer_id.label("person"),
               first.c.arm.label("holds"))
        .join(first, (first.c.measurement == later.c.measurement) & (first.c.person_id == later.c.person_id))
        .where(first.c.place == 1, later.c.place > 1, first.c.arm != later.c.arm)
    )  # fmt: skip
    return {
        row.customer_id: f"{row.measurement}: {row.customer_id} was {row.arm}, {row.person} {row.holds}; "
        "the earlier counts"
        for row in rows
    }


def person_first(store: Store, keys: Sequence[str]) -> tuple[str, ...]:
    """A person's keys, the one that stands for them first."""
    with store.begin() as tx:
        known = identity.mapping(tx)
    return tuple(dict.fromkeys([*(known.get(key, key) for key in keys), *keys]))
