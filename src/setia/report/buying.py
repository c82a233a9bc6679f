"""How customers buy: how often, for how much, who brings the revenue."""

from __future__ import annotations

from setia.kernel.figure import Column, Figure, Section
from setia.kernel.i18n import Speaker
from setia.metrics.catalogue import METRICS
from setia.report.contents import Contents
from setia.report.showing import calendar_of, headline, over_time


def section(contents: Contents, speaker: Speaker) -> Section:
    """Frequency, value, returns, and the months."""
    asked = contents.answers
    best = speaker(
        "the best fifth brings {share}", share=speaker.percent(asked["concentration"].figures["top_20_share"], 0)
    )
    return Section(
        name="buying",
        title=speaker("How customers buy"),
        lead=speaker("How often, for how much, and who brings the revenue."),
        headlines=(
            headline(asked["purchase_frequency"], speaker),
            headline(asked["returning_revenue"], speaker),
            headline(asked["concentration"], speaker, best),
            headline(asked["product_returns"], speaker),
            headline(asked["returned_value"], speaker),
        ),
        figures=(_revenue(contents, speaker), _values(contents, speaker)),
    )


def _revenue(contents: Contents, speaker: Speaker) -> Figure:
    rows = [
        {**row, "calendar": calendar_of(row, contents.scope.calendar, speaker)}
        for row in contents.answers["revenue_months"].rows()
        if row["revenue"] and row["mature"]
    ]
    finding = speaker(
        "In {month} returning customers brought {returning} and new ones {new}.",
        month=speaker.month(rows[-1]["period_from"]), returning=speaker.money(rows[-1]["returning_revenue"]),
        new=speaker.money(rows[-1]["new_revenue"]),
    ) if rows else speaker("No month is complete yet.")  # fmt: skip
    return Figure(
        name="revenue",
        title=speaker("Sales by new and returning customers"),
        finding=finding,
        columns=(
            Column("period_from", speaker("Month"), "month"),
            Column("new_revenue", speaker("To new customers"), "money"),
            Column("returning_revenue", speaker("To returning customers"), "money"),
            Column("guest_revenue", speaker("To nameless guests"), "money"),
            Column("value", speaker("Share of returning customers"), "percent"),
            Column("calendar", speaker("Calendar"), "text"),
        ),
        rows=rows,
        mark="bars",
        x="period_from",
        series=("new_revenue", "returning_revenue"),
        marks="calendar",
        how=speaker(METRICS["returning_revenue"].formula),
        note=speaker("The month under way is left out: it is not complete yet."),
    )


def _values(contents: Contents, speaker: Speaker) -> Figure:
    answer = contents.answers["value_months"]
    whole = [row for row in answer.rows() if row["value"] is not None]
    if len(whole) > 1:
        finding = speaker(
            "An order was worth {now} in {month}, {before} the month before.",
            now=speaker.money(whole[-1]["value"]), month=speaker.month(whole[-1]["period_from"]),
            before=speaker.money(whole[-2]["value"]),
        )  # fmt: skip
    else:
        finding = speaker("No month is complete yet.")
    return over_time(
        answer, speaker, contents.scope.calendar, name="order-value", title=speaker("Order value by month"),
        finding=finding, parts=("orders", "net"),
    )  # fmt: skip
