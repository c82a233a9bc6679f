"""What a terminal shows: progress of long work, tables, sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import Console

    from setia.app import Shop

ShopOption = Annotated[str, typer.Option("--shop", "-C", help="The workspace folder.", show_default="this folder")]
LangOption = Annotated[str | None, typer.Option("--lang", help="en, id or ms; the shop's own by default.")]
AsOfOption = Annotated[
    str | None, typer.Option("--as-of", metavar="YYYY-MM-DD", help="As things stood at the start of that day.")
]


WIDE = 240
"""Characters in a line of a table that goes into a file or another command."""


def console(*, err: bool = False) -> Console:
    """The terminal."""
    from rich.console import Console

    shown = Console(stderr=err, highlight=False, soft_wrap=True)
    if not shown.is_terminal:
        shown.width = WIDE
    return shown


class Bars:
    """Progress bars on standard error: share done, rate and time left."""

    def __init__(self) -> None:
        self._console = console(err=True)

    @contextmanager
    def stage(self, title: str, total: float, unit: str = "") -> Iterator[_Bar]:
        """Show one bar while the work goes on; it goes when the work is done."""
        from rich.markup import escape
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        measured: list[Any] = [DownloadColumn(), TransferSpeedColumn()] if unit == "bytes" else [MofNCompleteColumn()]
        columns = [TextColumn("{task.description}"), BarColumn(), *measured, TimeRemainingColumn()]
        watched = self._console.is_terminal
        with Progress(*columns, console=self._console, transient=True, disable=not watched) as progress:
            yield _Bar(progress, progress.add_task(escape(title), total=total))

    def say(self, sentence: str) -> None:
        """Say one sentence that stays."""
        self._console.print(sentence, markup=False)


class _Bar:
    def __init__(self, progress: Any, task: Any) -> None:
        self._progress = progress
        self._task = task

    def advance(self, done: float) -> None:
        self._progress.update(self._task, completed=done)


def opened(folder: str) -> Shop:
    """The shop in a folder, with progress on the terminal."""
    from setia.app import Shop

    return Shop.open(folder, progress=Bars())


def day(text: str | None) -> Any:
    """A day given on the command line. Raises typer.BadParameter."""
    import datetime as dt

    try:
        return dt.date.fromisoformat(text) if text is not None else None
    except ValueError as problem:
        raise typer.BadParameter(f"{text!r} is not a day such as 2026-08-31") from problem


def plain(value: Any) -> str:
    """A value as a small table shows it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.4f}"
    return "–" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def csv_lines(found: pa.Table) -> None:
    """Show a whole table as CSV that a spreadsheet opens without running anything in it."""
    import sys

    from setia.kernel.spreadsheet import write_csv

    rows = (row.values() for batch in found.to_batches(max_chunksize=10_000) for row in batch.to_pylist())
    write_csv(sys.stdout, found.column_names, map(list, rows))


def lines(found: Iterable[str]) -> None:
    """Show each on a line of its own, for another command to read."""
    for each in found:
        typer.echo(each)


def table(columns: list[str], rows: list[list[str]], *, title: str = "", fixed: bool = False) -> None:
    """Show a small table, its first column never broken where `fixed`."""
    from rich.table import Table
    from rich.text import Text

    shown = Table(
        title=Text(title) if title else None, title_justify="left", header_style="bold", box=None, pad_edge=False
    )
    for place, column in enumerate(columns):
        longest = max(map(len, column.split()), default=0)
        shown.add_column(column, overflow="fold", no_wrap=fixed and place == 0, min_width=longest)
    for row in rows:
        shown.add_row(*(Text(cell) for cell in row))
    console().print(shown)
