"""Differences in a yes-or-no outcome, adjusted for everything else that is known: regression and standardisation.

A logistic regression with a light ridge is fitted by Newton steps. Its covariance is the sandwich of White (1982),
Maximum Likelihood Estimation of Misspecified Models, Econometrica 50(1), 1-25: it holds where the model is only nearly
right. An adjusted difference is what standardisation (the g-formula of Robins, 1986, for a point exposure) makes of it:
the mean over customers of the predicted outcome with something on, less that with it off, all else left as it is; its
standard error by the delta method. Many at a time: Benjamini and Hochberg (1995), Controlling the False Discovery Rate,
Journal of the Royal Statistical Society B 57(1), 289-300.

Everything that is known is a flag. Customers with equal flags are one row, and rows are worked through piece by piece.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from setia.predictions.models.purchases import FloatArray, NoConvergence

Flags = NDArray[np.uint8]
Settings = Mapping[int, int]
"""Columns, and what they are set to."""

RIDGE = 1e-3
"""So much weight, in customers, speaks for no effect: it moves nothing that can be estimated, and ends the search where
something cannot be."""
PIECE = 16_384
MOST_STEPS = 100
COLLINEAR = 1e-7
"""Share of its variance that a column must have to itself."""


@dataclass(frozen=True, eq=False)
class Groups:
    """Customers with equal flags, one row each; the first column is 1 throughout."""

    flags: Flags
    customers: FloatArray
    stayed: FloatArray

    def pieces(self, columns: Sequence[int]) -> Iterator[tuple[slice, FloatArray]]:
        """Some of the columns, so many rows at a time."""
        for start in range(0, len(self.flags), PIECE):
            part = slice(start, start + PIECE)
            yield part, self.flags[part][:, columns].astype(np.float64)


@dataclass(frozen=True, eq=False)
class Fitted:
    """A logistic regression on some of the columns."""

    columns: tuple[int, ...]
    coefficients: FloatArray
    covariance: FloatArray


@dataclass(frozen=True, slots=True)
class Estimate:
    """An adjusted difference and its standard error."""

    value: float
    standard_error: float


def products(groups: Groups) -> FloatArray:
    """How many customers have both of two columns, for all columns."""
    width = groups.flags.shape[1]
    found = np.zeros((width, width))
    for part, x in groups.pieces(range(width)):
        found += (x * groups.customers[part, None]).T @ x
    return found


def independent(both: FloatArray, columns: Sequence[int]) -> tuple[int, ...]:
    """The columns without those that follow from the ones before them; `both` are the `products`."""
    gram = both[np.ix_(columns, columns)]
    kept: list[int] = []
    rows = np.zeros((0, len(columns)))
    # A Cholesky decomposition that leaves out what has nothing left of its own.
    for place in range(len(columns)):
        own = gram[place] - rows[:, place] @ rows
        if own[place] > COLLINEAR * gram[place, place]:
            rows = np.vstack([rows, own / np.sqrt(own[place])])
            kept.append(place)
    return tuple(columns[place] for place in kept)


def fit(groups: Groups, columns: Sequence[int], ridge: float = RIDGE) -> Fitted:
    """The regression of staying on the columns, which must be `independent`. Raises NoConvergence."""
    penalty = ridge * (np.asarray(columns) != 0)
    coefficients = np.zeros(len(columns))
    value, slope, curve = _likelihood(groups, columns, coefficients, penalty)
    for _ in range(MOST_STEPS):
        step = np.linalg.solve(curve, slope)
        expected = float(slope @ step)
        share = 1.0
        tried = _likelihood(groups, columns, coefficients + step, penalty)
        while tried[0] < value - 1e-12 * abs(value) and share > 1e-6:
            share /= 2
            tried = _likelihood(groups, columns, coefficients + share * step, penalty)
        coefficients = coefficients + share * step
        value, slope, curve = tried
        if expected < 1e-9:
            break
    else:
        raise NoConvergence(slope=float(np.abs(slope).max()), steps=MOST_STEPS)
    bread = np.linalg.inv(curve)
    return Fitted(tuple(columns), coefficients, bread @ _scores(groups, columns, coefficients) @ bread)


def _likelihood(
    groups: Groups, columns: Sequence[int], coefficients: FloatArray, penalty: FloatArray
) -> tuple[float, FloatArray, FloatArray]:
    """The log-likelihood, its slope, and its curvature turned upwards."""
    value = -float(penalty @ coefficients**2) / 2
    slope, curve = -penalty * coefficients, np.diag(penalty)
    for part, x in groups.pieces(columns):
        customers, stayed = groups.customers[part], groups.stayed[part]
        score = x @ coefficients
        chance = _chance(score)
        value += float(stayed @ score - customers @ np.logaddexp(0, score))
        slope = slope + x.T @ (stayed - customers * chance)
        curve = curve + x.T @ (x * (customers * chance * (1 - chance))[:, None])
    return value, slope, curve


def _scores(groups: Groups, columns: Sequence[int], coefficients: FloatArray) -> FloatArray:
    """The sum over customers of the outer products of their slopes."""
    found = np.zeros((len(columns), len(columns)))
    for part, x in groups.pieces(columns):
        chance = _chance(x @ coefficients)
        left = groups.customers[part] - groups.stayed[part]
        found += x.T @ (x * (groups.stayed[part] * (1 - chance) ** 2 + left * chance**2)[:, None])
    return found


def _chance(score: FloatArray) -> FloatArray:
    return np.asarray(1 / (1 + np.exp(-np.clip(score, -700, 700))))


@dataclass(frozen=True, eq=False)
class Standardised:
    """Mean predicted outcomes of the same customers, once for each way of setting some columns."""

    means: FloatArray
    slopes: FloatArray
    """By the coefficients: one row per way."""
    covariance: FloatArray

    def contrast(self, weights: ArrayLike) -> Estimate:
        """The sum of the means by weights: 1 and -1 make it a difference."""
        w = np.asarray(weights, dtype=np.float64)
        slope = w @ self.slopes
        variance = float(slope @ self.covariance @ slope)
        return Estimate(float(w @ self.means), float(np.sqrt(max(variance, 0.0))))


def standardised(
    groups: Groups, fitted: Fitted, ways: Sequence[Settings], among: NDArray[np.bool_] | None = None
) -> Standardised:
    """What the regression predicts when columns are set, for all customers or those `among`.

    Columns that the regression does not have are passed over.
    """
    weights = groups.customers if among is None else groups.customers * among
    whole = float(weights.sum())
    place = {column: number for number, column in enumerate(fitted.columns)}
    own = [{place[column]: to for column, to in settings.items() if column in place} for settings in ways]
    means, slopes = np.zeros(len(ways)), np.zeros((len(ways), len(fitted.columns)))
    for part, x in groups.pieces(fitted.columns):
        score = x @ fitted.coefficients
        for way, settings in enumerate(own):
            at, to = list(settings), np.array(list(settings.values()), dtype=np.float64)
            chance = _chance(score + (to - x[:, at]) @ fitted.coefficients[at])
            flat = weights[part] * chance * (1 - chance)
            slope = x.T @ flat
            slope[at] = to * flat.sum()
            means[way] += float(weights[part] @ chance) / whole
            slopes[way] += slope / whole
    return Standardised(means, slopes, fitted.covariance)


def false_discovery(p_values: ArrayLike) -> FloatArray:
    """Each p-value as the smallest share of false discoveries at which its own would be one."""
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")[::-1]
    ranks = np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum.accumulate(np.minimum(p[order] * len(p) / ranks, 1.0))
    return adjusted
