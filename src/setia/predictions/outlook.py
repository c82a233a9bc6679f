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
from setia.predictions.candidates import CANDIDATES, LEARNED, NAIVE
from setia.predictions.correcting import Spread, factors, ratio
from setia.predictions.forecast import Fitted, Forecast
from setia.predictions.models.purchases import FloatArray, TooFewCustomers
from setia.predictions.past import Past, Windows, read

if TYPE_CHECKING:
    import pyarrow as pa

HORIZONS = (30, 60, 90, 365)
"""Days ahead for which the card keeps what is expected of everybody together."""
WINDOW = 90
FALLBACKS = ("mbg_nbd", "bg_nbd")
NUMBERS = (
    "chance_active", "chance_of_order_30d", "chance_of_order_60d", "chance_of_order_90d",
    "expected_orders_90d", "expected_orders_90d_from", "expected_orders_90d_to",
    "expected_orders_365d", "expected_orders_365d_from", "expected_orders_365d_to", "expected_order_value",
    "expected_value_90d", "expected_value_90d_from", "expected_value_90d_to",
    "expected_value_365d", "expected_value_365d_from", "expected_value_365d_to", "customer_value_365d",
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
    """What to keep in mind: `dropout`, `season`, `short`, `no_interval`, `no_year_interval`, `naive`."""


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
    ratios, before = _complete(windows, name, correction)
    factor = factors(ratios, 0, windows.a_year_back).get(correction, 1.0)
    ahead = _corrected(ahead, factor)
    active, active_by = _active(past, name, fitted, ranking)
    numbers = _numbers(ahead, active)
    numbers["customer_value_365d"] = _worth(ahead, margin, discount_rate)
    if before is not None:
        numbers |= _intervals(*before, ahead[WINDOW], "90d")
    numbers |= _year(windows, name, ahead[365])
    days: dict[str, Any] = {}
    with suppress(TooFewCustomers):
        days = next_order.next_orders(past)
    card = _card(past, name, fitted, found, passed_over)
    errors = _errors(found, ratios)
    told = replace(
        card,
        active_by=active_by,
        correction=correction if factor != 1 else "none",
        factor=factor,
        totals=tuple(
            {"days": d, "orders": float(f.days.sum()), "revenue": float(f.revenue.sum())} for d, f in ahead.items()
        ),
        error=_relative_error(errors),
        windows=USUAL_WINDOWS + len(errors),
        coverage=_coverage(windows, found),
        limits=_limits(card, windows, before is not None, "expected_value_365d_to" in numbers),
    )
    return Outlook(past.customers, numbers, days, told, fitted)


def _corrected(ahead: dict[int, Forecast], factor: float) -> dict[int, Forecast]:
    """Level and season are those of the next window; what comes after it stays as it was expected."""
    found = {days: forecast.times(factor) for days, forecast in ahead.items() if days <= WINDOW}
    before, after = ahead[WINDOW], found[WINDOW]
    for days, forecast in ahead.items():
        if days > WINDOW:
            found[days] = Forecast(
                forecast.days + after.days - before.days,
                forecast.revenue + after.revenue - before.revenue,
                np.maximum(forecast.chance, after.chance),
            )
    return found


def _refused(card: Card, problems: dict[str, str]) -> Card:
    return Card(card.model, card.customers, card.repeat_customers, reason=problems[FALLBACKS[0]])


def _complete(
    windows: Windows, name: str, correction: str
) -> tuple[dict[int, float | None], tuple[Forecast, Past] | None]:
    """Actual ÷ expected of the complete windows that correct today's totals and those of the newest complete window;
    and the newest, with its forecast as it would have been corrected."""
    year = windows.a_year_back or 0
    wanted = {"none": [1], "level": [1, 2], "season": [1, year, year + 1], "both": [1, 2, year, year + 1, year + 2]}
    usable = windows.usable(max(wanted[correction]))
    ratios: dict[int, float | None] = {}
    before = None
    for back in wanted[correction]:
        if not 0 < back <= usable:
            continue
        past = windows.past(back)
        try:
            forecast = CANDIDATES[name][1](past).ahead(float(past.horizon))
        except FAILURES:
            continue
        ratios[back] = ratio(past, forecast)
        if back == 1:
            before = forecast, past
    if before is None:
        return ratios, None
    factor = factors(ratios, 1, windows.a_year_back).get(correction, 1.0)
    return ratios, (before[0].times(factor), before[1])


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


def _card(past: Past, name: str, fitted: Fitted, found: BackTest | None, passed_over: dict[str, str]) -> Card:
    """What the fit itself has to tell."""
    details = dict(fitted.details)
    told = {key: details.pop(key, None) for key in _OF_FITS}
    first = past.day - dt.timedelta(days=int(past.age.max(initial=0)) + 1)
    scores = [e.explained for e in found.of_chosen() if e.explained is not None] if found else []
    return Card(
        name,
        len(past),
        int((past.frequency > 0).sum()),
        **{**told, "parameters": told["parameters"] or {}},
        first_day=first.isoformat(),
        last_day=(past.day - dt.timedelta(days=1)).isoformat(),
        explained=float(np.mean(scores)) if scores and found and found.chosen == name else None,
        passed_over=passed_over,
        details=details,
    )


_OF_FITS = ("parameters", "standard_errors", "log_likelihood", "dropout_identified", "value_parameters")


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
