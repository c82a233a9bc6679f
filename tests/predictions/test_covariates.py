"""Purchase models with covariates against the plain models, the papers' likelihoods written out, and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import betaln, gammaln, hyp2f1
from scipy.stats import chi2

from setia.predictions.models.bg_nbd import BGNBD
from setia.predictions.models.covariate_rows import BadCovariate
from setia.predictions.models.covariates import Coefficient, WithCovariates
from setia.predictions.models.mbg_nbd import MBGNBD
from setia.predictions.models.pareto_nbd import ParetoNBD
from setia.predictions.models.purchases import BadHistory, TooFewCustomers

PLAIN = {"bg_nbd": BGNBD, "mbg_nbd": MBGNBD, "pareto_nbd": ParetoNBD}
MODELS = [*PLAIN]


def columns(customers, rng):
    """Two covariates on scales of their own: a 0 or 1, and an amount in tens of thousands."""
    return {"ad": (rng.random(customers) < 0.3).astype(float), "amount": rng.normal(50_000, 10_000, customers)}


def leaving_at_any_time(rng, alpha, beta, r=0.7, s=0.8):
    """Histories as the Pareto/NBD model tells them, with an alpha and a beta of each customer's own."""
    rate, leaving = rng.gamma(r, 1 / alpha), rng.gamma(s, 1 / beta)
    T = rng.uniform(50, 100, len(alpha))
    active = np.minimum(rng.exponential(1 / leaving), T)
    x = rng.poisson(rate * active)
    return x, active * np.where(x > 0, rng.beta(np.maximum(x, 1), 1), 0.0), T


def leaving_at_purchases(rng, alpha, a, b, first, r=0.9):
    """Histories as the BG/NBD (first = 0) and MBG/NBD (1) models tell them."""
    rate, leaves = rng.gamma(r, 1 / alpha), rng.beta(a, b)
    T = rng.uniform(50, 100, len(alpha))
    most = rng.geometric(leaves) - first  # purchases until they leave
    x, t_x, at = np.zeros(len(alpha)), np.zeros(len(alpha)), np.zeros(len(alpha))
    while True:
        at = at + rng.exponential(1 / rate)
        buys = (at < T) & (x < most)
        if not buys.any():
            return x, t_x, T
        x, t_x, at = x + buys, np.where(buys, at, t_x), np.where(buys, at, np.inf)


def histories(model, rng, z, gamma=0.5, delta=(0.6, -0.4)):
    """Customers whom an advertisement (`ad`) makes buy more, and stay longer or shorter."""
    alpha = 8 * np.exp(-gamma * z["ad"])
    if model == "pareto_nbd":
        return leaving_at_any_time(rng, alpha, 40 * np.exp(-delta[0] * z["ad"]))
    a, b = 0.8 * np.exp(delta[0] * z["ad"]), 2.5 * np.exp(delta[1] * z["ad"])
    return leaving_at_purchases(rng, alpha, a, b, int(model == "mbg_nbd"))


def as_printed(model, x, t_x, T, r, alpha, third, fourth):
    """The log-likelihood of customers with parameters of their own, as the papers have it."""
    if model != "pareto_nbd":
        a, b, chances = third, fourth, x + (model == "mbg_nbd")
        stayed = betaln(a, b + chances) - betaln(a, b) - (r + x) * np.log(alpha + T)
        left = betaln(a + 1, b + np.maximum(chances, 1) - 1) - betaln(a, b) - (r + x) * np.log(alpha + t_x)
        either = np.where(chances > 0, np.logaddexp(stayed, left), stayed)
        return gammaln(r + x) - gammaln(r) + r * np.log(alpha) + either
    s, beta, n = third, fourth, r + third + x
    high, low = np.maximum(alpha, beta), np.minimum(alpha, beta)
    late, end = np.where(alpha >= beta, s + 1, r + x), np.where(alpha >= beta, s, r + x + 1)
    first = hyp2f1(n, late, n + 1, (high - low) / (high + t_x)) / (high + t_x) ** n
    second = hyp2f1(n, end, n + 1, (high - low) / (high + T)) / (high + T) ** n
    both = np.log(s / n * first + (r + x) / n * second)
    return gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta) + both


def parameters_of(fitted, z):
    """Each customer's parameters, from the coefficients by hand."""
    told = {name: np.full(len(z["ad"]), value) for name, value in fitted.get_params().items()}
    for effect in fitted.coefficients_:
        sign = 1 if effect.parameter in {"a", "b"} else -1
        told[effect.parameter] = told[effect.parameter] * np.exp(
            sign * effect.value * (z[effect.covariate] - effect.mean)
        )
    return list(told.values())


@pytest.mark.parametrize("model", MODELS)
def test_without_covariates_it_is_the_plain_model(model):
    rng = np.random.default_rng(1)
    x, t_x, T = histories(model, rng, columns(2_000, rng))
    fitted, plain = WithCovariates(model).fit(x, t_x, T), PLAIN[model]().fit(x, t_x, T)
    assert fitted.get_params() == pytest.approx(plain.get_params(), rel=1e-7)
    assert fitted.log_likelihood_ == pytest.approx(plain.log_likelihood_, abs=1e-7)
    assert fitted.standard_errors_.r == pytest.approx(plain.standard_errors_.r, rel=1e-4)
    assert fitted.coefficients_ == ()
    assert fitted.likelihood_ratio_ is None
    assert fitted.plain_.get_params() == plain.get_params()
    ahead = fitted.expected_purchases(20, x, t_x, T)
    np.testing.assert_allclose(ahead, plain.expected_purchases(20, x, t_x, T), rtol=1e-6)


@pytest.mark.parametrize("model", MODELS)
def test_without_effect_each_customer_is_of_the_plain_model(model):
    """Coefficients of 0 change nothing, whatever the covariates."""
    rng = np.random.default_rng(2)
    z = columns(500, rng)
    x, t_x, T = histories(model, rng, z)
    plain = PLAIN[model].from_params(0.7, 8.0, 0.9, 3.0)
    names = [each for each in plain.get_params() if each not in {"r", "s"}]
    none = [Coefficient(name, "ad", 0.0, None, 0.3) for name in names]
    fitted = WithCovariates.from_params(model, plain.get_params(), none)
    ad = {"ad": z["ad"]}
    assert fitted.log_likelihood(x, t_x, T, ad, ad) == pytest.approx(plain.log_likelihood(x, t_x, T), rel=1e-12)
    alive = fitted.probability_alive(x, t_x, T, ad, ad)
    np.testing.assert_allclose(alive, plain.probability_alive(x, t_x, T), rtol=1e-12)


@pytest.mark.parametrize("model", MODELS)
def test_simulated_effects_are_found_again(model):
    rng = np.random.default_rng(3)
    z = columns(20_000, rng)
    x, t_x, T = histories(model, rng, z)
    fitted = WithCovariates(model).fit(x, t_x, T, z, z)
    true = {"alpha": 0.5, "beta": 0.6, "a": 0.6, "b": -0.4}
    for effect in fitted.coefficients_:
        expected = true[effect.parameter] if effect.covariate == "ad" else 0.0
        assert abs(effect.value - expected) < 3 * effect.standard_error, effect
        assert effect.standard_error < (0.3 if effect.covariate == "ad" else 1e-5), effect
        assert effect.mean == pytest.approx(z[effect.covariate].mean())
    assert fitted.likelihood_ratio_.p_value < 1e-20
    assert fitted.likelihood_ratio_.degrees == len(fitted.coefficients_) == (4 if model == "pareto_nbd" else 6)
    # With covariates of 0, the parameters of the simulation.
    zero = {"ad": 0.0, "amount": 50_000.0}
    at_zero = fitted.given(zero, zero).params_
    assert at_zero.alpha == pytest.approx(8, rel=0.06)


@pytest.mark.parametrize("model", MODELS)
def test_the_fit_is_the_top_of_the_papers_likelihood(model):
    rng = np.random.default_rng(4)
    z = columns(1_500, rng)
    x, t_x, T = histories(model, rng, z)
    fitted = WithCovariates(model).fit(x, t_x, T, z, {"ad": z["ad"]})
    assert fitted.log_likelihood(x, t_x, T, z, {"ad": z["ad"]}) == pytest.approx(fitted.log_likelihood_, abs=1e-7)

    def printed(step, at):
        logs = [*np.log([*fitted.get_params().values()]), *(effect.value for effect in fitted.coefficients_)]
        logs[at] += step
        moved = [
            Coefficient(effect.parameter, effect.covariate, value, None, effect.mean)
            for effect, value in zip(fitted.coefficients_, logs[4:], strict=True)
        ]
        params = dict(zip(fitted.get_params(), np.exp(logs[:4]), strict=True))
        other = WithCovariates.from_params(model, params, moved)
        return as_printed(model, x, t_x, T, *parameters_of(other, z)).sum()

    top = printed(0, 0)
    assert fitted.log_likelihood_ == pytest.approx(top, abs=1e-6)
    for at, unit in enumerate(
        [*[1] * 4, *(1e-4 if each.covariate == "amount" else 1 for each in fitted.coefficients_)]
    ):
        up, down = printed(0.02 * unit, at), printed(-0.02 * unit, at)
        assert up < top > down
        assert abs(up - down) < 0.05 * (2 * top - up - down)


@pytest.mark.parametrize("model", MODELS)
def test_predictions_are_those_of_each_customers_own_parameters(model):
    rng = np.random.default_rng(5)
    z = columns(12, rng)
    x, t_x, T = histories(model, rng, z)
    dropout = ["beta"] if model == "pareto_nbd" else ["a", "b"]
    effects = [Coefficient("alpha", "amount", 3e-5, None, 48_000.0), Coefficient("alpha", "ad", -0.4, None, 0.3)]
    effects += [Coefficient(name, "ad", value, None, 0.3) for name, value in zip(dropout, (0.7, -0.2), strict=False)]
    third, fourth = [*PLAIN[model].from_params(1, 1, 1, 1).get_params()][2:]
    fitted = WithCovariates.from_params(model, {"r": 0.7, "alpha": 9.0, third: 0.8, fourth: 3.0}, effects)
    ad, own = {"ad": z["ad"]}, np.array(parameters_of(fitted, z)).T
    plain = [PLAIN[model].from_params(*each) for each in own]

    def of_each(question):
        return [question(each, *history) for each, history in zip(plain, zip(x, t_x, T, strict=True), strict=True)]

    alive = of_each(lambda each, x, t_x, T: float(each.probability_alive(x, t_x, T)))
    assert fitted.probability_alive(x, t_x, T, z, ad) == pytest.approx(alive, rel=1e-12)
    ahead = of_each(lambda each, x, t_x, T: float(each.expected_purchases(30, x, t_x, T)))
    assert fitted.expected_purchases(30, x, t_x, T, z, ad) == pytest.approx(ahead, rel=1e-9)
    new = of_each(lambda each, *_: float(each.expected_purchases_new(30)))
    assert fitted.given(z, ad).expected_purchases_new(30) == pytest.approx(new, rel=1e-9)
    none = of_each(lambda each, x, t_x, T: float(each.probability_of_no_purchase(30, x, t_x, T)))
    assert fitted.given(z, ad).probability_of_no_purchase(30, x, t_x, T) == pytest.approx(none, rel=1e-12)


@pytest.mark.parametrize("model", MODELS)
def test_units_do_not_matter(model):
    rng = np.random.default_rng(6)
    z = columns(2_000, rng)
    x, t_x, T = histories(model, rng, z)
    one = WithCovariates(model).fit(x, t_x, T, z, {"ad": z["ad"]})
    moved = {"ad": 3 - 2 * z["ad"], "amount": z["amount"] / 1e6}
    other = WithCovariates(model).fit(x, t_x / 7, T / 7, moved, {"ad": moved["ad"]})
    for effect, again in zip(one.coefficients_, other.coefficients_, strict=True):
        factor = -1 / 2 if effect.covariate == "ad" else 1e6
        assert again.value == pytest.approx(factor * effect.value, rel=1e-4, abs=1e-6)
        assert again.standard_error == pytest.approx(abs(factor) * effect.standard_error, rel=1e-3)
    assert other.params_.alpha * 7 == pytest.approx(one.params_.alpha, rel=1e-6)
    assert other.log_likelihood_ == pytest.approx(one.log_likelihood_ + x.sum() * np.log(7), abs=1e-5)
    assert other.likelihood_ratio_.statistic == pytest.approx(one.likelihood_ratio_.statistic, rel=1e-6)


@pytest.mark.parametrize("model", MODELS)
def test_order_and_weights_of_customers_do_not_matter(model):
    rng = np.random.default_rng(7)
    z = {"ad": (rng.random(1_500) < 0.3).astype(float)}
    x, t_x, T = histories(model, rng, z)
    t_x, T = np.ceil(t_x), np.ceil(T)
    order, w = rng.permutation(len(x)), rng.integers(0, 3, len(x)).astype(float)
    fitted = WithCovariates(model).fit(x, t_x, T, z, z, w)
    shuffled = {"ad": z["ad"][order]}
    again = WithCovariates(model).fit(x[order], t_x[order], T[order], shuffled, shuffled, w[order])
    assert again.get_params() == fitted.get_params()
    assert again.coefficients_ == fitted.coefficients_
    copies = np.repeat(np.arange(len(x)), w.astype(int))
    repeated = {"ad": z["ad"][copies]}
    counted = WithCovariates(model).fit(x[copies], t_x[copies], T[copies], repeated, repeated)
    assert counted.get_params() == pytest.approx(fitted.get_params(), rel=1e-9)
    assert counted.customers_ == fitted.customers_ == w.sum()


def test_the_test_against_the_plain_model():
    rng = np.random.default_rng(8)
    z = columns(2_000, rng)
    x, t_x, T = histories("mbg_nbd", rng, z, gamma=0.1, delta=(0.0, 0.0))
    fitted = WithCovariates().fit(x, t_x, T, {"ad": z["ad"]})
    found = fitted.likelihood_ratio_
    plain = MBGNBD().fit(x, t_x, T)
    assert found.statistic == pytest.approx(2 * (fitted.log_likelihood_ - plain.log_likelihood_), abs=1e-6)
    assert found.p_value == pytest.approx(chi2.sf(found.statistic, 1), rel=1e-9)
    effect = fitted.coefficients_[0]
    # One coefficient: the test is that of value / standard error squared, nearly.
    assert found.statistic == pytest.approx((effect.value / effect.standard_error) ** 2, rel=0.1)


def test_without_effects_the_test_finds_none_as_often_as_it_should():
    rng = np.random.default_rng(9)
    p_values = []
    for _ in range(40):
        z = columns(400, rng)
        x, t_x, T = histories("pareto_nbd", rng, z, gamma=0.0, delta=(0.0, 0.0))
        p_values.append(WithCovariates("pareto_nbd").fit(x, t_x, T, z).likelihood_ratio_.p_value)
    assert 0.35 < np.mean(p_values) < 0.65
    assert np.mean(np.array(p_values) < 0.2) < 0.4


@pytest.fixture
def shop():
    rng = np.random.default_rng(10)
    z = columns(200, rng)
    return (*histories("mbg_nbd", rng, z), z)


@pytest.mark.parametrize("part", ["purchases", "drop-out"])
@pytest.mark.parametrize(
    ("name", "make", "said"),
    [
        ("country", lambda z: np.full(200, 0.1), "country of {part}.*same for all customers.*leave it out"),
        ("twice", lambda z: 7 - 2 * z["ad"], "twice of {part}.*follows from those before"),
        ("gap", lambda z: np.where(np.arange(200) == 3, np.nan, 1.0), "gap of {part}.*row 3, counted from 0"),
        ("channel", lambda z: ["shop"] * 200, "channel of {part}.*not numbers; make one covariate of 0 and 1"),
        ("short", lambda z: z["ad"][1:], "short of {part}.*one number for each of the 200 customers"),
    ],
)
def test_covariates_that_cannot_be_used(shop, part, name, make, said):
    x, t_x, T, z = shop
    told = {"ad": z["ad"], name: make(z)}
    with pytest.raises(BadCovariate, match=said.format(part=part)):
        WithCovariates().fit(x, t_x, T, *((told, None) if part == "purchases" else (None, told)))


def test_covariates_that_were_not_or_were_not_only_those_of_the_fit(shop):
    x, t_x, T, z = shop
    fitted = WithCovariates().fit(x, t_x, T, {"ad": z["ad"]})
    with pytest.raises(BadCovariate, match=r"ad of purchases.*fitted with it; give it, too"):
        fitted.probability_alive(x, t_x, T)
    with pytest.raises(BadCovariate, match=r"ad of drop-out.*fitted without it; leave it out"):
        fitted.expected_purchases(9, x, t_x, T, {"ad": z["ad"]}, {"ad": z["ad"]})


def test_what_cannot_be_fitted_is_said(shop):
    x, t_x, T, z = shop
    with pytest.raises(BadHistory, match="Row 0"):
        WithCovariates().fit(x, t_x + 1e3, T, z)
    with pytest.raises(TooFewCustomers, match="at least 30"):
        WithCovariates().fit(x[:9], t_x[:9], T[:9], {"ad": z["ad"][:9]})


def test_one_who_lies_far_from_all_others_does_not_break_the_fit(shop):
    x, t_x, T, z = shop
    far = np.where(np.arange(200) == 0, 1e9, z["ad"])
    fitted = WithCovariates("pareto_nbd").fit(x, t_x, T, {"far": far}, {"far": far})
    assert np.isfinite(fitted.log_likelihood_)
    assert np.isfinite(fitted.expected_purchases(10, x, t_x, T, {"far": far}, {"far": far})).all()
