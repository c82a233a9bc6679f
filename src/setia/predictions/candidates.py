"""The candidates of the back-test: naive rules, purchase models, boosted trees. All are asked the same way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from setia.kernel.i18n import N_
from setia.predictions.boosted import boosted
from setia.predictions.forecast import Fitted, Forecast
from setia.predictions.models.bg_nbd import BGNBD
from setia.predictions.models.gamma_gamma import GammaGamma
from setia.predictions.models.mbg_cnbd import MBGCNBD
from setia.predictions.models.mbg_nbd import MBGNBD
from setia.predictions.models.pareto_nbd import ParetoNBD
from setia.predictions.models.purchases import FloatArray, NoConvergence, TooFewCustomers
from setia.predictions.past import Past

SILENT_AFTER = 1.6
"""Own mean gaps of silence after which the recency cut expects nothing any more."""


@dataclass(frozen=True, eq=False)
class _Steady:
    """A naive rule: so many purchase days and so much revenue a day, for ever."""

    days_a_day: FloatArray
    revenue_a_day: FloatArray
    details: dict[str, Any] = field(default_factory=dict)
    active: FloatArray | None = None

    def ahead(self, horizon: float) -> Forecast:
        days = horizon * self.days_a_day
        return Forecast(days, horizon * self.revenue_a_day, -np.expm1(-days))


def _repeated(past: Past) -> Fitted:
    return _Steady(past.recent_days / past.horizon, past.recent_revenue / past.horizon)


def _lifetime_rate(past: Past) -> Fitted:
    """Purchase days after the first one, over the time since it."""
    rate = past.frequency / np.maximum(past.age, 1)
    return _Steady(rate, rate * past.mean_value)


def _recency_cut(past: Past) -> Fitted:
    rate = past.frequency / np.maximum(past.age, 1)
    gap = np.where(past.frequency > 0, past.recency / np.maximum(past.frequency, 1), past.age)
    rate = np.where(past.age - past.recency <= SILENT_AFTER * gap, rate, 0.0)
    return _Steady(rate, rate * past.mean_value)


@dataclass(frozen=True, eq=False)
class _Purchases:
    """A purchase model fitted to a past, with values of purchases by Gamma-Gamma."""

    model: BGNBD | ParetoNBD
    past: Past
    value: FloatArray
    details: dict[str, Any]

    def ahead(self, horizon: float) -> Forecast:
        known, group = self.past.distinct
        days = self.model.expected_purchases(horizon, *known)[group]
        chance = 1 - self.model.probability_of_no_purchase(horizon, *known)[group]
        return Forecast(days, days * self.value, chance)

    @property
    def active(self) -> FloatArray:
        """The chance of each customer to be one still."""
        known, group = self.past.distinct
        return self.model.probability_alive(*known)[group]


def _purchase_model(make: Callable[[Past], BGNBD | ParetoNBD]) -> Candidate:
    def fit(past: Past) -> Fitted:
        model = make(past)
        value, of_values = order_values(past)
        details = {
            "parameters": model.get_params(),
            "standard_errors": asdict(model.standard_errors_) if model.standard_errors_ is not None else None,
            "log_likelihood": float(model.log_likelihood_),
            "dropout_identified": bool(model.dropout_identified_),
            "value_parameters": of_values,
        }
        return _Purchases(model, past, value, details)

    return fit


def order_values(past: Past) -> tuple[FloatArray, dict[str, float] | None]:
    """Expected revenue of a purchase day of each customer, and the parameters; the shop's mean where nothing can be
    fitted."""
    try:
        values = GammaGamma().fit(past.frequency, past.repeat_value)
        expected = values.expected_average_value(past.frequency, past.repeat_value)
    except (TooFewCustomers, NoConvergence):
        expected = np.full(len(past), np.nan)
    if np.all(np.isfinite(expected)):
        return expected, values.get_params()
    mean = max(float(past.mean_value.mean()), 0.0)
    return np.where(np.isfinite(expected), expected, mean), None


@dataclass(frozen=True, eq=False)
class _Mean:
    """The mean of several candidates: each is wrong in its own way."""

    parts: tuple[Fitted, ...]
    details: dict[str, Any]
    active: FloatArray | None = None

    def ahead(self, horizon: float) -> Forecast:
        told = [part.ahead(horizon) for part in self.parts]
        days, revenue, chance = (sum(column) / len(told) for column in zip(*map(_columns, told), strict=True))
        return Forecast(days, revenue, chance)


def _columns(forecast: Forecast) -> tuple[FloatArray, FloatArray, FloatArray]:
    return forecast.days, forecast.revenue, forecast.chance


def _blend(past: Past) -> Fitted:
    """A purchase model that knows rhythms, and trees that know traits."""
    trees, model = boosted(past), _regular(past)
    return _Mean((trees, model), {**trees.details, **model.details})


_regular = _purchase_model(lambda p: MBGCNBD().fit_regular(p.history, float(p.log_gaps.sum())))
BLEND = "blend"
Candidate = Callable[[Past], Fitted]
CANDIDATES: dict[str, tuple[str, Candidate]] = {
    "repeated": (N_("The last days repeated"), _repeated),
    "lifetime_rate": (N_("Everybody goes on as since their first order"), _lifetime_rate),
    "recency_cut": (N_("The same, but nothing of those silent for too long"), _recency_cut),
    "mbg_nbd": (N_("MBG/NBD with Gamma-Gamma values"), _purchase_model(lambda p: MBGNBD().fit_history(p.history))),
    "bg_nbd": (N_("BG/NBD with Gamma-Gamma values"), _purchase_model(lambda p: BGNBD().fit_history(p.history))),
    "mbg_cnbd": (N_("MBG/CNBD-k with Gamma-Gamma values"), _regular),
    "pareto_nbd": (
        N_("Pareto/NBD with Gamma-Gamma values"),
        _purchase_model(lambda p: ParetoNBD().fit_history(p.history)),
    ),
    "boosted": (N_("Boosted trees over the traits"), boosted),
    BLEND: (N_("Mean of MBG/CNBD-k and boosted trees"), _blend),
}
"""Naive rules first: of equals the simpler one is chosen."""
NAIVE = ("repeated", "lifetime_rate", "recency_cut")
LEARNED = ("boosted", BLEND)
