"""One row per customer: who they are and what they agreed to."""

from __future__ import annotations

from setia.facts.schema import FactTable, Field, Kind

CUSTOMERS = FactTable(
    name="customers",
    version=2,
    meaning="One row per customer: who they are and what they agreed to.",
    key=("customer_id",),
    month_of=None,
    person=("customer_id", "email", "phone"),
    merged=True,
    fields=(
        Field(
            "customer_id",
            Kind.TEXT,
            "The shop's own key; an e-mail address used as key is replaced by a keyed pseudonym",
            required=True,
        ),
        Field("email", Kind.TEXT, "E-mail address, lower case"),
        Field("phone", Kind.TEXT, "Phone number in international form"),
        Field("name", Kind.TEXT, "How to address the person"),
        Field("language", Kind.TEXT, "Language of messages: en, id or ms"),
        Field("country", Kind.TEXT, "Country as the shop writes it"),
        Field("city", Kind.TEXT, "Town as the shop writes it"),
        Field("birth_date", Kind.DAY, "Date of birth"),
        Field("gender", Kind.TEXT, "Gender as the shop writes it"),
        Field("source", Kind.TEXT, "How the customer was won"),
        Field("created_at", Kind.INSTANT, "When the account was made"),
        Field(
            "email_consent_at",
            Kind.INSTANT,
            "When the person agreed to marketing by e-mail; empty: no consent on record",
        ),
        Field("email_optout_at", Kind.INSTANT, "When the person asked to stop; wins over an earlier consent"),
        Field("known_at", Kind.INSTANT, "Date of what is known here; an older file does not overwrite it"),
    ),
)
