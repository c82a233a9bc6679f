"""Everything known on one day, ready to score customers in blocks against all products that may be shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from setia.predictions.models.purchases import LEAST_CUSTOMERS, FloatArray
from setia.predictions.products.blend import log_odds
from setia.predictions.products.interactions import Interactions
from setia.predictions.products.rhythm import BuyingAgain
from setia.predictions.products.rules import Rules
from setia.predictions.products.together import neighbours

CELLS = 8_000_000
"""Customers times products that are scored at a time."""
HALF_LIFE = 90.0
VIEW = 0.2
"""What looking at a product counts in a history, where buying it counts 1."""
FLOOR = 0.003
"""Added to what speaks for a product before its log is taken, so that nothing has one too."""
LEAST_SHARE = 0.05
NEVER = -np.inf


@dataclass(frozen=True, eq=False)
class Features:
    """What speaks for products new to customers, each broadcasting to customers by columns, and for those they own."""

    new: dict[str, Any]
    own: FloatArray
    row: Any
    column: Any


class Known:
    """The past of a shop and what was found in it; `columns` are the products that may be shown, by number."""

    def __init__(self, past: Interactions, rules: Rules, horizon_days: int) -> None:
        self.past, self.enough = past, enough(past)
        self.columns = rules.shown(past)
        self.rhythm = BuyingAgain().fit(past.bought, len(past.products))
        self.near = neighbours(past) if self.enough else neighbours(past, most=0)
        self._toward = self.near[:, self.columns].T.tocsr()
        self._products(rules)
        self._customers(horizon_days)
        self._histories(horizon_days)
        resting = rules.resting(past, self.rhythm) | (not self.enough)
        rows, products = (
            np.append(getattr(past.bought, name)[resting], back)
            for name, back in zip(("customer", "product"), past.returned, strict=True)
        )
        self.barred = past.matrix(rows, products, np.ones(len(rows)))[:, self.columns]

    def _products(self, rules: Rules) -> None:
        from scipy import sparse

        past = self.past
        lately = np.log((past.lately + 0.5) / (past.shop_lately + 1))[self.columns]
        recent = np.log((past.recent + 0.5) / (past.shop_recent + 1))[self.columns]
        self.popular, self.trend = lately.astype(np.float32), (recent - lately).astype(np.float32)
        # How much the history of a customer speaks for each product on the mean.
        owned = np.bincount(past.bought.product, minlength=len(past.products)) / max(len(past.days.last), 1)
        self.usual = self._toward @ owned
        self.worth = rules.worth(past)[self.columns].astype(np.float32)
        self.category = past.category[self.columns]
        of, size = np.flatnonzero(past.category >= 0), past.category.max(initial=-1) + 1
        cells = (np.ones(len(of), np.float32), (of, past.category[of]))
        self.kinds = sparse.csr_matrix(cells, shape=(len(past.products), size))

    def _customers(self, horizon_days: int) -> None:
        days, size = self.past.days, len(self.past.customers) + 1
        chance = BuyingAgain().fit(days, 1).chance(days, horizon_days)
        each = np.bincount(self.past.bought.customer, self.past.bought.times, size)[days.customer] / days.times

        def described(values: FloatArray, of_all: FloatArray) -> Any:
            whole = np.full(size, of_all.mean() if len(of_all) else 0.0)
            whole[days.customer] = values
            return whole.astype(np.float32)[:, None]

        self.active, self.size = described(log_odds(chance), log_odds(chance)), described(np.log(each), np.log(each))

    def _histories(self, horizon_days: int) -> None:
        past, bought, seen = self.past, self.past.bought, self.past.seen
        own, looked = (bought.customer, bought.product), (seen.customer, seen.product)
        self.history = past.matrix(*own, 0.5 ** (bought.last / HALF_LIFE)) + past.matrix(*looked, VIEW * seen.weight)
        self.interest = past.matrix(*looked, np.log1p(10 * seen.weight))[:, self.columns]
        # Places, from 1 on, of what they own or looked at.
        self.own = past.matrix(*own, np.arange(1, len(bought.last) + 1), np.int32)
        self.looked = past.matrix(*looked, np.arange(1, len(seen.age) + 1), np.int32)
        chance = log_odds(self.rhythm.chance(bought, horizon_days))
        again = (chance, np.log(bought.times), np.log(bought.last + 1.0))
        self.again = np.stack(again, axis=1).astype(np.float32)

    def rows_of_block(self) -> int:
        """How many customers are scored at a time."""
        return max(1, CELLS // max(len(self.past.products), 1))

    def features(self, who: Any) -> Features:
        """What speaks for each product that may be shown, for customers by number (-1: nobody known)."""
        history, shape = self.history[who], (len(who), len(self.columns))
        near = np.log((history @ self._toward.T).toarray() + np.float32(FLOOR))
        nothing = np.zeros((1, 1), np.float32)
        seen = self.interest[who].toarray() if self.interest.nnz else nothing
        active = self.active[who]
        new = {
            "near": near, "popular": self.popular[None, :], "trend": self.trend[None, :],
            "category": self._liked(history) if self.kinds.nnz else nothing,
            "seen": seen, "active": active, "size": self.size[who],
        }  # fmt: skip
        cells = self.own[who][:, self.columns].tocoo()
        row, column = cells.row, cells.col
        own = np.column_stack([
            np.ones(len(row)), near[row, column], self.popular[column], self.trend[column],
            np.broadcast_to(seen, shape)[row, column], active[row, 0], self.again[cells.data - 1],
        ])  # fmt: skip
        return Features(new, own, row, column)

    def _liked(self, history: Any) -> Any:
        share = (history @ self.kinds).toarray()
        share /= np.maximum(share.sum(axis=1, keepdims=True), 1e-9)
        liked = np.log(share + LEAST_SHARE) - np.log(LEAST_SHARE)
        return np.where(self.category >= 0, liked[:, self.category], 0).astype(np.float32)

    def odds(self, who: Any, features: Features, new: FloatArray, own: FloatArray) -> Any:
        """The log-odds that customers buy products, by the weights of the two models."""
        odds = np.full((len(who), len(self.columns)), new[0], np.float32)
        for weight, feature in zip(new[1:], features.new.values(), strict=True):
            odds += np.float32(weight) * feature
        odds[features.row, features.column] = features.own @ own
        return odds

    def bar(self, key: Any, who: Any, *, again: bool = True) -> Any:
        """Put what may not be shown to them out of reach; without `again` all that they own."""
        for barred in (self.barred[who], *([] if again else [self.own[who][:, self.columns]])):
            key[barred.nonzero()] = NEVER
        return key

    def best(self, odds: Any, most: int) -> tuple[Any, Any]:
        """Row and column of the best of each row by odds and worth."""
        if not self.worth.any():
            return best(odds, most)
        return best(np.where(odds > NEVER, self.worth - np.logaddexp(0, -odds), NEVER), most)

    def because(self, who: Any, column: Any) -> tuple[Any, Any]:
        """The product of each customer's history that speaks most for a product, and how much all of it does."""
        cells = self.history[who].multiply(self._toward[column]).tocoo()
        order = np.lexsort((cells.col, -cells.data, cells.row))
        row, first = np.unique(cells.row[order], return_index=True)
        cause = np.full(len(who), -1)
        cause[row] = cells.col[order][first]
        return cause, np.bincount(cells.row, cells.data, len(who))


def enough(past: Interactions) -> bool:
    """Whether so many customers have bought that one can be told by others."""
    return len(past.days.last) >= LEAST_CUSTOMERS


def best(key: Any, most: int) -> tuple[Any, Any]:
    """Row and column of the highest of each row, those out of reach left out; of equals the first."""
    if not key.shape[1]:
        return np.zeros(0, int), np.zeros(0, int)
    kth = max(key.shape[1] - most, 0)
    least = np.partition(key, kth, axis=1)[:, kth]
    row, column = np.nonzero((key >= least[:, None]) & (key > NEVER))
    order = np.lexsort((column, -key[row, column], row))
    row, column = row[order], column[order]
    among = rank(row) <= most
    return row[among], column[among]


def rank(row: Any) -> Any:
    """The rank of each element within its row, from 1; rows ascend."""
    return np.arange(len(row)) - np.searchsorted(row, row) + 1
