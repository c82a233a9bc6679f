"""Value and risk: what customers have brought by age, and what is expected of whom."""

from __future__ import annotations

from typing import Any

from setia.kernel.figure import Column, Figure, Section
from setia.kernel.i18n import Speaker
from setia.metrics.answer import Answer
from setia.metrics.catalogue import METRICS
from setia.metrics.worth import pooled_after
from setia.report import ahead
from setia.report.contents import Contents
from setia.report.showing import headline


def section(contents: Contents, speaker: Speaker) -> Section:
    """Lifetime value so far, predictions."""
    answer = contents.answers["lifetime_value"]
    months = answer.figures["months"]
    detail = speaker("after {n} months, net of returns", n=speaker.count(months)) if months else None
    return Section(
        name="value",
        title=speaker("Value and risk"),
        lead=_model_said(contents, speaker),
        headlines=(headline(answer, speaker, detail),),
        figures=(
            _lifetime(answer, speaker),
            _by_cohort(answer, speaker),
            _chances(contents, speaker),
        ),
    )


def _lifetime(answer: Answer, speaker: Speaker) -> Figure:
    rows = answer.rows()
    ages = sorted({row["age"] for row in rows if row["mature"]})
    points = []
    for age in ages:
        per_customer, of = pooled_after(rows, age + 1)
        if per_customer is not None:
            points.append({"months": age + 1, "per_customer": per_customer, "customers": of})
    finding = speaker(
        "A customer has brought {value} after {n} months.",
        value=speaker.money(answer.value), n=speaker.count(answer.figures["months"]),
    ) if answer.value is not None else speaker("No cohort is old enough yet.")  # fmt: skip
    return Figure(
        name="lifetime",
        title=speaker("Lifetime value so far, by age"),
        finding=finding,
        columns=(
            Column("months", speaker("Months since the first order"), "count"),
            Column("per_customer", speaker("Net sales per customer so far"), "money"),
            Column("customers", speaker("Customers old enough"), "count"),
        ),
        rows=points,
        mark="line" if len(points) > 1 else "none",
        x="months",
        series=("per_customer",),
        how=speaker(METRICS["lifetime_value"].formula),
        note=speaker("At each age only the customers who have reached it count, so that the last points rest on few."),
    )


def _by_cohort(answer: Answer, speaker: Speaker) -> Figure:
    cohorts: dict[Any, dict[str, Any]] = {}
    for row in answer.rows():
        own = cohorts.setdefault(row["cohort"], {"cohort": row["cohort"], "size": row["size"]})
        if row["mature"] and row["age"] + 1 in (1, 3, 6, 12):
            own[f"after_{row['age'] + 1}"] = row["per_customer"]
    rows = list(cohorts.values())
    ripe = [row for row in rows if row.get("after_3") is not None]
    if len(ripe) > 1:
        best = max(ripe, key=lambda row: row["after_3"])
        finding = speaker(
            "After three months the customers of {month} had brought most: {value} each.",
            month=speaker.month(best["cohort"]), value=speaker.money(best["after_3"]),
        )  # fmt: skip
    else:
        finding = speaker("No cohort is old enough yet.")
    return Figure(
        name="lifetime-cohorts",
        title=speaker("Lifetime value by month of the first order"),
        finding=finding,
        columns=(
            Column("cohort", speaker("First order in"), "month"),
            Column("size", speaker("Customers"), "count"),
            *(
                Column(f"after_{n}", speaker.many("After {n} month", "After {n} months", n), "money")
                for n in (1, 3, 6, 12)
            ),
        ),
        rows=rows,
        how=speaker(
            "Compare down a column, never along a row's end: cohorts of different age have had different time."
        ),
    )


def _model_said(contents: Contents, speaker: Speaker) -> str:
    card = contents.foresight.kept.card
    if card.get("parameters") is None:
        return speaker("There is too little history for a prediction yet.")
    return speaker(
        "Predicted from {n} customers ({repeat} of them bought more than once), by: {model}.",
        n=speaker.count(card["customers"]), repeat=speaker.count(card["repeat_customers"]),
        model=ahead.model_name(card, speaker),
    )  # fmt: skip


def _caution(contents: Contents, speaker: Speaker) -> str:
    if contents.foresight.kept.card.get("dropout_identified") is False:
        return speaker(
            "This history does not show that customers ever leave for good, so the chances of still being a customer are "
            "upper limits. Go by the silence and the shop's own rhythm instead."
        )
    return ""


def _chances(contents: Contents, speaker: Speaker) -> Figure:
    rows = [
        {
            "chance": f"{speaker.percent(row['tenth'] / 10, 0)}–{speaker.percent((row['tenth'] + 1) / 10, 0)}",
            "customers": row["customers"],
            "expected_value_365d": row["expected_value_365d"],
        }
        for row in contents.chances
    ]
    total = sum(row["expected_value_365d"] or 0.0 for row in rows)
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
        how=speaker("Probability of at least one order, by the chosen way to predict."),
        note=_caution(contents, speaker),
    )  # fmt: skip
