"""The life of one customer, gathered from the facts: what is known, and what happened, newest first."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from setia.customers import stages
from setia.customers.traits import TRAITS, require
from setia.history.lines import product_names
from setia.history.returns import returns_before
from setia.history.sales import month_of
from setia.history.scope import Scope
from setia.history.visits import seen_events
from setia.kernel.errors import SetiaError
from setia.warehouse.snapshot import listed

if TYPE_CHECKING:
    from setia.warehouse.reader import Reader

MOST_HAPPENINGS = 40
PRODUCT_TRAITS = (
    "favourite_product", "recommended_product", "recommended_because", "refill_product", "subscribe_product",
)  # fmt: skip


class NotACustomer(SetiaError):
    """Nobody is known as {identifier} as of the last refresh. Give a customer's key, e-mail address or telephone."""

    code = "customers.not_a_customer"


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened to or was done by the customer."""

    day: dt.date
    kind: str
    """order, cancelled, returned, answer, case, message, visits, subscribed, unsubscribed."""
    about: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Story:
    """Everything a person reads about one customer."""

    customer_id: str
    keys: tuple[str, ...]
    """Every key under which the customer is known."""
    contact: dict[str, Any]
    """The row of the contact list; empty where they are not on it."""
    traits: dict[str, Any]
    """As of the last refresh, the shop's own among them."""
    stage_rule: str
    """The condition that put them into their stage."""
    products: dict[str | None, str]
    """Names of the products that their traits speak of, by their keys."""
    happenings: list[Happening]
    more: int
    """How many older happenings are left out."""


def story(reader: Reader, scope: Scope, customer_id: str, keys: tuple[str, ...]) -> Story:
    """The life of a customer up to `as_of`. Raises NotACustomer, NotRefreshed."""
    known: Any = reader.table("traits")
    require(TRAITS, known.columns)
    found = listed(reader, known.filter(known.customer_id == customer_id))
    if not found:
        raise NotACustomer(identifier=customer_id)
    people: Any = reader.table("customers")
    contact = listed(reader, people.filter(people.customer_id == customer_id))
    happenings = sorted(_happenings(reader, scope, customer_id), key=lambda each: each.day, reverse=True)
    return Story(
        customer_id,
        keys,
        contact[0] if contact else {},
        found[0],
        stages.rules_of(scope.rules.stages)[found[0]["stage"]],
        product_names(reader, [found[0][name] for name in PRODUCT_TRAITS]),
        happenings[:MOST_HAPPENINGS],
        max(len(happenings) - MOST_HAPPENINGS, 0),
    )


_ASKED = {
    "orders": (
        "select day, total, currency, channel, code, cancelled_at, undelivered_at, "
        "(select string_agg(distinct coalesce(p.name, l.product_id), ', ' order by coalesce(p.name, l.product_id)) "
        "from order_lines l left join products p using (product_id) where l.document_id = o.document_id) as products "
        "from orders o where customer_id = $1 and not coalesce(is_test, false) and not coalesce(is_adjustment, false)"
    ),
    "answers": "select day, survey, score, scale, choice, comment from answers where customer_id = $1",
    "cases": "select day, reason, channel, resolved_at from cases where customer_id = $1",
    "messages": (
        "select day, programme, channel, state, opened_at, clicked_at from messages where customer_id = $1 "
        "and state <> 'rejected'"
    ),
    "subscriptions": (
        "select plan, amount, currency, started_at, ended_at, reason from subscriptions where customer_id = $1"
    ),
}


def _happenings(reader: Reader, scope: Scope, customer_id: str) -> list[Happening]:
    found: list[Happening] = []
    for name, query in _ASKED.items():
        asked = reader.duck.execute(query, [customer_id])
        columns = [column for column, *_ in asked.description or ()]
        for row in asked.fetchall():
            found += _told(name, dict(zip(columns, row, strict=True)), scope)
    back: Any = returns_before(reader, scope)
    returned = listed(reader, back.filter(back.customer_id == customer_id).select("day", "amount"))
    found += [Happening(row["day"], "returned", row) for row in returned]
    seen: Any = seen_events(reader, scope)
    own = seen.filter(seen.customer_id == customer_id)
    months = own.group_by(month=month_of(own.day)).aggregate(
        day=own.day.max(), days=own.day.nunique(), events=own.count()
    )
    found += [Happening(row["day"], "visits", row) for row in listed(reader, months)]
    return [each for each in found if each.day < scope.as_of]


def _told(name: str, row: dict[str, Any], scope: Scope) -> list[Happening]:
    if name == "orders":
        own = [Happening(row["day"], "order", row)]
        if row["cancelled_at"] is not None:
            own.append(Happening(scope.day_of(row["cancelled_at"]), "cancelled", row))
        return own
    if name == "subscriptions":
        own = [Happening(scope.day_of(row["started_at"]), "subscribed", row)]
        if row["ended_at"] is not None:
            own.append(Happening(scope.day_of(row["ended_at"]), "unsubscribed", row))
        return own
    kinds = {"answers": "answer", "cases": "case", "messages": "message"}
    return [Happening(row["day"], kinds[name], row)]
