"""The shop's past as it stood on a day: what was known of each customer, and what they then did.

Revenue is net: what came back in the same time is taken off, and a customer's purchases are worth the share that they
kept. What is below nothing counts as nothing where a model asks for amounts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from setia.customers.observed.orders import purchase_days
from setia.history.returns import returns_before
from setia.history.scope import Scope
from setia.predictions.models.purchases import LEAST_CUSTOMERS, FloatArray, IndexArray, PurchaseHistory

if TYPE_CHECKING:
    import pyarrow as pa

    from setia.warehouse.snapshot import Snapshot

WINDOW = 90
"""Days of a window, where nobody asks for others."""
YEAR = 364
"""Whole weeks, so that weekdays match."""


@dataclass(frozen=True, eq=False)
class Past:
    """One element per customer who had ordered by then, in the order of `customers`. Money in the shop's currency."""

    day: dt.date
    horizon: int
    customers: pa.ChunkedArray
    frequency: FloatArray
    """Purchase days after the first one."""
    recency: FloatArray
    age: FloatArray
    log_gaps: FloatArray
    """Sum of the natural logarithms of the days between purchases, and of their squares."""
    squared_log_gaps: FloatArray
    repeat_value: FloatArray
    """Mean revenue of a purchase day after the first; 0 without one."""
    mean_value: FloatArray
    """Mean revenue of a purchase day."""
    recent_days: FloatArray
    """Purchase days in as many days before as are predicted."""
    recent_revenue: FloatArray
    next_days: FloatArray
    next_revenue: FloatArray
    next_gap: FloatArray
    """Days from the latest purchase before to the first one that followed; nan where none did."""
    earlier: Callable[[], Past | None] = field(default=lambda: None)
    """The past one horizon before, whose sequel was known on this day; None where there is not enough."""
    traits: Callable[[], pa.Table] | None = None
    """The traits of the same customers, in the same order, as they stood."""
    memory: dict[str, Any] = field(default_factory=dict)
    """What was learned from it, as long as it is held."""

    def __len__(self) -> int:
        return len(self.age)

    @cached_property
    def distinct(self) -> tuple[tuple[FloatArray, FloatArray, FloatArray], IndexArray]:
        """The different histories (frequency, recency, age), and which of them is each customer's."""
        key = (self.frequency * 1e10 + self.recency * 1e5 + self.age).astype(np.int64)
        _, first, group = np.unique(key, return_index=True, return_inverse=True)
        return (self.frequency[first], self.recency[first], self.age[first]), group

    @cached_property
    def history(self) -> PurchaseHistory:
        """The histories, as the purchase models take them."""
        known, group = self.distinct
        return PurchaseHistory.from_customers(*known, np.bincount(group, minlength=len(known[0])).astype(float))


class Windows:
    """The pasts of a shop a horizon apart: 0 is `as_of` itself, 1 one horizon before, and so on.

    With `traits` each past knows its customers' traits: it takes the scope of a day.
    """

    def __init__(
        self, facts: Snapshot, scope: Scope, horizon: int, traits: Callable[[Scope], Any] | None = None
    ) -> None:
        self.facts = facts
        self.scope = scope
        self.horizon = horizon
        self._traits = traits
        self._known: dict[int, Past] = {}

    @property
    def a_year_back(self) -> int | None:
        """How many windows back the same season lies; None where windows do not fit into a year."""
        windows = round(YEAR / self.horizon)
        return windows if windows and abs(windows * self.horizon - YEAR) <= 10 else None

    def past(self, back: int) -> Past:
        """The past so many windows ago."""
        if back not in self._known:
            day = self.scope.as_of - dt.timedelta(days=self.horizon * back)
            self._known[back] = read(
                self.facts, self.scope, day, self.horizon, lambda: self._earlier(back + 1), self._traits
            )
        return self._known[back]

    def usable(self, most: int) -> int:
        """How many windows back there is enough to learn from, one after the other, up to `most`.

        Told from who is known now and since when, without reading any older past.
        """
        known = self.past(0).age
        return next((back - 1 for back in range(1, most + 1) if not _enough(known, self.horizon, back)), most)

    def _earlier(self, back: int) -> Past | None:
        return self.past(back) if _enough(self.past(0).age, self.horizon, back) else None


def _enough(known: FloatArray, horizon: int, back: int) -> bool:
    """Whether anything can be learned from what was known so many windows ago, from the ages of customers now."""
    then = known - horizon * back
    return int((then >= 0).sum()) >= LEAST_CUSTOMERS and float(then.max(initial=0)) >= horizon


def read(
    facts: Snapshot,
    scope: Scope,
    day: dt.date,
    horizon: int,
    earlier: Callable[[], Past | None] = lambda: None,
    traits: Callable[[Scope], Any] | None = None,
) -> Past:
    """Everybody who had ordered by a day. What was known is read from the orders before it alone."""
    then, end = scope.at(day), scope.at(day + dt.timedelta(days=horizon))
    found = facts.arrow(_rows(facts, then, end, horizon).order_by("customer_id"))
    nothing = np.zeros(found.num_rows)

    def column(name: str) -> FloatArray:
        return np.asarray(np.nan_to_num(found[name].to_numpy(zero_copy_only=False).astype(float)), dtype=np.float64)

    first, last, following = (
        found[name].to_numpy(zero_copy_only=False).astype("datetime64[D]") for name in ("first", "last", "next_day")
    )
    days, gross = column("days"), column("revenue")
    returned, recently_returned, next_returned = (
        column(name) if name in found.column_names else nothing for name in _RETURNED
    )
    revenue = np.maximum(gross - returned, 0)
    kept = revenue / np.where(gross > 0, gross, 1.0)
    repeats = np.maximum(days - 1, 0)
    after_the_first = np.maximum(gross - column("first_revenue"), 0) / np.maximum(repeats, 1)
    return Past(
        day=day,
        horizon=horizon,
        customers=found["customer_id"],
        frequency=repeats,
        recency=(last - first).astype(float),
        age=(np.datetime64(then.last_day) - first).astype(float),
        # Summed in the engine in no fixed order: rounded, so that the same customers give the same fit.
        log_gaps=np.round(column("log_gaps"), 9),
        squared_log_gaps=np.round(column("squared_log_gaps"), 9),
        repeat_value=np.where(repeats > 0, kept * after_the_first, 0.0),
        mean_value=revenue / np.maximum(days, 1),
        recent_days=column("recent_days"),
        recent_revenue=np.maximum(column("recent_revenue") - recently_returned, 0),
        next_days=column("next_days"),
        next_revenue=column("next_revenue") - next_returned,
        next_gap=np.where(np.isnat(following), np.nan, (following - last).astype(float)),
        earlier=earlier,
        traits=None if traits is None else cache(lambda: _traits_of(facts, found["customer_id"], traits(then))),
    )


def _rows(facts: Snapshot, then: Scope, end: Scope, horizon: int) -> Any:
    """One row per customer who had ordered by then, with what was known and what followed by the end."""
    import ibis

    day = ibis.literal(then.as_of)
    before: Any = purchase_days(facts, then)
    recent = before.day >= ibis.literal(then.as_of - dt.timedelta(days=horizon))
    log_gap = before.gap.cast("float64").log()
    known = before.group_by("customer_id").aggregate(
        days=before.count(),
        first=before.day.min(),
        last=before.day.max(),
        log_gaps=log_gap.sum(),
        squared_log_gaps=(log_gap * log_gap).sum(),
        revenue=before.revenue.sum().cast("float64"),
        first_revenue=before.revenue.argmin(before.day).cast("float64"),
        recent_days=before.count(where=recent),
        recent_revenue=before.revenue.sum(where=recent).cast("float64"),
    )
    after: Any = purchase_days(facts, end)
    after = after.filter(after.day >= day)
    followed = after.group_by(who=after.customer_id).aggregate(
        next_days=after.count(), next_revenue=after.revenue.sum().cast("float64"), next_day=after.day.min()
    )
    rows = known.left_join(followed, known.customer_id == followed.who)
    return _with_returns(rows, facts, then, end, horizon) if facts.rows("returns") else rows


_RETURNED = ("returned", "recently_returned", "next_returned")


def _with_returns(rows: Any, facts: Snapshot, then: Scope, end: Scope, horizon: int) -> Any:
    """The rows with what came back of each customer: before a day, in the last days before it, and after it."""
    import ibis

    back: Any = returns_before(facts, end)
    day = ibis.literal(then.as_of)
    early, recent = back.day < day, back.day >= ibis.literal(then.as_of - dt.timedelta(days=horizon))
    sums = back.filter(back.customer_id.notnull()).group_by(whose=back.customer_id).aggregate(
        returned=back.amount.sum(where=early).cast("float64"),
        recently_returned=back.amount.sum(where=early & recent).cast("float64"),
        next_returned=back.amount.sum(where=~early).cast("float64"),
    )  # fmt: skip
    return rows.left_join(sums, rows.customer_id == sums.whose).drop("whose")


def _traits_of(facts: Snapshot, customers: pa.ChunkedArray, rows: Any) -> pa.Table:
    """The rows of a table of traits that belong to these customers, in their order."""
    import pyarrow.compute as pc

    found = facts.arrow(rows)
    where = pc.index_in(customers, value_set=found["customer_id"].combine_chunks())
    return found.take(where)
