"""The products each customer is most likely to buy within a horizon, in one ranking, with a reason for each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from setia.history.scope import Scope
from setia.predictions.products import blend
from setia.predictions.products.interactions import NothingSold, bought_since, codes, product_days, read
from setia.predictions.products.known import FLOOR, Known, best
from setia.predictions.products.rules import Rules
from setia.predictions.products.together import pairs
from setia.predictions.purchases import FloatArray

if TYPE_CHECKING:
    import pyarrow as pa

    from setia.warehouse.snapshot import Snapshot

HORIZON_DAYS = 30
TAUGHT_BY = 5000
"""Customers whose last horizon teaches the weights, at most; drawn at random."""
EXAMPLES = 100
"""Products new to each of them that they learn from: those that seemed likeliest."""
KINDS = ("together", "again", "viewed", "popular")
DOUBLE = 2.0
"""A reason is given where it at least doubles the odds."""


class Recommender:
    """Fitted to the facts before `as_of`; what happened in the horizon before it has taught the weights.

    With fewer than 30 customers, everybody is shown what is popular. After `fit`: `new_weights_` and `own_weights_` by
    name, `learnt_` (whether they come from this shop's purchases).
    """

    new_weights_: dict[str, float]
    own_weights_: dict[str, float]
    learnt_: bool
    known_: Known

    def __init__(self, rules: Rules | None = None, horizon_days: int = HORIZON_DAYS, seed: int = 0) -> None:
        self.rules = rules or Rules()
        self.horizon_days = horizon_days
        self.seed = seed

    def fit(self, facts: Snapshot, scope: Scope) -> Self:
        """Read the past and learn from its last horizon. Raises NothingSold."""
        past = read(facts, scope, self.horizon_days)
        self.known_ = Known(past, self.rules, self.horizon_days)
        self._new, self._own = blend.start(blend.NEW), blend.start(blend.OWN)
        if self.known_.enough:
            self._learn(facts, scope)
        self.learnt_ = bool((self._new != blend.start(blend.NEW)).any())
        self.new_weights_ = dict(zip(blend.NEW, self._new.tolist(), strict=True))
        self.own_weights_ = dict(zip(blend.OWN, self._own.tolist(), strict=True))
        self._pairs = pairs(facts, product_days(facts, scope), past.products)
        return self

    def _learn(self, facts: Snapshot, scope: Scope) -> None:
        """What was known a horizon ago, against what was bought since."""
        then = scope.at(scope.as_of - dt.timedelta(days=self.horizon_days))
        try:
            before = Known(read(facts, then, self.horizon_days), replace(self.rules, again=True), self.horizon_days)
        except NothingSold:
            return
        if not before.enough:
            return
        bought = bought_since(self.known_.past, before.past, self.horizon_days)
        draw = np.random.default_rng(self.seed)
        size = len(before.past.customers)
        taught_by = np.sort(draw.choice(size, min(size, TAUGHT_BY), replace=False))
        new: list[tuple[FloatArray, FloatArray]] = []
        own: list[tuple[FloatArray, FloatArray]] = []
        step = before.rows_of_block()
        for start in range(0, len(taught_by), step):
            who = taught_by[start : start + step]
            happened = bought[who][:, before.columns].toarray() > 0
            found = before.scores(who, self._new, self._own)
            row, column, _ = found.own
            shown = found.odds[row, column] > -np.inf
            own.append((found.own_features[shown], happened[row[shown], column[shown]]))
            found.odds[row, column] = -np.inf
            row, column = best(found.odds, EXAMPLES)
            each = [np.broadcast_to(feature, found.odds.shape)[row, column] for feature in found.features.values()]
            new.append((np.column_stack([np.ones(len(row)), *each]), happened[row, column]))
        self._new = blend.learnt(self._new, *(np.concatenate(part).astype(float) for part in zip(*new, strict=True)))
        self._own = blend.learnt(self._own, *(np.concatenate(part).astype(float) for part in zip(*own, strict=True)))

    def for_customers(self, customer_ids: Sequence[str] | None = None, most: int = 5) -> pa.Table:
        """The best products of each customer, all known ones unless they are named; nobody known gets what is popular.

        `customer_id`, `rank` from 1, `product_id`, `score` (the chance that they buy it within the horizon), `kind`
        (`again`: they bought it before; `together`: it goes with `because_product_id`, which they bought `days_since`
        days before the last that counts; `viewed`: they looked at it, or at what it goes with; `popular`),
        `because_product_id`, `interval_days` (mean gap between own purchases of it, where there is one), `days_since`.
        """
        import pyarrow as pa

        known = self.known_
        ids = known.past.customers if customer_ids is None else pa.array(list(customer_ids), pa.string())
        who = codes(pa.chunked_array([ids]), known.past.customers)
        step = known.rows_of_block()
        parts = [self._block(who[start : start + step], start, most) for start in range(0, max(len(who), 1), step)]
        whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        products = known.past.products

        def product(name: str) -> pa.Array:
            return products.take(pa.array(whole[name], mask=whole[name] < 0))

        return pa.table({
            "customer_id": ids.take(pa.array(whole["row"])), "rank": whole["rank"], "product_id": product("product"),
            "score": whole["score"], "kind": pa.array(KINDS).take(pa.array(whole["kind"])),
            "because_product_id": product("because"),
            "interval_days": pa.array(whole["interval"], mask=np.isnan(whole["interval"])),
            "days_since": pa.array(whole["since"], mask=whole["since"] < 0),
        })  # fmt: skip

    def top(self, who: Any, most: int, *, again: bool = True) -> tuple[Any, Any, Any]:
        """For customers by number: row, product by number and log-odds of the best, in order."""
        found = self.known_.scores(who, self._new, self._own, again=again)
        row, column = self.known_.best(found.odds, most)
        return row, self.known_.columns[column], found.odds[row, column]

    def _block(self, who: Any, start: int, most: int) -> dict[str, Any]:
        row, product, odds = self.top(who, most)
        reasons = self._reasons(who[row], product)
        return {
            "row": start + row,
            "rank": np.arange(len(row)) - np.searchsorted(row, row) + 1,
            "product": product,
            "score": blend.probability(odds.astype(np.float64)),
            **reasons,
        }

    def _reasons(self, who: Any, product: Any) -> dict[str, Any]:
        """Why each customer, by number, is shown a product: what they did with it, else what of their history speaks
        most for it."""
        known = self.known_
        bought = known.past.bought
        cause, near = known.because(who, np.searchsorted(known.columns, product))
        own, looked = _at(known.own, who, product), _at(known.looked, who, product)
        told = near >= FLOOR * (DOUBLE ** (1 / max(self._new[1], 0.1)) - 1)
        because = np.where((own >= 0) | (looked >= 0), product, np.where(told, cause, -1))
        # What they looked at may speak for another as well.
        place, seen = _at(known.own, who, because), _at(known.looked, who, because)
        kind = np.select([own >= 0, (looked >= 0) | ((place < 0) & (seen >= 0)), because >= 0], [1, 2, 0], 3)
        times, first, last = (_taken(column, place) for column in (bought.times, bought.first, bought.last))
        interval = np.where((kind == 1) & (times > 1), (first - last) / np.maximum(times - 1, 1), np.nan)
        since_last = np.where(kind == 2, _taken(known.past.seen.age, seen), last)
        return {"kind": kind, "because": because, "interval": interval, "since": since_last}

    def with_cart(self, product_ids: Sequence[str], most: int = 5) -> pa.Table:
        """What goes with the products of a cart, whoever fills it: `rank`, `product_id`, `score` (about the share of
        those who have these that have it too), `kind` and `because_product_id`; then what is popular."""
        import pyarrow as pa

        known = self.known_
        cart = np.unique(codes(pa.chunked_array([pa.array(list(product_ids), pa.string())]), known.past.products))
        cart = cart[cart >= 0]
        near = known.near[cart][:, known.columns].toarray()
        score = near.sum(axis=0, dtype=np.float64)
        # Below what goes with them, by the share of purchase days; their sum is less than anything that goes.
        key = np.where(score > 0, 1 + score, np.exp(known.popular))
        key[np.isin(known.columns, cart)] = -np.inf
        _, column = best(key[None, :], most)
        together = score[column] > 0
        cause = cart[near[:, column].argmax(axis=0)] if len(cart) else np.zeros(len(column), int)
        return pa.table({
            "rank": np.arange(1, len(column) + 1), "product_id": known.past.products.take(pa.array(known.columns[column])),
            "score": np.where(together, score[column], np.exp(known.popular[column])),
            "kind": pa.array(KINDS).take(pa.array(np.where(together, 0, 3))),
            "because_product_id": known.past.products.take(pa.array(cause, mask=~together)),
        })  # fmt: skip

    def together(self, product_id: str) -> pa.Table:
        """What is bought with a product in one order or on one day more often than by chance, the strongest first:
        `product_id`, `baskets`, `share` of its baskets, `lift`, `likelihood_ratio`, `score`."""
        import pyarrow.compute as pc

        found = self._pairs.filter(pc.equal(self._pairs["product_id"], product_id)).drop_columns("product_id")
        return found.rename_columns(["product_id", *found.column_names[1:]])


def _at(matrix: Any, who: Any, product: Any) -> Any:
    """The places of customers and products in a numbered matrix; -1 where there is none."""
    if not len(who):
        return np.zeros(0, int)
    return np.where(product >= 0, np.asarray(matrix[who, np.maximum(product, 0)]).ravel(), 0) - 1


def _taken(column: Any, place: Any) -> Any:
    return np.where(place >= 0, column[place] if len(column) else -1, -1)
