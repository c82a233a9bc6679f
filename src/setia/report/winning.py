"""Winning and waking: what a new customer costs, when the cost has come back, how soon they are at home."""

from __future__ import annotations

from setia.kernel.figure import Column, Figure, Section
from setia.kernel.i18n import Speaker
from setia.metrics.catalogue import METRICS
from setia.report.cells import of_unit
from setia.report.contents import Contents
from setia.report.showing import headline, over_time


def section(contents: Contents, speaker: Speaker) -> Section:
    """Costs of winning, payback, activation."""
    asked = contents.answers
    paid = asked["payback"].figures
    back = speaker(
        "{cac} for each new customer; margin of the first 12 months {margin}",
        cac=speaker.money(paid["cac"]), margin=speaker.money(paid["margin_12"]),
    )  # fmt: skip
    return Section(
        name="winning",
        title=speaker("Winning and waking"),
        lead=speaker("What a new customer costs, when the cost has come back, and how soon they are at home."),
        headlines=(
            headline(asked["acquisition_cost"], speaker),
            headline(asked["payback"], speaker, back),
            headline(asked["activation"], speaker),
            headline(asked["time_to_activation"], speaker),
            headline(asked["time_to_first_order"], speaker),
        ),
        figures=(
            *((_channels(contents, speaker), _payback(contents, speaker)) if "costs" in contents.has else ()),
            _activation(contents, speaker),
        ),
    )


def _channels(contents: Contents, speaker: Speaker) -> Figure:
    rows = [
        {**row, "channel": row["channel"] or speaker("not known")}
        for row in contents.answers["payback_channels"].rows()
    ]
    known = [row for row in rows if row["value_to_cost"] is not None]
    if known:
        best = max(known, key=lambda row: row["value_to_cost"])
        finding = speaker(
            "{channel} brings most for its cost: a margin of {ratio} times what a customer cost.",
            channel=best["channel"], ratio=speaker.number(best["value_to_cost"], 1),
        )  # fmt: skip
    else:
        finding = speaker("No channel has both a cost and customers who name it as their source.")
    return Figure(
        name="channels",
        title=speaker("Cost and margin by channel"),
        finding=finding,
        columns=(
            Column("channel", speaker("Channel"), "text"),
            Column("customers", speaker("New customers"), "count"),
            Column("cost", speaker("Costs of winning"), "money"),
            Column("cac", speaker("Cost of each"), "money"),
            Column("margin", speaker("Margin of each so far"), "money"),
            Column("value_to_cost", speaker("Margin ÷ cost"), "number"),
            Column("months_to_payback", speaker("Months until it came back"), "count"),
        ),
        rows=rows,
        mark="bars",
        x="channel",
        series=("value_to_cost",),
        how=speaker("Customers of the last twelve whole months by their source, costs of winning by their channel; the two must bear the same name."),
    )  # fmt: skip


def _payback(contents: Contents, speaker: Speaker) -> Figure:
    answer = contents.answers["payback"]
    this_month = contents.scope.as_of.replace(day=1)
    rows = [row for row in answer.rows() if row["cac"] is not None and row["cohort"] < this_month]
    months = answer.figures["value"]
    finding = (
        speaker("The cost of a new customer has come back after {time}.", time=of_unit("months", months, speaker))
        if months is not None
        else speaker("The cost of a new customer has not come back yet.")
    )
    return Figure(
        name="payback",
        title=speaker("Payback by month of the first order"),
        finding=finding,
        columns=(
            Column("cohort", speaker("First order in"), "month"),
            Column("customers", speaker("New customers"), "count"),
            Column("cac", speaker("Cost of each"), "money"),
            Column("margin", speaker("Margin of each so far"), "money"),
            Column("value_to_cost", speaker("Margin ÷ cost"), "number"),
            Column("months_to_payback", speaker("Months until it came back"), "count"),
        ),
        rows=rows,
        mark="bars" if rows else "none",
        x="cohort",
        series=("value_to_cost",),
        how=speaker(METRICS["payback"].formula),
        note=speaker("Younger months have had less time: compare only months of the same age."),
    )


def _activation(contents: Contents, speaker: Speaker) -> Figure:
    answer, choices = contents.answers["activation_months"], contents.scope.choices
    whole = [row for row in answer.rows() if row["value"] is not None]
    event = choices.activation_event or speaker("a second purchase")
    finding = speaker(
        "Of the new customers of {month}, {share} were activated ({event}) within {days} days.",
        month=speaker.month(whole[-1]["period_from"]), share=speaker.percent(whole[-1]["value"], 0), event=event,
        days=speaker.count(choices.activation_days),
    ) if whole else speaker("No month is complete yet.")  # fmt: skip
    return over_time(
        answer, speaker, contents.scope.calendar, name="activation", title=speaker("Activation by month of the first order"),
        finding=finding, parts=("customers", "activated"),
    )  # fmt: skip
