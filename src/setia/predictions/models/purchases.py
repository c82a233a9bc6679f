"""What the purchase models share: purchase histories grouped for speed, and one optimiser.

A customer's history is three numbers: `frequency` (x, how many times they bought again), `recency` (t_x, time from
the first to the last purchase) and `T` (time from the first purchase to the end of observation). Many customers share
them, and share the times even more often, so the costly functions are evaluated once per distinct value.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from setia.kernel.errors import SetiaError

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.intp]
Objective = Callable[[FloatArray], tuple[float, FloatArray]]

LEAST_CUSTOMERS = 30
LEAST_REPEATERS = 10
SHAPE = (-12.0, 7.0)  # bounds of the log of a shape parameter: beyond 6e-6 and 1,097 the surface is flat
SCALE = (-12.0, 12.0)  # bounds of the log of a scale parameter, in the mean of what it scales


RESTARTS = 4


class TooFewCustomers(SetiaError):
    """A purchase model needs at least {needed} customers, {needed_repeaters} of whom bought again; here are
    {customers}, of whom {repeaters} bought again. Take a longer period, or wait for more orders."""

    code = "predictions.too_few_customers"


class BadHistory(SetiaError):
    """Row {row} of the purchase histories, counted from 0, cannot be: {reason}."""

    code = "predictions.bad_history"


class NoConvergence(SetiaError):
    """The model found no best fit to these purchases: the slope is still {slope} after {steps} steps. Look for
    customers with impossible dates or amounts."""

    code = "predictions.no_convergence"


@dataclass(frozen=True, eq=False)
class PurchaseHistory:
    """Distinct (x, t_x, T) with the number of customers that share each, in ascending order of x.

    Row i has `frequency[i]` repeat purchases, recency `recencies[recency_index[i]]`, age `ages[age_index[i]]` and
    stands for `weights[i]` customers. Times are in whatever unit they came in.
    """

    frequency: IndexArray
    recency_index: IndexArray
    age_index: IndexArray
    weights: FloatArray
    recencies: FloatArray
    ages: FloatArray
    customers_by_frequency: FloatArray
    customers_by_age: FloatArray
    purchases_by_age: FloatArray

    @classmethod
    def from_customers(
        cls, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike, weights: ArrayLike | None = None
    ) -> PurchaseHistory:
        """Group customers, one per element; `weights` says how many customers an element stands for (default 1).

        Raises `BadHistory` for the first impossible element: a frequency that is not a whole number, a recency
        outside 0..T, a repeat purchase at the very time of the first, a recency without a repeat purchase.
        """
        x, t, age = (np.atleast_1d(np.asarray(column, dtype=np.float64)) for column in (frequency, recency, T))
        w = np.ones(len(x)) if weights is None else np.atleast_1d(np.asarray(weights, dtype=np.float64))
        _check(x, t, age, w)
        recencies, recency_index = levels(t)
        ages, age_index = levels(age)
        key = (x.astype(np.int64) * max(len(recencies), 1) + recency_index) * max(len(ages), 1) + age_index
        if weights is None:
            key, counts = np.unique(key, return_counts=True)
            w = counts.astype(np.float64)
        else:
            key, group = np.unique(key, return_inverse=True)
            w = tally(group, w, len(key))
        rest, age_index = np.divmod(key, max(len(ages), 1))
        whole, recency_index = np.divmod(rest, max(len(recencies), 1))
        return cls(
            frequency=whole,
            recency_index=recency_index,
            age_index=age_index,
            weights=w,
            recencies=recencies,
            ages=ages,
            customers_by_frequency=tally(whole, w),
            customers_by_age=tally(age_index, w, len(ages)),
            purchases_by_age=tally(age_index, w * whole, len(ages)),
        )

    @property
    def customers(self) -> float:
        """How many customers the rows stand for."""
        return float(self.weights.sum())

    @property
    def repeaters(self) -> float:
        """How many of them bought again."""
        return float(self.customers_by_frequency[1:].sum())

    @property
    def purchases(self) -> float:
        """How many repeat purchases they made."""
        return float(self.purchases_by_age.sum())

    @property
    def mean_age(self) -> float:
        """The mean of T, or 1 when nobody has any age: the models' own unit of time."""
        return float(self.customers_by_age @ self.ages / self.customers) or 1.0

    @property
    def repeating(self) -> slice:
        """The rows with at least one repeat purchase."""
        return slice(int(np.searchsorted(self.frequency, 1)), None)

    def in_units_of(self, unit: float) -> PurchaseHistory:
        """The same histories with every time divided by `unit`."""
        return replace(self, recencies=self.recencies / unit, ages=self.ages / unit)

    def require_enough(self) -> None:
        """Raise `TooFewCustomers` unless a model can be fitted to these customers."""
        require_enough(self.customers, self.repeaters)


def require_enough(customers: float, repeaters: float) -> None:
    """Raise `TooFewCustomers` unless there are enough customers, and enough of them who bought again."""
    if customers < LEAST_CUSTOMERS or repeaters < LEAST_REPEATERS:
        raise TooFewCustomers(
            customers=round(customers),
            repeaters=round(repeaters),
            needed=LEAST_CUSTOMERS,
            needed_repeaters=LEAST_REPEATERS,
        )


def levels(values: FloatArray) -> tuple[FloatArray, IndexArray]:
    """The distinct values in ascending order, and where each element stands among them."""
    distinct = np.unique(values)
    return distinct, np.searchsorted(distinct, values)


def tally(index: IndexArray, weights: FloatArray, least: int = 0) -> FloatArray:
    """The sum of the weights at each index."""
    return np.asarray(np.bincount(index, weights=weights, minlength=least), dtype=np.float64)


def _check(x: FloatArray, t: FloatArray, age: FloatArray, w: FloatArray) -> None:
    shortest, longest = min(map(len, (x, t, age, w))), max(map(len, (x, t, age, w)))
    if shortest != longest:
        raise BadHistory(row=shortest, reason="frequency, recency, T and weights are not equally long")
    demands = {
        "frequency must be a whole number from 0 to 999,999": (x >= 0) & (x == np.rint(x)) & (x < 1e6),
        "recency must lie between 0 and T": (t >= 0) & (t <= age) & np.isfinite(age),
        "recency must be above 0 after a repeat purchase, and 0 without one": (t > 0) == (x > 0),
        "a weight must be finite, zero or more": (w >= 0) & np.isfinite(w),
    }
    for reason, met in demands.items():
        if not met.all():
            raise BadHistory(row=int(np.argmin(met)), reason=reason)


@dataclass(frozen=True, eq=False)
class Optimum:
    """The best parameters, the mean log-likelihood there, and the covariance of the LOGARITHMS of the parameters.

    The covariance is None when the surface is flat or a parameter ran off to the edge.
    """

    parameters: FloatArray
    mean_log_likelihood: float
    covariance: FloatArray | None

    @property
    def standard_errors(self) -> FloatArray | None:
        """Standard errors of the parameters themselves, by the delta method."""
        return None if self.covariance is None else self.parameters * np.sqrt(np.diag(self.covariance))


@dataclass(frozen=True, eq=False)
class Prior:
    """What is known of the parameters beforehand: their logarithms are normal around those of `centre`."""

    centre: FloatArray
    spread: float

    def penalty(self, logs: FloatArray) -> tuple[float, FloatArray]:
        """What the logs of parameters lose against the centre in log-density, and the slope of that."""
        apart = (logs - np.log(self.centre)) / self.spread
        return float(apart @ apart) / 2, apart / self.spread


@cache
def _blas() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def maximise(
    mean_log_likelihood: Objective,
    start: FloatArray,
    edges: list[tuple[float, float]],
    customers: float,
    prior: Prior | None = None,
) -> Optimum:
    """Climb from `start` (positive parameters, their logs between the `edges`) to the highest mean log-likelihood.

    With a `prior` the climb is to the mode of the posterior; the log-likelihood that comes back is without it.
    `mean_log_likelihood` takes parameters and returns its value and its gradient. L-BFGS walks over log parameters;
    the Hessian that gives the standard errors also gives one last Newton step, so that the answer does not depend on
    where L-BFGS chose to stop. Raises `NoConvergence`.
    """
    from scipy.optimize import minimize

    def descent(logs: FloatArray) -> tuple[float, FloatArray]:
        parameters = np.exp(logs)
        value, gradient = mean_log_likelihood(parameters)
        if prior is None:
            return -value, -gradient * parameters
        lost, slope = prior.penalty(logs)
        return -value + lost / customers, -gradient * parameters + slope / customers

    lowest, highest = np.array(edges).T
    options = {"ftol": 1e-13, "gtol": 1e-6, "maxiter": 1000}
    logs, steps = np.log(start), 0
    for _ in range(RESTARTS):
        with _blas().limit(limits=1, user_api="blas"):  # a handful of parameters: threads would only wait
            found = minimize(descent, logs, jac=True, method="L-BFGS-B", bounds=edges, options=options)
        logs, value, steps = found.x, float(found.fun), steps + found.nit
        inside = (logs > lowest) & (logs < highest)
        slope = float(np.abs(found.jac[inside]).max(initial=0.0))
        if np.isfinite(value) and slope <= max(1e-4, 0.1 / customers):
            break  # else once more from there, without what it remembers of the way
    else:
        raise NoConvergence(slope=slope, steps=steps)
    inverse = _inverse_hessian(descent, logs, found.jac) if inside.all() else None
    if inverse is not None:
        polished = np.clip(logs - inverse @ found.jac, lowest, highest)
        better = float(descent(polished)[0])
        if better <= value + 1e-12 * abs(value):
            logs, value = polished, better
    if prior is not None:
        value -= prior.penalty(logs)[0] / customers
    return Optimum(np.exp(logs), -value, None if inverse is None else inverse / customers)


def _inverse_hessian(descent: Objective, logs: FloatArray, gradient: FloatArray) -> FloatArray | None:
    """The inverse Hessian by differences of the gradient; None unless it is safely positive definite."""
    step = 1e-5
    hessian = np.array([descent(logs + shift)[1] - gradient for shift in step * np.eye(len(logs))]) / step
    hessian = (hessian + hessian.T) / 2
    values, vectors = np.linalg.eigh(hessian)
    if not np.isfinite(values).all() or values[0] < 1e-8 * values[-1]:
        return None
    return np.asarray((vectors / values) @ vectors.T)
