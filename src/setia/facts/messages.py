"""One row per message that Setia or another tool sent."""

from __future__ import annotations

from setia.facts.schema import FactTable, Field, Kind

MESSAGES = FactTable(
    name="messages",
    version=1,
    meaning="One row per message that Setia or another tool sent.",
    key=("message_id",),
    month_of="day",
    person=("customer_id",),
    fields=(
        Field("message_id", Kind.TEXT, "Key of the send", required=True),
        Field("customer_id", Kind.TEXT, "To whom"),
        Field("programme", Kind.TEXT, "The programme it belongs to"),
        Field("step", Kind.INTEGER, "Step of the programme, from 1"),
        Field("channel", Kind.TEXT, "email, whatsapp …", required=True),
        Field("state", Kind.TEXT, "accepted, rejected or unknown", required=True),
        Field("code", Kind.TEXT, "Voucher code it carried"),
        Field("sent_at", Kind.INSTANT, "When it was handed over", required=True),
        Field("day", Kind.DAY, "Day of `sent_at` in the shop's time zone", default="sent_at"),
    ),
)
