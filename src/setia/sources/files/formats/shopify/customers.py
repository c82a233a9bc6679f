"""Shopify's customers export."""

from __future__ import annotations

from setia.kernel.i18n import N_
from setia.sources.files.layout import Layout, email, flag, phone, text

_KEY = "coalesce(email, own_phone, address_phone)"
_NUMBER = f"coalesce(replace(number, '''', ''), pseudonym({_KEY}))"
_LONG_AGO = "timestamptz '2000-01-01 00:00:00+00'"


def _consent(channel: str, said: str, reached_by: str) -> dict[str, str]:
    """What a person says today; the next export replaces it.

    A yes of unknown day gives way to any decision with a day of its own, a no holds as of the export.
    """
    return {
        "consent_id": f"'shopify:' || {_NUMBER} || ':{channel}'",
        "customer_id": f"case when {reached_by} is not null then {_KEY} end",
        "email": "email",
        "phone": "own_phone",
        "channel": f"'{channel}'",
        "purpose": "'marketing'",
        "state": f"case when {said} then 'given' when not {said} then 'withdrawn' end",
        "source": "'Shopify, day unknown'",
        "decided_at": f"case when {said} then {_LONG_AGO} else file_time end",
    }


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
        "consents": (
            _consent("email", "by_email", "email"),
            _consent("sms", "by_sms", "own_phone"),
            _consent("whatsapp", "by_whatsapp", "own_phone"),
        ),
    },
    notes=(
        N_(
            "Shopify's customers export names no day of a consent: a yes counts as old, so that any other decision "
            "that Setia knows wins over it; a no counts as of the day of the export"
        ),
    ),
)
