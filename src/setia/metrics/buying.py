"""How customers buy: repeat purchases, order value, time between purchases."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from setia.metrics.answer import Answer, Scope, as_table
from setia.metrics.purchases import customers_orders, days_old, month_of, purchase_days, returns_before, sales
from setia.metrics.survival import SurvivalCurve

if TYPE_CHECKING:
    from setia.warehouse.reader import Reader


def repeat_purchase(reader: Reader, scope: Scope, *, window_days: int = 365) -> Answer:
    """Share of the window's buyers who placed two orders or more in it.

    `table`: one row per number of orders (`orders`, `customers`). Never compare windows of different length.
    """
    orders: Any = customers_orders(reader, scope)
    orders = orders.filter(days_old(scope, orders.day) < window_days)
    per_customer = orders.group_by("customer_id").aggregate(orders=orders.count())
    counts = per_customer.group_by("orders").aggregate(customers=per_customer.count()).order_by("orders")
    rows = reader.arrow(counts).to_pylist()
    buyers = sum(row["customers"] for row in rows)
    repeaters = sum(row["customers"] for row in rows if row["orders"] >= 2)
    figures = {
        "window_days": window_days,
        "customers": buyers,
        "repeat_customers": repeaters,
        "rate": repeaters / buyers if buyers else None,
        "orders_per_customer": sum(r["orders"] * r["customers"] for r in rows) / buyers if buyers else None,
    }
    return Answer(
        "repeat_purchase", scope, figures, as_table(rows, ("orders", "customers")), None if buyers else "no_customers"
    )


def order_value(reader: Reader, scope: Scope, *, months: int = 24) -> Answer:
    """Average order value, gross and net of returns, over all time and by calendar month.

    `table`: one row per month: `month`, `orders`, `customers`, `gross`, `corrected` (corrections of stock or books,
    which are no orders), `returned` (by the day of the return), `net` = gross + corrected − returned,
    `net_per_order`, `mature` (the month is over). Amounts are decimals in the shop's currency; the headline is over
    everything before `as_of`. An order in a currency without a rate is counted and adds no money.
    """
    orders: Any = sales(reader, scope)
    orders = orders.mutate(counts=~orders.is_adjustment.fill_null(False))
    returns: Any = returns_before(reader, scope)
    sold = orders.group_by(month=month_of(orders.day)).aggregate(
        orders=orders.count(where=orders.counts),
        customers=orders.customer_id.nunique(where=orders.counts),
        gross=orders.total.sum(where=orders.counts).fill_null(0),
        corrected=orders.total.sum(where=~orders.counts).fill_null(0),
    )
    back = returns.group_by(month=month_of(returns.day)).aggregate(returned=returns.amount.sum().fill_null(0))
    returned = {row["month"]: row["returned"] for row in reader.arrow(back).to_pylist()}
    found = {row["month"]: row for row in reader.arrow(sold).to_pylist()}
    this_month = scope.as_of.replace(day=1)
    rows = [
        _with_net(found.get(month, {**_NOTHING, "month": month}), returned.get(month, Decimal()), month < this_month)
        for month in sorted(found | returned)
    ]
    count, gross = sum(row["orders"] for row in rows), sum(row["gross"] for row in rows)
    net = gross + sum(row["corrected"] for row in rows) - sum(returned.values())
    figures = {
        "orders": count,
        "gross": gross,
        "net": net,
        "net_per_order": net / count if count else None,
        "gross_per_order": gross / count if count else None,
    }
    columns = ("month", "orders", "customers", "gross", "corrected", "returned", "net", "net_per_order", "mature")
    return Answer("order_value", scope, figures, as_table(rows[-months:], columns), None if count else "no_orders")


_NOTHING: dict[str, Any] = {"orders": 0, "customers": 0, "gross": Decimal(), "corrected": Decimal()}


def _with_net(row: dict[str, Any], returned: Any, mature: bool) -> dict[str, Any]:
    net = row["gross"] + row["corrected"] - returned
    per_order = net / row["orders"] if row["orders"] else None
    return {**row, "returned": returned, "net": net, "net_per_order": per_order, "mature": mature}


def time_between_purchases(reader: Reader, scope: Scope, *, gap: str = "all") -> Answer:
    """Median and quantiles of the gap to the next purchase day, from the survival curve.

    `gap`: "first" for the gap from the first to the second purchase, "later" for those after, "all" for both.
    Orders of one day count as one purchase. `table`: one row per length: `days`, `at_risk`, `bought_again`, `open`
    (gaps not yet ended at `as_of`), `survival` (share still without a further purchase). `mean_of_completed` stands
    beside the median to show how far the usual average of completed gaps misses.
    """
    rows = reader.arrow(_gaps(reader, scope, gap)).to_pylist()
    curve = SurvivalCurve.from_counts((row["days"], row["bought_again"], row["open"]) for row in rows)
    completed = sum(row["bought_again"] for row in rows)
    figures = {
        "gap": gap,
        "gaps": curve.at_risk[0] if curve.at_risk else 0,
        "completed": completed,
        "median_days": curve.quantile(0.5),
        "quarter_days": curve.quantile(0.25),
        "three_quarters_days": curve.quantile(0.75),
        "again_within_30": curve.reached(30),
        "again_within_90": curve.reached(90),
        "mean_of_completed": sum(r["days"] * r["bought_again"] for r in rows) / completed if completed else None,
    }
    table = as_table(curve.rows(), ("days", "at_risk", "bought_again", "open", "survival"))
    reason = None if curve.quantile(0.5) is not None else "median_not_reached" if rows else "no_customers"
    return Answer("time_between_purchases", scope, figures, table, reason)


def _gaps(reader: Reader, scope: Scope, gap: str) -> Any:
    """Grouped gaps: `days`, how many ended in a purchase (`bought_again`), how many are `open`."""
    import ibis

    days: Any = purchase_days(reader, scope)
    own = ibis.window(group_by="customer_id", order_by="day")
    gaps = days.mutate(next_day=days.day.lead().over(own), nth=ibis.row_number().over(own))
    if gap != "all":
        gaps = gaps.filter(gaps.nth == 0 if gap == "first" else gaps.nth > 0)
    gaps = gaps.mutate(
        days=ibis.ifelse(gaps.next_day.notnull(), gaps.next_day.delta(gaps.day, unit="day"), days_old(scope, gaps.day))
    )
    return gaps.group_by("days").aggregate(
        bought_again=gaps.next_day.count(), open=gaps.count() - gaps.next_day.count()
    )
