"""One row per message that Setia or another tool sent."""

from __future__ import annotations

from setia.facts.schema import FactTable, Field, Kind

MESSAGES = FactTable(
    name="messages",
    version=2,
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
        Field("survey", Kind.TEXT, "The survey it asks for, if any: nps, csat, ces …"),
        Field("code", Kind.TEXT, "Voucher code it carried"),
        Field("cost", Kind.AMOUNT, "What sending it cost, in the shop's currency"),
        Field(
            "offer_cost", Kind.AMOUNT, "What its offer costs the shop, where the order that takes it names no discount"
        ),
        Field("sent_at", Kind.INSTANT, "When it was handed over", required=True),
        Field("delivered_at", Kind.INSTANT, "When it arrived"),
        Field("opened_at", Kind.INSTANT, "When it was first opened or read"),
        Field("clicked_at", Kind.INSTANT, "When a link in it was first clicked"),
        Field("unsubscribed_at", Kind.INSTANT, "When the person asked through it to get no more"),
        Field("complained_at", Kind.INSTANT, "When it was reported as unwanted"),
        Field("day", Kind.DAY, "Day of `sent_at` in the shop's time zone", default="sent_at"),
    ),
)
