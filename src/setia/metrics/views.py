"""Views for `setia sql`: what metrics are made of, under names of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from setia.history.costs import costs_before
from setia.history.returns import returns_before
from setia.history.running import paid_rows
from setia.history.sales import first_days, month_of, purchase_days, sales
from setia.history.visits import visits
from setia.metrics.timing import purchase_gaps

if TYPE_CHECKING:
    from setia.history.scope import Scope
    from setia.warehouse.reader import Reader
    from setia.warehouse.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class View:
    """One view: what a row is, what its columns mean, how it is made."""

    meaning: str
    columns: Mapping[str, str]
    rows: Callable[[Snapshot, Scope], Any]


def _cohorts(facts: Snapshot, scope: Scope) -> Any:
    days: Any = purchase_days(facts, scope)
    first: Any = first_days(facts, scope).rename(first_id="customer_id")
    joined = days.join(first, days.customer_id == first.first_id)
    rows = joined.select("customer_id", cohort=month_of(joined.first_day), month=month_of(joined.day)).distinct()
    age = (rows.month.year() - rows.cohort.year()) * 12 + rows.month.month() - rows.cohort.month()
    return rows.group_by("cohort", age=age.cast("int64")).aggregate(customers=rows.count())


_SALES = {
    "order_id": "the order's number",
    "document_id": "what an import replaces as a whole",
    "customer_id": "who bought; null for a guest",
    "placed_at": "when",
    "day": "the day in the shop's zone",
    "total": "in the shop's currency; null without a rate",
    "is_adjustment": "a correction of stock or books, and no order",
    "channel": "where it came from",
    "code": "voucher used",
}
VIEWS: dict[str, View] = {
    "counted_orders": View(
        "Orders and corrections that count: no trials, nothing cancelled, nothing of the shop's own people.",
        _SALES,
        lambda facts, scope: sales(facts, scope).select(*_SALES),
    ),
    "counted_returns": View(
        "Returns, in the shop's currency; what came back of orders that do not count is left out.",
        {
            "return_id": "key",
            "order_id": "the order it was sold in, where known",
            "customer_id": "who gave it back",
            "day": "the day it came back",
            "amount": "in the shop's currency; null without a rate",
        },
        lambda facts, scope: returns_before(facts, scope).select(
            "return_id", "order_id", "customer_id", "day", "amount"
        ),
    ),
    "purchases": View(
        "Days on which a customer bought, and how long until the next.",
        {
            "customer_id": "who",
            "day": "when",
            "nth": "the how-manieth, from 1",
            "next_day": "the next one, null if none followed",
            "days": "days until that, or until now",
            "ended": "whether a next one followed",
        },
        lambda facts, scope: purchase_gaps(facts, scope).select(
            "customer_id", "day", "nth", "next_day", "days", "ended"
        ),  # type: ignore[attr-defined,unused-ignore]
    ),
    "cohort_months": View(
        "Customers of each month of first orders who bought again, by months since. Months without anybody are missing.",
        {
            "cohort": "first day of the month of the first order",
            "age": "months since; 0 holds everybody",
            "customers": "who bought in that month",
        },
        _cohorts,
    ),
    "visits": View(
        "Visits: events of one visitor without a long pause between them.",
        {
            "visitor": "customer or device",
            "customer_id": "who, null where nobody is known",
            "started_at": "first event",
            "day": "its day in the shop's zone",
            "device": "desktop, mobile or tablet",
            "platform": "web or app",
            "kind": "returning if the customer had bought before, else new",
            "with_cart": "something was put into the cart",
            "with_order": "an order was placed",
            "revenue": "of those orders",
            "unpriced": "of those orders, how many have no rate",
        },
        visits,
    ),
    "subscription_prices": View(
        "Subscriptions and prices, each brought to a month.",
        {
            "customer_id": "who subscribes",
            "subscription_id": "key",
            "currency": "of the amount",
            "monthly": "amount a month",
            "paid_from": "first paid moment, after any trial",
            "ended_at": "end, null while it runs",
            "reason": "why it ended, where that was told",
        },
        paid_rows,
    ),
    "counted_costs": View(
        "Costs in the shop's currency, and what they were for.",
        {
            "cost_id": "key",
            "category": "as imported",
            "programme": "the programme, if any",
            "channel": "channel, where known",
            "day": "the day",
            "amount": "in the shop's currency; null without a rate",
            "purpose": "winning, keeping or other",
        },
        lambda facts, scope: costs_before(facts, scope).select(
            "cost_id", "category", "programme", "channel", "day", "amount", "purpose"
        ),
    ),
}


def add_views(reader: Reader, scope: Scope, query: str) -> None:
    """Make those of the views whose names stand in a query, as of a day."""
    for name, view in VIEWS.items():
        if name in query:
            reader.view(name, view.rows(reader, scope))
