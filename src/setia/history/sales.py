"""Which orders count: the one place that says so."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from setia.history.exchange import in_own_currency
from setia.history.scope import Scope
from setia.warehouse.duck import literal, row

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from setia.warehouse.reader import Reader
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
    import ibis

    orders: Any = facts.table("orders")
    until = ibis.literal(scope.until, type="timestamp('UTC')")
    stands = orders.cancelled_at.isnull() | (orders.cancelled_at >= until)
    real = ~orders.is_test.fill_null(False) & ~orders.is_staff.fill_null(False)
    return orders.filter(orders.day < scope.as_of, stands, real)


def purchase_days(facts: Snapshot, scope: Scope) -> ir.Table:
    """One row per customer and day with an order: `customer_id`, `day`."""
    return customers_orders(facts, scope).select("customer_id", "day").distinct()


def returns_before(facts: Snapshot, scope: Scope) -> ir.Table:
    """Returns before `as_of`, in the shop's currency."""
    returns: Any = facts.table("returns")
    return in_own_currency(facts, scope, returns.filter(returns.day < scope.as_of), "amount")


def last_recorded_day(reader: Reader, zone: str, today: dt.date) -> Any:
    """The newest day up to today on which anything was ordered, cancelled or given back; None in an empty shop.

    A date mistyped into the future moves nobody's present.
    """
    cancelled = f"timezone({literal(zone)}, cancelled_at)::date"
    return row(
        reader.duck,
        f"select max(day) from (select day from orders union all select {cancelled} from orders "
        f"union all select day from returns) where day <= {literal(today)}",
    )[0]


def month_of(day: Any) -> Any:
    """The first day of a day column's calendar month, as an Ibis expression."""
    return day.truncate("M").cast("date")


def days_old(scope: Scope, day: Any) -> Any:
    """Whole days from a day column to the last day that counts, as an Ibis expression."""
    import ibis

    return ibis.date(scope.last_day.year, scope.last_day.month, scope.last_day.day).delta(day, unit="day")
