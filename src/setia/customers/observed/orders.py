"""What somebody has bought and given back, and in what rhythm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from setia.customers.trait import WINDOWS, Family, Trait, days_since, days_since_first, told
from setia.history.exchange import in_own_currency
from setia.history.lines import bought_lines
from setia.history.returns import returns_before
from setia.history.sales import customers_orders, days_old, priced_orders
from setia.history.scope import Scope
from setia.kernel.i18n import N_

if TYPE_CHECKING:
    from setia.warehouse.snapshot import Snapshot


def purchase_days(facts: Snapshot, scope: Scope) -> Any:
    """One row per customer and day with an order: what was ordered on it, the `gap` in days since the one before."""
    import ibis

    orders: Any = priced_orders(facts, scope)
    orders = in_own_currency(facts, scope, orders.filter(orders.customer_id.notnull()), "discount")
    days = orders.group_by("customer_id", "day").aggregate(
        orders=orders.count(),
        revenue=orders.total.sum().fill_null(0),
        discount=orders.discount.sum().fill_null(0),
        vouchers=orders.count(where=orders.code.notnull()),
    )
    before = days.day.lag().over(ibis.window(group_by="customer_id", order_by="day"))
    return days.mutate(gap=days.day.delta(before, unit="day"))


def _sum_within(column: str, days: int) -> Any:
    assert days in WINDOWS

    def total(rows: Any, scope: Scope) -> Any:
        return rows[column].sum(where=days_old(scope, rows.day) < days).fill_null(0)

    return total


def _gap_spread(rows: Any, _scope: Scope) -> Any:
    """Null below three purchase days: one gap has no spread. From whole sums, so that no order of rows shows in it."""
    gap = rows.gap.cast("int64")
    n, total, squares = (part.cast("float64") for part in (gap.count(), gap.sum(), (gap * gap).sum()))
    return (gap.count() >= 2).ifelse((n * squares - total * total).sqrt() / total, None)


def _last_gap(rows: Any, _scope: Scope) -> Any:
    return rows.gap.argmax(rows.day)


ORDERS = Family(
    purchase_days,
    (
        Trait("orders", "integer", N_("Orders so far"), lambda rows, _: rows.orders.sum(), otherwise=0),
        Trait("orders_90d", "integer", N_("Orders in the last 90 days"), _sum_within("orders", 90), otherwise=0),
        Trait("orders_365d", "integer", N_("Orders in the last 365 days"), _sum_within("orders", 365), otherwise=0),
        Trait(
            "purchase_days", "integer", N_("Different days with an order"), lambda rows, _: rows.count(), otherwise=0
        ),
        Trait("first_day", "day", N_("Day of the first order"), lambda rows, _: rows.day.min()),
        Trait("last_day", "day", N_("Day of the latest order"), lambda rows, _: rows.day.max()),
        Trait("days_since_last_order", "integer", N_("Days since the latest order"), days_since("day"), ages=True),
        Trait(
            "days_since_first_order", "integer", N_("Days since the first order"), days_since_first("day"), ages=True
        ),
        Trait(
            "recency", "integer", N_("Days from the first to the latest order"),
            lambda rows, _: rows.day.max().delta(rows.day.min(), unit="day"),
        ),
        Trait(
            "gross_revenue", "money", N_("All orders so far, before returns"), lambda rows, _: rows.revenue.sum(),
            otherwise=0,
        ),
        Trait(
            "revenue_365d", "money", N_("Orders of the last 365 days, before returns"), _sum_within("revenue", 365),
            otherwise=0,
        ),
        Trait(
            "first_day_revenue", "money", N_("Orders of the first day, before returns"),
            lambda rows, _: rows.revenue.argmin(rows.day),
        ),
        Trait("last_gap", "integer", N_("Days between the latest two purchase days"), _last_gap),
        Trait(
            "gap_spread", "number", N_("Spread of the days between purchases: standard deviation ÷ mean"), _gap_spread
        ),
        Trait(
            "orders_with_voucher", "integer", N_("Orders with a voucher"), lambda rows, _: rows.vouchers.sum(),
            otherwise=0,
        ),
        Trait("discounts", "money", N_("Discounts so far"), lambda rows, _: rows.discount.sum(), otherwise=0),
    ),
)  # fmt: skip

RETURNS = Family(
    returns_before,
    (
        Trait("returns", "integer", N_("Returns so far"), lambda rows, _: rows.count(), otherwise=0),
        Trait(
            "returned_revenue", "money", N_("Money given back for returns"),
            lambda rows, _: rows.amount.sum().fill_null(0),
            otherwise=0,
        ),
    ),
    whole=True,
)  # fmt: skip


def _favourite(rows: Any, weight: Any, name: str) -> Any:
    """One row per customer with the value of a column that weighs most; of several, the first by alphabet."""
    import ibis

    sums = rows.filter(rows.customer_id.notnull(), rows[name].notnull())
    sums = sums.group_by("customer_id", name).aggregate(weight=weight(sums))
    best = sums.group_by("customer_id").aggregate(first=ibis.struct({"less": -sums.weight, "name": sums[name]}).min())
    return best.select("customer_id", **{name: best.first["name"]})


def _channel(facts: Snapshot, scope: Scope) -> Any:
    return _favourite(customers_orders(facts, scope), lambda rows: rows.count(), "channel")


def _product(facts: Snapshot, scope: Scope) -> Any:
    return _favourite(bought_lines(facts, scope), lambda rows: rows.amount.sum(), "product_id")


def _category(facts: Snapshot, scope: Scope) -> Any:
    return _favourite(bought_lines(facts, scope), lambda rows: rows.amount.sum(), "category")


FAVOURITES = (
    Family(
        _channel, (Trait("favourite_channel", "text", N_("Channel of most orders"), told("channel")),)
    ),
    Family(
        _product,
        (Trait("favourite_product", "text", N_("Product that most was paid for"), told("product_id")),),
    ),
    Family(
        _category,
        (Trait("favourite_category", "text", N_("Category that most was paid for"), told("category")),),
    ),
)  # fmt: skip
