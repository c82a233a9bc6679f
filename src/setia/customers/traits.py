"""One row per customer: what is known of them on a day, each trait declared once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from setia.customers import scores, stages
from setia.history.consent import email_consent
from setia.history.returns import returns_before
from setia.history.sales import days_old, priced_orders
from setia.history.scope import Scope
from setia.kernel.i18n import N_

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from setia.warehouse.snapshot import Snapshot

PSEUDO_GAPS = 2
"""How many of the shop's usual gaps a customer's own rhythm starts from: one long gap alone says little."""


@dataclass(frozen=True, slots=True)
class Trait:
    """The declaration of one trait."""

    name: str
    kind: Literal["text", "integer", "number", "money", "day", "flag", "share"]
    meaning: str


TRAITS: dict[str, Trait] = {
    trait.name: trait
    for trait in (
        Trait("customer_id", "text", N_("The customer's key")),
        Trait("orders", "integer", N_("Orders so far")),
        Trait("purchase_days", "integer", N_("Different days with an order")),
        Trait("first_day", "day", N_("Day of the first order")),
        Trait("last_day", "day", N_("Day of the latest order")),
        Trait("days_since_last_order", "integer", N_("Days since the latest order")),
        Trait("days_since_first_order", "integer", N_("Days since the first order")),
        Trait("recency", "integer", N_("Days from the first to the latest order")),
        Trait("gross_revenue", "money", N_("All orders so far, before returns")),
        Trait("returned_revenue", "money", N_("Money given back for returns")),
        Trait("net_revenue", "money", N_("All orders so far, returns deducted")),
        Trait("average_order_value", "money", N_("Gross revenue per order")),
        Trait("repeat_value", "money", N_("Gross revenue per purchase day after the first")),
        Trait("usual_gap_days", "number", N_("The customer's own usual number of days between purchases")),
        Trait("country", "text", N_("Country")),
        Trait("language", "text", N_("Language of messages")),
        Trait("has_email", "flag", N_("An e-mail address is known")),
        Trait("email_consent", "flag", N_("Agreed to marketing by e-mail and did not opt out")),
        Trait("rfm_recency", "integer", N_("How recent, from 1 (longest ago) to 5")),
        Trait("rfm_frequency", "integer", N_("How often, from 1 (least) to 5")),
        Trait("rfm_value", "integer", N_("How much, from 1 (least) to 5")),
        Trait("stage", "text", N_("Stage of the life cycle")),
        Trait("chance_active", "share", N_("Probability of still being a customer")),
        Trait("chance_of_order_90d", "share", N_("Probability of an order in the next 90 days")),
        Trait("expected_orders_90d", "number", N_("Expected orders in the next 90 days")),
        Trait("expected_orders_365d", "number", N_("Expected orders in the next 365 days")),
        Trait("expected_order_value", "money", N_("Expected value of the next orders, each")),
        Trait("expected_value_365d", "money", N_("Expected revenue of the next 365 days")),
    )
}

PREDICTED = frozenset(
    {
        "chance_active", "chance_of_order_90d", "expected_orders_90d", "expected_orders_365d", "expected_order_value",
        "expected_value_365d",
    }
)  # fmt: skip
"""Traits that a refresh adds to what the facts alone say."""


def observed(facts: Snapshot, scope: Scope, shop_gap_days: float) -> ir.Table:
    """Traits that follow from the facts alone: one row per customer, those without an order included.

    `shop_gap_days` is the shop's usual number of days between purchases, towards which short histories are drawn.
    """
    import ibis

    bought = _purchases(facts, scope)
    back: Any = returns_before(facts, scope)
    back = back.filter(back.customer_id.notnull())
    returned = back.group_by("customer_id").aggregate(returned_revenue=back.amount.sum())
    known: Any = facts.table("customers")
    people = known.select("customer_id").union(bought.select("customer_id"), distinct=True)
    about = known.select(
        "customer_id",
        "country",
        "language",
        has_email=known.email.notnull(),
    )
    decided: Any = email_consent(facts, scope.until)
    decided = decided.select(
        "customer_id", email_consent=decided.email_consent_at.notnull() & decided.email_optout_at.isnull()
    )
    joined: Any = people.left_join(bought, "customer_id").drop("customer_id_right")
    joined = joined.left_join(about, "customer_id").drop("customer_id_right")
    joined = joined.left_join(decided, "customer_id").drop("customer_id_right")
    joined = joined.left_join(returned, "customer_id").drop("customer_id_right")
    joined = joined.mutate(
        orders=joined.orders.fill_null(0),
        purchase_days=joined.purchase_days.fill_null(0),
        gross_revenue=joined.gross_revenue.fill_null(0),
        returned_revenue=joined.returned_revenue.fill_null(0),
        has_email=joined.has_email.fill_null(False),
        email_consent=joined.email_consent.fill_null(False),
    )
    rhythm = (PSEUDO_GAPS * shop_gap_days + joined.recency) / (PSEUDO_GAPS + joined.purchase_days - 1)
    return joined.mutate(
        net_revenue=joined.gross_revenue - joined.returned_revenue,
        average_order_value=joined.gross_revenue / joined.orders.nullif(0),
        repeat_value=(joined.gross_revenue - joined.first_day_revenue) / (joined.purchase_days - 1).nullif(0),
        usual_gap_days=ibis.ifelse(joined.purchase_days > 0, rhythm, None),
    ).drop("first_day_revenue")


def _purchases(facts: Snapshot, scope: Scope) -> Any:
    orders: Any = priced_orders(facts, scope)
    orders = orders.filter(orders.customer_id.notnull())
    by_day = orders.group_by("customer_id", "day").aggregate(
        orders=orders.count(), revenue=orders.total.sum().fill_null(0)
    )
    found = by_day.group_by("customer_id").aggregate(
        orders=by_day.orders.sum().cast("int32"),  # DuckDB adds up to a HUGEINT, which Parquet keeps as a float
        purchase_days=by_day.count(),
        first_day=by_day.day.min(),
        last_day=by_day.day.max(),
        gross_revenue=by_day.revenue.sum(),
        first_day_revenue=by_day.revenue.argmin(by_day.day),
    )
    return found.mutate(
        days_since_last_order=days_old(scope, found.last_day),
        days_since_first_order=days_old(scope, found.first_day),
        recency=found.last_day.delta(found.first_day, unit="day"),
    )


def judged(traits: ir.Table) -> ir.Table:
    """The same rows with RFM scores and the stage of the life cycle, in the order of `TRAITS` where present."""
    scored = scores.with_rfm(traits)
    staged: Any = scored.mutate(stage=stages.stage(scored))
    return staged.select(*[name for name in TRAITS if name in staged.columns])
