"""What if: the shop's own numbers to be turned, on the page itself."""

from __future__ import annotations

from typing import Any

from babel.numbers import format_decimal

from setia.kernel.figure import Calculator, Column, Figure, Headline, Knob, Section
from setia.kernel.i18n import N_, Speaker
from setia.kernel.money import shown_digits
from setia.metrics.keeping import PERIOD_DAYS
from setia.metrics.what_if import DAYS_A_MONTH, Economics, retention_over

POINTS, PER_CENT = N_("percentage points"), N_("per cent")
TRIED: tuple[tuple[str, str, float], ...] = (
    ("retention_points", N_("Retention {change}"), 5),
    ("frequency_percent", N_("Orders per customer {change}"), 10),
    ("value_percent", N_("Order value {change}"), 10),
    ("margin_points", N_("Margin {change}"), 2),
)


def section(own: Economics, speaker: Speaker) -> Section:
    """The calculator, and a table of a few changes for those who cannot or will not turn it."""
    retention = retention_over(own.months_kept)
    lead = speaker(
        "Your last 90 days: {n} customers, {orders} orders a month each of {value}, {share} of them kept from one 90 days "
        "to the next, so {months} months on the mean, with a margin of {margin}.",
        n=speaker.count(own.customers), orders=speaker.number(own.orders_per_month, 2),
        value=speaker.money(own.order_value), share=speaker.percent(retention), margin=speaker.percent(own.margin, 0),
        months=speaker.number(own.months_kept, 1),
    )  # fmt: skip
    return Section(
        name="what-if",
        title=speaker("What if"),
        lead=lead,
        calculator=_calculator(own, speaker),
        figures=(_table(own, speaker),),
    )


def _calculator(own: Economics, speaker: Speaker) -> Calculator:
    points, per_cent = speaker(POINTS), speaker(PER_CENT)
    return Calculator(
        numbers={
            "customers": own.customers,
            "orderValue": own.order_value,
            "ordersPerMonth": own.orders_per_month,
            "monthsKept": own.months_kept,
            "margin": own.margin,
            "periodMonths": PERIOD_DAYS / DAYS_A_MONTH,
        },
        knobs=(
            Knob("retention_points", speaker("Retention per 90 days"), points, -50, 50, 0.5),
            Knob("frequency_percent", speaker("Orders per customer"), per_cent, -90, 500, 1),
            Knob("value_percent", speaker("Order value"), per_cent, -90, 500, 1),
            Knob("margin_points", speaker("Margin"), points, -50, 50, 0.5),
        ),
        results=(
            Headline("months_kept", speaker("Months a customer stays"), speaker.number(own.months_kept, 1), ""),
            Headline("per_customer", speaker("Margin of a customer's life"), speaker.money(own.per_customer), ""),
            Headline("total", speaker("Margin of today's customers"), speaker.money(own.total), ""),
            Headline("change", speaker("Against today"), speaker.money(0), ""),
        ),
        currency=speaker.money(0).rstrip("0.,"),
        digits=shown_digits(speaker.currency),
    )


def _table(own: Economics, speaker: Speaker) -> Figure:
    rows: list[dict[str, Any]] = [{"change": speaker("As things stand"), **_row(own, own)}]
    for name, sentence, size in TRIED:
        unit = speaker(POINTS if name.endswith("points") else PER_CENT)
        said = speaker(sentence, change=f"+{format_decimal(size, locale='en')} {unit}")
        rows.append({"change": said, **_row(own.changed(**{name: size}), own)})
    more = rows[1]["more"]
    return Figure(
        name="changes",
        title=speaker("What a change is worth"),
        finding=speaker(
            "Keeping five percentage points more of the customers every 90 days is worth {value} over the lives of today's "
            "customers.",
            value=speaker.money(more),
        ),
        columns=(
            Column("change", speaker("Change"), "text"),
            Column("months_kept", speaker("Months a customer stays"), "number"),
            Column("per_customer", speaker("Margin of a customer's life"), "money"),
            Column("total", speaker("Margin of today's customers"), "money"),
            Column("more", speaker("Against today"), "money"),
        ),
        rows=rows,
        how=speaker(
            "Customers × order value × orders a month × months kept × margin. Whoever keeps a share r from one 90 days to "
            "the next keeps each customer for 90 days ÷ (1 − r) on the mean. A point is added to a share (40% becomes "
            "45%), a per cent multiplies a number (100 becomes 105)."
        ),
        note=speaker(
            "The sum supposes that everything else stays as it is and that all customers are alike; what a programme "
            "really changes is shown by its held-out group alone."
        ),
    )


def _row(changed: Economics, own: Economics) -> dict[str, float]:
    return {
        "months_kept": changed.months_kept,
        "per_customer": changed.per_customer,
        "total": changed.total,
        "more": changed.total - own.total,
    }
