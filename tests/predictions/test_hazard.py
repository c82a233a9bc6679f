"""The discrete-time hazard against Kaplan and Meier's curve, statsmodels, SciPy's own optimiser and simulated truth."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from setia.predictions.models.hazard import BadPeriods, DiscreteTimeHazard, TooFewEnded
from setia.predictions.models.purchases import NoConvergence
from setia.predictions.models.ridge import RIDGE, RIDGES


def simulated(people, seed=1, periods=24, slopes=(0.8, -0.5), changing=True):
    """Person-period rows with a falling baseline and covariates that change from period to period."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(people, periods, len(slopes))) * (1.0, 20.0)[: len(slopes)] + 5
    if not changing:
        x = np.repeat(x[:, :1], periods, axis=1)
    k = np.arange(1, periods + 1)
    away = (x - 5) / (1.0, 20.0)[: len(slopes)]
    chance = 1 / (1 + np.exp(-(-2.0 - 0.05 * k + away @ np.array(slopes))))
    ends = draw.random((people, periods)) < chance
    watched = draw.integers(1, periods + 1, people)
    first = np.where(ends.any(axis=1), ends.argmax(axis=1) + 1, periods + 1)
    duration, ended = np.minimum(first, watched), first <= watched
    who, period = np.nonzero(k <= duration[:, np.newaxis])
    over = ended[who] & (period + 1 == duration[who])
    return duration, ended, x, (period + 1, over, x[who, period])


def levels_of(model, period):
    return np.searchsorted(model.params_.levels, period, side="right") - 1


def told(parameters):
    return np.array([*parameters.baseline, *parameters.coefficients.values(), *parameters.unknown.values()])


@pytest.mark.data
def test_kaplan_and_meier_on_telco(data_set):
    """As lifelines measured it; and exactly the product of 1 - d / n."""
    table = pq.read_table(data_set("telco_churn.parquet"), columns=["tenure", "Churn"])
    tenure, churn = table["tenure"].to_numpy(), np.array(table["Churn"].to_pylist()) == "Yes"
    duration, ended = tenure[tenure > 0], churn[tenure > 0]
    model = DiscreteTimeHazard(ridge=0, per_level=0).fit(duration, ended)
    assert model.survival([12, 24, 72], 1) == pytest.approx([0.8432, 0.7887, 0.5928], abs=5e-5)
    at_risk = np.array([(duration >= k).sum() for k in range(1, 73)])
    died = np.array([((duration == k) & ended).sum() for k in range(1, 73)])
    assert model.survival(np.arange(1, 73), 1) == pytest.approx(np.cumprod(1 - died / at_risk), rel=1e-13)
    assert (model.periods_, model.ended_) == (duration.sum(), ended.sum())


def test_kaplan_and_meier_where_nobody_or_everybody_ends():
    """Periods without an ending have no finite level, nor has one that nobody outlives; both are what they are."""
    duration = np.array([1] * 6 + [3] * 8 + [5] * 4)
    ended = np.array([1] * 6 + [1] * 3 + [0] * 5 + [1] * 4)
    model = DiscreteTimeHazard(ridge=0, per_level=0).fit(duration, ended)
    expected = np.cumprod([1 - 6 / 18, 1, 1 - 3 / 12, 1, 0])
    assert model.survival([1, 2, 3, 4, 5], 1) == pytest.approx(expected, abs=1e-15)
    assert model.hazard([2, 5, 9]).tolist() == [0, 1, 1]
    with pytest.raises(TooFewEnded, match=r"0 covariates that vary needs 10 endings at least.*here are 5 and 40"):
        DiscreteTimeHazard(ridge=0, per_level=0).fit(duration[5:], ended[5:] & (duration[5:] != 3))


def test_agrees_with_statsmodels_on_the_same_rows():
    _, _, _, (period, over, x) = simulated(1500)
    model = DiscreteTimeHazard(ridge=0).fit_rows(period, over, x, ["a", "b"])
    design = np.column_stack([np.eye(len(model.params_.levels))[levels_of(model, period)], x - x.mean(axis=0)])
    other = sm.Logit(over.astype(float), design).fit(disp=0, method="newton", tol=1e-12)
    assert told(model.params_) == pytest.approx(other.params, rel=1e-8)
    assert told(model.standard_errors_) == pytest.approx(other.bse, rel=1e-8)
    assert model.log_likelihood_ == pytest.approx(other.llf, rel=1e-12)
    assert model.hazard(period, x) == pytest.approx(other.predict(design), rel=1e-8)


def test_what_is_not_known_stands_at_the_mean_with_a_flag():
    _, _, _, (period, over, x) = simulated(1500, seed=2)
    gone = np.random.default_rng(3).random(len(over)) < 0.3
    x[gone, 1] = np.nan
    x = np.column_stack([x, x[:, 1], np.full(len(over), np.nan), np.full(len(over), 7.0)])
    with pytest.raises(NoConvergence):
        DiscreteTimeHazard(ridge=0).fit_rows(period, over, x)
    names = ["a", "b", "never", "same"]
    model = DiscreteTimeHazard(ridge=0).fit_rows(period, over, x[:, [0, 1, 3, 4]], names)
    filled = np.where(np.isnan(x), np.nanmean(x[:, :2], axis=0)[[0, 1, 1, 0, 0]], x)
    level = np.eye(len(model.params_.levels))[levels_of(model, period)]
    design = np.column_stack([level, filled[:, :2] - np.nanmean(x[:, :2], axis=0), gone])
    other = sm.Logit(over.astype(float), design).fit(disp=0, method="newton", tol=1e-12)
    p, errors = model.params_, model.standard_errors_
    assert [p.coefficients["a"], p.coefficients["b"], p.unknown["b"]] == pytest.approx(other.params[-3:], rel=1e-7)
    assert [errors.coefficients["a"], errors.unknown["b"]] == pytest.approx(other.bse[[-3, -1]], rel=1e-7)
    assert (list(p.unknown), p.coefficients["never"], p.coefficients["same"]) == (["b"], 0, 0)
    assert np.isnan(errors.coefficients["never"])
    assert np.isnan(errors.coefficients["same"])
    asked = np.array([[5.0, np.nan, np.nan, 9.0]])
    by_hand = p.baseline[0] + p.coefficients["a"] * (5 - p.means["a"]) + p.unknown["b"]
    assert model.hazard([1], asked) == pytest.approx(1 / (1 + np.exp(-by_hand)))


@pytest.mark.parametrize("ridge", [0.5, 40.0])
def test_the_ridge_agrees_with_another_optimiser(ridge):
    _, _, _, (period, over, x) = simulated(400, seed=4)
    model = DiscreteTimeHazard(ridge=ridge).fit_rows(period, over, x, ["a", "b"])
    deviations = x.std(axis=0)
    design = np.column_stack(
        [np.eye(len(model.params_.levels))[levels_of(model, period)], (x - x.mean(axis=0)) / deviations]
    )

    def loss(place):
        eta = design @ place
        return np.logaddexp(0, eta).sum() - over @ eta + ridge / 2 * (place[-2:] ** 2).sum()

    found = minimize(loss, np.zeros(design.shape[1]), method="BFGS", options={"gtol": 1e-4}).x
    assert told(model.params_) == pytest.approx(found / [*[1] * (len(found) - 2), *deviations], abs=2e-5)
    chance = 1 / (1 + np.exp(-design @ found))
    curvature = design.T @ (design * (chance * (1 - chance))[:, np.newaxis])
    curvature[-2:, -2:] += ridge * np.eye(2)
    errors = np.sqrt(np.diag(np.linalg.inv(curvature)))
    assert told(model.standard_errors_) == pytest.approx(errors / [*[1] * (len(found) - 2), *deviations], rel=1e-4)


def test_simulated_and_found_again():
    duration, ended, x, _ = simulated(20_000, seed=5, changing=False)
    model = DiscreteTimeHazard(ridge=0).fit(duration, ended, x[:, 0], ["a", "b"])
    found, errors = model.params_, model.standard_errors_
    truth = {"a": 0.8, "b": -0.5 / 20}
    for name, value in truth.items():
        assert abs(found.coefficients[name] - value) < 3 * errors.coefficients[name], name
        assert errors.coefficients[name] < 0.03 * (1.0 if name == "a" else 1 / 20)
    means = np.array(list(found.means.values()))
    at_means = np.array(found.baseline) - (means - 5) @ np.array(list(truth.values()))
    single = [k for k, (one, other) in enumerate(zip(found.levels, found.levels[1:], strict=False)) if other == one + 1]
    away = (at_means[single] - (-2 - 0.05 * np.array(found.levels)[single])) / np.array(errors.baseline)[single]
    assert len(single) >= 12
    assert np.abs(away).max() < 3.5
    assert 0.3 < away.std() < 1.7


def test_subscribers_and_their_periods_say_the_same():
    """`fit` is `fit_rows` on the rows it stands for; a weight of three is three times the same subscriber."""
    duration, ended, x, (period, over, _) = simulated(600, seed=6, changing=False)
    x = np.where(np.random.default_rng(6).random((600, 2)) < 0.1, np.nan, x[:, 0])
    weights = np.random.default_rng(7).integers(0, 4, 600)
    whole = DiscreteTimeHazard().fit(duration, ended, x, weights=weights)
    who = np.repeat(np.arange(600), duration)
    rows = DiscreteTimeHazard().fit_rows(period, over, x[who], weights=weights[who])
    many = np.repeat(np.arange(600), weights)
    repeated = DiscreteTimeHazard().fit(duration[many], ended[many], x[many])
    for other in (rows, repeated):
        assert other.params_.levels == whole.params_.levels
        assert told(other.params_) == pytest.approx(told(whole.params_), rel=1e-9)
        assert told(other.standard_errors_) == pytest.approx(told(whole.standard_errors_), rel=1e-9)
        assert other.log_likelihood_ == pytest.approx(whole.log_likelihood_, rel=1e-12)
        assert (other.periods_, other.ended_) == (whole.periods_, whole.ended_)


def test_levels_have_enough_endings():
    duration, ended, _, (period, over, _) = simulated(800, seed=8)
    model = DiscreteTimeHazard(per_level=25).fit(duration, ended)
    level = levels_of(model, period)
    by_level = np.bincount(level[over], minlength=len(model.params_.levels))
    assert model.params_.levels[:2] == (1, 2)
    assert by_level.min() >= 25
    assert len(by_level) == len(model.params_.levels) < 24
    # A level is closed as soon as it has enough, and what is left over belongs to the last one.
    for first, following in zip(model.params_.levels[:-1], model.params_.levels[1:], strict=True):
        assert (over & (period >= first) & (period < following - 1)).sum() < 25
    pooled = over.sum() / len(over)
    assert DiscreteTimeHazard(per_level=10**6).fit(duration, ended).hazard([1, 90]) == pytest.approx(pooled)


def test_first_periods_that_nobody_watched():
    """Subscribers who are met in their tenth period: the level from there holds for what was before, too."""
    _, _, _, (period, over, _) = simulated(2000, seed=9)
    later = period >= 10
    model = DiscreteTimeHazard(ridge=0).fit_rows(period[later], over[later])
    assert model.params_.levels[0] == 1
    assert model.hazard(3) == model.hazard(10) == pytest.approx(over[period == 10].mean(), rel=0.6)


def test_the_ridge_that_forecasts_best_in_time():
    draw = np.random.default_rng(10)
    noise, when = draw.normal(size=(3000, 12)), np.sort(draw.integers(0, 24, 3000))
    period = draw.integers(1, 6, 3000)
    over = draw.random(3000) < 0.08
    assert DiscreteTimeHazard().fit_rows(period, over, noise, when=when).ridge_ >= 100
    told_apart = draw.random(3000) < 1 / (1 + np.exp(2.5 - noise @ np.linspace(-1, 1, 12)))
    assert DiscreteTimeHazard().fit_rows(period, told_apart, noise, when=when).ridge_ <= 10
    # What held once and holds no more: the first half says the opposite of the second.
    turned = draw.random(3000) < 1 / (1 + np.exp(2.5 - noise[:, 0] * np.where(when < 12, 1.5, -1.5)))
    assert DiscreteTimeHazard().fit_rows(period, turned, noise[:, :1], when=when).ridge_ == RIDGES[-1]
    assert DiscreteTimeHazard().fit_rows(period, over, noise).ridge_ == RIDGE
    assert DiscreteTimeHazard(3.5).fit_rows(period, over, noise, when=when).ridge_ == 3.5
    assert DiscreteTimeHazard().fit_rows(period, over, noise, when=np.zeros(3000)).ridge_ == RIDGE
    with pytest.raises(BadPeriods, match="a finite number for each row"):
        DiscreteTimeHazard().fit_rows(period, over, noise, when=[1.0])


@given(unit=st.floats(1e-3, 1e5), shift=st.floats(-10, 10), seed=st.integers(0, 20))
@settings(max_examples=25)
def test_units_and_order_change_nothing(unit, shift, seed):
    duration, ended, x, _ = simulated(300, seed=11, changing=False)
    x = x[:, 0]
    one = DiscreteTimeHazard().fit(duration, ended, x, ["a", "b"])
    order = np.random.default_rng(seed).permutation(300)
    other = DiscreteTimeHazard().fit(duration[order], ended[order], (x[order] + shift) * unit, ["a", "b"])
    assert other.params_.baseline == pytest.approx(one.params_.baseline, rel=1e-6)
    for name in ("a", "b"):
        assert unit * other.params_.coefficients[name] == pytest.approx(one.params_.coefficients[name], rel=1e-5)
        assert unit * other.standard_errors_.coefficients[name] == pytest.approx(
            one.standard_errors_.coefficients[name], rel=1e-5
        )
    again = DiscreteTimeHazard().fit(duration, ended, x, ["a", "b"])
    assert (again.params_, again.standard_errors_) == (one.params_, one.standard_errors_)


@given(
    levels=st.lists(st.tuples(st.integers(1, 4), st.floats(-6, 3)), min_size=1, max_size=5),
    slope=st.floats(-2, 2), value=st.one_of(st.floats(-3, 3), st.just(float("nan"))), period=st.integers(1, 20),
    discount=st.floats(0, 0.5), part=st.floats(0, 1),
)  # fmt: skip
@settings(max_examples=60)
def test_what_holds_for_all_parameters(levels, slope, value, period, discount, part):
    firsts = np.cumsum([1, *(length for length, _ in levels[:-1])]).tolist()
    model = DiscreteTimeHazard.from_params(firsts, [log_odds for _, log_odds in levels], {"a": slope}, {"a": 0.3}, {})
    x = [[value]]
    hazards = np.array([float(model.hazard(period + k, x)[0]) for k in range(6)])
    survival = model.survival(np.arange(7), period, x)
    assert survival == pytest.approx(np.cumprod([1, *(1 - hazards)]), rel=1e-9)
    assert model.survival([2 + part], period, x)[0] == pytest.approx(
        survival[2] ** (1 - part) * survival[3] ** part, rel=1e-9
    )
    assert model.hazard(firsts[-1] + 1000, x) == model.hazard(firsts[-1], x)
    assert model.expected_remaining(6, period, x)[0] == pytest.approx(survival[1:].sum(), rel=1e-9)
    # The next payment is made by those who stay, and what follows is theirs, a period later.
    paid = model.discounted_remaining(10.0, discount, 6, period, x)[0]
    after = model.discounted_remaining(10.0, discount, 5, period + 1, x)[0]
    assert paid == pytest.approx((1 - hazards[0]) * (10 + after) / (1 + discount), rel=1e-9)
    assert DiscreteTimeHazard.from_params(**model.get_params()).get_params() == model.get_params()


def test_a_constant_hazard_is_geometric():
    model = DiscreteTimeHazard.from_params([1], [np.log(0.2 / 0.8)])
    assert model.survival([0, 1, 10, 2.5], 7) == pytest.approx([1, 0.8, 0.8**10, 0.8**2.5])
    factor = 0.8 / 1.01
    assert model.discounted_remaining(5, 0.01, 12, [1, 40]) == pytest.approx(
        [5 * factor * (1 - factor**12) / (1 - factor)] * 2
    )
    assert model.expected_remaining(0, 3) == 0
    several = DiscreteTimeHazard.from_params([1, 3], [-1.0, -2.0], {"a": 1.0})
    assert several.survival([1, 2], [2, 3], [[0.0], [1.0]]) == pytest.approx(
        [1 / (1 + np.exp(-1.0)), (1 / (1 + np.exp(-1.0))) ** 2]
    )


def test_no_best_fit_is_said():
    """A covariate that tells endings apart without fail, and columns that say the same: without a ridge no peak."""
    duration, ended, x, _ = simulated(300, seed=12, changing=False)
    for columns in (ended[:, np.newaxis], np.column_stack([x[:, 0, 0], 2 * x[:, 0, 0]])):
        with pytest.raises(NoConvergence):
            DiscreteTimeHazard(ridge=0).fit(duration, ended, columns)
        found = DiscreteTimeHazard().fit(duration, ended, columns).params_.coefficients
        assert all(np.isfinite(list(found.values())))
    assert found["x1"] == pytest.approx(2 * found["x2"])


@pytest.mark.parametrize(
    ("columns", "problem", "said"),
    [
        (([2, 3], [0, 1], [[1.0], [2.0]]), TooFewEnded, "1 covariates that vary needs 12.*here are 1 and 4"),
        (([], []), TooFewEnded, "here are 0 and 0"),
        (([2, 0], [0, 1]), BadPeriods, "Row 1 of the subscription periods, counted from 0.*from 1 to"),
        (([1.5], [0]), BadPeriods, "a whole number"),
        (([1, 2], [0, 2]), BadPeriods, "Row 1.*must be 0 or 1"),
        (([1, 2], [0]), BadPeriods, "not equally long"),
        (([1, 2], [0, 1], [[1.0], [np.inf]]), BadPeriods, "Row 1.*finite, or nan"),
        (([1, 2], [0, 1], [1.0, 2.0]), BadPeriods, "no two dimensions"),
        (([1, 2], [0, 1], None, None, [1, -1]), BadPeriods, "Row 1.*a weight"),
        (([1, 2], [0, 1], [[1.0], [2.0]], ["a", "b"]), BadPeriods, "1 covariates, which need as many different names"),
    ],
)  # fmt: skip
def test_impossible_input_is_said(columns, problem, said):
    with pytest.raises(problem, match=said):
        DiscreteTimeHazard().fit(*columns)
    with pytest.raises(problem):
        DiscreteTimeHazard().fit_rows(*columns)


def test_forecasts_need_the_covariates_of_the_fit():
    model = DiscreteTimeHazard.from_params([1], [-1.0], {"a": 1.0, "b": 0.5})
    for wrong in (None, [[1.0]], [1.0, 2.0], [[1.0, np.inf]]):
        with pytest.raises(BadPeriods, match="in one column for each of: a, b"):
            model.hazard([1], wrong)
