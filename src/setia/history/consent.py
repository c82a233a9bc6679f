"""Who may be written to by e-mail: the last decision on record, from whichever table it stands in."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from setia.warehouse.snapshot import Snapshot


def email_consent(facts: Snapshot, until: dt.datetime | None = None) -> ir.Table:
    """One row per customer with a decision: `customer_id`, `email_consent_at`, `email_optout_at`.

    A decision is an address's: it holds for every customer who has it. Decisions from `until` on, and withdrawals that
    a later consent has overtaken, do not show.
    """
    import ibis

    customers: Any = facts.table("customers")
    consents: Any = facts.table("consents")
    none = ibis.null(customers.email_consent_at.type())
    people = customers.select(
        "customer_id",
        address=ibis.coalesce(customers.email.lower(), customers.customer_id),
        given=customers.email_consent_at,
        withdrawn=customers.email_optout_at,
    )
    marketing = consents.purpose.isnull() | (consents.purpose == "marketing")
    consents = consents.filter(consents.channel == "email", marketing)
    known = consents.left_join(people.select("customer_id", known="address"), "customer_id")
    decided = known.select(
        "customer_id",
        address=ibis.coalesce(known.email.lower(), known.known, known.customer_id),
        given=(known.state == "given").ifelse(known.decided_at, none),
        withdrawn=(known.state == "withdrawn").ifelse(known.decided_at, none),
    )
    told = people.union(decided)
    owners = told.select("customer_id", "address").distinct()
    if until is not None:
        then = ibis.literal(until, type="timestamp('UTC')")
        told = told.mutate(given=(told.given < then).ifelse(told.given, none))
        told = told.mutate(withdrawn=(told.withdrawn < then).ifelse(told.withdrawn, none))
    last = told.group_by("address").aggregate(given=told.given.max(), withdrawn=told.withdrawn.max())
    overtaken = last.given > last.withdrawn
    last = last.filter(last.given.notnull() | last.withdrawn.notnull()).mutate(
        withdrawn=overtaken.fill_null(False).ifelse(none, last.withdrawn)
    )
    # Of two addresses of one customer, the one that was withdrawn tells.
    found: Any = owners.join(last, "address")
    return found.group_by("customer_id").aggregate(
        email_consent_at=found.given.max(), email_optout_at=found.withdrawn.max()
    )


CHANNELS = ("email", "whatsapp", "sms")
"""Channels that people are written to on."""


def reachable_on(facts: Snapshot, channel: str, until: dt.datetime) -> ir.Table:
    """The customers who can be written to on a channel as of a moment: `customer_id`.

    They have an e-mail address or a telephone number, and the last decision on record is a yes to marketing.
    """
    people: Any = facts.table("customers")
    if channel == "email":
        decided: Any = email_consent(facts, until)
        agreed = decided.filter(decided.email_consent_at.notnull(), decided.email_optout_at.isnull())
        addressed = people.filter(people.email.notnull())
    else:
        consents: Any = facts.table("consents")
        marketing = consents.purpose.isnull() | (consents.purpose == "marketing")
        own = consents.filter(consents.channel == channel, marketing, consents.decided_at < until)
        last = own.group_by("customer_id").aggregate(
            given=own.decided_at.max(where=own.state == "given"),
            withdrawn=own.decided_at.max(where=own.state == "withdrawn"),
        )
        agreed = last.filter(last.given.notnull(), last.withdrawn.isnull() | (last.given > last.withdrawn))
        addressed = people.filter(people.phone.notnull())
    return addressed.select("customer_id").semi_join(agreed, "customer_id")
