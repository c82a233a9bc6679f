"""Voice and service: what customers say, why they leave, how soon they are answered."""

from __future__ import annotations

from setia.kernel.figure import Column, Figure, Headline, Section
from setia.kernel.i18n import Speaker
from setia.metrics.answer import Answer
from setia.metrics.catalogue import METRICS
from setia.report.contents import Contents
from setia.report.showing import headline


def section(contents: Contents, speaker: Speaker) -> Section:
    """Scores with their intervals, reasons for leaving, response times."""
    asked = contents.answers
    scores = [_score(asked[name], speaker) for name in ("nps", "csat", "ces") if asked[name].figures["answers"]]
    times = (
        [_time(asked[name], speaker) for name in ("first_response", "resolution")] if "cases" in contents.has else []
    )
    figures = [_nps(asked["nps_months"], speaker)] if asked["nps"].figures["answers"] else []
    if asked["leaving_reasons"].figures["with_reason"]:
        figures.append(_reasons(asked["leaving_reasons"], speaker))
    if "cases" in contents.has:
        figures.append(_cases(asked["response_reason"], speaker))
    return Section(
        name="voice",
        title=speaker("Voice and service"),
        lead=speaker("What customers say, why they leave, and how soon they are answered."),
        headlines=(*scores, *times),
        figures=tuple(figures),
    )


def _score(answer: Answer, speaker: Speaker) -> Headline:
    figures, unit = answer.figures, METRICS[answer.metric].unit
    low, high = (
        speaker.number(figures[name], 0) if unit == "score" else speaker.percent(figures[name], 0)
        for name in ("low", "high")
    )
    said = speaker(
        "{n} answers, most likely between {low} and {high}", n=speaker.count(figures["answers"]), low=low, high=high
    )
    rate = figures["response_rate"]
    if rate is not None:
        said += " · " + speaker("{share} of those asked have answered", share=speaker.percent(rate, 0))
    return headline(answer, speaker, said)


def _time(answer: Answer, speaker: Speaker) -> Headline:
    figures = answer.figures
    said = speaker(
        "{done} of {cases} cases; {share} within 24 hours", done=speaker.count(figures["done"]),
        cases=speaker.count(figures["cases"]), share=speaker.percent(figures["within_24_hours"], 0),
    )  # fmt: skip
    return headline(answer, speaker, said)


def _nps(answer: Answer, speaker: Speaker) -> Figure:
    scores = ("value", "low", "high")
    rows = [
        {**row, "month": speaker.month(row["period_from"]), **{name: round(row[name]) for name in scores}}
        for row in answer.rows()
        if row["value"] is not None
    ]
    last = rows[-1] if rows else None
    finding = speaker(
        "In {month} {promoters} of {n} answers were 9 or 10 and {detractors} were 6 or less.",
        month=last["month"], promoters=speaker.count(last["promoters"]), n=speaker.count(last["answers"]),
        detractors=speaker.count(last["detractors"]),
    ) if last else speaker("No month is complete yet.")  # fmt: skip
    return Figure(
        name="nps",
        title=speaker("Net promoter score by month"),
        finding=finding,
        columns=(
            Column("month", speaker("Month"), "text"),
            Column("answers", speaker("Answers"), "count"),
            Column("promoters", speaker("9–10"), "count"),
            Column("passives", speaker("7–8"), "count"),
            Column("detractors", speaker("0–6"), "count"),
            Column("value", speaker("NPS"), "count"),
            Column("low", speaker("Range from"), "count"),
            Column("high", speaker("to"), "count"),
        ),
        rows=rows,
        mark="intervals",
        x="month",
        series=("value", "low", "high"),
        how=speaker(METRICS["nps"].formula),
        note=speaker("Months with few answers have wide ranges: where two ranges overlap, nothing need have changed."),
    )


def _reasons(answer: Answer, speaker: Speaker) -> Figure:
    rows = [{**row, "reason": row["reason"] or speaker("no reason given")} for row in answer.rows()]
    named = [row for row in rows if row["share"] is not None]
    finding = speaker(
        "Of {n} who gave a reason, {share} named this one most: {reason}.",
        n=speaker.count(answer.figures["with_reason"]), share=speaker.percent(named[0]["share"], 0),
        reason=named[0]["reason"],
    )  # fmt: skip
    return Figure(
        name="reasons",
        title=speaker("Reasons for leaving"),
        finding=finding,
        columns=(
            Column("reason", speaker("Reason"), "text"),
            Column("customers", speaker("Customers"), "count"),
            Column("share", speaker("Share of those who gave one"), "percent"),
        ),
        rows=rows,
        mark="bars",
        x="reason",
        series=("customers",),
        how=speaker(METRICS["leaving_reasons"].formula),
    )


def _cases(answer: Answer, speaker: Speaker) -> Figure:
    rows = [{**row, "group": row["group"] or speaker("not known")} for row in answer.rows()]
    slow = max(
        (row for row in rows if row["median_hours"] is not None), key=lambda row: row["median_hours"], default=None
    )
    finding = speaker(
        "Longest to wait for a first answer: {reason}, half of them {hours} hours or more.",
        reason=slow["group"], hours=speaker.number(slow["median_hours"], 1),
    ) if slow else speaker("There are no cases to count")  # fmt: skip
    return Figure(
        name="cases",
        title=speaker("Time to first answer by reason"),
        finding=finding,
        columns=(
            Column("group", speaker("Reason"), "text"),
            Column("cases", speaker("Cases"), "count"),
            Column("done", speaker("Answered"), "count"),
            Column("median_hours", speaker("Half by then, in hours"), "number"),
            Column("within_24_hours", speaker("Within 24 hours"), "percent"),
            Column("mean_of_done_hours", speaker("Mean of those answered, in hours"), "number"),
        ),
        rows=rows,
        mark="bars",
        x="group",
        series=("median_hours",),
        how=speaker("Whoever still waits counts for as long as they have waited; the mean of those answered leaves them out."),
    )  # fmt: skip
