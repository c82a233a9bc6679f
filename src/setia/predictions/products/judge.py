"""Recommendations against what was then bought: ours, and the simple rules they have to beat, on the same days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from setia.history.scope import Scope
from setia.kernel.errors import SetiaError
from setia.kernel.i18n import N_
from setia.predictions.products.blend import probability
from setia.predictions.products.interactions import Interactions, bought_since, read
from setia.predictions.products.known import best
from setia.predictions.products.recommend import HORIZON_DAYS, Recommender
from setia.predictions.products.rules import Rules
from setia.predictions.products.together import shared_buyers
from setia.predictions.purchases import FloatArray

if TYPE_CHECKING:
    from setia.warehouse.snapshot import Snapshot

Found = tuple[Any, Any]
"""Row and product, the best of each row first."""
Products = Literal["all", "new"]
DEEP = 10
SHORT = 5
RANKERS = {
    "ours": N_("Recommended"),
    "item_item": N_("Most like what they bought (cosine of buyers)"),
    "popularity": N_("Bought most lately"),
    "repeat": N_("What they bought most, again"),
}


class NobodyToJudge(SetiaError):
    """Nobody who was known on {day} bought anything in the {horizon} days after it, so no recommendation can be judged.
    Choose a later day or more days."""

    code = "predictions.nobody_to_judge"


@dataclass(frozen=True, slots=True)
class Judged:
    """How one way of recommending did."""

    ranker: str
    products: Products
    """Everything bought, or what was new to the customer alone."""
    customers: int
    """Known before, and bought such a product in the horizon."""
    hit_rate_5: float
    """Share of them who bought one of the first 5."""
    precision_5: float
    recall_10: float
    """Mean share of what they bought that was among the first 10."""
    ndcg_10: float
    """The same with more for higher ranks: 1 is perfect (Järvelin and Kekäläinen 2002)."""
    coverage: float
    """Share of all products sold before that were shown to anybody."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came out."""

    day: dt.date
    horizon: int
    rows: tuple[Judged, ...]
    expected: float
    """Purchases expected of the first 5 shown to every customer known on the day, by their scores."""
    happened: int
    """And how many of these were made."""


def judge(
    facts: Snapshot, scope: Scope, horizon_days: int = HORIZON_DAYS, rules: Rules | None = None, seed: int = 0
) -> Judgement:
    """Recommend from what was known a horizon before `as_of`, and hold it against what was bought since.

    Only ours keeps to the rules. Raises NothingSold, NobodyToJudge.
    """
    day = scope.as_of - dt.timedelta(days=horizon_days)
    ours = Recommender(rules, horizon_days, seed).fit(facts, scope.at(day))
    past = ours.known_.past
    bought = bought_since(read(facts, scope, horizon_days), past, horizon_days)
    if not bought.nnz:
        raise NobodyToJudge(day=day, horizon=horizon_days)
    owned = _matrix(past, np.ones(len(past.bought.times)))
    rankers = _simple(past, owned)
    new = bought - bought.multiply(owned)
    new.eliminate_zeros()
    rows = []
    for name in RANKERS:
        for products, wanted in (("all", bought), ("new", new)):
            again = products == "all"

            def ranked(who: Any, name: str = name, again: bool = again) -> Found:
                if name == "ours":
                    return ours.top(who, DEEP, again=again)[:2]
                scores = rankers[name](who)
                if not again:
                    scores[owned[who].nonzero()] = -np.inf
                return best(scores, DEEP)

            if wanted.nnz:
                rows.append(_judged(name, products, ranked, wanted, ours.known_.rows_of_block(len(past.products))))
    return Judgement(day, horizon_days, tuple(rows), *_calibration(ours, bought))


def _simple(past: Interactions, owned: Any) -> dict[str, Callable[[Any], FloatArray]]:
    """Scores of every product for some customers, without rules. What everybody buys decides between equals."""
    popular = past.recent / (past.recent.sum() + 1)
    shared = shared_buyers(owned)
    length = np.sqrt(np.maximum(np.diag(shared), 1))
    alike = (shared / length / length[:, None]).astype(np.float32)
    times = _matrix(past, past.bought.times)
    return {
        "item_item": lambda who: owned[who] @ alike,
        "popularity": lambda who: np.tile(popular, (len(who), 1)),
        "repeat": lambda who: times[who].toarray() + popular,
    }


def _matrix(past: Interactions, values: Any) -> Any:
    from scipy import sparse

    shape = (len(past.customers) + 1, len(past.products))
    cells = (past.bought.customer, past.bought.product)
    return sparse.csr_matrix((np.asarray(values, np.float32), cells), shape=shape)


def _judged(name: str, products: Products, ranked: Callable[[Any], Found], wanted: Any, step: int) -> Judged:
    buyers = np.flatnonzero(np.diff(wanted.indptr))
    many = np.diff(wanted.indptr)[buyers]
    hits = np.zeros((len(buyers), DEEP))
    shown: set[int] = set()
    for start in range(0, len(buyers), step):
        who = buyers[start : start + step]
        row, product = ranked(who)
        place = np.arange(len(row)) - np.searchsorted(row, row)
        hits[start + row, place] = np.asarray(wanted[who[row], product]).ravel() > 0
        shown.update(np.unique(product).tolist())
    discount = 1 / np.log2(np.arange(2, DEEP + 2))
    ideal = np.cumsum(discount)[np.minimum(many, DEEP) - 1]
    return Judged(
        name,
        products,
        len(buyers),
        float(hits[:, :SHORT].any(axis=1).mean()),
        float(hits[:, :SHORT].mean()),
        float((hits.sum(axis=1) / many).mean()),
        float((hits @ discount / ideal).mean()),
        len(shown) / wanted.shape[1],
    )


def _calibration(ours: Recommender, bought: Any) -> tuple[float, int]:
    step = ours.known_.rows_of_block()
    expected, happened = 0.0, 0
    for start in range(0, bought.shape[0] - 1, step):
        who = np.arange(start, min(start + step, bought.shape[0] - 1))
        row, product, odds = ours.top(who, SHORT)
        expected += float(probability(odds.astype(np.float64)).sum())
        happened += int((np.asarray(bought[who[row], product]) > 0).sum())
    return expected, happened
