"""Targets and alerts: whether a figure reached what the shop wants, and whether it left what was to be expected.

The range is learned from the measure's own past, week by week: the median of the eight windows before, moved by the
usual drift, give or take three and a half usual deviations, and never narrower than chance alone would make it.
Windows in which the calendar has an occasion teach nothing about ordinary ones; one of them is compared with the same
occasion a year before, or with nothing. Only windows that are complete are judged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log, sqrt
from statistics import median
from typing import TYPE_CHECKING, Literal

from setia.history.calendar import UnknownOccasion
from setia.history.scope import Scope
from setia.history.windows import Window
from setia.metrics.catalogue import METRICS, metric
from setia.metrics.measure import ALL, Measure
from setia.metrics.metric import Unit

if TYPE_CHECKING:
    from setia.warehouse.snapshot import Snapshot

BEFORE = 8
"""Windows whose median is the level."""
FEWEST = 12
"""Deviations from the level that must be known before anything is expected."""
MOST = 104
WIDTH = 3.5
"""Usual deviations that the range reaches each way."""
WATCHED = (
    "order_value", "purchase_frequency", "returning_revenue", "conversion", "add_to_cart", "cart_abandonment",
    "nps", "csat", "open_rate", "unsubscribe_rate", "complaint_rate",
)  # fmt: skip
"""Measures of which a week says something."""
SEASONS = ("ramadan", "lebaran", "lunar_new_year", "11.11", "12.12")
Judgement = Literal["expected", "below", "above", "unknown"]


@dataclass(frozen=True, slots=True)
class Point:
    """A measure in one window, with the standard error that chance alone gives it."""

    window: Window
    value: float | None
    error: float = 0.0


@dataclass(frozen=True, slots=True)
class Scale:
    """On which values of one unit are compared, so that no range leaves what can be."""

    there: Callable[[float], float]
    back: Callable[[float], float]
    slope: Callable[[float], float]
    """How much the scale moves for a small move of the value."""
    least: float = 0.01
    """A deviation that is never worth a word."""

    def error(self, value: float, error: float) -> float:
        """A standard error of the value, on this scale."""
        return self.slope(value) * error


def _inside(share: float) -> float:
    return min(max(share, 0.001), 0.999)


PLAIN = Scale(lambda x: x, lambda x: x, lambda _x: 1.0)
SCORE = Scale(lambda x: x, lambda x: min(max(x, -100.0), 100.0), lambda _x: 1.0, least=1.0)
LOG_ODDS = Scale(
    lambda p: log(_inside(p) / (1 - _inside(p))),
    lambda x: 1 / (1 + exp(-x)),
    lambda p: 1 / (_inside(p) * (1 - _inside(p))),
)
LOGARITHM = Scale(lambda x: log(max(x, 1e-9)), exp, lambda x: 1 / max(x, 1e-9))
SCALES: dict[Unit, Scale] = {
    "share": LOG_ODDS, "money": LOGARITHM, "orders": LOGARITHM, "ratio": LOGARITHM, "score": SCORE, "days": LOGARITHM,
    "hours": LOGARITHM, "months": LOGARITHM, "table": PLAIN,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Watched:
    """One measure's newest complete week against what was to be expected."""

    metric: str
    window: Window
    value: float | None
    low: float | None
    high: float | None
    judgement: Judgement
    occasions: tuple[str, ...] = ()
    """Titles of what the calendar has in the window."""

    @property
    def alerts(self) -> bool:
        """Whether somebody should look."""
        return self.judgement in ("below", "above")

    @property
    def bad(self) -> bool:
        """Whether it moved the wrong way."""
        better = METRICS[self.metric].better
        return self.alerts and better != "neither" and (self.judgement == "below") == (better == "higher")


def watch(facts: Snapshot, scope: Scope, names: Sequence[str] = WATCHED, *, days: int = 7) -> list[Watched]:
    """Each measure's newest complete window of so many days, judged. Without value or past: `unknown`."""
    found = []
    for name in names:
        measure = METRICS[name]
        if isinstance(measure, Measure) and not measure.lacking(facts, scope):
            found.append(judge(measure, scope, series(measure, facts, scope, days)))
    return found


def series(measure: Measure, facts: Snapshot, scope: Scope, days: int) -> list[Point]:
    """The measure week by week, oldest first, from the first one that has a value."""
    windows = measure.shown(scope, days, None, MOST)
    cells = measure.sums(facts, scope, windows)
    found: list[Point] = []
    for place, window in enumerate(windows):
        parts = cells.get((place, ALL))
        value = measure.formula_of.value(parts) if parts else None
        if value is None and not found:
            continue  # before the shop's first week
        error = 0.0
        if value is not None and parts and measure.formula_of.interval:
            interval = measure.formula_of.interval(parts)
            error = (interval.high - interval.low) / 2 / 1.96
        found.append(Point(window, float(value) if value is not None else None, error))
    return found


def judge(measure: Measure, scope: Scope, past: Sequence[Point]) -> Watched:
    """The newest window of a series against those before it."""
    if not past:
        return Watched(measure.name, Window(scope.as_of, scope.as_of), None, None, None, "unknown")
    newest, scale = past[-1], SCALES[measure.unit]
    seasons = {each.name: each.title for each in scope.calendar.marks(newest.window) if is_season(each.name, scope)}
    unknown = Watched(measure.name, newest.window, newest.value, None, None, "unknown", tuple(seasons.values()))
    level = _expected(
        [scale.there(p.value) for p in past[:-1] if p.value is not None and not _in_season(p.window, scope)]
    )
    if newest.value is None or level is None:
        return unknown
    middle, spread = level
    reach = WIDTH * max(spread, scale.least, scale.error(newest.value, newest.error))
    if seasons:
        then = _year_before(next(iter(seasons)), past, scope, scale, reach)
        if then is None:
            return unknown
        # Two weeks' chance stands between one feast and the next.
        middle, reach = then, reach * sqrt(2)
    low, high = scale.back(middle - reach), scale.back(middle + reach)
    judgement: Judgement = "below" if newest.value < low else "above" if newest.value > high else "expected"
    return Watched(measure.name, newest.window, newest.value, low, high, judgement, tuple(seasons.values()))


def is_season(name: str, scope: Scope) -> bool:
    """Whether an occasion moves figures so much that ordinary weeks say nothing about it."""
    return name in SEASONS or any(name == own.name for own in scope.calendar.own)


def _in_season(window: Window, scope: Scope) -> bool:
    return any(is_season(each.name, scope) for each in scope.calendar.marks(window))


def _expected(values: Sequence[float]) -> tuple[float, float] | None:
    """Level and usual deviation of the next value; None where too little is known."""
    if len(values) < BEFORE + FEWEST:
        return None
    misses = [values[n] - median(values[n - BEFORE : n]) for n in range(BEFORE, len(values))]
    drift = median(misses)
    spread = 1.4826 * median(abs(miss - drift) for miss in misses)
    return median(values[-BEFORE:]) + drift, spread


def _year_before(name: str, past: Sequence[Point], scope: Scope, scale: Scale, most: float) -> float | None:
    """What the same occasion brought a year before, moved by how much ordinary weeks have changed since.

    None where they have changed by more than `most`: the shop was another one then, and its feast says nothing.
    """
    window = past[-1].window
    try:
        then = scope.calendar.aligned(name)(window)
    except UnknownOccasion:
        return None
    known = [n for n, point in enumerate(past[:-1]) if point.value is not None]
    place = min(known, key=lambda n: abs((past[n].window.since - then.since).days), default=None)
    if place is None or abs((past[place].window.since - then.since).days) > window.days // 2:
        return None

    def ordinary(points: Sequence[Point]) -> list[float]:
        plain = [p.value for p in points if p.value is not None and not _in_season(p.window, scope)]
        return [scale.there(value) for value in plain[-BEFORE:]]

    before, now, seen = ordinary(past[:place]), ordinary(past[:-1]), past[place].value
    if len(before) < BEFORE // 2 or len(now) < BEFORE // 2 or seen is None:
        return None
    moved = median(now) - median(before)
    return scale.there(seen) + moved if abs(moved) <= most else None


@dataclass(frozen=True, slots=True)
class Target:
    """What the shop wants of a metric, and what it got."""

    metric: str
    target: float
    value: float | None
    reached: bool | None
    """None where there is no figure, or where neither direction is better."""
    reason: str | None


def targets(facts: Snapshot, scope: Scope, wanted: Mapping[str, float]) -> list[Target]:
    """Each target against the newest complete window. Raises UnknownMetric."""
    found = []
    for name, target in wanted.items():
        known = metric(name)
        answer = known.ask(facts, scope)
        value = float(answer.value) if answer.value is not None else None
        if value is None or known.better == "neither":
            reached = None
        else:
            reached = value >= target if known.better == "higher" else value <= target
        found.append(Target(name, target, value, reached, answer.reason))
    return found
