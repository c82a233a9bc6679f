"""How customers buy: repeat purchases, frequency, order value, who brings the revenue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from setia.history.returns import returns_before
from setia.history.sales import (
    customers_orders,
    first_days,
    no_money,
    priced_orders,
    purchase_days,
    sales,
    valid_orders,
)
from setia.history.scope import Scope
from setia.history.windows import Spans, Window
from setia.kernel.i18n import N_
from setia.metrics.answer import Number, to_money
from setia.metrics.measure import Measure
from setia.metrics.metric import UNPRICED, Part, Parts, per, portion, share, unpriced
from setia.metrics.populations import NEW_PEOPLE, PEOPLE, SALES

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from setia.warehouse.snapshot import Snapshot

REPURCHASE_DAYS = 90


def buyers(facts: Snapshot, scope: Scope, spans: Spans) -> ir.Table:
    """One row per window and customer who bought in it."""
    orders: Any = spans.during(customers_orders(facts, scope).select("customer_id", "day"))
    people = orders.group_by("window", "customer_id").aggregate(orders=orders.count())
    return people.mutate(customers=people.orders > 0, repeat_customers=people.orders >= 2)


def repurchases(facts: Snapshot, scope: Scope, spans: Spans) -> ir.Table:
    """One row per window and customer whose first order lies in it; `again` on another day within the days."""
    import ibis

    days: Any = purchase_days(facts, scope)
    own = ibis.window(group_by="customer_id", order_by="day")
    ordered = days.mutate(next_day=days.day.lead().over(own), nth=ibis.row_number().over(own))
    firsts: Any = spans.during(ordered.filter(ordered.nth == 0))
    within = firsts.next_day.delta(firsts.day, unit="day") <= REPURCHASE_DAYS
    return firsts.select("window", "customer_id", customers=True, again=within.fill_null(False))


def sold(facts: Snapshot, scope: Scope, spans: Spans) -> ir.Table:
    """One row per order, correction and return of each window, with its amounts."""
    orders: Any = spans.during(sales(facts, scope))
    counts = ~orders.is_adjustment.fill_null(False)
    nothing = no_money()
    rows = orders.select(
        "window",
        "customer_id",
        orders=counts & orders.total.notnull(),
        unpriced=orders.total.isnull(),
        gross=counts.ifelse(orders.total, nothing),
        corrected=counts.ifelse(nothing, orders.total),
        returned=nothing,
    )
    back: Any = spans.during(returns_before(facts, scope))
    given = back.select(
        "window", "customer_id", orders=False, unpriced=back.amount.isnull(),
        gross=nothing, corrected=nothing, returned=back.amount,
    )  # fmt: skip
    both = rows.union(given)
    amount = both.gross.fill_null(0) + both.corrected.fill_null(0) - both.returned.fill_null(0)
    return both.mutate(net=amount.cast("decimal(18, 4)"))


def _no_orders(parts: Parts) -> str:
    return "no_priced_orders" if parts["unpriced"] else "no_orders"


def _gross_beside(parts: Parts, _window: Window) -> dict[str, Number | None]:
    return {"gross_per_order": to_money(parts["gross"] / parts["orders"]) if parts["orders"] else None}


def by_acquaintance(facts: Snapshot, scope: Scope, spans: Spans) -> ir.Table:
    """One row per order of each window; its total under new, returning or nameless customers."""
    orders: Any = spans.during(priced_orders(facts, scope))
    first: Any = first_days(facts, scope).rename(first_id="customer_id")
    rows: Any = spans.bounded(orders.left_join(first, orders.customer_id == first.first_id))
    nothing = no_money()
    is_new = rows.first_day >= rows.since
    return rows.select(
        "window",
        "customer_id",
        unpriced=rows.total.isnull(),
        revenue=rows.total,
        new_revenue=is_new.fill_null(False).ifelse(rows.total, nothing),
        returning_revenue=(~is_new).fill_null(False).ifelse(rows.total, nothing),
        guest_revenue=rows.customer_id.isnull().ifelse(rows.total, nothing),
    )


def by_revenue(facts: Snapshot, scope: Scope, spans: Spans) -> ir.Table:
    """One row per window and customer: what they brought."""
    orders: Any = priced_orders(facts, scope)
    orders = spans.during(orders.filter(orders.customer_id.notnull()))
    people = orders.group_by("window", "customer_id").aggregate(
        revenue=orders.total.sum().fill_null(0).cast("decimal(38, 4)"),
        unpriced=orders.count(where=orders.total.isnull()),
    )
    return people.mutate(customers=True)


def with_ranks(rows: Any, keys: list[str]) -> Any:
    """Their revenue again where they are among the first tenth or fifth of their window and group."""
    import ibis

    own = ibis.window(group_by=keys, order_by=[ibis.desc(rows.revenue), rows.customer_id])
    ranked = rows.mutate(place=ibis.row_number().over(own), among=rows.count().over(ibis.window(group_by=keys)))
    nothing = ibis.literal(0).cast("decimal(38, 4)")
    return ranked.mutate(
        top_10=(ranked.place * 10 < ranked.among).ifelse(ranked.revenue, nothing),
        top_20=(ranked.place * 5 < ranked.among).ifelse(ranked.revenue, nothing),
    ).drop("place", "among")


def _top_20_beside(parts: Parts, _window: Window) -> dict[str, Number | None]:
    revenue = parts["revenue"]
    return {"top_20_share": float(parts["top_20"] / revenue) if revenue else None}


def units(facts: Snapshot, scope: Scope, spans: Spans) -> ir.Table:
    """One row per line sold in each window and per return of an order placed in it, whenever it came back."""
    orders: Any = spans.during(valid_orders(facts, scope)).select("document_id", "order_id", "customer_id", "window")
    lines: Any = facts.table("order_lines")
    none = no_money()
    went = orders.join(lines.select("document_id", "order_id", "quantity"), ["document_id", "order_id"])
    went = went.select("window", "customer_id", sold="quantity", returned=none)
    came = _came_back(facts, scope, orders)
    return went.union(came.select("window", "customer_id", sold=none, returned="quantity"))


def returned_value(facts: Snapshot, scope: Scope, spans: Spans) -> ir.Table:
    """One row per order of each window and per return of such an order, whenever it came back."""
    orders: Any = spans.during(priced_orders(facts, scope))
    nothing = no_money()
    went = orders.select(
        "window", "customer_id", orders=True, sold="total", returned=nothing, unpriced=orders.total.isnull()
    )
    came = _came_back(facts, scope, orders)
    given = came.select(
        "window", "customer_id", orders=False, sold=nothing, returned="amount", unpriced=came.amount.isnull()
    )
    return went.union(given)


def _came_back(facts: Snapshot, scope: Scope, orders: Any) -> Any:
    """The returns of the orders; a document of several orders has each by its number."""
    back: Any = returns_before(facts, scope).select("order_document", "quantity", "amount", named="order_id")
    return orders.join(back, [orders.document_id == back.order_document, orders.order_id == back.named])


REPEAT_PURCHASE = Measure(
    name="repeat_purchase",
    title=N_("Repeat purchase rate"),
    formula=N_("Customers with two orders or more in the window ÷ customers with one or more in the window"),
    unit="share",
    population=PEOPLE,
    better="higher",
    source="Field's standard; windows of different length are never compared",
    rows=buyers,
    parts=(
        Part("customers", N_("Customers who bought")),
        Part("repeat_customers", N_("Of those, with two orders or more")),
    ),
    formula_of=share("repeat_customers", "customers", "no_customers"),
)
REPURCHASE = Measure(
    name="repurchase",
    title=N_("Second purchase within 90 days"),
    formula=N_(
        "New customers of the window who ordered on another day within 90 days of their first order ÷ all new customers of "
        "the window"
    ),
    unit="share",
    population=NEW_PEOPLE,
    better="higher",
    source="N-day repurchase of a cohort; shown once all of it have had the days; orders of one day are one purchase",
    rows=repurchases,
    parts=(Part("customers", N_("New customers")), Part("again", N_("Of those, with a second purchase in time"))),
    formula_of=share("again", "customers", "no_new_customers"),
    window_days=90,
    follow_up=lambda _scope: REPURCHASE_DAYS,
)
FREQUENCY = Measure(
    name="purchase_frequency",
    title=N_("Purchase frequency"),
    formula=N_("Orders of the window ÷ customers with one or more in the window"),
    unit="orders",
    population=PEOPLE,
    better="higher",
    source="Field's standard",
    check="repeat_purchase",
    rows=buyers,
    parts=(Part("orders", N_("Orders")), Part("customers", N_("Customers who bought"))),
    formula_of=per("orders", "customers", "no_customers"),
)
ORDER_VALUE = Measure(
    name="order_value",
    title=N_("Average order value (AOV)"),
    formula=N_("Net sales of the window's orders, returns deducted ÷ orders of the window"),
    unit="money",
    population=SALES,
    better="higher",
    source="Field's standard; net of the returns that came back within the window",
    rows=sold,
    parts=(
        Part("orders", N_("Orders")),
        Part("gross", N_("Sales before returns"), "money"),
        Part("corrected", N_("Corrections of stock or books"), "money"),
        Part("returned", N_("Returned"), "money"),
        Part("net", N_("Net sales"), "money"),
        UNPRICED,
    ),
    formula_of=per("net", "orders", _no_orders),
    also=_gross_beside,
    notes=unpriced,
)
RETURNING_REVENUE = Measure(
    name="returning_revenue",
    title=N_("Revenue from returning customers"),
    formula=N_("Sales to customers whose first order lies before the window ÷ all sales of the window, before returns"),
    unit="share",
    population=SALES,
    better="neither",
    source="Field's standard; new customers are those whose first order lies in the window",
    rows=by_acquaintance,
    parts=(
        Part("revenue", N_("Sales before returns"), "money"),
        Part("new_revenue", N_("To new customers"), "money"),
        Part("returning_revenue", N_("To returning customers"), "money"),
        Part("guest_revenue", N_("To nameless guests"), "money"),
        UNPRICED,
    ),
    formula_of=portion("returning_revenue", "revenue", "no_revenue"),
    window_days=90,
    notes=unpriced,
)
CONCENTRATION = Measure(
    name="concentration",
    title=N_("Share of the best tenth of customers"),
    formula=N_("Sales to the tenth of the window's customers who paid most ÷ sales to all of them, before returns"),
    unit="share",
    population=PEOPLE,
    better="neither",
    source="Pareto's question; the tenth is rounded up to whole customers",
    rows=by_revenue,
    ranked=with_ranks,
    parts=(
        Part("customers", N_("Customers who bought")),
        Part("revenue", N_("Sales before returns"), "money"),
        Part("top_10", N_("To the best tenth"), "money"),
        Part("top_20", N_("To the best fifth"), "money"),
        UNPRICED,
    ),
    formula_of=portion("top_10", "revenue", "no_revenue"),
    also=_top_20_beside,
    notes=unpriced,
)
RETURNED_VALUE = Measure(
    name="returned_value",
    title=N_("Value returned"),
    formula=N_("Money given back for the window's orders, whenever it was ÷ what they were sold for"),
    unit="share",
    population=SALES,
    better="lower",
    source="By the date of the sale; open until the time for returning has passed; returns that name no order are left out",
    needs=("orders", "returns"),
    rows=returned_value,
    parts=(
        Part("orders", N_("Orders")),
        Part("sold", N_("Sales before returns"), "money"),
        Part("returned", N_("Returned"), "money"),
        UNPRICED,
    ),
    formula_of=portion("returned", "sold", "no_revenue"),
    window_days=90,
    follow_up=lambda scope: scope.choices.returns_close_after_days,
    notes=unpriced,
)
PRODUCT_RETURNS = Measure(
    name="product_returns",
    title=N_("Product return rate"),
    formula=N_("Units of the window's orders that came back, whenever they did ÷ units sold in the window"),
    unit="share",
    population=SALES,
    better="lower",
    source="By the date of the sale; open until the time for returning has passed; returns that name no order are left out",
    needs=("orders", "order_lines", "returns"),
    rows=units,
    parts=(Part("sold", N_("Units sold"), "number"), Part("returned", N_("Units returned"), "number")),
    formula_of=portion("returned", "sold", "no_units"),
    window_days=90,
    follow_up=lambda scope: scope.choices.returns_close_after_days,
)
BUYING = (
    REPEAT_PURCHASE, REPURCHASE, FREQUENCY, ORDER_VALUE, RETURNING_REVENUE, CONCENTRATION, PRODUCT_RETURNS, RETURNED_VALUE,
)  # fmt: skip
