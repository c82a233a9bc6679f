"""Stripe's customers."""

from __future__ import annotations

from setia.sources.files.layout import Layout, email, moment, phone, text

CUSTOMERS = Layout(
    name="Stripe: customers",
    roles={
        "customer": text("id", required=True),
        "email": email("Email", "Customer Email"),
        "name": text("Name", "Customer Name"),
        "phone": phone("Phone", "Customer Phone"),
        "city": text("Address City", "Shipping Address City", "Card Address City"),
        "country": text("Address Country", "Shipping Address Country", "Card Address Country"),
        "created_at": moment("Created (UTC)", "Created date (UTC)", required=True),
        "delinquent": text("Delinquent"),
        "spent": text("Total Spend"),
    },
    needs=("customer", "email", "created_at"),
    marks=("Delinquent", "Total Spend", "Payment Count", "Refunded Volume"),
    zone="UTC",
    facts={
        "customers": {
            "customer_id": "coalesce(email, 'stripe:' || customer)",
            "email": "email",
            "phone": "phone",
            "name": "name",
            "city": "city",
            "country": "country",
            "created_at": "created_at",
        }
    },
)
