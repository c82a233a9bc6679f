"""The headline numbers, the movement behind them, and what is usual elsewhere."""

from __future__ import annotations

from setia.kernel.figure import Column, Figure, Section
from setia.kernel.i18n import N_, Speaker
from setia.metrics.catalogue import METRICS
from setia.report.cells import of_unit
from setia.report.contents import Contents
from setia.report.showing import headline

PLACES = {"below": N_("below it"), "within": N_("within it"), "above": N_("above it")}


def section(contents: Contents, speaker: Speaker) -> Section:
    """The headline numbers, each with denominator and window."""
    asked = contents.answers
    keep, repeat, value = (asked[name].figures for name in ("retention", "repeat_purchase", "order_value"))
    gap = asked["time_between_purchases"]
    rate = speaker("{n} of {of} customers who bought in the {days} days before",
                   n=speaker.count(keep["retained"]), of=speaker.count(keep["start"]),
                   days=speaker.count(keep["window_days"]))  # fmt: skip
    lost = speaker("{n} of {of} customers did not buy in the last {days} days",
                   n=speaker.count(keep["lost"]), of=speaker.count(keep["start"]),
                   days=speaker.count(keep["window_days"]))  # fmt: skip
    again = speaker("{n} of {of} customers in the last {days} days", n=speaker.count(repeat["repeat_customers"]),
                    of=speaker.count(repeat["customers"]), days=speaker.count(repeat["window_days"]))  # fmt: skip
    per_order = speaker("{net} net of returns over {n} orders", net=speaker.money(value["net"]),
                        n=speaker.count(value["orders"]))  # fmt: skip
    gaps = speaker("half of all next purchases come by then; {share} come within 30 days",
                   share=speaker.percent(gap.figures["within_30"], 0))  # fmt: skip
    return Section(
        name="numbers",
        title=speaker("Headline numbers"),
        lead=speaker("Each with its denominator; the formula is one click away."),
        headlines=(
            headline(asked["retention"], speaker, rate),
            headline(asked["churn"], speaker, lost),
            headline(asked["repeat_purchase"], speaker, again),
            headline(asked["order_value"], speaker, per_order),
            headline(gap, speaker, gaps),
        ),
        figures=(_movement(contents, speaker), *_benchmarks(contents, speaker)),
    )


def _movement(contents: Contents, speaker: Speaker) -> Figure:
    answer = contents.answers["periods"]
    rows = [row for row in answer.rows() if row["reason"] != "history_too_short"]
    days = speaker.count(answer.figures["window_days"])
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
            Column("value", speaker("Customer retention rate"), "percent"),
        ),
        rows=rows,
        mark="line" if len(rows) > 1 else "none",
        x="period_from",
        series=("value",),
        how=speaker("Start − lost + new + back after a pause = end, in every row."),
    )


def _benchmarks(contents: Contents, speaker: Speaker) -> tuple[Figure, ...]:
    rows = []
    for usual, answer in contents.benchmarks:
        about = METRICS[usual.metric]
        if answer.value is None:
            continue
        days = answer.figures.get("window_days")
        title = speaker(about.title)
        rows.append(
            {
                "metric": f"{title} ({speaker.days(days)})" if days else title,
                "value": of_unit(about.unit, answer.value, speaker),
                "usual": f"{of_unit(about.unit, usual.low, speaker)} – {of_unit(about.unit, usual.high, speaker)}",
                "place": speaker(PLACES[usual.place(float(answer.value))]),
                "source": speaker(usual.source),
                "caution": speaker(usual.caution) if usual.caution else "",
            }
        )
    if not rows:
        return ()
    inside = sum(1 for row in rows if row["place"] == speaker(PLACES["within"]))
    return (
        Figure(
            name="benchmarks",
            title=speaker("What is usual elsewhere"),
            finding=speaker(
                "{n} of {of} figures lie within the range that is quoted for the field.",
                n=speaker.count(inside), of=speaker.count(len(rows)),
            ),
            columns=(
                Column("metric", speaker("Metric"), "text"),
                Column("value", speaker("Yours"), "text"),
                Column("usual", speaker("Usual range"), "text"),
                Column("place", speaker("Yours lies"), "text"),
                Column("source", speaker("Where it comes from"), "text"),
                Column("caution", speaker("Please note"), "text"),
            ),
            rows=rows,
            how=speaker("Ranges are quoted in the field without a study that could be checked. `[benchmarks]` in setia.toml puts your own trade's in their place."),
        ),
    )  # fmt: skip
