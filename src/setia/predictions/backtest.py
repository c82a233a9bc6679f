"""The back-test: every candidate predicts from the past as it stood on several days, and is judged by what followed.

The naive rules are candidates like any other, and win where they are better.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from setia.customers.observed.orders import purchase_days
from setia.history.scope import Scope
from setia.kernel.errors import SetiaError
from setia.kernel.i18n import N_
from setia.predictions.bg_nbd import BGNBD
from setia.predictions.gamma_gamma import GammaGamma
from setia.predictions.mbg_nbd import MBGNBD
from setia.predictions.purchases import LEAST_CUSTOMERS, FloatArray, NoConvergence, TooFewCustomers

if TYPE_CHECKING:
    from setia.warehouse.snapshot import Snapshot

HORIZON_DAYS = 91
DATES = 3
SILENT_AFTER = 1.6
"""Own mean gaps of silence after which the recency cut expects nothing any more."""
LEVEL_BOUNDS = (0.5, 2.0)


class TooLittleHistory(SetiaError):
    """A back-test over {horizon} days needs {horizon} days of orders before them, and {customers} customers who had
    ordered by then. The orders reach from {first} to {last}, with {found} customers by then. Ask for fewer days, or
    wait."""

    code = "predictions.too_little_history"


@dataclass(frozen=True, eq=False)
class Past:
    """What was known of each customer when a day began, and what they did in the days that followed."""

    day: dt.date
    horizon: int
    frequency: FloatArray
    """Purchase days after the first one."""
    recency: FloatArray
    age: FloatArray
    repeat_value: FloatArray
    """Mean revenue of a purchase day after the first; 0 without one."""
    mean_value: FloatArray
    """Mean revenue of a purchase day."""
    recent_days: FloatArray
    """Purchase days in as many days before as are predicted."""
    recent_revenue: FloatArray
    next_days: FloatArray
    next_revenue: FloatArray


@dataclass(frozen=True, eq=False)
class Forecast:
    """What a candidate expects of each customer."""

    days: FloatArray
    """Purchase days."""
    revenue: FloatArray


Candidate = Callable[[Past], Forecast]


def _repeated(past: Past) -> Forecast:
    return Forecast(past.recent_days, past.recent_revenue)


def _lifetime_rate(past: Past) -> Forecast:
    """Purchase days after the first one, over the time since it."""
    days = past.frequency / np.maximum(past.age, 1) * past.horizon
    return Forecast(days, days * past.mean_value)


def _recency_cut(past: Past) -> Forecast:
    rate = _lifetime_rate(past)
    gap = np.where(past.frequency > 0, past.recency / np.maximum(past.frequency, 1), past.age)
    active = past.age - past.recency <= SILENT_AFTER * gap
    return Forecast(np.where(active, rate.days, 0.0), np.where(active, rate.revenue, 0.0))


def _purchase_model(model: type[BGNBD]) -> Candidate:
    def forecast(past: Past) -> Forecast:
        fitted = model().fit(past.frequency, past.recency, past.age)
        days = fitted.expected_purchases(float(past.horizon), past.frequency, past.recency, past.age)
        return Forecast(days, days * _values(past))

    return forecast


def _values(past: Past) -> FloatArray:
    """Expected revenue of a purchase day of each customer; the shop's mean where there is nothing to fit."""
    try:
        values = GammaGamma().fit(past.frequency, past.repeat_value)
        expected = values.expected_average_value(past.frequency, past.repeat_value)
    except (TooFewCustomers, NoConvergence):
        expected = np.full(len(past.frequency), np.nan)
    return np.where(np.isfinite(expected), expected, max(float(past.mean_value.mean()), 0.0))


CANDIDATES: dict[str, tuple[str, Candidate]] = {
    "repeated": (N_("The last days repeated"), _repeated),
    "lifetime_rate": (N_("Everybody goes on as since their first order"), _lifetime_rate),
    "recency_cut": (N_("The same, but nothing of those silent for too long"), _recency_cut),
    "mbg_nbd": (N_("MBG/NBD with Gamma-Gamma values"), _purchase_model(MBGNBD)),
    "bg_nbd": (N_("BG/NBD with Gamma-Gamma values"), _purchase_model(BGNBD)),
}
"""Naive rules first: of equals the simpler one is chosen."""


@dataclass(frozen=True, slots=True)
class Score:
    """How one candidate did from one day on."""

    candidate: str
    day: dt.date
    level: float | None
    """What its totals were multiplied with, from how it did the time before; None: as it came."""
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


@dataclass(frozen=True, slots=True)
class BackTest:
    """What came out."""

    horizon: int
    scores: tuple[Score, ...]
    failed: dict[str, str]
    """Candidates that could not be fitted, and why."""
    chosen: str
    """The candidate that explains most of what customers spent, on the mean over all days."""
    with_level: bool
    """Whether its totals are better corrected by how it did the time before."""


def backtest(facts: Snapshot, scope: Scope, horizon_days: int = HORIZON_DAYS, dates: int = DATES) -> BackTest:
    """Judge every candidate over the last `dates` windows of `horizon_days` days before `as_of`, no two overlapping.

    Raises TooLittleHistory.
    """
    step = dt.timedelta(days=horizon_days)
    pasts = [_past(facts, scope, scope.as_of - step * back, horizon_days) for back in range(dates, 0, -1)]
    usable = [past for past in pasts if _is_enough(past)]
    if not usable:
        newest = pasts[-1]
        first = newest.day - dt.timedelta(days=int(newest.age.max(initial=0)))
        raise TooLittleHistory(
            horizon=horizon_days, customers=LEAST_CUSTOMERS, first=first, last=scope.last_day, found=len(newest.age)
        )
    scores: list[Score] = []
    failed: dict[str, str] = {}
    for name, (_title, candidate) in CANDIDATES.items():
        level: float | None = None
        for past in usable:
            try:
                forecast = candidate(past)
            except (TooFewCustomers, NoConvergence) as problem:
                failed[name] = str(problem)
                break
            scores.append(score(name, past, forecast, None))
            if level is not None:
                scores.append(score(name, past, Forecast(level * forecast.days, level * forecast.revenue), level))
            level = _level(past, forecast)
    chosen, with_level = _chosen([each for each in scores if each.candidate not in failed])
    return BackTest(horizon_days, tuple(scores), failed, chosen, with_level)


def _is_enough(past: Past) -> bool:
    return len(past.age) >= LEAST_CUSTOMERS and float(past.age.max(initial=0)) >= past.horizon


def _level(past: Past, forecast: Forecast) -> float | None:
    """Actual ÷ expected revenue, within bounds; None where nothing was expected."""
    expected = float(forecast.revenue.sum())
    low, high = LEVEL_BOUNDS
    return min(max(float(past.next_revenue.sum()) / expected, low), high) if expected > 0 else None


def _chosen(scores: list[Score]) -> tuple[str, bool]:
    """The candidate that explains most on the mean over all days, and whether its level is better corrected."""

    def mean(found: list[Score]) -> float:
        return float(np.mean([-1.0 if each.explained is None else each.explained for each in found]))

    plain = {name: [e for e in scores if e.candidate == name and e.level is None] for name in CANDIDATES}
    best = max((name for name in CANDIDATES if plain[name]), key=lambda name: round(mean(plain[name]), 3))
    corrected = [each for each in scores if each.candidate == best and each.level is not None]
    same_days = [each for each in plain[best] if each.day in {other.day for other in corrected}]
    return best, bool(corrected) and mean(corrected) > mean(same_days)


def score(name: str, past: Past, forecast: Forecast, level: float | None) -> Score:
    """Hold a forecast against what happened."""
    ranked = Ranking(forecast.revenue, np.maximum(past.next_revenue, 0))
    return Score(
        name,
        past.day,
        level,
        len(past.age),
        _bias(forecast.days, past.next_days),
        _bias(forecast.revenue, past.next_revenue),
        float(np.abs(forecast.revenue - past.next_revenue).mean()),
        _explained(forecast.revenue, np.maximum(past.next_revenue, 0)),
        ranked.gini,
        ranked.share_of_top(0.1),
    )


LEAST_EXPECTED = 0.01
"""Nothing is as unlikely as it seems: of everybody this share of the mean is expected, when deviance is taken."""


def _explained(expected: FloatArray, actual: FloatArray) -> float | None:
    """By the Tweedie deviance of power 1.5, for amounts that are often nought: only the true mean of each makes it
    smallest (Jorgensen 1997, The Theory of Dispersion Models)."""
    mean = float(actual.mean()) if len(actual) else 0.0
    if mean <= 0:
        return None
    whole = _deviance(np.full(len(actual), mean), actual)
    return 1 - _deviance(np.maximum(expected, LEAST_EXPECTED * mean), actual) / whole if whole > 0 else None


def _deviance(expected: FloatArray, actual: FloatArray) -> float:
    root = np.sqrt(expected)
    return float((4 * (actual / root + root - 2 * np.sqrt(actual))).mean())


def _bias(expected: FloatArray, actual: FloatArray) -> float | None:
    whole = float(actual.sum())
    return float(expected.sum()) / whole - 1 if whole > 0 else None


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


def _past(facts: Snapshot, scope: Scope, day: dt.date, horizon: int) -> Past:
    """Everybody who had ordered by a day. What was known is read from the orders before it alone."""
    import ibis

    then, end = scope.at(day), scope.at(day + dt.timedelta(days=horizon))
    before: Any = purchase_days(facts, then)
    recent = before.day >= ibis.literal(day - dt.timedelta(days=horizon))
    known = before.group_by("customer_id").aggregate(
        days=before.count(),
        first=before.day.min(),
        last=before.day.max(),
        revenue=before.revenue.sum().cast("float64"),
        first_revenue=before.revenue.argmin(before.day).cast("float64"),
        recent_days=before.count(where=recent),
        recent_revenue=before.revenue.sum(where=recent).cast("float64"),
    )
    after: Any = purchase_days(facts, end)
    after = after.filter(after.day >= ibis.literal(day))
    followed = after.group_by(who=after.customer_id).aggregate(
        next_days=after.count(), next_revenue=after.revenue.sum().cast("float64")
    )
    rows = known.left_join(followed, known.customer_id == followed.who).order_by("customer_id")
    found = facts.arrow(rows)

    def column(name: str) -> FloatArray:
        return np.asarray(np.nan_to_num(found[name].to_numpy(zero_copy_only=False).astype(float)), dtype=np.float64)

    first, last = (found[name].to_numpy(zero_copy_only=False).astype("datetime64[D]") for name in ("first", "last"))
    end_day = np.datetime64(then.last_day)
    days, revenue = column("days"), column("revenue")
    repeats = np.maximum(days - 1, 0)
    return Past(
        day,
        horizon,
        repeats,
        (last - first).astype(float),
        (end_day - first).astype(float),
        np.where(repeats > 0, np.maximum(revenue - column("first_revenue"), 0) / np.maximum(repeats, 1), 0.0),
        revenue / np.maximum(days, 1),
        column("recent_days"),
        column("recent_revenue"),
        column("next_days"),
        column("next_revenue"),
    )
