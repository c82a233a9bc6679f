"""From values to places: linear scales, round tick marks and the axis labels that fit."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from setia.kernel.figure import Figure, Kind
from setia.kernel.i18n import Speaker
from setia.report.cells import headed, is_missing, short

WIDE_ROOM, NARROW_ROOM = 96, 30
"""Characters that fit along the horizontal axis of a page, and of a telephone."""
EDGE = 0.06
"""A label so near to an end of its axis is set flush with it."""
_ROUND: dict[str, tuple[int, ...]] = {"days": (1, 2, 5, 7, 10, 14, 30, 60, 90, 180, 365, 730, 1825)}


@dataclass(frozen=True, slots=True)
class Scale:
    """Values from `low` to `high` as shares of a length, with tick marks at round values."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def at(self, value: float) -> float:
        """Where a value lies: 0 at `low`, 1 at `high`."""
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled place on the horizontal axis; `narrow` ones are shown on a telephone too."""

    at: float
    label: str
    narrow: bool


def step_for(spread: float, kind: Kind, most: int) -> float:
    """The smallest round step that cuts a spread into at most so many parts."""
    rough = spread / most
    named = next((step for step in _ROUND.get(kind, ()) if step >= rough), None)
    if named is not None:
        return named
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * n for n in (1, 2, 2.5, 5, 10) if power * n >= rough * (1 - 1e-9))
    return max(1, math.ceil(step)) if kind in ("count", "days") else step


def scale_over(values: Sequence[float], kind: Kind, most: int = 4) -> Scale:
    """A scale from zero (or below, for negative values) over all values, ending on round values."""
    low, high = min(0.0, *values), max(0.0, *values)
    if low == high:
        high = 1.0
    step = step_for(high - low, kind, most)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return Scale(first * step, last * step, tuple(n * step for n in range(first, last + 1)))


def kind_of(figure: Figure, key: str) -> Kind:
    """The kind of a figure's column; a number where it has no such column."""
    return next((column.kind for column in figure.columns if column.key == key), "number")


def title_of(figure: Figure, key: str, speaker: Speaker) -> str:
    """The title of a figure's column with its unit, its key where it has no such column."""
    return next((headed(column, speaker) for column in figure.columns if column.key == key), key)


def number_of(value: Any) -> float | None:
    """A value as a number to draw (a day as its ordinal); None for a missing one or text."""
    if is_missing(value) or isinstance(value, str):
        return None
    if isinstance(value, dt.date):
        return float(value.toordinal())
    return float(value)


def sparse(labels: Sequence[str], places: Sequence[float]) -> list[Tick]:
    """As many of the labels as fit side by side, counted back from the last; fewer for a telephone."""
    last = len(labels) - 1

    def apart(step: int, room: int) -> bool:
        spans = [_span(places[n], len(labels[n]), room) for n in range(last, -1, -step)]
        return all(right[0] - left[1] >= 1.5 for right, left in itertools.pairwise(spans))

    wide = next((step for step in range(1, last + 1) if apart(step, WIDE_ROOM)), last + 1)
    narrow = next((step for step in range(wide, last + 1, wide) if apart(step, NARROW_ROOM)), last + 1)
    return [Tick(places[n], labels[n], (last - n) % narrow == 0) for n in range(len(labels)) if (last - n) % wide == 0]


def _span(place: float, length: int, room: int) -> tuple[float, float]:
    """From which character to which a label reaches; flush with the axis near its ends."""
    start = 0.0 if place < EDGE else room - length if place > 1 - EDGE else place * room - length / 2
    return start, start + length


def round_ticks(scale: Scale, kind: Kind, speaker: Speaker) -> list[Tick]:
    """The scale's own ticks as a horizontal axis; every other one on a telephone where there are many."""
    every = 2 if len(scale.ticks) > 6 else 1
    return [
        Tick(scale.at(tick), short(kind, tick, speaker), n % every == 0)
        for n, tick in enumerate(scale.ticks)
        if scale.at(tick) <= 1 + 1e-9
    ]
