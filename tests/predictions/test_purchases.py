"""What holds for both purchase models: grouping, invariances, recovery, and agreement with integrals and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import beta, gamma

from setia.predictions.models.bg_nbd import BGNBD
from setia.predictions.models.mbg_nbd import MBGNBD
from setia.predictions.models.purchases import (
    SCALE,
    SHAPE,
    BadHistory,
    NoConvergence,
    PurchaseHistory,
    TooFewCustomers,
    maximise,
)

MODELS = [BGNBD, MBGNBD]
TRUTH = {"r": 0.6, "alpha": 18.0, "a": 0.7, "b": 4.0}


def simulate(model, customers, rng, days=365.0, ahead=0.0):
    """Histories at the end of `days` of customers who came in the first half of it, and their purchases afterwards."""
    p = model.get_params()
    T = days - rng.uniform(0, days / 2, customers)
    rate, leaving = rng.gamma(p["r"], 1 / p["alpha"], customers), rng.beta(p["a"], p["b"], customers)
    x, t_x, later, clock = np.zeros(customers), np.zeros(customers), np.zeros(customers), np.zeros(customers)
    active = np.arange(customers)
    if isinstance(model, MBGNBD):
        active = active[rng.random(customers) > leaving]
    while len(active):
        clock[active] += rng.exponential(1 / np.maximum(rate[active], 1e-300))
        active = active[clock[active] <= T[active] + ahead]
        before = active[clock[active] <= T[active]]
        x[before] += 1
        t_x[before] = clock[before]
        later[active] += clock[active] > T[active]
        active = active[rng.random(len(active)) > leaving[active]]
    return x, t_x, T, later


@pytest.fixture(scope="module", params=MODELS, ids=lambda model: model.__name__)
def case(request):
    """A fitted model of 3,000 simulated customers at day grain, and their histories."""
    rng = np.random.default_rng(7)
    x, t_x, T, _ = simulate(request.param.from_params(**TRUTH), 3_000, rng)
    T = np.ceil(T)
    t_x = np.minimum(np.ceil(t_x), T)
    return request.param().fit(x, t_x, T), (x, t_x, T)


def test_grouping_keeps_every_customer():
    x, t_x, T = [0, 2, 2, 0, 1, 2], [0, 5, 5, 0, 3, 4], [9, 9, 9, 9, 8, 9]
    history = PurchaseHistory.from_customers(x, t_x, T)
    rows = zip(
        history.frequency.tolist(),
        history.recencies[history.recency_index].tolist(),
        history.ages[history.age_index].tolist(),
        history.weights.tolist(),
        strict=True,
    )
    assert set(rows) == {(0, 0, 9, 2), (1, 3, 8, 1), (2, 4, 9, 1), (2, 5, 9, 2)}
    assert (history.customers, history.repeaters, history.purchases) == (6, 4, 7)
    assert history.mean_age == pytest.approx(53 / 6)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 6), st.integers(0, 3)), min_size=1, max_size=40))
def test_grouped_rows_mean_the_same_as_customers_one_by_one(customers):
    x = np.array([c[0] for c in customers])
    t_x = np.array([c[1] if c[0] else 0 for c in customers])
    T = t_x + [c[2] for c in customers]
    model = MBGNBD.from_params(**TRUTH)
    one_by_one = sum(model.log_likelihood(*row) for row in zip(x, t_x, T, strict=True))
    assert model.log_likelihood(x, t_x, T) == pytest.approx(one_by_one, rel=1e-12)


def test_too_few_customers_says_what_is_needed():
    with pytest.raises(TooFewCustomers) as caught:
        BGNBD().fit([1, 0, 2], [3, 0, 4], [9, 9, 9])
    assert "at least 30 customers, 10 of whom bought again; here are 3, of whom 2" in str(caught.value)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("customers", [0, 500])
def test_nobody_bought_again(model, customers):
    nothing = np.zeros(customers)
    with pytest.raises(TooFewCustomers):
        model().fit(nothing, nothing, nothing + 30)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ((1.5, 3, 9, 1), "whole number"),
        ((-1, 0, 9, 1), "whole number"),
        ((float("nan"), 3, 9, 1), "whole number"),
        ((1, 10, 9, 1), "between 0 and T"),
        ((1, 3, float("inf"), 1), "between 0 and T"),
        ((1, 0, 9, 1), "above 0 after a repeat purchase"),
        ((0, 3, 9, 1), "above 0 after a repeat purchase"),
        ((1, 3, 9, -1), "weight"),
        ((1, 3, 9, float("nan")), "weight"),
    ],
)
def test_impossible_history_names_the_row(row, reason):
    columns = np.array([(0, 0, 9, 1), (2, 5, 9, 1), row], dtype=float).T
    with pytest.raises(BadHistory, match=reason) as caught:
        PurchaseHistory.from_customers(*columns)
    assert caught.value.facts["row"] == 2


def test_columns_must_be_equally_long():
    with pytest.raises(BadHistory, match="equally long"):
        PurchaseHistory.from_customers([0, 1], [0, 1], [9])


def test_a_surface_without_a_top_is_an_error():
    def bottomless(parameters):
        return float("nan"), np.full(2, np.nan)

    with pytest.raises(NoConvergence):
        maximise(bottomless, np.array([1.0, 1.0]), [SHAPE, SCALE], 100.0)


def test_maximise_gives_the_normal_distribution_its_textbook_errors():
    sample = np.random.default_rng(3).normal(5.0, 2.0, 4_000)

    def mean_log_likelihood(parameters):
        mean, deviation = parameters
        z = (sample - mean) / deviation
        value = -np.log(deviation) - np.mean(z**2) / 2
        return value, np.array([np.mean(z) / deviation, (np.mean(z**2) - 1) / deviation])

    best = maximise(mean_log_likelihood, np.array([1.0, 1.0]), [SCALE, SCALE], len(sample))
    deviation = sample.std()
    np.testing.assert_allclose(best.parameters, [sample.mean(), deviation], rtol=1e-9)
    errors = deviation / np.sqrt([len(sample), 2 * len(sample)])
    np.testing.assert_allclose(best.standard_errors, errors, rtol=1e-4)


@pytest.mark.parametrize("scale", [1 / 7, 24, 24 * 60, 86_400])
def test_the_unit_of_time_changes_nothing(case, scale):
    model, (x, t_x, T) = case
    other = type(model)().fit(x, t_x * scale, T * scale)
    ours, theirs = model.params_, other.params_
    np.testing.assert_allclose([theirs.r, theirs.a, theirs.b], [ours.r, ours.a, ours.b], rtol=1e-6)
    assert theirs.alpha == pytest.approx(ours.alpha * scale, rel=1e-6)
    assert other.standard_errors_.alpha == pytest.approx(model.standard_errors_.alpha * scale, rel=1e-4)
    assert other.log_likelihood_ == pytest.approx(model.log_likelihood_ - x.sum() * np.log(scale), rel=1e-11)
    assert other.dropout_identified_ is model.dropout_identified_ is True
    assert other.expected_purchases(30 * scale, 2, 9 * scale, 40 * scale) == pytest.approx(
        model.expected_purchases(30, 2, 9, 40), rel=1e-6
    )


def test_weights_are_repeated_rows_and_order_is_nothing(case):
    model, columns = case
    rng = np.random.default_rng(11)
    weights = rng.integers(1, 4, len(columns[0]))
    weighted = type(model)().fit(*columns, weights=weights)
    shuffled = rng.permutation(np.repeat(np.arange(len(weights)), weights))
    repeated = type(model)().fit(*(column[shuffled] for column in columns))
    assert repeated.get_params() == pytest.approx(weighted.get_params(), rel=1e-8)
    assert repeated.log_likelihood_ == pytest.approx(weighted.log_likelihood_, rel=1e-12)
    assert repeated.customers_ == weighted.customers_ == weights.sum()
    assert repeated.standard_errors_.a == pytest.approx(weighted.standard_errors_.a, rel=1e-5)


def test_no_neighbour_is_likelier(case):
    model, columns = case
    best = model.log_likelihood(*columns)
    assert best == pytest.approx(model.log_likelihood_, rel=1e-12)
    for name, value in model.get_params().items():
        for factor in (0.99, 1.01):
            neighbour = type(model).from_params(**{**model.get_params(), name: value * factor})
            assert neighbour.log_likelihood(*columns) < best


@pytest.mark.parametrize("model", MODELS)
def test_simulated_customers_give_their_parameters_back(model):
    x, t_x, T, _ = simulate(model.from_params(**TRUTH), 60_000, np.random.default_rng(5))
    fitted = model().fit(x, t_x, T)
    for name, value in TRUTH.items():
        error = getattr(fitted.standard_errors_, name)
        assert abs(getattr(fitted.params_, name) - value) < 3.5 * error, name
        assert error < 0.2 * value
    assert fitted.dropout_identified_


@pytest.mark.parametrize("model", MODELS)
def test_customers_who_never_leave_show_no_dropout(model):
    rng = np.random.default_rng(2)
    T = rng.uniform(100, 300, 4_000)
    x, t_x, T, _ = simulate(model.from_params(0.8, 40.0, 1e-9, 5.0), 4_000, rng)
    fitted = model().fit(x, t_x, T)
    assert fitted.dropout_identified_ is False
    assert fitted.params_.r == pytest.approx(0.8, rel=0.1)
    assert fitted.params_.alpha == pytest.approx(40.0, rel=0.1)


@pytest.mark.parametrize("model", MODELS)
def test_predictions_come_true_in_simulation(model):
    model = model.from_params(**TRUTH)
    ahead = 60.0
    x, t_x, T, later = simulate(model, 200_000, np.random.default_rng(23), ahead=ahead)
    silent = model.probability_of_no_purchase(ahead, x, t_x, T)
    expected = model.expected_purchases(ahead, x, t_x, T)
    for group in (x == 0, x == 1, (x > 1) & (x < 6), x >= 6, T - t_x > 150):
        surprise = (later[group] == 0) - silent[group]
        assert abs(surprise.sum()) < 4 * np.sqrt((silent[group] * (1 - silent[group])).sum())
        errors = later[group] - expected[group]
        assert abs(errors.mean()) < 4 * errors.std() / np.sqrt(len(errors))
    purchases = model.expected_purchases_new(T)
    assert abs((x - purchases).mean()) < 4 * x.std() / np.sqrt(len(x))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("x", "t_x", "T"), [(0, 0.0, 30.0), (1, 2.0, 30.0), (4, 20.0, 30.0), (12, 29.0, 30.0)])
def test_likelihood_is_the_integral_of_what_one_customer_does(model, x, t_x, T):
    r, alpha, a, b = TRUTH.values()
    chances = x + (model is MBGNBD)

    def leaving_integral(power_left, power_stayed):
        return quad(lambda p: p**power_left * (1 - p) ** power_stayed, 0, 1, weight="alg", wvar=(a - 1, b - 1))[0]

    def rate_integral(until):
        return quad(lambda u: u**x * np.exp(-u * until) * gamma.pdf(u, r, scale=1 / alpha), 0, np.inf, limit=200)[0]

    total = leaving_integral(0, 0)
    likelihood = leaving_integral(0, chances) / total * rate_integral(T)
    if chances:
        likelihood += leaving_integral(1, chances - 1) / total * rate_integral(t_x)
    assert model.from_params(**TRUTH).log_likelihood(x, t_x, T) == pytest.approx(np.log(likelihood), rel=1e-6)


def expected_by_quadrature(model, t, x, age):
    """E[(1 - exp(-rate p t)) / p] of an active customer: rate integrated by hand, p by quadrature."""
    r, alpha, a, b = model.get_params().values()
    stays = b + x + isinstance(model, MBGNBD)
    u, options = t / (alpha + age), {"weight": "alg", "epsabs": 0, "epsrel": 1e-10, "limit": 500}
    total = quad(lambda p: 1.0, 0, 1, wvar=(a - 1, stays - 1), **options)[0]
    within = quad(lambda p: -np.expm1(-(r + x) * np.log1p(p * u)) / p if p else (r + x) * u, 0, 1,
                  wvar=(a - 1, stays - 1), **options)[0]  # fmt: skip
    return within / total


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("a", "b"), [(0.8, 2.4), (1.0, 2.4), (1.000009, 2.4), (1.00002, 2.4), (0.3, 0.7), (0.01, 3.0), (5.0, 40.0)]
)
@pytest.mark.parametrize(("x", "t_x"), [(0, 0.0), (2, 30.0), (60, 38.0)])
def test_expected_purchases_against_quadrature(model, a, b, x, t_x):
    model = model.from_params(0.25, 4.4, a, b)
    for t in (0.1, 39.0, 400.0):
        active = model.probability_alive(x, t_x, 39.0)
        want = active * expected_by_quadrature(model, t, x, 39.0)
        assert model.expected_purchases(t, x, t_x, 39.0) == pytest.approx(want, rel=2e-7)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("r", "a"), [(1.0, 2.0), (1.0, 2.00001), (0.5, 0.5), (1.0, 1.0), (900.0, 2.1)])
def test_awkward_parameters_are_no_trap(model, r, a):
    model = model.from_params(r, 1.0, a, 1.0)
    active = model.probability_alive(98, 0.5, 0.5)
    want = active * expected_by_quadrature(model, 14.0, 98, 0.5)
    assert model.expected_purchases(14.0, 98, 0.5, 0.5) == pytest.approx(want, rel=2e-7)


@pytest.mark.parametrize("model", MODELS)
def test_where_nearly_everybody_leaves_at_once(model):
    model = model.from_params(0.3, 1.0, 300.0, 1.0)
    stays = 1.0 + 98 + (type(model) is MBGNBD)
    want = quad(lambda p: -np.expm1(-98.3 * np.log1p(p * 14 / 1.5)) / p * beta.pdf(p, 300.0, stays), 0, 1,
                points=[0.7, 0.75, 0.8])[0]  # fmt: skip
    active = model.probability_alive(98, 0.5, 0.5)
    assert model.expected_purchases(14.0, 98, 0.5, 0.5) == pytest.approx(active * want, rel=1e-7)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("x", "t_x", "T"),
    [
        ([10] * 50, [70] * 50, [73] * 50),
        ([1] * 10 + [0] * 30, [5] * 10 + [0] * 30, [100] * 40),
        ([3] * 60, [100] * 60, [100] * 60),
        ([3] * 60, [3] * 60, [1000] * 60),
        ([1] * 29 + [5000], [5] * 29 + [900], [1000] * 30),
    ],
    ids=["all alike", "one repeat each", "just bought", "long gone", "one of thousands"],
)
def test_odd_customer_bases_are_fitted_all_the_same(model, x, t_x, T):
    fitted = model().fit(x, t_x, T)
    expected = fitted.expected_purchases(30, x, t_x, T)
    assert np.isfinite(expected).all()
    assert (expected >= 0).all()
    assert np.isfinite(fitted.expected_purchases_new(365))


@pytest.mark.parametrize("model", MODELS)
def test_hundreds_of_purchases_leave_no_jump(model):
    model = model.from_params(**TRUTH)
    x = np.arange(100, 1_001)
    expected = model.expected_purchases(10.0, x, 200.0, 200.0)
    assert np.isfinite(expected).all()
    assert (np.diff(expected) > 0).all()
    assert (np.abs(np.diff(expected, 2)) < 1e-6).all()
    sleeping = model.expected_purchases(10.0, 1_000, 50.0, 200.0)
    assert 0 <= sleeping < 1e-9


positive = st.floats(0.05, 20)


@settings(deadline=None)
@given(r=positive, alpha=positive, a=positive, b=positive, x=st.integers(0, 300), t_x=st.floats(0.1, 50), t=positive)
@pytest.mark.parametrize("model", MODELS)
def test_what_must_hold_for_any_customer(model, r, alpha, a, b, x, t_x, t):
    model = model.from_params(r, alpha, a, b)
    t_x = t_x if x else 0.0
    T = t_x + np.array([0.0, 0.5, 2.0, 10.0, 200.0])
    alive = model.probability_alive(x, t_x, T)
    assert ((alive >= 0) & (alive <= 1)).all()
    assert (np.diff(alive) <= 0).all()
    silent = model.probability_of_no_purchase(t, x, t_x, T)
    assert ((silent >= 1 - alive - 1e-12) & (silent <= 1)).all()
    assert (silent >= model.probability_of_no_purchase(2 * t, x, t_x, T)).all()
    expected = model.expected_purchases(t, x, t_x, T)
    assert (expected >= (1 - silent) * (1 - 1e-6) - 1e-9).all()
    assert model.expected_purchases(0.0, x, t_x, T) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("model", MODELS)
def test_within_a_moment_one_purchase_is_all_there_can_be(model):
    model = model.from_params(**TRUTH)
    x, t_x, T, moment = np.array([0, 1, 30]), np.array([0.0, 5.0, 80.0]), np.array([90.0, 90.0, 90.0]), 1e-5
    buys = 1 - model.probability_of_no_purchase(moment, x, t_x, T)
    np.testing.assert_allclose(buys, model.expected_purchases(moment, x, t_x, T), rtol=1e-5)
