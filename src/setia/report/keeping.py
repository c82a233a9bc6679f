"""How customers stay: one cohort table, the time to the next order, the chance of it."""

from __future__ import annotations

from typing import Any

from setia.kernel.figure import Column, Figure, Section
from setia.kernel.i18n import Speaker
from setia.metrics.answer import Answer
from setia.metrics.catalogue import METRICS
from setia.report.contents import Contents
from setia.report.showing import best_and_worst, by_group, headline

LONGEST_CURVE_DAYS = 365


def section(contents: Contents, speaker: Speaker) -> Section:
    """Cohorts and survival curves."""
    asked = contents.answers
    return Section(
        name="keeping",
        title=speaker("How customers stay"),
        lead=speaker("By the month of the first order, and by the time to the next one."),
        headlines=(headline(asked["reactivation"], speaker), headline(asked["repurchase"], speaker)),
        figures=(
            cohorts(asked["cohorts_shown"], speaker),
            _survival(contents, speaker),
            _next_order(asked["next_order"], speaker),
            *_by_source(asked["retention_by"], speaker),
        ),
    )


def cohorts(answer: Answer, speaker: Speaker) -> Figure:
    """The cohort table by months since the first order."""
    figures = answer.figures
    if figures["age_1"] is None:
        finding = speaker("No cohort is old enough yet.")
    else:
        finding = speaker(
            "Of the customers whose following month is over, {share} bought again in the month after their first order.",
            share=speaker.percent(figures["age_1"]),
        )
    return Figure(
        name="cohorts",
        title=speaker("Cohort table"),
        finding=finding,
        columns=(
            Column("cohort", speaker("First order in"), "month"),
            Column("size", speaker("Customers"), "count"),
            Column("age", speaker("Months since"), "count"),
            Column("share", speaker("Share who bought"), "percent"),
        ),
        rows=answer.rows(),
        mark="grid",
        x="age",
        y="cohort",
        series=("share",),
        how=speaker(METRICS["cohorts"].formula),
        note=speaker("A month that is not over yet is marked and enters no average."),
    )


def _survival(contents: Contents, speaker: Speaker) -> Figure:
    first, later = contents.first_gap, contents.later_gaps
    again = first.figures["within_90"]
    if again is not None:
        finding = speaker(
            "{first} of new customers buy a second time within 90 days; after that {later} buy again within 90 days.",
            first=speaker.percent(again, 0), later=speaker.percent(later.figures["within_90"], 0),
        )  # fmt: skip
    else:
        finding = speaker("The history is too short for a curve of 90 days.")
    return Figure(
        name="survival",
        title=speaker("How long until the next order"),
        finding=finding,
        columns=(
            Column("days", speaker("Days since the last purchase"), "count"),
            Column("first", speaker("After the first purchase"), "percent"),
            Column("later", speaker("After later purchases"), "percent"),
        ),
        rows=_curves(first, later),
        mark="line",
        x="days",
        series=("first", "later"),
        stepped=True,
        how=speaker(
            "Share who have not bought again yet (Kaplan-Meier): gaps that are still open count for as long as they have "
            "been seen. The usual mean of completed gaps, {mean} days after later purchases, leaves the open ones out, and "
            "those are the long ones.",
            mean=speaker.number(later.figures["mean_of_completed"], 0),
        ),
    )  # fmt: skip


def _curves(first: Answer, later: Answer) -> list[dict[str, Any]]:
    """Both curves at every tenth day, so that table and drawing stay readable."""
    rows: list[dict[str, Any]] = []
    for day in range(0, LONGEST_CURVE_DAYS + 1, 10):
        row: dict[str, Any] = {"days": day, "first": _at(first, day), "later": _at(later, day)}
        if row["first"] is None and row["later"] is None:
            break
        rows.append(row)
    return rows


def _at(answer: Answer, day: int) -> float | None:
    days, survival = answer.table["days"].to_pylist(), answer.table["survival"].to_pylist()
    if not days or day > days[-1]:
        return None
    return next((s for d, s in zip(reversed(days), reversed(survival), strict=True) if d <= day), 1.0)


def _next_order(answer: Answer, speaker: Speaker) -> Figure:
    figures = answer.figures
    if figures["value"] is not None and figures["after_third"] is not None:
        finding = speaker(
            "After the first purchase {first} buy again within 90 days, after the third {third}.",
            first=speaker.percent(figures["value"], 0), third=speaker.percent(figures["after_third"], 0),
        )  # fmt: skip
    else:
        finding = speaker("Too few customers have come so far yet.")
    return Figure(
        name="next-order",
        title=speaker("Chance of another order"),
        finding=finding,
        columns=(
            Column("purchases", speaker("Purchases so far"), "count"),
            Column("customers", speaker("Customers who got there"), "count"),
            Column("bought_again", speaker("Bought again since"), "count"),
            Column("within_90", speaker("Buy again within 90 days"), "percent"),
            Column("within_365", speaker("Buy again within 365 days"), "percent"),
            Column("median_days", speaker("Half have by then"), "days"),
        ),
        rows=answer.rows(),
        mark="bars",
        x="purchases",
        series=("within_90",),
        how=speaker(METRICS["next_order"].formula),
    )


def _by_source(answer: Answer, speaker: Speaker) -> tuple[Figure, ...]:
    if len(answer.rows()) < 2:
        return ()
    found = best_and_worst(answer)
    if found is not None:
        best, worst = found
        finding = speaker(
            "Customers from {best} stay most, those from {worst} least: {high} against {low}.",
            best=best["group"], worst=worst["group"],
            high=speaker.percent(best["value"], 0), low=speaker.percent(worst["value"], 0),
        )  # fmt: skip
    else:
        finding = speaker("No source differs from another by more than chance alone could make it.")
    return (
        by_group(
            answer, speaker, name="retention-by-source", title=speaker("Retention by how the customer was won"),
            finding=finding, head=speaker("How the customer was won"),
        ),
    )  # fmt: skip
