"""What every candidate gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from setia.predictions.models.purchases import FloatArray


@dataclass(frozen=True, eq=False)
class Forecast:
    """What is expected of each customer within a horizon."""

    days: FloatArray
    """Purchase days."""
    revenue: FloatArray
    chance: FloatArray
    """Of at least one purchase."""

    def times(self, factor: float | FloatArray) -> Forecast:
        """The same with its totals multiplied; chances follow as those of so many times as many independent tries."""
        if isinstance(factor, float) and factor == 1:
            return self
        chance = -np.expm1(factor * np.log1p(-np.minimum(self.chance, 1 - 1e-12)))
        return Forecast(factor * self.days, factor * self.revenue, chance)


class Fitted(Protocol):
    """A candidate that was fitted to a past."""

    @property
    def details(self) -> dict[str, Any]:
        """What its card tells: parameters and the like."""

    @property
    def active(self) -> FloatArray | None:
        """The chance of each customer to be one still; None where the candidate knows of none."""

    def ahead(self, horizon: float) -> Forecast:
        """What to expect within so many days."""
