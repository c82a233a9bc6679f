"""Moves customers through their journeys: in, on to the next step, out; and answers the gate."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, or_, select, update
from sqlalchemy.dialects.postgresql import insert

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
from setia.programmes.journeys.tables import enrolments, programme_versions, programmes
from setia.store.database import Store

STALE_AFTER = dt.timedelta(days=5)
"""A message that could not go out within this time of its moment is not sent any more."""
BATCH = 500


def enter(tx: Connection, running: Running, customers: Iterable[str], now: dt.datetime) -> int:
    """Let customers in who are not in this measurement yet, each in its arm; returns how many entered."""
    rows = []
    for customer in customers:
        number = bucket(running.salt, customer)
        rows.append(
            {
                "programme": running.name,
                "version": running.version,
                "measurement": running.measurement,
                "customer_id": customer,
                "occurrence": 1,
                "arm": arm(number, running.held_out_share),
                "bucket": number,
                "state": "active",
                "step": 0,
                "entered_at": now,
                "due_at": now + _delay(running.journey, 0),
            }
        )
    if not rows:
        return 0
    entered = tx.execute(insert(enrolments).on_conflict_do_nothing().returning(enrolments.c.id), rows)
    return len(entered.all())


def _delay(journey: Journey, step: int) -> dt.timedelta:
    return dt.timedelta(days=journey.steps[step].after_days)


def end_ordered(tx: Connection, now: dt.datetime) -> int:
    """Take everybody out who has ordered since entering, in both arms; returns how many."""
    e, c = enrolments.c, contacts.c
    result = tx.execute(
        update(enrolments)
        .where(e.state == "active", c.customer_id == e.customer_id, c.last_order_at >= e.entered_at)
        .values(state="ordered", due_at=None, ended_at=now)
    )
    return result.rowcount


def advance(store: Store, now: dt.datetime, currency: str, margin: float, chance: Chance) -> int:
    """Take everybody whose step is due one step on; returns how many sends were planned.

    The send and the move are one transaction, so neither is ever without the other. Held-out customers move the
    same way, at the same moments, without a send.
    """
    planned = 0
    with store.begin() as tx:
        end_ordered(tx, now)
        journeys = {running.name: running for running in known(tx) if running.state == "running"}
        documents: dict[tuple[str, int], Journey] = {}
    while True:
        with store.begin() as tx:
            due = _due(tx, list(journeys), now)
            if not due:
                return planned
            for enrolment in due:
                key = (enrolment.programme, enrolment.version)
                if key not in documents:
                    documents[key] = _version(tx, *key)
                planned += _step(tx, enrolment, documents[key], now, currency, margin, chance)


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


def _step(
    tx: Connection, enrolment: Row[Any], journey: Journey, now: dt.datetime, currency: str, margin: float,
    chance: Chance,
) -> int:  # fmt: skip
    step = enrolment.step
    planned = 0
    if enrolment.arm == "treated":
        planned = _plan_send(tx, enrolment, journey, step, now, currency, margin, chance)
    last = step + 1 == len(journey.steps)
    values: dict[str, Any] = (
        {"state": "finished", "step": step + 1, "due_at": None, "ended_at": now}
        if last
        else {"step": step + 1, "due_at": enrolment.entered_at + _delay(journey, step + 1)}
    )
    tx.execute(update(enrolments).where(enrolments.c.id == enrolment.id).values(**values))
    return planned


def _plan_send(
    tx: Connection, enrolment: Row[Any], journey: Journey, step: int, now: dt.datetime, currency: str, margin: float,
    chance: Chance,
) -> int:  # fmt: skip
    worth = Worth(enrolment.expected_order_value, enrolment.worth)
    ladder = [each.offer for each in journey.steps]
    rung = affordable_offer(ladder, step, worth, margin=margin, most_share=journey.most_share_of_worth)
    offer: dict[str, Any] = {"kind": "none", "value": "0", "cost": "0"}
    expires = now + dt.timedelta(days=journey.steps[step].valid_days)
    if rung is not None:
        cost = rounded(offer_cost(ladder[rung], worth), currency)
        offer = {**ladder[rung].model_dump(mode="json"), "cost": str(cost), "expires_at": expires.isoformat()}
    send_id = chance.new_id()
    code = codes.draw(journey.code_prefix, chance.choose) if rung is not None else None
    written = tx.execute(
        insert(sends)
        .values(
            id=send_id,
            programme=enrolment.programme,
            version=enrolment.version,
            step=step + 1,
            customer_id=enrolment.customer_id,
            channel=journey.steps[step].channel,
            occurrence=enrolment.occurrence,
            state="planned",
            offer=offer,
            code=code,
            planned_at=now,
            not_before=now,
            not_after=now + STALE_AFTER,
        )
        .on_conflict_do_nothing()
        .returning(sends.c.id)
    ).all()
    if written and code is not None:
        tx.execute(
            codes_table.insert().values(
                code=code,
                send_id=send_id,
                programme=enrolment.programme,
                customer_id=enrolment.customer_id,
                kind=offer["kind"],
                value=Decimal(offer["value"]),
                currency=currency,
                made_at=now,
                expires_at=expires,
            )
        )
    return len(written)


def standing(tx: Connection, send: Row[Any]) -> Standing:
    """What the gate must know of a send's programme and enrolment."""
    e = enrolments.c
    row = tx.execute(
        select(
            programmes.c.state,
            e.arm,
            or_(e.state == "ordered", contacts.c.last_order_at >= e.entered_at).label("ordered"),
        )
        .select_from(enrolments)
        .join(programmes, programmes.c.name == e.programme)
        .outerjoin(contacts, contacts.c.customer_id == e.customer_id)
        .where(e.programme == send.programme, e.customer_id == send.customer_id, e.version == send.version)
        .order_by(e.id.desc())
    ).first()
    if row is None:
        return Standing("stopped", held_out=False, ordered_since_entry=False)
    return Standing(row.state, held_out=row.arm == "held_out", ordered_since_entry=bool(row.ordered))
