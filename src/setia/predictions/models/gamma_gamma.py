"""The Gamma-Gamma model: what an average order of each customer is worth.

A customer's order values vary about their own mean as a gamma with shape p; the means vary between customers through
gamma(q, v). The model takes for granted that a customer's mean does not depend on how often they buy.

Source: Fader and Hardie (2013), The Gamma-Gamma Model of Monetary Value, note 025 at brucehardie.com.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from setia.predictions.models.purchases import (
    SCALE,
    SHAPE,
    BadHistory,
    FloatArray,
    levels,
    maximise,
    require_enough,
    tally,
)


@dataclass(frozen=True)
class GammaGammaParameters:
    """Order values ~ Gamma(`p`, nu), with nu ~ Gamma(`q`, `v`) across customers; `v` is in units of money."""

    p: float
    q: float
    v: float


class GammaGamma:
    """The value of customers' orders, from how many they made and the mean value of these.

    After `fit`: `params_`; `standard_errors_` (same shape, None when the likelihood is too flat to give them);
    `log_likelihood_` (sum over customers; it moves with the unit of money); `customers_`; `population_mean_`.
    """

    params_: GammaGammaParameters
    standard_errors_: GammaGammaParameters | None
    log_likelihood_: float
    customers_: int

    @classmethod
    def from_params(cls, p: float, q: float, v: float) -> Self:
        """A model with known parameters, fitted to nobody: no standard errors, a log-likelihood of nan."""
        model = cls()
        model.params_ = GammaGammaParameters(float(p), float(q), float(v))
        model.standard_errors_ = None
        model.log_likelihood_ = float("nan")
        model.customers_ = 0
        return model

    def get_params(self) -> dict[str, float]:
        """The fitted parameters by name."""
        return asdict(self.params_)

    @property
    def population_mean_(self) -> float:
        """The mean order value over all customers, p v / (q - 1); nan for q <= 1, where it is not finite."""
        p, q, v = self.get_params().values()
        return p * v / (q - 1) if q > 1 else float("nan")

    def fit(self, frequency: ArrayLike, monetary_value: ArrayLike, weights: ArrayLike | None = None) -> Self:
        """Find the parameters of highest likelihood; one element per customer, or per `weights` customers.

        `frequency` counts the orders whose mean value `monetary_value` is. Only customers with both above 0 say
        anything and are used: the others are left out, and `customers_` counts those used. Raises `TooFewCustomers`,
        `BadHistory` and `NoConvergence`.
        """
        x, z, w = _spenders(frequency, monetary_value, weights)
        customers = float(w.sum())
        require_enough(customers, customers)
        unit = float(w @ z) / customers  # v near 1 whatever the currency
        likelihood = _Likelihood(x, z / unit, w)

        def objective(parameters: FloatArray) -> tuple[float, FloatArray]:
            value, gradient = likelihood(parameters)
            return value / customers, gradient / customers

        best = maximise(objective, np.array([3.0, 3.0, 0.7]), [SHAPE, SHAPE, SCALE], customers)
        in_your_unit = np.array([1.0, 1.0, unit])
        errors = best.standard_errors
        self.params_ = GammaGammaParameters(*(best.parameters * in_your_unit).tolist())
        self.standard_errors_ = None if errors is None else GammaGammaParameters(*(errors * in_your_unit).tolist())
        self.log_likelihood_ = float(best.mean_log_likelihood * customers - customers * np.log(unit))
        self.customers_ = round(customers)
        return self

    def log_likelihood(
        self, frequency: ArrayLike, monetary_value: ArrayLike, weights: ArrayLike | None = None
    ) -> float:
        """The log-likelihood of these customers' mean order values under the model's parameters, summed."""
        return _Likelihood(*_spenders(frequency, monetary_value, weights))(np.array(list(self.get_params().values())))[
            0
        ]

    def expected_average_value(self, frequency: ArrayLike, monetary_value: ArrayLike) -> FloatArray:
        """The expected mean value of a customer's orders, past ones and population weighed by how many there are.

        With frequency 0 it is the population mean. It is nan where the expectation is not finite: where
        p * frequency + q <= 1, so with q <= 1 for whoever has no orders to count.
        """
        x, z = np.asarray(frequency, dtype=np.float64), np.asarray(monetary_value, dtype=np.float64)
        p, q, v = self.get_params().values()
        weight = p * x + q - 1
        spent = np.where(x > 0, x * z, 0.0)
        return np.where(weight > 0, p * (v + spent) / np.where(weight > 0, weight, 1.0), np.nan)


def _spenders(
    frequency: ArrayLike, monetary_value: ArrayLike, weights: ArrayLike | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Frequency, mean value and weight of the customers with orders worth something."""
    x, z = (np.atleast_1d(np.asarray(column, dtype=np.float64)) for column in (frequency, monetary_value))
    w = np.ones(len(x)) if weights is None else np.atleast_1d(np.asarray(weights, dtype=np.float64))
    if not len(x) == len(z) == len(w):
        raise BadHistory(row=min(map(len, (x, z, w))), reason="the columns are not equally long")
    used = (x > 0) & ~(z <= 0)
    bad = used & ~(np.isfinite(x) & np.isfinite(z) & np.isfinite(w) & (w >= 0))
    if bad.any():
        raise BadHistory(
            row=int(np.argmax(bad)), reason="frequency, value and weight must be finite, weight not below 0"
        )
    return x[used], z[used], w[used]


class _Likelihood:
    """The log-likelihood of (p, q, v) and its gradient; gamma functions once per distinct frequency."""

    def __init__(self, x: FloatArray, z: FloatArray, w: FloatArray) -> None:
        self.x, index = levels(x)
        self.customers = tally(index, w)
        self.spent, self.weights, self.purchases = x * z, w, w * x
        self.log_spent = _dot(self.purchases, np.log(self.spent))
        self.log_value = _dot(w, np.log(z))

    def __call__(self, parameters: FloatArray) -> tuple[float, FloatArray]:
        from scipy.special import betaln, psi

        p, q, v = parameters
        n, total, shape = self.customers, self.customers.sum(), p * self.x
        paid = self.spent + v
        by_purchase, by_customer = _dot(self.purchases, np.log(paid)), _dot(self.weights, np.log(paid))
        value = p * (self.log_spent - by_purchase) - self.log_value - n @ betaln(shape, q)
        value += q * (total * np.log(v) - by_customer)
        slope_p = self.log_spent - by_purchase + (n * self.x) @ (psi(shape + q) - psi(shape))
        slope_q = total * (np.log(v) - psi(q)) + n @ psi(shape + q) - by_customer
        slope_v = total * q / v - p * _dot(self.purchases, 1 / paid) - q * _dot(self.weights, 1 / paid)
        return float(value), np.array([slope_p, slope_q, slope_v])


def _dot(left: FloatArray, right: FloatArray) -> float:
    """Their inner product on one core: BLAS wakes threads for long vectors, which costs more than it saves."""
    return float(np.einsum("i,i", left, right))
