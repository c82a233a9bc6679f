"""The last weeks side by side: what changed."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from setia.history.returns import returns_before
from setia.history.sales import customers_orders, days_old, sales
from setia.history.scope import Scope
from setia.metrics.answer import Answer, as_table
from setia.warehouse.snapshot import listed

if TYPE_CHECKING:
    from setia.warehouse.snapshot import Snapshot

COLUMNS = ("week_from", "orders", "customers", "new_customers", "returning_customers", "net_sales")


def weeks(facts: Snapshot, scope: Scope, *, most: int = 9) -> Answer:
    """Seven-day weeks that end with the last day that counts, newest last.

    `table`: `week_from`, `orders`, `customers` (known ones who ordered), `new_customers` (first order ever),
    `returning_customers`, `net_sales` (returns deducted on the day they came back). The headline is the newest week
    and, as `before_…`, the one before it.
    """
    sold = _by_week(facts, sales(facts, scope), scope, most)
    back: Any = returns_before(facts, scope)
    week = (days_old(scope, back.day) // 7).cast("int64")
    returned = {
        row["week"]: row["amount"]
        for row in listed(facts, back.group_by(week=week).aggregate(amount=back.amount.sum()))
    }
    people = _people(facts, scope)
    rows = []
    for k in reversed(range(most)):
        own, who = sold.get(k, {}), people.get(k, {})
        customers, new = who.get("customers", 0), who.get("new", 0)
        rows.append(
            {
                "week_from": scope.as_of - dt.timedelta(days=7 * (k + 1)),
                "orders": own.get("orders", 0),
                "customers": customers,
                "new_customers": new,
                "returning_customers": customers - new,
                "net_sales": own.get("net", 0) - (returned.get(k) or 0),
            }
        )
    figures = {**rows[-1], **{f"before_{name}": rows[-2][name] for name in COLUMNS}}
    return Answer("weeks", scope, figures, as_table(rows, COLUMNS))


def _by_week(facts: Snapshot, orders: Any, scope: Scope, most: int) -> dict[int, dict[str, Any]]:
    rows = orders.mutate(week=(days_old(scope, orders.day) // 7).cast("int64"))
    rows = rows.filter(rows.week < most)
    counted = rows.group_by("week").aggregate(
        orders=(~rows.is_adjustment.fill_null(False)).sum(), net=rows.total.sum().fill_null(0)
    )
    return {row["week"]: row for row in listed(facts, counted)}


def _people(facts: Snapshot, scope: Scope) -> dict[int, dict[str, int]]:
    orders: Any = customers_orders(facts, scope)
    own = orders.mutate(week=(days_old(scope, orders.day) // 7).cast("int64"))
    first = own.group_by("customer_id").aggregate(first_week=own.week.max())
    bought = own.select("customer_id", "week").distinct().join(first, "customer_id")
    counted = bought.group_by("week").aggregate(customers=bought.count(), new=(bought.week == bought.first_week).sum())
    return {row["week"]: row for row in listed(facts, counted)}
