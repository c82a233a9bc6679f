"""Staying of subscribers against the published survivor table, its papers' figures, and SciPy's own optimiser."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import betaln

from setia.predictions.models.survivors import BadSurvivors, BetaDiscreteWeibull, ShiftedBetaGeometric, TooFewLeft

REGULAR = [100, 63.1, 46.8, 38.2, 32.6, 28.9, 26.2, 24.1, 22.3, 20.7, 19.4, 18.3, 17.3]
HIGH_END = [100, 86.9, 74.3, 65.3, 59.3, 55.1, 51.7, 49.1, 46.8, 44.5, 42.7, 40.9, 39.4]
"""Percent surviving, as Fader and Hardie (2007) print them; seven years are fitted, five held back."""


def thousand(percent: list[float], years: int = 7) -> list[float]:
    return [10 * each for each in percent[: years + 1]]


@pytest.mark.parametrize(
    ("percent", "alpha", "beta", "log_likelihood", "after_12", "lifetime"),
    [
        (REGULAR, 0.7040773, 1.1820430, -1680.2651884, 0.17004, 3.694908420),
        (HIGH_END, 0.6680884, 3.8060954, -1611.1581473, 0.37800, 5.922253608),
    ],
)
def test_the_papers_table(percent, alpha, beta, log_likelihood, after_12, lifetime):
    model = ShiftedBetaGeometric().fit([thousand(percent)])
    assert (model.params_.alpha, model.params_.beta) == pytest.approx((alpha, beta), rel=1e-5)
    assert model.log_likelihood_ == pytest.approx(log_likelihood, abs=1e-5)
    assert float(model.survival(12)) == pytest.approx(after_12, abs=5e-6)
    assert model.discounted_lifetime(0.1) == pytest.approx(lifetime, rel=1e-6)
    assert model.standard_errors_ is not None
    assert model.subscribers_ == pytest.approx(1000)


def test_as_printed_in_the_paper():
    assert ShiftedBetaGeometric().fit([thousand(REGULAR)]).params_.alpha == pytest.approx(0.704, abs=5e-4)
    assert ShiftedBetaGeometric().fit([thousand(HIGH_END)]).params_.beta == pytest.approx(3.806, abs=5e-4)


@pytest.mark.parametrize(
    ("percent", "parameters", "log_likelihood", "error"),
    [
        (REGULAR, (0.4556, 0.7793, 1.2835), -1679.6028, 0.0138),
        (HIGH_END, (0.2143, 1.4266, 1.7236), -1605.3142, 0.0127),
    ],
)
def test_with_a_shape_of_time(percent, parameters, log_likelihood, error):
    """And the five years that were held back, to the printed mean absolute error."""
    model = BetaDiscreteWeibull().fit([thousand(percent)])
    p = model.params_
    assert (p.alpha, p.beta, p.c) == pytest.approx(parameters, abs=6e-4)
    assert model.log_likelihood_ == pytest.approx(log_likelihood, abs=1e-4)
    later = np.arange(8, 13)
    actual = np.array(percent[8:]) / 100
    assert np.mean(np.abs(model.survival(later) / actual - 1)) == pytest.approx(error, abs=5e-4)


def test_agrees_with_another_optimiser():
    told = np.array(thousand(REGULAR))

    def loss(logs):
        a, b = np.exp(logs)
        s = np.exp(betaln(a, b + np.arange(8)) - betaln(a, b))
        return -((told[:-1] - told[1:]) @ np.log(s[:-1] - s[1:]) + told[-1] * np.log(s[-1]))

    other = np.exp(minimize(loss, [0.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-9}).x)
    found = ShiftedBetaGeometric().fit([told]).params_
    assert (found.alpha, found.beta) == pytest.approx(tuple(other), rel=1e-5)


def test_cohorts_of_any_ages_count_together():
    whole = ShiftedBetaGeometric().fit([thousand(REGULAR)])
    halves = [[each / 2 for each in thousand(REGULAR)]] * 2
    assert ShiftedBetaGeometric().fit(halves).get_params() == pytest.approx(whole.get_params(), rel=1e-6)
    young = ShiftedBetaGeometric().fit([thousand(REGULAR), thousand(REGULAR, 3)])
    assert young.params_.alpha == pytest.approx(whole.params_.alpha, rel=0.1)


@given(
    alpha=st.floats(0.2, 5), beta=st.floats(0.2, 20), c=st.floats(0.5, 2), age=st.integers(0, 30),
    discount=st.floats(0.005, 0.5),
)  # fmt: skip
@settings(max_examples=60)
def test_what_holds_for_all_parameters(alpha, beta, c, age, discount):
    model = BetaDiscreteWeibull.from_params(alpha, beta, c)
    survival = model.survival(np.arange(40))
    assert survival[0] == 1
    assert np.all(np.diff(survival) <= 0)
    rates = model.retention_rate(np.arange(1, 40))
    assert np.all((rates > 0) & (rates <= 1))
    remaining = model.discounted_remaining(age, discount)
    assert 0 <= remaining <= 1 / discount + 1e-9
    # The next payment is made by those who stay; what follows is theirs, a period later.
    stay = float(model.retention_rate(age + 1))
    assert remaining == pytest.approx(
        stay * (1 + model.discounted_remaining(age + 1, discount)) / (1 + discount), rel=1e-6
    )
    plain = ShiftedBetaGeometric.from_params(alpha, beta)
    assert BetaDiscreteWeibull.from_params(alpha, beta, 1).survival(7) == pytest.approx(plain.survival(7))
    later = plain.retention_rate(np.arange(1, 20))
    assert np.all(np.diff(later) >= -1e-12), "who stays longer is likelier to stay"


def test_simulated_and_found_again():
    draw = np.random.default_rng(5)
    p = draw.beta(1.3, 6.0, 200_000)
    left_at = draw.geometric(p)
    survivors = [float((left_at > t).sum()) for t in range(11)]
    model = ShiftedBetaGeometric().fit([survivors])
    assert (model.params_.alpha, model.params_.beta) == pytest.approx((1.3, 6.0), rel=0.05)


@pytest.mark.parametrize(
    ("cohorts", "problem", "said"),
    [
        ([], TooFewLeft, "2 renewals at least"),
        ([[100, 50]], TooFewLeft, "Wait for more renewals"),
        ([[100, 99, 98]], TooFewLeft, "here are 2"),
        ([[100]], BadSurvivors, "a start and one renewal"),
        ([[100, 50, 30], [100, 120]], BadSurvivors, "Cohort 1, counted from 0.*never rise"),
        ([[100, float("nan")]], BadSurvivors, "finite"),
        ([[5, -1]], BadSurvivors, "0 or more"),
    ],
)
def test_what_cannot_be_fitted_is_said(cohorts, problem, said):
    with pytest.raises(problem, match=said):
        ShiftedBetaGeometric().fit(cohorts)
    with pytest.raises(BadSurvivors, match="has to be above 0"):
        ShiftedBetaGeometric.from_params(1, 1).discounted_lifetime(0)
