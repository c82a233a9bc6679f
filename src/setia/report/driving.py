"""The page on what goes with staying: first days, support, products, channels; each with the test that would show it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from setia.kernel.figure import Column, Figure, Section
from setia.kernel.i18n import N_, Speaker
from setia.predictions.drivers.drivers import Driver, Drivers

MOST = 15
OF_LEVELS = {
    "first_product": N_("First product"),
    "first_category": N_("First category"),
    "channel": N_("First channel"),
    "source": N_("Won by"),
    "support": N_("Asked about"),
    "feature": N_("Did"),
}
"""What stands before a level, in a word or two."""


def section(found: Drivers, names: dict[str | None, str], speaker: Speaker) -> Section:
    """Associations with staying, adjusted for one another."""
    early = [row for row in found.rows if row.early]
    figures = [_figure("drivers", speaker("What goes with staying"), found.rows[:MOST], names, speaker)]
    if early:
        figures.append(_figure("first_days", speaker("First days that tell who stays"), early[:MOST], names, speaker))
    figures.append(_tests(found.rows[:MOST], names, speaker))
    return Section(
        name="drivers",
        title=speaker("What keeps them"),
        lead=speaker(
            "What {n} customers did and met with in their first {window} days, and who of them bought again in the {horizon} "
            "days after that.",
            n=speaker.count(found.customers), window=speaker.count(found.window_days), horizon=speaker.count(found.horizon_days),
        )
        + " "
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


def _tests(rows: Sequence[Driver], names: dict[str | None, str], speaker: Speaker) -> Figure:
    clear = [row for row in rows if row.significant] or rows
    return Figure(
        name="driver_tests",
        title=speaker("What would show whether it is a cause"),
        finding=speaker("What goes with staying need not cause it; a group held out by lot would show it."),
        columns=(Column("what", speaker("What"), "text"), Column("test", speaker("Test"), "text")),
        rows=[{"what": _name(row, names, speaker), "test": speaker(row.test)} for row in clear],
    )


def _name(row: Driver, names: dict[str | None, str], speaker: Speaker) -> str:
    if row.level is None:
        return speaker(row.title)
    level = names.get(row.level, row.level) if row.kind == "first_product" else row.level
    return f"{speaker(OF_LEVELS.get(row.kind, row.title))}: {level}"


def _row(row: Driver, names: dict[str | None, str], speaker: Speaker) -> dict[str, Any]:
    return {
        "what": _name(row, names, speaker),
        "customers": row.customers_with,
        "stayed_with": row.stayed_with,
        "stayed_without": row.stayed_without,
        "adjusted": row.adjusted_difference,
        "low": row.low,
        "high": row.high,
        "clear": speaker("yes") if row.significant else speaker("no"),
    }
