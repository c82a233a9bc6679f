"""The page on what customers will do: what is expected, how far it may be believed, what to do with it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from setia.kernel.figure import Column, Figure, Headline, Section
from setia.kernel.i18n import N_, Speaker
from setia.predictions.backtest import BackTest
from setia.predictions.candidates import CANDIDATES
from setia.predictions.drift import between
from setia.predictions.reasons import REASONS
from setia.report.contents import Contents
from setia.report.foresight import Foresight

SHARE = 0.8
"""Of cases that the intervals of totals are made to hold."""


def section(contents: Contents, speaker: Speaker) -> Section:
    """What is to come."""
    seen, names = contents.foresight, contents.products
    figures = (
        _forecast(contents, speaker),
        _weeks(seen, contents.scope.as_of, speaker),
        _reasons(seen, speaker),
        *_products(seen, names, speaker),
        *_ending(seen, speaker),
        *(_tested(seen.kept.backtest, speaker) if seen.kept.backtest else ()),
        *_drift(seen, speaker),
    )
    return Section(
        name="ahead",
        title=speaker("What they will do"),
        lead=speaker(
            "Who will order, when and for how much; and how well such predictions came true in your own past."
        ),
        headlines=_headlines(contents, speaker),
        figures=figures,
    )


def model_name(card: Mapping[str, Any], speaker: Speaker) -> str:
    """What a card's model is called."""
    return speaker(CANDIDATES[card["model"]][0])


def _headlines(contents: Contents, speaker: Speaker) -> tuple[Headline, ...]:
    card = contents.foresight.kept.card
    totals = {int(each["days"]): each for each in card.get("totals", ())}
    if not totals:
        return ()
    quarter = totals[90]
    by = speaker("by {model}", model=model_name(card, speaker))
    explained = card.get("explained")
    return (
        Headline("orders_ahead", speaker("Orders expected in 90 days"), speaker.count(round(quarter["orders"])), by),
        Headline("revenue_ahead", speaker("Revenue expected in 90 days"), speaker.money(quarter["revenue"]),
                 speaker("of customers known by today")),
        Headline("explained", speaker("Explained in the back-test"), speaker.percent(explained),
                 speaker("of what customers spend differently; 0 knows nobody apart")),
    )  # fmt: skip


def _forecast(contents: Contents, speaker: Speaker) -> Figure:
    card = contents.foresight.kept.card
    rows = []
    for each in card.get("totals", ()):
        low, high = between(each["orders"], card["error"], card["windows"], SHARE)
        days = int(each["days"])
        rows.append(
            {
                "horizon": speaker.days(days),
                "orders": round(each["orders"]),
                "low": round(low),
                "high": round(high),
                "revenue": each["revenue"],
            }
        )
    finding = (
        speaker(
            "In the next {days} days {orders} orders are expected of customers who are known by today.",
            days=speaker.count(90), orders=speaker.count(round(card["totals"][2]["orders"])),
        )
        if rows else card.get("reason") or speaker("There is too little history for a prediction yet.")
    )  # fmt: skip
    said = {
        "dropout": N_("This history does not show that customers ever leave for good."),
        "season": N_("The history is shorter than a year and a window: no season can be told."),
        "short": N_("Fewer than two windows of 90 days are complete, so intervals are wide."),
        "naive": N_("A rule of thumb did best in the back-test: the models see no more than that yet."),
    }
    return Figure(
        name="forecast",
        title=speaker("What is expected of all customers together"),
        finding=finding,
        columns=(
            Column("horizon", speaker("Within"), "text"),
            Column("orders", speaker("Purchase days"), "count"),
            Column("low", speaker("Four in five cases: from"), "count"),
            Column("high", speaker("to"), "count"),
            Column("revenue", speaker("Revenue"), "money"),
        ),
        rows=rows,
        mark="intervals" if rows else "none",
        x="horizon",
        series=("orders", "low", "high"),
        how=speaker(
            "Of customers who have ordered by today; whom the shop still wins is not in it. The interval comes from how far "
            "totals were off in the windows of the back-test, and from chance."
        ),
        note=" ".join(speaker(sentence) for limit, sentence in said.items() if limit in card.get("limits", ())),
    )


def _weeks(seen: Foresight, as_of: dt.date, speaker: Speaker) -> Figure:
    rows = [
        {**row, "week": as_of + dt.timedelta(days=7 * row["week"]), "orders": round(row["orders"])}
        for row in seen.weeks
    ]
    return Figure(
        name="next_orders",
        title=speaker("When the next orders are due"),
        finding=speaker(
            "In the coming week the next order of {n} customers is due by their own rhythm.",
            n=speaker.count(seen.weeks[0]["customers"] if seen.weeks[0]["week"] == 0 else 0),
        )
        if rows
        else speaker("There is too little history for a prediction yet."),
        columns=(
            Column("week", speaker("Week from"), "date"),
            Column("customers", speaker("Customers due"), "count"),
            Column("orders", speaker("Expected to order within 90 days"), "count"),
        ),
        rows=rows,
        mark="bars",
        x="week",
        series=("customers", "orders"),
        how=speaker(
            "The day by which half of those with the same rhythm and the same silence have bought again, if they do; weighed "
            "with the chance of an order in 90 days."
        ),
    )


def _reasons(seen: Foresight, speaker: Speaker) -> Figure:
    rows = [
        {**row, "reason": speaker(REASONS[row["reason"]].title)} for row in seen.reasons if row["reason"] in REASONS
    ]
    return Figure(
        name="risk_reasons",
        title=speaker("Why customers are at risk"),
        finding=speaker(
            "Most often: {reason} ({n} of those who are overdue).", reason=rows[0]["reason"], n=speaker.count(rows[0]["customers"])
        )
        if rows
        else speaker("No reasons are known yet."),
        columns=(
            Column("reason", speaker("Weightiest reason"), "text"),
            Column("customers", speaker("Overdue customers"), "count"),
            Column("value", speaker("Worth in a year if they come back"), "money"),
        ),
        rows=rows,
        mark="bars" if rows else "none",
        x="reason",
        series=("customers",),
        how=speaker(
            "What in a customer's own figures lowers the learned chance of an order most, against a customer who buys. It says "
            "what the model goes by; what helps a held-out group shows."
        ),
    )  # fmt: skip


def _products(seen: Foresight, names: Mapping[str | None, str], speaker: Speaker) -> tuple[Figure, ...]:
    found = []
    if seen.suggested:
        rows = _named(seen.suggested, names)
        found.append(
            Figure(
                name="suggested",
                title=speaker("What to suggest most"),
                finding=speaker(
                    "{product} is the first suggestion for {n} customers.",
                    product=rows[0]["product"], n=speaker.count(rows[0]["customers"]),
                ),
                columns=(
                    Column("product", speaker("Product"), "text"),
                    Column("customers", speaker("Customers"), "count"),
                ),
                rows=rows,
                mark="bars",
                x="product",
                series=("customers",),
                how=speaker(
                    "From what each has bought and looked at, and what is bought together; never what is sold out, was sent "
                    "back or was just bought."
                ),
            )
        )  # fmt: skip
    if seen.subscriptions:
        rows = _named(seen.subscriptions, names)
        found.append(
            Figure(
                name="subscription_candidates",
                title=speaker("Who might subscribe to what"),
                finding=speaker(
                    "{n} customers buy {product} about every {weeks} weeks: offer it as a subscription.",
                    n=speaker.count(rows[0]["customers"]), product=rows[0]["product"], weeks=speaker.count(rows[0]["weeks"]),
                ),
                columns=(
                    Column("product", speaker("Product"), "text"),
                    Column("weeks", speaker("Every so many weeks"), "count"),
                    Column("customers", speaker("Customers"), "count"),
                    Column("saving", speaker("What they would save in a year"), "money"),
                ),
                rows=rows,
                how=speaker("At least three purchases of it at regular intervals, still going on."),
            )
        )  # fmt: skip
    return tuple(found)


def _named(rows: Sequence[dict[str, Any]], names: Mapping[str | None, str]) -> list[dict[str, Any]]:
    return [{**row, "product": names[row["product_id"]]} for row in rows]


def _ending(seen: Foresight, speaker: Speaker) -> tuple[Figure, ...]:
    if not seen.ending:
        return ()
    rows = [{**row, "chance": _tenth(row["tenth"], speaker)} for row in seen.ending]
    likely = sum(row["subscribers"] for row in seen.ending if row["tenth"] >= 3)
    return (
        Figure(
            name="ending",
            title=speaker("Chance that a subscription ends within 90 days"),
            finding=speaker("{n} subscribers leave with a chance of three in ten or more.", n=speaker.count(likely)),
            columns=(
                Column("chance", speaker("Chance"), "text"),
                Column("subscribers", speaker("Subscribers"), "count"),
                Column("value", speaker("Payments expected in 365 days"), "money"),
            ),
            rows=rows,
            mark="bars",
            x="chance",
            series=("subscribers",),
            how=speaker("From how long they have subscribed, what they pay, payments that failed, visits, questions and answers."),
        ),
    )  # fmt: skip


def _tenth(tenth: int, speaker: Speaker) -> str:
    return f"{speaker.percent(tenth / 10, 0)}–{speaker.percent((tenth + 1) / 10, 0)}"


def _tested(found: BackTest, speaker: Speaker) -> tuple[Figure, ...]:
    return _candidates(found, speaker), *_calibration(found, speaker)


def _candidates(found: BackTest, speaker: Speaker) -> Figure:
    rows = []
    plain = [each for each in found.scores if each.correction == "none"]
    tried = [{each.day for each in plain if each.candidate == name} for name in found.ranking]
    days = sorted(set.intersection(*tried))
    for name in found.ranking:
        own = [each for each in plain if each.candidate == name and each.day in days]
        rows.append(
            {
                "candidate": speaker(CANDIDATES[name][0]),
                "explained": _mean([each.explained for each in own]),
                "revenue_bias": _mean([each.revenue_bias for each in own]),
                "error": _mean([each.revenue_error for each in own]),
                "gini": _mean([each.gini for each in own]),
                "auc": _mean([each.auc for each in own]),
                "calibration": _mean([each.calibration_error for each in own]),
            }
        )
    return Figure(
        name="backtest",
        title=speaker("How each way to predict would have done"),
        finding=speaker("Chosen by the last {n} windows of {days} days: {model}.",
                        n=speaker.count(len(days)), days=speaker.count(found.horizon), model=rows[0]["candidate"]),
        columns=(
            Column("candidate", speaker("Way to predict"), "text"),
            Column("explained", speaker("Explained"), "percent"),
            Column("revenue_bias", speaker("Revenue too high or low by"), "percent"),
            Column("error", speaker("Mean error per customer"), "money"),
            Column("gini", speaker("Ranking (Gini)"), "percent"),
            Column("auc", speaker("Ranking of who orders (AUC)"), "percent"),
            Column("calibration", speaker("Chances off by"), "percent"),
        ),
        rows=rows,
        mark="bars",
        x="candidate",
        series=("gini",),
        how=speaker(
            "From each of several past days every candidate predicts from what was known then, and is held against what "
            "followed. The one that explains most of what customers spent is chosen, or the mean of two models where it cannot "
            "be told from that; naive rules are candidates like others."
        ),
        note=" ".join(f"{speaker(CANDIDATES[name][0])}: {why}" for name, why in found.failed.items()),
    )  # fmt: skip


def _calibration(found: BackTest, speaker: Speaker) -> tuple[Figure, ...]:
    last = max((row["day"] for row in found.calibration), default=None)
    rows = [row for row in found.calibration if row["day"] == last and row["what"] == "orders"]
    if not rows:
        return ()
    held = [each.coverage_revenue for each in found.of_chosen() if each.coverage_revenue is not None]
    return (
        Figure(
            name="calibration",
            title=speaker("Chances against what came"),
            finding=speaker(
                "Of the tenth with the highest chances {expected} were expected to order; {actual} did.",
                expected=speaker.percent(rows[-1]["expected"]), actual=speaker.percent(rows[-1]["actual"]),
            ),
            columns=(
                Column("tenth", speaker("Tenth by chance"), "count"),
                Column("customers", speaker("Customers"), "count"),
                Column("expected", speaker("Expected to order"), "percent"),
                Column("actual", speaker("Did order"), "percent"),
            ),
            rows=[{**row, "tenth": number} for number, row in enumerate(rows, 1)],
            mark="bars",
            x="tenth",
            series=("expected", "actual"),
            how=speaker("On the last complete window: customers in tenths by their chance, and the share of each that ordered."),
            note=speaker("Intervals made to hold four in five customers held {share}.", share=speaker.percent(fmean(held)))
            if held else "",
        ),
    )  # fmt: skip


def _drift(seen: Foresight, speaker: Speaker) -> tuple[Figure, ...]:
    found = seen.kept.drifts
    if not found:
        return ()
    off = any(each.drifted for each in found)
    return (
        Figure(
            name="drift",
            title=speaker("What became of earlier predictions"),
            finding=speaker("What came is not what was predicted: something has changed.")
            if off
            else speaker("What came is what was predicted, within the interval."),
            columns=(
                Column("as_of", speaker("Predicted on"), "date"),
                Column("days", speaker("Days since"), "count"),
                Column("expected", speaker("Expected"), "count"),
                Column("low", speaker("from"), "count"),
                Column("high", speaker("to"), "count"),
                Column("actual", speaker("Came"), "count"),
            ),
            rows=[
                {
                    "as_of": each.as_of, "days": each.days, "expected": round(each.expected),
                    "low": round(each.low), "high": round(each.high), "actual": round(each.actual),
                }
                for each in found
            ],
            how=speaker("Purchase days of customers known on that day; in 19 of 20 cases they lie in the interval if nothing changed."),
        ),
    )  # fmt: skip


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
