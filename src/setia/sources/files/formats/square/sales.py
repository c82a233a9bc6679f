"""What the two exports of sales have in common: whose row it is, when, and whether it is a sale or a refund."""

from __future__ import annotations

from setia.sources.files.formats.square.zones import moment_sql
from setia.sources.files.layout import day, text, word

ROLES = {
    "transaction": text("Transaction ID", required=True),
    "payment": text("Payment ID"),
    "date": day("Date", required=True),
    "clock": text("Time"),
    "time_zone": text("Time Zone"),
    "event": word("Event Type", required=True),
    "customer": text("Customer ID"),
    "name": text("Customer Name"),
}
NEEDS = ("transaction", "event", "date")
PLACED_AT = moment_sql("date", "clock", "time_zone")
IS_REFUND = "event = 'refund'"
_PAID_WITH_IT = """case when payment is not null
    then max(transaction) filter (where event = 'payment') over (partition by payment) end"""
SALE = {
    # A refund is a document of its own, also where it bears the number of its sale.
    "number": f"transaction || if({IS_REFUND}, concat('-refund-', strftime(date, '%Y%m%d'), '-' || clock), '')",
    "placed_at": PLACED_AT,
    "customer_key": "'square:' || customer",
    "paid_at": f"if({IS_REFUND}, null, {PLACED_AT})",
    "is_return": IS_REFUND,
    "return_of": f"case when {IS_REFUND} then coalesce({_PAID_WITH_IT}, transaction) end",
}


def of_the_sale(column: str) -> str:
    """A column's sum over the rows of one sale, as SQL over the roles."""
    return f"sum({column}) filter (where event = 'payment') over (partition by transaction)"
