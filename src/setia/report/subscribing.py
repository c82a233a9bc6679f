"""Subscriptions: monthly recurring revenue and how it moves."""

from __future__ import annotations

from setia.kernel.figure import Column, Figure, Section
from setia.kernel.i18n import Speaker
from setia.metrics.subscribing import MOVEMENT
from setia.report.contents import Contents
from setia.report.showing import column_of, headline


def section(contents: Contents, speaker: Speaker) -> Section:
    """MRR, what of it stays, and every movement."""
    asked = contents.answers
    figures = asked["mrr"].figures
    mrr = speaker(
        "{n} subscribers, {each} each", n=speaker.count(figures["subscribers_end"]),
        each=speaker.money(figures["per_subscriber"]),
    )  # fmt: skip
    lost = speaker(
        "{n} of {of} subscribers in {days} days; {yearly} a year at this rate",
        n=speaker.count(figures["subscribers_lost"]), of=speaker.count(figures["subscribers_start"]),
        days=speaker.count(figures["window_days"]),
        yearly=speaker.percent(asked["logo_churn"].figures["churn_per_year"], 0),
    )  # fmt: skip
    window = speaker.days(figures["window_days"])
    return Section(
        name="subscriptions",
        title=speaker("Subscriptions"),
        lead=speaker("What comes in every month, and how much of it stays."),
        headlines=(
            headline(asked["mrr"], speaker, mrr),
            headline(asked["gross_revenue_retention"], speaker, window),
            headline(asked["net_revenue_retention"], speaker, window),
            headline(asked["logo_churn"], speaker, lost),
            headline(asked["quick_ratio"], speaker, window),
        ),
        figures=(_movement(contents, speaker),),
    )


def _movement(contents: Contents, speaker: Speaker) -> Figure:
    rows = [row for row in contents.answers["mrr_months"].rows() if row["reason"] != "history_too_short"]
    whole = [row for row in rows if row["mature"]]
    if whole:
        last = whole[-1]
        finding = speaker(
            "In {month} {new} came new and {churned} went.", month=speaker.month(last["period_from"]),
            new=speaker.money(last["new"] + last["reactivation"]), churned=speaker.money(last["churned"]),
        )  # fmt: skip
    else:
        finding = speaker("No month is complete yet.")
    money = [part for part in MOVEMENT if part.kind == "money"]
    return Figure(
        name="mrr",
        title=speaker("Movement of the monthly recurring revenue"),
        finding=finding,
        columns=(
            Column("period_from", speaker("Month"), "month"),
            *(column_of(part, speaker) for part in money),
            Column("value", speaker("Monthly recurring revenue (MRR)"), "money"),
        ),
        rows=rows,
        mark="line" if len(whole) > 1 else "none",
        x="period_from",
        series=("value",),
        how=speaker(
            "At the start + new + expansion + reactivation − contraction − churned = at the end, in every row. Amounts in "
            "other currencies at the rates of the month's first day."
        ),
    )
