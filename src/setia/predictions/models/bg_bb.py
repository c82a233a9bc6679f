"""The BG/BB model: giving and buying that can happen once a period, for customers who are free to leave.

There is one opportunity a period (a yearly appeal, a weekly market). An active customer takes it with a probability of
their own, and before each may leave with another. These vary between customers as betas: (alpha, beta) of buying,
(gamma, delta) of leaving.

Source: Fader, Hardie and Shang (2010), Customer-Base Analysis in a Discrete-Time Noncontractual Setting, Marketing
Science 29(6), 1086-1108.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from setia.predictions.models.purchases import (
    SHAPE,
    BadHistory,
    FloatArray,
    IndexArray,
    maximise,
    require_enough,
    tally,
)

BLOCK = 262_144  # numbers worked on at a time: a row has as many as there are periods of silence
MOST_PERIODS = 9_999


@dataclass(frozen=True)
class BetaBetaParameters:
    """Probability of buying in a period ~ Beta(`alpha`, `beta`), of leaving before one ~ Beta(`gamma`, `delta`)."""

    alpha: float
    beta: float
    gamma: float
    delta: float


class BGBB:
    """Purchases and drop-out by period: `frequency` (x) periods with a purchase, the last of them number `recency`
    (t_x, 0 without any), of `n_periods` (n) in which there was an opportunity, numbered from 1.

    The first purchase, which made them a customer, comes before period 1 and is not counted. After `fit`: `params_`;
    `standard_errors_` (same shape, None when the likelihood is too flat to give them); `log_likelihood_` (sum over
    customers); `customers_`. Methods take arrays (or numbers) and broadcast.
    """

    params_: BetaBetaParameters
    standard_errors_: BetaBetaParameters | None
    log_likelihood_: float
    customers_: int

    @classmethod
    def from_params(cls, alpha: float, beta: float, gamma: float, delta: float) -> Self:
        """A model with known parameters, fitted to nobody: no standard errors, a log-likelihood of nan."""
        model = cls()
        model.params_ = BetaBetaParameters(float(alpha), float(beta), float(gamma), float(delta))
        model.standard_errors_ = None
        model.log_likelihood_ = float("nan")
        model.customers_ = 0
        return model

    def get_params(self) -> dict[str, float]:
        """The fitted parameters by name."""
        return asdict(self.params_)

    def fit(
        self, frequency: ArrayLike, recency: ArrayLike, n_periods: ArrayLike, weights: ArrayLike | None = None
    ) -> Self:
        """Find the parameters of highest likelihood; one element per customer, or per `weights` customers.

        Raises `TooFewCustomers`, `BadHistory` and `NoConvergence`.
        """
        history = _Periods.from_customers(frequency, recency, n_periods, weights)
        customers = float(history.weights.sum())
        require_enough(customers, float(history.weights[history.x > 0].sum()))

        def objective(parameters: FloatArray) -> tuple[float, FloatArray]:
            value, gradient = _log_likelihood(history, parameters)
            return value / customers, gradient / customers

        best = maximise(objective, np.array([1.0, 1.0, 0.7, 3.0]), [SHAPE] * 4, customers)
        errors = best.standard_errors
        self.params_ = BetaBetaParameters(*best.parameters.tolist())
        self.standard_errors_ = None if errors is None else BetaBetaParameters(*errors.tolist())
        self.log_likelihood_ = float(best.mean_log_likelihood * customers)
        self.customers_ = round(customers)
        return self

    def log_likelihood(
        self, frequency: ArrayLike, recency: ArrayLike, n_periods: ArrayLike, weights: ArrayLike | None = None
    ) -> float:
        """The log-likelihood of these customers under the model's parameters, summed."""
        history = _Periods.from_customers(frequency, recency, n_periods, weights)
        return _log_likelihood(history, self._parameters())[0]

    def probability_alive(
        self, frequency: ArrayLike, recency: ArrayLike, n_periods: ArrayLike, at: ArrayLike | None = None
    ) -> FloatArray:
        """The probability, 0 to 1, that the customer is active in period `at`, by default n + 1; not before n.

        Raises `BadHistory`.
        """
        x, t_x, n = _whole(frequency, recency, n_periods)
        (when,) = _whole(n + 1 if at is None else at)
        x, t_x, n, when = np.broadcast_arrays(x, t_x, n, when)
        _demand(when >= n, "at must not come before the last period that was watched, n_periods")
        stay = _Tables(self._parameters(), int(when.max(initial=0))).stay
        return self._active_in_n(x, t_x, n) * np.exp(stay[when] - stay[n])

    def expected_purchases(
        self, periods: ArrayLike, frequency: ArrayLike, recency: ArrayLike, n_periods: ArrayLike
    ) -> FloatArray:
        """In how many of the next `periods` to expect a purchase, given the customer's history. Raises `BadHistory`."""
        ahead, x, t_x, n = np.broadcast_arrays(*_whole(periods, frequency, recency, n_periods))
        p = self.params_
        buys = (p.alpha + x) / (p.alpha + p.beta + n)
        return self._active_in_n(x, t_x, n) * buys * self._expected_active_periods(n, ahead)

    def expected_purchases_new(self, periods: ArrayLike) -> FloatArray:
        """In how many of the first `periods` to expect a purchase of a new customer. Raises `BadHistory`."""
        (ahead,) = _whole(periods)
        p = self.params_
        return p.alpha / (p.alpha + p.beta) * self._expected_active_periods(np.zeros_like(ahead), ahead)

    def _parameters(self) -> FloatArray:
        return np.array([*asdict(self.params_).values()])

    def _active_in_n(self, x: IndexArray, t_x: IndexArray, n: IndexArray) -> FloatArray:
        """The probability of having been active still in period n."""
        _demand_history(x, t_x, n)
        rows = _Periods(x.ravel(), t_x.ravel(), n.ravel(), np.ones(x.size))
        tables = _Tables(self._parameters(), int(n.max(initial=0)))
        found = np.empty(x.size)
        for block in rows.blocks():
            found[block] = np.exp(-_left(rows, block, tables)[0])
        return found.reshape(x.shape)

    def _expected_active_periods(self, n: IndexArray, ahead: IndexArray) -> FloatArray:
        """In how many of the `ahead` periods after n a customer will be active who was so in n.

        The paper's closed form is 0/0 at gamma = 1 and loses digits near it; its sum does neither.
        """
        stay = _Tables(self._parameters(), int((n + ahead).max(initial=0))).stay
        pairs, index = np.unique(np.stack((n.ravel(), ahead.ravel())), axis=1, return_inverse=True)
        sums = [np.exp(stay[now + 1 : now + more + 1] - stay[now]).sum() for now, more in pairs.T.tolist()]
        return np.asarray(sums, dtype=np.float64)[index.ravel()].reshape(n.shape)


@dataclass(frozen=True, eq=False)
class _Periods:
    """Distinct (x, t_x, n), in ascending order when grouped, with the number of customers that share each."""

    x: IndexArray
    t_x: IndexArray
    n: IndexArray
    weights: FloatArray

    @classmethod
    def from_customers(
        cls, frequency: ArrayLike, recency: ArrayLike, n_periods: ArrayLike, weights: ArrayLike | None
    ) -> _Periods:
        columns = [np.atleast_1d(column) for column in _whole(frequency, recency, n_periods)]
        w = np.ones(len(columns[0])) if weights is None else np.atleast_1d(np.asarray(weights, dtype=np.float64))
        lengths = [len(column) for column in (*columns, w)]
        if min(lengths) != max(lengths):
            raise BadHistory(row=min(lengths), reason="frequency, recency, n_periods and weights are not equally long")
        _demand((w >= 0) & np.isfinite(w), "a weight must be finite, zero or more")
        _demand_history(*columns)
        cells, index = np.unique(np.stack(columns), axis=1, return_inverse=True)
        order = np.lexsort((w, index.ravel()))  # sums in an order of their own, whatever the order of customers
        x, t_x, n = cells
        return cls(x, t_x, n, tally(index.ravel()[order], w[order], len(x)))

    def blocks(self) -> list[slice]:
        """The rows, a few at a time."""
        few = BLOCK // (1 + int((self.n - self.t_x).max(initial=0)))
        return [slice(start, start + few) for start in range(0, len(self.x), few)]


class _Tables:
    """Logs of the gamma functions by number of periods m, and their slopes.

    Gamma(p + m) / Gamma(p) is p (p + 1) ... (p + m - 1): exact for any p, and one running sum for all m.
    """

    def __init__(self, parameters: FloatArray, longest: int) -> None:
        alpha, beta, gamma, delta = parameters.tolist()
        self.gamma = gamma
        self.bought, self.by_bought = _risen(alpha, longest)
        self.passed, self.by_passed = _risen(beta, longest)
        self.asked, self.by_asked = _risen(alpha + beta, longest)
        self.stayed, self.by_stayed = _risen(delta, longest)
        self.lived, self.by_lived = _risen(gamma + delta, longest)
        self.stay = self.stayed - self.lived
        self.at_risk = gamma + delta + np.arange(longest + 1)


def _risen(parameter: float, longest: int) -> tuple[FloatArray, FloatArray]:
    steps = parameter + np.arange(longest)
    return np.concatenate(([0.0], np.cumsum(np.log(steps)))), np.concatenate(([0.0], np.cumsum(1 / steps)))


def _log_likelihood(rows: _Periods, parameters: FloatArray) -> tuple[float, FloatArray]:
    """Log-likelihood and gradient (alpha, beta, gamma, delta).

    A customer was active in all n periods or left after t_x, t_x + 1 ... n - 1 of them; the second way adds
    log(1 + odds of having left) to the first.
    """
    tables = _Tables(parameters, int(rows.n.max(initial=0)))
    x, n, w = rows.x, rows.n, rows.weights
    value = np.sum(w * (tables.bought[x] + tables.passed[n - x] - tables.asked[n] + tables.stay[n]))
    asked, lived = np.sum(w * tables.by_asked[n]), np.sum(w * tables.by_lived[n])
    bought, passed = np.sum(w * tables.by_bought[x]), np.sum(w * tables.by_passed[n - x])
    gradient = np.array([bought - asked, passed - asked, -lived, np.sum(w * tables.by_stayed[n]) - lived])
    for block in rows.blocks():
        log_either, shares, periods = _left(rows, block, tables)
        value += np.sum(w[block] * log_either)
        gradient += _left_slopes(rows, block, tables, shares * w[block][:, None], periods)
    return float(value), gradient


def _left(rows: _Periods, block: slice, tables: _Tables) -> tuple[FloatArray, FloatArray, IndexArray]:
    """The log of 1 + odds of having left before n; the probability of having left after each period; the periods."""
    x, t_x, n = rows.x[block][:, None], rows.t_x[block][:, None], rows.n[block][:, None]
    after = t_x + np.arange(int((n - t_x).max(initial=0)))
    possible = after < n
    after = np.where(possible, after, n)
    logs = tables.passed[after - x] - tables.asked[after] + tables.stay[after]
    logs = logs - (tables.passed[n - x] - tables.asked[n] + tables.stay[n])
    logs = np.where(possible, logs + np.log(tables.gamma / tables.at_risk[after]), -np.inf)
    top = logs.max(axis=1, initial=0.0)
    ways = np.exp(logs - top[:, None])
    total = np.exp(-top) + ways.sum(axis=1)
    return top + np.log(total), ways / total[:, None], after


def _left_slopes(rows: _Periods, block: slice, tables: _Tables, shares: FloatArray, after: IndexArray) -> FloatArray:
    """The gradient of the sum of `log_either` of `_left`; the shares are those of all customers of a row."""
    x, n = rows.x[block][:, None], rows.n[block][:, None]
    asked = np.sum(shares * (tables.by_asked[after] - tables.by_asked[n]))
    lived = np.sum(shares * (tables.by_lived[after] - tables.by_lived[n] + 1 / tables.at_risk[after]))
    passed = np.sum(shares * (tables.by_passed[after - x] - tables.by_passed[n - x]))
    stayed = np.sum(shares * (tables.by_stayed[after] - tables.by_stayed[n]))
    return np.array([-asked, passed - asked, shares.sum() / tables.gamma - lived, stayed - lived])


def _whole(*columns: ArrayLike) -> list[IndexArray]:
    """The columns as whole numbers; raises `BadHistory`."""
    numbers = [np.asarray(column, dtype=np.float64) for column in columns]
    for column in numbers:
        fine = (column >= 0) & (column <= MOST_PERIODS) & (column == np.rint(column))
        _demand(fine, "periods must be whole numbers from 0 to 9,999")
    return [column.astype(np.intp) for column in numbers]


def _demand_history(x: IndexArray, t_x: IndexArray, n: IndexArray) -> None:
    _demand((x <= t_x) & (t_x <= n), "frequency must not exceed recency, nor recency n_periods")
    _demand((x > 0) == (t_x > 0), "recency must be above 0 after a purchase, and 0 without one")


def _demand(met: NDArray[np.bool_], reason: str) -> None:
    if not np.all(met):
        raise BadHistory(row=int(np.argmin(met)), reason=reason)
