"""One row per order. Every change of state is a time of its own, never an overwritten status."""

from __future__ import annotations

from setia.facts.schema import FactTable, Field, Kind

ORDERS = FactTable(
    name="orders",
    version=2,
    meaning="One row per order. Every change of state is a time of its own, never an overwritten status.",
    key=("document_id",),
    month_of="day",
    person=("customer_id",),
    fields=(
        Field("order_id", Kind.TEXT, "The order's number", required=True),
        Field(
            "document_id",
            Kind.TEXT,
            "What an import replaces as a whole: the order; without order numbers, all of one customer at one time",
            default="order_id",
        ),
        Field("customer_id", Kind.TEXT, "Who bought; empty for an anonymous guest"),
        Field("placed_at", Kind.INSTANT, "When the order was placed", required=True),
        Field("day", Kind.DAY, "Day of `placed_at` in the shop's time zone", default="placed_at"),
        Field("currency", Kind.TEXT, "ISO 4217 code"),
        Field(
            "total",
            Kind.AMOUNT,
            "What the shop is paid: after its discounts, before returns, with what a marketplace adds",
            required=True,
        ),
        Field("discount", Kind.AMOUNT, "Discount included in `total`, as a positive amount"),
        Field("platform_discount", Kind.AMOUNT, "Part of `discount` that the marketplace pays; the shop gets it"),
        Field("shipping", Kind.AMOUNT, "Shipping included in `total`"),
        Field("tax", Kind.AMOUNT, "Tax included in `total`"),
        Field("code", Kind.TEXT, "Voucher code used"),
        Field("channel", Kind.TEXT, "Where the order came from: web, app, marketplace"),
        Field("country", Kind.TEXT, "Country of the order, as the shop writes it"),
        Field("paid_at", Kind.INSTANT, "When it was paid"),
        Field("cancelled_at", Kind.INSTANT, "When it was cancelled; from then on the order counts nowhere"),
        Field(
            "undelivered_at",
            Kind.INSTANT,
            "When a parcel, mostly to be paid on delivery, was given up; `cancelled_at` is set too",
        ),
        Field("is_test", Kind.FLAG, "A trial order; counts nowhere"),
        Field("is_staff", Kind.FLAG, "Bought by the shop's own people; counts nowhere"),
        Field(
            "is_adjustment", Kind.FLAG, "A correction of stock or books without a purchase; counts in net sales only"
        ),
    ),
)
