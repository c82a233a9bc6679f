"""Which orders count: the one place that says so."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from setia.metrics.answer import Scope
from setia.metrics.exchange import in_own_currency
from setia.warehouse.duck import literal, row

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from setia.warehouse.reader import Reader


def sales(reader: Reader, scope: Scope) -> ir.Table:
    """Everything before `as_of` that counts in net sales, in the shop's currency: orders and corrections, neither
    trials nor cancelled nor of the shop's own people.

    An order that was cancelled only later still stood on that day.
    """
    import ibis

    orders: Any = reader.table("orders")
    until = ibis.literal(scope.until, type="timestamp('UTC')")
    stands = orders.cancelled_at.isnull() | (orders.cancelled_at >= until)
    real = ~orders.is_test.fill_null(False) & ~orders.is_staff.fill_null(False)
    return in_own_currency(reader, scope, orders.filter(orders.day < scope.as_of, stands, real), "total")


def valid_orders(reader: Reader, scope: Scope) -> ir.Table:
    """Orders before `as_of` that count: no trials, not cancelled, no corrections; guests included."""
    orders: Any = sales(reader, scope)
    return orders.filter(~orders.is_adjustment.fill_null(False))


def customers_orders(reader: Reader, scope: Scope) -> ir.Table:
    """Valid orders of known customers."""
    orders: Any = valid_orders(reader, scope)
    return orders.filter(orders.customer_id.notnull())


def purchase_days(reader: Reader, scope: Scope) -> ir.Table:
    """One row per customer and day with an order: `customer_id`, `day`."""
    return customers_orders(reader, scope).select("customer_id", "day").distinct()


def returns_before(reader: Reader, scope: Scope) -> ir.Table:
    """Returns before `as_of`, in the shop's currency."""
    returns: Any = reader.table("returns")
    return in_own_currency(reader, scope, returns.filter(returns.day < scope.as_of), "amount")


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


def first_purchase_day(reader: Reader, scope: Scope) -> Any:
    """The day of the oldest valid order of a known customer, None where there is none."""
    found = reader.arrow(purchase_days(reader, scope).aggregate(first=lambda t: t.day.min()))
    return found["first"][0].as_py()


def month_of(day: Any) -> Any:
    """The first day of a day column's calendar month, as an Ibis expression."""
    return day.truncate("M").cast("date")


def days_old(scope: Scope, day: Any) -> Any:
    """Whole days from a day column to the last day that counts, as an Ibis expression."""
    import ibis

    return ibis.date(scope.last_day.year, scope.last_day.month, scope.last_day.day).delta(day, unit="day")
