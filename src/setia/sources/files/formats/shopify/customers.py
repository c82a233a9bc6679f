"""Shopify's customers export."""

from __future__ import annotations

from setia.sources.files.layout import Layout, email, flag, phone, text

_KEY = "coalesce(email, own_phone, address_phone)"

CUSTOMERS = Layout(
    name="Shopify: customers",
    roles={
        "number": text("Customer ID"),
        "first_name": text("First Name"),
        "last_name": text("Last Name"),
        "email": email("Email"),
        "own_phone": phone("Phone"),
        "address_phone": phone("Default Address Phone"),
        "city": text("Default Address City", "City"),
        "country": text("Default Address Country Code", "Country Code", "Country"),
        "by_email": flag("Accepts Email Marketing", "Accepts Marketing"),
        "by_sms": flag("Accepts SMS Marketing"),
        "by_whatsapp": flag("Accepts WhatsApp Marketing"),
        "tax_exempt": text("Tax Exempt"),
    },
    needs=("first_name", "email", "by_email", "tax_exempt"),
    facts={
        "customers": {
            "customer_id": _KEY,
            "email": "email",
            "phone": "coalesce(own_phone, address_phone)",
            "name": "nullif(concat_ws(' ', first_name, last_name), '')",
            "city": "city",
            "country": "country",
        },
    },
)
