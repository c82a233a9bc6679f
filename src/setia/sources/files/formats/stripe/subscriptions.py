"""Stripe's subscriptions: one row each, with the price of now."""

from __future__ import annotations

from setia.kernel.i18n import N_
from setia.sources.files.layout import Layout, amount, email, moment, text, word

_KEY = "coalesce(email, 'stripe:' || customer)"
_ENDED = "coalesce(ended_at, case when status = 'canceled' then canceled_at end)"
_PAYS_FROM = "greatest(started_at, trial_end)"
_MONTHS = "case unit when 'year' then 12 when 'month' then 1 end * coalesce(units, 1)"
_PRICE = "(price * coalesce(quantity, 1))::decimal(18,4)"

SUBSCRIPTIONS = Layout(
    name="Stripe: subscriptions",
    roles={
        "subscription": text("id", required=True),
        "customer": text("Customer ID"),
        "email": email("Customer Email"),
        "name": text("Customer Name"),
        "plan": text("Plan Name", "Product Name", "Plan", "Product"),
        "price": amount("Amount", money=False),
        "quantity": amount("Quantity", money=False),
        "charged_in": word("Currency"),
        "unit": word("Interval"),
        "units": amount("Interval Count", money=False),
        "status": word("Status", required=True),
        "started_at": moment("Start Date (UTC)", "Created (UTC)", "Start (UTC)", required=True),
        "trial_end": moment("Trial End (UTC)"),
        "canceled_at": moment("Canceled At (UTC)"),
        "ended_at": moment("Ended At (UTC)"),
    },
    needs=("subscription", "started_at", "status", "price", "unit"),
    marks=("Current Period Start (UTC)", "Current Period End (UTC)", "Ended At (UTC)", "Trial End (UTC)"),
    only="status not in ('incomplete', 'incomplete_expired')",
    zone="UTC",
    facts={
        "subscriptions": {
            "subscription_id": "subscription",
            "customer_id": _KEY,
            "plan": "plan",
            # What is paid by the day or week is told by the month.
            "amount": f"""case when unit in ('day', 'week') then round(
                {_PRICE} * if(unit = 'day', 365, 52) / 12 / coalesce(units, 1), 2)::decimal(18,4)
                else {_PRICE} end""",
            "currency": "upper(charged_in)",
            "period_months": f"(case when unit in ('day', 'week') then 1 else {_MONTHS} end)::bigint",
            # A trial is not paid for, and one that ended before it was had no price at all.
            "started_at": f"case when {_ENDED} is null or {_ENDED} > {_PAYS_FROM} then {_PAYS_FROM} end",
            "cancelled_at": "canceled_at",
            "ended_at": _ENDED,
        },
        "customers": {"customer_id": _KEY, "email": "email", "name": "name"},
    },
    notes=(
        N_("Subscriptions count from the end of their trial; those that were never paid are left out"),
        N_("Stripe's export knows a subscription's price of now only, and it is taken for the whole time"),
    ),
)
