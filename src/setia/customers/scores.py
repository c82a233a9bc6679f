"""RFM: how recent, how often, how much, each from 1 to 5 by the share of buyers who are lower or equal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from setia.customers.trait import Trait
from setia.kernel.i18n import N_

if TYPE_CHECKING:
    import ibis.expr.types as ir

_BOUGHT = ("orders", "purchase_days", "days_since_last_order", "net_revenue")
SCORES = (
    Trait("rfm_recency", "integer", N_("How recent, from 1 (longest ago) to 5"), needs=_BOUGHT),
    Trait("rfm_frequency", "integer", N_("How often, from 1 (least) to 5"), needs=_BOUGHT),
    Trait("rfm_value", "integer", N_("How much, from 1 (least) to 5"), needs=_BOUGHT),
)


def with_rfm(traits: ir.Table) -> ir.Table:
    """The rows with `rfm_recency`, `rfm_frequency` and `rfm_value`; null for those without an order.

    Equal values share a score, so that scores do not depend on the order of rows.
    """
    import ibis

    rows: Any = traits
    bought = rows.orders > 0

    def fifth(column: Any) -> Any:
        share = column.cume_dist().over(ibis.window(group_by=bought, order_by=column))
        return ibis.ifelse(bought, (share * 5).ceil().cast("int64"), None)

    return rows.mutate(
        rfm_recency=fifth(-rows.days_since_last_order),
        rfm_frequency=fifth(rows.purchase_days),
        rfm_value=fifth(rows.net_revenue),
    )
