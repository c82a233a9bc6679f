"""Who may be written to by e-mail: the last decision on record, from whichever table it stands in."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from setia.warehouse.reader import Reader


def email_consent(reader: Reader, until: dt.datetime | None = None) -> ir.Table:
    """One row per customer with a decision: `customer_id`, `email_consent_at`, `email_optout_at`.

    Decisions from `until` on, and withdrawals that a later consent has overtaken, do not show.
    """
    import ibis

    customers: Any = reader.table("customers")
    consents: Any = reader.table("consents")
    marketing = consents.purpose.isnull() | (consents.purpose == "marketing")
    consents = consents.filter(consents.channel == "email", marketing)
    none = ibis.null(customers.email_consent_at.type())
    given, withdrawn = consents.state == "given", consents.state == "withdrawn"
    told = customers.select("customer_id", given=customers.email_consent_at, withdrawn=customers.email_optout_at)
    told = told.union(
        consents.select(
            "customer_id",
            given=given.ifelse(consents.decided_at, none),
            withdrawn=withdrawn.ifelse(consents.decided_at, none),
        )
    )
    if until is not None:
        then = ibis.literal(until, type="timestamp('UTC')")
        told = told.mutate(given=(told.given < then).ifelse(told.given, none))
        told = told.mutate(withdrawn=(told.withdrawn < then).ifelse(told.withdrawn, none))
    last = told.group_by("customer_id").aggregate(given=told.given.max(), withdrawn=told.withdrawn.max())
    overtaken = last.given > last.withdrawn
    return last.filter(last.given.notnull() | last.withdrawn.notnull()).select(
        "customer_id",
        email_consent_at=last.given,
        email_optout_at=overtaken.fill_null(False).ifelse(none, last.withdrawn),
    )
