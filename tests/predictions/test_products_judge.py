"""The judge against other people's formulas and a shop by hand; what it says of a real shop."""

from __future__ import annotations

import datetime as dt
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


def shop(reader_of: Any, bought: list[tuple[str, int, str]]) -> Any:
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
    return reader_of(orders=orders, order_lines=lines)


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


def test_nobody_bought_since(reader_of):
    with pytest.raises(NobodyToJudge, match="in the 30 days after it"):
        judge(shop(reader_of, [("x", 50, "tea"), ("y", 9, "tea")]), SCOPE)


GOODS = "regexp_matches(StockCode, '^[0-9]{5}') and UnitPrice > 0"
"""Neither postage nor corrections."""


@pytest.mark.data
@pytest.mark.slow
def test_better_than_simple_rules_in_a_real_shop(reader_of, data_set):
    """Online Retail, three windows: new products found by more than the simple rules, and more of everything."""
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
    for as_of, least, least_new in ((dt.date(2011, 12, 9), 0.35, 0.14), (dt.date(2011, 8, 11), 0.37, 0.13)):
        found = judge(reader, Scope(as_of, "GBP", "Europe/London"))
        ndcg = {(row.ranker, row.products): row.ndcg_10 for row in found.rows}
        assert ndcg["ours", "all"] > least
        assert ndcg["ours", "new"] > least_new
        for name in ("item_item", "popularity", "repeat"):
            assert ndcg["ours", "all"] > ndcg[name, "all"], name
            assert ndcg["ours", "new"] > 1.15 * ndcg[name, "new"], name
        assert found.expected == pytest.approx(found.happened, rel=0.2), "chances are about right"
