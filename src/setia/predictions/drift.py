"""Whether what was predicted came: the last predictions held against what happened since."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from setia.customers.observed.orders import purchase_days
from setia.history.scope import Scope
from setia.warehouse.snapshot import listed

if TYPE_CHECKING:
    from setia.warehouse.snapshot import Snapshot

LEAST_DAYS = 7
"""Days that must have passed before a prediction is held against anything."""
SHARE = 0.95
"""Of how many predictions that still hold, what came lies in the interval."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One prediction of all customers together, and what became of it."""

    as_of: dt.date
    """The day on which it was made."""
    model: str
    days: int
    """Days that have passed since."""
    expected: float
    """Purchase days expected within them, of customers known by then."""
    low: float
    high: float
    """Where they would lie in 95 of 100 cases if nothing had changed."""
    actual: float

    @property
    def drifted(self) -> bool:
        """Whether something changed that the prediction did not know of."""
        return not self.low <= self.actual <= self.high


def drift(facts: Snapshot, scope: Scope, made: dt.date, card: dict[str, Any]) -> Drift | None:
    """What became of the prediction of a card made as of a day; None while it is too young, or made nothing known.

    The interval is that of `between`.
    """
    passed = (scope.as_of - made).days
    if passed < LEAST_DAYS or not card.get("totals"):
        return None
    days = min(passed, int(card["totals"][-1]["days"]))
    expected = _expected(card["totals"], days)
    if expected <= 0:
        return None
    low, high = between(expected, card["error"], card["windows"], SHARE)
    actual = _purchases(facts, scope.at(made + dt.timedelta(days=days)), made)
    return Drift(made, card["model"], days, expected, low, high, actual)


def between(expected: float, error: float, windows: int, share: float) -> tuple[float, float]:
    """Where a total lies in such a share of cases.

    Joins the chance of counts (Poisson) and the relative error of totals in so many windows of the back-test: on the
    log scale, with Student's t of as many degrees of freedom as there were windows.
    """
    from scipy.special import stdtrit

    if expected <= 0:
        return 0.0, 0.0
    wide = float(stdtrit(windows, (1 + share) / 2)) * math.hypot(error, expected**-0.5)
    return expected * math.exp(-wide), expected * math.exp(wide)


def _expected(totals: list[dict[str, float]], days: int) -> float:
    """What was expected within so many days, straight between the horizons of the card."""
    begin, so_far = 0.0, 0.0
    for each in totals:
        if days <= each["days"]:
            return so_far + (each["orders"] - so_far) * (days - begin) / (each["days"] - begin)
        begin, so_far = each["days"], each["orders"]
    return so_far


def _purchases(facts: Snapshot, scope: Scope, since: dt.date) -> float:
    """Purchase days since a day, of customers who had ordered before it."""
    import ibis

    days: Any = purchase_days(facts, scope)
    day = ibis.literal(since)
    whose = days.filter(days.day < day).select("customer_id").distinct()
    later = days.filter(days.day >= day).semi_join(whose, "customer_id")
    (found,) = listed(facts, later.aggregate(purchases=later.count()))
    return float(found["purchases"])
