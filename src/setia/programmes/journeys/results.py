"""What a journey caused, from the facts: exposures, orders, messages, redeemed codes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, and_, func, select

from setia.effects.lift import Lift, measure
from setia.effects.outcomes import Outcomes, outcomes
from setia.messaging.tables import sends
from setia.programmes.journeys.service import Running
from setia.programmes.journeys.tables import enrolments, measurements

if TYPE_CHECKING:
    from setia.warehouse.reader import Reader


@dataclass(frozen=True, slots=True)
class Result:
    """One programme's answer: the lift and what it rests on."""

    programme: str
    title: dict[str, str]
    state: str
    measurement: str
    held_out_share: float
    window_days: int
    lift: Lift
    open_windows: int
    """Customers assigned whose window is not over; they do not count yet."""
    sent: int
    unknown: int
    refused: dict[str, int]
    """Refused by the gate, by reason."""
    message_cost: Decimal
    offer_cost: Decimal
    redeemed: int


def result(tx: Connection, reader: Reader, running: Running, now: dt.datetime) -> Result:
    """The result of a programme's present measurement, as of `now`."""
    plan = tx.execute(select(measurements).where(measurements.c.id == running.measurement)).one()
    window = plan.window_days  # as it was when the measurement began, whatever the document says by now
    found = outcomes(reader, running.measurement, window, now)
    states = _states(tx, running)
    redeemed, offer_cost = _redeemed(tx, reader, running, now - dt.timedelta(days=window))
    sent_to_counted = _sent(tx, running, now - dt.timedelta(days=window))
    message_cost = running.journey.cost_per_message * sent_to_counted
    lift = measure(
        found.treated,
        found.held_out,
        planned_share=running.held_out_share,
        cost=message_cost + offer_cost,
        crossed_over=found.crossed_over,
        mature=_mature(tx, running, found),
        weekly_entries=_weekly_entries(tx, running, now),
        planned_total=plan.planned_total or None,
        expected_effect=plan.expected_effect,
    )
    return Result(
        programme=running.name,
        title={str(language): text for language, text in running.journey.title.items()},
        state=running.state,
        measurement=running.measurement,
        held_out_share=running.held_out_share,
        window_days=window,
        lift=lift,
        open_windows=found.open_treated + found.open_held_out,
        sent=sum(n for (state, _reason), n in states.items() if state == "accepted"),
        unknown=sum(n for (state, _reason), n in states.items() if state == "unknown"),
        refused={str(reason): n for (state, reason), n in sorted(states.items(), key=str) if state == "refused"},
        message_cost=message_cost,
        offer_cost=offer_cost,
        redeemed=redeemed,
    )


def _mature(tx: Connection, running: Running, found: Outcomes) -> bool:
    """The one look at the end: nobody enters any more, everybody is a fact, and every window is over."""
    e = enrolments.c
    untold = tx.scalar(
        select(func.count()).where(e.measurement == running.measurement, e.told.is_(False), e.customer_id.is_not(None))
    )
    return running.state in ("closed", "stopped") and not untold and found.open_treated + found.open_held_out == 0


def _counted(running: Running, entered_until: dt.datetime) -> ColumnElement[bool]:
    """Sends to those whose window is over: cost is set against the customers kept among the same people."""
    e = enrolments.c
    people = select(e.customer_id).where(e.measurement == running.measurement, e.entered_at <= entered_until)
    return and_(
        sends.c.programme == running.name,
        sends.c.planned_at >= running.started_at,
        sends.c.customer_id.in_(people.where(e.customer_id.is_not(None))),
    )


def _sent(tx: Connection, running: Running, entered_until: dt.datetime) -> int:
    accepted = select(func.count()).where(_counted(running, entered_until), sends.c.state == "accepted")
    return int(tx.scalar(accepted) or 0)


def _states(tx: Connection, running: Running) -> dict[tuple[str, str | None], int]:
    """Sends of this measurement by state, and by reason where the gate refused."""
    rows = tx.execute(
        select(sends.c.state, sends.c.reason, func.count())
        .where(sends.c.programme == running.name, sends.c.planned_at >= running.started_at)
        .group_by(sends.c.state, sends.c.reason)
    ).all()
    found: dict[tuple[str, str | None], int] = {}
    for state, reason, n in rows:
        key = (state, reason if state == "refused" else None)
        found[key] = found.get(key, 0) + n
    return found


def _redeemed(tx: Connection, reader: Reader, running: Running, entered_until: dt.datetime) -> tuple[int, Decimal]:
    """Codes of those whose window is over that came back with an order, and what they cost.

    A discount costs what the order says, where it says so; free shipping and gifts cost what the document says.
    """
    rows = tx.execute(
        select(sends.c.code, sends.c.offer).where(_counted(running, entered_until), sends.c.code.is_not(None))
    ).all()
    offers = {row.code: row.offer for row in rows}
    if not offers:
        return 0, Decimal(0)
    orders: Any = reader.table("orders")
    real = ~orders.is_test.fill_null(False) & ~orders.is_staff.fill_null(False)
    used = orders.filter(orders.code.notnull(), orders.cancelled_at.isnull(), real).select("code", "discount")
    total, count = Decimal(0), 0
    for order in reader.arrow(used).to_pylist():
        offer = offers.get(order["code"])
        if offer is not None:
            count += 1
            said = order["discount"] if offer["kind"] in ("percent", "amount") else None
            total += said or Decimal(offer["cost"])
    return count, total


def _weekly_entries(tx: Connection, running: Running, now: dt.datetime) -> float | None:
    """Entries a week, over the four weeks before, the first day's backlog left out."""
    since = max(now - dt.timedelta(days=28), running.started_at + dt.timedelta(days=1))
    weeks = (now - since) / dt.timedelta(days=7)
    if weeks < 1 or running.state != "running":
        return None
    e = enrolments.c
    count = tx.scalar(
        select(func.count()).select_from(enrolments).where(e.measurement == running.measurement, e.entered_at >= since)
    )
    return int(count or 0) / weeks
