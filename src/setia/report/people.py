"""The page on who the customers are: stages and how they flow, the RFM map, segments and who came and went."""

from __future__ import annotations

from typing import Any

from setia.customers.health import PARTS
from setia.customers.rfm import GROUPS
from setia.customers.stages import ACTIONS, NAMES, STAGES, rules_of
from setia.kernel.figure import Column, Figure, Headline, Section
from setia.kernel.i18n import N_, Speaker
from setia.report.contents import Contents

TOGETHER = (1, 2, 3, 4, 5)


def section(contents: Contents, speaker: Speaker) -> Section:
    """Who the customers are."""
    return Section(
        name="customers",
        title=speaker("Who they are"),
        lead=speaker("In which stage of their life with the shop customers are, where they go, and who came and went."),
        headlines=_headlines(contents, speaker),
        figures=(
            stages(contents, speaker),
            _actions(contents, speaker),
            *_flow(contents, speaker),
            *_rfm(contents, speaker),
            *_health(contents, speaker),
            *_segments(contents, speaker),
        ),
    )


def _headlines(contents: Contents, speaker: Speaker) -> tuple[Headline, ...]:
    counted = {row["stage"]: row["customers"] for row in contents.stages}
    everybody = contents.customers

    def share(names: tuple[str, ...]) -> str:
        return (
            speaker.percent(sum(counted.get(name, 0) for name in names) / everybody) if everybody else speaker.missing
        )

    of_all = speaker("of {n} customers", n=speaker.count(everybody))
    return (
        Headline("loyal_share", speaker("Loyal"), share(("loyalty",)), of_all),
        Headline(
            "live_share",
            speaker("Not overdue"),
            share(("activation", "retention", "loyalty", "reactivation")),
            of_all,
        ),
        Headline("dormant_share", speaker("Dormant"), share(("dormant",)), of_all),
        Headline("lost_share", speaker("Lost"), share(("lost",)), of_all),
    )


def stages(contents: Contents, speaker: Speaker) -> Figure:
    """How many stand in each stage."""
    order = list(STAGES)
    rows = [
        {
            **row,
            "stage": speaker(STAGES[row["stage"]]),
            "rank": order.index(row["stage"]),
        }
        for row in contents.stages
    ]
    rows.sort(key=lambda row: row["rank"])
    overdue = next((row for row in contents.stages if row["stage"] == "dormant"), None)
    return Figure(
        name="stages",
        title=speaker("Life-cycle stages"),
        finding=speaker(
            "{n} of {of} customers are dormant: still winnable, not for long.",
            n=speaker.count(overdue["customers"] if overdue else 0), of=speaker.count(contents.customers),
        ),
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
            "The first rule that holds: {rules}.",
            rules="; ".join(f"{speaker(NAMES[name])}: {rule}" for name, rule in rules_of(contents.scope.rules.stages).items()),
        ),
    )  # fmt: skip


def _actions(contents: Contents, speaker: Speaker) -> Figure:
    there = {row["stage"] for row in contents.stages}
    return Figure(
        name="stage_actions",
        title=speaker("What to do in each stage"),
        finding=speaker("Each stage wants something else; what works in your shop a held-out group shows."),
        columns=(Column("stage", speaker("Stage"), "text"), Column("action", speaker("What shops do"), "text")),
        rows=[
            {"stage": speaker(NAMES[name]), "action": speaker(action)}
            for name, action in ACTIONS.items()
            if name in there
        ],
    )


def _flow(contents: Contents, speaker: Speaker) -> tuple[Figure, ...]:
    flow = contents.flow
    if not flow.sizes:
        return ()
    order = list(STAGES)
    sizes = [
        {
            "stage": speaker(NAMES[row["stage"]]),
            "month": row["month"],
            "customers": row["customers"],
            "rank": order.index(row["stage"]),
        }
        for row in flow.sizes
    ]
    sizes.sort(key=lambda row: (row["rank"], row["month"]))
    over_time = Figure(
        name="stage_months",
        title=speaker("Stages at the beginning of each month"),
        finding=_change(contents, speaker),
        columns=(
            Column("stage", speaker("Stage"), "text"),
            Column("month", speaker("Beginning of"), "month"),
            Column("customers", speaker("Customers"), "count"),
        ),
        rows=sizes,
        mark="grid",
        x="month",
        y="stage",
        series=("customers",),
        how=speaker("By the rules and the shop's rhythm of each day, from what had happened by then."),
    )  # fmt: skip
    return (over_time, _last_month(contents, speaker)) if flow.moves else (over_time,)


def _last_month(contents: Contents, speaker: Speaker) -> Figure:
    """Who went from which stage to which in the last whole month."""
    order = list(STAGES)
    month = max(row["month"] for row in contents.flow.moves)
    moves = [row for row in contents.flow.moves if row["month"] == month]
    names: dict[str | None, str] = {
        None: speaker("Not on record yet"),
        **{name: speaker(NAMES[name]) for name in order},
    }
    moves.sort(key=lambda row: (-1 if row["before"] is None else order.index(row["before"]), order.index(row["after"])))
    # Every stage that anybody reached has its column, in the order of life.
    across = [name for name in order if any(row["after"] == name for row in moves)]
    counted = {(row["before"], row["after"]): row["customers"] for row in moves}
    rows = [
        {"before": names[before], "after": names[after], "customers": counted.get((before, after), 0)}
        for before in dict.fromkeys(row["before"] for row in moves)
        for after in across
    ]
    return Figure(
        name="stage_flow",
        title=speaker("From stage to stage in {month}", month=speaker.month(month)),
        finding=_moved(moves, speaker),
        columns=(
            Column("before", speaker("At the beginning"), "text"),
            Column("after", speaker("At the end"), "text"),
            Column("customers", speaker("Customers"), "count"),
        ),
        rows=rows,
        mark="grid",
        x="after",
        y="before",
        series=("customers",),
        how=speaker("Rows are where customers stood at the beginning of the month, columns where they stood at its end."),
    )  # fmt: skip


def _change(contents: Contents, speaker: Speaker) -> str:
    months = sorted({row["month"] for row in contents.flow.sizes})
    sizes = {(row["month"], row["stage"]): row["customers"] for row in contents.flow.sizes}
    first, last = (sizes.get((months[place], "loyalty"), 0) for place in (0, -1))
    return speaker(
        "Loyal customers: {before} in {then}, {now} in {month}.",
        before=speaker.count(first), then=speaker.month(months[0]), now=speaker.count(last),
        month=speaker.month(months[-1]),
    )  # fmt: skip


def _moved(moves: list[dict[str, Any]], speaker: Speaker) -> str:
    overdue, bought = ("dormant", "lost"), ("activation", "retention", "loyalty", "reactivation")
    slept = sum(row["customers"] for row in moves if row["before"] in bought and row["after"] in overdue)
    back = sum(row["customers"] for row in moves if row["before"] in overdue and row["after"] in bought)
    return speaker(
        "{slept} fell silent for longer than their rhythm explains, {back} came back.",
        slept=speaker.count(slept), back=speaker.count(back),
    )  # fmt: skip


def _rfm(contents: Contents, speaker: Speaker) -> tuple[Figure, ...]:
    found = contents.rfm
    if not found.places:
        return ()
    counted = {(row["recency"], row["together"]): row for row in found.places}
    rows = [
        {
            "recency": speaker.count(recency),
            "together": speaker.count(together),
            "customers": counted.get((recency, together), {}).get("customers", 0),
        }
        for recency in TOGETHER[::-1]
        for together in TOGETHER
    ]
    whole = sum(row["customers"] for row in found.places)
    best = sum(row["customers"] for row in found.places if row["group"] == "champions")
    drawn = Figure(
        name="rfm_map",
        title=speaker("RFM map"),
        finding=speaker(
            "{n} of {of} buyers are champions: bought recently, often and much.",
            n=speaker.count(best), of=speaker.count(whole),
        ),
        columns=(
            Column("recency", speaker("How recent, from 1 (longest ago) to 5"), "text"),
            Column("together", speaker("How often and how much, from 1 to 5"), "text"),
            Column("customers", speaker("Customers"), "count"),
        ),
        rows=rows,
        mark="grid",
        x="together",
        y="recency",
        series=("customers",),
        how=speaker("Fifths of the buyers, or the shop's own cuts from setia.toml. How often and how much count together, as their mean."),
    )  # fmt: skip
    return drawn, _groups(contents, speaker)


def _groups(contents: Contents, speaker: Speaker) -> Figure:
    found = contents.rfm
    rows = []
    for name, title in GROUPS.items():
        places = [row for row in found.places if row["group"] == name]
        came = sum(row["customers"] for row in found.moves if row["after"] == name and row["before"] != name)
        went = sum(row["customers"] for row in found.moves if row["before"] == name and row["after"] != name)
        rows.append(
            {
                "group": speaker(title),
                "customers": sum(row["customers"] for row in places),
                "net_revenue": sum(row["net_revenue"] for row in places),
                "came": came,
                "went": went,
            }
        )
    risen = max(rows, key=lambda row: row["came"] - row["went"])
    return Figure(
        name="rfm_groups",
        title=speaker("The eleven RFM names"),
        finding=speaker(
            "In 30 days {group} gained most: {came} came, {went} went.",
            group=risen["group"], came=speaker.count(risen["came"]), went=speaker.count(risen["went"]),
        ),
        columns=(
            Column("group", speaker("Name"), "text"),
            Column("customers", speaker("Customers"), "count"),
            Column("net_revenue", speaker("Net sales so far"), "money"),
            Column("came", speaker("Came in 30 days"), "count"),
            Column("went", speaker("Went in 30 days"), "count"),
        ),
        rows=rows,
        mark="bars",
        x="group",
        series=("customers",),
        how=speaker("The names that shops draw on the map, each place with one. Came and went compare with the map of 30 days before."),
    )  # fmt: skip


REASONS = {
    "usage": N_("Usage fell"),
    "support": N_("Questions and complaints"),
    "answers": N_("Low answers to surveys"),
    "payments": N_("Payments failed"),
}


def _health(contents: Contents, speaker: Speaker) -> tuple[Figure, ...]:
    if not contents.health:
        return ()
    subscribers = sum(row["subscribers"] for row in contents.health)
    weak = sum(row["subscribers"] for row in contents.health if row["health"] < 50)
    reasons = {name: sum(row.get(name, 0) for row in contents.health if row["health"] < 50) for name in PARTS}
    worst = max(reasons, key=lambda name: reasons[name])
    finding = speaker(
        "{n} of {of} subscribers are below 50 of 100.", n=speaker.count(weak), of=speaker.count(subscribers)
    )
    if reasons[worst]:
        finding += " " + speaker("What costs them most: {reason}.", reason=speaker(REASONS[worst]))
    rows = [
        {**row, "range": f"{row['health']}–{min(row['health'] + 9, 100) if row['health'] < 90 else 100}"}
        for row in contents.health
    ]
    return (
        Figure(
            name="health",
            title=speaker("Health of subscriptions"),
            finding=finding,
            columns=(
                Column("range", speaker("Health, 0 to 100"), "text"),
                Column("subscribers", speaker("Subscribers"), "count"),
                *(Column(name, speaker(REASONS[name]), "count") for name in PARTS),
            ),
            rows=rows,
            mark="bars",
            x="range",
            series=("subscribers",),
            how=speaker(
                "Usage, support, answers and payments, each from 0 to 1, by the weights in setia.toml; `setia customers health` learns them "
                "from who has left. The other columns say what costs most."
            ),
        ),
    )


def _segments(contents: Contents, speaker: Speaker) -> tuple[Figure, ...]:
    rows = [
        {
            "segment": speaker(row["title"]) if not row["own"] else row["title"],
            "customers": row["customers"],
            "reachable": row["reachable"] / row["customers"] if row["customers"] else None,
            "net_revenue": row["net_revenue"] or 0,
            "entered": row["entered"],
            "left": row["left"],
            "because": row["entered_because"] or speaker.missing,
        }
        for row in contents.segments
    ]
    moved = [row for row in rows if row["entered"]]
    most = max(moved, key=lambda row: row["entered"], default=None)
    finding = (
        speaker(
            "Since the refresh before, most entered “{segment}”: {n}.",
            segment=most["segment"], n=speaker.count(most["entered"]),
        )
        if most is not None
        else speaker("Nobody has entered a segment since the refresh before.")
    )  # fmt: skip
    return (
        Figure(
            name="segments",
            title=speaker("Segments"),
            finding=finding,
            columns=(
                Column("segment", speaker("Segment"), "text"),
                Column("customers", speaker("Customers"), "count"),
                Column("reachable", speaker("Reachable"), "percent"),
                Column("net_revenue", speaker("Net sales so far"), "money"),
                Column("entered", speaker("Entered"), "count"),
                Column("left", speaker("Left"), "count"),
                Column("because", speaker("Most entered because"), "text"),
            ),
            rows=rows,
            mark="bars",
            x="segment",
            series=("customers",),
            how=speaker("`setia segments` lists the members, `--moves` who came and went and why. Reachable: may be written to on a channel."),
        ),
    )  # fmt: skip
