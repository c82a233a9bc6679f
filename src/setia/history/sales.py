"""Which orders count: the one place that says so."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from setia.history.exchange import in_own_currency
from setia.history.scope import Scope
from setia.warehouse.snapshot import listed

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from setia.warehouse.snapshot import Snapshot

AMOUNTS = ("total", "discount", "platform_discount", "shipping", "tax")


def sales(facts: Snapshot, scope: Scope) -> ir.Table:
    """Everything before `as_of` that counts in net sales, `total` in the shop's currency: orders and corrections,
    neither trials nor cancelled nor of the shop's own people.

    An order that was cancelled only later still stood on that day. An order in a currency without a rate has no total.
    """
    return in_own_currency(facts, scope, _standing(facts, scope), "total")


def priced_orders(facts: Snapshot, scope: Scope) -> ir.Table:
    """Orders before `as_of` that count, with their `total`: sales without corrections; guests included."""
    orders: Any = sales(facts, scope)
    return orders.filter(~orders.is_adjustment.fill_null(False))


def written_orders(facts: Snapshot, scope: Scope) -> ir.Table:
    """The same orders with their amounts as they were written, each in its own `currency`."""
    orders: Any = _standing(facts, scope)
    return orders.filter(~orders.is_adjustment.fill_null(False))


def valid_orders(facts: Snapshot, scope: Scope) -> ir.Table:
    """The same orders without amounts, where nobody asks what they were worth."""
    return written_orders(facts, scope).drop(*AMOUNTS)


def customers_orders(facts: Snapshot, scope: Scope) -> ir.Table:
    """Valid orders of known customers, without amounts."""
    orders: Any = valid_orders(facts, scope)
    return orders.filter(orders.customer_id.notnull())


def _standing(facts: Snapshot, scope: Scope) -> Any:
    orders: Any = facts.table("orders")
    return orders.filter(orders.day < scope.as_of, stands(orders, scope))


def stands(orders: Any, scope: Scope) -> Any:
    """Whether each order counts: not cancelled before `as_of`, no trial, not of the shop's own people."""
    import ibis

    until = ibis.literal(scope.until, type="timestamp('UTC')")
    valid = orders.cancelled_at.isnull() | (orders.cancelled_at >= until)
    return valid & ~orders.is_test.fill_null(False) & ~orders.is_staff.fill_null(False)


def purchase_days(facts: Snapshot, scope: Scope) -> ir.Table:
    """One row per customer and day with an order: `customer_id`, `day`."""
    return customers_orders(facts, scope).select("customer_id", "day").distinct()


def first_days(facts: Snapshot, scope: Scope) -> ir.Table:
    """One row per known customer: `customer_id`, `first_day` (of the first order)."""
    orders: Any = customers_orders(facts, scope)
    return orders.group_by("customer_id").aggregate(first_day=orders.day.min())


def no_money() -> Any:
    """Nought as an amount."""
    import ibis

    return ibis.literal(0).cast("decimal(18, 4)")


def last_recorded_day(facts: Snapshot, now: Scope) -> dt.date | None:
    """The newest day before `as_of` on which anything was ordered, cancelled or given back; None in an empty shop.

    A date mistyped into the future moves nobody's present.
    """
    orders: Any = facts.table("orders")
    returns: Any = facts.table("returns")
    ordered = orders.aggregate(
        ordered=orders.day.max(where=orders.day < now.as_of),
        cancelled_at=orders.cancelled_at.max(where=orders.cancelled_at < now.until),
    )
    (found,) = listed(
        facts, ordered.cross_join(returns.aggregate(returned=returns.day.max(where=returns.day < now.as_of)))
    )
    cancelled = now.day_of(found["cancelled_at"]) if found["cancelled_at"] else None
    return max((day for day in (found["ordered"], found["returned"], cancelled) if day is not None), default=None)


def month_of(day: Any) -> Any:
    """The first day of a day column's calendar month, as an Ibis expression."""
    import ibis

    return ibis.date(day.year(), day.month(), 1)


def days_old(scope: Scope, day: Any) -> Any:
    """Whole days from a day column to the last day that counts, as an Ibis expression."""
    import ibis

    return ibis.date(scope.last_day.year, scope.last_day.month, scope.last_day.day).delta(day, unit="day")
