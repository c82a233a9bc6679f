"""How customers move: between the stages of the life cycle from month to month, and over the RFM map."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from setia.customers import rfm
from setia.customers.rhythm import shop_gap_days
from setia.customers.traits import observed
from setia.history.sales import customers_orders
from setia.history.scope import Scope
from setia.warehouse.snapshot import listed

if TYPE_CHECKING:
    from setia.warehouse.snapshot import Snapshot

RFM_DAYS = 30
"""Days over which movement on the RFM map is told."""


@dataclass(frozen=True, slots=True)
class Flow:
    """Stages at the beginnings of months, each by the rules and the rhythm of its own day."""

    sizes: list[dict[str, Any]]
    """One row per month and stage that has anybody: `month` (its first day), `stage`, `customers`."""
    moves: list[dict[str, Any]]
    """One row per month, stage at its beginning (`before`; None: not on record yet) and at its end (`after`):
    `month`, `before`, `after`, `customers`."""


def stage_flow(facts: Snapshot, scope: Scope, months: int = 6) -> Flow:
    """The last whole months before `as_of` for which there are orders; empty where there is none."""
    starts = _starts(facts, scope, months)
    stood = [(day, _at(facts, scope.at(day), "stage")) for day in starts]
    sizes = [
        {"month": day, "stage": row["stage"], "customers": row["customers"]}
        for day, rows in stood
        for row in listed(facts, rows.group_by("stage").aggregate(customers=rows.count()))
    ]
    moves = [
        {"month": day, **row}
        for (day, before), (_end, after) in pairwise(stood)
        for row in _moved(facts, before, after, "stage")
    ]
    return Flow(sizes, moves)


def _starts(facts: Snapshot, scope: Scope, months: int) -> list[dt.date]:
    """The first days of months up to `as_of`, from the first one after the first order on."""
    orders: Any = customers_orders(facts, scope)
    (found,) = listed(facts, orders.aggregate(first=orders.day.min()))
    first = found["first"]
    starts: list[dt.date] = []
    day = scope.as_of.replace(day=1)
    while first is not None and day > first and len(starts) <= months:
        starts.append(day)
        day = (day - dt.timedelta(days=1)).replace(day=1)
    return starts[::-1]


def _at(facts: Snapshot, then: Scope, trait: str) -> Any:
    return facts.kept(observed(facts, then, shop_gap_days(facts, then), (trait,)))


def _moved(facts: Snapshot, before: Any, after: Any, trait: str) -> list[dict[str, Any]]:
    """How many went from which value to which; nobody leaves the record."""
    was = before.select(was_id="customer_id", before=before[trait])
    both = after.left_join(was, after.customer_id == was.was_id)
    counted = both.group_by("before", after=both[trait]).aggregate(customers=both.count())
    rows = listed(facts, counted)
    return sorted(rows, key=lambda row: (str(row["before"]), str(row["after"])))


@dataclass(frozen=True, slots=True)
class RfmMap:
    """Where the buyers stand, and where those of today stood `RFM_DAYS` ago."""

    places: list[dict[str, Any]]
    """One row per place that has anybody: `recency`, `together` (how often and how much), `group`, `customers`,
    `net_revenue`."""
    moves: list[dict[str, Any]]
    """`before` (None: no order yet), `after`, `customers`."""


def rfm_map(facts: Snapshot, scope: Scope) -> RfmMap:
    """As of a day, whatever the last refresh was."""
    traits = ("rfm_recency", "rfm_frequency", "rfm_value", "rfm_group", "net_revenue")
    now: Any = facts.kept(observed(facts, scope, shop_gap_days(facts, scope), traits))
    now = now.filter(now.rfm_group.notnull())
    both = rfm.together(now.rfm_frequency, now.rfm_value)
    counted = now.group_by(recency=now.rfm_recency, together=both, group=now.rfm_group).aggregate(
        customers=now.count(), net_revenue=now.net_revenue.sum()
    )
    then: Any = _at(facts, scope.at(scope.as_of - dt.timedelta(days=RFM_DAYS)), "rfm_group")
    places = sorted(listed(facts, counted), key=lambda row: (-row["recency"], row["together"]))
    return RfmMap(places, _moved(facts, then, now, "rfm_group"))
