"""One row per decision of a person about being written to."""

from __future__ import annotations

from setia.facts.schema import FactTable, Field, Kind

CONSENTS = FactTable(
    name="consents",
    version=1,
    meaning="One row per decision of a person about being written to; the latest of a channel and purpose holds.",
    key=("consent_id",),
    month_of=None,
    person=("customer_id", "email", "phone"),
    one_row=True,
    fields=(
        Field("consent_id", Kind.TEXT, "Key of the decision", required=True),
        Field("customer_id", Kind.TEXT, "Who decided", required=True),
        Field("email", Kind.TEXT, "The address it was given for, lower case"),
        Field("phone", Kind.TEXT, "The telephone number it was given for, in international form"),
        Field("channel", Kind.TEXT, "email, whatsapp, sms …", required=True),
        Field("purpose", Kind.TEXT, "What for: marketing …"),
        Field("state", Kind.TEXT, "given or withdrawn", required=True),
        Field("source", Kind.TEXT, "Where: a form, a checkout, a tool"),
        Field("wording", Kind.TEXT, "The words agreed to"),
        Field("decided_at", Kind.INSTANT, "When", required=True),
    ),
)
