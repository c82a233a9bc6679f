"""Klaviyo's export of profiles, of a list or of a segment.

Documented by Klaviyo's help pages (How to export a list or segment to a CSV file; consent in profiles) and alike in
public samples: `Email`, `Klaviyo ID`, `First Name`, `Last Name`, `Phone Number`, `City`, `Country`, `Source`, `Email
Marketing Consent` (SUBSCRIBED, UNSUBSCRIBED, NEVER_SUBSCRIBED) with its timestamp, the same for SMS, `Email
Suppressions`, `Profile Created On`, `Date Added`, `Last Active`; which of them are there is for the exporter to say.

Inferred: that times without a zone are UTC; that a consent without a time was given when the profile joined the list,
else when it was made; that an opt-out without a time is as young as the last sign of the profile. A suppression that
an unsubscription, a spam complaint or the shop itself caused is an opt-out; a bounce is none. There is no wording.
"""

from __future__ import annotations

from setia.kernel.i18n import N_
from setia.sources.files.layout import Layout, email, moment, phone, text, word

_KEY = "coalesce(email, phone)"
_EPOCH = "timestamptz '2000-01-01 00:00:00+00'"
_LEFT_EMAIL = (
    "(coalesce(email_consent, '') in ('unsubscribed', 'unsubscribe') "
    "or regexp_matches(lower(coalesce(suppressions, '')), 'unsub|spam|user_suppressed'))"
)
_LEFT_SMS = "coalesce(sms_consent, '') in ('unsubscribed', 'unsubscribe')"
_GAVE_EMAIL = f"(coalesce(email_consent, '') in ('subscribed', 'subscribe') and not {_LEFT_EMAIL})"
_GAVE_SMS = "coalesce(sms_consent, '') in ('subscribed', 'subscribe')"
_JOINED = "coalesce(added_at, profile_made_at)"
_LAST_SEEN = f"coalesce(greatest(last_active_at, added_at, profile_made_at), {_EPOCH})"


def _decided(gave: str, left: str, stated: str) -> str:
    return f"case when {left} then coalesce({stated}, {_LAST_SEEN}) when {gave} then coalesce({stated}, {_JOINED}) end"


def _consent(channel: str, gave: str, left: str, stated: str) -> dict[str, str]:
    return {
        "consent_id": f"'klaviyo:' || profile || ':{channel}:' || case when {left} then 'withdrawn' else 'given' end",
        "customer_id": _KEY,
        "email": "email",
        "phone": "phone",
        "channel": f"'{channel}'",
        "purpose": "'marketing'",
        "state": f"case when {left} then 'withdrawn' when {gave} then 'given' end",
        "source": "'Klaviyo' || coalesce(': ' || came_from, '')",
        "decided_at": _decided(gave, left, stated),
    }


PROFILES = Layout(
    name="Klaviyo: profiles",
    roles={
        "email": email("Email", "Email Address"),
        "phone": phone("Phone Number"),
        "profile": text("Klaviyo ID", required=True),
        "first_name": text("First Name"),
        "last_name": text("Last Name"),
        "city": text("City"),
        "country": text("Country"),
        "came_from": text("Source"),
        "email_consent": word("Email Marketing Consent"),
        "email_consent_at": moment("Email Marketing Consent Timestamp"),
        "sms_consent": word("SMS Marketing Consent"),
        "sms_consent_at": moment("SMS Marketing Consent Timestamp"),
        "suppressions": text("Email Suppressions"),
        "profile_made_at": moment("Profile Created On"),
        "added_at": moment("Date Added"),
        "last_active_at": moment("Last Active"),
    },
    needs=("profile",),
    marks=("Email Marketing Consent", "SMS Marketing Consent"),
    zone="UTC",
    facts={
        "customers": {
            "customer_id": _KEY,
            "email": "email",
            "phone": "phone",
            "name": "nullif(concat_ws(' ', first_name, last_name), '')",
            "city": "city",
            "country": "country",
            "created_at": "profile_made_at",
            "email_consent_at": f"case when {_GAVE_EMAIL} then coalesce(email_consent_at, {_JOINED}) end",
            "email_optout_at": f"case when {_LEFT_EMAIL} then coalesce(email_consent_at, {_LAST_SEEN}) end",
        },
        "consents": [
            _consent("email", _GAVE_EMAIL, _LEFT_EMAIL, "email_consent_at"),
            _consent("sms", _GAVE_SMS, _LEFT_SMS, "sms_consent_at"),
        ],
    },
    notes=(N_("A consent for which Klaviyo gives no time is dated by when the profile joined the list"),),
)

LAYOUTS = (PROFILES,)
