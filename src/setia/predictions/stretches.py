"""What was known of each subscriber on days that lie 30 days apart, and who paid on them.

Time is cut into stretches of `DAYS` days that end on `as_of`: stretch 0 are the last 30 days, 1 the 30 before them.
Landmark k is the day on which stretch k has just ended; everything that is known on it lies in stretches k and older.
So every fact belongs to one stretch, and is counted once, by customer and stretch, for all landmarks together.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from setia.customers.observed.doings import PAYMENT_FAILED
from setia.history.exchange import in_own_currency
from setia.history.running import paid_rows
from setia.history.sales import days_old
from setia.history.scope import Scope
from setia.metrics.voice import RECOMMENDATION, SATISFACTION
from setia.predictions.models.purchases import FloatArray, IndexArray
from setia.warehouse.snapshot import listed

if TYPE_CHECKING:
    import pyarrow as pa

    from setia.warehouse.snapshot import Snapshot

DAYS = 30
LANDMARKS = 24
"""Of about two years; what subscribers did before them is another time's."""
ANSWER_HOLDS = 12
KNOWN = LANDMARKS + ANSWER_HOLDS + 1
"""Stretches that are looked at."""
Moments = NDArray[np.datetime64]
Flags = NDArray[np.bool_]
COVARIATES = (
    "log_price", "log_term_months", "renewal_due", "asked_to_end", "asked_to_end_later", "subscribed_before",
    "payment_failures_30d", "payment_failures_90d", "cases_30d", "cases_90d", "last_score",
    "visit_days_30d", "visit_days_30d_before", "orders_30d", "orders_90d",
)  # fmt: skip
"""What is known of a subscriber on a landmark. Whether a renewal is due in the 30 days after it is known too, so that
those who have asked to end can end then, or only later; `last_score` is an answer of the last year, 0 the worst and 1
the best; counts enter as the logarithm of one more than they are."""


@dataclass(frozen=True, eq=False)
class Payers:
    """Those who pay on a landmark: one element each, in order of customer."""

    landmark: int
    who: IndexArray
    monthly: FloatArray
    """What all their subscriptions cost a month at the rates of the last day; nan without a rate."""
    months: FloatArray
    """Length of the term of the largest; 0 where it is counted in weeks."""
    weeks: FloatArray
    anchor: Moments
    """When the largest one's terms of that length began; a change of price alone begins none anew."""
    since: Moments
    """When the largest one began."""
    asked: Flags
    """Whether they have asked to end it."""
    before: Flags
    """Whether they paid for another one before."""

    def where(self, chosen: Flags) -> Payers:
        """Some of them."""
        return Payers(self.landmark, **{name: each[chosen] for name, each in vars(self).items() if name != "landmark"})

    @property
    def term(self) -> FloatArray:
        """Months that one payment is for; 52 weeks are 12."""
        return self.months + self.weeks * 12 / 52


class Stretches:
    """The subscribers of a shop, stretch by stretch. Ids in `customers` are in order."""

    def __init__(self, facts: Snapshot, scope: Scope) -> None:
        self.scope = scope
        self.opens = cache(self._opens)
        self.pays = cache(self._pays)
        found = facts.arrow(_prices(facts, scope))
        ids = np.unique(_texts(found, "customer_id"), return_inverse=True)
        self.customers: NDArray[Any] = ids[0]
        self._who: IndexArray = ids[1]
        self._monthly, self._months, self._weeks = _floats(found, "monthly", "months", "weeks")
        self._from, self._ended, self._asked = _moments(found, "paid_from", "ended_at", "asked_at")
        subscription = np.unique(_texts(found, "subscription_id"), return_inverse=True)[1]
        self._since = _earliest(subscription, self._from)
        terms = np.column_stack([subscription, self._months, self._weeks])
        self._anchor = _earliest(np.unique(terms, axis=0, return_inverse=True)[1].reshape(-1), self._from)
        self._first = _earliest(self._who, self._from)
        self._counts = _counted(facts, scope, self.customers)
        self._scores = _held(_scores(facts, scope, self.customers))

    def payers(self, landmark: int) -> Payers:
        """Those who pay on a landmark."""
        rows = np.flatnonzero(self._run(landmark))
        # Prices come with the smallest of a customer first: the last of those that run is the largest.
        who, back = np.unique(self._who[rows][::-1], return_index=True)
        largest = rows[::-1][back]
        total = np.bincount(self._who[rows], weights=self._monthly[rows], minlength=len(self.customers))
        monthly: FloatArray = np.asarray(total[who], dtype=np.float64)
        return Payers(
            landmark=landmark,
            who=who,
            monthly=monthly,
            months=self._months[largest],
            weeks=self._weeks[largest],
            anchor=self._anchor[largest],
            since=self._since[largest],
            asked=np.asarray(self._asked[largest] < self.opens(landmark)),
            before=np.asarray(self._first[largest] < self._since[largest]),
        )

    def period(self, payers: Payers, landmark: int) -> FloatArray:
        """The month of their subscription, of 30 days and counted from 1, that they are in on a landmark."""
        days = (self.opens(landmark) - payers.since) // np.timedelta64(1, "D")
        return np.asarray(days // DAYS + 1, dtype=np.float64)

    def covariates(self, payers: Payers, landmark: int) -> FloatArray:
        """What is known of them on their landmark, for the stretch that begins on another: what they did is as it was,
        and whether a renewal is due in it is known beforehand."""
        k = payers.landmark
        counted = {name: matrix[payers.who] for name, matrix in self._counts.items()}

        def of(name: str, *stretches: int) -> FloatArray:
            return np.log1p(sum(counted[name][:, k + each] for each in stretches))

        due = self.renewals(payers, landmark) > 0
        known = {
            "log_price": np.log(payers.monthly),
            "log_term_months": np.log(payers.term),
            "renewal_due": due,
            "asked_to_end": payers.asked & due,
            "asked_to_end_later": payers.asked & ~due,
            "subscribed_before": payers.before,
            "payment_failures_30d": of("failures", 0),
            "payment_failures_90d": of("failures", 0, 1, 2),
            "cases_30d": of("cases", 0),
            "cases_90d": of("cases", 0, 1, 2),
            "last_score": self._scores[payers.who, k],
            "visit_days_30d": of("visits", 0),
            "visit_days_30d_before": of("visits", 1),
            "orders_30d": of("orders", 0),
            "orders_90d": of("orders", 0, 1, 2),
        }
        return np.column_stack([known[name] for name in COVARIATES])

    def renewals(self, payers: Payers, landmark: int, days: int = DAYS) -> FloatArray:
        """How many terms end in the days that begin on a landmark, of the largest one that runs."""
        begins = self.opens(landmark)
        ends = self._midnight(self.scope.as_of + dt.timedelta(days=days - DAYS * landmark))
        return _terms(payers, ends) - _terms(payers, begins)

    def _pays(self, landmark: int) -> Flags:
        """Of each customer, whether they pay on a landmark."""
        found = np.zeros(len(self.customers), dtype=bool)
        found[self._who[self._run(landmark)]] = True
        return found

    def _run(self, landmark: int) -> Flags:
        at = self.opens(landmark)
        return np.asarray((self._from < at) & ~(self._ended < at))

    def _opens(self, landmark: int) -> np.datetime64:
        return self._midnight(self.scope.as_of - dt.timedelta(days=DAYS * landmark))

    def _midnight(self, day: dt.date) -> np.datetime64:
        return np.datetime64(self.scope.midnight(day).replace(tzinfo=None), "us")


def _terms(payers: Payers, before: np.datetime64) -> FloatArray:
    """Whole terms that were over before a moment: a month ends on the same day of the next one, or on its last."""
    begun = payers.anchor.astype("M8[D]")
    # Both moved by the time of day of the beginning, so that days alone are left to compare.
    day = (before - np.timedelta64(1, "us") - (payers.anchor - begun)).astype("M8[D]")
    of_month, month = day - day.astype("M8[M]").astype("M8[D]"), day.astype("M8[M]")
    length = (month + 1).astype("M8[D]") - month.astype("M8[D]")
    due = np.minimum(begun - begun.astype("M8[M]").astype("M8[D]"), length - np.timedelta64(1, "D"))
    months = (month - begun.astype("M8[M]")).astype(np.int64) - (of_month < due)
    weeks = (day - begun).astype(np.int64) // 7
    counted, length_of_term = np.where(payers.weeks > 0, (weeks, payers.weeks), (months, payers.months))
    return np.asarray(np.floor(counted / length_of_term), dtype=np.float64)


def paying(facts: Snapshot, scope: Scope) -> NDArray[Any]:
    """Ids of all who pay for a subscription when `as_of` begins."""
    rows = _paid(facts, scope)
    rows = rows.filter(rows.ended_at.isnull() | (rows.ended_at >= _moment(scope)))
    return _texts(facts.arrow(rows.select("customer_id").distinct()), "customer_id")


def _paid(facts: Snapshot, scope: Scope) -> Any:
    """Subscriptions as they ran, but for free ones, which are no payment."""
    rows: Any = paid_rows(facts, scope)
    return rows.filter((rows.monthly > 0).fill_null(True))


def _moment(scope: Scope) -> Any:
    import ibis

    return ibis.literal(scope.until, type="timestamp('UTC')")


def _prices(facts: Snapshot, scope: Scope) -> Any:
    """One row per subscription and price that was paid before `as_of`, of each customer the smallest first."""
    import ibis

    paid = _paid(facts, scope).mutate(day=ibis.literal(scope.last_day))
    paid = in_own_currency(facts, scope, paid, "monthly")
    told: Any = facts.table("subscriptions")
    trial = (told.trial_ends_at > told.started_at).fill_null(False)
    told = told.mutate(begun=trial.ifelse(told.trial_ends_at, told.started_at))
    terms = told.group_by(number=told.subscription_id, begun=told.begun).aggregate(
        weeks=told.period_weeks.max(where=told.period_weeks > 0),
        months=told.period_months.max(where=told.period_months > 0),
        asked_at=told.cancelled_at.max(where=told.cancelled_at < _moment(scope)),
    )
    rows = paid.left_join(terms, [paid.subscription_id == terms.number, paid.paid_from == terms.begun])
    weekly = rows.weeks.notnull()
    rows = rows.select(
        "customer_id",
        "subscription_id",
        "paid_from",
        "ended_at",
        "asked_at",
        monthly=rows.monthly.cast("float64"),
        weeks=rows.weeks.fill_null(0).cast("float64"),
        months=weekly.ifelse(0, rows.months.fill_null(1)).cast("float64"),
    )
    return rows.order_by("customer_id", rows.monthly.fill_null(-1.0), "subscription_id", "paid_from")


def _counted(facts: Snapshot, scope: Scope, customers: NDArray[Any]) -> dict[str, FloatArray]:
    """How often each customer did a thing in each stretch."""
    # What they did under their own name: whose device it was may have come out only later.
    events: Any = facts.table("events")
    orders: Any = facts.table("orders")
    failed = events.name == PAYMENT_FAILED
    # An order that was cancelled afterwards had been placed all the same.
    own = orders.is_test.fill_null(False) | orders.is_staff.fill_null(False) | orders.is_adjustment.fill_null(False)
    told: dict[str, Any] = {
        "visits": events.filter(~failed).select("customer_id", "day").distinct(),
        "failures": events.filter(failed),
        "cases": facts.table("cases"),
        "orders": orders.filter(~own),
    }
    return {name: _matrix(facts, scope, each, customers) for name, each in told.items()}


def _matrix(facts: Snapshot, scope: Scope, rows: Any, customers: NDArray[Any]) -> FloatArray:
    """Rows by customer and stretch; nan for stretches that are not wholly on record: no row is older."""
    rows = rows.filter(rows.customer_id.notnull(), rows.day < scope.as_of)
    (begins,) = listed(facts, rows.aggregate(day=rows.day.min()))
    rows = _in_stretches(facts, scope, rows)
    found = facts.arrow(rows.group_by("customer_id", "stretch").aggregate(count=rows.count()))
    counts = np.zeros((len(customers), KNOWN))
    counts[_places(found, customers)] = _floats(found, "count")[0]
    whole = (scope.as_of - begins["day"]).days // DAYS if begins["day"] is not None else 0
    counts[:, whole:] = np.nan
    return counts


def _in_stretches(facts: Snapshot, scope: Scope, rows: Any) -> Any:
    """The rows of subscribers with the stretch that each belongs to."""
    age = days_old(scope, rows.day)
    rows = rows.mutate(stretch=(age / DAYS).floor().cast("int64"))
    subscribers = _paid(facts, scope).select("customer_id").distinct()
    return rows.filter(rows.stretch < KNOWN).semi_join(subscribers, "customer_id")


def _places(found: pa.Table, customers: NDArray[Any]) -> tuple[IndexArray, IndexArray]:
    """Row and column of each customer and stretch."""
    return np.searchsorted(customers, _texts(found, "customer_id")), _floats(found, "stretch")[0].astype(np.intp)


def _scores(facts: Snapshot, scope: Scope, customers: NDArray[Any]) -> FloatArray:
    """The latest answer of each customer in each stretch, from 0, the worst possible, to 1; nan without."""
    import ibis

    parts = []
    for survey in (RECOMMENDATION, SATISFACTION):
        given = survey.valid(facts, scope)
        given = given.filter(given.customer_id.notnull(), given.out_of > survey.lowest)
        share = (given.score - survey.lowest).cast("float64") / (given.out_of - survey.lowest).cast("float64")
        parts.append(given.select("customer_id", "day", "answered_at", "answer_id", share=share))
    rows = _in_stretches(facts, scope, parts[0].union(parts[1]))
    said = ibis.struct({"at": rows.answered_at, "id": rows.answer_id, "share": rows.share})
    latest = rows.group_by("customer_id", "stretch").aggregate(last=said.max())
    found = facts.arrow(latest.select("customer_id", "stretch", share=latest.last["share"]))
    scores = np.full((len(customers), KNOWN), np.nan)
    scores[_places(found, customers)] = _floats(found, "share")[0]
    return scores


def _held(scores: FloatArray) -> FloatArray:
    """At each landmark the latest score of the `ANSWER_HOLDS` stretches before it."""
    held = scores.copy()
    for older in range(1, ANSWER_HOLDS):
        held[:, : KNOWN - older] = np.where(
            np.isnan(held[:, : KNOWN - older]), scores[:, older:], held[:, : KNOWN - older]
        )
    return held


def _earliest(group: IndexArray, moments: Moments) -> Moments:
    """The first moment of the group that each belongs to."""
    first = np.full(len(group), np.datetime64("9999-01-01", "us"))
    np.minimum.at(first, group, moments)
    return np.asarray(first[group])


def _texts(found: pa.Table, name: str) -> NDArray[Any]:
    return np.array(found[name].to_pylist(), dtype=object)


def _floats(found: pa.Table, *names: str) -> list[FloatArray]:
    return [np.asarray(found[name].to_numpy(zero_copy_only=False), dtype=np.float64) for name in names]


def _moments(found: pa.Table, *names: str) -> list[Moments]:
    return [np.asarray(found[name].to_numpy(zero_copy_only=False), dtype="M8[us]") for name in names]
