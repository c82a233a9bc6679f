"""The analyst's pages: the other formulas, the variants of the cohort table, every metric with its reason."""

from __future__ import annotations

from typing import Any

from setia.kernel.figure import Column, Figure, Section
from setia.kernel.i18n import Speaker
from setia.metrics.answer import Answer
from setia.metrics.catalogue import FAMILIES, METRICS
from setia.metrics.reasons import REASONS
from setia.report.cells import of_unit
from setia.report.contents import Contents


def variants(contents: Contents, speaker: Speaker) -> Section:
    """Why a figure is another elsewhere."""
    figures = []
    for name, found in contents.variants.items():
        title = speaker(METRICS[name].title)
        rows = [
            {
                "formula": speaker(each.formula),
                "value": of_unit(each.unit, each.value, speaker),
                "difference": speaker(each.difference),
            }
            for each in found
        ]
        other = [each for each in found if not each.ours and each.value is not None]
        finding = speaker(
            "{n} other formulas go by this name; Setia's gives {value}.",
            n=speaker.count(len(other)), value=of_unit(found[0].unit, found[0].value, speaker),
        )  # fmt: skip
        figures.append(
            Figure(
                name=f"variants-{name}",
                title=title,
                finding=finding,
                columns=(
                    Column("formula", speaker("Formula"), "text"),
                    Column("value", speaker("On your data"), "text"),
                    Column("difference", speaker("Why it differs"), "text"),
                ),
                rows=rows,
            )
        )
    return Section(
        name="variants",
        title=speaker("Why is my figure different?"),
        lead=speaker("The other formulas in circulation, computed on the same facts."),
        figures=tuple(figures),
        analyst=True,
    )


def cohorts(contents: Contents, speaker: Speaker) -> Section:
    """The cohort table read otherwise."""
    after, brackets = contents.answers["cohorts_after"], contents.answers["cohorts_brackets"]
    return Section(
        name="cohort-variants",
        title=speaker("The cohort table, read otherwise"),
        lead=speaker("On or after a month, and within brackets of months."),
        figures=(
            _grid(after, speaker, "cohorts-after", speaker("Bought in that month or later"),
                  speaker("Every past cell still rises as customers come back, so that the newest cohorts look worse than they are: compare only at the same age.")),
            _grid(brackets, speaker, "cohorts-brackets", speaker("Bought at any time within the bracket"),
                  speaker("A bracket counts whoever bought in any of its months.")),
        ),
        analyst=True,
    )  # fmt: skip


def _ages(row: dict[str, Any]) -> str:
    first, last = row["age"], row.get("age_until", row["age"])
    return str(first) if first == last else f"{first}–{last}"


def _grid(answer: Answer, speaker: Speaker, name: str, title: str, note: str) -> Figure:
    return Figure(
        name=name,
        title=title,
        finding=speaker("{n} cohorts by the month of the first order.", n=speaker.count(len({r["cohort"] for r in answer.rows()}))),
        columns=(
            Column("cohort", speaker("First order in"), "month"),
            Column("size", speaker("Customers"), "count"),
            Column("age", speaker("Months since"), "text"),
            Column("share", speaker("Share who bought"), "percent"),
        ),
        rows=[{**row, "age": _ages(row)} for row in answer.rows()],
        mark="grid",
        x="age",
        y="cohort",
        series=("share",),
        how=speaker(METRICS["cohorts"].formula),
        note=note,
    )  # fmt: skip


def everything(contents: Contents, speaker: Speaker) -> Section:
    """Every metric: figure, formula, population, source, or why there is none."""
    figures = []
    for family, known in FAMILIES.items():
        rows = []
        for about in known:
            answer = contents.answers[about.name]
            rows.append(
                {
                    "metric": speaker(about.title),
                    "name": about.name,
                    "value": of_unit(about.unit, answer.value, speaker),
                    "window": speaker.days(answer.figures["window_days"]) if "window_days" in answer.figures else "",
                    "formula": speaker(about.formula),
                    "population": speaker(about.population),
                    "reason": speaker(REASONS[answer.reason]) if answer.reason else "",
                }
            )
        figures.append(
            Figure(
                name=f"all-{known[0].name}",
                title=speaker(family),
                finding=speaker(
                    "{n} of {of} metrics have a figure.",
                    n=speaker.count(sum(1 for row in rows if not row["reason"])), of=speaker.count(len(rows)),
                ),
                columns=(
                    Column("metric", speaker("Metric"), "text"),
                    Column("name", speaker("Name in Python and the terminal"), "text"),
                    Column("value", speaker("Now"), "text"),
                    Column("window", speaker("Window"), "text"),
                    Column("formula", speaker("Formula"), "text"),
                    Column("population", speaker("Population"), "text"),
                    Column("reason", speaker("Why there is none"), "text"),
                ),
                rows=rows,
            )
        )  # fmt: skip
    return Section(
        name="everything",
        title=speaker("Every metric"),
        lead=speaker(
            "`setia metrics NAME --why` shows the check query that a person wrote beside each, `--customers PART` the "
            "customers behind a count."
        ),
        figures=tuple(figures),
        analyst=True,
    )
