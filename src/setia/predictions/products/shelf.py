"""From tables of products to one row per customer: what they should see first, run out of next, might subscribe to."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


def first(recommended: pa.Table) -> pa.Table:
    """`customer_id`, `recommended_product` and why: `recommended_kind`, `recommended_because` (a product)."""
    import pyarrow.compute as pc

    best = recommended.filter(pc.equal(recommended["rank"], 1))
    best = best.select(["customer_id", "product_id", "kind", "because_product_id"])
    return best.rename_columns(["customer_id", "recommended_product", "recommended_kind", "recommended_because"])


def refills(recommended: pa.Table, as_of: dt.date) -> pa.Table:
    """`customer_id`, `refill_product`: the likeliest of those that are bought again, and `refill_day`, when a mean gap
    will have passed, today where it has."""
    import pyarrow as pa
    import pyarrow.compute as pc

    again = _first_of_each(
        recommended.filter(pc.and_(pc.equal(recommended["kind"], "again"), pc.is_valid(recommended["interval_days"])))
    )
    left = pc.round(pc.max_element_wise(pc.subtract(again["interval_days"], again["days_since"]), 0))
    # What is known reaches to the day before: a gap that ends with it is due today.
    since_1970 = pc.add(left.cast(pa.int32()), (as_of - dt.date(1970, 1, 2)).days)
    since_1970 = pc.max_element_wise(since_1970, (as_of - dt.date(1970, 1, 1)).days)
    return pa.table(
        {
            "customer_id": again["customer_id"],
            "refill_product": again["product_id"],
            "refill_day": since_1970.cast(pa.int32()).cast(pa.date32()),
        }
    )


def subscribing(candidates: pa.Table) -> pa.Table:
    """`customer_id`, and of the product that they spend most on regularly `subscribe_product`, `subscribe_weeks` and
    `subscribe_saving` (a year)."""
    best = _first_of_each(candidates).select(["customer_id", "product_id", "interval_weeks", "yearly_saving"])
    return best.rename_columns(["customer_id", "subscribe_product", "subscribe_weeks", "subscribe_saving"])


def _first_of_each(rows: pa.Table) -> pa.Table:
    """The first row of each customer."""
    import numpy as np

    codes = rows["customer_id"].combine_chunks().dictionary_encode().indices.to_numpy()
    return rows.take(np.sort(np.unique(codes, return_index=True)[1]))
