"""What keeping and winning customers costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from setia.history.costs import costs_before
from setia.history.sales import first_days, no_money
from setia.history.scope import Scope
from setia.history.windows import Spans, Window
from setia.kernel.i18n import N_
from setia.metrics.answer import Answer, as_table
from setia.metrics.keeping import PERIOD_DAYS, movement
from setia.metrics.measure import Measure
from setia.metrics.metric import UNPRICED, Formula, Listing, Part, Parts, per, unpriced
from setia.metrics.populations import SPENDING
from setia.warehouse.snapshot import listed

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from setia.warehouse.snapshot import Snapshot


SHARED = N_(
    "Costs that name no customer or channel stand in no group: the groups' costs for each are too small by that."
)


def kept_at_cost(facts: Snapshot, scope: Scope, spans: Spans) -> ir.Table:
    """One row per cost of keeping in each window, and one per customer kept through it."""
    spent: Any = costs_before(facts, scope)
    spent = spans.during(spent.filter(spent.purpose == "keeping"))
    own = spent.select("window", "customer_id", cost="amount", unpriced=spent.amount.isnull(), retained=False)
    kept: Any = movement(facts, scope, spans)
    people = kept.filter(kept.retained).select("window", "customer_id", cost=no_money(), unpriced=False, retained=True)
    return own.union(people)


def won_at_cost(facts: Snapshot, scope: Scope, spans: Spans) -> ir.Table:
    """One row per cost of winning in each window, and one per customer whose first order lies in it, by channel."""
    import ibis

    spent: Any = costs_before(facts, scope)
    spent = spans.during(spent.filter(spent.purpose == "winning"))
    nobody = ibis.null("string")
    own = spent.select(
        "window", customer_id=nobody, channel=spent.channel.lower(), cost="amount", unpriced=spent.amount.isnull(),
        new_customers=False,
    )  # fmt: skip
    firsts: Any = spans.during(first_days(facts, scope), "first_day")
    about: Any = facts.table("customers")
    about = about.select(known_id="customer_id", channel=about.source.lower())
    rows = firsts.left_join(about, firsts.customer_id == about.known_id)
    people = rows.select("window", "customer_id", "channel", cost=no_money(), unpriced=False, new_customers=True)
    return own.union(people)


def _cost_per(part: str, empty: str) -> Formula:
    """The cost for each; where nothing was recorded it is not known, and not nought."""
    each = per("cost", part, empty)

    def reason(parts: Parts) -> str:
        return "no_costs" if not parts["cost"] else empty

    return Formula(lambda parts: each.value(parts) if parts["cost"] else None, reason)


def costs(facts: Snapshot, scope: Scope, *, window_days: int = 365) -> Answer:
    """What was spent, by category and programme.

    `table`: one row per `purpose` (winning, keeping, other), `category` and `programme`: `amount`, `share`. Amounts are
    decimals in the shop's currency; the headline is all of it.
    """
    window = Window.ending(scope.as_of, window_days)
    rows: Any = costs_before(facts, scope)
    rows = rows.filter(rows.day >= window.since)
    counted = rows.group_by("purpose", "category", "programme").aggregate(
        amount=rows.amount.sum().fill_null(0), unpriced=rows.count(where=rows.amount.isnull())
    )
    found = sorted(
        listed(facts, counted), key=lambda r: (r["purpose"], -r["amount"], r["category"], r["programme"] or "")
    )
    total = sum(row["amount"] for row in found)
    for row in found:
        row["share"] = float(row["amount"] / total) if total else None
    by_purpose = {
        purpose: sum((row["amount"] for row in found if row["purpose"] == purpose), start=total * 0)
        for purpose in ("winning", "keeping", "other")
    }
    figures = {"value": total if found else None, **by_purpose, "window_days": window_days}
    table = as_table(found, ("purpose", "category", "programme", "amount", "share"))
    lacking = {"unpriced": sum(row["unpriced"] for row in found)}
    return Answer("costs", scope, figures, table, None if found else "no_costs", tuple(unpriced(lacking)))


COSTS = Listing(
    name="costs",
    title=N_("Costs by category"),
    formula=N_("Sum of the costs of the window"),
    unit="money",
    population=SPENDING,
    better="neither",
    source=N_("The shop's own files; `[metrics] keeping_costs` and `winning_costs` say what is spent on what"),
    needs=("costs",),
    answers=costs,
)
RETENTION_COST = Measure(
    name="retention_cost",
    title=N_("Retention cost"),
    formula=N_(
        "Costs of keeping customers in the window ÷ customers of the window before who bought again in this one"
    ),
    unit="money",
    population=SPENDING,
    better="lower",
    source="Field's standard: 100,000 spent for 1,000 retained customers is 100 each",
    rows=kept_at_cost,
    parts=(Part("cost", N_("Costs of keeping"), "money"), Part("retained", N_("Customers retained")), UNPRICED),
    formula_of=_cost_per("retained", "no_retained_customers"),
    window_days=PERIOD_DAYS,
    looks_back=True,
    notes=unpriced,
    notes_by=SHARED,
)
ACQUISITION_COST = Measure(
    name="acquisition_cost",
    title=N_("Customer acquisition cost (CAC)"),
    formula=N_("Costs of winning customers in the window ÷ customers whose first order lies in it"),
    unit="money",
    population=SPENDING,
    better="lower",
    source="Field's standard, all new customers counted, whoever brought them",
    needs=("orders", "costs"),
    rows=won_at_cost,
    parts=(Part("cost", N_("Costs of winning"), "money"), Part("new_customers", N_("New customers")), UNPRICED),
    formula_of=_cost_per("new_customers", "no_new_customers"),
    window_days=90,
    own=("channel",),
    notes=unpriced,
    notes_by=SHARED,
)
SPENT = (COSTS, RETENTION_COST, ACQUISITION_COST)
