"""Who may be written to by e-mail: the last decision on record, from whichever table it stands in."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from setia.warehouse.reader import Reader


def email_consent(reader: Reader, until: dt.datetime | None = None) -> ir.Table:
    """One row per customer with a decision: `customer_id`, `email_consent_at`, `email_optout_at`.

    A decision is an address's: it holds for every customer who has it. Decisions from `until` on, and withdrawals that
    a later consent has overtaken, do not show.
    """
    import ibis

    customers: Any = reader.table("customers")
    consents: Any = reader.table("consents")
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
