"""The figures behind the Monday page: headline numbers, keeping, value and risk."""

from __future__ import annotations

from typing import Any

from setia.customers.stages import STAGES
from setia.kernel.figure import Column, Figure, Headline, Section
from setia.kernel.i18n import N_, Speaker
from setia.metrics.answer import Answer
from setia.metrics.catalogue import METRICS
from setia.report.contents import Contents

REASONS = {
    "history_too_short": N_("The history is too short for this figure"),
    "no_customers": N_("There are no customers to count"),
    "no_orders": N_("There are no orders to count"),
    "median_not_reached": N_("Fewer than half have bought again so far"),
}
LONGEST_CURVE_DAYS = 365


def headlines(contents: Contents, speaker: Speaker) -> Section:
    """The headline numbers, each with denominator and window."""
    keep, repeat = contents.retention.figures, contents.repeat_purchase.figures
    value, gap = contents.order_value.figures, contents.later_gaps.figures
    rate = speaker("{n} of {of} customers who bought in the {days} days before",
                   n=speaker.count(keep["retained"]), of=speaker.count(keep["start"]),
                   days=speaker.count(keep["period_days"]))  # fmt: skip
    lost = speaker("{n} of {of} customers did not buy in the last {days} days",
                   n=speaker.count(keep["lost"]), of=speaker.count(keep["start"]),
                   days=speaker.count(keep["period_days"]))  # fmt: skip
    again = speaker("{n} of {of} customers in the last {days} days", n=speaker.count(repeat["repeat_customers"]),
                    of=speaker.count(repeat["customers"]), days=speaker.count(repeat["window_days"]))  # fmt: skip
    per_order = speaker("{net} net of returns over {n} orders", net=speaker.money(value["net"]),
                        n=speaker.count(value["orders"]))  # fmt: skip
    gaps = speaker("half of all later purchases come by then; {share} come within 30 days",
                   share=speaker.percent(gap["again_within_30"], 0))  # fmt: skip
    return Section(
        name="numbers",
        title=speaker("Headline numbers"),
        lead=speaker("Each with its denominator; the formula is one click away."),
        headlines=(
            _headline(contents.retention, "retention", speaker.percent(keep["retention"]), rate, speaker),
            _headline(contents.retention, "churn", speaker.percent(keep["churn"]), lost, speaker),
            _headline(contents.repeat_purchase, "repeat_purchase", speaker.percent(repeat["rate"]), again, speaker),
            _headline(contents.order_value, "order_value", speaker.money(value["net_per_order"]), per_order, speaker),
            _headline(contents.later_gaps, "time_between_purchases", speaker.days(gap["median_days"]), gaps, speaker),
        ),
        figures=(_movement(contents, speaker),),
    )


def _headline(answer: Answer, metric: str, value: str, detail: str, speaker: Speaker) -> Headline:
    about = METRICS[metric]
    said = speaker(REASONS[answer.reason]) if answer.reason is not None else detail
    return Headline(metric, speaker(about.title), value, said, how=speaker(about.formula))


def _movement(contents: Contents, speaker: Speaker) -> Figure:
    rows = contents.retention.table.to_pylist()
    days = speaker.count(contents.retention.figures["period_days"])
    if rows:
        last = rows[-1]
        finding = speaker(
            "Of {start} customers of the period before, {retained} bought again; {new} were new and {returned} came back "
            "after a pause.",
            start=speaker.count(last["start"]), retained=speaker.count(last["retained"]),
            new=speaker.count(last["new"]), returned=speaker.count(last["returned"]),
        )  # fmt: skip
    else:
        finding = speaker("The history is shorter than two periods of {days} days.", days=days)
    return Figure(
        name="movement",
        title=speaker("Where customers came from and went, every {days} days", days=days),
        finding=finding,
        columns=(
            Column("period_from", speaker("Period from"), "date"),
            Column("start", speaker("Start"), "count"),
            Column("lost", speaker("Lost"), "count"),
            Column("new", speaker("New"), "count"),
            Column("returned", speaker("Back after a pause"), "count"),
            Column("end", speaker("End"), "count"),
            Column("retention", speaker("Customer retention rate"), "percent"),
        ),
        rows=rows,
        mark="line" if len(rows) > 1 else "none",
        x="period_from",
        series=("retention",),
        how=speaker("Start − lost + new + back after a pause = end, in every row."),
    )


def keeping(contents: Contents, speaker: Speaker) -> Section:
    """Cohorts and survival curves."""
    return Section(
        name="keeping",
        title=speaker("How customers stay"),
        lead=speaker("By the month of the first order, and by the time to the next one."),
        figures=(_cohorts(contents, speaker), _survival(contents, speaker)),
    )


def _cohorts(contents: Contents, speaker: Speaker) -> Figure:
    figures = contents.cohorts.figures
    if figures["month_1"] is None:
        finding = speaker("No cohort is old enough yet.")
    else:
        finding = speaker(
            "Of the customers whose following month is over, {share} bought again in the month after their first order.",
            share=speaker.percent(figures["month_1"]),
        )
    rows = [{**row, "age": row["age"]} for row in contents.cohorts.table.to_pylist()]
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
        rows=rows,
        mark="grid",
        x="age",
        y="cohort",
        series=("share",),
        how=speaker(METRICS["cohorts"].formula),
        note=speaker("A month that is not over yet is marked and enters no average."),
    )


def _survival(contents: Contents, speaker: Speaker) -> Figure:
    first, later = contents.first_gap, contents.later_gaps
    again = first.figures["again_within_90"]
    if again is not None:
        finding = speaker(
            "{first} of new customers buy a second time within 90 days; after that {later} buy again within 90 days.",
            first=speaker.percent(again, 0), later=speaker.percent(later.figures["again_within_90"], 0),
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
            "been seen. The mean of completed gaps, {mean} days, is too short: it leaves the open ones out.",
            mean=speaker.number(later.figures["mean_of_completed"], 0),
        ),
    )


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


def value(contents: Contents, speaker: Speaker) -> Section:
    """Stages, and what is expected of whom."""
    return Section(
        name="value",
        title=speaker("Value and risk"),
        lead=_model_said(contents, speaker),
        figures=(_stages(contents, speaker), _chances(contents, speaker)),
    )


def _model_said(contents: Contents, speaker: Speaker) -> str:
    card = contents.card
    if card.get("parameters") is None:
        return speaker("There is too little history for a prediction yet.")
    return speaker(
        "Predicted from the rhythm of {n} customers ({repeat} of them bought more than once), with the {model} model.",
        n=speaker.count(card["customers"]), repeat=speaker.count(card["repeat_customers"]),
        model={"mbg_nbd": "MBG/NBD", "bg_nbd": "BG/NBD"}[card["model"]],
    )  # fmt: skip


def _caution(contents: Contents, speaker: Speaker) -> str:
    if contents.card.get("dropout_identified") is False:
        return speaker(
            "This history does not show that customers ever leave for good, so the chances of still being a customer are "
            "upper limits. Go by the silence and the shop's own rhythm instead."
        )
    return ""


def _stages(contents: Contents, speaker: Speaker) -> Figure:
    order = list(STAGES)
    rows = [
        {**row, "stage": speaker(STAGES[row["stage"]]), "rank": order.index(row["stage"])} for row in contents.stages
    ]
    rows.sort(key=lambda row: row["rank"])
    overdue = next((row for row in contents.stages if row["stage"] == "dormant"), None)
    finding = speaker(
        "{n} of {of} customers are dormant: still winnable, not for long.",
        n=speaker.count(overdue["customers"] if overdue else 0), of=speaker.count(contents.customers),
    )  # fmt: skip
    return Figure(
        name="stages",
        title=speaker("Life-cycle stages"),
        finding=finding,
        columns=(
            Column("stage", speaker("Stage"), "text"),
            Column("customers", speaker("Customers"), "count"),
            Column("net_revenue", speaker("Net sales so far"), "money"),
            Column("expected_value_365d", speaker("Expected in the next 365 days"), "money"),
        ),
        rows=rows,
        mark="bars",
        x="stage",
        series=("customers",),
        how=speaker(
            "By each customer's own usual gap: dormant after 1.6 gaps of silence, lost after 4.8; loyal from the fourth "
            "purchase on."
        ),
    )


def _chances(contents: Contents, speaker: Speaker) -> Figure:
    rows = [
        {
            "chance": f"{speaker.percent(row['tenth'] / 10, 0)}–{speaker.percent((row['tenth'] + 1) / 10, 0)}",
            "customers": row["customers"],
            "expected_value_365d": row["expected_value_365d"],
        }
        for row in contents.chances
    ]
    total = sum(row["expected_value_365d"] or 0 for row in rows)
    return Figure(
        name="chances",
        title=speaker("Chance of an order in the next 90 days"),
        finding=speaker("All customers together are expected to bring {value} in the next 365 days.",
                        value=speaker.money(total))
        if rows else speaker("There is too little history for a prediction yet."),
        columns=(
            Column("chance", speaker("Chance"), "text"),
            Column("customers", speaker("Customers"), "count"),
            Column("expected_value_365d", speaker("Expected in the next 365 days"), "money"),
        ),
        rows=rows,
        mark="bars",
        x="chance",
        series=("customers",),
        how=speaker("Probability of at least one order, from each customer's number of purchases, the latest one and the time since the first."),
        note=_caution(contents, speaker),
    )  # fmt: skip
