"""What if: the shop's own numbers, and what a change of one of them is worth.

A customer who places `orders_per_month` orders of `order_value` for `months_kept` months brings their product, times
the margin. Who keeps a share r of the customers from one period to the next keeps each for 1 ÷ (1 − r) periods on the
mean. The report's page computes the same in the browser; a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from setia.metrics.buying import FREQUENCY, ORDER_VALUE
from setia.metrics.keeping import PERIOD_DAYS, RETENTION

if TYPE_CHECKING:
    from setia.history.scope import Scope
    from setia.warehouse.snapshot import Snapshot

DAYS_A_MONTH = 365 / 12


@dataclass(frozen=True, slots=True)
class Economics:
    """The numbers of a shop that decide what its customers are worth."""

    customers: int
    order_value: float
    orders_per_month: float
    months_kept: float
    margin: float = 1.0
    """Share of an order that is left: 1 counts revenue."""

    @property
    def per_customer(self) -> float:
        """What one customer brings over their life with the shop."""
        return self.order_value * self.orders_per_month * self.months_kept * self.margin

    @property
    def total(self) -> float:
        """What all of them bring."""
        return self.customers * self.per_customer

    def changed(
        self, *, retention_points: float = 0, frequency_percent: float = 0, value_percent: float = 0,
        margin_points: float = 0,
    ) -> Economics:  # fmt: skip
        """With other numbers: retention and margin moved by percentage points, frequency and order value by per cent.

        Retention is per 90 days and stays below 100 %, margin between 0 and 100 %.
        """
        kept = min(max(retention_over(self.months_kept) + retention_points / 100, 0.0), 0.99)
        return replace(
            self,
            months_kept=months_kept(kept) if retention_points else self.months_kept,
            orders_per_month=self.orders_per_month * (1 + frequency_percent / 100),
            order_value=self.order_value * (1 + value_percent / 100),
            margin=min(max(self.margin + margin_points / 100, 0.0), 1.0),
        )


def months_kept(retention: float, period_days: int = PERIOD_DAYS) -> float:
    """Mean months a customer stays where this share is kept from one period to the next; below 1."""
    return period_days / DAYS_A_MONTH / (1 - retention)


def retention_over(months: float, period_days: int = PERIOD_DAYS) -> float:
    """The share kept from one period to the next where customers stay for so many months on the mean."""
    return max(0.0, 1 - period_days / DAYS_A_MONTH / months)


def economics(facts: Snapshot, scope: Scope) -> Economics | None:
    """The shop's own numbers over the last 90 days; None where there is too little history for a retention rate."""
    kept = RETENTION.ask(facts, scope)
    bought = FREQUENCY.ask(facts, scope, window_days=PERIOD_DAYS)
    value = ORDER_VALUE.ask(facts, scope, window_days=PERIOD_DAYS)
    if kept.value is None or bought.value is None or value.value is None:
        return None
    return Economics(
        customers=kept.figures["end"],
        order_value=float(value.value),
        orders_per_month=float(bought.value) / (PERIOD_DAYS / DAYS_A_MONTH),
        months_kept=months_kept(min(float(kept.value), 0.99)),
        margin=float(scope.margin),
    )
