"""What follows from other traits."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from setia.customers.trait import Trait
from setia.history.scope import Scope
from setia.kernel.i18n import N_

PSEUDO_GAPS = 2
"""How many of the shop's usual gaps a customer's own rhythm starts from: one long gap alone says little."""


def _margin(row: Any, scope: Scope) -> Any:
    import ibis

    share = ibis.literal(scope.margin.quantize(Decimal("0.0001")), "decimal(18, 4)")
    # Ibis takes the product to have four places already; engines give it eight.
    return (row.net_revenue * share).cast("decimal(38, 8)").cast("decimal(38, 4)")


def _over(part: str, whole: str) -> Any:
    # Decimals are divided in a way of its own by every engine.
    return lambda row, _scope: row[part].cast("float64") / row[whole].cast("float64").nullif(0)


def _repeat_value(row: Any, _scope: Scope) -> Any:
    return (row.gross_revenue - row.first_day_revenue).cast("float64") / (row.purchase_days - 1).nullif(0)


def _usual_gap(row: Any, _scope: Scope) -> Any:
    """The shop's usual gap counts `PSEUDO_GAPS` times beside the customer's own ones."""
    rhythm = (PSEUDO_GAPS * row.shop_gap_days + row.recency) / (PSEUDO_GAPS + row.purchase_days - 1)
    return (row.purchase_days > 0).ifelse(rhythm, None)


def _gap_before_last(row: Any, _scope: Scope) -> Any:
    """The usual gap as it stood before the latest purchase, which may have ended a long silence."""
    before = (PSEUDO_GAPS * row.shop_gap_days + row.recency - row.last_gap) / (PSEUDO_GAPS + row.purchase_days - 2)
    return (row.purchase_days > 1).ifelse(before, None)


DERIVED = (
    Trait(
        "net_revenue", "money", N_("All orders so far, returns deducted"),
        lambda row, _: row.gross_revenue - row.returned_revenue, ("gross_revenue", "returned_revenue"),
    ),
    Trait("net_margin", "money", N_("The shop's margin on that"), _margin, ("net_revenue",)),
    Trait(
        "average_order_value", "money", N_("Gross revenue per order"),
        _over("gross_revenue", "orders"), ("gross_revenue", "orders"),
    ),
    Trait(
        "repeat_value", "money", N_("Gross revenue per purchase day after the first"), _repeat_value,
        ("gross_revenue", "first_day_revenue", "purchase_days"),
    ),
    Trait(
        "returned_share", "number", N_("Share of gross revenue that was given back"),
        _over("returned_revenue", "gross_revenue"), ("returned_revenue", "gross_revenue"),
    ),
    Trait(
        "usual_gap_days", "number", N_("The customer's own usual number of days between purchases"), _usual_gap,
        ("recency", "purchase_days"),
    ),
    Trait(
        "gaps_of_silence", "number", N_("Days since the latest order ÷ the customer's own usual gap"),
        _over("days_since_last_order", "usual_gap_days"), ("days_since_last_order", "usual_gap_days"),
    ),
    Trait(
        "gap_before_last", "number", N_("Their usual gap as it stood before the latest purchase"), _gap_before_last,
        ("recency", "purchase_days", "last_gap"),
    ),
    Trait(
        "voucher_share", "share", N_("Share of orders with a voucher"),
        _over("orders_with_voucher", "orders"), ("orders_with_voucher", "orders"),
    ),
    Trait(
        "visit_trend", "number", N_("Visits of the last 30 days ÷ those of the 30 days before"),
        _over("visits_30d", "visits_30d_before"), ("visits_30d", "visits_30d_before"),
    ),
    Trait(
        "referrer", "flag", N_("Has brought a friend"), lambda row, _: row.referrals > 0, ("referrals",),
    ),
)  # fmt: skip
"""In the order in which they are made: each needs what stands before it."""
