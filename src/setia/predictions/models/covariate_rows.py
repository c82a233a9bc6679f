"""Customers with their covariates, one row for all who are alike, and the log-likelihood of each with its slopes.

What `covariates` climbs on. Parameters differ from customer to customer here: nothing can be tallied beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from setia.kernel.errors import SetiaError
from setia.predictions.models.bg_nbd import BGNBD
from setia.predictions.models.mbg_nbd import MBGNBD
from setia.predictions.models.pareto_nbd import BLOCK, ParetoNBD, having_left
from setia.predictions.models.purchases import SCALE, SHAPE, FloatArray, tally

ModelName = Literal["bg_nbd", "mbg_nbd", "pareto_nbd"]
Part = Literal["purchases", "drop-out"]
Covariates = Mapping[str, ArrayLike]
"""Covariates by name, each with a number per customer."""
OfLeaving = Callable[[FloatArray, FloatArray, FloatArray, FloatArray], tuple[FloatArray, FloatArray]]

FURTHEST = 200.0  # bound of the log of a factor, lest one customer far from all others overflow


class BadCovariate(SetiaError):
    """The covariate {name} of {part} cannot be used: {reason}."""

    code = "predictions.bad_covariate"


class Shift(NamedTuple):
    """A parameter, by name and position, that covariates multiply by exp(sign * coefficients' z)."""

    parameter: str
    position: int
    part: Part
    sign: float


def as_numbers(purchases: Covariates | None, dropout: Covariates | None) -> dict[Part, dict[str, FloatArray]]:
    """The covariates as numbers. Raises `BadCovariate`."""
    given: dict[Part, Covariates | None] = {"purchases": purchases, "drop-out": dropout}
    told: dict[Part, dict[str, FloatArray]] = {"purchases": {}, "drop-out": {}}
    for part, covariates in given.items():
        for name, column in () if covariates is None else covariates.items():
            try:
                numbers = np.asarray(column, dtype=np.float64)
            except (TypeError, ValueError):
                reason = "it is not numbers; make one covariate of 0 and 1 for each of its values but one"
                raise BadCovariate(name=name, part=part, reason=reason) from None
            if not np.isfinite(numbers).all():
                row = int(np.argmin(np.isfinite(numbers)))
                raise BadCovariate(name=name, part=part, reason=f"row {row}, counted from 0, is not a finite number")
            told[part][name] = numbers
    return told


@dataclass(frozen=True, eq=False)
class Rows:
    """Distinct customers, in ascending order of x, each with the number of those who are alike.

    `covariates` has a row per covariate.
    """

    x: FloatArray
    t_x: FloatArray
    T: FloatArray
    covariates: dict[Part, FloatArray]
    weights: FloatArray

    @classmethod
    def from_customers(
        cls,
        frequency: ArrayLike,
        recency: ArrayLike,
        T: ArrayLike,
        told: dict[Part, dict[str, FloatArray]],
        weights: ArrayLike | None,
    ) -> Rows:
        """Group customers, one per element, whose histories have been checked. Raises `BadCovariate`."""
        columns = [np.atleast_1d(np.asarray(column, dtype=np.float64)) for column in (frequency, recency, T)]
        w = np.ones(len(columns[0])) if weights is None else np.atleast_1d(np.asarray(weights, dtype=np.float64))
        for part, covariates in told.items():
            for name, column in covariates.items():
                if column.shape != w.shape:
                    reason = f"it needs one number for each of the {len(w)} customers"
                    raise BadCovariate(name=name, part=part, reason=reason)
                columns.append(column)
        used = np.flatnonzero(w > 0)
        table = np.stack(columns)[:, used]
        order = np.lexsort((w[used], *table[::-1]))
        table, w = table[:, order], w[used][order]
        fresh = np.concatenate(([True], np.any(np.diff(table, axis=1) != 0, axis=0)))[: len(w)]
        w = tally(np.cumsum(fresh) - 1, w)
        x, t_x, age, *rest = table[:, fresh]
        split = len(told["purchases"])
        z = np.array(rest).reshape(len(rest), len(w))
        return cls(x, t_x, age, {"purchases": z[:split], "drop-out": z[split:]}, w)

    def standardised(self, unit: float, scales: Mapping[Part, Sequence[Scale]]) -> Rows:
        """With times in this unit, and covariates counted from their means in their standard deviations."""
        covariates = {}
        for part, z in self.covariates.items():
            mean = np.array([scale.mean for scale in scales[part]])[:, None]
            deviation = np.array([scale.deviation for scale in scales[part]])[:, None]
            covariates[part] = (z - mean) / deviation if len(z) else z
        return replace(self, t_x=self.t_x / unit, T=self.T / unit, covariates=covariates)


class Scale(NamedTuple):
    """Where a covariate lies."""

    name: str
    mean: float
    deviation: float


def scales_of(part: Part, names: list[str], z: FloatArray, weights: FloatArray) -> list[Scale]:
    """Means and standard deviations. Raises `BadCovariate` for a covariate that says nothing, or nothing new."""
    share = weights / weights.sum()
    mean = np.sum(z * share, axis=1)
    apart = z - mean[:, None]
    deviation = np.sqrt(np.sum(apart**2 * share, axis=1))
    for row, name in enumerate(names):
        if np.ptp(z[row]) == 0:
            reason = "it is the same for all customers and tells nothing of them apart; leave it out"
            raise BadCovariate(name=name, part=part, reason=reason)
    apart = apart / deviation[:, None]
    correlation = np.einsum("ir,jr->ij", apart * share, apart)
    for row, name in enumerate(names):
        if np.linalg.eigvalsh(correlation[: row + 1, : row + 1])[0] < 1e-9:
            raise BadCovariate(name=name, part=part, reason="it follows from those before it; leave one of them out")
    return [Scale(*each) for each in zip(names, mean.tolist(), deviation.tolist(), strict=True)]


def log_likelihood(rows: Rows, kind: Kind, logs: FloatArray) -> tuple[float, FloatArray]:
    """Log-likelihood and gradient; `logs` are those of the four parameters, then the coefficients, shift by shift."""
    base, value, gradient = np.exp(logs[:4]), 0.0, np.zeros(len(logs))
    risen = _risen(float(base[0]), int(rows.x.max(initial=0)))
    for start in range(0, len(rows.weights), BLOCK):
        block = slice(start, start + BLOCK)
        x, t_x, age, w = rows.x[block], rows.t_x[block], rows.T[block], rows.weights[block]
        parameters = np.repeat(base[:, None], len(x), axis=1)
        places, at = [], 4
        for shift in kind.shifts:
            z = rows.covariates[shift.part][:, block]
            places.append((shift, z, slice(at, at + len(z))))
            log_factor = shift.sign * np.sum(z * logs[at : at + len(z), None], axis=0)
            parameters[shift.position] *= np.exp(np.clip(log_factor, -FURTHEST, FURTHEST))
            at += len(z)
        bought, by_bought = _purchases(x, age, parameters, risen)
        left, by_left = kind.of_leaving(x, t_x, age, parameters)
        by_logs = (by_bought + by_left) * parameters * w
        value += np.sum(w * (bought + left))
        gradient[:4] += by_logs.sum(axis=1)
        for shift, z, where in places:
            gradient[where] += shift.sign * np.sum(z * by_logs[shift.position], axis=1)
    return float(value), gradient


def _risen(r: float, most: int) -> tuple[FloatArray, FloatArray]:
    """The log of Gamma(r + x) / Gamma(r) = r (r + 1) ... (r + x - 1) for x from 0, and its slope by r."""
    steps = r + np.arange(most)
    return np.concatenate(([0.0], np.cumsum(np.log(steps)))), np.concatenate(([0.0], np.cumsum(1 / steps)))


def _purchases(
    x: FloatArray, age: FloatArray, parameters: FloatArray, risen: tuple[FloatArray, FloatArray]
) -> tuple[FloatArray, FloatArray]:
    """Per row the log-likelihood of purchases of whoever never leaves, and its slopes by the four parameters."""
    r, alpha = parameters[:2]
    log_share = np.log(alpha / (alpha + age))
    logs, by_r = (table[x.astype(np.intp)] for table in risen)
    nothing = np.zeros_like(x)
    slopes = np.stack((by_r + log_share, r / alpha - (r + x) / (alpha + age), nothing, nothing))
    return logs + r * log_share - x * np.log(alpha + age), slopes


def _of_leaving_at_any_time(
    x: FloatArray, t_x: FloatArray, age: FloatArray, parameters: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Per row what leaving adds in the Pareto/NBD model: the log of staying until T times 1 + odds of having left."""
    r, alpha, s, beta = parameters
    log_odds, slopes = having_left(r + x, alpha, s, beta, t_x, age)
    either = np.logaddexp(0.0, log_odds)
    slopes = slopes * np.exp(log_odds - either)
    log_share = np.log(beta / (beta + age))
    slopes[2] += log_share
    slopes[3] += s * (1 / beta - 1 / (beta + age))
    return s * log_share + either, slopes


def _of_leaving_at_purchases(first: int) -> OfLeaving:
    """The same for the models in which a customer leaves at a purchase; `first` is 1 where it may be at the first."""

    def of_leaving(
        x: FloatArray, t_x: FloatArray, age: FloatArray, parameters: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        r, alpha, a, b = parameters
        chances = x + first
        may = chances > 0
        stays = np.where(may, b + chances - 1, 1.0)
        silence = np.log((alpha + age) / (alpha + t_x))
        log_odds = np.where(may, np.log(a / stays) + (r + x) * silence, -np.inf)
        either = np.logaddexp(0.0, log_odds)
        left = np.exp(log_odds - either)
        log_stays, stays_by_a, stays_by_b = _stays(chances, a, b)
        slopes = np.stack(
            (
                left * silence,
                left * (r + x) * (1 / (alpha + age) - 1 / (alpha + t_x)),
                stays_by_a + left / a,
                stays_by_b - left / stays,
            )
        )
        return log_stays + either, slopes

    return of_leaving


def _stays(chances: FloatArray, a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Per row the log of staying at all chances to leave, which ascend, and its slopes by a and b.

    Chance by chance: gamma functions of an a or b in the millions would leave noise that stops the climb.
    """
    log_stays, by_a, by_b = np.zeros_like(a), np.zeros_like(a), np.zeros_like(a)
    for i in range(int(chances.max(initial=0))):
        more = slice(int(np.searchsorted(chances, i, side="right")), None)
        odds, stays = a[more] / (b[more] + i), 1 / (a[more] + b[more] + i)
        log_stays[more] -= np.log1p(odds)
        by_a[more] -= stays
        by_b[more] += odds * stays
    return log_stays, by_a, by_b


@dataclass(frozen=True)
class Kind:
    """A model: the bounds of its parameters, what covariates shift, and what leaving adds to the log-likelihood."""

    model: type[BGNBD] | type[ParetoNBD]
    edges: tuple[tuple[float, float], ...]
    shifts: tuple[Shift, ...]
    of_leaving: OfLeaving


_ALPHA = Shift("alpha", 1, "purchases", -1.0)
_AT_PURCHASES = (_ALPHA, Shift("a", 2, "drop-out", 1.0), Shift("b", 3, "drop-out", 1.0))
_AT_ANY_TIME = (_ALPHA, Shift("beta", 3, "drop-out", -1.0))
KINDS: dict[ModelName, Kind] = {
    "bg_nbd": Kind(BGNBD, (SHAPE, SCALE, SHAPE, SHAPE), _AT_PURCHASES, _of_leaving_at_purchases(0)),
    "mbg_nbd": Kind(MBGNBD, (SHAPE, SCALE, SHAPE, SHAPE), _AT_PURCHASES, _of_leaving_at_purchases(1)),
    "pareto_nbd": Kind(ParetoNBD, (SHAPE, SCALE, SHAPE, SCALE), _AT_ANY_TIME, _of_leaving_at_any_time),
}
