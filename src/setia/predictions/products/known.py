"""Everything known on one day, ready to score customers in blocks against all products that may be shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from setia.predictions.products import blend
from setia.predictions.products.interactions import Codes, Interactions
from setia.predictions.products.rhythm import Rhythm
from setia.predictions.products.rules import Rules, given_back
from setia.predictions.products.together import neighbours
from setia.predictions.purchases import LEAST_CUSTOMERS, FloatArray

CELLS = 8_000_000
"""Customers times products that are scored at a time."""
HALF_LIFE = 90.0
VIEW = 0.2
"""What looking at a product counts in a history, where buying it counts 1."""
FLOOR = 0.003
"""As much as nothing speaks for a product."""
LEAST_SHARE = 0.05
NEVER = -np.inf


@dataclass(frozen=True, eq=False)
class Scores:
    """Log-odds of customers (rows) to buy what may be shown (columns) within the horizon; -inf where it may not be."""

    odds: Any
    features: dict[str, Any]
    """Of products new to a customer: each broadcasts against `odds`."""
    own: tuple[Any, Any, Any]
    """Row and column of what a customer has bought, and its place among all purchases."""
    own_features: FloatArray


class Known:
    """The past of a shop and what was found in it; `columns` are the products that may be shown."""

    def __init__(self, past: Interactions, rules: Rules, horizon_days: int) -> None:
        self.past, self.rules = past, rules
        self.horizon = horizon_days
        self.columns = rules.shown(past)
        self.rhythm = Rhythm().fit(past.bought, len(past.products))
        self.enough = len(np.unique(past.bought.customer)) >= LEAST_CUSTOMERS
        self.near = neighbours(past) if self.enough else self._sparse([], [], [], rows=len(past.products))
        self._describe_products()
        self._describe_customers()
        self._describe_pairs()

    def _sparse(self, rows_: Any, columns: Any, values: Any, *, rows: int | None = None) -> Any:
        """A sparse matrix of all products; of customers, with an empty last row for one who is not known."""
        from scipy import sparse

        shape = (len(self.past.customers) + 1 if rows is None else rows, len(self.past.products))
        return sparse.csr_matrix((np.asarray(values, np.float32), (rows_, columns)), shape=shape)

    def _describe_products(self) -> None:
        past = self.past
        lately = np.log((past.lately + 0.5) / (past.shop_lately + 1))[self.columns]
        recent = np.log((past.recent + 0.5) / (past.shop_recent + 1))[self.columns]
        self.popular, self.trend = lately.astype(np.float32), (recent - lately).astype(np.float32)
        self.category = past.category[self.columns]
        self.worth = self.rules.margin_of(past)[self.columns].astype(np.float32)

    def _describe_customers(self) -> None:
        past = self.past
        size = len(past.customers) + 1
        days = Rhythm().fit(past.days, 1)
        chance = days.chance(past.days, self.horizon)
        active = np.full(size, blend.log_odds(np.atleast_1d(chance.mean() if len(chance) else 0.0))[0])
        active[past.days.customer] = blend.log_odds(chance)
        bought = np.bincount(past.bought.customer, past.bought.times, size)
        each = bought[past.days.customer] / past.days.times
        usual = np.full(size, each.mean() if len(each) else 1.0)
        usual[past.days.customer] = each
        self.active, self.size = active.astype(np.float32)[:, None], np.log(usual).astype(np.float32)[:, None]

    def _describe_pairs(self) -> None:
        bought, seen = self.past.bought, self.past.seen
        bought_weight = self._sparse(bought.customer, bought.product, 0.5 ** (bought.last / HALF_LIFE))
        self.history = bought_weight + VIEW * self._sparse(seen.customer, seen.product, seen.weight)
        interest = self._sparse(seen.customer, seen.product, np.log1p(10 * seen.weight))
        self.interest = interest[:, self.columns] if len(seen.weight) else None
        self.own = self._numbered(bought.customer, bought.product)
        self.looked = self._numbered(seen.customer, seen.product)
        resting = self.rules.resting(self.past, self.rhythm) | (not self.enough)
        customer, product = given_back(self.past)
        rows, columns = np.append(bought.customer[resting], customer), np.append(bought.product[resting], product)
        self.barred = self._sparse(rows, columns, np.ones(len(rows)))[:, self.columns]
        self.again = np.stack([
            blend.log_odds(self.rhythm.chance(bought, self.horizon)), np.log(bought.times), np.log(bought.last + 1.0),
        ], axis=1)  # fmt: skip
        self.has_categories = bool((self.category >= 0).any())
        kinds = self.past.category
        self.kinds = (kinds[:, None] == np.arange(kinds.max(initial=-1) + 1)).astype(np.float32)

    def _numbered(self, customer: Codes, product: Codes) -> Any:
        """A matrix of places, from 1 on; 0 where there is none."""
        from scipy import sparse

        shape = (len(self.past.customers) + 1, len(self.past.products))
        return sparse.csr_matrix((np.arange(1, len(customer) + 1), (customer, product)), shape=shape)

    def rows_of_block(self, products: int | None = None) -> int:
        """How many customers are scored at a time, against what may be shown or so many products."""
        return max(1, CELLS // max(len(self.columns) if products is None else products, 1))

    def scores(self, who: Any, new: FloatArray, own: FloatArray, *, again: bool = True) -> Scores:
        """Score customers by number with the weights of the two models; without `again` what they own is barred."""
        shape = (len(who), len(self.columns))
        features = self._features(who)
        odds = np.full(shape, new[0], np.float32)
        for weight, feature in zip(new[1:], features.values(), strict=True):
            odds += np.float32(weight) * feature
        cells = self.own[who][:, self.columns].tocoo()
        row, column, place = cells.row, cells.col, cells.data - 1
        near, interest = features["near"], np.broadcast_to(features["seen"], shape)
        own_features = np.column_stack([
            np.ones(len(row)), near[row, column], self.popular[column], self.trend[column], interest[row, column],
            self.active[who][row, 0], self.again[place],
        ])  # fmt: skip
        odds[row, column] = own_features @ own if again else NEVER
        barred = self.barred[who].tocoo()
        odds[barred.row, barred.col] = NEVER
        return Scores(odds, features, (row, column, place), own_features)

    def _features(self, who: Any) -> dict[str, Any]:
        history = self.history[who]
        near = np.log((history @ self._shown_near()).toarray() + np.float32(FLOOR))
        nothing = np.zeros((1, 1), np.float32)
        category = nothing
        if self.has_categories:
            share = np.asarray(history @ self.kinds)
            share /= np.maximum(share.sum(axis=1, keepdims=True), 1e-9)
            liked = np.log(share + LEAST_SHARE) - np.log(LEAST_SHARE)
            category = np.where(self.category >= 0, liked[:, self.category], 0).astype(np.float32)
        return {
            "near": near,
            "popular": self.popular[None, :],
            "trend": self.trend[None, :],
            "category": category,
            "seen": nothing if self.interest is None else self.interest[who].toarray(),
            "active": self.active[who],
            "size": self.size[who],
        }

    def _shown_near(self) -> Any:
        if not hasattr(self, "_near"):
            self._near = self.near[:, self.columns].tocsr()
        return self._near

    def best(self, odds: Any, most: int) -> tuple[Any, Any]:
        """Row and column of the best of each row, in order; of equals the product first by alphabet."""
        key = odds
        if self.worth.any():
            key = np.where(odds > NEVER, -np.logaddexp(0, -odds) + self.worth, NEVER)
        return best(key, most)

    def because(self, who: Any, columns: Any) -> tuple[Any, Any]:
        """Of each customer's history the product that speaks most for another, and how much all of it does."""
        cells = self.history[who].multiply(self._shown_near().T.tocsr()[columns]).tocoo()
        order = np.lexsort((cells.col, -cells.data, cells.row))
        row, first = np.unique(cells.row[order], return_index=True)
        cause = np.full(len(who), -1)
        cause[row] = cells.col[order][first]
        return cause, np.bincount(cells.row, cells.data, len(who))


def best(key: Any, most: int) -> tuple[Any, Any]:
    """Row and column of the highest of each row, those at -inf left out; of equals the first."""
    size = key.shape[1]
    if not size:
        return np.zeros(0, int), np.zeros(0, int)
    kth = max(size - most, 0)
    least = np.partition(key, kth, axis=1)[:, kth]
    row, column = np.nonzero((key >= least[:, None]) & (key > NEVER))
    order = np.lexsort((column, -key[row, column], row))
    row, column = row[order], column[order]
    place = np.arange(len(row)) - np.searchsorted(row, row)
    return row[place < most], column[place < most]
