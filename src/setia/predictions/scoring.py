"""How good a forecast was, held against what happened."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np

from setia.predictions.forecast import Forecast
from setia.predictions.models.purchases import FloatArray
from setia.predictions.past import Past

LEAST_EXPECTED = 0.01
"""Nothing is as unlikely as it seems: of everybody this share of the mean is expected, when deviance is taken."""
BLOCKS = 100
"""Groups of customers, drawn by chance, that the bootstrap draws from."""


@dataclass(frozen=True, slots=True)
class Score:
    """How one candidate did from one day on."""

    candidate: str
    day: dt.date
    correction: str
    """What its totals were corrected for: `none`, `level`, `season` or `both`."""
    factor: float
    """What its revenue was multiplied with."""
    customers: int
    days_bias: float | None
    """Expected ÷ actual purchase days, less 1; None where nobody bought."""
    revenue_bias: float | None
    revenue_error: float
    """Mean absolute error of revenue per customer. It is kind to whoever expects nothing of most."""
    explained: float | None
    """Share of the deviance of revenue that it explains, of what is left when everybody is expected to spend the true
    mean: 1 is perfect, 0 knows nobody apart, below 0 is worse than that. None where nothing was spent."""
    gini: float | None
    """How well it ranks customers by what they then spent: 1 perfectly, 0 as chance."""
    top_tenth: float | None
    """Share of what was spent by the tenth it ranks highest."""
    auc: float | None
    """How well its chances rank who bought: the chance that a buyer had a higher one than somebody who did not buy."""
    brier: float
    """Mean squared error of its chances of an order."""
    calibration_error: float
    """Mean distance between chances and the shares that bought, over tenths of customers by chance."""
    coverage_orders: float | None = None
    """Share of customers whose purchase days lay in its interval, made to hold four in five; None without a window
    before to make it from."""
    coverage_revenue: float | None = None


def score(name: str, past: Past, forecast: Forecast, correction: str = "none", factor: float = 1.0) -> Score:
    """Hold a forecast, already corrected by the factor, against what happened."""
    ranked = Ranking(forecast.revenue, np.maximum(past.next_revenue, 0))
    bought = (past.next_days > 0).astype(float)
    chances = Ranking(forecast.chance, bought)
    return Score(
        name,
        past.day,
        correction,
        factor,
        len(past),
        _bias(forecast.days, past.next_days),
        _bias(forecast.revenue, past.next_revenue),
        float(np.abs(forecast.revenue - past.next_revenue).mean()),
        explained(forecast.revenue, np.maximum(past.next_revenue, 0)),
        ranked.gini,
        ranked.share_of_top(0.1),
        None if chances.gini is None else (chances.gini + 1) / 2,
        float(((forecast.chance - bought) ** 2).mean()),
        calibration_error(forecast.chance, bought),
    )


def deviance(expected: FloatArray, actual: FloatArray) -> FloatArray:
    """The Tweedie deviance of power 1.5 of each, for amounts that are often nought: only the true mean of each makes it
    smallest (Jorgensen 1997, The Theory of Dispersion Models)."""
    root = np.sqrt(expected)
    return np.asarray(4 * (actual / root + root - 2 * np.sqrt(actual)))


def deviances(expected: FloatArray, actual: FloatArray) -> tuple[FloatArray, FloatArray] | None:
    """Of each customer the deviance from what was expected, and from the true mean; None where nothing was spent."""
    mean = float(actual.mean()) if len(actual) else 0.0
    if mean <= 0:
        return None
    return deviance(np.maximum(expected, LEAST_EXPECTED * mean), actual), deviance(np.full(len(actual), mean), actual)


def explained(expected: FloatArray, actual: FloatArray) -> float | None:
    """The share of deviance explained, see `Score.explained`."""
    found = deviances(expected, actual)
    if found is None or found[1].mean() <= 0:
        return None
    return 1 - float(found[0].mean()) / float(found[1].mean())


def in_blocks(of_customers: FloatArray, seed: int = 1) -> FloatArray:
    """Sums over `BLOCKS` groups of customers, drawn by chance, the same for every candidate."""
    block = np.random.default_rng(seed).permutation(len(of_customers)) % BLOCKS
    return np.asarray(np.bincount(block, weights=of_customers, minlength=BLOCKS))


def _bias(expected: FloatArray, actual: FloatArray) -> float | None:
    whole = float(actual.sum())
    return float(expected.sum()) / whole - 1 if whole > 0 else None


def tenths(chance: FloatArray) -> FloatArray:
    """The tenth of customers by chance that each belongs to, 0 to 9; equal chances stay together."""
    edges = np.unique(np.quantile(chance, np.linspace(0, 1, 11)[1:-1])) if len(chance) else np.zeros(0)
    return np.asarray(np.searchsorted(edges, chance, side="right"), dtype=np.float64)


def calibration_error(chance: FloatArray, bought: FloatArray) -> float:
    """Mean distance between the mean chance and the share that bought, over tenths of customers."""
    rows = calibration(chance, bought)
    whole = sum(row["customers"] for row in rows)
    return sum(row["customers"] * abs(row["expected"] - row["actual"]) for row in rows) / whole if whole else 0.0


def calibration(expected: FloatArray, actual: FloatArray) -> list[dict[str, Any]]:
    """Per tenth of customers by what was expected: how many, mean expected and mean actual."""
    tenth = tenths(expected).astype(np.int64)
    number = np.bincount(tenth, minlength=1)
    sums = [np.bincount(tenth, weights=values, minlength=len(number)) for values in (expected, actual)]
    return [
        {"customers": int(n), "expected": float(sums[0][i] / n), "actual": float(sums[1][i] / n)}
        for i, n in enumerate(number)
        if n
    ]


class Ranking:
    """The share of what was spent by those ranked highest, from none of them to all; ties share evenly."""

    def __init__(self, expected: FloatArray, actual: FloatArray) -> None:
        self.actual = actual
        self.shares, self.spent = _curve(expected, actual)

    @property
    def gini(self) -> float | None:
        """The area between this curve and chance, against that of a perfect ranking; None where all spent alike."""
        best = _area(*_curve(self.actual, self.actual))
        return (_area(self.shares, self.spent) - 0.5) / (best - 0.5) if best > 0.5 else None

    def share_of_top(self, share: float) -> float | None:
        """The share of all that was spent by so large a part at the top; None where nothing was."""
        return float(np.interp(share, self.shares, self.spent)) if self.actual.sum() > 0 else None


def _curve(expected: FloatArray, actual: FloatArray) -> tuple[FloatArray, FloatArray]:
    values, group = np.unique(-expected, return_inverse=True)
    people = np.bincount(group, minlength=len(values)).astype(float)
    spent = np.bincount(group, weights=actual, minlength=len(values))
    whole = float(spent.sum()) or 1.0
    return np.append(0.0, np.cumsum(people) / people.sum()), np.append(0.0, np.cumsum(spent) / whole)


def _area(x: FloatArray, y: FloatArray) -> float:
    return float(((y[1:] + y[:-1]) / 2 * np.diff(x)).sum())
