"""BG/NBD against the figures of its paper, of CLVTools and of Hardie's note 027, and against the NBD model."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from scipy.special import gammaln
from scipy.stats import nbinom

from setia.predictions.models.bg_nbd import BGNBD

PAPER = BGNBD.from_params(0.243, 4.414, 0.793, 2.426)
FITTED = BGNBD.from_params(0.2425929, 4.4135316, 0.7928862, 2.4257540)


def histories(file, end, customer="customer_id", day="date", keep="true"):
    """Frequency, recency and T in days up to and including `end`; orders of one day count once."""
    query = f"""
        with days as (select distinct {customer} as customer, {day}::date as day from '{file}' where {keep})
        select count(*) - 1 as x, max(day) - min(day) as t_x, date '{end}' - min(day) as age, customer
        from days where day <= date '{end}' group by customer order by customer
    """
    columns = duckdb.sql(query).fetchnumpy()
    return columns["x"], columns["t_x"].astype(float), columns["age"].astype(float)


@pytest.fixture
def sample(data_set):
    """The paper's 2,357 customers at 39 weeks, in weeks."""
    x, t_x, T = histories(data_set("cdnow_sample.parquet"), "1997-09-30")
    return x, t_x / 7, T / 7


@pytest.mark.data
def test_cdnow_sample_gives_the_papers_parameters(sample):
    model = BGNBD().fit(*sample)
    assert list(model.get_params().values()) == pytest.approx([0.243, 4.414, 0.793, 2.426], abs=5e-4)
    assert model.log_likelihood_ == pytest.approx(-9582.4, abs=0.05)
    clvtools = {"r": 0.2425945, "alpha": 4.4136019, "a": 0.7929199, "b": 2.4258881}
    assert model.get_params() == pytest.approx(clvtools, rel=1e-5)
    assert model.log_likelihood_ == pytest.approx(-9582.429, abs=5e-4)
    errors = model.standard_errors_
    assert [errors.r, errors.alpha, errors.a, errors.b] == pytest.approx([0.01256, 0.3782, 0.1857, 0.7053], rel=5e-4)
    assert model.customers_ == 2_357
    assert model.dropout_identified_ is True


@pytest.mark.data
def test_cdnow_sample_as_printed_to_two_decimals_of_a_week(sample):
    x, t_x, T = sample
    model = BGNBD().fit(x, np.round(t_x, 2), np.round(T, 2))
    assert model.get_params() == pytest.approx(FITTED.get_params(), rel=1e-6)
    assert model.log_likelihood_ == pytest.approx(-9582.4256, abs=1e-4)


@pytest.mark.data
@pytest.mark.parametrize(
    ("end", "params", "log_likelihood"),
    [
        ("1997-09-30", [0.25162, 33.5226, 0.72343, 2.16109], -142726.059),
        ("1998-06-30", [0.26713, 41.9054, 0.48352, 2.11161], -259086.827),
    ],
)
def test_all_cdnow_customers_in_days(data_set, end, params, log_likelihood):
    model = BGNBD().fit(*histories(data_set("cdnow_master.parquet"), end))
    assert list(model.get_params().values()) == pytest.approx(params, rel=2e-5)
    assert model.log_likelihood_ == pytest.approx(log_likelihood, abs=1e-3)
    assert model.customers_ == 23_570


@pytest.mark.data
def test_cdnow_holdout(sample):
    model = BGNBD().fit(*sample)
    expected = model.expected_purchases(39, *sample)
    assert expected.sum() == pytest.approx(1653, abs=1)
    frequency = np.minimum(sample[0], 7)
    by_frequency = [expected[frequency == x].mean() for x in range(8)]
    assert by_frequency == pytest.approx([0.225, 0.523, 1.044, 1.520, 2.164, 2.654, 3.504, 6.157], abs=2e-3)


@pytest.mark.data
def test_online_retail_shows_no_dropout(data_set):
    keep = "Quantity > 0 and InvoiceNo not like 'C%' and CustomerID is not null"
    columns = histories(data_set("online_retail.parquet"), "2011-12-09", "CustomerID", "InvoiceDate", keep)
    model = BGNBD().fit(*columns)
    assert model.customers_ == pytest.approx(4_338, abs=1)
    assert model.params_.r == pytest.approx(0.8276, rel=0.01)
    assert model.params_.alpha == pytest.approx(69.19, rel=0.01)
    assert model.params_.a < 0.01
    assert model.dropout_identified_ is False
    assert BGNBD().fit(columns[0], columns[1] * 24, columns[2] * 24).dropout_identified_ is False


@pytest.mark.parametrize(
    ("t", "rounded", "published"),
    [
        (1 / 7, 0.0078260, 0.0078),
        (1, 0.0532679, 0.0532),
        (3, 0.1508652, 0.1506),
        (31 + 6 / 7, 1.0419970, 1.0405),
        (32, 1.0452433, 1.0437),
        (78, 1.8605191, 1.8576),
    ],
)
def test_expected_purchases_of_a_new_customer(t, rounded, published):
    assert PAPER.expected_purchases_new(t) == pytest.approx(rounded, abs=1e-7)
    assert FITTED.expected_purchases_new(t) == pytest.approx(published, abs=5e-4)


def test_the_papers_example_customer():
    assert PAPER.expected_purchases(39, 2, 30.43, 38.86) == pytest.approx(1.226, abs=5e-4)
    assert PAPER.expected_purchases(39, 2, 30.43, 38.86) == pytest.approx(1.226028, abs=1e-6)
    assert PAPER.probability_alive(2, 30.43, 38.86) == pytest.approx(0.726579, abs=1e-6)


def test_who_bought_once_never_left():
    assert (PAPER.probability_alive(0, 0, [0, 39, 10_000]) == 1).all()
    assert PAPER.probability_of_no_purchase(39, 0, 0, 0) == pytest.approx(0.5737863520960094, rel=1e-12)


@pytest.mark.parametrize(("x", "t_x", "log_likelihood"), [(0, 0, -0.59947382), (200, 38, 100.7957)])
def test_two_hundred_purchases_do_not_overflow(x, t_x, log_likelihood):
    model = BGNBD.from_params(r=0.25, alpha=4, a=0.8, b=2.5)
    assert model.log_likelihood(x, t_x, 40) == pytest.approx(log_likelihood, abs=5e-5)


def test_where_nobody_leaves_it_is_the_nbd_model():
    x, t_x, T = np.array([0, 1, 5, 80]), np.array([0.0, 2.0, 20.0, 39.0]), np.array([30.0, 39.0, 35.0, 40.0])
    r, alpha = 0.385, 12.07
    model = BGNBD.from_params(r, alpha, 1e-20, 2.0)
    negative_binomial = nbinom.logpmf(x, r, alpha / (alpha + T)) + gammaln(x + 1) - x * np.log(T)
    assert model.log_likelihood(x, t_x, T) == pytest.approx(negative_binomial.sum(), rel=1e-12)
    np.testing.assert_allclose(model.expected_purchases(10, x, t_x, T), 10 * (r + x) / (alpha + T), rtol=1e-9)
    assert model.dropout_identified_ is False


@pytest.mark.data
def test_nbd_likelihood_of_the_cdnow_sample(sample):
    x, t_x, T = sample
    without_dropout = BGNBD.from_params(0.38476767, 12.07208502, 1e-20, 1.0)
    log_likelihood = without_dropout.log_likelihood(x, np.round(t_x, 2), np.round(T, 2))
    assert log_likelihood == pytest.approx(-9763.660222, abs=1e-5)
