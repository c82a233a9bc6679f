"""One row per day and pair of currencies."""

from __future__ import annotations

from setia.facts.schema import FactTable, Field, Kind

RATES = FactTable(
    name="rates",
    version=1,
    meaning="One row per day and pair of currencies.",
    key=("day", "from_currency", "to_currency"),
    month_of=None,
    person=(),
    fields=(
        Field("day", Kind.DAY, "The day the rate is for", required=True),
        Field("from_currency", Kind.TEXT, "ISO 4217 code", required=True),
        Field("to_currency", Kind.TEXT, "ISO 4217 code", required=True),
        Field("rate", Kind.RATE, "Units of `to_currency` for one of `from_currency`", required=True),
    ),
)
