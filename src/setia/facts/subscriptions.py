"""One row per subscription and price: a change of price ends one row and starts the next."""

from __future__ import annotations

from setia.facts.schema import FactTable, Field, Kind

SUBSCRIPTIONS = FactTable(
    name="subscriptions",
    version=1,
    meaning="One row per subscription and price: a change of price ends one row and starts the next.",
    key=("subscription_id", "started_at"),
    month_of=None,
    person=("customer_id",),
    fields=(
        Field("subscription_id", Kind.TEXT, "The shop's own key", required=True),
        Field("customer_id", Kind.TEXT, "Who subscribes", required=True),
        Field("plan", Kind.TEXT, "Name of the plan"),
        Field("amount", Kind.AMOUNT, "Price of one period", required=True),
        Field("currency", Kind.TEXT, "ISO 4217 code"),
        Field("period_months", Kind.INTEGER, "Length of one period in months"),
        Field("started_at", Kind.INSTANT, "When this price began", required=True),
        Field("cancelled_at", Kind.INSTANT, "When the customer asked to end it"),
        Field("ended_at", Kind.INSTANT, "When it ended; empty while it runs"),
    ),
)
