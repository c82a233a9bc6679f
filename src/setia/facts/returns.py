"""One row per product given back, on the day it came back, linked to its sale where known."""

from __future__ import annotations

from setia.facts.schema import FactTable, Field, Kind

RETURNS = FactTable(
    name="returns",
    version=1,
    meaning="One row per product given back, on the day it came back, linked to its sale where known.",
    key=("document_id",),
    month_of="day",
    person=("customer_id",),
    fields=(
        Field("return_id", Kind.TEXT, "Key of the row", required=True),
        Field("document_id", Kind.TEXT, "The credit note the row belongs to", default="return_id"),
        Field("order_id", Kind.TEXT, "The order it was sold in, where known"),
        Field("customer_id", Kind.TEXT, "Who gave it back"),
        Field("product_id", Kind.TEXT, "The product"),
        Field("quantity", Kind.AMOUNT, "Units given back, positive"),
        Field("amount", Kind.AMOUNT, "Money given back, positive", required=True),
        Field("currency", Kind.TEXT, "ISO 4217 code"),
        Field("returned_at", Kind.INSTANT, "When it was given back", required=True),
        Field("day", Kind.DAY, "Day of `returned_at` in the shop's time zone", default="returned_at"),
    ),
)
