"""An A/A placebo: the journey's audience at a past date, divided as if, and nobody written to.

There is nothing to find, so an honest measurement shows nothing. A single division still claims an effect one time in
twenty, by chance and by design; so the audience is divided many times, the typical division is shown, and beside it
how many of them made a claim.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from setia.effects.holdout import arm, bucket
from setia.effects.lift import Lift, Verdict, measure
from setia.history.sales import customers_orders
from setia.history.scope import Scope
from setia.kernel.statistics import Proportion
from setia.programmes.journeys.audience import entering
from setia.programmes.journeys.models import Journey
from setia.programmes.journeys.planning import before, past_traits

if TYPE_CHECKING:
    from setia.warehouse.reader import Reader

DIVISIONS = 200


@dataclass(frozen=True, slots=True)
class Placebo:
    """The typical division's result, and how many of all divisions claimed an effect that is not there."""

    as_of: dt.date
    window_days: int
    held_out_share: float
    lift: Lift
    """Of the division whose difference is the median in size."""
    divisions: int
    false_claims: int


def placebo(reader: Reader, journey: Journey, scope: Scope, share: float, salt: str) -> Placebo | None:
    """Run the placebo one window before `scope.as_of`; None where nobody would have entered then."""
    window = journey.measure.window_days
    past = before(scope, window)
    people: Any = entering(reader, past_traits(reader, past), journey, past, reachable=False)
    ids = sorted(row["customer_id"] for row in reader.arrow(people.select("customer_id")).to_pylist())
    if len(ids) < 2:
        return None
    orders: Any = customers_orders(reader, scope)
    later = orders.filter(orders.day >= past.as_of).select("customer_id").distinct()
    bought = {row["customer_id"] for row in reader.arrow(later).to_pylist()}
    outcomes = [customer in bought for customer in ids]
    lifts = [_measured(_held(f"{salt}-{n}", ids, share), outcomes, share) for n in range(DIVISIONS)]
    lifts.sort(key=lambda lift: abs(lift.difference or 0))
    claims = sum(lift.verdict in (Verdict.WORKS, Verdict.HARMS) for lift in lifts)
    return Placebo(past.as_of, window, share, lifts[len(lifts) // 2], len(lifts), claims)


def _held(salt: str, ids: list[str], share: float) -> list[bool]:
    return [arm(bucket(salt, customer), share) == "held_out" for customer in ids]


def _measured(held: list[bool], outcomes: list[bool], share: float) -> Lift:
    pairs = list(zip(held, outcomes, strict=True))
    return measure(
        Proportion(sum(bought for is_held, bought in pairs if not is_held), sum(not is_held for is_held in held)),
        Proportion(sum(bought for is_held, bought in pairs if is_held), sum(held)),
        planned_share=share,
    )
