"""The decisions of a journey: pure, no clock, no database."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from setia.programmes.journeys.models import OfferSpec


def silence_factor(quantile: float) -> float:
    """How many usual gaps of silence pass before this share of returning customers has returned.

    Gaps of a customer with a steady rate are exponential, so the quantile is -ln(1 - q) mean gaps: 1.6 at 0.8. At
    one mean gap, exp(-1) = 37 % would still have come by themselves.
    """
    return -math.log1p(-quantile)


@dataclass(frozen=True, slots=True)
class Worth:
    """What is known of a customer when an offer is chosen; None where there is no prediction."""

    order_value: float | None
    """Expected value of one order."""
    yearly_value: float | None
    """Expected revenue of a year, given that the customer comes back."""


def offer_cost(offer: OfferSpec, worth: Worth) -> Decimal:
    """What an offer costs the shop if it is taken."""
    if offer.kind == "percent":
        return offer.value / 100 * Decimal(str(worth.order_value or 0))
    return offer.value if offer.kind == "amount" else offer.cost


def affordable_offer(
    ladder: Sequence[OfferSpec], step: int, worth: Worth, *, margin: float, most_share: float
) -> int | None:
    """The rung to offer at a step (0-based): that step's own or the dearest lower one the customer is worth.

    None: no offer. Without a prediction nothing that costs is offered.
    """
    limit = Decimal(str(most_share * margin * (worth.yearly_value or 0)))
    for rung in range(step, -1, -1):
        offer = ladder[rung]
        unknown = offer.kind == "percent" and worth.order_value is None
        if offer.kind != "none" and not unknown and offer_cost(offer, worth) <= limit:
            return rung
    return None
