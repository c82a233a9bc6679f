"""The judge against other people's formulas and a shop by hand; what it says of a real shop."""

from __future__ import annotations

import datetime as dt
import random
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.metrics import ndcg_score

from setia.history.scope import Scope
from setia.predictions.products.judge import RANKERS, NobodyToJudge, _judged, judge
from setia.predictions.products.known import best
from setia.predictions.products.recommend import Recommender
from setia.predictions.products.rules import Rules

AS_OF = dt.date(2025, 7, 1)
SCOPE = Scope(AS_OF, "USD", "UTC")


def test_figures_by_scikit_learn_and_by_definition():
    draw = np.random.default_rng(6)
    wanted = (draw.random((40, 30)) < 0.08).astype(float)
    key = draw.random((40, 30))
    known: Any = SimpleNamespace(
        columns=np.arange(30), rows_of_block=lambda: 7, past=SimpleNamespace(products=[None] * 40)
    )
    found = _judged("ours", "all", known, lambda who: best(key[who], 10), sparse.csr_matrix(wanted))
    buyers = wanted.any(axis=1)
    ranked = np.argsort(-key[buyers], axis=1)
    hits = np.take_along_axis(wanted[buyers], ranked, axis=1)
    assert found.customers == buyers.sum() < 40
    assert found.hit_rate_5 == pytest.approx((hits[:, :5].sum(axis=1) > 0).mean())
    assert found.precision_5 == pytest.approx(hits[:, :5].mean())
    assert found.recall_10 == pytest.approx((hits[:, :10].sum(axis=1) / wanted[buyers].sum(axis=1)).mean())
    assert found.ndcg_10 == pytest.approx(ndcg_score(wanted[buyers], key[buyers], k=10))
    assert found.coverage == pytest.approx(len(np.unique(ranked[:, :10])) / 40)


def shop(reader_of: Any, bought: list[tuple[str, int, str]], **more: Any) -> Any:
    orders = [
        {"order_id": f"o{n}", "customer_id": who, "total": 10, "currency": "USD",
         "day": AS_OF - dt.timedelta(days=age + 1)}
        for n, (who, age, _) in enumerate(bought)
    ]  # fmt: skip
    lines = [
        {"order_id": f"o{n}", "document_id": f"o{n}", "product_id": product, "quantity": 1, "amount": 5}
        for n, (_, _, products) in enumerate(bought)
        for product in products.split()
    ]
    return reader_of(orders=orders, order_lines=lines, **more)


def test_by_hand(reader_of):
    """Ten buy tea as ever, one for the first time, after cups; who comes for the first time is judged nowhere."""
    rows = [(f"c{n:02}", age, "tea") for n in range(40) for age in (100, 70, 40)]
    rows += [(f"d{n:02}", 50, "cup tea") for n in range(10)] + [("e", 50, "cup")]
    rows += [(f"c{n:02}", 10, "tea") for n in range(10)] + [("e", 5, "tea"), ("new", 4, "tea"), ("c39", 3, "newest")]
    reader = shop(reader_of, rows)
    found = judge(reader, SCOPE)
    assert (found.day, found.horizon) == (AS_OF - dt.timedelta(days=30), 30)
    rows_of = {(row.ranker, row.products): row for row in found.rows}
    assert set(rows_of) == {(name, which) for name in RANKERS for which in ("all", "new")}
    everything, new = rows_of["ours", "all"], rows_of["ours", "new"]
    assert (everything.customers, everything.hit_rate_5) == (11, 1.0)
    assert everything.ndcg_10 == pytest.approx((10 + 1 / np.log2(3)) / 11), "one is shown the cup first, and then tea"
    assert everything.precision_5 == pytest.approx(1 / 5)
    assert (new.customers, new.hit_rate_5, new.recall_10, new.coverage) == (1, 1.0, 1.0, 0.5)
    assert found.happened == 11
    told = Recommender().fit(reader, SCOPE.at(found.day)).for_customers()
    assert found.expected == pytest.approx(sum(told["score"].to_pylist()))


def test_the_same_rules_for_all(reader_of):
    rows = [(f"c{n:02}", age, "tea") for n in range(40) for age in (100, 70, 40, 10)]
    found = judge(shop(reader_of, rows), SCOPE, rules=Rules(exclude=("tea",)))
    assert {row.hit_rate_5 for row in found.rows} == {0.0}


def test_visits_help_where_they_tell(reader_of):
    """Everybody looks at one product and buys it a few days later, half of the time."""
    r = random.Random(8)
    rows, viewed = [], []
    for n in range(200):
        rows += [(f"c{n:03}", r.randint(60, 150), f"p{r.randrange(40):02}") for _ in range(3)]
        for age in (53, 32, 3):
            product = f"p{r.randrange(40):02}"
            viewed.append({"event_id": f"e{n}-{age}", "customer_id": f"c{n:03}", "name": "Product Viewed",
                           "product_id": product, "day": AS_OF - dt.timedelta(days=age + 1)})  # fmt: skip
            if age > 3 and r.random() < 0.5:
                rows.append((f"c{n:03}", age - 8, product))
    blind, seeing = (
        {row.products: row for row in judge(shop(reader_of, rows, **more), SCOPE).rows if row.ranker == "ours"}
        for more in ({}, {"events": viewed})
    )
    assert seeing["new"].hit_rate_5 > 0.9
    assert blind["new"].hit_rate_5 < 0.5


def test_nobody_bought_since(reader_of):
    with pytest.raises(NobodyToJudge, match="in the 30 days after it"):
        judge(shop(reader_of, [("x", 50, "tea"), ("y", 9, "tea")]), SCOPE)


GOODS = "regexp_matches(StockCode, '^[0-9]{5}') and UnitPrice > 0"
"""Neither postage nor corrections."""


@pytest.mark.data
@pytest.mark.slow
def test_better_than_simple_rules_in_a_real_shop(reader_of, data_set):
    """Online Retail before Christmas: more of what was then bought, and far more of what was new to the customer."""
    lines = (
        f"from read_parquet('{data_set('online_retail.parquet')}') where {GOODS} and not starts_with(InvoiceNo, 'C')"
    )
    day = "min(InvoiceDate) over (partition by InvoiceNo)::date"
    reader = reader_of(
        orders=f"select distinct InvoiceNo as order_id, CustomerID::varchar as customer_id, {day} as day, 1 as total, "
        f"'GBP' as currency {lines} and Quantity > 0",
        order_lines=f"select InvoiceNo as document_id, InvoiceNo as order_id, StockCode as product_id, Quantity as "
        f"quantity, Quantity * UnitPrice as amount {lines}",
    )
    found = judge(reader, Scope(dt.date(2011, 12, 9), "GBP", "Europe/London"))
    ndcg = {(row.ranker, row.products): row.ndcg_10 for row in found.rows}
    assert ndcg["ours", "all"] > 0.34
    assert ndcg["ours", "new"] > 0.14
    for name in ("item_item", "popularity", "repeat"):
        assert ndcg["ours", "all"] > 1.04 * ndcg[name, "all"], name
        assert ndcg["ours", "new"] > 1.4 * ndcg[name, "new"], name
    assert found.expected == pytest.approx(found.happened, rel=0.2), "chances are about right"
