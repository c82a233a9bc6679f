"""Whom the contact list knew on a day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from setia.history.scope import Scope

if TYPE_CHECKING:
    from setia.warehouse.snapshot import Snapshot


def people_before(facts: Snapshot, scope: Scope) -> Any:
    """One row per customer of the contact list, whose account was made before `as_of` where that is told."""
    import ibis

    known: Any = facts.table("customers")
    until = ibis.literal(scope.until, type="timestamp('UTC')")
    return known.filter(known.created_at.isnull() | (known.created_at < until))
