"""What is bought again, and when: the chance within a horizon, and who might rather subscribe.

A purchase is followed by another of the same product with some probability, after a gap that is log-normal; the others
never come back (a split population: Boag 1949, Journal of the Royal Statistical Society B 11(1); log-normal gaps and
repeat probability by product as in Bhagat, Muralidharan, Lobzhanidze and Vishwanath 2018, Buy It Again: Modeling Repeat
Purchase Recommendations, KDD '18). Each product's figures are drawn towards the shop's, each customer's towards the
product's. Gaps still open count for the probability, not for the length of gaps, so in short histories long gaps are
taken to be somewhat shorter than they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from setia.history.scope import Scope
from setia.kernel.errors import SetiaError
from setia.predictions.models.purchases import FloatArray
from setia.predictions.products.interactions import Purchases, numbers, product_days, purchases

if TYPE_CHECKING:
    import pyarrow as pa

    from setia.warehouse.snapshot import Snapshot

STEPS = 4
"""The first purchase, the second, the third, and all later ones are followed with probabilities of their own."""
SHOP_GAPS = 10.0
"""Gaps of the shop that a product's own are averaged with."""
PRODUCT_GAPS = 3.0
SHOP_PURCHASES = 20.0
LEAST_VARIANCE = 0.01
WITHOUT_GAPS = (4.0, 1.0)
"""Mean and variance of the log of a gap where nobody has bought anything twice: around 55 days."""
ROUNDS = 20
DUE = 0.8
"""The share of a usual gap after which a product may be due."""


class BuyingAgain:
    """How products (or customers, told apart by nothing) are bought again; `fit`, then `chance` and `gap`.

    After `fit`: `mean_` and `variance_` of the log of a gap, and `again_`, one element or row per product.
    """

    mean_: FloatArray
    variance_: FloatArray
    again_: FloatArray

    def fit(self, bought: Purchases, products: int) -> Self:
        """Find each product's gaps and how probably one follows, from one element per customer and product."""
        observed = (bought.times - 1, bought.logs, bought.squares)
        gaps, logs, squares = (_summed(bought.product, each, products) for each in observed)
        mean, variance = WITHOUT_GAPS
        if gaps.sum():
            mean = logs.sum() / gaps.sum()
            variance = max(squares.sum() / gaps.sum() - mean**2, LEAST_VARIANCE)
        self.mean_, self.variance_ = _drawn(gaps, logs, squares, SHOP_GAPS, mean, variance)
        step = np.minimum(bought.times, STEPS) - 1
        passed = self._passed(bought, self.mean_[bought.product], self.variance_[bought.product])
        later = np.maximum(bought.times - STEPS, 0)
        each = [*(bought.times > n for n in range(1, STEPS)), later]
        followed = np.stack([_summed(bought.product, more, products) for more in each], axis=1)
        shop, weight = [0.5], 1.0
        for n in range(STEPS):  # who has bought more often is not taken to be less faithful, until it shows
            among = passed[step == n]
            whole = followed[:, n].sum(keepdims=True)
            shop.append(_followed(whole, np.zeros(len(among), int), among, np.array(shop[-1:]), weight)[0])
            weight = SHOP_PURCHASES
        cell, prior = bought.product.astype(np.int64) * STEPS + step, np.tile(shop[1:], products)
        self.again_ = _followed(followed.ravel(), cell, passed, prior, SHOP_PURCHASES).reshape(products, STEPS)
        return self

    def chance(self, bought: Purchases, horizon_days: int) -> FloatArray:
        """The probability that each is bought again within so many days."""
        mean, variance = self._own(bought)
        step = np.minimum(bought.times, STEPS) - 1
        again = self.again_[bought.product, step]
        before, after = (self._passed(bought, mean, variance, days) for days in (0, horizon_days))
        return np.asarray(again * (after - before) / (1 - again * before))

    def gap(self, bought: Purchases) -> FloatArray:
        """The usual days from each customer's purchase of a product to the next."""
        return np.exp(self._own(bought)[0])

    def due(self, bought: Purchases) -> Any:
        """Whether a customer who has bought it on two days at least is about to need it again."""
        return (bought.times >= 2) & (bought.last >= DUE * self.gap(bought))

    def _own(self, bought: Purchases) -> tuple[FloatArray, FloatArray]:
        mean, variance = self.mean_[bought.product], self.variance_[bought.product]
        return _drawn(bought.times - np.float64(1), bought.logs, bought.squares, PRODUCT_GAPS, mean, variance)

    @staticmethod
    def _passed(bought: Purchases, mean: FloatArray, variance: FloatArray, more: int = 0) -> FloatArray:
        """The share of gaps that would have ended by now, or so many days later."""
        from scipy.special import ndtr

        return np.asarray(ndtr((np.log(bought.last + more + 0.5) - mean) / np.sqrt(variance)))


def _summed(group: Any, values: Any, size: int) -> FloatArray:
    return np.asarray(np.bincount(group, values, size), dtype=np.float64)


def _drawn(
    count: FloatArray, logs: FloatArray, squares: FloatArray, weight: float, mean: Any, variance: Any
) -> tuple[FloatArray, FloatArray]:
    """Mean and variance, averaged with `weight` observations of a known mean and variance."""
    found = (logs + weight * mean) / (count + weight)
    about = np.maximum(squares - 2 * found * logs + count * found**2, 0)
    return found, np.maximum((about + weight * variance) / (count + weight), LEAST_VARIANCE)


def _followed(followed: FloatArray, cell: Any, passed: FloatArray, prior: FloatArray, weight: float) -> FloatArray:
    """The probability that a purchase is followed by another, by expectation and maximisation: of the purchases not
    followed yet, `passed` of the time in which another would come is over. Averaged with `weight` from the prior."""
    unfollowed = np.bincount(cell, minlength=len(followed))
    again = prior
    for _ in range(ROUNDS):
        mine = again[cell]
        still = mine * (1 - passed) / (1 - mine * passed)
        expected = _summed(cell, still, len(followed))
        again = (followed + expected + weight * prior) / (followed + unfollowed + weight)
    return np.minimum(again, 0.99)


WEEKS = (1, 2, 4, 6, 8, 12)
LEAST_DAYS = 3
MOST_SPREAD = 0.35
LATE = 1.5
"""Own mean gaps of silence after which a rhythm is over."""
FURTHEST = 1.3
"""How far a mean gap may be from a usual interval, as a ratio."""


class BadDiscount(SetiaError):
    """A subscriber's discount is a share from 0 up to 1, such as 0.1; {given} is none."""

    code = "predictions.bad_discount"


def subscription_candidates(facts: Snapshot, scope: Scope, discount: float = 0.1) -> pa.Table:
    """Who buys the same product so regularly that they might subscribe to it, the highest yearly spending first.

    `customer_id`, `product_id`, `purchase_days`, `mean_gap_days`, `gap_spread` (standard deviation ÷ mean),
    `days_since`, `interval_weeks` (the nearest usual one), `units` of one delivery, `yearly_spend` at that interval and
    at what they paid for one so far, `yearly_saving` at the discount. Raises BadDiscount.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if not 0 <= discount < 1:
        raise BadDiscount(given=discount)
    regular = purchases(product_days(facts, scope), "customer_id", "product_id")
    found = facts.arrow(regular.filter(regular.times >= LEAST_DAYS).drop("logs", "squares"))
    times, first, last, squares = (numbers(found[name]) for name in ("times", "first", "last", "gap_squares"))
    gaps, span = times - 1, first - last
    mean = span / gaps
    spread = np.sqrt(np.maximum(gaps * squares - span**2, 0)) / span
    ratio = np.abs(np.log(mean[:, None] / (7.0 * np.array(WEEKS))))
    weeks = np.array(WEEKS)[ratio.argmin(axis=1)]
    kept = (spread <= MOST_SPREAD) & (last <= LATE * mean) & (ratio.min(axis=1, initial=np.inf) <= np.log(FURTHEST))
    yearly = numbers(found["amount"]) / times * 365 / (7.0 * weeks)
    table = pa.table({
        "customer_id": found["customer_id"], "product_id": found["product_id"],
        "purchase_days": times.astype(np.int64), "mean_gap_days": mean, "gap_spread": spread,
        "days_since": last.astype(np.int64), "interval_weeks": weeks,
        "units": np.maximum(np.round(numbers(found["units"]) / times), 1).astype(np.int64),
        "yearly_spend": pa.array(yearly, from_pandas=True),
        "yearly_saving": pa.array(discount * yearly, from_pandas=True),
    })  # fmt: skip
    by = [("yearly_spend", "descending"), ("customer_id", "ascending"), ("product_id", "ascending")]
    table = table.filter(pa.array(kept))
    return table.take(pc.sort_indices(table, sort_keys=by))
