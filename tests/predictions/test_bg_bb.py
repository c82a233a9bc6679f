"""BG/BB against its paper's donors, the enumeration of all histories, brute force and its formulas as printed."""

from __future__ import annotations

from itertools import product
from math import comb

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betaln, gammaln

from setia.predictions.models.bg_bb import BGBB
from setia.predictions.models.purchases import BadHistory, TooFewCustomers

DONORS = BGBB.from_params(1.203522463748982, 0.7497163943588759, 0.6567181677397101, 2.783441894174386)


@pytest.fixture
def donors(data_set):
    """Frequency, recency, periods and number of the paper's 11,104 donors."""
    columns = duckdb.sql(f"from '{data_set('donations_bgbb.parquet')}'").fetchnumpy()
    return columns["frequency"], columns["recency"], columns["periods"], columns["weights"]


def simulate(customers, alpha, beta, gamma, delta, rng, longest=12):
    buys, leaves = rng.beta(alpha, beta, customers), rng.beta(gamma, delta, customers)
    n = rng.integers(longest // 2, longest + 1, customers)
    stays = rng.geometric(leaves) - 1
    period = np.arange(1, longest + 1)
    bought = (rng.random((customers, longest)) < buys[:, None]) & (period <= np.minimum(stays, n)[:, None])
    return bought.sum(axis=1), (bought * period).max(axis=1), n


def cells(n):
    """Every (x, t_x) there can be in n periods, and in how many ways: the last purchase is where it is."""
    yield 0, 0, 1
    for t_x, x in product(range(1, n + 1), range(1, n + 1)):
        if x <= t_x:
            yield x, t_x, comb(t_x - 1, x - 1)


@pytest.mark.data
def test_the_papers_donors(donors):
    model = BGBB().fit(*donors)
    assert list(model.get_params().values()) == pytest.approx([1.204, 0.750, 0.657, 2.783], abs=5e-4)
    assert model.get_params() == pytest.approx(DONORS.get_params(), rel=1e-6)
    assert model.log_likelihood_ == pytest.approx(-33225.6, abs=0.05)
    assert model.log_likelihood_ == pytest.approx(-33225.58127434699, abs=1e-6)
    assert model.log_likelihood(*donors) == pytest.approx(model.log_likelihood_, abs=1e-7)
    assert model.customers_ == 11_104
    assert model.expected_purchases(5, *donors[:3]) @ donors[3] == pytest.approx(12_884.2, abs=0.1)
    assert DONORS.expected_purchases(5, *donors[:3]) @ donors[3] == pytest.approx(12884.156936419451, rel=1e-10)


@pytest.mark.data
def test_standard_errors(donors):
    """By differences of the likelihood of the paper, written out."""
    x, t_x, n, w = donors
    best = np.log([*BGBB().fit(*donors).get_params().values()])

    def printed(logs):
        a, b, c, d = np.exp(logs)
        total = np.exp(betaln(a + x, b + n - x) - betaln(a, b) + betaln(c, d + n) - betaln(c, d))
        for i in range(6):
            gone = betaln(a + x, b + t_x - x + i) - betaln(a, b) + betaln(c + 1, d + t_x + i) - betaln(c, d)
            total = total + np.where(i < n - t_x, np.exp(gone), 0)
        return w @ np.log(total)

    step, top = 0.01, printed(best)
    curvature = np.empty((4, 4))
    for i, one in enumerate(step * np.eye(4)):
        curvature[i, i] = (printed(best + one) + printed(best - one) - 2 * top) / step**2
        for j, other in enumerate(step * np.eye(4)[:i]):
            mixed = printed(best + one + other) - printed(best + one - other)
            mixed += printed(best - one - other) - printed(best - one + other)
            curvature[i, j] = curvature[j, i] = mixed / (4 * step**2)
    errors = np.exp(best) * np.sqrt(np.diag(np.linalg.inv(-curvature)))
    found = BGBB().fit(*donors).standard_errors_
    assert [found.alpha, found.beta, found.gamma, found.delta] == pytest.approx(errors, rel=2e-3)


def test_the_papers_chances_of_being_active():
    active_2002 = {(6, 6): 0.93, (1, 6): 0.93, (2, 4): 0.59, (0, 0): 0.11}
    for (x, t_x), published in active_2002.items():
        assert DONORS.probability_alive(x, t_x, 6) == pytest.approx(published, abs=5e-3)
    measured = {
        (5, 5): 0.522, (4, 5): 0.6968, (3, 5): 0.7668, (2, 5): 0.8046, (1, 5): 0.8281, (4, 4): 0.2002, (3, 4): 0.4396,
        (2, 4): 0.5897, (1, 4): 0.6804, (3, 3): 0.095, (2, 3): 0.2989, (1, 3): 0.4814, (2, 2): 0.0664, (1, 2): 0.2547,
        (1, 1): 0.0695, (0, 0): 0.1081, (6, 6): 0.9304, (1, 6): 0.9304,
    }  # fmt: skip
    x, t_x = np.array([*measured]).T
    assert DONORS.probability_alive(x, t_x, 6) == pytest.approx([*measured.values()], abs=5e-5)


def test_the_papers_expectations_of_a_new_donor():
    published = [.4985, .9233, 1.2969, 1.6323, 1.9381, 2.2202, 2.4826, 2.7285, 2.9603, 3.1798, 3.3887]  # fmt: skip
    assert DONORS.expected_purchases_new(np.arange(1, 12)) == pytest.approx(published, abs=5e-5)


def test_the_papers_table_of_donors_in_sample():
    """How many of 11,104 give in none and in all of six years, as expected."""
    chances = {0: 0.0, 6: 0.0}
    for x, t_x, ways in cells(6):
        if x in chances:
            chances[x] += ways * np.exp(DONORS.log_likelihood(x, t_x, 6))
    assert 11_104 * chances[0] == pytest.approx(3454.9, abs=0.05)
    assert 11_104 * chances[6] == pytest.approx(1253.1, abs=0.05)


@given(logs=st.tuples(*[st.floats(-3, 3)] * 4), n=st.integers(1, 9))
@settings(max_examples=50)
def test_all_histories_together(logs, n):
    """Their probabilities make 1, their purchases the expectation, and their chances of being active the share."""
    model = BGBB.from_params(*np.exp(logs))
    x, t_x, ways = np.array([*cells(n)]).T
    chances = ways * np.exp([model.log_likelihood(*cell, n) for cell in zip(x, t_x, strict=True)])
    assert chances.sum() == pytest.approx(1, rel=1e-10)
    assert chances @ x == pytest.approx(model.expected_purchases_new(n), rel=1e-9)
    _, _, gamma, delta = model.get_params().values()
    for at in (n, n + 1, n + 7):
        share = np.exp(betaln(gamma, delta + at) - betaln(gamma, delta))
        assert chances @ model.probability_alive(x, t_x, n, at) == pytest.approx(share, rel=1e-9)
    later = model.expected_purchases_new(n + 5) - model.expected_purchases_new(n)
    assert chances @ model.expected_purchases(5, x, t_x, n) == pytest.approx(later, rel=1e-8, abs=1e-13)


@pytest.mark.parametrize(("x", "t_x", "n"), [(0, 0, 6), (2, 3, 6), (4, 6, 6)])
def test_against_brute_force(x, t_x, n):
    """Customers drawn from the population, each weighed by how well they explain the history."""
    rng = np.random.default_rng(2)
    p = DONORS.params_
    buys, leaves = rng.beta(p.alpha, p.beta, 1_000_000), rng.beta(p.gamma, p.delta, 1_000_000)
    stayed = buys**x * (1 - buys) ** (n - x) * (1 - leaves) ** n
    left = sum(buys**x * (1 - buys) ** (k - x) * leaves * (1 - leaves) ** k for k in range(t_x, n))
    whole = np.sum(stayed + left)
    assert DONORS.log_likelihood(x, t_x, n) == pytest.approx(np.log(whole / 1_000_000), abs=0.01)
    alive = stayed @ (1 - leaves) / whole
    assert DONORS.probability_alive(x, t_x, n) == pytest.approx(alive, abs=3e-3)
    ahead = sum(stayed @ (buys * (1 - leaves) ** k) for k in range(1, 6)) / whole
    assert DONORS.expected_purchases(5, x, t_x, n) == pytest.approx(ahead, rel=0.02)


@pytest.mark.parametrize("gamma", [0.3, 2.2, 30.0])
def test_expectations_as_printed(gamma):
    """The paper's closed forms, which have a hole at gamma = 1."""
    alpha, beta, delta, x, t_x, n, ahead = 1.2, 0.7, 2.8, 3, 5, 8, 6
    model = BGBB.from_params(alpha, beta, gamma, delta)
    decay = np.exp(
        gammaln(gamma + delta) - gammaln(gamma + delta + ahead) + gammaln(1 + delta + ahead) - gammaln(1 + delta)
    )
    new = alpha / (alpha + beta) * delta / (gamma - 1) * (1 - decay)
    assert model.expected_purchases_new(ahead) == pytest.approx(new, rel=1e-10)
    both = [np.exp(gammaln(1 + delta + k) - gammaln(gamma + delta + k)) for k in (n, n + ahead)]
    factor = betaln(alpha + x + 1, beta + n - x) - betaln(alpha, beta) + gammaln(gamma + delta) - gammaln(1 + delta)
    known = np.exp(factor - model.log_likelihood(x, t_x, n)) * delta / (gamma - 1) * (both[0] - both[1])
    assert model.expected_purchases(ahead, x, t_x, n) == pytest.approx(known, rel=1e-9)


def test_gamma_of_1_is_no_exception():
    x, t_x, n = np.array([0, 3, 8]), np.array([0, 5, 8]), 8
    at = [BGBB.from_params(1.2, 0.7, gamma, 2.8).expected_purchases(6, x, t_x, n) for gamma in (1 - 1e-9, 1, 1 + 1e-9)]
    np.testing.assert_allclose(at[0], at[1], rtol=1e-8)
    np.testing.assert_allclose(at[2], at[1], rtol=1e-8)
    assert BGBB.from_params(1, 1, 1, 1).expected_purchases_new(3) == pytest.approx(0.5 * (1 / 2 + 1 / 3 + 1 / 4))


def test_simulated_and_found_again():
    model = BGBB().fit(*simulate(100_000, 1.2, 0.8, 0.7, 3.0, np.random.default_rng(9)))
    errors = model.standard_errors_
    for name, true in {"alpha": 1.2, "beta": 0.8, "gamma": 0.7, "delta": 3.0}.items():
        assert abs(getattr(model.params_, name) - true) < 3 * getattr(errors, name), name
        assert getattr(errors, name) < 0.1 * true


def test_order_and_weights_of_customers_do_not_matter():
    rng = np.random.default_rng(10)
    x, t_x, n = simulate(3_000, 1.2, 0.8, 0.7, 3.0, rng)
    w = rng.integers(0, 4, len(x)).astype(float)
    order = rng.permutation(len(x))
    model = BGBB().fit(x, t_x, n, w / 3)
    assert BGBB().fit(x[order], t_x[order], n[order], w[order] / 3).get_params() == model.get_params()
    copies = np.repeat(np.arange(len(x)), w.astype(int))
    repeated = BGBB().fit(x[copies], t_x[copies], n[copies])
    assert BGBB().fit(x, t_x, n, w).get_params() == pytest.approx(repeated.get_params(), rel=1e-9)
    assert model.get_params() == pytest.approx(repeated.get_params(), rel=1e-6)


def test_a_year_of_days():
    """Long histories neither over- nor underflow, and shapes of the answers are those of the questions."""
    model = BGBB.from_params(0.5, 20.0, 0.4, 90.0)
    x, t_x = np.array([[0, 1, 200], [365, 40, 7]]), np.array([[0, 365, 300], [365, 41, 300]])
    alive = model.probability_alive(x, t_x, 365)
    assert alive.shape == (2, 3)
    assert np.all((alive >= 0) & (alive <= 1))
    assert alive[1, 1] < 1e-6
    assert alive[0, 1] == alive[1, 0] == pytest.approx((90 + 365) / (0.4 + 90 + 365))
    assert model.expected_purchases([[0], [30]], x, t_x, 365)[0].tolist() == [0, 0, 0]
    assert np.isfinite(model.log_likelihood(x.ravel(), t_x.ravel(), np.full(6, 365)))


@pytest.mark.parametrize(
    ("frequency", "recency", "n_periods", "said"),
    [
        ([1, 2.5], [1, 3], [5, 5], "Row 1.*whole numbers"),
        ([1, 4], [1, 3], [5, 5], "Row 1.*must not exceed"),
        ([1, 2], [1, 6], [5, 5], "Row 1.*must not exceed"),
        ([0, 1], [2, 1], [5, 5], "Row 0.*recency must be above 0"),
        ([0, 1], [0, 1], [5, float("nan")], "Row 1.*whole numbers"),
        ([0, 1], [0, 1], [5], "Row 1.*equally long"),
    ],
)
def test_what_cannot_be_is_said(frequency, recency, n_periods, said):
    with pytest.raises(BadHistory, match=said):
        BGBB().fit(frequency, recency, n_periods)


def test_what_cannot_be_asked_is_said():
    with pytest.raises(BadHistory, match=r"Row 1.*before the last period"):
        DONORS.probability_alive([1, 1], 2, 6, [6, 5])
    with pytest.raises(BadHistory, match="weight"):
        BGBB().fit([1, 1], [1, 1], [2, 2], [1, -1])
    with pytest.raises(TooFewCustomers, match="at least 30"):
        BGBB().fit([1] * 20, [2] * 20, [5] * 20)
