"""One row per case: a question or complaint of a customer to the shop's own people."""

from __future__ import annotations

from setia.facts.schema import FactTable, Field, Kind

CASES = FactTable(
    name="cases",
    version=1,
    meaning="One row per case: a question or complaint of a customer to the shop's own people.",
    key=("case_id",),
    month_of="day",
    person=("customer_id",),
    one_row=True,
    fields=(
        Field("case_id", Kind.TEXT, "Key of the case", required=True),
        Field("customer_id", Kind.TEXT, "Who asked"),
        Field("order_id", Kind.TEXT, "The order it is about"),
        Field("channel", Kind.TEXT, "email, whatsapp, telephone …"),
        Field("reason", Kind.TEXT, "What it is about, in the shop's own words"),
        Field("opened_at", Kind.INSTANT, "When the customer asked", required=True),
        Field("first_response_at", Kind.INSTANT, "When a person first answered"),
        Field("resolved_at", Kind.INSTANT, "When it was settled"),
        Field("day", Kind.DAY, "Day of `opened_at` in the shop's time zone", default="opened_at"),
    ),
)
