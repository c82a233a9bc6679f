"""Keeping customers: retention, churn, reactivation, from one period to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from setia.history.sales import customers_orders, first_days
from setia.history.scope import Scope
from setia.history.windows import Spans, Window
from setia.kernel.i18n import N_
from setia.metrics.answer import Number
from setia.metrics.measure import Measure
from setia.metrics.metric import Part, Parts, share
from setia.metrics.populations import PEOPLE

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from setia.warehouse.snapshot import Snapshot

PERIOD_DAYS = 90


def movement(facts: Snapshot, scope: Scope, spans: Spans) -> ir.Table:
    """One row per window and customer who bought in it or in the one before: how they got from start to end."""
    bought = _bought(facts, scope, spans)
    first: Any = first_days(facts, scope).rename(first_id="customer_id")
    rows: Any = spans.bounded(bought.join(first, bought.customer_id == first.first_id))
    is_new = rows.end & (rows.first_day >= rows.since)
    return rows.select(
        "window",
        "customer_id",
        "start",
        "end",
        retained=rows.start & rows.end,
        lost=rows.start & ~rows.end,
        new=is_new,
        returned=rows.end & ~rows.start & ~is_new,
    )


def silence(facts: Snapshot, scope: Scope, spans: Spans) -> ir.Table:
    """One row per window and customer who had bought, but not in the window before; `returned` who did in this one."""
    bought = _bought(facts, scope, spans)
    first: Any = first_days(facts, scope).rename(first_id="customer_id")
    bounds = spans.bounds
    known = first.join(bounds, first.first_day < bounds.since).select("window", known_id="first_id")
    rows = known.left_join(bought, [known.window == bought.window, known.known_id == bought.customer_id])
    rows = rows.select("window", "end", customer_id="known_id", start=rows.start.fill_null(False))
    return rows.filter(~rows.start).select("window", "customer_id", dormant=True, returned=rows.end.fill_null(False))


def _bought(facts: Snapshot, scope: Scope, spans: Spans) -> Any:
    """Whether each customer bought in the window (`end`) and in the one before (`start`); one of the two holds."""
    orders: Any = spans.with_before(customers_orders(facts, scope).select("customer_id", "day"))
    return orders.group_by("window", "customer_id").aggregate(end=orders.now.any(), start=(~orders.now).any())


MOVEMENT = (
    Part("start", N_("Customers at the start")),
    Part("retained", N_("Of those, still buying")),
    Part("lost", N_("Of those, lost")),
    Part("new", N_("New customers")),
    Part("returned", N_("Back after a pause")),
    Part("end", N_("Customers at the end")),
)


def yearly_churn(churn: float | None, window: Window) -> float | None:
    """The churn of a year in which every window loses the same share: 1 − (1 − c)^(365 ÷ days).

    3 % a month are 30.6 % a year, not 36 %.
    """
    if churn is None:
        return None
    times = {"month": 12, "quarter": 4, "year": 1}.get(window.every or "", 365 / window.days)
    return float(1 - (1 - churn) ** times)


def _churn_beside(parts: Parts, window: Window) -> dict[str, Number | None]:
    start = parts["start"]
    churn = parts["lost"] / start if start else None
    return {
        "churn": churn,
        "churn_per_year": yearly_churn(churn, window),
        "by_formula": (parts["end"] - parts["new"]) / start if start else None,
    }


RETENTION = Measure(
    name="retention",
    title=N_("Customer retention rate"),
    formula=N_(
        "Customers who bought in the period before and again in this one ÷ those who bought in the period before"
    ),
    unit="share",
    population=PEOPLE,
    better="higher",
    source="Set-based form of (E−N)/S: Farris, Bendle, Pfeifer, Reibstein, Marketing Metrics",
    rows=movement,
    parts=MOVEMENT,
    formula_of=share("retained", "start", "no_customers"),
    window_days=PERIOD_DAYS,
    looks_back=True,
    also=_churn_beside,
)
CHURN = Measure(
    name="churn",
    title=N_("Churn rate"),
    formula=N_("Customers who bought in the period before and not in this one ÷ those who bought in the period before"),
    unit="share",
    population=PEOPLE,
    better="lower",
    source="Complement of the set-based retention rate",
    check="retention",
    rows=movement,
    parts=MOVEMENT,
    formula_of=share("lost", "start", "no_customers"),
    window_days=PERIOD_DAYS,
    looks_back=True,
    also=_churn_beside,
)
REACTIVATION = Measure(
    name="reactivation",
    title=N_("Reactivation rate"),
    formula=N_(
        "Customers who had bought, not in the period before, and again in this one ÷ all who had bought, but not in the "
        "period before"
    ),
    unit="share",
    population=PEOPLE,
    better="higher",
    source="The movement table read the other way: back after a pause ÷ dormant at the start",
    rows=silence,
    parts=(Part("dormant", N_("Dormant at the start")), Part("returned", N_("Back after a pause"))),
    formula_of=share("returned", "dormant", "no_dormant_customers"),
    window_days=PERIOD_DAYS,
    looks_back=True,
)
KEEPING = (RETENTION, CHURN, REACTIVATION)
