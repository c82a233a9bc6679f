"""The learned candidate: chance of an order and what it then brings, from the traits as they stood a window ago."""

from __future__ import annotations

from dataclasses import dataclass, field
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
    before: Past
    columns: Columns
    known: FloatArray
    """The features now."""
    known_before: FloatArray
    days: FloatArray
    """Expected of each customer within one window, given that they buy."""
    revenue: FloatArray
    details: dict[str, Any]
    active: FloatArray | None = None
    _chances: dict[float, ChanceModel] = field(default_factory=dict)

    def chance_model(self, horizon: float) -> ChanceModel:
        """The model of an order within so many days, at most a window. Raises TooLittleToLearn."""
        if horizon not in self._chances:
            past = self.before
            ordered = past.next_gap - (past.age - past.recency) <= horizon  # nan, no order, compares as no
            self._chances[horizon] = ChanceModel().fit(self.known_before, ordered.astype(np.int64))
        return self._chances[horizon]

    def ahead(self, horizon: float) -> Forecast:
        """Within a window as learned; beyond, it grows as the purchase model has it grow."""
        window = float(self.now.horizon)
        whole = self.chance_model(window).predict(self.known)
        if horizon > window:
            return Forecast(whole * self.days, whole * self.revenue, whole).times(self._growth(window, horizon))
        share = horizon / window
        chance = whole if share == 1 else self.chance_model(horizon).predict(self.known)
        return Forecast(share * whole * self.days, share * whole * self.revenue, chance)

    def _growth(self, window: float, horizon: float) -> FloatArray:
        try:
            model = MBGNBD().fit_history(self.now.history)
        except (TooFewCustomers, NoConvergence):
            return np.full(len(self.now), horizon / window)
        known = self.now.frequency, self.now.recency, self.now.age
        near = np.maximum(model.expected_purchases(window, *known), 1e-300)
        return model.expected_purchases(horizon, *known) / near


def boosted(past: Past) -> Boosted:
    """Fit to a past. Raises TooLittleToLearn where there is no window before it that is complete."""
    before = past.earlier()
    if before is None:
        raise TooLittleToLearn(least=1, yes=0, no=0)
    columns = Columns.of(before)
    known_before, known = columns.matrix(before), columns.matrix(past)
    bought = before.next_days > 0
    spent = bought & (before.next_revenue > 0)
    days = AmountModel().fit(known_before[bought], before.next_days[bought]).predict(known)
    revenue = AmountModel().fit(known_before[spent], before.next_revenue[spent]).predict(known)
    details = {"parameters": {}, "learned_from": before.day.isoformat(), "columns": list(columns.names)}
    fitted = Boosted(past, before, columns, known, known_before, days, revenue, details)
    fitted.chance_model(float(past.horizon))
    return fitted
