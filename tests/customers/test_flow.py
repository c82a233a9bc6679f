"""Stages from month to month and the RFM map: worked by hand on a shop of five."""

from __future__ import annotations

import datetime as dt
from typing import Any

from setia.customers.flow import rfm_map, stage_flow
from setia.history.scope import Scope

AS_OF = dt.date(2024, 5, 10)
SCOPE = Scope(AS_OF, "USD", "UTC")


def orders(*placed: tuple[str, str]) -> list[dict[str, Any]]:
    return [
        {"order_id": str(n), "document_id": str(n), "customer_id": who, "total": 10, "currency": "USD",
         "day": dt.date.fromisoformat(f"2024-{day}")}
        for n, (who, day) in enumerate(placed)
    ]  # fmt: skip


SHOP = orders(
    ("a", "01-05"), ("a", "02-04"), ("a", "03-05"), ("a", "04-04"), ("a", "05-04"),
    ("b", "01-05"), ("c", "03-20"), ("c", "04-15"), ("d", "04-20"),
)  # fmt: skip


def test_flow(reader_of):
    reader = reader_of(orders=SHOP)
    flow = stage_flow(reader, SCOPE)
    months = [dt.date(2024, n, 1) for n in (2, 3, 4, 5)]
    assert sorted({row["month"] for row in flow.sizes}) == months, "whole months since the first order"
    april = {(row["before"], row["after"]): row["customers"] for row in flow.moves if row["month"] == months[2]}
    # On 1 April a has bought three times and c once; on 1 May a four times, c twice, d once. b was silent from January.
    assert april[None, "activation"] == 1
    assert april["activation", "retention"] == 1
    assert april["retention", "loyalty"] == 1
    assert sum(april.values()) == 4
    assert {row["customers"] for row in flow.sizes if row["month"] == months[0]} == {2}


def test_whoever_is_counted_at_the_end_of_a_month_was_at_its_beginning_or_is_new(reader_of):
    flow = stage_flow(reader_of(orders=SHOP), SCOPE)
    for month in sorted({row["month"] for row in flow.moves}):
        before = sum(row["customers"] for row in flow.sizes if row["month"] == month)
        moved = [row for row in flow.moves if row["month"] == month]
        assert sum(row["customers"] for row in moved if row["before"] is not None) == before
        after = (month + dt.timedelta(days=31)).replace(day=1)
        assert sum(row["customers"] for row in moved) == sum(
            row["customers"] for row in flow.sizes if row["month"] == after
        )


def test_a_shop_without_a_whole_month_has_no_flow(reader_of):
    assert stage_flow(reader_of(orders=orders(("a", "05-02"))), SCOPE).sizes == []
    assert stage_flow(reader_of(), SCOPE).moves == []


def test_the_map(reader_of):
    found = rfm_map(reader_of(orders=SHOP), SCOPE)
    assert sum(row["customers"] for row in found.places) == 4
    assert sum(row["net_revenue"] for row in found.places) == 90
    (best,) = [row for row in found.places if row["group"] == "champions"]
    assert (best["recency"], best["together"], best["net_revenue"]) == (5, 5, 50)
    assert sum(row["customers"] for row in found.moves) == 4
    assert [row["after"] for row in found.moves if row["before"] is None], "d had not bought a month ago"
    assert rfm_map(reader_of(), SCOPE).places == []
