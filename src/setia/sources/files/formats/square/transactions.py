"""Square's transactions: one row for each payment or refund."""

from __future__ import annotations

from setia.kernel.i18n import N_
from setia.sources.files.formats.square.sales import NEEDS, ROLES, SALE, of_the_sale
from setia.sources.files.layout import Layout, Stated, amount, text, word

_SOLD = "total_collected - coalesce(tip, 0) - coalesce(gift_cards, 0)"

TRANSACTIONS = Layout(
    name="Square: transactions",
    roles={
        **ROLES,
        "total_collected": amount("Total Collected", required=True),
        "discounts": amount("Discounts"),
        "gift_cards": amount("Gift Card Sales"),
        "sales_tax": amount("Tax"),
        "tip": amount("Tip"),
        "channel": text("Source"),
        "code": text("Discount Name"),
        "state": word("Transaction Status"),
    },
    needs=(*NEEDS, "total_collected"),
    only="event in ('payment', 'refund') and coalesce(state, 'complete') not in ('failed', 'canceled', 'voided')",
    others=N_("payments that failed or were voided, and entries that are neither payment nor refund"),
    sale={
        **SALE,
        "amount": _SOLD,
        # Who only bought a gift card has bought nothing yet.
        "quantity": f"case when {SALE['is_return']} then null when gift_cards > 0 and {_SOLD} = 0 then 0 else 1 end",
        "line_discount": "abs(discounts)",
        "tax": of_the_sale("sales_tax"),
    },
    stated=Stated(
        "Total collected",
        of_the_sale("total_collected"),
        adds={"tips": f"-{of_the_sale('tip')}", "gift_cards": f"-{of_the_sale('gift_cards')}"},
    ),
    notes=(N_("Tips and gift cards sold are no part of an order's total; what was paid with a gift card is"),),
)
