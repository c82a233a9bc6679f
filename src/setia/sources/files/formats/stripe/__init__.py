"""Stripe: the exports of its dashboard: payments, subscriptions and customers.

Documented by Stripe: payments, customers and subscriptions can be exported as CSV with columns to choose from; their
times are UTC where the header says so, amounts are in major units. The headers were taken from public code that reads
real files: payments with the 23 default columns, with all of them, and the older "Created (UTC)"; customers with 13;
subscriptions from "id" to "Ended At (UTC)".

Money: where Stripe converted a payment, the converted amount counts, as it is what the shop got and what the dashboard
adds up. Refunds are the row's total to date, at the rate of their own day. A dispute that was lost is money given back.
Fees are no part of an order.

Inferred: which statuses mean that money came; that the amount of a subscription is the price of one unit.
"""

from __future__ import annotations

from setia.sources.files.formats.stripe.customers import CUSTOMERS
from setia.sources.files.formats.stripe.payments import PAYMENTS
from setia.sources.files.formats.stripe.subscriptions import SUBSCRIPTIONS

LAYOUTS = (PAYMENTS, SUBSCRIPTIONS, CUSTOMERS)

__all__ = ["LAYOUTS"]
