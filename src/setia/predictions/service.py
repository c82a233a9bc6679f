"""The predictions of one shop: replayed, chosen, kept, held against what came."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from setia.customers.rhythm import shop_gap_days
from setia.customers.traits import observed
from setia.history.scope import Scope
from setia.kernel.progress import Progress
from setia.predictions import keeping
from setia.predictions.backtest import DATES, BackTest, TooLittleHistory, backtest
from setia.predictions.boosted import Boosted, boosted
from setia.predictions.drift import Drift, drift
from setia.predictions.learned import TooLittleToLearn
from setia.predictions.outlook import FALLBACKS, WINDOW, Card, Outlook, outlook
from setia.predictions.past import Past, Windows
from setia.predictions.products.interactions import NothingSold
from setia.predictions.products.recommend import Recommender
from setia.predictions.products.rhythm import subscription_candidates
from setia.predictions.products.shelf import first, refills, subscribing
from setia.predictions.reasons import reasons
from setia.predictions.subscribers import subscriber_risks
from setia.settings import PredictionSettings
from setia.store.database import Store

if TYPE_CHECKING:
    import pyarrow as pa

    from setia.warehouse.reader import Reader
    from setia.warehouse.snapshot import Snapshot

Clock = Callable[[], dt.datetime]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which candidates to try, in their order, and what to correct totals for."""

    ranking: tuple[str, ...]
    correction: str = "none"
    found: BackTest | None = None
    """The back-test that it rests on; None where the shop chose, or there is too little to choose by."""


def choose(
    store: Store, facts: Snapshot, scope: Scope, settings: PredictionSettings, now: dt.datetime, progress: Progress
) -> Choice:
    """What the shop has set, or what did best in the back-test: the kept one while it is young, or a new one."""
    if settings.model != "auto":
        return Choice((settings.model,))
    kept = keeping.kept_backtest(store, WINDOW, scope.as_of)
    if kept is None or (scope.as_of - kept.as_of).days >= settings.backtest_every_days:
        try:
            kept = replay(facts, scope, progress=progress)
        except TooLittleHistory:
            return Choice(FALLBACKS)
        keeping.keep_backtest(store, now, kept)
    return Choice(kept.ranking, kept.correction, kept)


def replay(
    facts: Snapshot, scope: Scope, horizon_days: int = WINDOW, dates: int = DATES, progress: Progress | None = None
) -> BackTest:
    """The back-test with learned models that see all traits as they stood. Raises TooLittleHistory."""
    return backtest(facts, scope, horizon_days, dates, traits=lambda then: _traits(facts, then), progress=progress)


@dataclass(frozen=True, eq=False)
class Foreseen:
    """What a refresh adds to what is known of customers."""

    card: Card
    columns: list[pa.Table]
    """Each with one row per customer it knows of: `customer_id` and predicted traits."""
    recommendations: pa.Table | None
    """As `Recommender.for_customers` has them; None where nothing was looked for or nothing is sold."""


def foresee(facts: Snapshot, scope: Scope, choice: Choice, settings: PredictionSettings, known: Any) -> Foreseen:
    """What is expected of everybody; `known` is the table of traits as of `scope.as_of`, made already."""

    def traits(then: Scope) -> Any:
        return known if then.as_of == scope.as_of else _traits(facts, then)

    windows = Windows(facts, scope, WINDOW, traits)
    seen = outlook(
        windows, choice.ranking, choice.correction, float(scope.margin), settings.discount_rate, choice.found
    )
    columns = [seen.table()]
    if settings.reasons and len(windows.past(0)):
        columns.append(_reasons(windows.past(0), seen))
    if facts.rows("subscriptions"):
        columns.append(subscriber_risks(facts, scope, settings.discount_rate).table)
    recommended = None
    if settings.products and facts.rows("order_lines"):
        recommended = _recommended(facts, scope)
        columns.append(subscribing(subscription_candidates(facts, scope, settings.subscription_discount)))
    if recommended is not None:
        columns += [first(recommended), refills(recommended, scope.as_of)]
    return Foreseen(seen.card, columns, recommended)


def _reasons(past: Past, seen: Outlook) -> pa.Table:
    """The customers' weightiest reasons to be at risk, by the learned model, be it the chosen one or not."""
    import pyarrow as pa

    model: Boosted | None
    try:
        model = seen.fitted if isinstance(seen.fitted, Boosted) else boosted(past)
    except TooLittleToLearn:
        model = None
    assert past.traits is not None
    told = reasons(model, past.traits())
    names = ("risk_reason", *(f"risk_reason_{n}" for n in range(2, len(told) + 1)))
    columns = {name: pa.array(column, pa.string()) for name, column in zip(names, told, strict=True)}
    return pa.table({"customer_id": past.customers, **columns})


def _recommended(facts: Snapshot, scope: Scope) -> pa.Table | None:
    try:
        return Recommender().fit(facts, scope).for_customers()
    except NothingSold:
        return None


def _traits(facts: Snapshot, then: Scope) -> Any:
    return observed(facts, then, facts.remembered(("shop_gap_days", then.as_of), lambda: shop_gap_days(facts, then)))


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
            found = replay(facts, self._scope(facts, as_of), days, dates, self._progress)
        keeping.keep_backtest(self._store, self._clock(), found)
        return found

    def last_backtest(self, *, days: int = WINDOW) -> BackTest | None:
        """The newest back-test that was kept; None before the first one."""
        return keeping.kept_backtest(self._store, days, dt.date.max)

    def cards(self) -> list[tuple[dt.date, dict[str, Any]]]:
        """The model cards of refreshes, newest first, each with the day it is as of."""
        return keeping.kept_cards(self._store, dt.date.max)

    def drift(self, *, as_of: dt.date | None = None) -> list[Drift]:
        """What became of earlier predictions, newest first: those of the last refresh, and of one 90 days ago."""
        with self._reading() as facts:
            return drifts(self._store, facts, self._scope(facts, as_of))

    def value(
        self, until: dt.date, *, margin: float | None = None, discount_rate: float | None = None,
        as_of: dt.date | None = None,
    ) -> pa.Table:  # fmt: skip
        """What every customer is worth until a day: `customer_id`, `expected_orders`, `expected_revenue` (net of what
        comes back) and `value`, gross margin discounted to `as_of`.

        Margin and discount rate (a year) are the shop's unless given; the model is that of the last refresh's choice.
        Raises BadHorizon.
        """
        from setia.predictions.horizon import value_until

        with self._reading() as facts:
            scope = self._scope(facts, as_of)
            choice = choose(self._store, facts, scope, self._settings, self._clock(), self._progress)
            rate = self._settings.discount_rate if discount_rate is None else discount_rate
            known = Windows(facts, scope, WINDOW, lambda then: _traits(facts, then))
            return value_until(known, choice.ranking, until, float(scope.margin) if margin is None else margin, rate)


def drifts(store: Store, facts: Snapshot, scope: Scope) -> list[Drift]:
    """The newest prediction old enough to say something, and the newest that had a whole window to come true."""
    found: list[Drift] = []
    for least in (0, WINDOW):
        for made, card in keeping.kept_cards(store, scope.as_of):
            if (scope.as_of - made).days >= least and (held := drift(facts, scope, made, card)) is not None:
                if held not in found:
                    found.append(held)
                break
    return found
