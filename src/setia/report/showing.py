"""From a metric's answer to a headline or a figure: what is the same for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from setia.history.calendar import Calendar
from setia.history.windows import Window
from setia.kernel.figure import Column, Figure, Headline
from setia.kernel.i18n import N_, Speaker
from setia.metrics.answer import Answer
from setia.metrics.catalogue import METRICS
from setia.metrics.measure import Measure
from setia.metrics.metric import Part
from setia.metrics.reasons import REASONS
from setia.report.cells import KINDS, of_unit


def headline(answer: Answer, speaker: Speaker, detail: str | None = None, name: str | None = None) -> Headline:
    """The metric's value with its denominator, or why there is none; how it compares; the formula one click away."""
    about = METRICS[name or answer.metric]
    value = of_unit(about.unit, answer.value, speaker)
    if answer.reason is not None:
        return Headline(
            about.name, speaker(about.title), value, speaker(REASONS[answer.reason]), how=speaker(about.formula)
        )
    said = [detail if detail is not None else _denominator(answer, speaker), *_compared(answer, speaker)]
    said += [speaker.say(note) for note in answer.notes]
    return Headline(
        about.name, speaker(about.title), value, " · ".join(filter(None, said)), how=_how(about.name, speaker)
    )


def _how(name: str, speaker: Speaker) -> str:
    about = METRICS[name]
    return f"{speaker(about.formula)}. {speaker(about.population)}."


def _denominator(answer: Answer, speaker: Speaker) -> str:
    """Of how many, over how long."""
    about, figures = METRICS[answer.metric], answer.figures
    said = []
    if isinstance(about, Measure):
        counts = [part for part in about.parts if part.kind == "count" and part.name != "unpriced"][:2]
        said = [
            speaker("{title}: {n}", title=speaker(part.title), n=speaker.count(figures[part.name])) for part in counts
        ]
    if "watched" in figures:
        so_far = {name: speaker.count(figures[name]) for name in ("completed", "watched")}
        said.append(speaker("{completed} of {watched} so far", **so_far))
    if "window_days" in figures:
        said.append(speaker.days(figures["window_days"]))
    return " · ".join(said)


def _compared(answer: Answer, speaker: Speaker) -> list[str]:
    about, figures = METRICS[answer.metric], answer.figures
    sentences = (("previous", N_("before: {value}")), ("year_before", N_("a year before: {value}")))
    return [
        speaker(sentence, value=of_unit(about.unit, figures[name], speaker))
        for name, sentence in sentences
        if figures.get(name) is not None
    ]


def calendar_of(row: dict[str, Any], calendar: Calendar, speaker: Speaker) -> str:
    """What the calendar has in a row's period, in words."""
    marks = calendar.marks(Window(row["period_from"], row["period_until"]))
    return speaker.listing(dict.fromkeys(speaker(each.title) for each in marks)) if marks else ""


def over_time(
    answer: Answer, speaker: Speaker, calendar: Calendar, *, name: str, title: str, finding: str,
    parts: Sequence[str] = (), note: str = "",
) -> Figure:  # fmt: skip
    """A measure by month: a line, with the days of the calendar marked; open months have no value."""
    about = METRICS[answer.metric]
    assert isinstance(about, Measure)
    rows = [
        {**row, "calendar": calendar_of(row, calendar, speaker)}
        for row in answer.rows()
        if row["reason"] != "history_too_short"
    ]
    shown = [part for part in about.parts if part.name in parts]
    return Figure(
        name=name,
        title=title,
        finding=finding,
        columns=(
            Column("period_from", speaker("Month"), "month"),
            *(column_of(part, speaker) for part in shown),
            Column("value", speaker(about.title), KINDS[about.unit]),
            Column("calendar", speaker("Calendar"), "text"),
        ),
        rows=rows,
        mark="line" if sum(row["value"] is not None for row in rows) > 1 else "none",
        x="period_from",
        series=("value",),
        how=_how(about.name, speaker),
        note=note,
        marks="calendar",
    )


def by_group(
    answer: Answer, speaker: Speaker, *, name: str, title: str, finding: str, head: str, most: int = 10
) -> Figure:
    """A measure by an attribute: bars, the largest groups first; groups too small to say anything are named as such."""
    about = METRICS[answer.metric]
    assert isinstance(about, Measure)
    size = next((part.name for part in reversed(about.parts) if part.kind == "count" and part.name != "unpriced"), None)
    rows = [
        {**row, "group": row["group"] if row["group"] is not None else speaker("not known")} for row in answer.rows()
    ]
    rows = sorted(rows, key=lambda row: -(row[size] if size else 0))[:most]
    shown = [part for part in about.parts if part.name != "unpriced"]
    days = answer.figures["window_days"]
    return Figure(
        name=name,
        title=speaker("{title}, {days}", title=title, days=speaker.days(days)),
        finding=finding,
        columns=(
            Column("group", head, "text"),
            *(column_of(part, speaker) for part in shown),
            Column("value", speaker(about.title), KINDS[about.unit]),
        ),
        rows=rows,
        mark="bars",
        x="group",
        series=("value",),
        how=_how(about.name, speaker),
    )


def column_of(part: Part, speaker: Speaker) -> Column:
    """The column of one of a measure's parts."""
    return Column(part.name, speaker(part.title), part.kind)


def best_and_worst(answer: Answer, least: int = 20) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """The groups with the highest and the lowest value among those of some size; None where there are not two, or
    where chance alone could have made their difference: their intervals overlap."""
    about = METRICS[answer.metric]
    assert isinstance(about, Measure)
    counts = [part.name for part in about.parts if part.kind == "count" and part.name != "unpriced"]
    rows = [
        row for row in answer.rows()
        if row["value"] is not None and row["group"] is not None and max(row[name] for name in counts) >= least
    ]  # fmt: skip
    if len(rows) < 2:
        return None
    rows.sort(key=lambda row: row["value"])
    worst, best = rows[0], rows[-1]
    apart = best["low"] is None or best["low"] > worst["high"]
    return (best, worst) if apart else None
