"""One row per amount spent on keeping or winning customers."""

from __future__ import annotations

from setia.facts.schema import FactTable, Field, Kind

COSTS = FactTable(
    name="costs",
    version=1,
    meaning="One row per amount spent on keeping or winning customers.",
    key=("cost_id",),
    month_of="day",
    person=("customer_id",),
    fields=(
        Field("cost_id", Kind.TEXT, "Key of the row", required=True),
        Field("category", Kind.TEXT, "What it was spent on", required=True),
        Field("programme", Kind.TEXT, "The programme it belongs to, where known"),
        Field("channel", Kind.TEXT, "Channel, where known"),
        Field("customer_id", Kind.TEXT, "The customer it was spent on, where known"),
        Field("amount", Kind.AMOUNT, "Money", required=True),
        Field("currency", Kind.TEXT, "ISO 4217 code"),
        Field("spent_at", Kind.INSTANT, "When", required=True),
        Field("day", Kind.DAY, "Day of `spent_at` in the shop's time zone", default="spent_at"),
    ),
)
