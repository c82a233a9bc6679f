"""Moves customers through their journeys: in, on to the next step, out; and answers the gate."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Text, and_, any_, bindparam, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from setia.customers.contacts import stopped_on
from setia.customers.tables import contacts
from setia.effects.holdout import arm, bucket
from setia.kernel.money import rounded
from setia.messaging import codes
from setia.messaging.ledger import Standing
from setia.messaging.tables import codes as codes_table
from setia.messaging.tables import sends
from setia.programmes.journeys.models import Journey
from setia.programmes.journeys.rules import Worth, affordable_offer, offer_cost
from setia.programmes.journeys.service import Chance, Running, known
from setia.programmes.journeys.tables import enrolments, measurements, programme_versions, programmes
from setia.store.database import Store

STALE_AFTER = dt.timedelta(days=5)
"""A message that could not go out within this time of its moment is not sent any more."""
NEVER_SOONER = dt.timedelta(days=1)
"""Two steps of one customer are at least so far apart, unless the document itself puts them closer."""
BATCH = 500


def enter(tx: Connection, running: Running, customers: Iterable[str], now: dt.datetime) -> int:
    """Let customers in who are not in this measurement yet, each in its arm; returns how many entered.

    Everybody enters a measurement once, so the number of measurements so far is which time it is for them. Of
    several accounts with one address only the one that bought last enters: it is one person who reads the messages.
    """
    occurrence = tx.scalar(
        select(func.count()).select_from(measurements).where(measurements.c.programme == running.name)
    )
    rows = []
    for person in _one_each(tx, running.measurement, customers):
        customer = person.customer_id
        number = bucket(running.salt, customer)
        rows.append(
            {
                "programme": running.name,
                "version": running.version,
                "measurement": running.measurement,
                "customer_id": customer,
                "occurrence": occurrence,
                "arm": arm(number, running.held_out_share),
                "bucket": number,
                "state": "active",
                "step": 0,
                "entered_at": now,
                "known_order_at": person.last_order_at,
                "due_at": now + _delay(running.journey, 0),
            }
        )
    if not rows:
        return 0
    entered = tx.execute(insert(enrolments).on_conflict_do_nothing().returning(enrolments.c.id), rows)
    return len(entered.all())


def _one_each(tx: Connection, measurement: str, customers: Iterable[str]) -> list[Row[Any]]:
    """Those of the customers whose address is not in the measurement yet, one for each address, with the latest order.

    Who asked to stop is left out before anybody is assigned, so that both arms are alike.
    """
    c, e = contacts.c, enrolments.c
    address = func.lower(c.email)
    inside = (
        select(address)
        .join(enrolments, e.customer_id == c.customer_id)
        .where(e.measurement == measurement, c.email.is_not(None))
    )
    place = func.row_number().over(partition_by=address, order_by=(c.last_order_at.desc().nulls_last(), c.customer_id))
    first = (
        select(c.customer_id, c.last_order_at, place.label("place"))
        .where(
            c.customer_id == any_(literal(list(customers), ARRAY(Text))),
            address.not_in(inside),
            c.customer_id.not_in(stopped_on("email")),
        )
        .subquery()
    )
    return list(
        tx.execute(
            select(first.c.customer_id, first.c.last_order_at).where(first.c.place == 1).order_by(first.c.customer_id)
        )
    )


def _ordered_since_entry() -> ColumnElement[bool]:
    """Whether the contact has an order that was not known when the customer entered."""
    e, c = enrolments.c, contacts.c
    return and_(c.last_order_at.is_not(None), or_(e.known_order_at.is_(None), c.last_order_at > e.known_order_at))


def _delay(journey: Journey, step: int) -> dt.timedelta:
    return dt.timedelta(days=journey.steps[step].after_days)


def end_ordered(tx: Connection, now: dt.datetime) -> int:
    """Take everybody out who has ordered since entering, in both arms; returns how many."""
    e, c = enrolments.c, contacts.c
    result = tx.execute(
        update(enrolments)
        .where(e.state == "active", c.customer_id == e.customer_id, _ordered_since_entry())
        .values(state="ordered", due_at=None, ended_at=now)
    )
    return result.rowcount


def advance(store: Store, now: dt.datetime, currency: str, margin: float, chance: Chance) -> int:
    """Take everybody whose step is due one step on; returns how many sends were planned.

    The sends and the moves of a batch are one transaction, so neither is ever without the other. Held-out customers
    move the same way, at the same moments, without a send.
    """
    planned = 0
    with store.begin() as tx:
        end_ordered(tx, now)
        running = [each.name for each in known(tx) if each.state in ("running", "closed")]
    documents: dict[tuple[str, int], Journey] = {}
    while True:
        with store.begin() as tx:
            due = _due(tx, running, now)
            if not due:
                return planned
            treated = []
            for enrolment in due:
                key = (enrolment.programme, enrolment.version)
                if key not in documents:
                    documents[key] = _version(tx, *key)
                if enrolment.arm == "treated":
                    treated.append(_planned(enrolment, documents[key], now, currency, margin, chance))
            planned += _write(tx, treated)
            _move(tx, [_moved(enrolment, documents[enrolment.programme, enrolment.version], now) for enrolment in due])


def _due(tx: Connection, names: list[str], now: dt.datetime) -> list[Row[Any]]:
    e = enrolments.c
    statement = (
        select(enrolments, contacts.c.expected_order_value, contacts.c.worth)
        .outerjoin(contacts, contacts.c.customer_id == e.customer_id)
        .where(e.state == "active", e.due_at <= now, e.programme.in_(names))
        .order_by(e.due_at, e.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True, of=enrolments)
    )
    return list(tx.execute(statement))


def _version(tx: Connection, name: str, version: int) -> Journey:
    v = programme_versions.c
    return Journey.model_validate(tx.scalar(select(v.document).where(v.name == name, v.version == version)))


def _planned(
    enrolment: Row[Any], journey: Journey, now: dt.datetime, currency: str, margin: float, chance: Chance
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The send of an enrolment's step, and its code where there is an offer."""
    step = journey.steps[enrolment.step]
    worth = Worth(enrolment.expected_order_value, enrolment.worth)
    ladder = [each.offer for each in journey.steps]
    rung = affordable_offer(ladder, enrolment.step, worth, margin=margin, most_share=journey.most_share_of_worth)
    send = {
        "id": chance.new_id(),
        "programme": enrolment.programme,
        "version": enrolment.version,
        "step": enrolment.step + 1,
        "customer_id": enrolment.customer_id,
        "channel": step.channel,
        "occurrence": enrolment.occurrence,
        "state": "planned",
        "offer": {"kind": "none", "value": "0", "cost": "0"},
        "code": None,
        "planned_at": now,
        "not_before": now,
        "not_after": now + STALE_AFTER,
    }
    if rung is None:
        return send, None
    expires = now + dt.timedelta(days=step.valid_days)
    cost = rounded(offer_cost(ladder[rung], worth), currency)
    send["offer"] = {**ladder[rung].model_dump(mode="json"), "cost": str(cost), "expires_at": expires.isoformat()}
    send["code"] = codes.draw(journey.code_prefix, chance.choose)
    return send, {
        "code": send["code"],
        "send_id": send["id"],
        "programme": enrolment.programme,
        "customer_id": enrolment.customer_id,
        "kind": ladder[rung].kind,
        "value": ladder[rung].value,
        "currency": currency,
        "made_at": now,
        # The mail names a day, and the code outlives it, whatever the hour and the zone.
        "expires_at": expires + dt.timedelta(days=1),
    }


def _write(tx: Connection, planned: list[tuple[dict[str, Any], dict[str, Any] | None]]) -> int:
    """Write sends with their codes; returns how many there are that were not there before."""
    if not planned:
        return 0
    statement = insert(sends).on_conflict_do_nothing().returning(sends.c.id)
    written = set(tx.scalars(statement, [send for send, _code in planned]))
    drawn = [code for _send, code in planned if code is not None and code["send_id"] in written]
    if drawn:
        tx.execute(insert(codes_table), drawn)
    return len(written)


def _moved(enrolment: Row[Any], journey: Journey, now: dt.datetime) -> dict[str, Any]:
    """Where an enrolment stands after its step."""
    step = enrolment.step + 1
    if step == len(journey.steps):
        return {"own": enrolment.id, "state": "finished", "step": step, "due_at": None, "ended_at": now}
    # After a standstill of the worker the steps that were missed do not all come on one day.
    apart = min(_delay(journey, step) - _delay(journey, enrolment.step), NEVER_SOONER)
    due = max(enrolment.entered_at + _delay(journey, step), now + apart)
    return {"own": enrolment.id, "state": "active", "step": step, "due_at": due, "ended_at": None}


def _move(tx: Connection, moves: list[dict[str, Any]]) -> None:
    fields: dict[str, Any] = {name: bindparam(f"new_{name}") for name in ("state", "step", "due_at", "ended_at")}
    rows = [{"own": move["own"], **{f"new_{name}": move[name] for name in fields}} for move in moves]
    tx.execute(update(enrolments).where(enrolments.c.id == bindparam("own")).values(**fields), rows)


def standing(tx: Connection, send: Row[Any]) -> Standing:
    """What the gate must know of a send's programme and enrolment."""
    e = enrolments.c
    row = tx.execute(
        select(
            programmes.c.state,
            e.arm,
            e.state.label("enrolment_state"),
            or_(e.state == "ordered", _ordered_since_entry()).label("ordered"),
        )
        .select_from(enrolments)
        .join(programmes, programmes.c.name == e.programme)
        .outerjoin(contacts, contacts.c.customer_id == e.customer_id)
        .where(e.programme == send.programme, e.customer_id == send.customer_id, e.occurrence == send.occurrence)
    ).first()
    if row is None:
        return Standing("stopped", held_out=False, ordered_since_entry=False)
    state = "stopped" if row.enrolment_state == "stopped" else row.state
    return Standing(state, held_out=row.arm == "held_out", ordered_since_entry=bool(row.ordered))
