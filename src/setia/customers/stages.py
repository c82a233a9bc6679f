"""The stages of the life cycle: rules over a customer's own rhythm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from setia.customers.trait import Trait
from setia.kernel.i18n import N_

if TYPE_CHECKING:
    import ibis.expr.types as ir

SILENT_AFTER = 1.6
"""Usual gaps without an order after which a customer counts as dormant. If gaps are exponential, four customers in
five who are going to buy again have done so by then (1 - exp(-1.6) = 0.8); at one usual gap a third have not."""
LOST_AFTER = 3 * SILENT_AFTER
LOYAL_FROM = 4
"""Purchase days that make a customer loyal while not silent."""

STAGES: dict[str, str] = {
    "acquisition": N_("No order yet"),
    "activation": N_("New: one purchase, the next one is not overdue"),
    "retention": N_("Regular: bought again, not overdue"),
    "loyalty": N_("Loyal: four purchases or more, not overdue"),
    "dormant": N_("Dormant: silent for longer than the own rhythm explains"),
    "lost": N_("Lost: silent for three times as long as that"),
}

STAGE = Trait(
    "stage", "text", N_("Stage of the life cycle"),
    needs=("orders", "purchase_days", "days_since_last_order", "usual_gap_days"),
)  # fmt: skip


def stage(traits: ir.Table) -> Any:
    """The stage of each row, as an Ibis expression."""
    import ibis

    row: Any = traits
    silence = row.days_since_last_order / row.usual_gap_days
    return ibis.cases(
        (row.orders == 0, "acquisition"),
        (silence > LOST_AFTER, "lost"),
        (silence > SILENT_AFTER, "dormant"),
        (row.purchase_days >= LOYAL_FROM, "loyalty"),
        (row.purchase_days >= 2, "retention"),
        else_="activation",
    )
