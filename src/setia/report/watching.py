"""Alerts and targets: what left its expected range, what was reached, in words and as a table."""

from __future__ import annotations

from collections.abc import Sequence

from setia.kernel.figure import Column, Figure
from setia.kernel.i18n import N_, Speaker
from setia.metrics.catalogue import METRICS
from setia.metrics.watch import Target, Watched
from setia.report.cells import of_unit

JUDGEMENTS = {
    "expected": N_("as expected"),
    "below": N_("lower than expected"),
    "above": N_("higher than expected"),
    "unknown": N_("too little history to expect anything"),
}


def alert_sentences(watched: Sequence[Watched], speaker: Speaker) -> list[str]:
    """One sentence for each alert, the worrying ones first."""
    alerts = sorted((each for each in watched if each.alerts), key=lambda each: not each.bad)
    return [_sentence(each, speaker) for each in alerts]


def _sentence(each: Watched, speaker: Speaker) -> str:
    about = METRICS[each.metric]
    said = speaker(
        "{metric} was {value} in the week from {day}; {low} to {high} was to be expected.",
        metric=speaker(about.title), value=of_unit(about.unit, each.value, speaker),
        day=speaker.date(each.window.since), low=of_unit(about.unit, each.low, speaker),
        high=of_unit(about.unit, each.high, speaker),
    )  # fmt: skip
    if not each.occasions:
        return said
    occasions = speaker.listing(speaker(title) for title in each.occasions)
    return said + " " + speaker(
        "The range is that of {occasion} a year before, moved by as much as ordinary weeks have changed since.",
        occasion=occasions,
    )  # fmt: skip


def alerts(watched: Sequence[Watched], speaker: Speaker) -> Figure:
    """Every watched measure against what was to be expected of it."""
    sentences = alert_sentences(watched, speaker)
    rows = [
        {
            "metric": speaker(METRICS[each.metric].title),
            "value": of_unit(METRICS[each.metric].unit, each.value, speaker),
            "expected": _range(each, speaker),
            "judgement": speaker(JUDGEMENTS[each.judgement]),
        }
        for each in sorted(watched, key=lambda each: (not each.bad, not each.alerts))
        if each.value is not None
    ]
    return Figure(
        name="alerts",
        title=speaker("What left its expected range"),
        finding=" ".join(sentences) if sentences else speaker("Nothing left its expected range last week."),
        columns=(
            Column("metric", speaker("Metric"), "text"),
            Column("value", speaker("Last week"), "text"),
            Column("expected", speaker("To be expected"), "text"),
            Column("judgement", speaker("Judgement"), "text"),
        ),
        rows=rows,
        how=speaker(
            "The median of the eight weeks before, moved by the usual drift, give or take three and a half usual "
            "deviations, and never narrower than chance alone. Weeks with a feast or a sale day teach nothing about "
            "others; such a week is compared with the same occasion a year before, as far as the shop was the same then. Only "
            "whole weeks are judged."
        ),
    )


def _range(each: Watched, speaker: Speaker) -> str:
    if each.low is None or each.high is None:
        return speaker.missing
    unit = METRICS[each.metric].unit
    return f"{of_unit(unit, each.low, speaker)} – {of_unit(unit, each.high, speaker)}"


def target_sentences(found: Sequence[Target], speaker: Speaker) -> list[str]:
    """One sentence for each target."""
    return [
        speaker(
            "{metric}: {value}, target {target}: {state}.",
            metric=speaker(METRICS[each.metric].title), value=of_unit(METRICS[each.metric].unit, each.value, speaker),
            target=of_unit(METRICS[each.metric].unit, each.target, speaker), state=_state(each, speaker),
        )
        for each in found
    ]  # fmt: skip


def _state(each: Target, speaker: Speaker) -> str:
    if each.reached is None:
        return speaker("not known")
    return speaker("reached") if each.reached else speaker("not reached")


def wanted(found: Sequence[Target], speaker: Speaker) -> tuple[Figure, ...]:
    """The targets, where the shop has set any."""
    if not found:
        return ()
    reached = sum(1 for each in found if each.reached)
    rows = [
        {
            "metric": speaker(METRICS[each.metric].title),
            "value": of_unit(METRICS[each.metric].unit, each.value, speaker),
            "target": of_unit(METRICS[each.metric].unit, each.target, speaker),
            "state": _state(each, speaker),
        }
        for each in found
    ]
    return (
        Figure(
            name="targets",
            title=speaker("Targets"),
            finding=speaker("{n} of {of} targets are reached.", n=speaker.count(reached), of=speaker.count(len(found))),
            columns=(
                Column("metric", speaker("Metric"), "text"),
                Column("value", speaker("Now"), "text"),
                Column("target", speaker("Target"), "text"),
                Column("state", speaker("State"), "text"),
            ),
            rows=rows,
        ),
    )
