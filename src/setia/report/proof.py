"""What the programmes caused: verdict, difference, customers kept, cost; and the placebo where nothing was sent."""

from __future__ import annotations

from typing import Any

from setia.effects.lift import Lift, Verdict
from setia.kernel.figure import Column, Figure, Headline, Section
from setia.kernel.i18n import N_, Speaker
from setia.kernel.statistics import Interval
from setia.programmes.journeys.placebo import Placebo
from setia.programmes.journeys.planning import Plan
from setia.programmes.journeys.results import Result
from setia.report.contents import Contents

VERDICTS = {
    Verdict.WORKS: N_("works"),
    Verdict.HARMS: N_("harms"),
    Verdict.NOT_SHOWN: N_("not shown"),
    Verdict.BROKEN: N_("measurement broken"),
}


def verdict(lift: Lift, speaker: Speaker) -> str:
    """The verdict in one word or two."""
    return speaker(VERDICTS[lift.verdict])


def next_step(lift: Lift, speaker: Speaker) -> str:
    """What to do about a verdict."""
    if lift.verdict is Verdict.WORKS:
        return speaker("Keep it running, and keep the held-out group: it goes on proving the effect.")
    if lift.verdict is Verdict.HARMS:
        return speaker("Stop it or change the offer: customers without it bought more.")
    if lift.verdict is Verdict.BROKEN:
        if lift.reason == "sample_ratio":
            return speaker(
                "The two groups are not as large as they were drawn. Find out who was left out, then measure anew."
            )
        return speaker("Held-out customers were reached after all. Find out how, then measure anew.")
    ways = []
    if lift.weeks_to_wait:
        ways.append(speaker("wait about {n} weeks", n=speaker.count(lift.weeks_to_wait)))
    if lift.sends_to_pool and lift.sends_to_pool > 1:
        ways.append(speaker("pool {n} rounds of this size", n=speaker.count(lift.sends_to_pool)))
    if lift.better_share:
        ways.append(speaker("hold out {share}", share=speaker.percent(lift.better_share, 0)))
    if not ways:
        return speaker("Nothing was shown yet; that does not mean there is no effect. Let it run on.")
    return speaker(
        "Nothing was shown yet; that does not mean there is no effect. To know: {ways}.",
        ways=speaker.listing(ways, "or"),
    )


def finding(result: Result, speaker: Speaker) -> str:
    """One sentence on one programme."""
    lift = result.lift
    if lift.verdict is Verdict.BROKEN:
        return speaker(
            "{treated} customers were treated and {held} held out, which does not fit how they were drawn; there is no figure to trust.",
            treated=speaker.count(lift.treated.n), held=speaker.count(lift.held_out.n),
        )  # fmt: skip
    if lift.difference is None or lift.interval is None:
        return speaker(
            "{n} customers are in; their {days} days are not over, so there is no result yet.",
            n=speaker.count(result.open_windows), days=speaker.count(result.window_days),
        )  # fmt: skip
    facts: dict[str, Any] = {
        "treated": speaker.percent(lift.treated.rate), "held": speaker.percent(lift.held_out.rate),
        "difference": speaker.points(lift.difference),
        "low": speaker.points(lift.interval.low), "high": speaker.points(lift.interval.high),
    }  # fmt: skip
    return speaker(
        "{treated} of the treated ordered within the window, {held} of the held-out group: a difference of {difference}, "
        "probably between {low} and {high}.",
        **facts,
    )


def summary(contents: Contents, speaker: Speaker) -> Figure:
    """One row per programme."""
    rows = [_row(result, speaker) for result in contents.results]
    if contents.results:
        said = finding(contents.results[0], speaker)
    elif contents.placebo is not None:
        said = speaker("No programme is running. The plan and the placebo below show what one could prove.")
    else:
        said = speaker("No programme is running.")
    return Figure(
        name="programmes",
        title=speaker("What the programmes caused"),
        finding=said,
        columns=_columns(speaker),
        rows=rows,
        how=speaker(
            "Everybody who was assigned counts, whether the message arrived or not. The interval is Newcombe's at the end "
            "of a measurement, and one that may be looked at any time while it runs."
        ),
        note=next_step(contents.results[0].lift, speaker) if contents.results else "",
    )


def _columns(speaker: Speaker) -> tuple[Column, ...]:
    return (
        Column("programme", speaker("Programme"), "text"),
        Column("verdict", speaker("Verdict"), "text"),
        Column("difference", speaker("Difference"), "points"),
        Column("range", speaker("Range"), "text"),
        Column("kept", speaker("Customers kept because of it"), "text"),
        Column("cost", speaker("Cost per customer kept"), "text"),
    )


def _row(result: Result, speaker: Speaker) -> dict[str, Any]:
    lift = result.lift
    return {
        "programme": result.title[speaker.language],
        "verdict": verdict(lift, speaker),
        "difference": lift.difference,
        "range": _range(lift.interval, 100, 1, speaker) if lift.interval else speaker.missing,
        "kept": kept(lift, speaker),
        "cost": cost(lift, speaker),
    }  # fmt: skip


def between(low: str, high: str, speaker: Speaker) -> str:
    """A range in words."""
    return speaker("{low} to {high}", low=low, high=high)


def _range(interval: Interval, scale: float, digits: int, speaker: Speaker) -> str:
    """An interval as two plain numbers, its unit said elsewhere."""
    low, high = (speaker.number(end * scale, digits).replace("-", "−") for end in (interval.low, interval.high))
    return between(low, high, speaker)


def kept(lift: Lift, speaker: Speaker) -> str:
    """Customers kept because of it, with the range."""
    if lift.incremental is None or lift.incremental_interval is None:
        return speaker.missing
    kept = speaker.number(lift.incremental, 0).replace("-", "−")
    return f"{kept} ({_range(lift.incremental_interval, 1, 0, speaker)})"


def cost(lift: Lift, speaker: Speaker) -> str:
    """Cost of each customer kept because of it, with the range."""
    each = lift.cost_per_incremental
    if lift.difference is None or not lift.cost:
        return speaker.missing
    if each is None or each.value is None:
        return speaker("not shown to keep anyone")
    if each.high is None:
        return speaker("{value} or more", value=speaker.money(each.low))
    return f"{speaker.money(each.value)} ({between(speaker.money(each.low), speaker.money(each.high), speaker)})"


def section(contents: Contents, speaker: Speaker) -> Section:
    """The section on programmes: each in detail, the plan, the placebo."""
    figures = [_detail(result, speaker) for result in contents.results]
    if contents.placebo is not None:
        figures.append(_placebo(contents.placebo, speaker))
    return Section(
        name="proof",
        title=speaker("Programmes and proof"),
        lead=speaker("Every programme is measured against a held-out group from its first day."),
        headlines=_planned(contents.plan, speaker) if contents.plan is not None else (),
        figures=tuple(figures),
    )


def _detail(result: Result, speaker: Speaker) -> Figure:
    lift = result.lift
    rows = [
        {"group": speaker("Treated"), "customers": lift.treated.n, "bought": lift.treated.successes,
         **_rates(lift.treated)},
        {"group": speaker("Held out"), "customers": lift.held_out.n, "bought": lift.held_out.successes,
         **_rates(lift.held_out)},
    ]  # fmt: skip
    return Figure(
        name=f"programme-{result.programme}",
        title=speaker("{programme}: {verdict}", programme=result.title[speaker.language], verdict=verdict(lift, speaker)),
        finding=finding(result, speaker),
        columns=(
            Column("group", speaker("Group"), "text"),
            Column("customers", speaker("Customers"), "count"),
            Column("bought", speaker("Ordered in {n} days", n=speaker.count(result.window_days)), "count"),
            Column("rate", speaker("Share"), "percent"),
            Column("low", speaker("from"), "percent"),
            Column("high", speaker("to"), "percent"),
        ),
        rows=rows,
        mark="intervals" if lift.treated.n and lift.held_out.n else "none",
        x="group",
        series=("rate", "low", "high"),
        how=costs(result, speaker),
        note=next_step(lift, speaker),
    )  # fmt: skip


def costs(result: Result, speaker: Speaker) -> str:
    """What was sent and what it cost, in two sentences."""
    return speaker(
        "{sent} messages sent, {refused} held back by the check before each send, {unknown} unknown. Messages cost {messages}, {redeemed} redeemed codes {offers}. {open} customers are still inside their window.",
        sent=speaker.count(result.sent), refused=speaker.count(sum(result.refused.values())),
        unknown=speaker.count(result.unknown), messages=speaker.money(result.message_cost),
        redeemed=speaker.count(result.redeemed), offers=speaker.money(result.offer_cost),
        open=speaker.count(result.open_windows),
    )  # fmt: skip


def _rates(proportion: Any) -> dict[str, float | None]:
    if not proportion.n:
        return {"rate": None, "low": None, "high": None}
    interval = proportion.wilson()
    return {"rate": proportion.rate, "low": interval.low, "high": interval.high}


def _planned(plan: Plan, speaker: Speaker) -> tuple[Headline, ...]:
    smallest = speaker.points(plan.smallest_effect).removeprefix("+")
    return (
        Headline(
            "plan_audience",
            speaker("Win-back would reach now"),
            speaker.count(plan.reachable),
            speaker("{n} customers are overdue; {weekly} more each week can be reached",
                    n=speaker.count(plan.audience), weekly=speaker.number(plan.weekly_entries, 0)),
        ),
        Headline(
            "plan_share",
            speaker("Held-out group proposed"),
            speaker.percent(plan.share, 0),
            speaker("smallest effect it could show in {weeks} weeks: {effect}",
                    weeks=speaker.count(plan.weeks_ahead), effect=smallest),
        ),
        Headline(
            "plan_cost",
            speaker("It would cost about"),
            speaker.money(plan.message_cost + plan.offer_cost),
            speaker("at most {n} messages; {share} order within the window by themselves",
                    n=speaker.count(plan.messages), share=speaker.percent(plan.base_rate, 0)),
        ),
    )  # fmt: skip


def _placebo(placebo: Placebo, speaker: Speaker) -> Figure:
    lift = placebo.lift
    return Figure(
        name="placebo",
        title=speaker("Placebo: a programme that sent nothing is {verdict}", verdict=verdict(lift, speaker)),
        finding=speaker(
            "The overdue customers of {day} were divided as if, and nobody was written to. Of {n} such divisions {claims} "
            "would have claimed an effect; one in twenty is allowed.",
            day=speaker.date(placebo.as_of), n=speaker.count(placebo.divisions),
            claims=speaker.count(placebo.false_claims),
        ),
        columns=(
            Column("group", speaker("Group"), "text"),
            Column("customers", speaker("Customers"), "count"),
            Column("bought", speaker("Ordered in {n} days", n=speaker.count(placebo.window_days)), "count"),
            Column("rate", speaker("Share"), "percent"),
            Column("low", speaker("from"), "percent"),
            Column("high", speaker("to"), "percent"),
        ),
        rows=[
            {"group": speaker("As if treated"), "customers": lift.treated.n, "bought": lift.treated.successes,
             **_rates(lift.treated)},
            {"group": speaker("Held out"), "customers": lift.held_out.n, "bought": lift.held_out.successes,
             **_rates(lift.held_out)},
        ],
        mark="intervals",
        x="group",
        series=("rate", "low", "high"),
        how=speaker("Shown is the typical division, the one whose difference is the median in size."),
    )  # fmt: skip
