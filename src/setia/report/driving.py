"""The page on what goes with staying: first days, support, products, channels; each with the test that would show it."""

from __future__ import annotations

from typing import Any

from setia.kernel.figure import Column, Figure, Section
from setia.kernel.i18n import Speaker
from setia.predictions.drivers import Driver, Drivers

MOST = 15


def section(found: Drivers, names: dict[str | None, str], speaker: Speaker) -> Section:
    """Associations with staying, adjusted for one another."""
    early = [row for row in found.rows if row.early]
    figures = [_figure("drivers", speaker("What goes with staying"), found.rows[:MOST], names, speaker)]
    if early:
        figures.append(_figure("first_days", speaker("First days that tell who stays"), early[:MOST], names, speaker))
    return Section(
        name="drivers",
        title=speaker("What keeps them"),
        lead=speaker(
            "What {n} customers did and met with in their first {window} days, and who of them bought again in the {horizon} "
            "days after that. ",
            n=speaker.count(found.customers), window=speaker.count(found.window_days), horizon=speaker.count(found.horizon_days),
        )
        + speaker(found.caution),
        figures=tuple(figures),
    )  # fmt: skip


def _figure(name: str, title: str, rows: Any, names: dict[str | None, str], speaker: Speaker) -> Figure:
    shown = [_row(row, names, speaker) for row in rows]
    clear = [(row, told) for row, told in zip(rows, shown, strict=True) if row.significant]
    finding = speaker("Nothing stands out clearly yet.")
    if clear:
        row, told = clear[0]
        change = "+" if row.adjusted_difference > 0 else "−"
        finding = speaker(
            "Most clearly: {what} ({difference} points of retention, all else being alike).",
            what=told["what"], difference=change + speaker.number(abs(100 * row.adjusted_difference), 0),
        )  # fmt: skip
    return Figure(
        name=name,
        title=title,
        finding=finding,
        columns=(
            Column("what", speaker("What"), "text"),
            Column("customers", speaker("Customers with it"), "count"),
            Column("stayed_with", speaker("Stayed with it"), "percent"),
            Column("stayed_without", speaker("Stayed without it"), "percent"),
            Column("adjusted", speaker("Difference, all else alike"), "points"),
            Column("low", speaker("from"), "points"),
            Column("high", speaker("to"), "points"),
            Column("clear", speaker("Clear?"), "text"),
            Column("test", speaker("What would show whether it is a cause"), "text"),
        ),
        rows=shown,
        mark="intervals" if shown else "none",
        x="what",
        series=("adjusted", "low", "high"),
        how=speaker(
            "A logistic regression on everything in the table and the month of the first order; the mean difference over all "
            "customers, with its 95 % interval. Clear: of all that are called so, at most one in twenty is chance."
        ),
    )


def _row(row: Driver, names: dict[str | None, str], speaker: Speaker) -> dict[str, Any]:
    level = names.get(row.level, row.level) if row.kind == "first_product" else row.level
    return {
        "what": speaker(row.title) + (f": {level}" if level is not None else ""),
        "customers": row.customers_with,
        "stayed_with": row.stayed_with,
        "stayed_without": row.stayed_without,
        "adjusted": row.adjusted_difference,
        "low": row.low,
        "high": row.high,
        "clear": speaker("yes") if row.significant else speaker("no"),
        "test": speaker(row.test),
    }
