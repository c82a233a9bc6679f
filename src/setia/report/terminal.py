"""A page in the terminal: the same figures, the first rows of each."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from setia.kernel.figure import Figure, Headline, Page
from setia.kernel.i18n import Speaker
from setia.report.cells import celled, headed
from setia.report.grid import Shaded, laid_out
from setia.report.labels import labels

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

MOST_ROWS = 12
MOST_AGES = 12
"""Columns of a cohort table; a terminal holds no more."""


def show(page: Page, speaker: Speaker, console: Console, most: int = MOST_ROWS) -> None:
    """Prints the page without the analyst's parts: headlines, findings, tables of at most so many rows."""
    from rich.padding import Padding
    from rich.rule import Rule

    words = {**labels(speaker), **page.labels}
    console.print(_text(page.title, "bold"))
    console.print(_text(page.subtitle, "dim"))
    for section in page.sections:
        if section.analyst:
            continue  # the terminal has `setia metrics` for them
        console.print()
        console.print(Rule(_text(section.title, "bold cyan"), align="left", style="cyan"))
        if section.lead:
            console.print(_text(section.lead))
        if section.headlines:
            console.print(Padding(_headlines(section.headlines), (1, 0, 0, 0)))
        for figure in section.figures:
            console.print()
            for part in _figure(figure, speaker, words, most):
                console.print(part)
    console.print()
    console.print(_text(page.footer, "dim"))


def _headlines(headlines: tuple[Headline, ...]) -> Table:
    """One line per headline: title, number, detail."""
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    grid.add_column()
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column()
    for headline in headlines:
        grid.add_row(_text(headline.title), _text(headline.value, "bold cyan"), _text(headline.detail, "dim"))
    return grid


def _figure(figure: Figure, speaker: Speaker, words: dict[str, str], most: int) -> list[RenderableType]:
    parts: list[RenderableType] = [_text(figure.title, "bold"), _text(figure.finding)]
    if not figure.rows:
        parts.append(_text(words["no_rows"], "dim"))
    elif figure.mark == "grid" and figure.series:
        parts += _grid(figure, speaker, words, most)
    else:
        parts.append(_table(figure, speaker, most))
        parts += _rest(len(figure.rows), words, most)
    if figure.note:
        parts.append(_text(f"{words['caution']}: {figure.note}", "yellow"))
    return parts


def _table(figure: Figure, speaker: Speaker, most: int) -> Table:
    table = _empty_table()
    for column in figure.columns:
        table.add_column(_text(headed(column, speaker)), justify="left" if column.kind == "text" else "right")
    for row in figure.rows[:most]:
        table.add_row(*(_text(celled(c, row.get(c.key), speaker)) for c in figure.columns))
    return table


def _grid(figure: Figure, speaker: Speaker, words: dict[str, str], most: int) -> list[RenderableType]:
    grid = laid_out(figure, speaker)
    table = _empty_table()
    table.title = _text(grid.x_title, "dim")
    table.add_column(_text(grid.y_title), no_wrap=True)
    for title in [*grid.fact_titles, *grid.heads[:MOST_AGES]]:
        table.add_column(_text(title), justify="right", no_wrap=True)
    for line in grid.lines[:most]:
        cells = [_text(_shown(cell)) for cell in line.cells[:MOST_AGES]]
        table.add_row(_text(line.name), *map(_text, line.facts), *cells)
    key: list[RenderableType] = [_text(f"· {words['open']}", "dim")] if grid.has_open else []
    return [table, *_rest(len(grid.lines), words, most), *key]


def _shown(cell: Shaded) -> str:
    return "·" if cell.is_open else cell.text


def _rest(rows: int, words: dict[str, str], most: int) -> list[RenderableType]:
    more = rows - most
    return [_text(words["more_rows"].format(n=more), "dim")] if more > 0 else []


def _empty_table() -> Table:
    from rich import box
    from rich.table import Table

    return Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", title_justify="right")


def _text(words: str, style: str = "") -> Text:
    """Text as it is: no markup, and no control characters that a customer's name could send to the terminal."""
    from rich.text import Text

    return Text("".join(c for c in words if unicodedata.category(c) != "Cc" or c == "\n"), style=style)
