"""A cohort table: one row per `y`, one column per `x`, cells shaded by their value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from setia.kernel.figure import Column, Figure
from setia.kernel.i18n import Speaker
from setia.report.cells import celled, formatted, headed
from setia.report.scales import kind_of, number_of, title_of

SHADES = 7


@dataclass(frozen=True, slots=True)
class Shaded:
    """One cell: its text, its shade (0 lightest, None unshaded), whether it is not complete yet."""

    text: str
    shade: int | None = None
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One row: its name, what belongs to it as a whole, its cells."""

    name: str
    facts: list[str]
    cells: list[Shaded]


@dataclass(frozen=True, slots=True)
class Grid:
    """The table laid out, its texts formatted."""

    x_title: str
    y_title: str
    fact_titles: list[str]
    heads: list[str]
    lines: list[Line]

    @property
    def has_open(self) -> bool:
        """Whether some cell is not complete yet."""
        return any(cell.is_open for line in self.lines for cell in line.cells)


def laid_out(figure: Figure, speaker: Speaker) -> Grid:
    """The figure's rows as a table of `y` by `x`.

    Other columns that have one value per `y` (a cohort's size) stand beside its name. Values are shaded from zero to
    the largest; shares go to the largest below 1 and leave the first column, which is all of them, unshaded.
    """
    key = figure.series[0]
    across = list(dict.fromkeys(row[figure.x] for row in figure.rows))
    by_place = {(row[figure.y], row[figure.x]): row for row in figure.rows}
    downwards = list(dict.fromkeys(row[figure.y] for row in figure.rows))
    facts = [column for column in figure.columns if _is_fact(figure, column)]
    numbers = [n for row in figure.rows if (n := number_of(row.get(key))) is not None]
    is_share = kind_of(figure, key) == "percent"
    top = max((n for n in numbers if not (is_share and n >= 1)), default=1.0)
    everybody = is_share and all(
        number_of(row.get(key)) in (1, None) for row in figure.rows if row[figure.x] == across[0]
    )
    whole = 0.0 if everybody else top
    lines = []
    for y in downwards:
        first = next(row for row in figure.rows if row[figure.y] == y)
        cells = [_cell(figure, by_place.get((y, x)), top if n else whole, speaker) for n, x in enumerate(across)]
        name = formatted(kind_of(figure, figure.y), y, speaker)
        lines.append(Line(name, [celled(c, first.get(c.key), speaker) for c in facts], cells))
    return Grid(
        title_of(figure, figure.x, speaker),
        title_of(figure, figure.y, speaker),
        [headed(column, speaker) for column in facts],
        [_head(figure, x, speaker) for x in across],
        lines,
    )


def _head(figure: Figure, x: Any, speaker: Speaker) -> str:
    """A column's head; a length of time goes without its unit, which the title over all columns gives."""
    kind = kind_of(figure, figure.x)
    return speaker.count(x) if kind in ("days", "number") else formatted(kind, x, speaker)


def _is_fact(figure: Figure, column: Column) -> bool:
    if column.key in (figure.x, figure.y, *figure.series):
        return False
    pairs = {(row[figure.y], row.get(column.key)) for row in figure.rows}
    return len(pairs) == len({y for y, _value in pairs})


def _cell(figure: Figure, row: dict[str, Any] | None, top: float, speaker: Speaker) -> Shaded:
    if row is None:
        return Shaded("")
    kind, value = kind_of(figure, figure.series[0]), row.get(figure.series[0])
    number = number_of(value)
    if number is None:
        return Shaded("", is_open=True) if kind == "percent" else Shaded(speaker.missing)
    text = speaker.percent(number, 0) if kind == "percent" else formatted(kind, value, speaker)
    if top <= 0:
        return Shaded(text)
    share = min(1.0, max(0.0, number / top))
    return Shaded(text, min(SHADES - 1, int(share * SHADES)))
