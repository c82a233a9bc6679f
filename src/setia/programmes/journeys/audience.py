"""Who enters a journey: customers in its audience whose silence has passed the quantile of their own rhythm."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from setia.conditions.behaviour import with_behaviour
from setia.conditions.condition import Condition
from setia.customers.traits import WORDS
from setia.history.sales import customers_orders, days_old
from setia.history.scope import Scope
from setia.programmes.journeys.models import Journey
from setia.programmes.journeys.rules import silence_factor

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from setia.warehouse.reader import Reader
    from setia.warehouse.snapshot import Snapshot


def entering(facts: Snapshot, traits: ir.Table, journey: Journey, scope: Scope, *, reachable: bool) -> ir.Table:
    """The rows of `traits` that enter at `scope.as_of`, with their `silence` and the `silence_limit` passed, in days.

    With `reachable` only those who may be written to: with an address and consent. It is asked before anybody is
    assigned to an arm, so that both arms are alike.
    """
    condition = Condition.parse(journey.audience, WORDS)
    rows: Any = with_behaviour(facts, scope, traits, condition.behaviours)
    rows = rows.mutate(silence=days_old(scope, rows.last_day))
    rows = rows.mutate(silence_limit=rows.usual_gap_days * silence_factor(journey.enter.quantile))
    rows = rows.filter(
        condition.on(rows, scope),
        rows.silence >= rows.silence_limit,
        rows.silence <= journey.enter.at_most_days,
    )
    return rows.filter(rows.has_email, rows.email_consent) if reachable else rows


def ordered_within(reader: Reader, people: ir.Table, scope: Scope, window_days: int) -> tuple[int, int]:
    """Of these people, how many placed a valid order in the window that begins at `scope.as_of`, and how many they are.

    For looking back: `scope.as_of` lies at least `window_days` in the past.
    """
    until = scope.as_of + dt.timedelta(days=window_days)
    later: Any = customers_orders(reader, Scope(until, scope.currency, scope.time_zone))
    later = later.filter(later.day >= scope.as_of).select("customer_id").distinct()
    rows: Any = people
    found = reader.arrow(
        rows.select("customer_id")
        .left_join(later.mutate(bought=1), "customer_id")
        .aggregate(n=lambda t: t.count(), bought=lambda t: t.bought.count())
    ).to_pylist()[0]
    return int(found["bought"]), int(found["n"])
