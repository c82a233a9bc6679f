"""Calls of the Segment specification, as sent or from a warehouse."""

from __future__ import annotations

from setia.kernel.i18n import N_
from setia.sources.files.layout import Layout, email, moment, phone, text, word

_KEY = "coalesce(user_key, context_email, trait_email, property_email)"
"""The user's own key goes first, so that the same person is the same in every file."""
_WHEN = "coalesce(event_at, original_at, sent_at, received_at)"
_VISITS = "over (partition by visitor)"
_WHO = (
    f"coalesce({_KEY}, case when visitor is not null and min({_KEY}) {_VISITS} = max({_KEY}) {_VISITS} "
    f"then max({_KEY}) {_VISITS} end)"
)
"""Else the one person whom the visitor's other calls name; nobody where they name several, as on a shared device."""


def _latest(trait: str) -> str:
    """What the last call that knows it says, so that all calls of a person agree."""
    calls = f"partition by {_KEY} order by {_WHEN} rows between unbounded preceding and unbounded following"
    return f"last_value({trait} ignore nulls) over ({calls})"


_PROPERTIES = {
    "product": text("properties.product_id", "properties.productId", "properties.sku", "product_id"),
    "properties": text("properties"),
}
_CLIENT = {
    "agent": text("context.userAgent", "context_user_agent"),
    "library": word("context.library.name", "context_library_name"),
    "device_kind": word("context.device.type", "context_device_type"),
}
_IN_APP = (
    "(coalesce(regexp_matches(library, 'ios|android|kotlin|swift|react.native|flutter'), false) "
    "or coalesce(device_kind in ('ios', 'android'), false))"
)
_ON = {
    "visitor": "visitor",
    "device": f"case when regexp_matches(agent, 'iPad|Tablet') then 'tablet' when {_IN_APP} "
    "or regexp_matches(agent, 'Mobi|iPhone|Android') then 'mobile' when agent is not null then 'desktop' end",
    "platform": f"case when {_IN_APP} then 'app' when agent is not null then 'web' end",
}
_KINDS = "case kind when 'track' then event when 'page' then 'Page Viewed' when 'screen' then 'Screen Viewed' end"

CALLS = Layout(
    name="Segment: events",
    roles={
        "kind": word("type", required=True),
        "message": text("messageId", "message_id", required=True),
        "user_key": text("userId", "user_id"),
        "visitor": text("anonymousId", "anonymous_id"),
        "event": text("event"),
        "event_at": moment("timestamp"),
        "original_at": moment("originalTimestamp", "original_timestamp"),
        "sent_at": moment("sentAt", "sent_at"),
        "received_at": moment("receivedAt", "received_at"),
        **_PROPERTIES,
        **_CLIENT,
        "property_email": email("properties.email"),
        "context_email": email("context.traits.email"),
        "trait_email": email("traits.email"),
        "phone": phone("traits.phone"),
        "name": text("traits.name"),
        "first_name": text("traits.firstName", "traits.first_name"),
        "last_name": text("traits.lastName", "traits.last_name"),
        "city": text("traits.address.city", "traits.city"),
        "country": text("traits.address.country", "traits.country"),
        "made_at": moment("traits.createdAt", "traits.created_at"),
        "birthday": text("traits.birthday"),
        "gender": text("traits.gender"),
        "locale": word("context.locale"),
    },
    needs=("kind", "message"),
    marks=("anonymousId", "userId", "anonymous_id", "user_id"),
    only=f"{_WHEN} is not null and kind in ('track', 'page', 'screen', 'identify')",
    others=N_("group and alias calls, and calls without a time"),
    zone="UTC",
    facts={
        "events": {
            "event_id": "'segment:' || message",
            "customer_id": _WHO,
            "name": _KINDS,
            "occurred_at": _WHEN,
            "product_id": "product",
            **_ON,
            "properties": "properties",
        },
        "customers": {
            "customer_id": f"case when kind = 'identify' then {_KEY} end",
            "email": _latest("trait_email"),
            "phone": _latest("phone"),
            "name": _latest("coalesce(name, nullif(concat_ws(' ', first_name, last_name), ''))"),
            "language": _latest("case when left(locale, 2) in ('en', 'id', 'ms') then left(locale, 2) end"),
            "city": _latest("city"),
            "country": _latest("country"),
            "birth_date": _latest("try_cast(left(birthday, 10) as date)"),
            "gender": _latest("gender"),
            "created_at": _latest("made_at"),
        },
    },
    notes=(N_("Visitors who never said who they are stay nameless"),),
)

TRACKS = Layout(
    name="Segment: events of a warehouse",
    roles={
        "message": text("id", required=True),
        "user_key": text("user_id"),
        "visitor": text("anonymous_id"),
        "event": text("event_text"),
        "plain_event": text("event", required=True),
        "event_at": moment("timestamp"),
        "original_at": moment("original_timestamp"),
        "sent_at": moment("sent_at"),
        "received_at": moment("received_at"),
        "trait_email": email("context_traits_email"),
        "context_email": email("email"),
        "property_email": email("customer_email"),
        **_PROPERTIES,
        **_CLIENT,
    },
    needs=("message", "visitor", "plain_event", "received_at"),
    zone="UTC",
    facts={
        "events": {
            "event_id": "'segment:' || message",
            "customer_id": _WHO,
            "name": "coalesce(event, plain_event)",
            "occurred_at": _WHEN,
            "product_id": "product",
            **_ON,
            "properties": "properties",
        },
    },
)
