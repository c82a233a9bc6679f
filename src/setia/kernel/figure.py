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
class Section:
    """One part of a report."""

    name: str
    title: str
    lead: str
    headlines: tuple[Headline, ...] = ()
    figures: tuple[Figure, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A whole report in one language."""

    language: str
    title: str
    subtitle: str
    sections: tuple[Section, ...]
    footer: str
    labels: dict[str, str] = field(default_factory=dict)
    """Words of the frame: `contents`, `skip`, `table`, `how`, `open`, `theme`, `caution`, `no_rows`."""
