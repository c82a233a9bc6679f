"""A discrete-time hazard with covariates: the chance that a subscription ends in each of its periods.

The log-odds of ending in a period are the level of that period in the life of a subscription plus what the subscriber's
covariates add. Levels are free, covariates are drawn towards nought by a ridge.

Sources: Allison (1982), Discrete-Time Methods for the Analysis of Event Histories, Sociological Methodology 13, 61-98;
Singer and Willett (1993), It's About Time, Journal of Educational Statistics 18(2), 155-195; for the ridge see `ridge`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from setia.kernel.errors import SetiaError
from setia.predictions.models.purchases import FloatArray, IndexArray, tally
from setia.predictions.models.ridge import RIDGE, Design, Rows, climb, ridge_by_time

LEAST_ENDED, PER_COVARIATE = 10, 2
PER_LEVEL = 20
"""Endings that a level of the baseline rests on, and as many periods that did not end: its log-odds are known to about
a quarter."""
LONGEST = 100_000


class BadPeriods(SetiaError):
    """Row {row} of the subscription periods, counted from 0, cannot be: {reason}."""

    code = "predictions.bad_periods"


class TooFewEnded(SetiaError):
    """A hazard with {covariates} covariates that vary needs {needed} endings at least, and as many periods that did not
    end; here are {ended} and {kept}. Take fewer covariates, or wait."""

    code = "predictions.too_few_ended"


@dataclass(frozen=True)
class HazardParameters:
    """Log-odds of ending in a period, in the units that the covariates came in."""

    levels: tuple[int, ...]
    """The first period of each level of the baseline; the last one holds for all later periods."""
    baseline: tuple[float, ...]
    """At each level, of somebody at the means of all covariates; -inf where nobody ended, inf where nobody went on."""
    coefficients: dict[str, float]
    """What one more of each covariate adds. One that never varied has 0, and no standard error."""
    unknown: dict[str, float]
    """What it adds when a covariate is not known, beside its mean standing in."""
    means: dict[str, float]


class DiscreteTimeHazard:
    """The chance of ending in each period, given how many went before and what is known of a subscriber.

    `ridge` is the strength of the pull on coefficients of standardised covariates: 1 is a prior of one standard
    deviation, 0 none. None takes the one that forecasts best in time where `fit_rows` is told `when`, and else 1.
    `per_level` is the least number of endings for each level of the baseline: early periods have their own, later ones
    are pooled until they reach it. With 0 each period has its own: without covariates that is Kaplan and Meier's curve.

    After `fit`: `params_`; `standard_errors_` (same shape; from the curvature, ridge included); `log_likelihood_`
    without the ridge; `ridge_`; `periods_` and `ended_`, how many it rests on.
    """

    params_: HazardParameters
    standard_errors_: HazardParameters | None
    log_likelihood_: float
    ridge_: float
    periods_: float
    ended_: float

    def __init__(self, ridge: float | None = None, per_level: int = PER_LEVEL) -> None:
        self.ridge, self.per_level = ridge, per_level

    @classmethod
    def from_params(
        cls,
        levels: Sequence[int],
        baseline: Sequence[float],
        coefficients: Mapping[str, float] | None = None,
        unknown: Mapping[str, float] | None = None,
        means: Mapping[str, float] | None = None,
    ) -> Self:
        """A model with known parameters, fitted to nobody."""
        model = cls()
        known = dict(coefficients or {})
        own_means = {name: float((means or {}).get(name, 0.0)) for name in known}
        model.params_ = HazardParameters(tuple(levels), tuple(baseline), known, dict(unknown or {}), own_means)
        model.standard_errors_ = None
        model.log_likelihood_ = float("nan")
        model.ridge_ = float("nan")
        model.periods_ = model.ended_ = 0.0
        return model

    def get_params(self) -> dict[str, object]:
        """The fitted parameters by name."""
        return asdict(self.params_)

    def fit(
        self,
        duration: ArrayLike,
        ended: ArrayLike,
        covariates: ArrayLike | None = None,
        names: Sequence[str] | None = None,
        weights: ArrayLike | None = None,
    ) -> Self:
        """Find the parameters of highest likelihood; one element per subscriber, whose covariates stay what they are.

        `duration` is how many whole periods they were watched (1 or more), `ended` whether they ended in the last of
        them. `covariates` has a row for each and a column for each of `names`; nan is unknown. `weights` says how many
        subscribers a row stands for. Raises BadPeriods, TooFewEnded, NoConvergence.
        """
        length, end, w, x = _checked(duration, ended, weights, covariates)
        at_risk = np.cumsum(tally(length, w)[::-1])[::-1]
        firsts = self._levels(at_risk, tally(length, w * end))
        lasts = np.append(firsts[1:] - 1, LONGEST)
        reached = [np.flatnonzero(length >= first) for first in firsts]
        level, who = np.repeat(np.arange(len(firsts)), [len(each) for each in reached]), np.concatenate(reached)
        # A subscriber's periods within one level are all alike: one row of so many trials.
        trials = np.minimum(length[who], lasts[level]) - firsts[level] + 1
        last = length[who] <= lasts[level]
        rows = Rows(level, w[who] * trials, w[who] * (end[who] * last), x[who])
        return self._fitted(firsts, rows, names)

    def fit_rows(
        self,
        period: ArrayLike,
        ended: ArrayLike,
        covariates: ArrayLike | None = None,
        names: Sequence[str] | None = None,
        weights: ArrayLike | None = None,
        when: ArrayLike | None = None,
    ) -> Self:
        """The same from one element per subscriber and period, so that covariates may change from period to period.

        `period` counts from 1. A subscriber whose first periods were not watched simply has no rows for them. `when` is
        a number that grows with the calendar. Raises BadPeriods, TooFewEnded, NoConvergence.
        """
        number, end, w, x = _checked(period, ended, weights, covariates)
        firsts = self._levels(tally(number, w), tally(number, w * end))
        level = np.searchsorted(firsts, number, side="right") - 1
        return self._fitted(firsts, Rows(level, w, w * end, x), names, when)

    def hazard(self, period: ArrayLike, covariates: ArrayLike | None = None) -> FloatArray:
        """The chance of ending in a period, of one who is there when it begins.

        Beyond the periods that were observed the last level of the baseline holds.
        """
        from scipy.special import expit

        return np.asarray(expit(self._baseline(np.asarray(period, dtype=np.float64)) + self._added(covariates)))

    def survival(self, ahead: ArrayLike, period: ArrayLike, covariates: ArrayLike | None = None) -> FloatArray:
        """The chance to be still there after so many more periods, of one who is there when `period` begins.

        Covariates stay what they are now, and beyond the periods that were observed the last level of the baseline
        holds. Of a part of a period the same part of its log-survival is taken.
        """
        steps = np.asarray(ahead, dtype=np.float64)
        logs = np.zeros(np.broadcast_shapes(steps.shape, np.shape(period), np.shape(self._added(covariates))))
        for k, stay in enumerate(self._stays(int(np.ceil(steps.max(initial=0.0))), period, covariates)):
            part = np.clip(steps - k, 0.0, 1.0)
            logs = logs + np.where(part > 0, part * np.where(part > 0, stay, 0.0), 0.0)
        return np.exp(logs)

    def expected_remaining(self, horizon: int, period: ArrayLike, covariates: ArrayLike | None = None) -> FloatArray:
        """How many of the next `horizon` periods they are expected to stay through, as in `survival`."""
        return self.discounted_remaining(1.0, 0.0, horizon, period, covariates)

    def discounted_remaining(
        self,
        amount: ArrayLike,
        discount: float,
        horizon: int,
        period: ArrayLike,
        covariates: ArrayLike | None = None,
    ) -> FloatArray:
        """Payments of `amount` to expect at the ends of the next `horizon` periods, each made by those who stayed, as
        in `survival`; discounted to now by `discount` a period."""
        logs: FloatArray | float = 0.0
        total: FloatArray = np.zeros(np.broadcast_shapes(np.shape(period), np.shape(self._added(covariates))))
        for k, stay in enumerate(self._stays(horizon, period, covariates), start=1):
            logs = logs + stay
            total = total + np.exp(logs - k * np.log1p(discount))
        return np.asarray(np.asarray(amount, dtype=np.float64) * total)

    def _levels(self, at_risk: FloatArray, ended: FloatArray) -> IndexArray:
        """The first period of each level, of numbers by period."""
        firsts, closed, of_level = [], True, np.zeros(2)
        for period in np.flatnonzero(at_risk[1:] > 0) + 1:
            if closed:
                firsts.append(period)
                of_level = np.zeros(2)
            of_level = of_level + np.array([ended[period], at_risk[period] - ended[period]])
            closed = bool(of_level.min() >= self.per_level)
        if not closed and len(firsts) > 1:
            firsts.pop()
        return np.array([1, *firsts[1:]], dtype=np.intp)

    def _fitted(
        self, firsts: IndexArray, rows: Rows, names: Sequence[str] | None, when: ArrayLike | None = None
    ) -> Self:
        columns = rows.x.shape[1]
        known = [f"x{k + 1}" for k in range(columns)] if names is None else list(names)
        if len(known) != columns or len(set(known)) != columns:
            raise BadPeriods(row=0, reason=f"it has {columns} covariates, which need as many different names")
        design = Design.of(rows)
        _require_enough(rows, int((design.deviations > 0).sum()))
        ridge = RIDGE if self.ridge is None else self.ridge
        if self.ridge is None and when is not None:
            ridge = ridge_by_time(rows, _as_long(when, len(rows.level)))
        best = climb(design.standardised(rows), len(firsts), ridge)
        of_columns = design.in_own_units(best.coefficients, 0.0)
        self.params_ = _told(firsts, known, design, best.baseline, of_columns, design.means)
        errors = design.in_own_units(best.standard_errors[len(firsts) :], np.nan)
        of_levels = best.standard_errors[: len(firsts)]
        self.standard_errors_ = _told(firsts, known, design, of_levels, errors, np.zeros(columns))
        self.log_likelihood_, self.ridge_ = best.log_likelihood, float(ridge)
        self.periods_, self.ended_ = float(rows.trials.sum()), float(rows.ended.sum())
        return self

    def _baseline(self, period: FloatArray) -> FloatArray:
        level = np.searchsorted(np.array(self.params_.levels), period, side="right") - 1
        return np.array(self.params_.baseline)[np.maximum(level, 0)]

    def _added(self, covariates: ArrayLike | None) -> FloatArray:
        p = self.params_
        if covariates is None and not p.coefficients:
            return np.zeros(())
        x = np.zeros((0, 0)) if covariates is None else np.asarray(covariates, dtype=np.float64)
        if x.ndim != 2 or x.shape[1] != len(p.coefficients) or np.isinf(x).any():
            wanted = ", ".join(p.coefficients) or "none"
            raise BadPeriods(row=0, reason=f"covariates must be finite or nan, in one column for each of: {wanted}")
        coefficients, means = np.array([list(each.values()) for each in (p.coefficients, p.means)])
        away = x - means
        flags = np.array([p.unknown.get(name, 0.0) for name in p.coefficients])
        return np.asarray(np.where(np.isnan(away), 0.0, away) @ coefficients + np.isnan(away) @ flags)

    def _stays(self, horizon: int, period: ArrayLike, covariates: ArrayLike | None) -> Iterator[FloatArray]:
        """The logarithm of the chance to go on, in each of the next periods."""
        begins, added = np.asarray(period, dtype=np.float64), self._added(covariates)
        for k in range(horizon):
            yield -np.logaddexp(0.0, self._baseline(begins + k) + added)


def _as_long(when: ArrayLike, rows: int) -> FloatArray:
    known = np.atleast_1d(np.asarray(when, dtype=np.float64))
    if len(known) != rows or not np.isfinite(known).all():
        raise BadPeriods(row=min(len(known), rows), reason="when has to be a finite number for each row")
    return known


def _require_enough(rows: Rows, columns: int) -> None:
    ended, kept = float(rows.ended.sum()), float((rows.trials - rows.ended).sum())
    needed = LEAST_ENDED + PER_COVARIATE * columns
    if min(ended, kept) < needed:
        raise TooFewEnded(covariates=columns, needed=needed, ended=round(ended), kept=round(kept))


def _told(
    firsts: IndexArray,
    names: list[str],
    design: Design,
    levels: FloatArray,
    columns: tuple[FloatArray, FloatArray],
    means: FloatArray,
) -> HazardParameters:
    of_covariates, of_flags = columns
    return HazardParameters(
        tuple(firsts.tolist()),
        tuple(levels.tolist()),
        dict(zip(names, of_covariates.tolist(), strict=True)),
        dict(zip([names[k] for k in design.flagged], of_flags.tolist(), strict=True)),
        dict(zip(names, means.tolist(), strict=True)),
    )


def _checked(
    period: ArrayLike, ended: ArrayLike, weights: ArrayLike | None, covariates: ArrayLike | None
) -> tuple[IndexArray, FloatArray, FloatArray, FloatArray]:
    number, end = (np.atleast_1d(np.asarray(column, dtype=np.float64)) for column in (period, ended))
    w = np.ones(len(number)) if weights is None else np.atleast_1d(np.asarray(weights, dtype=np.float64))
    x = np.zeros((len(number), 0)) if covariates is None else np.asarray(covariates, dtype=np.float64)
    if x.ndim != 2 or not len(number) == len(end) == len(w) == len(x):
        shortest = min(len(number), len(end), len(w), len(np.atleast_1d(x)))
        raise BadPeriods(row=shortest, reason="the columns are not equally long, or covariates have no two dimensions")
    demands = {
        f"a period must be a whole number from 1 to {LONGEST:,}": (number == np.rint(number))
        & (number >= 1)
        & (number <= LONGEST),
        "whether it ended must be 0 or 1": (end == 0) | (end == 1),
        "a weight must be finite, zero or more": np.isfinite(w) & (w >= 0),
        "a covariate must be finite, or nan where it is not known": ~np.isinf(x).any(axis=1),
    }
    for reason, met in demands.items():
        if not met.all():
            raise BadPeriods(row=int(np.argmin(met)), reason=reason)
    return number.astype(np.intp), end, w, x
