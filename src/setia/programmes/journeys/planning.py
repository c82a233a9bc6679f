"""What a journey would do, before it does it: whom it reaches, what it may cost, what it could show."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, Any

from setia.customers import traits as customers_traits
from setia.effects.power import ShareProposal, propose_share, smallest_effect_shown
from setia.history.scope import Scope
from setia.kernel.money import rounded
from setia.programmes.journeys.audience import entering, ordered_within
from setia.programmes.journeys.models import Journey
from setia.programmes.journeys.rules import Worth, affordable_offer, offer_cost

if TYPE_CHECKING:
    from setia.warehouse.reader import Reader

WEEKS_AHEAD = 12


@dataclass(frozen=True, slots=True)
class Plan:
    """The answer of `setia plan`."""

    programme: str
    as_of: dt.date
    audience: int
    """Customers who would enter now, reachable or not."""
    reachable: int
    weekly_entries: float
    """Reachable customers who reach the limit of their silence in a week, as of the last four."""
    planned_total: int
    """Reachable now and over the weeks ahead."""
    weeks_ahead: int
    base_rate: float | None
    """Share who ordered within the window by themselves, at the last date for which that is known."""
    base_rate_customers: int
    share: float
    """Held-out share, proposed or set."""
    proposed: bool
    smallest_effect: float | None
    """Smallest difference that would show with 80 % power, as a fraction."""
    enough: bool
    """Whether that is at most the expected effect."""
    messages: int
    """At most, for those who enter now."""
    message_cost: Decimal
    offer_cost: Decimal
    """Expected, if the treated order as often as before plus the expected effect, each with the dearest offer."""


def plan(reader: Reader, journey: Journey, scope: Scope, *, currency: str, margin: float) -> Plan:
    """Look at everybody who would enter at `scope.as_of`, and back one window for how many return by themselves."""
    traits: Any = reader.table("traits")
    everybody = entering(reader, traits, journey, scope, reachable=False)
    reachable: Any = entering(reader, traits, journey, scope, reachable=True)
    audience = _count(reader, everybody)
    people = reader.arrow(
        reachable.select("silence", "silence_limit", "expected_order_value", "value_if_active_365d")
    ).to_pylist()
    weekly = sum(1 for p in people if p["silence"] - p["silence_limit"] < 28) / 4
    total = round(len(people) + weekly * WEEKS_AHEAD)
    bought, n = look_back(reader, journey, scope)
    rate = bought / n if n else None
    proposal = share_for(journey, total, rate)
    treated = len(people) * (1 - proposal.share)
    taken = min((rate or 0) + journey.measure.expected_effect, 1)
    return Plan(
        programme=journey.programme,
        as_of=scope.as_of,
        audience=audience,
        reachable=len(people),
        weekly_entries=weekly,
        planned_total=total,
        weeks_ahead=WEEKS_AHEAD,
        base_rate=rate,
        base_rate_customers=n,
        share=proposal.share,
        proposed=journey.measure.held_out == "auto",
        smallest_effect=proposal.smallest_effect if rate is not None and isfinite(proposal.smallest_effect) else None,
        enough=proposal.enough and rate is not None,
        messages=round(treated * len(journey.steps)),
        message_cost=rounded(journey.cost_per_message * round(treated * len(journey.steps)), currency),
        offer_cost=rounded(_dearest(journey, people, margin) * Decimal(str((1 - proposal.share) * taken)), currency),
    )


def look_back(reader: Reader, journey: Journey, scope: Scope) -> tuple[int, int]:
    """How many of those who would have entered one window ago ordered within it, and how many they were."""
    past = before(scope, journey.measure.window_days)
    people = entering(reader, past_traits(reader, past), journey, past, reachable=False)
    return ordered_within(reader, people, past, journey.measure.window_days)


def before(scope: Scope, days: int) -> Scope:
    """The same scope some days earlier."""
    return scope.at(scope.as_of - dt.timedelta(days=days))


def past_traits(reader: Reader, past: Scope) -> Any:
    """Observed traits at a past date, with the shop's rhythm as it was then; predicted ones are null.

    So an audience that asks for a prediction has no past, and no base rate.
    """
    import ibis

    from setia.customers.rhythm import shop_gap_days

    found: Any = customers_traits.observed(reader, past, shop_gap_days(reader, past))
    return found.mutate(**{name: ibis.null("float64") for name in customers_traits.PREDICTED})


def _count(reader: Reader, rows: Any) -> int:
    return int(reader.arrow(rows.aggregate(n=rows.count()))["n"][0].as_py())


def share_for(journey: Journey, total: int, rate: float | None) -> ShareProposal:
    """The held-out share for an audience: the one in the document, or the smallest that shows the expected effect."""
    base = min(max(rate if rate is not None else 0.2, 0.005), 0.95)
    expected = journey.measure.expected_effect
    proposal = propose_share(max(total, 2), base, expected)
    if journey.measure.held_out == "auto":
        return proposal
    smallest = smallest_effect_shown(max(total, 2), journey.measure.held_out, base)
    return ShareProposal(journey.measure.held_out, smallest, smallest <= expected)


def _dearest(journey: Journey, people: list[dict[str, Any]], margin: float) -> Decimal:
    """What it would cost if everybody took the dearest offer that they are worth."""
    ladder = [step.offer for step in journey.steps]
    total = Decimal(0)
    for person in people:
        worth = Worth(person["expected_order_value"], person["value_if_active_365d"])
        costs = []
        for step in range(len(ladder)):
            rung = affordable_offer(ladder, step, worth, margin=margin, most_share=journey.most_share_of_worth)
            costs.append(offer_cost(ladder[rung], worth) if rung is not None else Decimal(0))
        total += max(costs)
    return total
