"""What may be shown to whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from setia.kernel.errors import SetiaError
from setia.predictions.models.purchases import FloatArray
from setia.predictions.products.interactions import Interactions
from setia.predictions.products.rhythm import BuyingAgain


class BadRule(SetiaError):
    """{rule} is {given}; it takes {takes}."""

    code = "predictions.bad_product_rule"


@dataclass(frozen=True, slots=True)
class Rules:
    """What a shop wants shown.

    Facts know no stock, so what was sold lately counts as in stock; name in `exclude` what is not, and what is no goods
    (postage, gift wrapping). A customer is not shown what they gave back, until they have bought it again since.
    Raises BadRule.
    """

    exclude: tuple[str, ...] = ()
    available_days: int = 60
    """Days within which a product must have been sold."""
    rest_days: int = 7
    """Days after buying a product in which it is not shown again, unless it is due."""
    again: bool = True
    """Whether what a customer has bought before is shown at all."""
    minimum_margin: float | None = None
    """The least margin as a share of the price; the shop's usual one counts where a cost is not known."""
    margin_weight: float = 0.0
    """0 ranks by chance alone, 1 by the margin to expect; between them by chance times margin to this power."""

    def __post_init__(self) -> None:
        demands = {
            "available_days": (self.available_days >= 1, "1 day or more"),
            "rest_days": (self.rest_days >= 0, "0 days or more"),
            "minimum_margin": (self.minimum_margin is None or self.minimum_margin <= 1, "a share of the price up to 1"),
            "margin_weight": (0 <= self.margin_weight <= 1, "a number from 0 to 1"),
        }
        for rule, (met, takes) in demands.items():
            if not met:
                raise BadRule(rule=rule, given=getattr(self, rule), takes=takes)

    def shown(self, past: Interactions) -> Any:
        """The products that may be shown to anybody, as numbers in ascending order."""
        excluded = np.isin(np.asarray(past.products.to_pylist(), dtype=object), list(self.exclude))
        allowed = (past.last_sold < self.available_days) & ~excluded
        if self.minimum_margin is not None:
            allowed &= past.margin >= self.minimum_margin * past.price
        return np.flatnonzero(allowed)

    def resting(self, past: Interactions, rhythm: BuyingAgain) -> Any:
        """Of what customers have bought, what is not shown to them now."""
        if not self.again:
            return np.ones(len(past.bought.last), dtype=bool)
        return (past.bought.last < self.rest_days) & ~rhythm.due(past.bought)

    def worth(self, past: Interactions) -> FloatArray:
        """What the log of a chance is raised by for each product; those without a margin come last."""
        if not self.margin_weight:
            return np.zeros(len(past.margin))
        return self.margin_weight * np.log(np.maximum(np.nan_to_num(past.margin), 1e-6))
