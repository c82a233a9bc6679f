"""What purchase models have in common: how they are fitted, to customers who may leave without a word."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from setia.predictions.models.purchases import SCALE, SHAPE, FloatArray, Prior, PurchaseHistory, maximise

NOBODY_LEAVES = 1e-3  # a mean probability of leaving below one in a thousand purchases counts as none
DROPOUT_GAIN = 2.996  # half the 95% point of chi-square with two degrees of freedom, for the two drop-out parameters
P = TypeVar("P", bound=Any)


class PurchaseModel(ABC, Generic[P]):
    """A model of customers' purchases with parameters of the dataclass `P`, all positive.

    `time` says which of them are times: they move with the unit. After `fit`: `params_`; `standard_errors_` (same
    shape, None when the likelihood is too flat to give them); `log_likelihood_`; `customers_`; `dropout_identified_`.
    """

    time: ClassVar[tuple[bool, ...]]
    start: ClassVar[tuple[float, ...]]
    """Where the climb to the best fit begins, in units of the mean age."""
    k: int = 1

    params_: P
    standard_errors_: P | None
    log_likelihood_: float
    customers_: int
    dropout_identified_: bool

    def __init__(self, *, prior: P | None = None, prior_spread: float = 0.5) -> None:
        self.prior = prior
        self.prior_spread = prior_spread

    def get_params(self) -> dict[str, float]:
        """The fitted parameters by name."""
        return asdict(self.params_)

    def fit(self, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike, weights: ArrayLike | None = None) -> Self:
        """Find the parameters of highest likelihood; one element per customer, or per `weights` customers.

        Raises `TooFewCustomers`, `BadHistory` and `NoConvergence`.
        """
        return self.fit_history(PurchaseHistory.from_customers(frequency, recency, T, weights))

    def fit_history(self, history: PurchaseHistory) -> Self:
        """Like `fit`, for histories that are grouped already."""
        if self.prior is None:
            history.require_enough()
        unit, customers = history.mean_age, history.customers
        scaled = history.in_units_of(unit)  # times near 1 whatever the unit: the path does not depend on it
        in_your_unit = np.where(self.time, unit, 1.0)

        def objective(parameters: FloatArray) -> tuple[float, FloatArray]:
            value, gradient = self._likelihood(scaled, parameters)
            return value / customers, gradient / customers

        prior = None
        if self.prior is not None:
            prior = Prior(np.array([*asdict(self.prior).values()]) / in_your_unit, self.prior_spread)
        edges = [SCALE if is_time else SHAPE for is_time in self.time]
        best = maximise(objective, self._started(), edges, customers, prior)
        errors = best.standard_errors
        self.params_ = self._made(best.parameters * in_your_unit)
        self.standard_errors_ = None if errors is None else self._made(errors * in_your_unit)
        steps = self.k * history.purchases  # each is a density over time
        self.log_likelihood_ = float(best.mean_log_likelihood * customers - steps * np.log(unit))
        self.customers_ = round(customers)
        self.dropout_identified_ = shows_dropout(scaled, self._leaves(), best.mean_log_likelihood * customers, self.k)
        return self

    def log_likelihood(
        self, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike, weights: ArrayLike | None = None
    ) -> float:
        """The log-likelihood of these customers under the model's parameters, summed."""
        history = PurchaseHistory.from_customers(frequency, recency, T, weights)
        return self._likelihood(history, np.array([*asdict(self.params_).values()]))[0]

    def _known(self, params: P) -> Self:
        """This model with known parameters, fitted to nobody."""
        self.params_ = params
        self.standard_errors_ = None
        self.log_likelihood_ = float("nan")
        self.customers_ = 0
        self.dropout_identified_ = self._leaves() >= NOBODY_LEAVES
        return self

    def _started(self) -> FloatArray:
        return np.array(self.start)

    @abstractmethod
    def _made(self, values: FloatArray) -> P:
        """The parameters from their values."""

    @abstractmethod
    def _likelihood(self, history: PurchaseHistory, parameters: FloatArray) -> tuple[float, FloatArray]:
        """The log-likelihood of histories and its gradient."""

    @abstractmethod
    def _leaves(self) -> float:
        """The mean probability of leaving before the next purchase."""


def columns(*given: ArrayLike) -> list[FloatArray]:
    """Arrays of what was given."""
    return [np.asarray(column, dtype=np.float64) for column in given]


def shows_dropout(scaled: PurchaseHistory, leaves: float, log_likelihood: float, k: int = 1) -> bool:
    """Whether purchases show that customers leave: with a mean probability of leaving that counts, and a likelihood
    that the model in which nobody ever leaves does not reach. Times in units of their mean."""
    if leaves < NOBODY_LEAVES:
        return False
    customers = scaled.customers

    def nobody_leaves(parameters: FloatArray) -> tuple[float, FloatArray]:
        value, gradient = nobody_leaves_term(scaled, parameters[0], parameters[1], k)
        return value / customers, gradient / customers

    without = maximise(nobody_leaves, np.array([0.6, 0.25 / k]), [SHAPE, SCALE], customers)
    return log_likelihood - without.mean_log_likelihood * customers > DROPOUT_GAIN


def steps_term(
    events: FloatArray, silence: FloatArray, inverse_age: FloatArray, k: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """S, the sum over the steps an active customer may have taken since the last purchase, and its slopes by the
    number of events and by alpha."""
    q = silence * inverse_age
    term, slope = np.ones_like(q), np.zeros_like(q)  # of one number of steps, and of its logarithm by events
    total, by_events, by_alpha = term.copy(), np.zeros_like(q), np.zeros_like(q)
    for j in range(1, k):
        term = term * q * (events + (j - 1)) / j
        slope = slope + 1 / (events + (j - 1))
        total += term
        by_events += term * slope
        by_alpha -= term * j * inverse_age
    return total, by_events, by_alpha


def nobody_leaves_term(
    history: PurchaseHistory, r: float, alpha: float, k: int = 1, *, silent: bool = True
) -> tuple[float, FloatArray]:
    """Log-likelihood and gradient (r, alpha) of the model in which nobody leaves: NBD for k = 1.

    The gamma functions are products over whole steps, gamma(r + kx) / gamma(r) = r (r + 1) ... (r + kx - 1): exact for
    any r, and one running sum for all x. Without `silent` the steps since the last purchase are left to the caller.
    """
    n, total, w_age = history.customers_by_frequency, history.customers, history.customers_by_age
    steps = r + np.arange(k * (len(n) - 1))
    beyond = np.repeat(np.cumsum(n[:0:-1])[::-1], k)  # customers with more than i steps to their last purchase
    age: FloatArray = np.asarray(alpha + history.ages)
    log_age, events = np.log(age), r * w_age + k * history.purchases_by_age
    value = beyond @ np.log(steps) + total * r * np.log(alpha) - events @ log_age
    slope_r = beyond @ (1 / steps) + total * np.log(alpha) - w_age @ log_age
    slope_alpha = total * r / alpha - events @ (1 / age)
    if silent and k > 1:
        w, age_at, recency_at = history.weights, history.age_index, history.recency_index
        silence = history.ages[age_at] - history.recencies[recency_at]
        at = 1 / age[age_at]
        events_of_each = np.asarray(k * history.frequency + r, dtype=np.float64)
        s, by_events, by_alpha = steps_term(events_of_each, silence, at, k)
        value, slope_r = value + w @ np.log(s), slope_r + w @ (by_events / s)
        slope_alpha = slope_alpha + w @ (by_alpha / s)
    return float(value), np.array([slope_r, slope_alpha])
