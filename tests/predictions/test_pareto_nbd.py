"""Pareto/NBD against published figures, its formulas as printed, integrals, brute force and the NBD model."""

from __future__ import annotations

from itertools import pairwise

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import expit, gammaln, hyp2f1
from scipy.stats import nbinom

from setia.predictions.models.pareto_nbd import ParetoNBD, ParetoParameters, log_odds_of_having_left
from setia.predictions.models.purchases import BadHistory, TooFewCustomers

WALKTHROUGH = ParetoNBD.from_params(0.5534, 10.5802, 0.6061, 11.6562)
"""The parameters of the BTYD package's walkthrough."""


def histories(file, end, customer="customer_id", day="date", keep="true"):
    """Frequency, recency and T in days up to and including `end`; orders of one day count once."""
    query = f"""
        with days as (select distinct {customer} as customer, {day}::date as day from '{file}' where {keep})
        select count(*) - 1 as x, max(day) - min(day) as t_x, date '{end}' - min(day) as age, customer
        from days where day <= date '{end}' group by customer order by customer
    """
    columns = duckdb.sql(query).fetchnumpy()
    return columns["x"], columns["t_x"].astype(float), columns["age"].astype(float)


def simulate(customers, r, alpha, s, beta, rng, longest=100.0):
    """Histories and whether each customer is still active, from the story that the model tells."""
    rate, leaving = rng.gamma(r, 1 / alpha, customers), rng.gamma(s, 1 / beta, customers)
    T = rng.uniform(longest / 2, longest, customers)
    lifetime = rng.exponential(1 / leaving)
    x = rng.poisson(rate * np.minimum(lifetime, T))
    # Given their number, purchases lie evenly over the time of staying; the last is the highest of as many draws.
    t_x = np.minimum(lifetime, T) * np.where(x > 0, rng.beta(np.maximum(x, 1), 1), 0.0)
    return x, t_x, T, lifetime > T


def as_printed(x, t_x, T, r, alpha, s, beta):
    """The log-likelihood of one customer as in Fader and Hardie's note, with Gauss's hypergeometric function."""
    n = r + s + x
    if alpha >= beta:
        late = hyp2f1(n, s + 1, n + 1, (alpha - beta) / (alpha + t_x)) / (alpha + t_x) ** n
        end = hyp2f1(n, s, n + 1, (alpha - beta) / (alpha + T)) / (alpha + T) ** n
    else:
        late = hyp2f1(n, r + x, n + 1, (beta - alpha) / (beta + t_x)) / (beta + t_x) ** n
        end = hyp2f1(n, r + x + 1, n + 1, (beta - alpha) / (beta + T)) / (beta + T) ** n
    factor = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
    return factor + np.log(s / n * late + (r + x) / n * end)


@pytest.fixture
def sample(data_set):
    """The 2,357 customers of the CDNOW sample at 39 weeks, in weeks."""
    x, t_x, T = histories(data_set("cdnow_sample.parquet"), "1997-09-30")
    return x, t_x / 7, T / 7


@pytest.mark.data
def test_cdnow_sample(sample):
    model = ParetoNBD().fit(*sample)
    assert list(model.get_params().values()) == pytest.approx([0.553, 10.578, 0.606, 11.669], abs=5e-4)
    assert model.log_likelihood_ == pytest.approx(-9594.976, abs=5e-4)
    errors = model.standard_errors_
    assert [errors.r, errors.alpha, errors.s, errors.beta] == pytest.approx([0.0476, 0.843, 0.187, 6.21], rel=2e-3)
    assert model.customers_ == 2_357
    assert model.dropout_identified_ is True
    assert model.log_likelihood(*sample) == pytest.approx(model.log_likelihood_, abs=1e-6)


@pytest.mark.data
def test_cdnow_sample_as_printed_to_two_decimals_of_a_week(sample):
    x, t_x, T = sample
    model = ParetoNBD().fit(x, np.round(t_x, 2), np.round(T, 2))
    measured = [0.5532754647, 10.5776119493, 0.6062136414, 11.6679147783]
    assert list(model.get_params().values()) == pytest.approx(measured, rel=1e-6)
    assert model.log_likelihood_ == pytest.approx(-9594.973929826861, abs=1e-7)


@pytest.mark.data
def test_all_cdnow_customers(data_set):
    x, t_x, T = histories(data_set("cdnow_master.parquet"), "1997-09-30")
    model = ParetoNBD().fit(x, t_x / 7, T / 7)
    published = ParetoNBD.from_params(0.59742, 11.58608, 0.52221, 8.8284)
    assert model.get_params() == pytest.approx(published.get_params(), rel=1e-4)
    assert 0 <= model.log_likelihood_ - published.log_likelihood(x, t_x / 7, T / 7) < 1e-5


@pytest.mark.data
def test_online_retail_shows_no_dropout(data_set):
    keep = "Quantity > 0 and InvoiceNo not like 'C%' and CustomerID is not null"
    x, t_x, T = histories(data_set("online_retail.parquet"), "2011-12-09", "CustomerID", "InvoiceDate", keep)
    model = ParetoNBD().fit(x, t_x, T)
    assert model.dropout_identified_ is False
    assert model.standard_errors_ is None
    assert (model.params_.r, model.params_.alpha) == pytest.approx((0.8276, 69.19), rel=0.01)
    assert (model.probability_alive(x, t_x, T) > 0.99).all()


def test_the_walkthroughs_customer():
    assert WALKTHROUGH.probability_alive(26, 30.86, 31) == pytest.approx(0.9979177665519067, rel=1e-9)
    assert WALKTHROUGH.expected_purchases(52, 26, 30.86, 31) == pytest.approx(25.45491351149972, rel=1e-9)
    assert WALKTHROUGH.expected_purchases_new(52) == pytest.approx(1.4730669919019908, rel=1e-9)
    assert WALKTHROUGH.probability_alive(26, 30.86, 31) == pytest.approx(0.9979, abs=5e-5)
    assert WALKTHROUGH.expected_purchases(52, 26, 30.86, 31) == pytest.approx(25.46, abs=0.01)
    assert WALKTHROUGH.expected_purchases_new(52) == pytest.approx(1.473, abs=5e-4)


def test_a_hundred_purchases_and_one_more():
    model = ParetoNBD.from_params(0.55, 10.58, 0.61, 11.67)
    expected = model.expected_purchases(10, [132, 133], 200, 200)
    assert expected == pytest.approx([6.2060517889632418, 6.2528722475748113], rel=1e-10)


@pytest.mark.parametrize("seed", range(8))
def test_likelihood_as_printed(seed):
    """For random parameters and histories, alpha and beta either way round."""
    rng = np.random.default_rng(seed)
    for _ in range(40):
        r, alpha, s, beta = np.exp(rng.uniform([-2, -1, -2, -1], [2, 4, 2, 4]))
        x, T = rng.integers(0, 15), rng.uniform(1, 60)
        t_x = T * rng.random() if x else 0.0
        ours = ParetoNBD.from_params(r, alpha, s, beta).log_likelihood(x, t_x, T)
        assert ours == pytest.approx(as_printed(x, t_x, T, r, alpha, s, beta), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("r", "alpha", "s", "beta", "x", "t_x", "T"),
    [
        (0.5, 10.0, 0.6, 12.0, 0, 0.0, 30.0),
        (0.5, 10.0, 0.6, 12.0, 400, 20.0, 30.0),
        (0.5, 10.0, 0.6, 12.0, 400, 29.9, 30.0),
        (0.5, 0.01, 0.6, 300.0, 900, 2.0, 730.0),
        (0.5, 300.0, 0.6, 0.01, 3, 200.0, 730.0),
        (2.0, 40.0, 800.0, 9000.0, 5, 10.0, 50.0),
        (0.02, 1e-3, 0.02, 1e-4, 0, 0.0, 100.0),
    ],
)
def test_chance_of_being_active_is_an_integral_over_the_time_of_leaving(r, alpha, s, beta, x, t_x, T):
    """Also where purchases are so many that the probabilities themselves would be 0."""

    def density(fraction):  # of leaving at tau, against staying until T; in the log of tau's distance from t_x
        gap = np.exp(fraction)
        tau = t_x + gap
        rest = (r + x) * np.log((alpha + T) / (alpha + tau)) + s * np.log((beta + T) / (beta + tau))
        return np.exp(rest + np.log(s * gap / (beta + tau)) - top)

    top = (r + x) * np.log((alpha + T) / (alpha + t_x))
    end = np.log(T - t_x)
    pieces = pairwise(np.linspace(end - 30, end, 61))
    log_odds = top + np.log(sum(quad(density, *piece, epsabs=0, epsrel=1e-10)[0] for piece in pieces))
    assert log_odds_of_having_left(r + x, alpha, s, beta, t_x, T) == pytest.approx(log_odds, rel=1e-9, abs=1e-8)
    model = ParetoNBD.from_params(r, alpha, s, beta)
    assert model.probability_alive(x, t_x, T) == pytest.approx(expit(-log_odds), rel=1e-8)
    assert np.isfinite(model.log_likelihood(x, t_x, T))


@pytest.mark.parametrize(("x", "t_x", "T"), [(0, 0.0, 20.0), (2, 5.0, 20.0), (6, 18.0, 20.0)])
def test_against_brute_force(x, t_x, T):
    """Customers drawn from the population, each weighed by how well their own rates explain the history."""
    r, alpha, s, beta = 0.8, 6.0, 0.7, 15.0
    rng = np.random.default_rng(8)
    rate, leaving = rng.gamma(r, 1 / alpha, 1_000_000), rng.gamma(s, 1 / beta, 1_000_000)
    both = rate + leaving
    stayed = rate**x * np.exp(-both * T)
    left = rate**x * leaving / both * (np.exp(-both * t_x) - np.exp(-both * T))
    whole = (stayed + left).sum()
    model = ParetoNBD.from_params(r, alpha, s, beta)
    assert model.log_likelihood(x, t_x, T) == pytest.approx(np.log(whole / len(rate)), abs=0.01)
    assert model.probability_alive(x, t_x, T) == pytest.approx(stayed.sum() / whole, abs=5e-3)
    ahead = rate / leaving * -np.expm1(-leaving * 12)
    assert model.expected_purchases(12, x, t_x, T) == pytest.approx(stayed @ ahead / whole, rel=0.01)
    silent = (leaving + rate * np.exp(-both * 12)) / both
    none = 1 - stayed @ (1 - silent) / whole
    assert model.probability_of_no_purchase(12, x, t_x, T) == pytest.approx(none, abs=5e-3)


def test_the_gradient_leads_to_the_top():
    """Every step away from the fit loses, and the standard errors say how much; by the likelihood as printed."""
    x, t_x, T, _ = simulate(2_000, 0.7, 9.0, 0.6, 30.0, np.random.default_rng(3))
    x, t_x, T = x[x < 40], t_x[x < 40], T[x < 40]
    model = ParetoNBD().fit(x, t_x, T)
    best = np.log([*model.get_params().values()])

    def printed(logs):
        return np.sum([as_printed(*history, *np.exp(logs)) for history in zip(x, t_x, T, strict=True)])

    top = printed(best)
    assert model.log_likelihood_ == pytest.approx(top, abs=1e-6)
    step = 0.02
    curvature = np.empty((4, 4))
    for i, one in enumerate(step * np.eye(4)):
        up, down = printed(best + one), printed(best - one)
        assert up < top > down
        assert abs(up - down) < 0.05 * (2 * top - up - down)
        curvature[i, i] = (up + down - 2 * top) / step**2
        for j, other in enumerate(step * np.eye(4)[:i]):
            mixed = printed(best + one + other) - printed(best + one - other)
            mixed += printed(best - one - other) - printed(best - one + other)
            curvature[i, j] = curvature[j, i] = mixed / (4 * step**2)
    errors = np.exp(best) * np.sqrt(np.diag(np.linalg.inv(-curvature)))
    found = model.standard_errors_
    assert [found.r, found.alpha, found.s, found.beta] == pytest.approx(errors, rel=0.01)


def test_simulated_and_found_again():
    x, t_x, T, active = simulate(30_000, 0.6, 8.0, 0.9, 60.0, np.random.default_rng(11))
    model = ParetoNBD().fit(x, t_x, T)
    errors = model.standard_errors_
    for name, true in {"r": 0.6, "alpha": 8.0, "s": 0.9, "beta": 60.0}.items():
        assert abs(getattr(model.params_, name) - true) < 3 * getattr(errors, name), name
    chances = model.probability_alive(x, t_x, T)
    order = np.argsort(chances)
    for tenth in np.array_split(order, 10):
        assert chances[tenth].mean() == pytest.approx(active[tenth].mean(), abs=0.02)


@pytest.mark.parametrize("unit", [7.0, 1 / 1440])
def test_the_unit_of_time_does_not_matter(unit):
    x, t_x, T, _ = simulate(3_000, 0.6, 8.0, 0.9, 60.0, np.random.default_rng(4))
    one, other = ParetoNBD().fit(x, t_x, T), ParetoNBD().fit(x, t_x / unit, T / unit)
    p, q = one.params_, other.params_
    assert (q.r, q.alpha * unit, q.s, q.beta * unit) == pytest.approx((p.r, p.alpha, p.s, p.beta), rel=1e-7)
    assert other.log_likelihood_ == pytest.approx(one.log_likelihood_ + x.sum() * np.log(unit), rel=1e-10)
    assert other.standard_errors_.beta * unit == pytest.approx(one.standard_errors_.beta, rel=1e-4)


def test_order_and_weights_of_customers_do_not_matter():
    x, t_x, T, _ = simulate(2_000, 0.6, 8.0, 0.9, 60.0, np.random.default_rng(5))
    order = np.random.default_rng(6).permutation(len(x))
    model = ParetoNBD().fit(x, t_x, T)
    assert ParetoNBD().fit(x[order], t_x[order], T[order]).get_params() == model.get_params()
    doubled = ParetoNBD().fit(np.tile(x, 2), np.tile(t_x, 2), np.tile(T, 2))
    assert ParetoNBD().fit(x, t_x, T, np.full(len(x), 2.0)).get_params() == pytest.approx(doubled.get_params())
    assert doubled.standard_errors_.s == pytest.approx(model.standard_errors_.s / np.sqrt(2), rel=1e-4)


@pytest.mark.parametrize("t", [0.5, 10.0, 400.0])
def test_expectation_has_no_hole_at_s_of_1(t):
    r, alpha, beta = 0.6, 9.0, 14.0
    at_one = ParetoNBD.from_params(r, alpha, 1.0, beta)
    assert at_one.expected_purchases_new(t) == pytest.approx(r * beta / alpha * np.log((beta + t) / beta), rel=1e-12)
    for near in (1 - 1e-9, 1 + 1e-9):
        beside = ParetoNBD.from_params(r, alpha, near, beta)
        assert beside.expected_purchases_new(t) == pytest.approx(at_one.expected_purchases_new(t), rel=1e-7)
        assert beside.expected_purchases(t, 3, 8, 9) == pytest.approx(at_one.expected_purchases(t, 3, 8, 9), rel=1e-7)
    for s in (0.4, 1.7):
        printed = r * beta / (alpha * (s - 1)) * (1 - (beta / (beta + t)) ** (s - 1))
        assert ParetoNBD.from_params(r, alpha, s, beta).expected_purchases_new(t) == pytest.approx(printed, rel=1e-12)


def test_where_nobody_leaves_it_is_the_nbd_model():
    x, t_x, T = np.array([0, 1, 5, 80]), np.array([0.0, 2.0, 20.0, 39.0]), np.array([30.0, 39.0, 35.0, 40.0])
    r, alpha = 0.385, 12.07
    model = ParetoNBD.from_params(r, alpha, 1e-15, 2.0)
    negative_binomial = nbinom.logpmf(x, r, alpha / (alpha + T)) + gammaln(x + 1) - x * np.log(T)
    assert model.log_likelihood(x, t_x, T) == pytest.approx(negative_binomial.sum(), rel=1e-12)
    np.testing.assert_allclose(model.expected_purchases(10, x, t_x, T), 10 * (r + x) / (alpha + T), rtol=1e-9)
    none = (1 + 10 / (alpha + T)) ** -(r + x)
    np.testing.assert_allclose(model.probability_of_no_purchase(10, x, t_x, T), none, rtol=1e-9)
    assert model.dropout_identified_ is False


@pytest.mark.parametrize(("s", "identified"), [(1.2e-3, True), (0.9e-3, False)])
@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e5])
def test_leaving_counts_from_one_in_a_thousand_purchases_on(s, identified, unit):
    """With alpha = beta the chance of leaving before the next purchase is s / (r + s)."""
    assert ParetoNBD.from_params(1.0, unit, s, unit).dropout_identified_ is identified


def test_simulated_without_leaving():
    rng = np.random.default_rng(7)
    rate, T = rng.gamma(1.5, 1 / 20, 3_000), rng.uniform(50, 100, 3_000)
    x = rng.poisson(rate * T)
    t_x = T * np.where(x > 0, rng.beta(np.maximum(x, 1), 1), 0.0)
    model = ParetoNBD().fit(x, t_x, T)
    assert model.dropout_identified_ is False
    assert (model.params_.r, model.params_.alpha) == pytest.approx((1.5, 20), rel=0.1)


def test_a_small_shop_leans_on_what_is_known():
    known = ParetoParameters(0.6, 8.0, 0.9, 60.0)
    x, t_x, T, _ = simulate(40, 0.9, 5.0, 0.5, 90.0, np.random.default_rng(12))
    weak = ParetoNBD(prior=known, prior_spread=50.0).fit(x, t_x, T)
    strong = ParetoNBD(prior=known, prior_spread=1e-3).fit(x, t_x, T)
    assert list(strong.get_params().values()) == pytest.approx([0.6, 8.0, 0.9, 60.0], rel=1e-3)
    assert strong.log_likelihood_ == pytest.approx(strong.log_likelihood(x, t_x, T), abs=1e-6)
    assert strong.log_likelihood_ < weak.log_likelihood_ <= ParetoNBD().fit(x, t_x, T).log_likelihood_ + 1e-9
    few = ParetoNBD(prior=known).fit(x[:5], t_x[:5], T[:5])
    assert few.customers_ == 5


@given(
    logs=st.tuples(*[st.floats(-3, 3)] * 4), x=st.integers(0, 500), share=st.floats(0.01, 1), T=st.floats(0.1, 100),
    t=st.floats(0, 500),
)  # fmt: skip
@settings(max_examples=50)
def test_what_holds_for_all_parameters(logs, x, share, T, t):
    model = ParetoNBD.from_params(*np.exp(logs))
    t_x = share * T if x else 0.0
    alive = model.probability_alive(x, t_x, T * np.array([1, 1.5, 3, 100]))
    assert np.all((alive >= 0) & (alive <= 1))
    assert np.all(np.diff(alive) <= 1e-12), "the longer the silence, the likelier they have left"
    expected = model.expected_purchases([0, t, 2 * t], x, t_x, T)
    assert expected[0] == 0
    assert 0 <= expected[1] * (1 - 1e-12) <= expected[2] <= 2 * expected[1] * (1 + 1e-12), "ever fewer are active"
    none = float(model.probability_of_no_purchase(t, x, t_x, T))
    assert 1 - alive[0] - 1e-9 <= none <= 1
    assert 1 - none <= expected[1] + 1e-9, "the chance of any is at most the mean number"
    fresh = model.expected_purchases(t, 0, 0, 0)
    assert model.expected_purchases_new(t) == pytest.approx(fresh, rel=1e-9, abs=1e-300)
    assert model.probability_alive(0, 0, 0) == 1


def test_what_cannot_be_fitted_is_said():
    with pytest.raises(TooFewCustomers, match="at least 30"):
        ParetoNBD().fit([1] * 20, [2.0] * 20, [5.0] * 20)
    with pytest.raises(BadHistory, match="Row 1"):
        ParetoNBD().fit([1, 2], [2.0, 9.0], [5.0, 5.0])
