"""What goes with what.

For people, and for a cart: a linear model of each product by all others that a buyer has, in closed form (Steck 2019,
Embarrassingly Shallow Autoencoders for Sparse Data, WWW '19). It needs only how many buyers two products share, and,
unlike a similarity of pairs, does not count twice what two neighbours say alike.

For pairs: how often two were bought in one order or on one day, kept where that cannot be chance by the log-likelihood
ratio (Dunning 1993, Accurate Methods for the Statistics of Surprise and Coincidence, Computational Linguistics 19(1)),
ranked by the cosine, drawn towards nought for rare pairs by n / (n + shrinkage) as in Koren (2008), Factorization Meets
the Neighborhood, KDD '08.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from setia.predictions.models.purchases import FloatArray
from setia.predictions.products.interactions import Interactions, codes

if TYPE_CHECKING:
    import pyarrow as pa

    from setia.warehouse.snapshot import Snapshot

RIDGE, LEAST_KNOWN = 200.0, 3.0
"""The penalty: so many buyers, or so many times the buyers of a product on the mean where these are fewer. Between 50
and 800 it hardly mattered in a shop of 4,000 customers."""
NEIGHBOURS = 50
MOST_PRODUCTS = 5000
"""The products most people bought are modelled; of others too little is known, and the work grows with their cube."""
LEAST_BUYERS = 3
LEAST_PAIRS = 3
SIGNIFICANT = 10.83
"""Chi-squared with one degree of freedom at one in a thousand."""
SHRINKAGE = 30.0
BLOCK = 512


def neighbours(past: Interactions, ridge: float | None = None, most: int = MOST_PRODUCTS) -> Any:
    """A sparse matrix: from each product in a history (row), how much it speaks for another (column).

    The sum over a history estimates the share of buyers with such a history who have the other, kept low where little
    is known. Nothing speaks for itself, and nothing against another.
    """
    from scipy import sparse
    from scipy.linalg import lapack

    size = len(past.products)
    matrix = _buyers(past)
    count = np.asarray(matrix.sum(axis=0)).ravel()
    chosen = np.sort(np.lexsort((np.arange(size), -count))[:most])
    chosen = chosen[count[chosen] >= LEAST_BUYERS]
    if len(chosen) < 2:
        return sparse.csr_matrix((size, size), dtype=np.float32)
    matrix = matrix[:, chosen].tocsr()
    shared = shared_buyers(matrix)
    penalty = min(RIDGE, LEAST_KNOWN * count[chosen].mean()) if ridge is None else ridge
    shared[np.diag_indices_from(shared)] += penalty
    factor, _ = lapack.dpotrf(shared, lower=1, overwrite_a=1)
    inverse, _ = lapack.dpotri(factor, lower=1, overwrite_c=1)
    inverse += np.tril(inverse, -1).T  # the upper half was left empty
    parts = [_strongest(inverse, start) for start in range(0, len(chosen), BLOCK)]
    rows, columns, values = (np.concatenate(part) for part in zip(*parts, strict=True))
    return sparse.csr_matrix((values, (chosen[rows], chosen[columns])), shape=(size, size), dtype=np.float32)


def _buyers(past: Interactions) -> Any:
    """Buyers by products, 1 where bought: each customer, and each order of nobody known, is a buyer."""
    from scipy import sparse

    order, product = past.guests
    rows = np.concatenate([past.bought.customer, order + len(past.customers)])
    columns = np.concatenate([past.bought.product, product])
    shape = (len(past.customers) + int(order.max(initial=-1)) + 1, len(past.products))
    return sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=shape)


def shared_buyers(matrix: Any) -> FloatArray:
    """How many buyers (rows) each two products (columns) share."""
    turned, size = matrix.T.tocsr(), matrix.shape[1]
    shared = np.empty((size, size), order="F")
    for start in range(0, size, BLOCK):
        shared[start : start + BLOCK] = (turned[start : start + BLOCK] @ matrix).toarray()
    return shared


def _strongest(inverse: FloatArray, start: int) -> tuple[Any, Any, FloatArray]:
    """The strongest neighbours of the columns of one block."""
    columns = np.arange(start, min(start + BLOCK, len(inverse)))
    weights = -inverse[:, columns] / inverse[columns, columns]
    # The last digits of an inverse differ from machine to machine.
    weights = np.round(weights, 7)
    least = np.partition(weights, -min(NEIGHBOURS, len(weights)), axis=0)[-min(NEIGHBOURS, len(weights))]
    rows, found = np.nonzero((weights >= least) & (weights > 0))
    return rows, columns[found], weights[rows, found]


def log_likelihood_ratio(both: ArrayLike, one: ArrayLike, other: ArrayLike, whole: float) -> FloatArray:
    """Twice the log of the likelihood ratio against independence, from baskets with both, the one, the other, and all;
    0 where the two come together less often than by chance."""
    from scipy.special import xlogy

    n, a, b = (np.asarray(each, dtype=np.float64) for each in (both, one, other))
    cells = (n, a - n, b - n, whole - a - b + n)
    chance = (a * b, a * (whole - b), (whole - a) * b, (whole - a) * (whole - b))
    ratio = sum(
        xlogy(cell, cell * whole) - xlogy(cell, by_chance) for cell, by_chance in zip(cells, chance, strict=True)
    )
    return np.asarray(np.where(n * whole > a * b, np.maximum(2 * ratio, 0.0), 0.0))


def pairs(facts: Snapshot, days: Any, products: pa.Array) -> pa.Table:
    """Pairs that were bought in one order or on one day more often than by chance, in both directions, the strongest
    first: `product_id`, `other_id`, `baskets` with both, `share` of the baskets with the product that have the other,
    `lift` (times as often as by chance), `likelihood_ratio`, `score`."""
    import pyarrow as pa

    baskets = days.select("product_id", "age", who=days.customer_id.fill_null(""), what=days.document.fill_null(""))
    alone = baskets.group_by("product_id").aggregate(baskets=baskets.count())
    other = baskets.view()
    same = [baskets[name] == other[name] for name in ("who", "what", "age")]
    joined = baskets.join(other, [*same, baskets.product_id < other.product_id])
    joined = joined.select(one=baskets.product_id, other=other.product_id)
    counted = joined.group_by("one", "other").aggregate(both=joined.count())
    found, sizes = facts.arrow(counted.filter(counted.both >= LEAST_PAIRS)), facts.arrow(alone)
    whole = facts.arrow(baskets.select("who", "what", "age").distinct().count().as_table()).column(0)[0].as_py()
    count = np.zeros(len(products))
    count[codes(sizes["product_id"], products)] = sizes["baskets"].to_numpy()
    i, j, both = codes(found["one"], products), codes(found["other"], products), found["both"].to_numpy().astype(float)
    i, j, both = np.concatenate([i, j]), np.concatenate([j, i]), np.concatenate([both, both])
    ratio = log_likelihood_ratio(both, count[i], count[j], whole)
    score = both / np.sqrt(count[i] * count[j]) * both / (both + SHRINKAGE)
    order = np.lexsort((j, -score, i))
    order = order[ratio[order] >= SIGNIFICANT]
    i, j, both, ratio, score = i[order], j[order], both[order], ratio[order], score[order]
    return pa.table({
        "product_id": products.take(pa.array(i)), "other_id": products.take(pa.array(j)),
        "baskets": both.astype(np.int64), "share": both / count[i], "lift": both * whole / (count[i] * count[j]),
        "likelihood_ratio": ratio, "score": score,
    })  # fmt: skip
