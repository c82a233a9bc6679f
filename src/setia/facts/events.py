"""One row per thing a customer did: a visit, a product viewed, a cart filled."""

from __future__ import annotations

from setia.facts.schema import FactTable, Field, Kind

EVENTS = FactTable(
    name="events",
    version=2,
    meaning="One row per thing a customer did: a visit, a product viewed, a cart filled.",
    key=("event_id",),
    month_of="day",
    person=("customer_id",),
    one_row=True,
    fields=(
        Field("event_id", Kind.TEXT, "Key of the event", required=True),
        Field("customer_id", Kind.TEXT, "Who did it"),
        Field(
            "name",
            Kind.TEXT,
            "What was done, in the words of the Segment specification: Product Viewed, Product Added …",
            required=True,
        ),
        Field("occurred_at", Kind.INSTANT, "When", required=True),
        Field("day", Kind.DAY, "Day of `occurred_at` in the shop's time zone", default="occurred_at"),
        Field("product_id", Kind.TEXT, "The product concerned"),
        Field("visitor", Kind.TEXT, "The browser or telephone it was done on, whoever was using it"),
        Field("device", Kind.TEXT, "desktop, mobile or tablet"),
        Field("platform", Kind.TEXT, "web or app"),
        Field("properties", Kind.TEXT, "Everything else, as a JSON object"),
    ),
)
