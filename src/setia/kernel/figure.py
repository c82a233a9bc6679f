"""A figure: one sentence, a table, and the mark that draws it. Report, console, terminal and notebook show the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["text", "count", "number", "percent", "points", "money", "days", "date", "month"]
"""How a column's values are formatted; all but text are set flush right."""
Mark = Literal["none", "line", "bars", "grid", "intervals"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a figure's table, titled in the reader's language."""

    key: str
    title: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Figure:
    """Something to look at, its words already in the reader's language.

    `mark` draws `series` (column keys) over the column `x`: a `line` (a survival curve is stepped), `bars`, a `grid`
    (a cohort table: `x` across, `y` down, `series[0]` shaded; cells that are None with `open_cells` are marked as not
    complete yet) or `intervals` (`series` is estimate, low, high). `none` shows the table alone.
    """

    name: str
    title: str
    finding: str
    """What the figure shows, in one sentence."""
    columns: tuple[Column, ...]
    rows: list[dict[str, Any]]
    mark: Mark = "none"
    x: str = ""
    y: str = ""
    series: tuple[str, ...] = ()
    stepped: bool = False
    how: str = ""
    """How it is calculated, one click away."""
    note: str = ""
    """A caution that belongs beside it."""
    marks: str = ""
    """The column whose text says what is out of the ordinary about a row; its place in the drawing is marked."""


@dataclass(frozen=True, slots=True)
class Headline:
    """One number that people look at first."""

    name: str
    title: str
    value: str
    """Formatted, a dash where there is none."""
    detail: str
    """Denominator, window or reason."""
    how: str = ""


@dataclass(frozen=True, slots=True)
class Knob:
    """A number that a reader may turn."""

    name: str
    title: str
    unit: str
    """What one step is: percentage points, per cent."""
    low: float
    high: float
    step: float


@dataclass(frozen=True, slots=True)
class Calculator:
    """Numbers to try out on the page itself; the figures beside it show the same for a few changes."""

    numbers: dict[str, float]
    """What the shop's own numbers are, by the names that the page's script knows."""
    knobs: tuple[Knob, ...]
    results: tuple[Headline, ...]
    """As things stand; the script puts others in their place."""
    currency: str
    """The currency's sign, and in `digits` how many digits follow the point."""
    digits: int


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a report."""

    name: str
    title: str
    lead: str
    headlines: tuple[Headline, ...] = ()
    figures: tuple[Figure, ...] = ()
    calculator: Calculator | None = None
    analyst: bool = False
    """Shown once the reader asks for the analyst's pages."""


@dataclass(frozen=True, slots=True)
class Page:
    """A whole report in one language."""

    language: str
    title: str
    subtitle: str
    sections: tuple[Section, ...]
    footer: str
    labels: dict[str, str] = field(default_factory=dict)
    """Words of the frame, beside those of `report.labels`."""
