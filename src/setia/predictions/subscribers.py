"""What each running subscription will bring: the chance that it ends, how long it goes on, what is still to be paid.

Whoever pays when a stretch of 30 days begins has one row for it: the month of their subscription, what was known of
them on that day and nothing later, and whether they pay for no subscription any more when it ends. The hazard is fitted
to the stretches of two years, for each of the next stretches apart, since what is known today says ever less of what
lies further ahead (landmarks: van Houwelingen 2007, Dynamic Prediction by Landmarking in Event History Analysis,
Scandinavian Journal of Statistics 34, 70-85).

A customer with several subscriptions is one subscriber: they end when none runs any more, as the metric of subscribers
lost counts them; age, term and renewals are those of the largest a month, the price is that of all together.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from setia.history.scope import Scope
from setia.kernel.errors import SetiaError
from setia.predictions.models.hazard import DiscreteTimeHazard, TooFewEnded
from setia.predictions.models.purchases import FloatArray, NoConvergence
from setia.predictions.scoring import Ranking
from setia.predictions.stretches import COVARIATES, DAYS, LANDMARKS, Flags, Payers, Stretches, paying

if TYPE_CHECKING:
    import pyarrow as pa

    from setia.warehouse.snapshot import Snapshot

YEAR = 365
AHEAD = -(-YEAR // DAYS)
LAGS = (0, 1, 2, 5)
"""Stretches ahead that have a hazard of their own; each holds until the next one."""
HORIZON_DAYS = 90
FORECASTS = ("chance_of_ending_30d", "chance_of_ending_90d", "expected_months_365d", "subscriber_value_365d")


class OutOfReach(SetiaError):
    """Subscribers are forecast for 1 to 365 days, at a discount of 0 or more a year; asked for were {days} days at a
    discount of {discount}."""

    code = "predictions.out_of_reach"


@dataclass(frozen=True, eq=False)
class SubscriberRisks:
    """What is to be expected of everybody who pays on a day."""

    table: pa.Table
    """`customer_id`, and of each in order: the chances to pay for no subscription any more after 30 and after 90 days;
    `expected_months_365d`, months of the next 365 days in which they still do, 12 at most; `subscriber_value_365d`, the
    payments to expect in these days, discounted to `as_of`. Null where there is no model."""
    model: DiscreteTimeHazard | None
    """The hazard of the next stretch."""
    subscribers: int
    periods: int
    """Rows of the past that the model rests on: subscribers times stretches."""
    ended: int
    reason: str | None = None
    """Why there is no model."""


@dataclass(frozen=True, slots=True)
class Fifth:
    """A fifth of the subscribers, by their chance."""

    subscribers: int
    forecast: float
    """The mean chance of ending."""
    ended: float
    """The share that did."""


@dataclass(frozen=True, slots=True)
class RiskCheck:
    """The forecast of a past day against what followed, of those who had not asked to end by then."""

    day: dt.date
    horizon_days: int
    subscribers: int = 0
    ended: int = 0
    asked: int = 0
    """Those left out because they had asked to end before the day, which is no forecast."""
    auc: float | None = None
    """How likely one who ended was given a higher chance than one who did not; None where all did the same."""
    brier: float | None = None
    """The mean square of chance less outcome."""
    brier_of_share: float | None = None
    """The same had everybody been given the share that ended."""
    fifths: tuple[Fifth, ...] = ()
    """From the lowest chances to the highest."""
    reason: str | None = None
    """Why there is none."""


def subscriber_risks(facts: Snapshot, scope: Scope, discount: float = 0.1) -> SubscriberRisks:
    """Chances, months and payments to expect of everybody who pays for a subscription on `as_of`.

    `discount` is a year's. Nothing that happened on `as_of` or later changes anything. Raises OutOfReach.
    """
    import pyarrow as pa

    _require_within_reach(YEAR, discount)
    stretches = Stretches(facts, scope)
    payers = stretches.payers(0)
    forecast = _forecast(stretches, payers)
    names = pa.array(stretches.customers[payers.who], pa.string())
    told = (
        dict.fromkeys(FORECASTS, np.full(len(payers.who), np.nan))
        if forecast.staying is None
        else {
            "chance_of_ending_30d": 1 - _at(forecast.staying, 30),
            "chance_of_ending_90d": 1 - _at(forecast.staying, 90),
            "expected_months_365d": _months(forecast.staying),
            "subscriber_value_365d": _payments(stretches, payers, forecast.staying, discount),
        }
    )
    columns = {name: pa.array(values, pa.float64(), from_pandas=True) for name, values in told.items()}
    return SubscriberRisks(
        pa.table({"customer_id": names, **columns}),
        forecast.model,
        len(payers.who),
        forecast.periods,
        forecast.ended,
        forecast.reason,
    )


def judge(facts: Snapshot, scope: Scope, horizon_days: int = HORIZON_DAYS) -> RiskCheck:
    """Hold the forecast that could have been made so many days ago (a year at most) against what has happened since.

    Raises OutOfReach.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    _require_within_reach(horizon_days, 0.0)
    then = scope.at(scope.as_of - dt.timedelta(days=horizon_days))
    stretches = Stretches(facts, then)
    everybody = stretches.payers(0)
    payers = everybody.where(~everybody.asked)
    forecast = _forecast(stretches, payers)
    asked = int(everybody.asked.sum())
    if forecast.staying is None or not len(payers.who):
        return RiskCheck(then.as_of, horizon_days, len(payers.who), asked=asked, reason=forecast.reason)
    still = pc.is_in(pa.array(stretches.customers[payers.who]), value_set=pa.array(paying(facts, scope)))
    ended = ~np.asarray(still.to_numpy(zero_copy_only=False), dtype=bool)
    chance = 1 - _at(forecast.staying, horizon_days)
    share, gini = float(ended.mean()), Ranking(chance, ended.astype(np.float64)).gini
    return RiskCheck(
        then.as_of,
        horizon_days,
        len(ended),
        int(ended.sum()),
        asked,
        None if gini is None else (gini + 1) / 2,
        float(((chance - ended) ** 2).mean()),
        share * (1 - share),
        _fifths(chance, ended),
    )


def _require_within_reach(days: int, discount: float) -> None:
    if not 1 <= days <= YEAR or not 0 <= discount < np.inf:
        raise OutOfReach(days=days, discount=discount)


@dataclass(frozen=True, eq=False)
class _Forecast:
    staying: FloatArray | None
    """Of each payer, the chance to be still there at the end of the next stretches, with certainty first."""
    model: DiscreteTimeHazard | None
    periods: int
    ended: int
    reason: str | None = None


def _forecast(stretches: Stretches, payers: Payers) -> _Forecast:
    rows = _rows(stretches, 0)
    periods, ended = len(rows.over), int(rows.over.sum())
    try:
        models = {0: DiscreteTimeHazard().fit_rows(rows.period, rows.over, rows.x, COVARIATES, when=rows.when)}
    except (TooFewEnded, NoConvergence) as problem:
        return _Forecast(None, None, periods, ended, str(problem))
    for lag in LAGS[1:]:
        rows = _rows(stretches, lag)
        # With the first one's ridge: to choose it anew would cost most of the time and change little.
        later = DiscreteTimeHazard(models[0].ridge_)
        try:
            models[lag] = later.fit_rows(rows.period, rows.over, rows.x, COVARIATES)
        except (TooFewEnded, NoConvergence):
            break
    staying = np.ones((len(payers.who), AHEAD + 1))
    for ahead in range(AHEAD):
        model = models[max(lag for lag in models if lag <= ahead)]
        chance = model.hazard(stretches.period(payers, -ahead), stretches.covariates(payers, -ahead))
        staying[:, ahead + 1] = staying[:, ahead] * (1 - chance)
    return _Forecast(staying, models[0], periods, ended)


@dataclass(frozen=True, eq=False)
class _Rows:
    """One element per subscriber and stretch."""

    x: FloatArray
    period: FloatArray
    over: FloatArray
    """1 where they ended in it."""
    when: FloatArray


def _rows(stretches: Stretches, lag: int) -> _Rows:
    """Those who began each stretch, with what was known of them `lag` stretches before it."""
    found = []
    for landmark in range(LANDMARKS, lag, -1):
        payers, begins = stretches.payers(landmark), landmark - lag
        for between in range(begins, landmark):
            payers = payers.where(stretches.pays(between)[payers.who])
        over = (~stretches.pays(begins - 1)[payers.who]).astype(np.float64)
        x, period = stretches.covariates(payers, begins), stretches.period(payers, begins)
        found.append((x, period, over, np.full(len(over), -float(begins))))
    return _Rows(*(np.concatenate(column) for column in zip(*found, strict=True)))


def _at(staying: FloatArray, days: int) -> FloatArray:
    """The chance to be still there after so many days; within a stretch in equal proportions."""
    whole, rest = divmod(days, DAYS)
    part = rest / DAYS
    return staying[:, whole] if not rest else staying[:, whole] ** (1 - part) * staying[:, whole + 1] ** part


def _months(staying: FloatArray) -> FloatArray:
    """Twelfths of the next year in which they are still there."""
    ends = [_at(staying, min(DAYS * k, YEAR)) for k in range(AHEAD + 1)]
    days = np.diff([min(DAYS * k, YEAR) for k in range(AHEAD + 1)])
    inside = sum((before + after) / 2 * length for before, after, length in zip(ends, ends[1:], days, strict=False))
    return np.asarray(inside * 12 / YEAR)


def _payments(stretches: Stretches, payers: Payers, staying: FloatArray, discount: float) -> FloatArray:
    """What falls due in the next year, of those who are still there when the stretch it falls into is over."""
    total = np.zeros(len(payers.who))
    for ahead in range(AHEAD):
        days = min(DAYS, YEAR - DAYS * ahead)
        due = stretches.renewals(payers, -ahead, days) * payers.monthly * payers.term
        total += due * _at(staying, DAYS * ahead + days) * (1 + discount) ** (-(DAYS * ahead + days / 2) / YEAR)
    return total


def _fifths(chance: FloatArray, ended: Flags) -> tuple[Fifth, ...]:
    order = np.argsort(chance, kind="stable")
    parts = [each for each in np.array_split(order, 5) if len(each)]
    return tuple(Fifth(len(each), float(chance[each].mean()), float(ended[each].mean())) for each in parts)
