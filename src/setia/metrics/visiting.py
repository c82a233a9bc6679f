"""Visits: what they lead to, for new and returning visitors, by device, by app and web."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from setia.history.scope import Scope
from setia.history.visits import visits
from setia.history.windows import Spans
from setia.kernel.i18n import N_
from setia.metrics.measure import Measure
from setia.metrics.metric import UNPRICED, Part, per, share, unpriced
from setia.metrics.populations import VISITORS

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from setia.warehouse.snapshot import Snapshot

BACK_WITHIN = 30
KINDS = ("kind", "device", "platform")


def visited(facts: Snapshot, scope: Scope, spans: Spans) -> ir.Table:
    """One row per visit of each window."""
    rows: Any = spans.during(facts.kept(visits(facts, scope)))
    return rows.select(
        "window",
        "customer_id",
        *KINDS,
        "with_cart",
        "with_order",
        "revenue",
        "unpriced",
        visits=True,
        abandoned=rows.with_cart & ~rows.with_order,
    )


def visitors_back(facts: Snapshot, scope: Scope, spans: Spans) -> ir.Table:
    """One row per window and visitor: the first visit in it, and whether another followed on a later day in time."""
    import ibis

    every: Any = facts.kept(visits(facts, scope))
    inside: Any = spans.during(every)
    own = ibis.window(group_by=["window", "visitor"], order_by="started_at")
    ranked = inside.mutate(place=ibis.row_number().over(own))
    firsts = ranked.filter(ranked.place == 0).drop("place")
    later = every.select(later_visitor="visitor", later_day="day").distinct()
    pairs = firsts.join(later, [firsts.visitor == later.later_visitor, firsts.day < later.later_day])
    gap = pairs.later_day.delta(pairs.day, unit="day")
    back = pairs.filter(gap <= BACK_WITHIN).select(back_window="window", back_visitor="visitor").distinct()
    rows = firsts.left_join(back, [firsts.window == back.back_window, firsts.visitor == back.back_visitor])
    return rows.select("window", "customer_id", *KINDS, visitors=True, back=rows.back_visitor.notnull())


VISITS, WITH_CART, WITH_ORDER = (
    Part("visits", N_("Visits")),
    Part("with_cart", N_("Visits with something put into the cart")),
    Part("with_order", N_("Visits with an order")),
)
CONVERSION = Measure(
    name="conversion",
    title=N_("Conversion of visits"),
    formula=N_("Visits in which an order was placed ÷ visits"),
    unit="share",
    population=VISITORS,
    better="higher",
    source="Field's standard; the order counts where its own customer placed it during the visit",
    needs=("events",),
    check="visits",
    rows=visited,
    parts=(VISITS, WITH_ORDER),
    formula_of=share("with_order", "visits", "no_visits"),
    window_days=30,
    own=KINDS,
)
ADD_TO_CART = Measure(
    name="add_to_cart",
    title=N_("Visits that fill a cart"),
    formula=N_("Visits in which something was put into the cart ÷ visits"),
    unit="share",
    population=VISITORS,
    better="higher",
    source="Field's standard; the event Product Added of the Segment specification",
    needs=("events",),
    check="visits",
    rows=visited,
    parts=(VISITS, WITH_CART),
    formula_of=share("with_cart", "visits", "no_visits"),
    window_days=30,
    own=KINDS,
)
REVENUE_PER_VISIT = Measure(
    name="revenue_per_visit",
    title=N_("Revenue per visit"),
    formula=N_("Sales placed during visits, before returns ÷ visits"),
    unit="money",
    population=VISITORS,
    better="higher",
    source="Field's standard",
    needs=("events",),
    check="visits",
    rows=visited,
    parts=(VISITS, Part("revenue", N_("Sales during visits"), "money"), UNPRICED),
    formula_of=per("revenue", "visits", "no_visits"),
    notes=unpriced,
    window_days=30,
    own=KINDS,
)
CART_ABANDONMENT = Measure(
    name="cart_abandonment",
    title=N_("Abandoned carts"),
    formula=N_("Visits with something put into the cart and no order ÷ visits with something put into the cart"),
    unit="share",
    population=VISITORS,
    better="lower",
    source="Field's standard, per visit: a cart bought in a later visit counts as abandoned in the first",
    needs=("events",),
    check="visits",
    rows=visited,
    parts=(WITH_CART, Part("abandoned", N_("Of those, without an order"))),
    formula_of=share("abandoned", "with_cart", "no_carts"),
    window_days=30,
    own=KINDS,
)
RETURN_VISITS = Measure(
    name="return_visits",
    title=N_("Visitors back within 30 days"),
    formula=N_(
        "Visitors of the window with another visit on a later day within 30 days of their first in it ÷ all of them"
    ),
    unit="share",
    population=VISITORS,
    better="higher",
    source="N-day return of visitors, by the app or web they came by first",
    needs=("events",),
    rows=visitors_back,
    parts=(Part("visitors", N_("Visitors")), Part("back", N_("Of those, back in time"))),
    formula_of=share("back", "visitors", "no_visits"),
    window_days=30,
    follow_up=lambda _scope: BACK_WITHIN,
    own=KINDS,
)
VISITING = (CONVERSION, ADD_TO_CART, REVENUE_PER_VISIT, CART_ABANDONMENT, RETURN_VISITS)
