"""What is expected of every customer from today on: the chosen candidate, corrected, with intervals, and its card."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from setia.predictions import next_order
from setia.predictions.backtest import FAILURES, BackTest
from setia.predictions.candidates import CANDIDATES, NAIVE, order_values
from setia.predictions.correcting import Factor, Spread
from setia.predictions.expecting import Expected, NoModel, expect, teller_of_active
from setia.predictions.forecast import Fitted, Forecast
from setia.predictions.models.purchases import FloatArray, TooFewCustomers
from setia.predictions.past import WINDOW, Past, Windows, read

if TYPE_CHECKING:
    import pyarrow as pa

HORIZONS = (30, 60, 90, 365)
"""Days ahead for which the card keeps what is expected of everybody together."""
LEAST_ACTIVE = 1e-9
"""Chances below this are lost to rounding."""
NUMBERS = (
    "chance_active", "chance_of_order_30d", "chance_of_order_60d", "chance_of_order_90d",
    "expected_orders_90d", "expected_orders_90d_from", "expected_orders_90d_to",
    "expected_orders_365d", "expected_orders_365d_from", "expected_orders_365d_to", "expected_order_value",
    "expected_value_90d", "expected_value_90d_from", "expected_value_90d_to",
    "expected_value_365d", "expected_value_365d_from", "expected_value_365d_to", "value_if_active_365d",
    "customer_value_365d",
)  # fmt: skip
DAYS = ("next_order_day", "next_order_from", "next_order_until", "win_back_day")
USUAL_ERROR, USUAL_WINDOWS = 0.2, 2
"""Of totals, relative, before anything is known, and how many windows that belief is worth: a few lucky ones do not
make a shop that can be foretold."""


@dataclass(frozen=True, slots=True)
class Card:
    """What a fit rests on and what it found; `parameters` is None where there was too little to fit, with `reason`."""

    model: str
    customers: int
    repeat_customers: int
    parameters: dict[str, float] | None = None
    standard_errors: dict[str, float] | None = None
    log_likelihood: float | None = None
    dropout_identified: bool | None = None
    value_parameters: dict[str, float] | None = None
    reason: str | None = None
    active_by: str | None = None
    """The purchase model that the chance of being a customer still comes from."""
    first_day: str | None = None
    last_day: str | None = None
    correction: str = "none"
    factor: float = 1.0
    """Of the next window's revenue."""
    days_factor: float = 1.0
    """Of its purchase days."""
    totals: tuple[dict[str, float], ...] = ()
    """`days`, `orders` and `revenue`: what is expected within so many days of all customers known by then."""
    error: float = USUAL_ERROR
    """Relative error of totals: the usual one, and how the windows that are complete came out, taken together."""
    windows: int = USUAL_WINDOWS
    """How many windows it is worth."""
    coverage: dict[str, float] = field(default_factory=dict)
    """The share of customers whose `orders`, `revenue` and `next_order` lay in intervals that were made to hold four in
    five, on the mean over the windows that are complete."""
    explained: float | None = None
    """Share of the deviance explained in the back-test."""
    passed_over: dict[str, str] = field(default_factory=dict)
    """Better candidates that could not be fitted this time, and why."""
    details: dict[str, Any] = field(default_factory=dict)
    limits: tuple[str, ...] = ()
    """What to keep in mind: `dropout`, `season`, `short`, `no_interval`, `no_year_interval`, `naive`."""


@dataclass(frozen=True, eq=False)
class Outlook:
    """One element per customer with an order, in the order of `customers`; empty columns where nothing is known."""

    customers: pa.ChunkedArray
    numbers: dict[str, FloatArray]
    days: dict[str, Any]
    card: Card

    def table(self) -> pa.Table:
        """`customer_id` and every column, unknown as null."""
        import pyarrow as pa

        rows = len(self.customers)
        columns: dict[str, Any] = {"customer_id": self.customers}
        for name in NUMBERS:
            values = self.numbers.get(name)
            columns[name] = pa.nulls(rows, pa.float64()) if values is None else pa.array(values, from_pandas=True)
        for name in DAYS:
            day = self.days.get(name)
            columns[name] = pa.nulls(rows, pa.date32()) if day is None else pa.array(day).cast(pa.date32())
        return pa.table(columns)


def outlook(
    windows: Windows, ranking: Sequence[str], correction: str, margin: float, discount_rate: float,
    found: BackTest | None = None,
) -> Outlook:  # fmt: skip
    """Fit the first candidate of the ranking that can be fitted, and ask it what is to come of everybody.

    `correction` is what its totals are corrected for, where the history allows; `margin` and `discount_rate` (a year)
    turn revenue into what a customer is worth. Windows are of `WINDOW` days.
    """
    past = windows.past(0)
    try:
        expected = expect(windows, ranking, correction, HORIZONS)
    except NoModel as problem:
        card = Card(ranking[0], len(past), int((past.frequency > 0).sum()), reason=problem.facts["reason"])
        return Outlook(past.customers, {}, {}, card)
    if found is not None and expected.name != found.chosen:
        found = None  # it tells of another than the one that took over
    numbers = _numbers(expected.ahead, past)
    teller = teller_of_active(expected, ranking)
    if teller is not None:
        numbers |= _if_active(teller[1], numbers["chance_of_order_90d"])
    numbers["customer_value_365d"] = _worth(expected.ahead, margin, discount_rate)
    if expected.before is not None:
        numbers |= _intervals(*expected.before, expected.ahead[WINDOW], "90d")
    numbers |= _year(windows, expected.name, expected.ahead[365])
    days: dict[str, Any] = {}
    with suppress(TooFewCustomers):
        days = next_order.next_orders(past)
    errors = _errors(found, expected.ratios)
    card = replace(
        _card(expected, found),
        active_by=teller[0] if teller else None,
        dropout_identified=teller[1].details.get("dropout_identified") if teller else None,
        totals=tuple(
            {"days": d, "orders": float(f.days.sum()), "revenue": float(f.revenue.sum())}
            for d, f in expected.ahead.items()
        ),
        error=_relative_error(errors),
        windows=USUAL_WINDOWS + len(errors),
        coverage=_coverage(windows, found),
    )
    limits = _limits(card, windows, expected.before is not None, "expected_value_365d_to" in numbers)
    return Outlook(past.customers, numbers, days, replace(card, limits=limits))


def _numbers(ahead: dict[float, Forecast], past: Past) -> dict[str, FloatArray]:
    quarter, year = ahead[WINDOW], ahead[365]
    nothing = bool((year.days <= 0).any())  # and yet an order of theirs would be worth something
    otherwise = order_values(past)[0] if nothing else year.revenue
    found = {f"chance_of_order_{days}d": ahead[days].chance for days in (30, 60, 90)}
    some = np.where(year.days > 0, year.days, 1.0)
    return found | {
        "expected_orders_90d": quarter.days,
        "expected_orders_365d": year.days,
        "expected_order_value": np.where(year.days > 0, year.revenue / some, otherwise),
        "expected_value_90d": quarter.revenue,
        "expected_value_365d": year.revenue,
    }


def _if_active(teller: Fitted, chance_of_order: FloatArray) -> dict[str, FloatArray]:
    """Whether they are customers still, and what they would be worth then: told by one purchase model, since a rule
    that expects nothing of the silent knows nothing of what they would spend."""
    assert teller.active is not None
    return {
        # Whoever orders is a customer still, whichever model tells the one and the other.
        "chance_active": np.maximum(teller.active, chance_of_order),
        "value_if_active_365d": teller.ahead(365.0).revenue / np.maximum(teller.active, LEAST_ACTIVE),
    }


def _intervals(then: Forecast, sequel: Past, now: Forecast, horizon: str) -> dict[str, FloatArray]:
    """Four in five of the customers of whom as much was expected then did something in between."""
    found: dict[str, FloatArray] = {}
    for name, expected, actual, asked in (
        ("orders", then.days, sequel.next_days, now.days),
        ("value", then.revenue, np.maximum(sequel.next_revenue, 0), now.revenue),
    ):
        low, high = Spread.of(expected, actual).around(asked)
        found |= {f"expected_{name}_{horizon}_from": low, f"expected_{name}_{horizon}_to": high}
    return found


def _year(windows: Windows, name: str, now: Forecast) -> dict[str, FloatArray]:
    """The year's intervals, where a whole year has passed since there was enough to predict from."""
    back = windows.a_year_back
    if back is None or windows.usable(back) < back:
        return {}
    past, days = windows.past(back), back * windows.horizon
    try:
        then = CANDIDATES[name][1](past).ahead(float(days))
    except FAILURES:
        return {}
    return _intervals(then, read(windows.facts, windows.scope, past.day, days), now, "365d")


def _worth(ahead: dict[float, Forecast], margin: float, discount_rate: float) -> FloatArray:
    """Gross margin of the next 365 days, each stretch between two horizons discounted from its middle."""
    return discounted([(float(days), ahead[days].revenue) for days in HORIZONS], margin, discount_rate)


def discounted(revenue_by: Sequence[tuple[float, FloatArray]], margin: float, discount_rate: float) -> FloatArray:
    """Gross margin, discounted to now, of the revenue that is expected by each of some days ahead, ascending."""
    worth, begin, so_far = np.zeros_like(revenue_by[0][1]), 0.0, np.zeros_like(revenue_by[0][1])
    for days, revenue in revenue_by:
        worth += (revenue - so_far) * math.exp(-math.log1p(discount_rate) * (begin + days) / 2 / 365)
        begin, so_far = days, revenue
    return margin * worth


def _card(expected: Expected, found: BackTest | None) -> Card:
    """What the fit itself has to tell."""
    past, details = expected.past, dict(expected.fitted.details)
    told = {key: details.pop(key, None) for key in _OF_FITS}
    first = past.day - dt.timedelta(days=int(past.age.max(initial=0)) + 1)
    scores = [e.explained for e in found.of_chosen() if e.explained is not None] if found else []
    return Card(
        expected.name,
        len(past),
        int((past.frequency > 0).sum()),
        **{**told, "parameters": told["parameters"] or {}},
        first_day=first.isoformat(),
        last_day=(past.day - dt.timedelta(days=1)).isoformat(),
        correction=expected.correction if expected.factor != Factor() else "none",
        factor=expected.factor.revenue,
        days_factor=expected.factor.days,
        explained=float(np.mean(scores)) if scores else None,
        passed_over=expected.passed_over,
        details=details,
    )


_OF_FITS = ("parameters", "standard_errors", "log_likelihood", "dropout_identified", "value_parameters")


def _errors(found: BackTest | None, ratios: dict[int, Factor | None]) -> list[float]:
    """Logarithms of actual ÷ expected totals of the complete windows, as they would have been corrected."""
    if found is not None:
        biases = [e.days_bias for e in found.of_chosen()]
        return [-math.log1p(bias) for bias in biases if bias is not None and bias > -1]
    latest = ratios.get(1)
    return [math.log(latest.days)] if latest else []


def _relative_error(errors: list[float]) -> float:
    known = USUAL_WINDOWS * USUAL_ERROR**2 + float(np.sum(np.square(errors)))
    return math.sqrt(known / (USUAL_WINDOWS + len(errors)))


def _coverage(windows: Windows, found: BackTest | None) -> dict[str, float]:
    told: dict[str, list[float | None]] = {"orders": [], "revenue": [], "next_order": []}
    if found is not None:
        told["orders"] = [each.coverage_orders for each in found.of_chosen()]
        told["revenue"] = [each.coverage_revenue for each in found.of_chosen()]
    if windows.usable(1):
        with suppress(TooFewCustomers):
            told["next_order"] = [next_order.coverage(windows.past(1))]
    known = {name: [value for value in values if value is not None] for name, values in told.items()}
    return {name: float(np.mean(values)) for name, values in known.items() if values}


def _limits(card: Card, windows: Windows, quarter: bool, year: bool) -> tuple[str, ...]:
    back = windows.a_year_back
    said = {
        "dropout": card.dropout_identified is False,
        "season": back is None or windows.usable(back) < back,
        "short": windows.usable(2) < 2,
        "no_interval": not quarter,
        "no_year_interval": not year,
        "naive": card.model in NAIVE,
    }
    return tuple(limit for limit, holds in said.items() if holds)
