"""The send ledger: one row per message, written before anything leaves, never sent twice.

planned → (gate) → attempting → accepted | rejected | unknown; or refused by the gate. `attempting` is committed
before the socket opens. What a killed worker left in that state becomes `unknown`: it may have arrived, so it is
shown and not repeated.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from setia.channels.port import Channel, Message, Outcome
from setia.customers.identity import keys_of
from setia.customers.tables import contacts, opt_outs
from setia.messaging.gate import Request, Rules, judge
from setia.messaging.render import Written
from setia.messaging.tables import sends
from setia.store.database import Lock, Store

RETRY_AFTER = dt.timedelta(minutes=15)
MOST_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Standing:
    """What a programme says of one of its sends at the moment of sending."""

    programme_state: str
    held_out: bool
    ordered_since_entry: bool


Ask = Callable[[Connection, Row[Any]], Standing]
Compose = Callable[[Row[Any], Row[Any]], Written]
"""From a send and its contact to the finished text."""


def recover(tx: Connection, now: dt.datetime) -> int:
    """Mark what a dead worker was attempting as unknown; the caller holds the sender's lock. Returns how many."""
    result = tx.execute(
        update(sends)
        .where(sends.c.state == "attempting")
        .values(state="unknown", reason="worker_ended", settled_at=now)
    )
    return result.rowcount


def deliver(
    store: Store, channel: Channel, rules: Rules, ask: Ask, compose: Compose, now: Callable[[], dt.datetime]
) -> Counter[str]:
    """Send everything that is due and allowed; returns how many ended in each state.

    A channel that cannot be reached ends the round: nothing is lost, and no send's attempts are used up. One process
    at a time: raises Busy while another one sends.
    """
    ended: Counter[str] = Counter()
    with store.locked(Lock.SENDER, doing="sending messages"):
        with store.begin() as tx:
            ended["unknown"] += recover(tx, now())
        try:
            while (taken := _take(store, channel.name, rules, ask, compose, now())) is not None:
                if taken.message is None:
                    ended[taken.state] += 1
                    continue
                outcome = channel.send(taken.message)
                ended[_settle(store, taken, outcome, now())] += 1
                if outcome.kind == "unreachable":
                    break
        finally:
            channel.close()
    return ended


@dataclass(frozen=True, slots=True)
class _Taken:
    """A send that was due, with its message where the gate let it through."""

    send: Row[Any]
    state: str
    message: Message | None = None


def _take(store: Store, channel: str, rules: Rules, ask: Ask, compose: Compose, now: dt.datetime) -> _Taken | None:
    """Take the next due send through the gate, in one transaction; None when nothing is due."""
    with store.begin() as tx:
        send = tx.execute(
            select(sends)
            .where(sends.c.state == "planned", sends.c.channel == channel, sends.c.not_before <= now)
            .order_by(sends.c.not_before, sends.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        ).first()
        if send is None:
            return None
        contact = tx.execute(select(contacts).where(contacts.c.customer_id == send.customer_id)).first()
        verdict = judge(_request(tx, send, contact, ask(tx, send), now), rules)
        own = update(sends).where(sends.c.id == send.id)
        if verdict.kind == "refuse" or contact is None:
            tx.execute(own.values(state="refused", reason=verdict.reason, settled_at=now))
            return _Taken(send, "refused")
        if verdict.kind == "wait":
            tx.execute(own.values(not_before=verdict.until, reason=verdict.reason))
            return _Taken(send, "waiting")
        written = compose(send, contact)
        tx.execute(own.values(state="attempting", reason=None, attempts=send.attempts + 1, attempted_at=now))
    message = Message(send.id, contact.email, written.subject, written.text, written.html)
    return _Taken(send, "attempting", message)


def _request(tx: Connection, send: Row[Any], contact: Row[Any] | None, standing: Standing, now: dt.datetime) -> Request:
    keys = keys_of([send.customer_id])
    recent = (
        select(func.count())
        .select_from(sends)
        .where(
            or_(sends.c.customer_id == send.customer_id, sends.c.customer_id.in_(keys)),
            sends.c.attempted_at > now - dt.timedelta(days=7),
            sends.c.state.in_(("attempting", "accepted", "unknown")),
        )
        .scalar_subquery()
    )
    stopped = (
        select(opt_outs.c.reason)
        .where(
            or_(opt_outs.c.customer_id == send.customer_id, opt_outs.c.customer_id.in_(keys)),
            opt_outs.c.channel == send.channel,
        )
        .order_by(opt_outs.c.at)
        .limit(1)
        .scalar_subquery()
    )
    found = tx.execute(select(recent.label("recent"), stopped.label("stopped"))).one()
    return Request(
        now=now,
        not_after=send.not_after,
        programme_state=standing.programme_state,
        held_out=standing.held_out,
        ordered_since_entry=standing.ordered_since_entry,
        has_address=contact is not None and contact.email is not None,
        consent_at=contact.email_consent_at if contact is not None else None,
        optout_at=contact.email_optout_at if contact is not None else None,
        stopped_because=found.stopped,
        sent_in_seven_days=found.recent,
    )


def _settle(store: Store, taken: _Taken, outcome: Outcome, now: dt.datetime) -> str:
    send, values = taken.send, _after(taken.send.attempts + 1, outcome, now)
    with store.begin() as tx:
        known = tx.execute(update(sends).where(sends.c.id == send.id).values(**values)).rowcount
        if outcome.bad_address and known:  # not known any more: the person was erased meanwhile
            opt_out(tx, send.customer_id, send.channel, "bad_address", now)
    return str(values["state"])


def _after(attempts: int, outcome: Outcome, now: dt.datetime) -> dict[str, Any]:
    again = {"state": "planned", "reason": outcome.detail, "not_before": now + RETRY_AFTER, "attempted_at": None}
    if outcome.kind == "unreachable":
        return {**again, "attempts": attempts - 1}
    if outcome.kind == "later" and attempts < MOST_ATTEMPTS:
        return again
    state = "rejected" if outcome.kind == "later" else outcome.kind
    return {"state": state, "reason": outcome.detail, "settled_at": now}


def opt_out(tx: Connection, customer_id: str, channel: str, reason: str, now: dt.datetime) -> None:
    """Never write to a person on a channel again; the first reason stays."""
    tx.execute(
        insert(opt_outs)
        .values(customer_id=customer_id, channel=channel, reason=reason, at=now)
        .on_conflict_do_nothing()
    )
