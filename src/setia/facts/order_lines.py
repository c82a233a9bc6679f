"""One row per line of an order, exact duplicates kept."""

from __future__ import annotations

from setia.facts.schema import FactTable, Field, Kind

ORDER_LINES = FactTable(
    name="order_lines",
    version=1,
    meaning="One row per line of an order, exact duplicates kept.",
    key=("document_id",),
    month_of="day",
    person=("customer_id",),
    fields=(
        Field("order_id", Kind.TEXT, "The order the line belongs to", required=True),
        Field("document_id", Kind.TEXT, "As in orders", default="order_id"),
        Field("line", Kind.INTEGER, "Number of the line within its order, where the file gives one"),
        Field("customer_id", Kind.TEXT, "Who bought"),
        Field("product_id", Kind.TEXT, "The product", required=True),
        Field("quantity", Kind.AMOUNT, "Units sold", required=True),
        Field("unit_price", Kind.AMOUNT, "Price of one unit"),
        Field("amount", Kind.AMOUNT, "Quantity times price, less the discount of the line", required=True),
        Field("placed_at", Kind.INSTANT, "When the order was placed", required=True),
        Field("day", Kind.DAY, "Day of `placed_at` in the shop's time zone", default="placed_at"),
    ),
)
