"""Level, season and intervals: what the windows that are complete say of the next one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from setia.predictions.forecast import Forecast
from setia.predictions.models.purchases import FloatArray
from setia.predictions.past import Past

BOUNDS = (0.5, 2.0)
CORRECTIONS = ("none", "level", "season", "both")
"""By how the totals of the window before came out; by those of the same window a year ago; by both."""
SHARE = 0.8
"""Of customers that an interval is made to hold."""
GROUPS = 20
LEAST_IN_GROUP = 50


@dataclass(frozen=True, slots=True)
class Factor:
    """What totals are multiplied with: purchase days, and revenue, whose prices may have moved as well."""

    days: float = 1.0
    revenue: float = 1.0

    def of(self, forecast: Forecast) -> Forecast:
        """The forecast, corrected."""
        return forecast if self == Factor() else forecast.times(self.days, self.revenue)


def ratio(past: Past, forecast: Forecast) -> Factor | None:
    """Actual ÷ expected of a complete window; None where nothing was expected or nothing came."""
    expected = float(forecast.days.sum()), float(forecast.revenue.sum())
    actual = float(past.next_days.sum()), float(past.next_revenue.sum())
    if min(*expected, *actual) <= 0:
        return None
    return Factor(actual[0] / expected[0], actual[1] / expected[1])


def factors(ratios: Mapping[int, Factor | None], back: int, year: int | None) -> dict[str, Factor]:
    """What the totals of a window may be multiplied with, by correction, from the ratios of older windows.

    `back` counts windows from `as_of`; `year` is how many of them make a year. Only what the history allows is there.
    """
    found = {"none": Factor()}
    before = ratios.get(back + 1)
    if before is not None:
        found["level"] = _bounded(before.days, before.revenue)
    if year is not None and (then := ratios.get(back + year)) is not None:
        found["season"] = _bounded(then.days, then.revenue)
        if before is not None and (before_then := ratios.get(back + 1 + year)) is not None:
            found["both"] = _bounded(
                then.days * before.days / before_then.days, then.revenue * before.revenue / before_then.revenue
            )
    return found


def needed(correction: str, back: int, year: int | None) -> set[int]:
    """The older windows whose ratios a correction of a window rests on."""
    of_year = {back + year} if year is not None else set()
    return {
        "none": set(),
        "level": {back + 1},
        "season": of_year,
        "both": {back + 1, *of_year, *(each + 1 for each in of_year)},
    }[correction]


def _bounded(days: float, revenue: float) -> Factor:
    low, high = BOUNDS
    return Factor(min(max(days, low), high), min(max(revenue, low), high))


@dataclass(frozen=True, eq=False)
class Spread:
    """Intervals of what customers do, from how it came out for customers of whom as much was expected in the window
    before: Mondrian conformal prediction (Vovk, Gammerman and Shafer 2005), groups by expectation.

    Whether an interval holds as many as it should when a window has passed is counted by the back-test.
    """

    edges: FloatArray
    """Between the groups; who expects as much as an edge belongs above it, so that equals stay together."""
    top: float
    """Mean expectation of the last group."""
    low: FloatArray
    high: FloatArray

    @classmethod
    def of(cls, expected: FloatArray, actual: FloatArray) -> Spread:
        """Learn from a complete window."""
        groups = max(1, min(GROUPS, len(expected) // LEAST_IN_GROUP))
        edges = np.unique(np.quantile(expected, np.linspace(0, 1, groups + 1)[1:-1])) if len(expected) else np.zeros(0)
        inhabited = np.unique(np.searchsorted(edges, expected, side="right"))
        edges = edges[inhabited[1:] - 1]
        group = np.searchsorted(edges, expected, side="right")
        tail = (1 - SHARE) / 2
        ends, top = [(0.0, 0.0)] * (len(edges) + 1), 0.0
        for number in range(len(inhabited)):
            inside = group == number
            ends[number] = tuple(np.quantile(actual[inside], [tail, 1 - tail], method="inverted_cdf"))
            top = float(expected[inside].mean())
        low, high = np.array(ends).T
        return cls(edges, top, low, high)

    def around(self, expected: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The lower and upper ends: of the group of like expectation, in proportion beyond the last one."""
        group = np.searchsorted(self.edges, expected, side="right")
        beyond = np.where(expected > self.top, expected / self.top, 1.0) if self.top > 0 else np.ones_like(expected)
        return self.low[group] * beyond, self.high[group] * beyond

    def coverage(self, expected: FloatArray, actual: FloatArray) -> float:
        """The share of customers whose actual lies within."""
        low, high = self.around(expected)
        return float(((actual >= low) & (actual <= high)).mean())
