"""Costs: what was spent on winning and keeping customers."""

from __future__ import annotations

from typing import Any

from setia.kernel.figure import Column, Figure, Section
from setia.kernel.i18n import N_, Speaker
from setia.metrics.catalogue import METRICS
from setia.report.contents import Contents
from setia.report.showing import headline

PURPOSES = {"winning": N_("winning"), "keeping": N_("keeping"), "other": N_("other")}
CATEGORIES = {
    "messages": N_("messages"), "rewards": N_("rewards"), "loyalty": N_("loyalty programme"),
    "support": N_("customer service"), "retention": N_("keeping customers"), "advertising": N_("advertising"),
    "acquisition": N_("winning customers"),
}  # fmt: skip
"""The words for categories that Setia itself gives or counts by default; others are the shop's own."""


def section(contents: Contents, speaker: Speaker) -> Section:
    """Retention cost, and every category."""
    asked = contents.answers
    cost = asked["retention_cost"].figures
    each = speaker(
        "{cost} for {n} customers kept in {days} days", cost=speaker.money(cost["cost"]),
        n=speaker.count(cost["retained"]), days=speaker.count(cost["window_days"]),
    )  # fmt: skip
    return Section(
        name="costs",
        title=speaker("Costs"),
        lead=speaker("What is spent on customers, and what keeping one costs."),
        headlines=(headline(asked["retention_cost"], speaker, each), headline(asked["costs"], speaker)),
        figures=(_categories(contents, speaker),),
    )


def _named(row: dict[str, Any], speaker: Speaker) -> str:
    category = speaker(CATEGORIES[row["category"]]) if row["category"] in CATEGORIES else row["category"]
    return f"{category} ({row['programme']})" if row["programme"] else category


def _categories(contents: Contents, speaker: Speaker) -> Figure:
    answer = contents.answers["costs"]
    rows = [
        {
            **row,
            "purpose": speaker(PURPOSES[row["purpose"]]),
            "what": _named(row, speaker),
        }
        for row in answer.rows()
    ]
    figures = answer.figures
    return Figure(
        name="categories",
        title=speaker("Costs by category"),
        finding=speaker(
            "{winning} went into winning customers and {keeping} into keeping them.",
            winning=speaker.money(figures["winning"]), keeping=speaker.money(figures["keeping"]),
        ),
        columns=(
            Column("what", speaker("Category"), "text"),
            Column("purpose", speaker("Spent on"), "text"),
            Column("amount", speaker("Amount"), "money"),
            Column("share", speaker("Share"), "percent"),
        ),
        rows=rows,
        mark="bars",
        x="what",
        series=("amount",),
        how=speaker(METRICS["costs"].source),
        note=speaker("The cost of each customer kept because of a programme stands under “Programmes and proof”: this one is shared out over all who stayed, with or without it."),
    )  # fmt: skip
