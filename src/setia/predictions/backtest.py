"""The back-test: every candidate predicts from the past as it stood on several days, and is judged by what followed.

The naive rules are candidates like any other, and win where they are better.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from setia.history.scope import Scope
from setia.kernel.errors import SetiaError
from setia.kernel.progress import Progress, Silent
from setia.predictions.candidates import BLEND, CANDIDATES, LEARNED, NAIVE
from setia.predictions.correcting import CORRECTIONS, Factor, Spread, factors, needed, ratio
from setia.predictions.forecast import Forecast
from setia.predictions.learned import TooLittleToLearn
from setia.predictions.models.purchases import LEAST_CUSTOMERS, FloatArray, NoConvergence, TooFewCustomers
from setia.predictions.past import WINDOW, Past, Windows
from setia.predictions.scoring import Score, calibration, deviances, in_blocks, score

if TYPE_CHECKING:
    from setia.warehouse.snapshot import Snapshot

DATES = 3
DRAWS = 400
"""Of the bootstrap."""
FAILURES = (TooFewCustomers, NoConvergence, TooLittleToLearn)


class TooLittleHistory(SetiaError):
    """A back-test over {horizon} days needs {horizon} days of orders before them, and {customers} customers who had
    ordered by then. The orders reach from {first} to {last}, with {found} customers by then. Ask for fewer days, or
    wait."""

    code = "predictions.too_little_history"


@dataclass(frozen=True, slots=True)
class Against:
    """How much less of the deviance a candidate explains than the chosen one, on the mean over all days; below nought
    where it explains more, by no more than chance might."""

    candidate: str
    difference: float
    low: float
    """Ends of the 90 % interval of the bootstrap over customers."""
    high: float


@dataclass(frozen=True, slots=True)
class BackTest:
    """What came out."""

    as_of: dt.date
    horizon: int
    scores: tuple[Score, ...]
    failed: dict[str, str]
    """Candidates that could not be fitted, and why."""
    ranking: tuple[str, ...]
    """Candidates in the order of how much they explain, on the mean over all days; the first one is chosen. The mean of
    two models comes first where the best one cannot be told from it."""
    correction: str
    """What the chosen one's totals are best corrected for."""
    against: tuple[Against, ...] = ()
    calibration: tuple[dict[str, Any], ...] = ()
    """Of the chosen one, on each day and for each tenth of customers by its chances: `day`, `what` (orders or revenue),
    `customers`, `expected` and `actual`: the share that bought, the mean revenue."""

    @property
    def chosen(self) -> str:
        """The candidate that explains most."""
        return self.ranking[0]

    def of_chosen(self) -> list[Score]:
        """The chosen one's scores as it is used, oldest first; uncorrected where the correction was not yet known."""
        own = [each for each in self.scores if each.candidate == self.chosen]
        by_day = {each.day: each for each in own if each.correction == "none"}
        by_day |= {each.day: each for each in own if each.correction == self.correction}
        return [by_day[day] for day in sorted(by_day)]


@dataclass(eq=False)
class _Trial:
    """One candidate over all days."""

    name: str
    scores: list[Score] = field(default_factory=list)
    older: list[Score] = field(default_factory=list)
    """Of windows beyond those that candidates are compared on, up to a year back: they too tell which correction helps,
    since a season that comes once a year may lie in none of the newest."""
    blocks: dict[tuple[dt.date, str], tuple[FloatArray, FloatArray]] = field(default_factory=dict)
    """Per day and correction: deviance and deviance from the true mean, summed over groups of customers."""
    calibration: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def told_apart(self, day: dt.date) -> bool:
        """Whether customers spent differently in the window from a day on."""
        return (day, "none") in self.blocks and float(self.blocks[day, "none"][1].sum()) > 1e-9

    def explained(self, days: Sequence[dt.date], correction: str) -> float:
        found = [e for e in (*self.scores, *self.older) if e.correction == correction and e.day in days]
        return float(np.mean([-1.0 if e.explained is None else e.explained for e in found])) if found else -1.0


def backtest(
    facts: Snapshot,
    scope: Scope,
    horizon_days: int = WINDOW,
    dates: int = DATES,
    *,
    traits: Callable[[Scope], Any] | None = None,
    candidates: Sequence[str] = tuple(CANDIDATES),
    progress: Progress | None = None,
) -> BackTest:
    """Judge every candidate over the last `dates` windows of `horizon_days` days before `as_of`, no two overlapping.

    Older windows, where there are any, tell levels and seasons. `traits` gives the traits of everybody for the scope of
    a day; without it learned models see orders alone. Raises TooLittleHistory.
    """
    return replayed(Windows(facts, scope, horizon_days, traits), dates, candidates, progress)


def replayed(
    windows: Windows,
    dates: int = DATES,
    candidates: Sequence[str] = tuple(CANDIDATES),
    progress: Progress | None = None,
) -> BackTest:
    """The same over the windows of a shop. Raises TooLittleHistory."""
    scope, horizon_days = windows.scope, windows.horizon
    year = windows.a_year_back or 0
    usable = windows.usable(max(dates, year) + 1 + year)
    scored = min(usable, dates)
    if not scored:
        newest = windows.past(1)
        first = newest.day - dt.timedelta(days=int(newest.age.max(initial=0)))
        raise TooLittleHistory(
            horizon=horizon_days, customers=LEAST_CUSTOMERS, first=first, last=scope.last_day, found=len(newest)
        )
    trials: list[_Trial] = []
    failed: dict[str, str] = {}
    with (progress or Silent()).stage("back-test", len(candidates), "candidates") as stage:
        for number, name in enumerate(candidates, 1):
            try:
                trials.append(_tried(name, windows, usable, scored))
            except FAILURES as problem:
                failed[name] = str(problem)
            stage.advance(number)
    return _judged(scope.as_of, horizon_days, trials, failed)


def _tried(name: str, windows: Windows, usable: int, scored: int) -> _Trial:
    """One candidate, from the oldest window on: its totals then correct those that follow."""
    fit = CANDIDATES[name][1]
    trial = _Trial(name)
    ratios: dict[int, Factor | None] = {}
    before: dict[int, dict[str, tuple[Forecast, Past]]] = {}
    oldest = min(usable, scored + 1) if name in LEARNED else usable  # to learn costs more than a level is worth
    judged = max(scored, min(usable, windows.a_year_back or 0))
    wanted = _wanted(judged, windows.a_year_back)
    for back in range(oldest, 0, -1):
        if back not in wanted:
            continue
        past = windows.past(back)
        try:
            forecast = fit(past).ahead(past.horizon)
        except TooLittleToLearn:  # of an old window nothing older may be left to learn from
            if back == 1:
                raise
            continue
        except FAILURES:
            if back <= scored:
                raise
            continue
        corrections = factors(ratios, back, windows.a_year_back)
        ratios[back] = ratio(past, forecast)
        now = {kind: factor.of(forecast) for kind, factor in corrections.items()}
        if back <= scored:
            for kind, corrected in now.items():
                _scored(trial, past, corrected, kind, corrections[kind], _of_window(before, back + 1, kind))
        elif back <= judged:
            trial.older += [score(name, past, each, kind, corrections[kind].revenue) for kind, each in now.items()]
        before = {back: {kind: (corrected, past) for kind, corrected in now.items()}}
    return trial


def _of_window(
    known: dict[int, dict[str, tuple[Forecast, Past]]], back: int, kind: str
) -> tuple[Forecast, Past] | None:
    """The window before, corrected alike where that was known, with its sequel."""
    found = known.get(back, {})
    return found.get(kind) or found.get("none")


def _wanted(scored: int, year: int | None) -> set[int]:
    """The windows that are scored, and those that the corrections and intervals of these rest on."""
    judged = range(1, scored + 2)
    return {*judged, *(older for back in judged for older in needed("both", back, year))}


def _scored(
    trial: _Trial, past: Past, forecast: Forecast, kind: str, factor: Factor, before: tuple[Forecast, Past] | None
) -> None:
    found = score(trial.name, past, forecast, kind, factor.revenue)
    if before is not None:
        then, sequel = before
        found = replace(
            found,
            coverage_orders=Spread.of(then.days, sequel.next_days).coverage(forecast.days, past.next_days),
            coverage_revenue=Spread.of(then.revenue, sequel.next_revenue).coverage(forecast.revenue, past.next_revenue),
        )
    trial.scores.append(found)
    parts = deviances(forecast.revenue, np.maximum(past.next_revenue, 0))
    if parts is not None:
        trial.blocks[past.day, kind] = in_blocks(parts[0]), in_blocks(parts[1])
    bought = (past.next_days > 0).astype(float)
    what = {"orders": (forecast.chance, bought), "revenue": (forecast.revenue, past.next_revenue)}
    for name, (expected, actual) in what.items():
        rows = calibration(expected, actual)
        trial.calibration.setdefault(kind, []).extend({"day": past.day, "what": name, **row} for row in rows)


def _judged(as_of: dt.date, horizon: int, trials: list[_Trial], failed: dict[str, str]) -> BackTest:
    """Compared on the days that every candidate was tried on."""
    if not trials:
        raise TooLittleHistory(horizon=horizon, customers=LEAST_CUSTOMERS, first="", last=as_of, found=0)
    common = sorted(set.intersection(*({e.day for e in trial.scores} for trial in trials)))
    order = list(CANDIDATES)
    ranked = sorted(trials, key=lambda t: (-round(t.explained(common, "none"), 3), order.index(t.name)))
    ranked = _steadier(ranked, common)
    best = ranked[0]
    correction = _best_correction(best)
    return BackTest(
        as_of,
        horizon,
        tuple(each for trial in trials for each in trial.scores),
        failed,
        tuple(trial.name for trial in ranked),
        correction,
        tuple(_against(best, other, common) for other in ranked[1:]),
        tuple(best.calibration.get(correction, [])),
    )


def _steadier(ranked: list[_Trial], days: list[dt.date]) -> list[_Trial]:
    """The mean of two models first, where the best model cannot be told from it: few windows have judged, and means
    are steadier than what they are made of (Bates and Granger 1969; Clemen 1989). A rule that is best stays so."""
    best = ranked[0]
    mean = next((trial for trial in ranked if trial.name == BLEND), best)
    if best.name in NAIVE or mean is best or _against(best, mean, days).low > 0:
        return ranked
    return [mean, *(trial for trial in ranked if trial is not mean)]


def _best_correction(best: _Trial) -> str:
    """The one that explains most on the days on which all are known; none unless it gains something."""
    tried = (*best.scores, *best.older)
    known = {kind: {e.day for e in tried if e.correction == kind} for kind in CORRECTIONS}
    offered = [kind for kind in CORRECTIONS if known[kind]]
    days = sorted(set.intersection(*(known[kind] for kind in offered)))
    return max(offered, key=lambda kind: (round(best.explained(days, kind), 3), -CORRECTIONS.index(kind)))


def _against(best: _Trial, other: _Trial, days: list[dt.date]) -> Against:
    rng = np.random.default_rng(1)
    differences = np.zeros(DRAWS)
    compared = [day for day in days if best.told_apart(day) and other.told_apart(day)]
    for day in compared:
        (own, whole), (others, _) = best.blocks[day, "none"], other.blocks[day, "none"]
        draws = rng.multinomial(len(own), np.full(len(own), 1 / len(own)), size=DRAWS)
        differences += (draws @ (others - own)) / (draws @ whole) / len(compared)
    low, high = np.quantile(differences, [0.05, 0.95]) if compared else (0.0, 0.0)
    difference = best.explained(days, "none") - other.explained(days, "none")
    return Against(other.name, difference, float(low), float(high))
