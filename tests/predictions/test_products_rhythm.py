"""Buying again against simulations and other optimisers; who might subscribe, by hand."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize, minimize_scalar

from setia.history.scope import Scope
from setia.predictions.products.blend import FIRMNESS, LEAST_BOUGHT, LOOSE, learnt, log_odds, probability
from setia.predictions.products.interactions import Purchases
from setia.predictions.products.rhythm import (
    BadDiscount,
    BuyingAgain,
    _drawn,
    _followed,
    subscription_candidates,
)

AS_OF = dt.date(2025, 7, 1)
SCOPE = Scope(AS_OF, "USD", "UTC")


def purchases(*each: tuple[int, list[int]]) -> Purchases:
    """Purchases of one customer each, as product and ages in days, the oldest first."""
    gaps = [-np.diff(ages) for _, ages in each]
    columns = (
        range(len(each)), [product for product, _ in each], [len(ages) for _, ages in each],
        [ages[0] for _, ages in each], [ages[-1] for _, ages in each],
    )  # fmt: skip
    whole = (np.array(column, np.int32) for column in columns)
    logs = (np.array([float((np.log(g) ** power).sum()) for g in gaps]) for power in (1, 2))
    return Purchases(*whole, *logs)


def test_chance_by_brute_force():
    """A million customers of a known split population, those who bought in the meantime left out."""
    rhythm = BuyingAgain()
    rhythm.mean_, rhythm.variance_ = np.array([3.2]), np.array([0.25])
    rhythm.again_ = np.array([[0.6, 0.7, 0.8, 0.9]])
    draw = np.random.default_rng(1)
    for silent in (0, 12, 30, 90):
        gap = np.where(draw.random(1_000_000) < 0.6, draw.lognormal(3.2, 0.5, 1_000_000), np.inf)
        left = gap > silent + 0.5
        expected = float((gap[left] <= silent + 30.5).mean())
        assert rhythm.chance(purchases((0, [silent])), 30)[0] == pytest.approx(expected, abs=3e-3), silent


def test_chance_is_highest_when_it_is_due():
    regular = [(0, [400 - 30 * n for n in range(12)])] * 30
    rhythm = BuyingAgain().fit(purchases(*regular), 1)
    ages = [[400 - 30 * n + shift for n in range(12)] for shift in (-69, -52, -40, 100)]
    soon, nearly, now, gone = rhythm.chance(purchases(*[(0, each) for each in ages]), 10)
    assert now > nearly > soon
    assert now > 0.6
    assert gone < 0.2, "silent for 170 days after gaps of 30"


def test_found_again_from_simulated_customers():
    """Sixty in a hundred buy a second time, watched for long enough."""
    draw = np.random.default_rng(2)
    rows = []
    for _ in range(6000):
        ages = [float(draw.uniform(600, 900))]
        while draw.random() < 0.6:
            ages.append(ages[-1] - max(1.0, draw.lognormal(3, 0.6)))
        rows.append((0, [int(age) for age in ages if age >= 0]))
    rhythm = BuyingAgain().fit(purchases(*[(p, a) for p, a in rows if all(np.diff(a) < 0)]), 1)
    assert rhythm.again_[0] == pytest.approx(0.6, abs=0.03)
    assert (rhythm.mean_[0], rhythm.variance_[0]) == pytest.approx((3, 0.36), rel=0.06)


@given(st.lists(st.floats(0.01, 0.99), min_size=1, max_size=12), st.integers(0, 30), st.floats(0.1, 0.9))
@settings(max_examples=40)
def test_repeat_probability_is_the_likeliest(passed, followed, prior):
    """The same as the highest posterior of a binomial with some still open, found by another optimiser."""
    weight = 5.0

    def loss(again):
        seen = followed * np.log(again) + np.log1p(-again * np.array(passed)).sum()
        return -(seen + weight * prior * np.log(again) + weight * (1 - prior) * np.log1p(-again))

    best = minimize_scalar(loss, bounds=(1e-6, 1 - 1e-6), method="bounded", options={"xatol": 1e-10}).x
    again = np.array([prior])
    cell = np.zeros(len(passed), int)
    found = _followed(np.array([float(followed)]), cell, np.array(passed), again, weight)[0]
    assert loss(found) == pytest.approx(loss(min(best, 0.99)), abs=2e-3)


def test_gaps_are_drawn_towards_the_products():
    """Three gaps of 10 days against a usual of 40: halfway between the logs, with the product's weight of three."""
    rhythm = BuyingAgain()
    rhythm.mean_, rhythm.variance_ = np.array([np.log(40)]), np.array([0.5])
    assert rhythm.gap(purchases((0, [30, 20, 10, 0]))) == pytest.approx(np.exp((np.log(10) + np.log(40)) / 2))
    assert rhythm.gap(purchases((0, [5]))) == pytest.approx(40)
    assert rhythm.due(purchases((0, [32, 0]), (0, [72, 40]), (0, [400]))).tolist() == [False, True, False]


def test_drawn_mean_and_variance_by_definition():
    logs = np.log([10.0, 20.0, 30.0])
    mean, variance = _drawn(np.array([3.0]), np.array([logs.sum()]), np.array([(logs**2).sum()]), 2.0, 1.0, 0.5)
    assert mean[0] == pytest.approx((logs.sum() + 2 * 1.0) / 5)
    assert variance[0] == pytest.approx((((logs - mean[0]) ** 2).sum() + 2 * 0.5) / 5)


def test_weights_are_the_most_probable():
    """Against SciPy's optimiser on the same posterior; too few purchases leave them as they were."""
    draw = np.random.default_rng(4)
    x = np.column_stack([np.ones(4000), draw.normal(-3, 2, 4000), draw.normal(0, 1, 4000), np.zeros(4000)])
    y = (draw.random(4000) < probability(x @ np.array([0.5, 1.2, -0.4, 0.0]))).astype(float)
    prior = np.array([-1.5, 0.3, 0.3, 0.7])
    firm = np.array([LOOSE, FIRMNESS, FIRMNESS, FIRMNESS])

    def loss(w):
        score = x @ w
        return (np.logaddexp(0, score) - y * score).sum() + (firm * (w - prior) ** 2).sum() / 2

    found = learnt(prior, x, y)
    assert found == pytest.approx(minimize(loss, prior, tol=1e-10).x, abs=1e-4)
    assert found[3] == pytest.approx(0.7), "what is not there keeps its weight"
    few = np.zeros(4000)
    few[: LEAST_BOUGHT - 1] = 1
    assert learnt(prior, x, few) is prior
    assert probability(log_odds(np.array([0.2, 0.5]))) == pytest.approx([0.2, 0.5])


def regular(who: str, product: str, ages: list[int], units: int = 2, amount: float = 20.0) -> list[Any]:
    return [(who, product, age, units, amount) for age in ages]


def test_who_might_subscribe(reader_of):
    rows = [
        *regular("monthly", "coffee", [88, 58, 30, 2]),
        *regular("weekly", "milk", [28, 21, 14, 7, 0], units=1, amount=3),
        *regular("twice", "coffee", [30, 0]),
        *regular("uneven", "coffee", [100, 95, 50, 40, 2]),
        *regular("stopped", "coffee", [190, 160, 130, 100]),
        *regular("daily", "milk", [3, 2, 1]),
        *regular("yearly", "tea", [730, 365, 0]),
    ]
    orders = [
        {"order_id": f"o{n}", "customer_id": who, "total": amount, "currency": "USD",
         "day": AS_OF - dt.timedelta(days=age + 1)}
        for n, (who, _, age, _, amount) in enumerate(rows)
    ]  # fmt: skip
    lines = [
        {"order_id": f"o{n}", "document_id": f"o{n}", "product_id": product, "quantity": units, "amount": amount}
        for n, (_, product, _, units, amount) in enumerate(rows)
    ]
    reader = reader_of(orders=orders, order_lines=lines)
    found = subscription_candidates(reader, SCOPE).to_pylist()
    assert [(row["customer_id"], row["product_id"]) for row in found] == [("monthly", "coffee"), ("weekly", "milk")]
    first, second = found
    gaps = np.array([30, 28, 28])
    assert first["mean_gap_days"] == pytest.approx(gaps.mean())
    assert first["gap_spread"] == pytest.approx(gaps.std() / gaps.mean())
    assert (first["interval_weeks"], first["units"], first["days_since"], first["purchase_days"]) == (4, 2, 2, 4)
    assert first["yearly_spend"] == pytest.approx(20 * 365 / 28)
    assert first["yearly_saving"] == pytest.approx(2 * 365 / 28)
    assert (second["interval_weeks"], second["units"]) == (1, 1)
    dearer = subscription_candidates(reader, SCOPE, discount=0.2)
    assert dearer["yearly_saving"][0].as_py() == pytest.approx(4 * 365 / 28)
    # As of before their third purchase nobody is regular yet.
    assert subscription_candidates(reader, SCOPE.at(AS_OF - dt.timedelta(days=200))).num_rows == 0
    with pytest.raises(BadDiscount, match="a share from 0 up to 1"):
        subscription_candidates(reader, SCOPE, discount=10)
