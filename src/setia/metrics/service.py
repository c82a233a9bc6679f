"""The metrics of one shop, asked by name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from setia.metrics import buying, keeping
from setia.metrics.answer import Answer, Scope

if TYPE_CHECKING:
    from setia.warehouse.reader import Reader

Open = Callable[[], AbstractContextManager["Reader"]]
MakeScope = Callable[["Reader", dt.date | None], Scope]


class Metrics:
    """Each method answers one metric as of a shop-local day (by default the day after the last recorded one)."""

    def __init__(self, reading: Open, scope: MakeScope) -> None:
        self._reading = reading
        self._scope = scope

    def retention(self, *, as_of: dt.date | None = None, period_days: int = 90, periods: int = 8) -> Answer:
        """See `metrics.keeping.retention`; churn stands beside it."""
        with self._reading() as reader:
            return keeping.retention(reader, self._scope(reader, as_of), period_days=period_days, periods=periods)

    def cohorts(self, *, as_of: dt.date | None = None, most_cohorts: int = 24) -> Answer:
        """See `metrics.keeping.cohorts`."""
        with self._reading() as reader:
            return keeping.cohorts(reader, self._scope(reader, as_of), most_cohorts=most_cohorts)

    def repeat_purchase(self, *, as_of: dt.date | None = None, window_days: int = 365) -> Answer:
        """See `metrics.buying.repeat_purchase`."""
        with self._reading() as reader:
            return buying.repeat_purchase(reader, self._scope(reader, as_of), window_days=window_days)

    def order_value(self, *, as_of: dt.date | None = None, months: int = 24) -> Answer:
        """See `metrics.buying.order_value`."""
        with self._reading() as reader:
            return buying.order_value(reader, self._scope(reader, as_of), months=months)

    def time_between_purchases(self, *, as_of: dt.date | None = None, gap: str = "all") -> Answer:
        """See `metrics.buying.time_between_purchases`."""
        with self._reading() as reader:
            return buying.time_between_purchases(reader, self._scope(reader, as_of), gap=gap)

    def all(self, *, as_of: dt.date | None = None) -> list[Answer]:
        """Every metric with its defaults, from one snapshot."""
        with self._reading() as reader:
            scope = self._scope(reader, as_of)
            return [
                keeping.retention(reader, scope),
                buying.repeat_purchase(reader, scope),
                buying.order_value(reader, scope),
                keeping.cohorts(reader, scope),
                buying.time_between_purchases(reader, scope),
            ]
