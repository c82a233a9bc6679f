"""The learned candidate: chance of an order and what it then brings, from the traits as they stood a window ago."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from setia.predictions.features import Columns
from setia.predictions.forecast import Forecast
from setia.predictions.learned import AmountModel, ChanceModel, TooLittleToLearn
from setia.predictions.models.mbg_nbd import MBGNBD
from setia.predictions.models.purchases import FloatArray, NoConvergence, TooFewCustomers
from setia.predictions.past import Past


@dataclass(frozen=True, eq=False)
class Boosted:
    """Learned from the window that ended on this day; what a customer then did is known by now."""

    now: Past
    columns: Columns
    """What it looks at; the features themselves are wide, and made again by whoever asks for them."""
    typical: FloatArray
    """Of each column the median of those who bought in the window that was learned from; nan where it is unknown."""
    chances: ChanceModel
    """Of an order within one window."""
    first_orders: FloatArray
    """Days to the first order of those who ordered in the window that was learned from, ascending."""
    chance: FloatArray
    """Of each customer to order within one window."""
    days: FloatArray
    """Expected of each customer within one window, given that they buy."""
    revenue: FloatArray
    details: dict[str, Any]
    active: FloatArray | None = None

    def ahead(self, horizon: float) -> Forecast:
        """Within a window as learned, sooner by how soon those who bought did; beyond, as the purchase model grows."""
        window = float(self.now.horizon)
        whole = self.chance
        forecast = Forecast(whole * self.days, whole * self.revenue, whole)
        if horizon > window:
            return forecast.times(self._growth(window, horizon))
        if horizon == window:
            return forecast
        soon = float(np.searchsorted(self.first_orders, horizon, side="right")) / len(self.first_orders)
        share = horizon / window
        return Forecast(np.maximum(share * forecast.days, soon * whole), share * forecast.revenue, soon * whole)

    def _growth(self, window: float, horizon: float) -> FloatArray:
        if self._purchases is None:
            return np.full(len(self.now), horizon / window)
        known, group = self.now.distinct
        near = self._purchases.expected_purchases(window, *known)
        far = self._purchases.expected_purchases(horizon, *known)
        return np.where(near > 1e-12, np.maximum(far / np.maximum(near, 1e-12), 1.0), 1.0)[group]

    @cached_property
    def _purchases(self) -> MBGNBD | None:
        try:
            return MBGNBD().fit_history(self.now.history)
        except (TooFewCustomers, NoConvergence):
            return None


def boosted(past: Past) -> Boosted:
    """Fit to a past, once. Raises TooLittleToLearn where there is no window before it that is complete."""
    if "boosted" not in past.memory:
        past.memory["boosted"] = _fitted(past)
    found: Boosted = past.memory["boosted"]
    return found


def _fitted(past: Past) -> Boosted:
    before = past.earlier()
    if before is None:
        raise TooLittleToLearn(least=1, yes=0, no=0)
    columns = Columns.of(before)
    known_before, known = columns.matrix(before), columns.matrix(past)
    bought = before.next_days > 0
    spent = bought & (before.next_revenue > 0)
    chances = ChanceModel().fit(known_before, bought.astype(np.int64))
    days = np.maximum(AmountModel().fit(known_before[bought], before.next_days[bought]).predict(known), 1)
    kept = float(spent.sum() / bought.sum())  # who bought and sent everything back has spent nothing
    revenue = kept * AmountModel().fit(known_before[spent], before.next_revenue[spent]).predict(known)
    return Boosted(
        now=past,
        columns=columns,
        typical=_medians(known_before[bought]),
        chances=chances,
        first_orders=np.sort((before.next_gap - (before.age - before.recency))[bought]),
        chance=chances.predict(known),
        days=days,
        revenue=revenue,
        details={"parameters": {}, "learned_from": before.day.isoformat(), "columns": list(columns.names)},
    )


def _medians(features: FloatArray) -> FloatArray:
    known = np.isfinite(features).any(axis=0)
    return np.where(known, np.nanmedian(np.where(known, features, 0.0), axis=0), np.nan)
