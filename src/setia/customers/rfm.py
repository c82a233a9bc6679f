"""RFM: how recent, how often, how much, each from 1 to 5, and the eleven usual names for what they say together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from setia.customers.trait import Trait
from setia.history.scope import Scope
from setia.kernel.i18n import N_

if TYPE_CHECKING:
    import ibis.expr.types as ir

_BOUGHT = ("orders", "purchase_days", "days_since_last_order", "net_revenue")
SCORES = (
    Trait("rfm_recency", "integer", N_("How recent, from 1 (longest ago) to 5"), needs=_BOUGHT),
    Trait("rfm_frequency", "integer", N_("How often, from 1 (least) to 5"), needs=_BOUGHT),
    Trait("rfm_value", "integer", N_("How much, from 1 (least) to 5"), needs=_BOUGHT),
)
GROUP = Trait("rfm_group", "text", N_("The usual name for these three together"), needs=_BOUGHT)

GROUPS: dict[str, str] = {
    "champions": N_("Champions"),
    "loyal": N_("Loyal customers"),
    "potential_loyalists": N_("Potential loyalists"),
    "new": N_("New customers"),
    "promising": N_("Promising"),
    "need_attention": N_("Need attention"),
    "about_to_sleep": N_("About to sleep"),
    "at_risk": N_("At risk"),
    "cannot_lose": N_("Not to be lost"),
    "hibernating": N_("Hibernating"),
    "lost": N_("Lost"),
}
"""The eleven names, best first."""
MAP: dict[int, tuple[str, str, str, str, str]] = {
    5: ("new", "potential_loyalists", "potential_loyalists", "champions", "champions"),
    4: ("promising", "potential_loyalists", "potential_loyalists", "loyal", "loyal"),
    3: ("about_to_sleep", "about_to_sleep", "need_attention", "loyal", "loyal"),
    2: ("hibernating", "hibernating", "at_risk", "at_risk", "cannot_lose"),
    1: ("lost", "hibernating", "at_risk", "at_risk", "cannot_lose"),
}
"""By recency, the name for how often and how much together, 1 to 5. As shops draw the map, with the corner of those who
bought least and longest ago as the eleventh name."""


def together(frequency: Any, value: Any) -> Any:
    """How often and how much together, from 1 to 5: the mean of the two, halves upwards."""
    return ((frequency + value + 1) / 2).floor().cast("int64")


def with_rfm(traits: ir.Table, scope: Scope) -> ir.Table:
    """The rows with the three scores and `rfm_group`; null for those without an order.

    Without cuts of the shop's own a score is the fifth that a buyer is in, by the share of those with another value who
    have a lower one: whoever has the lowest scores 1, whoever has the highest 5, equal values score alike, and where
    all are equal everybody scores 3.
    """
    import ibis

    own = scope.rules
    rows: Any = traits
    bought: Any = rows.orders > 0
    rows = rows.mutate(neg_days=bought.ifelse(-rows.days_since_last_order, None))
    for name, column, cuts in (
        ("rfm_recency", "neg_days", own.rfm_days and tuple(-cut for cut in own.rfm_days)),
        ("rfm_frequency", "purchase_days", own.rfm_purchase_days),
        ("rfm_value", "net_revenue", own.rfm_revenue),
    ):
        rows = _by_cuts(rows, name, column, cuts) if cuts else _by_fifths(rows, name, column)
    scored = rows.drop("neg_days")
    both = together(scored.rfm_frequency, scored.rfm_value)
    named = [
        ((scored.rfm_recency == recency) & both.isin([at + 1 for at, name in enumerate(row) if name == group]), group)
        for recency, row in MAP.items()
        for group in dict.fromkeys(row)
    ]
    return scored.mutate(rfm_group=ibis.cases(*named, else_=ibis.null("string")))


def _by_cuts(rows: Any, name: str, column: str, cuts: tuple[float, ...]) -> Any:
    """How many of the cuts are reached, and one."""
    marks = [(rows[column].cast("float64") >= cut).cast("int64") for cut in cuts]
    return rows.mutate(**{name: (rows.orders > 0).ifelse(1 + sum(marks[1:], marks[0]), None)})


def _by_fifths(rows: Any, name: str, column: str) -> Any:
    """By value and not by customer: there are fewer values, and no window carries all traits along."""
    import ibis

    buyers = rows.filter(rows.orders > 0)
    values = buyers.group_by(value=buyers[column]).aggregate(alike=buyers.count())
    upto = values.alike.sum().over(ibis.cumulative_window(order_by="value"))
    everybody = values.alike.sum().over(ibis.window())
    counted = values.mutate(lower=(upto - values.alike).cast("int64"), others=(everybody - values.alike).cast("int64"))
    # Whole numbers, so that no engine's rounding shows.
    five, others = 5 * counted.lower, counted.others.nullif(0)
    place = ((five - five % others) / others).cast("int64")
    scores = counted.select(scored_value="value", **{name: ibis.least(place.fill_null(2), 4) + 1})
    found = rows.left_join(scores, [rows[column] == scores.scored_value, rows.orders > 0])
    return found.drop("scored_value")
