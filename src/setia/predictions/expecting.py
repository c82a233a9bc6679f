"""What the chosen candidate expects within some horizons from today on, corrected as in the back-test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from setia.kernel.errors import SetiaError
from setia.predictions.backtest import FAILURES
from setia.predictions.candidates import CANDIDATES, LEARNED, NAIVE
from setia.predictions.correcting import Factor, factors, needed, ratio
from setia.predictions.forecast import Fitted, Forecast
from setia.predictions.past import Past, Windows

FALLBACKS = ("mbg_nbd", "bg_nbd")


class NoModel(SetiaError):
    """No model could be fitted to this shop's orders. {reason}"""

    code = "predictions.no_model"


@dataclass(frozen=True, eq=False)
class Expected:
    """One element per customer in each forecast, in the order of the past."""

    name: str
    """Of the candidate."""
    correction: str
    past: Past
    fitted: Fitted
    ahead: dict[float, Forecast]
    factor: Factor
    ratios: dict[int, Factor | None]
    before: tuple[Forecast, Past] | None
    """The newest complete window with its forecast, as it would have been corrected; None where none is complete."""
    passed_over: dict[str, str]
    """Better candidates that could not be fitted, and why."""


def expect(windows: Windows, ranking: Sequence[str], correction: str, horizons: Sequence[float]) -> Expected:
    """Fit the first candidate of the ranking that can be fitted, or a purchase model, and ask it what is to come.

    The correction is the first one's; another that takes its place goes without. Raises NoModel.
    """
    past = windows.past(0)
    passed_over: dict[str, str] = {}
    window = float(windows.horizon)
    for name in dict.fromkeys((*ranking, *FALLBACKS)):
        try:
            fitted = CANDIDATES[name][1](past)
            ahead = {days: fitted.ahead(days) for days in {*horizons, window}}
            break
        except FAILURES as problem:
            passed_over[name] = str(problem)
    else:
        raise NoModel(reason=next(passed_over[name] for name in FALLBACKS))
    correction = correction if name == ranking[0] else "none"
    year = windows.a_year_back
    wanted = {1, *needed(correction, 0, year), *needed(correction, 1, year)}
    ratios, before = _complete(windows, name, wanted)
    factor = factors(ratios, 0, year).get(correction, Factor())
    if before is not None:
        then = factors(ratios, 1, year).get(correction, Factor())
        before = then.of(before[0]), before[1]
    corrected = {days: _corrected(days, ahead, window, factor) for days in horizons}
    return Expected(name, correction, past, fitted, corrected, factor, ratios, before, passed_over)


def _complete(
    windows: Windows, name: str, wanted: set[int]
) -> tuple[dict[int, Factor | None], tuple[Forecast, Past] | None]:
    """Actual ÷ expected of the complete windows that are wanted, and the newest with its forecast."""
    ratios: dict[int, Factor | None] = {}
    newest = None
    usable = windows.usable(max(wanted))
    for back in sorted(each for each in wanted if each <= usable):
        past = windows.past(back)
        try:
            forecast = CANDIDATES[name][1](past).ahead(float(past.horizon))
        except FAILURES:
            continue
        ratios[back] = ratio(past, forecast)
        if back == 1:
            newest = forecast, past
    return ratios, newest


def _corrected(days: float, ahead: dict[float, Forecast], window: float, factor: Factor) -> Forecast:
    """Level and season are those of the next window; what comes after it stays as it was expected."""
    forecast = ahead[days]
    if days <= window:
        return factor.of(forecast)
    raw, after = ahead[window], factor.of(ahead[window])
    return Forecast(
        np.maximum(forecast.days - raw.days, 0) + after.days,
        np.maximum(forecast.revenue - raw.revenue, 0) + after.revenue,
        np.maximum(forecast.chance, after.chance),
    )


def teller_of_active(expected: Expected, ranking: Sequence[str]) -> tuple[str, Fitted] | None:
    """Who tells the chance of each customer to be one still: the expected candidate, or else the best that knows of
    one. None where none can be fitted."""
    if expected.fitted.active is not None:
        return expected.name, expected.fitted
    for other in dict.fromkeys((*ranking, *FALLBACKS)):
        if other == expected.name or other in NAIVE or other in LEARNED:
            continue
        try:
            return other, CANDIDATES[other][1](expected.past)
        except FAILURES:
            continue
    return None
