"""What a refresh foresees: which candidate, what it expects of everybody, what became of what it expected before."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from setia.customers.rhythm import shop_gap_days
from setia.customers.traits import observed
from setia.history.scope import Scope
from setia.kernel.progress import Progress
from setia.predictions import keeping
from setia.predictions.backtest import BackTest, TooLittleHistory, replayed
from setia.predictions.boosted import Boosted, boosted
from setia.predictions.drift import Drift, drift
from setia.predictions.expecting import FALLBACKS
from setia.predictions.features import READ
from setia.predictions.learned import TooLittleToLearn
from setia.predictions.outlook import Card, outlook
from setia.predictions.past import WINDOW, Past, Windows
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

    from setia.warehouse.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Choice:
    """Which candidates to try, in their order, and what to correct totals for."""

    ranking: tuple[str, ...]
    correction: str = "none"
    found: BackTest | None = None
    """The back-test that it rests on; None where the shop chose, or there is too little to choose by."""


def choose(
    store: Store, windows: Windows, settings: PredictionSettings, now: dt.datetime, progress: Progress
) -> Choice:
    """What the shop has set, or what was chosen by the back-test: the kept one while it is young, or a new one."""
    if settings.model != "auto":
        return Choice((settings.model,))
    as_of = windows.scope.as_of
    kept = keeping.kept_backtest(store, windows.horizon, as_of)
    if kept is None or (as_of - kept.as_of).days >= settings.backtest_every_days:
        try:
            kept = replayed(windows, progress=progress)
        except TooLittleHistory:
            return Choice(FALLBACKS)
        keeping.keep_backtest(store, now, kept)
    return Choice(kept.ranking, kept.correction, kept)


def windows_of(facts: Snapshot, scope: Scope, horizon: int = WINDOW, known: Any = None) -> Windows:
    """The shop's pasts, with the traits that learned models look at as they stood; `known` is the table of traits as of
    `scope.as_of` where it is made already."""

    def traits(then: Scope) -> Any:
        if known is not None and then.as_of == scope.as_of:
            return known.select(*READ)
        gap = facts.remembered(("shop_gap_days", then.as_of), lambda: shop_gap_days(facts, then))
        return observed(facts, then, gap, READ)

    return Windows(facts, scope, horizon, traits)


@dataclass(frozen=True, eq=False)
class Foreseen:
    """What a refresh adds to what is known of customers."""

    card: Card
    columns: list[pa.Table]
    """Each with one row per customer it knows of: `customer_id` and predicted traits."""
    recommendations: pa.Table | None
    """As `Recommender.for_customers` has them; None where nothing was looked for or nothing is sold."""


def foresee(
    store: Store, facts: Snapshot, scope: Scope, settings: PredictionSettings, known: Any, now: dt.datetime,
    progress: Progress,
) -> Foreseen:  # fmt: skip
    """Choose, and say what is expected of everybody; `known` is the table of traits as of `scope.as_of`."""
    windows = windows_of(facts, scope, known=known)
    choice = choose(store, windows, settings, now, progress)
    seen = outlook(
        windows, choice.ranking, choice.correction, float(scope.margin), settings.discount_rate, choice.found
    )
    columns = [seen.table()]
    if settings.reasons and len(windows.past(0)):
        columns.append(_reasons(windows.past(0)))
    if facts.rows("subscriptions"):
        columns.append(subscriber_risks(facts, scope, settings.discount_rate).table)
    recommended = None
    if settings.products and facts.rows("order_lines"):
        recommended = _recommended(facts, scope)
        columns.append(subscribing(subscription_candidates(facts, scope, settings.subscription_discount)))
    if recommended is not None:
        columns += [first(recommended), refills(recommended, scope.as_of)]
    return Foreseen(seen.card, columns, recommended)


def _reasons(past: Past) -> pa.Table:
    """The customers' weightiest reasons to be at risk, by the learned model, be it the chosen one or not."""
    import pyarrow as pa

    model: Boosted | None
    try:
        model = boosted(past)
    except TooLittleToLearn:
        model = None
    assert past.traits is not None
    told = reasons(model, past.traits())
    return pa.table({"customer_id": past.customers} | {name: pa.array(told[name], pa.string()) for name in told})


def _recommended(facts: Snapshot, scope: Scope) -> pa.Table | None:
    try:
        return Recommender().fit(facts, scope).for_customers()
    except NothingSold:
        return None


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
