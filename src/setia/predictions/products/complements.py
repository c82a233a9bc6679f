"""Products that owners of another product buy after it and again, as who has the machine needs the coffee."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from setia.history.scope import Scope
from setia.predictions.products.interactions import codes, numbers, product_days, purchases
from setia.predictions.products.known import rank
from setia.predictions.products.recommend import Recommender
from setia.predictions.products.together import SIGNIFICANT, log_likelihood_ratio

if TYPE_CHECKING:
    import pyarrow as pa

    from setia.warehouse.snapshot import Snapshot

LEAST_SUPPORT = 10
DURABLE = 0.5
"""The owned product is bought again by at most this part of the share of buyers who buy the complement again."""


def complements(facts: Snapshot, scope: Scope, least_support: int = LEAST_SUPPORT) -> pa.Table:
    """Pairs of a product and what its owners then buy again, the highest share first.

    `product_id`, `complement_id`, `support` (customers who first bought the complement on the product's first day or
    later, and bought it again), `share` of the product's owners, `lift` (times as often as all customers buy it again),
    `likelihood_ratio`. What owners buy again themselves is no such product, and pairs that may be chance are left out.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    pairs = purchases(product_days(facts, scope), "customer_id", "product_id")
    pairs = facts.kept(pairs.select("customer_id", "product_id", "times", "first"))
    alone = pairs.group_by("product_id").aggregate(owners=pairs.count(), repeaters=pairs.count(where=pairs.times > 1))
    then = pairs.filter(pairs.times > 1).view()
    follows = [pairs.customer_id == then.customer_id, pairs.product_id != then.product_id, pairs.first >= then.first]
    joined = pairs.join(then, follows).select(product_id=pairs.product_id, complement_id=then.product_id)
    counted = joined.group_by("product_id", "complement_id").aggregate(support=joined.count())
    counted = counted.filter(counted.support >= least_support)
    own, other = alone.view(), alone.view()
    told = counted.join(own, counted.product_id == own.product_id).select(
        counted, own_count=own.owners, own_again=own.repeaters
    )
    told = told.join(other, told.complement_id == other.product_id).select(
        told, other_count=other.owners, other_again=other.repeaters
    )
    found = facts.arrow(told)
    whole = facts.arrow(pairs.select("customer_id").distinct().count().as_table()).column(0)[0].as_py()
    support, owners, again, buyers, repeaters = (
        numbers(found[name]) for name in ("support", "own_count", "own_again", "other_count", "other_again")
    )
    ratio = log_likelihood_ratio(support, owners, repeaters, whole)
    kept = (ratio >= SIGNIFICANT) & (again / owners <= DURABLE * repeaters / buyers)
    table = pa.table({
        "product_id": found["product_id"], "complement_id": found["complement_id"], "support": found["support"],
        "share": support / owners, "lift": support * whole / (owners * repeaters), "likelihood_ratio": ratio,
    }).filter(pa.array(kept))  # fmt: skip
    by = [("share", "descending"), ("product_id", "ascending"), ("complement_id", "ascending")]
    return table.take(pc.sort_indices(table, sort_keys=by))


def lacking(fitted: Recommender, found: pa.Table, most: int = 1) -> pa.Table:
    """Customers who own a product and never bought its complement, as far as the rules let it be shown to them.

    `customer_id`, `rank`, `product_id` they own, `complement_id`, and its `share` and `lift`: the highest share first.
    """
    import pyarrow as pa

    known, past = fitted.known_, fitted.known_.past
    own = known.own.tocsc()
    product, complement = codes(found["product_id"], past.products), codes(found["complement_id"], past.products)
    column = np.searchsorted(known.columns, complement)
    barred = known.barred.tocsc()
    customers: list[Any] = [np.zeros(0, int)]
    pair: list[Any] = [np.zeros(0, int)]
    for n in np.flatnonzero(np.isin(complement, known.columns)):
        has = np.concatenate([own[:, [complement[n]]].indices, barred[:, [column[n]]].indices])
        who = np.setdiff1d(own[:, [product[n]]].indices, has)
        customers.append(who)
        pair.append(np.full(len(who), n))
    who, of = np.concatenate(customers), np.concatenate(pair)
    # A complement once, for the product that speaks most for it: pairs are in order of their share.
    order = np.lexsort((of, complement[of], who))
    first = np.append(True, (np.diff(who[order]) != 0) | (np.diff(complement[of[order]]) != 0))[: len(order)]
    order = order[first]
    order = order[np.lexsort((of[order], who[order]))]
    order = order[rank(who[order]) <= most]
    who, of = who[order], of[order]
    chosen = found.select(["product_id", "complement_id", "share", "lift"]).take(pa.array(of))
    chosen = chosen.add_column(0, "rank", [pa.array(rank(who))])
    return chosen.add_column(0, "customer_id", [past.customers.take(pa.array(who))])
