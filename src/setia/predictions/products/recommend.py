"""The products each customer is most likely to buy within a horizon, in one ranking, with a reason for each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from setia.history.scope import Scope
from setia.predictions.products import blend
from setia.predictions.products.interactions import (
    Interactions,
    NothingSold,
    bought_since,
    cells,
    codes,
    product_days,
    read,
)
from setia.predictions.products.known import NEVER, Known, best, enough, rank
from setia.predictions.products.rules import BadRule, Rules
from setia.predictions.products.together import pairs

if TYPE_CHECKING:
    import pyarrow as pa

    from setia.warehouse.snapshot import Snapshot

HORIZON_DAYS = 30
TAUGHT_BY = 5000
"""Customers whose last horizon teaches the weights, at most; drawn at random."""
EXAMPLES = 100
"""Products new to each of them that are learnt from: those that seemed likeliest."""
KINDS = ("together", "again", "viewed", "popular")
TOGETHER, AGAIN, VIEWED, POPULAR = range(4)


class Recommender:
    """Fitted to the facts before `as_of`; what was bought in the horizon before it has taught the weights.

    With fewer than 30 customers everybody is shown what is popular. After `fit`: `new_weights_` and `own_weights_`, in
    the order of `blend.NEW` and `blend.OWN`; `learnt_`, whether this shop's purchases have moved them; `known_`.
    Raises BadRule.
    """

    def __init__(self, rules: Rules | None = None, horizon_days: int = HORIZON_DAYS, seed: int = 0) -> None:
        if horizon_days < 1:
            raise BadRule(rule="horizon_days", given=horizon_days, takes="1 day or more")
        self.rules, self.horizon_days, self.seed = rules or Rules(), horizon_days, seed

    def fit(self, facts: Snapshot, scope: Scope) -> Self:
        """Read the past and learn from its last horizon. Raises NothingSold."""
        past = read(facts, scope, self.horizon_days)
        self.new_weights_, self.own_weights_ = blend.start(blend.NEW), blend.start(blend.OWN)
        self.learnt_ = enough(past) and self._learn(facts, scope, past)
        self.known_ = Known(past, self.rules, self.horizon_days)
        self._pairs = pairs(facts, product_days(facts, scope), past.products)
        return self

    def _learn(self, facts: Snapshot, scope: Scope, now: Interactions) -> bool:
        """Hold what was known a horizon ago against what was bought since."""
        then = scope.at(scope.as_of - dt.timedelta(days=self.horizon_days))
        try:
            past = read(facts, then, self.horizon_days)
        except NothingSold:
            return False
        if not enough(past):
            return False
        known, bought = Known(past, self.rules, self.horizon_days), bought_since(now, past, self.horizon_days)
        size = len(past.customers)
        draw = np.random.default_rng(self.seed)
        taught_by = np.sort(draw.choice(size, min(size, TAUGHT_BY), replace=False))
        new, own = [], []
        for start in range(0, len(taught_by), known.rows_of_block()):
            who = taught_by[start : start + known.rows_of_block()]
            happened = bought[who][:, known.columns].toarray() > 0
            found = known.features(who)
            odds = known.bar(known.odds(who, found, self.new_weights_, self.own_weights_), who)
            shown = odds[found.row, found.column] > NEVER
            own.append((found.own[shown], happened[found.row, found.column][shown]))
            row, column = best(known.bar(odds, who, again=False), EXAMPLES)
            each = [np.broadcast_to(feature, odds.shape)[row, column] for feature in found.new.values()]
            new.append((np.column_stack([np.ones(len(row)), *each]), happened[row, column]))
        started = self.new_weights_, self.own_weights_
        self.new_weights_ = blend.learnt(started[0], *map(np.concatenate, zip(*new, strict=True)))
        self.own_weights_ = blend.learnt(started[1], *map(np.concatenate, zip(*own, strict=True)))
        return self.new_weights_ is not started[0] or self.own_weights_ is not started[1]

    def top(self, who: Any, most: int, *, again: bool = True) -> tuple[Any, Any, Any]:
        """For customers by number: row, column among the products that may be shown, and log-odds of the best."""
        known = self.known_
        odds = known.odds(who, known.features(who), self.new_weights_, self.own_weights_)
        row, column = known.best(known.bar(odds, who, again=again), most)
        return row, column, odds[row, column]

    def for_customers(self, customer_ids: Sequence[str] | None = None, most: int = 5) -> pa.Table:
        """The best products of each customer, all known ones unless they are named; nobody known gets what is popular.

        `customer_id`, `rank` from 1, `product_id`, `score` (the chance that they buy it within the horizon), `kind`
        (`again`: they bought it before; `together`: what they bought, `because_product_id` above all, speaks more for
        it than histories do on the mean; `viewed`: they looked at it, or at what it goes with; `popular`),
        `because_product_id`, `interval_days` (mean gap between their own purchases of it), `days_since` (from what they
        did with it to the last day that counts). Raises BadRule.
        """
        import pyarrow as pa

        known, products = self.known_, self.known_.past.products
        ids = known.past.customers if customer_ids is None else pa.array(list(customer_ids), pa.string())
        who, step = codes(ids, known.past.customers), known.rows_of_block()
        parts = [self._block(who, start, most) for start in range(0, max(len(who), 1), step)]
        row, product, score, kind, because, interval, since = map(np.concatenate, zip(*parts, strict=True))
        return pa.table({
            "customer_id": ids.take(pa.array(row)), "rank": rank(row), "product_id": products.take(pa.array(product)),
            "score": score, "kind": pa.array(KINDS).take(pa.array(kind)),
            "because_product_id": products.take(pa.array(because, mask=because < 0)),
            "interval_days": pa.array(interval, mask=np.isnan(interval)), "days_since": pa.array(since, mask=since < 0),
        })  # fmt: skip

    def _block(self, who: Any, start: int, most: int) -> tuple[Any, ...]:
        if most < 1:
            raise BadRule(rule="most", given=most, takes="1 product or more")
        who = who[start : start + self.known_.rows_of_block()]
        row, column, odds = self.top(who, most)
        score = blend.probability(odds.astype(np.float64))
        return (start + row, self.known_.columns[column], score, *self._reasons(who[row], column))

    def _reasons(self, who: Any, column: Any) -> tuple[Any, ...]:
        """Kind, cause, mean gap and days since, for customers and columns: what they did with the product, else what of
        their history speaks most for it."""
        known, bought = self.known_, self.known_.past.bought
        product = known.columns[column]
        cause, near = known.because(who, column)
        own, looked = _places(known.own, who, product), _places(known.looked, who, product)
        told = (cause >= 0) & (near > known.usual[column])
        because = np.where((own >= 0) | (looked >= 0), product, np.where(told, cause, -1))
        place, seen = _places(known.own, who, because), _places(known.looked, who, because)
        kind = np.select([own >= 0, because < 0, (looked >= 0) | (place < 0)], [AGAIN, POPULAR, VIEWED], TOGETHER)
        times, first, last = (_taken(values, place) for values in (bought.times, bought.first, bought.last))
        interval = np.where((kind == AGAIN) & (times > 1), (first - last) / np.maximum(times - 1, 1), np.nan)
        return kind, because, interval, np.where(kind == VIEWED, _taken(known.past.seen.age, seen), last)

    def with_cart(self, product_ids: Sequence[str], most: int = 5) -> pa.Table:
        """What goes with the products of a cart, whoever fills it, and then what is popular: `rank`, `product_id`,
        `score` (an estimate, kept low where little is known, of the share of those with these who have it too; of what
        is popular, the share of purchase days), `kind` and `because_product_id`. Raises BadRule."""
        import pyarrow as pa

        if most < 1:
            raise BadRule(rule="most", given=most, takes="1 product or more")
        known, products = self.known_, self.known_.past.products
        cart = np.unique(codes(pa.array(list(product_ids), pa.string()), products))
        cart = cart[cart >= 0]
        near = known.near[cart][:, known.columns].toarray()
        goes, popular = near.sum(axis=0, dtype=np.float64), np.exp(known.popular.astype(np.float64))
        key = np.where(goes > known.usual, 1 + goes, popular)  # a share is below 1
        key[np.isin(known.columns, cart)] = NEVER
        _, column = best(key[None, :], most)
        together = (goes > known.usual)[column]
        cause = cart[near[:, column].argmax(axis=0)] if len(cart) else np.zeros(len(column), int)
        return pa.table({
            "rank": np.arange(1, len(column) + 1), "product_id": products.take(pa.array(known.columns[column])),
            "score": np.where(together, goes[column], popular[column]),
            "kind": pa.array(KINDS).take(pa.array(np.where(together, TOGETHER, POPULAR))),
            "because_product_id": products.take(pa.array(cause, mask=~together)),
        })  # fmt: skip

    def together(self, product_id: str) -> pa.Table:
        """What is bought with a product in one order or on one day more often than by chance, the strongest first:
        `product_id`, `baskets` with both, `share` of the product's baskets, `lift`, `likelihood_ratio`, `score`."""
        import pyarrow.compute as pc

        found = self._pairs.filter(pc.equal(self._pairs["product_id"], product_id)).drop_columns("product_id")
        return found.rename_columns(["product_id", *found.column_names[1:]])


def _places(matrix: Any, who: Any, product: Any) -> Any:
    """The places of customers and products in a matrix of places; -1 where there is none."""
    return np.where(product >= 0, cells(matrix, who, np.maximum(product, 0)), 0) - 1


def _taken(values: Any, place: Any) -> Any:
    return np.where(place >= 0, np.append(values, -1)[place], -1)
