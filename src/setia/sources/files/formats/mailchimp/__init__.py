"""Mailchimp's audience export: one file each for subscribed, unsubscribed, cleaned and non-subscribed contacts.

Alike in public samples: the audience's own fields first (`Email Address`, `First Name`, `Last Name`, `Phone Number`),
then `MEMBER_RATING`, `OPTIN_TIME`, `OPTIN_IP`, `CONFIRM_TIME`, `CONFIRM_IP` … `LEID`, `EUID`, `NOTES`, `TAGS`. The
unsubscribed have `UNSUB_TIME`, `UNSUB_CAMPAIGN_TITLE`, `UNSUB_REASON` besides, the cleaned `CLEAN_TIME`. Files of
subscribed and non-subscribed contacts differ in their names only (`nonsubscribed_email_audience_export_….csv`), so who
renames them must keep that word. A contact stands in one of the four files.

Inferred: that the times, which name no zone, are UTC, as in Mailchimp's interfaces; that a phone number for SMS was
agreed to when the contact last changed. A cleaned address bounced; nobody took consent back, and none is recorded for
it. The export holds no wording of what was agreed to. Place and time zone are Mailchimp's guesses and left out.
"""

from __future__ import annotations

from setia.kernel.i18n import N_
from setia.sources.files.layout import Layout, email, moment, phone, text, word

_GIVEN = "coalesce(confirmed_at, opted_in_at)"
_SUBSCRIBED = "not regexp_matches(lower(file_name), 'non-?_?subscribed')"
"""The file's name alone tells subscribed from non-subscribed contacts."""
_NAME = "coalesce(nullif(concat_ws(' ', first_name, last_name), ''), full_name)"
_ROLES = {
    "email": email("Email Address", "Email", required=True),
    "first_name": text("First Name", "FNAME"),
    "last_name": text("Last Name", "LNAME"),
    "full_name": text("Name", "Full Name"),
    "phone": phone("Phone Number", "Phone", "PHONE"),
    "sms_phone": phone("SMS Phone Number"),
    "sms_status": word("SMS_MARKETING_STATUS"),
    "opted_in_at": moment("OPTIN_TIME"),
    "confirmed_at": moment("CONFIRM_TIME"),
    "changed_at": moment("LAST_CHANGED"),
    "rating": text("MEMBER_RATING"),
    "entry": text("LEID"),
    "contact": text("EUID"),
}
_PERSON = {
    "customer_id": "email",
    "email": "email",
    "phone": "coalesce(sms_phone, phone)",
    "name": _NAME,
    "created_at": "coalesce(opted_in_at, confirmed_at)",
}
_CONSENT = {
    "customer_id": "email",
    "email": "email",
    "channel": "'email'",
    "purpose": "'marketing'",
}
_BY_SMS = {
    "consent_id": "'mailchimp:' || contact || ':sms'",
    "customer_id": "email",
    "email": "email",
    "phone": "sms_phone",
    "channel": "'sms'",
    "purpose": "'marketing'",
    "state": "case sms_status when 'subscribed' then 'given' when 'unsubscribed' then 'withdrawn' end",
    "source": "'Mailchimp'",
    "decided_at": "case when sms_phone is not null then changed_at end",
}

UNSUBSCRIBED = Layout(
    name="Mailchimp: unsubscribed contacts",
    roles={**_ROLES, "left_at": moment("UNSUB_TIME", required=True), "campaign": text("UNSUB_CAMPAIGN_TITLE")},
    needs=("email", "contact", "left_at"),
    zone="UTC",
    facts={
        "customers": {**_PERSON, "email_consent_at": _GIVEN, "email_optout_at": "left_at"},
        "consents": [
            {
                **_CONSENT,
                "consent_id": "'mailchimp:' || contact || ':given'",
                "state": "'given'",
                "source": "'Mailchimp'",
                "decided_at": _GIVEN,
            },
            {
                **_CONSENT,
                "consent_id": "'mailchimp:' || contact || ':withdrawn'",
                "state": "'withdrawn'",
                "source": "'Mailchimp' || coalesce(': ' || campaign, '')",
                "decided_at": "left_at",
            },
        ],
    },
)

CLEANED = Layout(
    name="Mailchimp: cleaned contacts",
    roles={**_ROLES, "cleaned_at": moment("CLEAN_TIME")},
    needs=("email", "contact", "cleaned_at"),
    zone="UTC",
    facts={"customers": _PERSON},
    notes=(N_("Mailchimp cleaned these addresses because mail to them bounced: no consent is taken from this file"),),
)

SUBSCRIBED = Layout(
    name="Mailchimp: contacts",
    roles=_ROLES,
    needs=("email", "contact", "rating", "confirmed_at", "changed_at"),
    zone="UTC",
    facts={
        "customers": {**_PERSON, "email_consent_at": f"case when {_SUBSCRIBED} then {_GIVEN} end"},
        "consents": [
            {
                **_CONSENT,
                "consent_id": "'mailchimp:' || contact || ':given'",
                "state": "'given'",
                "source": "'Mailchimp'",
                "decided_at": f"case when {_SUBSCRIBED} then {_GIVEN} end",
            },
            _BY_SMS,
        ],
    },
    notes=(N_("Non-subscribed contacts, which Mailchimp tells apart by the name of the file alone, gave no consent"),),
)

LAYOUTS = (UNSUBSCRIBED, CLEANED, SUBSCRIBED)
