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

    rows: Any = traits
    bought = rows.orders > 0
    own = scope.rules

    def fifth(column: Any) -> Any:
        lower = column.rank().over(ibis.window(group_by=bought, order_by=column))
        everybody = rows.count().over(ibis.window(group_by=bought))
        others = everybody - rows.count().over(ibis.window(group_by=[bought, column]))
        # Whole numbers, so that no engine's rounding shows.
        place = ((5 * lower - 5 * lower % others.nullif(0)) / others.nullif(0)).cast("int64")
        return ibis.ifelse(bought, ibis.least(place.fill_null(2), 4) + 1, None)

    def reached(column: Any, cuts: tuple[float, ...]) -> Any:
        marks = [(column.cast("float64") >= cut).cast("int64") for cut in cuts]
        return ibis.ifelse(bought, 1 + sum(marks[1:], marks[0]), None)

    days, often, much = rows.days_since_last_order, rows.purchase_days, rows.net_revenue
    scored: Any = rows.mutate(
        rfm_recency=reached(-days, tuple(-cut for cut in own.rfm_days)) if own.rfm_days else fifth(-days),
        rfm_frequency=reached(often, own.rfm_purchase_days) if own.rfm_purchase_days else fifth(often),
        rfm_value=reached(much, own.rfm_revenue) if own.rfm_revenue else fifth(much),
    )
    both = together(scored.rfm_frequency, scored.rfm_value)
    named = [
        ((scored.rfm_recency == recency) & both.isin([at + 1 for at, name in enumerate(row) if name == group]), group)
        for recency, row in MAP.items()
        for group in dict.fromkeys(row)
    ]
    return scored.mutate(rfm_group=ibis.cases(*named, else_=ibis.null("string")))
