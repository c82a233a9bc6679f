"""What is expected of every customer from today on: the chosen candidate, corrected, with intervals, and its card."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from setia.predictions import next_order
from setia.predictions.backtest import FAILURES, BackTest
from setia.predictions.candidates import CANDIDATES, LEARNED, NAIVE
from setia.predictions.correcting import Spread, factors, ratio
from setia.predictions.forecast import Fitted, Forecast
from setia.predictions.models.purchases import FloatArray, TooFewCustomers
from setia.predictions.past import Past, Windows

if TYPE_CHECKING:
    import pyarrow as pa

HORIZONS = (30, 60, 90, 365)
"""Days ahead for which the card keeps what is expected of everybody together."""
WINDOW = 90
FALLBACKS = ("mbg_nbd", "bg_nbd")
NUMBERS = (
    "chance_active", "chance_of_order_30d", "chance_of_order_60d", "chance_of_order_90d",
    "expected_orders_90d", "expected_orders_90d_from", "expected_orders_90d_to", "expected_orders_365d",
    "expected_order_value", "expected_value_90d", "expected_value_90d_from", "expected_value_90d_to",
    "expected_value_365d", "customer_value_365d",
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
    """What to keep in mind: `dropout`, `season`, `short`, `no_interval`, `naive`."""


@dataclass(frozen=True, eq=False)
class Outlook:
    """One element per customer with an order, in the order of `customers`; empty columns where nothing is known."""

    customers: pa.ChunkedArray
    numbers: dict[str, FloatArray]
    days: dict[str, Any]
    card: Card
    fitted: Fitted | None = None

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
    empty = Card(ranking[0], len(past), int((past.frequency > 0).sum()))
    passed_over: dict[str, str] = {}
    for name in dict.fromkeys((*ranking, *FALLBACKS)):
        try:
            fitted = CANDIDATES[name][1](past)
            ahead = {days: fitted.ahead(float(days)) for days in HORIZONS}
            break
        except FAILURES as problem:
            passed_over[name] = str(problem)
    else:
        return Outlook(past.customers, {}, {}, _refused(empty, passed_over))
    ratios, before = _complete(windows, name)
    factor = factors(ratios, 0, windows.a_year_back).get(correction, 1.0)
    ahead = {days: forecast.times(factor) for days, forecast in ahead.items()}
    active, active_by = _active(past, name, fitted, ranking)
    numbers = _numbers(ahead, active)
    numbers["customer_value_365d"] = _worth(ahead, margin, discount_rate)
    if before is not None:
        numbers |= _intervals(before, ahead[WINDOW])
    try:
        days = next_order.next_orders(past)
    except TooFewCustomers:
        days = {}
    card = _card(past, name, fitted, found, passed_over)
    errors = _errors(found, ratios)
    return Outlook(
        past.customers,
        numbers,
        days,
        Card(
            **{
                **card,
                "active_by": active_by,
                "correction": correction if factor != 1 else "none",
                "factor": factor,
                "totals": tuple(
                    {"days": d, "orders": float(f.days.sum()), "revenue": float(f.revenue.sum())}
                    for d, f in ahead.items()
                ),
                "error": _relative_error(errors),
                "windows": USUAL_WINDOWS + len(errors),
                "coverage": _coverage(windows, found),
                "limits": _limits(name, card, windows, before is not None),
            }
        ),
        fitted,
    )


def _refused(card: Card, problems: dict[str, str]) -> Card:
    return Card(card.model, card.customers, card.repeat_customers, reason=problems[FALLBACKS[0]])


def _complete(windows: Windows, name: str) -> tuple[dict[int, float | None], tuple[Forecast, Past] | None]:
    """Actual ÷ expected of the complete windows that correct today's totals, and the newest with its forecast."""
    year = windows.a_year_back
    wanted = [1, *((year, year + 1) if year is not None and name not in LEARNED else ())]
    usable = windows.usable(max(wanted))
    ratios: dict[int, float | None] = {}
    before = None
    for back in wanted:
        if back > usable:
            continue
        past = windows.past(back)
        try:
            forecast = CANDIDATES[name][1](past).ahead(float(past.horizon))
        except FAILURES:
            continue
        ratios[back] = ratio(past, forecast)
        if back == 1:
            before = forecast, past
    return ratios, before


def _active(past: Past, name: str, fitted: Fitted, ranking: Sequence[str]) -> tuple[FloatArray | None, str | None]:
    """The chance of each customer to be one still, by the candidate itself or the best that knows of one."""
    if fitted.active is not None:
        return fitted.active, name
    for other in dict.fromkeys((*ranking, *FALLBACKS)):
        if other in NAIVE or other in LEARNED:
            continue
        try:
            return CANDIDATES[other][1](past).active, other
        except FAILURES:
            continue
    return None, None


def _numbers(ahead: dict[int, Forecast], active: FloatArray | None) -> dict[str, FloatArray]:
    quarter, year = ahead[WINDOW], ahead[365]
    found = {f"chance_of_order_{days}d": ahead[days].chance for days in (30, 60, 90)}
    if active is not None:
        found["chance_active"] = active
    some = np.where(year.days > 0, year.days, 1.0)
    return found | {
        "expected_orders_90d": quarter.days,
        "expected_orders_365d": year.days,
        "expected_order_value": np.where(year.days > 0, year.revenue / some, np.nan),
        "expected_value_90d": quarter.revenue,
        "expected_value_365d": year.revenue,
    }


def _intervals(before: tuple[Forecast, Past], now: Forecast) -> dict[str, FloatArray]:
    """Four in five of the customers of whom as much was expected a window ago did something in between."""
    forecast, past = before
    orders = Spread.of(forecast.days, past.next_days).around(now.days)
    revenue = Spread.of(forecast.revenue, past.next_revenue).around(now.revenue)
    return {
        "expected_orders_90d_from": orders[0],
        "expected_orders_90d_to": orders[1],
        "expected_value_90d_from": revenue[0],
        "expected_value_90d_to": revenue[1],
    }


def _worth(ahead: dict[int, Forecast], margin: float, discount_rate: float) -> FloatArray:
    """Gross margin of the next 365 days, each stretch between two horizons discounted from its middle."""
    return discounted([(float(days), ahead[days].revenue) for days in HORIZONS], margin, discount_rate)


def discounted(revenue_by: Sequence[tuple[float, FloatArray]], margin: float, discount_rate: float) -> FloatArray:
    """Gross margin, discounted to now, of the revenue that is expected by each of some days ahead, ascending."""
    worth, begin, so_far = np.zeros_like(revenue_by[0][1]), 0.0, np.zeros_like(revenue_by[0][1])
    for days, revenue in revenue_by:
        worth += (revenue - so_far) * math.exp(-math.log1p(discount_rate) * (begin + days) / 2 / 365)
        begin, so_far = days, revenue
    return margin * worth


def _card(past: Past, name: str, fitted: Fitted, found: BackTest | None, passed_over: dict[str, str]) -> dict[str, Any]:
    details = dict(fitted.details)
    own = asdict(Card(name, len(past), int((past.frequency > 0).sum())))
    for known in ("parameters", "standard_errors", "log_likelihood", "dropout_identified", "value_parameters"):
        own[known] = details.pop(known, None)
    own["parameters"] = own["parameters"] or {}
    first = past.day - dt.timedelta(days=int(past.age.max(initial=0)) + 1)
    scores = [e.explained for e in found.of_chosen() if e.explained is not None] if found else []
    return own | {
        "first_day": first.isoformat(),
        "last_day": (past.day - dt.timedelta(days=1)).isoformat(),
        "passed_over": passed_over,
        "details": details,
        "explained": float(np.mean(scores)) if scores and found and found.chosen == name else None,
    }


def _errors(found: BackTest | None, ratios: dict[int, float | None]) -> list[float]:
    """Logarithms of actual ÷ expected totals of the complete windows, as they would have been corrected."""
    if found is not None:
        return [
            -math.log1p(e.revenue_bias) for e in found.of_chosen() if e.revenue_bias is not None and e.revenue_bias > -1
        ]
    latest = ratios.get(1)
    return [math.log(latest)] if latest else []


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


def _limits(name: str, card: dict[str, Any], windows: Windows, with_intervals: bool) -> tuple[str, ...]:
    year = windows.a_year_back
    said = {
        "dropout": card["dropout_identified"] is False,
        "season": year is None or windows.usable(year) < year,
        "short": windows.usable(2) < 2,
        "no_interval": not with_intervals,
        "naive": name in NAIVE,
    }
    return tuple(limit for limit, holds in said.items() if holds)
