"""Stripe's payments: one row for each attempt to pay."""

from __future__ import annotations

from setia.kernel.i18n import N_
from setia.sources.files.layout import Layout, Stated, amount, email, flag, moment, phone, text, word

_PAID = "status in ('paid', 'succeeded', 'refunded', 'partially refunded', 'partial refund', 'disputed')"
_CONVERTED = "settled <> 0 and settled_in is not null"
_TOTAL = f"case when {_CONVERTED} then settled else charged end"
_RATE = f"({_TOTAL}) / nullif(charged, 0)"
_BACK = f"""case when {_CONVERTED} then coalesce(settled_back, round(back * {_RATE}, 2)::decimal(18,4))
    else back end"""
_LOST = f"case when dispute = 'lost' then round(disputed * {_RATE}, 2)::decimal(18,4) end"

PAYMENTS = Layout(
    name="Stripe: payments",
    roles={
        "number": text("id", required=True),
        "placed_at": moment("Created date (UTC)", "Created (UTC)", required=True),
        # Not as money: dinars have three places behind the point, and Stripe puts none between thousands.
        "charged": amount("Amount", required=True, money=False),
        "charged_in": word("Currency", required=True),
        "back": amount("Amount Refunded", money=False),
        "settled": amount("Converted Amount", money=False),
        "settled_back": amount("Converted Amount Refunded", money=False),
        "settled_in": word("Converted Currency"),
        "status": word("Status", required=True),
        "captured": flag("Captured"),
        "back_at": moment("Refunded date (UTC)"),
        "disputed": amount("Disputed Amount", money=False),
        "dispute": word("Dispute Status"),
        "disputed_at": moment("Dispute Date (UTC)"),
        "mode": word("Mode"),
        "customer": text("Customer ID"),
        "email": email("Customer Email"),
        "phone": phone("Customer Phone"),
        "name": text("Shipping Name", "Card Name"),
        "city": text("Shipping Address City", "Card Address City"),
        "country": text("Shipping Address Country", "Card Address Country"),
    },
    needs=("number", "placed_at", "charged", "charged_in", "status"),
    marks=("Amount Refunded", "Captured", "Converted Amount", "Decline Reason", "PaymentIntent ID", "Card ID"),
    only=f"{_PAID} and coalesce(captured, true)",
    others=N_("payments that failed, wait or were not captured"),
    zone="UTC",
    sale={
        "amount": _TOTAL,
        "currency": f"upper(case when {_CONVERTED} then settled_in else charged_in end)",
        "customer_key": "coalesce(email, 'stripe:' || customer)",
        "paid_at": "placed_at",
        "refunded": f"nullif(coalesce({_BACK}, 0) + coalesce({_LOST}, 0), 0)",
        "refunded_at": f"coalesce(back_at, case when {_LOST} > 0 then disputed_at end)",
        "is_test": "coalesce(mode = 'test', false)",
    },
    stated=Stated("Gross volume", _TOTAL),
    notes=(
        N_("Payments that failed, wait or were not captured are no orders and are left out"),
        N_("Import either Stripe's payments or the orders of the shop they paid for, or each counts twice"),
    ),
)
