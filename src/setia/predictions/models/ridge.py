"""Log-odds with free levels and a ridge on the covariates: the regression under the discrete-time hazard.

Newton's method on rows that stand for several equal trials. Each row belongs to one level, so that the levels' part of
the Hessian is a diagonal and costs no products of columns. Source: le Cessie and van Houwelingen (1992), Ridge
Estimators in Logistic Regression, Applied Statistics 41(1), 191-201.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from setia.predictions.models.purchases import FloatArray, IndexArray, NoConvergence, tally

RIDGE = 1.0
RIDGES = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
"""Those that are tried in time."""
BLOCKS = 4
"""Parts of the calendar with equally many endings; each after the first is forecast from those before it."""
LEAST_BEFORE = 10
MANY = 1000
"""Endings for each covariate from which on none of them would change much: then it is not worth the time to try."""
MOST_STEPS = 50
CLOSE = 1e-9
"""A step that would gain less log-likelihood is the last; as steps square their error, what is left is rounding."""
TINY = 1e-9
FLAT = 1e-8
"""Curvature in the flattest direction, against what it would be without any covariate, below which there is no peak."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Trials that share a level and covariates, and how many of them ended it."""

    level: IndexArray
    trials: FloatArray
    ended: FloatArray
    x: FloatArray

    def where(self, chosen: NDArray[np.bool_]) -> Rows:
        """Some of the rows."""
        return Rows(self.level[chosen], self.trials[chosen], self.ended[chosen], self.x[chosen])


@dataclass(frozen=True, eq=False)
class Design:
    """How covariates become columns: less their mean, over their deviation, nought where one is not known; behind them
    a flag for each one that is not known of some."""

    means: FloatArray
    deviations: FloatArray
    """0 for a covariate that never varies: it gets no column."""
    flagged: IndexArray
    flag_deviations: FloatArray

    @classmethod
    def of(cls, rows: Rows) -> Design:
        """The design that suits these rows. Covariates that are unknown of the same rows share the first one's flag."""
        known = ~np.isnan(rows.x)
        weight = rows.trials @ known
        means = rows.trials @ np.where(known, rows.x, 0.0) / np.where(weight > 0, weight, 1.0)
        away = np.where(known, rows.x - means, 0.0)
        deviations = np.sqrt(rows.trials @ away**2 / np.where(weight > 0, weight, 1.0))
        # What rounding leaves of a column without any variation is none.
        deviations[deviations <= TINY * np.abs(means)] = 0.0
        shares = 1 - weight / (rows.trials.sum() or 1.0)
        some = np.flatnonzero((shares > TINY) & (shares < 1 - TINY))
        _, first = np.unique(known[:, some], axis=1, return_index=True)
        flagged = some[np.sort(first)]
        return cls(means, deviations, flagged, np.sqrt(shares[flagged] * (1 - shares[flagged])))

    def standardised(self, rows: Rows) -> Rows:
        """The rows with their columns, in order of level."""
        order = np.argsort(rows.level, kind="stable")
        x = rows.x[order]
        varies = self.deviations > 0
        columns = (x[:, varies] - self.means[varies]) / self.deviations[varies]
        flags = np.isnan(x[:, self.flagged]) / self.flag_deviations
        whole = np.column_stack([np.where(np.isnan(columns), 0.0, columns), flags])
        return Rows(rows.level[order], rows.trials[order], rows.ended[order], whole)

    def in_own_units(self, columns: FloatArray, otherwise: float) -> tuple[FloatArray, FloatArray]:
        """Coefficients of the columns, or their errors, for one more of each covariate, and for each flag."""
        varies = self.deviations > 0
        of_covariates = np.full(len(self.means), otherwise)
        of_covariates[varies] = columns[: varies.sum()] / self.deviations[varies]
        return of_covariates, columns[varies.sum() :] / self.flag_deviations


@dataclass(frozen=True, eq=False)
class Optimum:
    """Log-odds of each level and coefficient of each column, and the standard errors of both one after the other."""

    baseline: FloatArray
    coefficients: FloatArray
    standard_errors: FloatArray
    log_likelihood: float


def climb(rows: Rows, levels: int, ridge: float, start: Optimum | None = None) -> Optimum:
    """Find the highest log-likelihood less `ridge` halves of the sum of squared coefficients; rows in order of level.

    A level at which nobody or everybody ended is infinite, and its rows say nothing of the rest. Raises NoConvergence:
    without a ridge where a covariate tells endings apart without fail, or columns are combinations of one another.
    """
    ended, trials = tally(rows.level, rows.ended, levels), tally(rows.level, rows.trials, levels)
    free = (ended > 0) & (ended < trials)
    with np.errstate(divide="ignore", invalid="ignore"):
        baseline = np.log(ended) - np.log(trials - ended)
    errors = np.full(levels + rows.x.shape[1], np.nan)
    newton = _Newton(rows.where(free[rows.level]), int(free.sum()), ridge)
    begin = np.concatenate([baseline[free], np.zeros(rows.x.shape[1])])
    if start is not None:
        begin[newton.levels :] = start.coefficients
    found = newton.climb(begin)
    baseline[free] = found[: newton.levels]
    of_found = np.sqrt(np.diag(np.linalg.inv(newton.hessian(found))))
    errors[np.append(free, np.ones(rows.x.shape[1], dtype=bool))] = of_found
    coefficients = found[newton.levels :]
    return Optimum(baseline, coefficients, errors, newton.value(found) + ridge / 2 * float(coefficients @ coefficients))


class _Newton:
    """The penalised log-likelihood of (levels, coefficients), its slope and its curvature."""

    def __init__(self, rows: Rows, levels: int, ridge: float) -> None:
        self.rows, self.levels, self.ridge = rows, levels, ridge
        self.changes = np.flatnonzero(np.diff(rows.level, prepend=-1))
        self.of_level = np.repeat(np.arange(levels), np.diff(np.append(self.changes, len(rows.level))))

    def log_odds(self, place: FloatArray) -> FloatArray:
        return np.asarray(place[self.of_level] + self.rows.x @ place[self.levels :])

    def value(self, place: FloatArray) -> float:
        eta, b = self.log_odds(place), place[self.levels :]
        return float(self.rows.ended @ eta - self.rows.trials @ np.logaddexp(0.0, eta) - self.ridge / 2 * (b @ b))

    def slope(self, place: FloatArray) -> FloatArray:
        from scipy.special import expit

        rest = self.rows.ended - self.rows.trials * expit(self.log_odds(place))
        return np.concatenate([self._by_level(rest), rest @ self.rows.x - self.ridge * place[self.levels :]])

    def hessian(self, place: FloatArray) -> FloatArray:
        """The negative one."""
        from scipy.special import expit

        chance = expit(self.log_odds(place))
        weight = self.rows.trials * chance * (1 - chance)
        weighted = weight[:, np.newaxis] * self.rows.x
        across = self._by_level(weighted)
        inner = self.rows.x.T @ weighted + self.ridge * np.eye(self.rows.x.shape[1])
        return np.block([[np.diag(self._by_level(weight)), across], [across.T, inner]])

    def climb(self, place: FloatArray) -> FloatArray:
        height, usual = self.value(place), np.sqrt(np.diag(self.hessian(place)))
        slope = self.slope(place)
        for _ in range(MOST_STEPS):
            hessian = self.hessian(place)
            if self.ridge == 0:
                self._require_peak(hessian / np.outer(usual, usual), slope)
            step: FloatArray = np.asarray(np.linalg.solve(hessian, slope), dtype=np.float64)
            gain = float(slope @ step)
            before = height
            place, height = self._uphill(place, step, height)
            if gain < CLOSE or height <= before:
                return place
            slope = self.slope(place)
        raise NoConvergence(slope=float(np.abs(slope).max()), steps=MOST_STEPS)

    def _uphill(self, place: FloatArray, step: FloatArray, height: float) -> tuple[FloatArray, float]:
        """The place a step, or a half, a quarter … of it further on: the first that is no lower."""
        for _ in range(MOST_STEPS):
            there = place + step
            value = self.value(there)
            if value >= height - CLOSE:
                return there, value
            step = step / 2
        return place, height

    @staticmethod
    def _require_peak(scaled: FloatArray, slope: FloatArray) -> None:
        values = np.linalg.eigvalsh(scaled)
        if not np.isfinite(values).all() or values[0] < FLAT * values[-1]:
            raise NoConvergence(slope=float(np.abs(slope).max()), steps=0)

    def _by_level(self, values: FloatArray) -> FloatArray:
        if not len(values):
            return np.zeros((self.levels, *values.shape[1:]))
        return np.asarray(np.add.reduceat(values, self.changes, axis=0))


def ridge_by_time(rows: Rows, when: FloatArray) -> float:
    """Of `RIDGES` the one with which later endings are forecast best from earlier ones; `RIDGE` where too few are, or
    `MANY`.

    The calendar is cut into `BLOCKS` with about equally many endings, and the log-likelihoods of all but the first,
    each under the fit to those before it, are summed.
    """
    if rows.ended.sum() >= MANY * max(rows.x.shape[1], 1):
        return RIDGE
    _, place = np.unique(when, return_inverse=True)
    sofar = np.cumsum(np.bincount(place, weights=rows.ended))
    block = np.minimum(np.floor(BLOCKS * (sofar - 1e-9) / max(sofar[-1], 1.0)), BLOCKS - 1)[place]
    levels = int(rows.level.max(initial=0)) + 1
    totals = np.zeros(len(RIDGES))
    for number in range(1, BLOCKS):
        before, then = rows.where(block < number), rows.where(block == number)
        if min(before.ended.sum(), (before.trials - before.ended).sum()) < LEAST_BEFORE or not len(then.level):
            continue
        design = Design.of(before)
        known, asked = design.standardised(before), design.standardised(then)
        usual = np.log(before.ended.sum()) - np.log((before.trials - before.ended).sum())
        found: Optimum | None = None
        for k, ridge in enumerate(RIDGES):
            found = climb(known, levels, ridge, found)
            # A level at which nobody has ended yet is forecast as all of them together.
            level = np.where(np.isfinite(found.baseline), found.baseline, usual)
            eta = level[asked.level] + asked.x @ found.coefficients
            totals[k] += asked.ended @ eta - asked.trials @ np.logaddexp(0.0, eta)
    return RIDGES[int(np.argmax(totals))] if totals.any() else RIDGE
