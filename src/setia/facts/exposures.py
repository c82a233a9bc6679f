"""One row per customer and measurement, for the treated and the held out alike, written before anything is sent."""

from __future__ import annotations

from setia.facts.schema import FactTable, Field, Kind

EXPOSURES = FactTable(
    name="exposures",
    version=1,
    meaning="One row per customer and measurement, treated and held out alike, written before anything is sent.",
    key=("exposure_id",),
    month_of="day",
    person=("customer_id",),
    fields=(
        Field("exposure_id", Kind.TEXT, "Key of the row", required=True),
        Field("programme", Kind.TEXT, "The programme", required=True),
        Field("measurement", Kind.TEXT, "The measurement: salt and shares", required=True),
        Field("version", Kind.INTEGER, "Version of the programme"),
        Field("customer_id", Kind.TEXT, "Who; empty once the person is erased"),
        Field("arm", Kind.TEXT, "treated or held_out", required=True),
        Field("bucket", Kind.INTEGER, "0 to 9999, from the keyed hash"),
        Field("exposed_at", Kind.INSTANT, "When the customer became eligible", required=True),
        Field("day", Kind.DAY, "Day of `exposed_at` in the shop's time zone", default="exposed_at"),
        Field("outcome", Kind.FLAG, "Kept only for an erased person: whether they bought within the window"),
    ),
)
