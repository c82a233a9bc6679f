"""Recommendations against what was then bought: ours, and the simple rules they have to beat, on the same days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from setia.history.scope import Scope
from setia.kernel.errors import SetiaError
from setia.kernel.i18n import N_
from setia.predictions.models.purchases import FloatArray
from setia.predictions.products.blend import probability
from setia.predictions.products.interactions import bought_since, cells, read
from setia.predictions.products.known import Known, best, rank
from setia.predictions.products.recommend import HORIZON_DAYS, Recommender
from setia.predictions.products.rules import Rules
from setia.predictions.products.together import MOST_PRODUCTS, shared_buyers

if TYPE_CHECKING:
    from setia.warehouse.snapshot import Snapshot

Ranked = Callable[[Any], tuple[Any, Any]]
"""From customers by number to row and column, the best of each row first."""
Others = dict[str, Callable[[Any], FloatArray]]
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
    products: str
    """`all` that was bought, or what was `new` to the customer."""
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
    facts: Snapshot,
    scope: Scope,
    horizon_days: int = HORIZON_DAYS,
    rules: Rules | None = None,
    seed: int = 0,
    also: Callable[[Known], Others] | None = None,
) -> Judgement:
    """Recommend from what was known a horizon before `as_of`, and hold it against what was bought since.

    All keep to the same rules. `also` gives other rankers to judge by the side, from what is known: scores of every
    product for customers by number. Raises NothingSold, NobodyToJudge.
    """
    day = scope.as_of - dt.timedelta(days=horizon_days)
    ours = Recommender(rules, horizon_days, seed).fit(facts, scope.at(day))
    known = ours.known_
    bought = bought_since(read(facts, scope, horizon_days), known.past, horizon_days)
    if not bought.nnz:
        raise NobodyToJudge(day=day, horizon=horizon_days)
    others = {**_others(known), **(also(known) if also else {})}
    new = bought - bought.multiply(known.own > 0)
    new.eliminate_zeros()
    rows = []
    for name in ("ours", *others):
        for products, wanted in (("all", bought), ("new", new)):

            def ranked(who: Any, name: str = name, again: bool = products == "all") -> tuple[Any, Any]:
                if name == "ours":
                    return ours.top(who, DEEP, again=again)[:2]
                return best(known.bar(others[name](who)[:, known.columns], who, again=again), DEEP)

            if wanted.nnz:
                rows.append(_judged(name, products, known, ranked, wanted))
    return Judgement(day, horizon_days, tuple(rows), *_calibration(ours, bought))


def _others(known: Known) -> Others:
    """What the simple rules make of every product for some customers; what all buy decides between equals.

    A catalogue of more than `MOST_PRODUCTS` is judged without item-item, whose table of all pairs would not fit.
    """
    past = known.past
    popular = past.recent / (past.shop_recent + 1)
    owned = (known.own > 0).astype(np.float32)
    times = past.matrix(past.bought.customer, past.bought.product, past.bought.times)
    found: Others = {}
    if owned.shape[1] <= MOST_PRODUCTS:
        shared = shared_buyers(owned)
        length = np.sqrt(np.maximum(np.diag(shared), 1))
        alike = (shared / length / length[:, None]).astype(np.float32)
        found["item_item"] = lambda who: np.asarray(owned[who] @ alike)
    return found | {
        "popularity": lambda who: np.tile(popular, (len(who), 1)),
        "repeat": lambda who: np.asarray(times[who].toarray() + popular),
    }


def _judged(name: str, products: str, known: Known, ranked: Ranked, wanted: Any) -> Judged:
    many = np.diff(wanted.indptr)
    buyers = np.flatnonzero(many)
    hits, shown = np.zeros((len(buyers), DEEP)), np.zeros(len(known.columns), dtype=bool)
    for start in range(0, len(buyers), known.rows_of_block()):
        who = buyers[start : start + known.rows_of_block()]
        row, column = ranked(who)
        hits[start + row, rank(row) - 1] = cells(wanted, who[row], known.columns[column]) > 0
        shown[column] = True
    discount = 1 / np.log2(np.arange(2, DEEP + 2))
    ideal = np.cumsum(discount)[np.minimum(many[buyers], DEEP) - 1]
    return Judged(
        name,
        products,
        len(buyers),
        float(hits[:, :SHORT].any(axis=1).mean()),
        float(hits[:, :SHORT].mean()),
        float((hits.sum(axis=1) / many[buyers]).mean()),
        float((hits @ discount / ideal).mean()),
        float(shown.sum() / len(known.past.products)),
    )


def _calibration(ours: Recommender, bought: Any) -> tuple[float, int]:
    known, expected, happened = ours.known_, 0.0, 0
    everybody = np.arange(len(known.past.customers))
    for start in range(0, len(everybody), known.rows_of_block()):
        who = everybody[start : start + known.rows_of_block()]
        row, column, odds = ours.top(who, SHORT)
        expected += float(probability(odds.astype(np.float64)).sum())
        happened += int((cells(bought, who[row], known.columns[column]) > 0).sum())
    return expected, happened
