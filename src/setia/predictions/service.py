"""The predictions of one shop, asked by name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from setia.history.scope import Scope
from setia.kernel.progress import Progress
from setia.predictions import keeping
from setia.predictions.backtest import DATES, BackTest, replayed
from setia.predictions.drift import Drift
from setia.predictions.drivers.drivers import Drivers, drivers
from setia.predictions.foreseeing import choose, drifts, windows_of
from setia.predictions.horizon import value_until
from setia.predictions.past import WINDOW
from setia.predictions.products.complements import complements
from setia.predictions.products.judge import Judgement, judge
from setia.predictions.products.recommend import Recommender
from setia.predictions.products.rhythm import subscription_candidates
from setia.predictions.products.rules import Rules
from setia.predictions.subscribers import RiskCheck, SubscriberRisks, subscriber_risks
from setia.predictions.subscribers import judge as judge_risks
from setia.settings import PredictionSettings
from setia.store.database import Store

if TYPE_CHECKING:
    import pyarrow as pa

    from setia.warehouse.reader import Reader

Clock = Callable[[], dt.datetime]


class Predictions:
    """Back-test, cards and drift of one shop, and what is expected of its customers."""

    def __init__(
        self,
        reading: Callable[[], AbstractContextManager[Reader]],
        scope: Callable[[Any, dt.date | None], Scope],
        store: Store,
        settings: PredictionSettings,
        clock: Clock,
        progress: Progress,
    ) -> None:
        self._reading = reading
        self._scope = scope
        self._store = store
        self._settings = settings
        self._clock = clock
        self._progress = progress

    def backtest(self, *, days: int = WINDOW, dates: int = DATES, as_of: dt.date | None = None) -> BackTest:
        """Replay the shop's past: what every candidate would have predicted from `dates` past days, and what came.

        It is kept, and the next refresh goes by it where it is over 90 days. Raises TooLittleHistory.
        """
        with self._reading() as facts:
            found = replayed(windows_of(facts, self._scope(facts, as_of), days), dates, progress=self._progress)
        keeping.keep_backtest(self._store, self._clock(), found)
        return found

    def last_backtest(self, *, days: int = WINDOW, as_of: dt.date | None = None) -> BackTest | None:
        """The newest back-test that was kept, as of a day or before it; None before the first one."""
        return keeping.kept_backtest(self._store, days, as_of or dt.date.max)

    def card(self) -> tuple[dt.date, dict[str, Any]] | None:
        """The model card of the last refresh, and the day it is as of; None before the first one."""
        return keeping.newest_card(self._store)

    def cards(self) -> list[tuple[dt.date, dict[str, Any]]]:
        """The model cards of refreshes, newest first, each with the day it is as of."""
        return keeping.kept_cards(self._store, dt.date.max)

    def drift(self, *, as_of: dt.date | None = None) -> list[Drift]:
        """What became of earlier predictions, newest first: those of the last refresh, and of one 90 days ago."""
        with self._reading() as facts:
            return drifts(self._store, facts, self._scope(facts, as_of))

    def drivers(self, *, window_days: int = 7, horizon_days: int = 90, as_of: dt.date | None = None) -> Drivers:
        """What goes with staying: what customers did and met with in their first days, adjusted for the rest.

        Raises TooLittleToCompare.
        """
        with self._reading() as facts:
            return drivers(facts, self._scope(facts, as_of), window_days=window_days, horizon_days=horizon_days)

    def subscribers(self, *, as_of: dt.date | None = None) -> SubscriberRisks:
        """The chance that each running subscription ends, and the payments still to expect."""
        with self._reading() as facts:
            return subscriber_risks(facts, self._scope(facts, as_of), self._settings.discount_rate)

    def judge_subscribers(self, *, days: int = 90, as_of: dt.date | None = None) -> RiskCheck:
        """How such chances, told so many days ago, came true."""
        with self._reading() as facts:
            return judge_risks(facts, self._scope(facts, as_of), days)

    def recommender(self, rules: Rules | None = None, *, as_of: dt.date | None = None) -> Recommender:
        """Products for customers, for a cart, and what goes together, under rules of your own. Raises NothingSold."""
        with self._reading() as facts:
            return Recommender(rules).fit(facts, self._scope(facts, as_of))

    def judge_recommendations(self, *, days: int = 30, as_of: dt.date | None = None) -> Judgement:
        """How recommendations made so many days ago would have done, beside plain popularity and item-item.

        Raises NothingSold, NobodyToJudge.
        """
        with self._reading() as facts:
            return judge(facts, self._scope(facts, as_of), days)

    def subscription_candidates(self, discount: float | None = None, *, as_of: dt.date | None = None) -> pa.Table:
        """Who buys the same product so regularly that they might subscribe to it; the discount is the settings' own
        unless given. Raises BadDiscount."""
        with self._reading() as facts:
            share = self._settings.subscription_discount if discount is None else discount
            return subscription_candidates(facts, self._scope(facts, as_of), share)

    def complements(self, *, as_of: dt.date | None = None) -> pa.Table:
        """Pairs of products: what owners of the first then buy again and again."""
        with self._reading() as facts:
            return complements(facts, self._scope(facts, as_of))

    def value(
        self, until: dt.date, *, margin: float | None = None, discount_rate: float | None = None,
        as_of: dt.date | None = None,
    ) -> pa.Table:  # fmt: skip
        """What every customer is worth until a day: `customer_id`, `expected_orders`, `expected_revenue` (net of what
        comes back) and `value`, gross margin discounted to `as_of`.

        Margin and discount rate (a year) are the shop's unless given; the model is that of the last refresh's choice.
        Raises BadHorizon.
        """
        with self._reading() as facts:
            scope = self._scope(facts, as_of)
            windows = windows_of(facts, scope)
            choice = choose(self._store, windows, self._settings, self._clock(), self._progress)
            rate = self._settings.discount_rate if discount_rate is None else discount_rate
            own = float(scope.margin) if margin is None else margin
            return value_until(windows, choice.ranking, until, own, rate, choice.correction)
