"""MBG/CNBD-k: gains that others measured, simulated regular buyers, exact expectations, k = 1 as MBG/NBD; priors."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import gammaln
from scipy.stats import nbinom

from setia.predictions.models.bg_nbd import BGNBD, BetaGeometricParameters
from setia.predictions.models.mbg_cnbd import MBGCNBD
from setia.predictions.models.mbg_nbd import MBGNBD
from setia.predictions.models.purchases import BadHistory, TooFewCustomers

PARAMS = (1.3, 30.0, 0.5, 1.5)


def simulated(k: int, customers: int, seed: int, r=1.3, alpha=30.0, a=0.5, b=1.5, longest=400.0):
    """Histories drawn from the model's own story: x, t_x, T and the sums of log gaps."""
    rng = np.random.default_rng(seed)
    rate, leaves = rng.gamma(r, 1 / alpha, customers), rng.beta(a, b, customers)
    age = rng.uniform(50, longest, customers)
    x, last, logs, now = np.zeros(customers), np.zeros(customers), np.zeros(customers), np.zeros(customers)
    active = rng.random(customers) >= leaves
    while active.any():
        who = np.flatnonzero(active)
        gap = rng.gamma(k, 1 / rate[who])
        now[who] += gap
        within = now[who] <= age[who]
        bought = who[within]
        x[bought] += 1
        last[bought] = now[bought]
        logs[bought] += np.log(gap[within])
        active[who] = within & (rng.random(len(who)) >= leaves[who])
    return x, last, age, logs


@pytest.mark.data
def test_online_retail_gains_what_others_measured(data_set):
    """Erlang-2 gaps gain 752 of log-likelihood, and show that customers leave, which k = 1 does not."""
    file = data_set("online_retail.parquet")
    found = duckdb.sql(
        "with days as (select distinct CustomerID as who, InvoiceDate::date as day "
        f"from '{file}' where CustomerID is not null and InvoiceNo not like 'C%'), "
        "gaps as (select who, day, day - lag(day) over (partition by who order by day) as gap from days) "
        "select count(*) - 1 as x, max(day) - min(day) as last, date '2011-12-09' - min(day) as age, "
        "coalesce(sum(ln(gap)), 0) as logs from gaps group by who order by who"
    ).fetchnumpy()
    x, last, age, logs = (np.asarray(found[name], dtype=float) for name in ("x", "last", "age", "logs"))
    plain = MBGCNBD(1).fit(x, last, age, log_gaps=logs)
    regular = MBGCNBD().fit(x, last, age, log_gaps=logs)
    assert regular.k == 2
    assert regular.log_likelihood_ - plain.log_likelihood_ == pytest.approx(752, abs=1)
    assert (plain.dropout_identified_, regular.dropout_identified_) == (False, True)


def test_one_step_is_the_plain_model():
    x, last, age, logs = simulated(1, 800, 5)
    plain, one = MBGNBD().fit(x, last, age), MBGCNBD(1).fit(x, last, age, log_gaps=logs)
    assert one.params_ == plain.params_
    assert one.log_likelihood_ == pytest.approx(plain.log_likelihood_)
    assert MBGCNBD().fit(x, last, age, log_gaps=logs).k == 1, "irregular buyers are found to be that"
    by_steps = one._ahead(np.float64(60), x[:50], last[:50], age[:50]).expected()
    assert one.probability_alive(x[:50], last[:50], age[:50]) * by_steps == pytest.approx(
        plain.expected_purchases(60, x[:50], last[:50], age[:50]), rel=1e-8
    )


def test_regular_buyers_are_recovered():
    x, last, age, logs = simulated(3, 6000, 11)
    found = MBGCNBD().fit(x, last, age, log_gaps=logs)
    assert found.k == 3
    for truth, value, error in zip(
        PARAMS, vars(found.params_).values(), vars(found.standard_errors_).values(), strict=True
    ):
        assert abs(value - truth) < 4 * error


def test_likelihood_by_integration():
    """One customer's likelihood, rate and drop-out integrated out numerically, for three steps."""
    r, alpha, a, b, k = 1.3, 8.0, 0.7, 2.1, 3
    x, t_x, age, gaps = 2, 20.0, 31.0, (12.0, 8.0)

    def given_rate(rate: float) -> float:
        density = np.prod([rate**k * g ** (k - 1) * np.exp(-rate * g) / np.exp(gammaln(k)) for g in gaps])
        silent = sum((rate * (age - t_x)) ** j * np.exp(-rate * (age - t_x)) / np.exp(gammaln(j + 1)) for j in range(k))

        def beta(stays, leaves):
            return np.exp(gammaln(a + leaves) + gammaln(b + stays) - gammaln(a + b + leaves + stays)) / np.exp(
                gammaln(a) + gammaln(b) - gammaln(a + b)
            )

        prior = alpha**r * rate ** (r - 1) * np.exp(-alpha * rate - gammaln(r))
        return prior * density * (beta(x + 1, 0) * silent + beta(x, 1))

    truth = np.log(quad(given_rate, 0, 20, limit=400)[0])
    model = MBGCNBD.from_params(r, alpha, a, b, k)
    constant = (k - 1) * np.log(gaps).sum() - x * gammaln(k)
    assert model.log_likelihood(x, t_x, age) + constant == pytest.approx(truth, abs=1e-6)


def test_expectations_and_distribution_by_simulation():
    model = MBGCNBD.from_params(*PARAMS, 3)
    x, _, _, _ = simulated(3, 200_000, 2, longest=50.0)  # everybody watched for 50 days
    whole = model.probability_of_purchases(12, 50.0, 0, 0, 0)
    assert model.expected_purchases_new(50.0) == pytest.approx(x.mean(), abs=4 * x.std() / len(x) ** 0.5)
    shares = np.bincount(x.astype(int), minlength=13)[:13] / len(x)
    assert np.abs(whole - shares).max() < 0.004
    assert model.probability_of_no_purchase(50.0, 0, 0, 0) == pytest.approx(whole[0])


def test_published_distribution():
    model = BGNBD.from_params(0.243, 4.414, 0.793, 2.426)
    published = [
        0.0019995214, 0.0015170236, 0.0011633150, 0.0009003148, 0.0007023638, 0.0005517902, 0.0004361913, 0.0003467171,
        0.0002769613, 0.0002222260,
    ]  # fmt: skip
    assert model.probability_of_purchases(20, 30.0, 0, 0, 0)[11:] == pytest.approx(published, abs=1e-9)
    assert model.probability_of_purchases(1, 39.0, 0, 0, 0)[0] == pytest.approx(0.5737864, abs=1e-7)
    assert model.probability_of_purchases(10, 2.0, 0, 0, 0)[10] == pytest.approx(1.07869e-07, abs=1e-12)


def test_nobody_leaves_is_negative_binomial():
    model = BGNBD.from_params(0.8, 5.0, 1e-9, 5.0)
    assert model.probability_of_purchases(6, 7.0, 0, 0, 0) == pytest.approx(nbinom.pmf(range(7), 0.8, 5 / 12), abs=1e-7)


@given(
    st.integers(1, 4), st.integers(0, 400), st.floats(0.01, 1), st.floats(0.1, 400), st.floats(0.1, 5),
    st.floats(0.05, 4), st.floats(0.05, 4),
)  # fmt: skip
@settings(max_examples=60)
def test_distributions_are_distributions(k, x, recency, ahead, r, a, b):
    model = MBGCNBD.from_params(r, 20.0, a, b, k)
    age = 300.0
    t_x = recency * age if x else 0.0
    most = 3000
    chances = model.probability_of_purchases(most, ahead, x, t_x, age)
    assert np.all(chances >= -1e-12)
    assert chances.sum() == pytest.approx(1, abs=1e-6)
    assert chances @ np.arange(most + 1) == pytest.approx(
        model.expected_purchases(ahead, x, t_x, age), rel=1e-5, abs=1e-7
    )


def test_a_hundred_thousand_orders_of_one_customer():
    model = MBGCNBD.from_params(*PARAMS, 2)
    found = model.expected_purchases(30.0, 100_000, 3650.99, 3651.0)
    assert found == pytest.approx(30 * 100_000 / 3651, rel=0.05)
    silent = model.expected_purchases(30.0, 100_000, 3650.0, 3651.0)
    assert 0 <= silent < 1e-9, "a day of silence is thirty usual gaps"


def test_without_gaps_k_must_be_given():
    x, last, age, _ = simulated(2, 200, 1)
    with pytest.raises(BadHistory, match="give log_gaps, or k"):
        MBGCNBD().fit(x, last, age)
    assert MBGCNBD(2).fit(x, last, age).k == 2


@pytest.mark.parametrize("model", [MBGNBD, BGNBD])
def test_priors_help_where_there_is_little(model):
    """With few customers the fit stays near the prior; with many the data speak; a wide prior says nothing."""
    x, last, age, _ = simulated(1, 4000, 3)
    whole = model().fit(x, last, age)
    with pytest.raises(TooFewCustomers):
        model().fit(x[:8], last[:8], age[:8])
    few = model(prior=whole.params_, prior_spread=0.1).fit(x[:8], last[:8], age[:8])
    for name, value in vars(few.params_).items():
        assert value == pytest.approx(getattr(whole.params_, name), rel=0.25)
    wide = model(prior=BetaGeometricParameters(5.0, 5.0, 5.0, 5.0), prior_spread=1e4).fit(x, last, age)
    assert vars(wide.params_) == pytest.approx(vars(whole.params_), rel=1e-4)
    prior = replace(whole.params_, alpha=24 * whole.params_.alpha)
    hours = model(prior=prior, prior_spread=0.1).fit(x[:8], last[:8] * 24, age[:8] * 24)
    assert hours.params_.alpha == pytest.approx(24 * few.params_.alpha, rel=1e-4), "priors move with the unit of time"
