"""Gamma-Gamma against the figures of note 025 and CLVTools, integrals, and its invariances."""

from __future__ import annotations

import math

import duckdb
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import gamma

from setia.predictions.models.gamma_gamma import GammaGamma
from setia.predictions.models.purchases import BadHistory, TooFewCustomers

NOTE = GammaGamma.from_params(6.25, 3.74, 15.44)


def spending(file):
    """Frequency and mean spend per later purchase day up to 1997-09-30, by customer."""
    query = f"""
        with days as (
            select customer_id, date as day, sum(spend) as spend from '{file}' where date <= '1997-09-30' group by all
        ), first as (select customer_id, min(day) as first from days group by all)
        select count(*) - 1 as x, coalesce(avg(spend) filter (day > first), 0) as value, customer_id
        from days join first using (customer_id) group by customer_id order by customer_id
    """
    columns = duckdb.sql(query).fetchnumpy()
    return columns["x"], columns["value"]


def simulate(customers, p, q, v, rng):
    x = rng.integers(0, 15, customers)
    return x, rng.gamma(np.maximum(p * x, 1e-9)) / (rng.gamma(q, 1 / v, customers) * np.maximum(x, 1))


@pytest.mark.data
def test_cdnow_sample(data_set):
    x, value = spending(data_set("cdnow_sample.parquet"))
    model = GammaGamma().fit(x, value)
    assert model.customers_ == 946
    assert list(model.get_params().values()) == pytest.approx([6.2488, 3.7446, 15.4477], rel=5e-4)
    assert model.log_likelihood_ == pytest.approx(-4055.9177, abs=1e-4)
    assert model.population_mean_ == pytest.approx(35.171, abs=0.01)
    first = model.expected_average_value(x[:10], value[:10])
    published = [24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17]
    assert first == pytest.approx(published, abs=0.1)


@pytest.mark.data
def test_all_cdnow_customers(data_set):
    model = GammaGamma().fit(*spending(data_set("cdnow_master.parquet")))
    assert model.customers_ == 9_450
    assert list(model.get_params().values()) == pytest.approx([6.27536, 3.62445, 14.98369], rel=2e-5)


def test_the_first_ten_customers_of_the_note():
    x = np.array([2, 1, 0, 0, 0, 7, 1, 0, 2, 0])
    value = np.array([22.35, 11.77, 0, 0, 0, 73.74, 11.77, 0, 25.55, 0])
    expected = [24.6637, 18.9169, 35.2190, 35.2190, 35.2190, 71.4697, 18.9169, 35.2190, 27.2884, 35.2190]
    assert NOTE.expected_average_value(x, value) == pytest.approx(expected, abs=2e-3)
    assert NOTE.population_mean_ == pytest.approx(6.25 * 15.44 / 2.74)


def test_without_orders_the_value_does_not_matter():
    assert NOTE.expected_average_value(0, [0.0, 99.0, math.nan]) == pytest.approx(NOTE.population_mean_)


def test_an_infinite_mean_is_nan_and_never_negative():
    model = GammaGamma.from_params(2.0, 0.8, 15.0)
    assert math.isnan(model.population_mean_)
    expected = model.expected_average_value([0, 1, 5], [0.0, 20.0, 20.0])
    assert math.isnan(expected[0])
    assert expected[1:] == pytest.approx([2 * 35 / 1.8, 2 * 115 / 9.8])


@pytest.mark.parametrize(("x", "z"), [(1, 12.0), (3, 40.0), (9, 25.0)])
def test_likelihood_and_mean_are_integrals_over_the_unknown_scale(x, z):
    p, q, v = NOTE.get_params().values()

    def integral(function):
        def integrand(nu):
            return function(nu) * gamma.pdf(z, p * x, scale=1 / (nu * x)) * gamma.pdf(nu, q, scale=1 / v)

        return quad(integrand, 0, 50, limit=400, points=[0.1, 1.0], epsabs=0, epsrel=1e-10)[0]

    evidence = integral(lambda nu: 1.0)
    want = integral(lambda nu: p / nu) / evidence
    assert NOTE.expected_average_value(x, z) == pytest.approx(want, rel=1e-7)
    assert NOTE.log_likelihood([x], [z]) == pytest.approx(math.log(evidence), rel=1e-7)


@pytest.mark.parametrize("rate", [15_000.0, 0.01])
def test_the_currency_changes_nothing(rate):
    x, z = simulate(2_000, 6.0, 3.7, 15.0, np.random.default_rng(1))
    dollars, other = GammaGamma().fit(x, z), GammaGamma().fit(x, z * rate)
    ours, theirs = dollars.params_, other.params_
    assert [theirs.p, theirs.q, theirs.v / rate] == pytest.approx([ours.p, ours.q, ours.v], rel=1e-6)
    shift = dollars.customers_ * math.log(rate)
    assert other.log_likelihood_ == pytest.approx(dollars.log_likelihood_ - shift, rel=1e-11)
    assert other.population_mean_ == pytest.approx(dollars.population_mean_ * rate, rel=1e-6)
    assert other.standard_errors_.v == pytest.approx(dollars.standard_errors_.v * rate, rel=1e-4)


def test_weights_are_repeated_rows_and_order_is_nothing():
    rng = np.random.default_rng(4)
    x, z = simulate(1_000, 6.0, 3.7, 15.0, rng)
    weights = rng.integers(0, 4, len(x))
    weighted = GammaGamma().fit(x, z, weights=weights)
    rows = rng.permutation(np.repeat(np.arange(len(x)), weights))
    repeated = GammaGamma().fit(x[rows], z[rows])
    assert repeated.get_params() == pytest.approx(weighted.get_params(), rel=1e-8)
    assert repeated.log_likelihood_ == pytest.approx(weighted.log_likelihood_, rel=1e-11)
    assert repeated.customers_ == weighted.customers_


def test_simulated_customers_give_their_parameters_back():
    truth = {"p": 6.0, "q": 3.7, "v": 15.0}
    x, z = simulate(30_000, *truth.values(), np.random.default_rng(8))
    model = GammaGamma().fit(x, z)
    for name, value in truth.items():
        error = getattr(model.standard_errors_, name)
        assert abs(getattr(model.params_, name) - value) < 3.5 * error, name
        assert error < 0.1 * value
    best = model.log_likelihood_
    assert model.log_likelihood(x, z) == pytest.approx(best, rel=1e-11)
    for name, value in model.get_params().items():
        for factor in (0.99, 1.01):
            neighbour = GammaGamma.from_params(**{**model.get_params(), name: value * factor})
            assert neighbour.log_likelihood(x, z) < best


def test_only_customers_with_orders_worth_something_count():
    rng = np.random.default_rng(6)
    x, z = simulate(1_000, 6.0, 3.7, 15.0, rng)
    used = x > 0
    padded = GammaGamma().fit(np.append(x, [0, 4, 2]), np.append(z, [math.nan, 0.0, -5.0]))
    assert padded.get_params() == pytest.approx(GammaGamma().fit(x[used], z[used]).get_params(), rel=1e-9)
    assert padded.customers_ == used.sum()


def test_a_shop_with_one_price_is_no_error():
    x = np.tile([1, 2, 3, 4], 25)
    model = GammaGamma().fit(x, np.full(100, 50.0))
    assert model.expected_average_value(3, 50.0) == pytest.approx(50.0, rel=0.01)


def test_too_few_and_impossible():
    with pytest.raises(TooFewCustomers, match="at least 30 customers"):
        GammaGamma().fit([1, 2, 0], [10.0, 20.0, 0.0])
    with pytest.raises(BadHistory, match="finite"):
        GammaGamma().fit([1, 2], [10.0, math.nan])
    with pytest.raises(BadHistory, match="equally long"):
        GammaGamma().fit([1, 2], [10.0])
