"""One row per product."""

from __future__ import annotations

from setia.facts.schema import FactTable, Field, Kind

PRODUCTS = FactTable(
    name="products",
    version=2,
    meaning="One row per product.",
    key=("product_id",),
    month_of=None,
    person=(),
    merged=True,
    fields=(
        Field("product_id", Kind.TEXT, "The shop's own key", required=True),
        Field("name", Kind.TEXT, "Name shown to customers"),
        Field("category", Kind.TEXT, "Category"),
        Field("price", Kind.AMOUNT, "Price now"),
        Field("cost", Kind.AMOUNT, "Cost of one unit"),
        Field("currency", Kind.TEXT, "ISO 4217 code"),
        Field("known_at", Kind.INSTANT, "Date of what is known here; an older file does not overwrite it"),
    ),
)
