"""What goes with what against SciPy, regressions solved one by one, and baskets counted by hand."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency

from setia.history.scope import Scope
from setia.predictions.products.complements import complements, lacking
from setia.predictions.products.interactions import product_days, read
from setia.predictions.products.recommend import Recommender
from setia.predictions.products.rules import Rules
from setia.predictions.products.together import LEAST_BUYERS, log_likelihood_ratio, neighbours, pairs

AS_OF = dt.date(2025, 7, 1)
SCOPE = Scope(AS_OF, "USD", "UTC")


def shop(reader_of: Any, bought: list[tuple[str | None, int, str]], **more: Any) -> Any:
    """Orders given as customer (None: nobody known), days before the last day, and products with spaces between."""
    orders = [
        {"order_id": f"o{n}", "document_id": f"o{n}", "customer_id": who, "total": 10, "currency": "USD",
         "day": AS_OF - dt.timedelta(days=age + 1)}
        for n, (who, age, _) in enumerate(bought)
    ]  # fmt: skip
    lines = [
        {"order_id": f"o{n}", "document_id": f"o{n}", "product_id": product, "quantity": 1, "amount": 5}
        for n, (_, _, products) in enumerate(bought)
        for product in products.split()
    ]
    return reader_of(orders=orders, order_lines=lines, **more)


@given(st.lists(st.integers(1, 400), min_size=4, max_size=4))
@settings(max_examples=80)
def test_the_ratio_is_that_of_scipy(cells):
    both, one_only, other_only, neither = cells
    whole = sum(cells)
    found = float(log_likelihood_ratio(both, both + one_only, both + other_only, whole))
    table = [[both, one_only], [other_only, neither]]
    if both * whole > (both + one_only) * (both + other_only):
        expected = chi2_contingency(table, correction=False, lambda_="log-likelihood").statistic
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-6)
    else:
        assert found == 0, "less often than by chance"


def test_ratio_of_a_pair_that_is_always_together():
    """2 (n log n - k log k - (n - k) log(n - k)) for k of n: by hand with k = 10, n = 100."""
    by_hand = 2 * (100 * np.log(100) - 10 * np.log(10) - 90 * np.log(90))
    assert float(log_likelihood_ratio(10, 10, 10, 100)) == pytest.approx(by_hand)


BASKETS: list[tuple[str | None, int, str]] = [
    *[(f"c{n:02}", 10, "bread butter") for n in range(10)],
    *[(None, 10, "bread butter") for _ in range(5)],
    *[(f"d{n:02}", 12, "bread") for n in range(5)],
    *[(f"e{n:02}", 12, "tea") for n in range(40)],
    ("f00", 3, "tea"), ("f00", 3, "rare odd"),  # two orders on one day: one basket
]  # fmt: skip


def test_pairs_by_hand(reader_of):
    """61 baskets: 20 with bread, 15 with butter, all of these with both; a pair seen once is none."""
    reader = shop(reader_of, BASKETS)
    past = read(reader, SCOPE, 30)
    found = pairs(reader, product_days(reader, SCOPE), past.products).to_pylist()
    assert [(row["product_id"], row["other_id"]) for row in found] == [("bread", "butter"), ("butter", "bread")]
    first, second = found
    assert (first["baskets"], first["share"], second["share"]) == (15, 0.75, 1.0)
    assert first["lift"] == pytest.approx(15 * 61 / (20 * 15))
    assert first["score"] == pytest.approx(15 / np.sqrt(20 * 15) * 15 / (15 + 30))
    expected = chi2_contingency([[15, 5], [0, 41]], correction=False, lambda_="log-likelihood").statistic
    assert first["likelihood_ratio"] == pytest.approx(expected)


def test_rare_pairs_do_not_win(reader_of):
    """Three who alone bought two things say less than forty of fifty."""
    rows: list[tuple[str | None, int, str]] = [(f"a{n}", 5, "pen ink") for n in range(40)]
    rows += [(f"b{n}", 5, "pen") for n in range(10)]
    rows += [(f"x{n}", 5, "pen rare") for n in range(3)]
    rows += [(f"y{n}", 5, "cup") for n in range(60)]
    fitted = Recommender().fit(shop(reader_of, rows), SCOPE)
    assert fitted.together("pen")["product_id"].to_pylist() == ["ink"], "3 with `rare` may be chance"
    assert fitted.together("unknown").num_rows == 0
    assert fitted.together("ink").to_pylist()[0]["product_id"] == "pen"


def test_neighbours_are_ridge_regressions(reader_of):
    """Each column is what the others say of it in a regression without itself, solved one by one."""
    draw = np.random.default_rng(3)
    has = draw.random((80, 6)) < draw.random(6)
    has[:, 1] |= has[:, 0] & (draw.random(80) < 0.7)
    rows: list[tuple[str | None, int, str]] = []
    for n, row in enumerate(has):
        products = " ".join(f"p{j}" for j in np.flatnonzero(row))
        if products:
            rows.append((None if n % 4 == 0 else f"c{n:02}", 5, products))
    past = read(shop(reader_of, rows), SCOPE, 30)
    found = neighbours(past, ridge=7.0).toarray()
    assert has.sum(axis=0).min() >= LEAST_BUYERS
    x = has[has.any(axis=1)].astype(float)
    for j in range(6):
        others = np.delete(np.arange(6), j)
        a = x[:, others]
        weights = np.linalg.solve(a.T @ a + 7.0 * np.eye(5), a.T @ x[:, j])
        assert found[others, j] == pytest.approx(np.maximum(weights, 0), abs=1e-5)
        assert found[j, j] == 0


def test_in_the_cart(reader_of):
    rows: list[tuple[str | None, int, str]] = [(f"a{n:02}", 5, "pen ink") for n in range(30)]
    rows += [(f"b{n:02}", 5, "cup tea") for n in range(20)]
    rows += [(f"d{n:02}", 5, "salt") for n in range(25)]
    rows += [("z", 5, "tea"), ("z", 200, "old pen"), ("y", 201, "old pen"), ("x", 202, "old pen")]
    fitted = Recommender(Rules(exclude=("salt",))).fit(shop(reader_of, rows), SCOPE)
    first, *rest = fitted.with_cart(["pen"], most=9).to_pylist()
    assert (first["product_id"], first["kind"], first["because_product_id"]) == ("ink", "together", "pen")
    # 33 buyers of pen, 30 of ink with it; the penalty is three times the buyers of a product on the mean.
    assert first["score"] == pytest.approx(30 / (33 + 3 * (33 + 30 + 20 + 21 + 25 + 3) / 6), rel=0.01)
    assert [(row["product_id"], row["kind"]) for row in rest] == [("tea", "popular"), ("cup", "popular")]
    assert {row["because_product_id"] for row in rest} == {None}
    both = fitted.with_cart(["pen", "cup", "nothing known"]).to_pylist()
    assert {row["product_id"]: row["because_product_id"] for row in both} == {"ink": "pen", "tea": "cup"}
    assert fitted.with_cart([], most=2)["product_id"].to_pylist() == ["ink", "pen"], "popular, of equals by name"


def test_owners_of_the_machine_need_the_coffee(reader_of):
    """30 own a machine; 20 of them then bought coffee twice, 5 had done so before; 5 lack it."""
    rows: list[tuple[str | None, int, str]] = []
    rows += [(f"m{n:02}", 50, "machine") for n in range(30)]
    for n in range(25):
        start = 49 if n < 19 else 50 if n == 19 else 90
        rows += [(f"m{n:02}", start, "coffee"), (f"m{n:02}", start - 20, "coffee")]
    rows += [(f"t{n:02}", age, "tea") for n in range(70) for age in (40, 20)]
    rows += [("m26", 3, "tea"), ("m28", 5, "cup")]
    rows += [(f"t{n:02}", age, product) for n in range(15) for product in ("bread", "jam") for age in (35, 25)]
    reader = shop(
        reader_of, rows,
        returns=[{"return_id": "r", "document_id": "r", "customer_id": "m29", "product_id": "coffee", "amount": 5,
                  "quantity": 1, "day": AS_OF - dt.timedelta(days=9), "currency": "USD"}],
    )  # fmt: skip
    found = complements(reader, SCOPE)
    assert [(row["product_id"], row["complement_id"], row["support"]) for row in found.to_pylist()] == [
        ("machine", "coffee", 20)
    ], "not the other way round, no tea, and no jam for bread that is bought again as well"
    only = found.to_pylist()[0]
    assert only["share"] == pytest.approx(20 / 30)
    assert only["lift"] == pytest.approx(20 * 100 / (30 * 25))
    expected = chi2_contingency([[20, 10], [5, 65]], correction=False, lambda_="log-likelihood").statistic
    assert only["likelihood_ratio"] == pytest.approx(expected)
    fitted = Recommender().fit(reader, SCOPE)
    told = lacking(fitted, found)
    assert told["customer_id"].to_pylist() == ["m25", "m26", "m27", "m28"], "m29 sent coffee back"
    assert set(told["complement_id"].to_pylist()) == {"coffee"}
    assert lacking(Recommender(Rules(exclude=("coffee",))).fit(reader, SCOPE), found).num_rows == 0
