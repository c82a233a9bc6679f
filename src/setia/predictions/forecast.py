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

    def times(self, days: float | FloatArray, revenue: float | FloatArray | None = None) -> Forecast:
        """The same with its purchase days multiplied, and its revenue, by as much unless told otherwise; chances follow
        as those of so many times as many independent tries."""
        chance = -np.expm1(days * np.log1p(-np.minimum(self.chance, 1 - 1e-12)))
        return Forecast(days * self.days, (days if revenue is None else revenue) * self.revenue, chance)


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
