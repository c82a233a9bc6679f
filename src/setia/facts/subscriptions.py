"""One row per subscription and price: a change of price ends one row and starts the next."""

from __future__ import annotations

from setia.facts.schema import FactTable, Field, Kind

SUBSCRIPTIONS = FactTable(
    name="subscriptions",
    version=2,
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
        Field("period_weeks", Kind.INTEGER, "Length of one period in weeks, where it is not in months"),
        Field("started_at", Kind.INSTANT, "When this price began", required=True),
        Field("trial_ends_at", Kind.INSTANT, "When the free trial ends; nothing is paid before"),
        Field("cancelled_at", Kind.INSTANT, "When the customer asked to end it"),
        Field("reason", Kind.TEXT, "Why it was ended, in the customer's words or the shop's"),
        Field("ended_at", Kind.INSTANT, "When it ended; empty while it runs"),
    ),
)
