"""The BG/NBD model: how often each customer will buy, and whether they have left for good.

While active, a customer buys at random at their own rate; after every repeat purchase they may leave, each with their
own probability. Rates vary between customers as a gamma (r, alpha), probabilities of leaving as a beta (a, b).

Two things may differ in the models made from it: whether the first purchase may be the last, and how regular gaps are
(k steps from one purchase to the next, each at random: Erlang-k gaps; one step is the BG/NBD model itself).

Sources: Fader, Hardie and Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24(2), 275-284;
for k steps Platzer and Reutterer (2016), Ticking Away the Moments, Marketing Science 35(5), 779-799, and Reutterer,
Platzer and Schröder (2021), Leveraging purchase regularity, International Journal of Research in Marketing 38(1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from setia.predictions.models.counts import Steps
from setia.predictions.models.purchase_model import PurchaseModel, columns, nobody_leaves_term, steps_term
from setia.predictions.models.purchases import FloatArray, PurchaseHistory

BLOCK = 8_192  # rows worked on at a time: they stay in the cache, and too few for BLAS to wake other threads for


@dataclass(frozen=True)
class BetaGeometricParameters:
    """Purchase rate ~ Gamma(shape `r`, rate `alpha`, in units of time); probability of leaving ~ Beta(`a`, `b`)."""

    r: float
    alpha: float
    a: float
    b: float


class BGNBD(PurchaseModel[BetaGeometricParameters]):
    """Purchases and drop-out of customers who are free to leave without a word.

    After `fit`: `params_`; `standard_errors_` (same shape, None when the likelihood is too flat to give them);
    `log_likelihood_` (sum over customers, as in the paper: it moves with the unit of time); `customers_`; and
    `dropout_identified_`: whether the purchases show at all that customers leave. It is False when the mean
    probability of leaving, a / (a + b), is below 0.001, or when the NBD model, in which nobody ever leaves, fits as
    well (its log-likelihood is lower by less than 2.996: the likelihood-ratio test at 5% with two degrees of
    freedom). `probability_alive` then says nothing: it is near 1 for everybody whatever happened. The criterion
    does not depend on the unit of time.

    The unit of time is yours; use the same in every call. Methods take arrays (or numbers) and broadcast.

    A small shop may lean on what is known from others: with a `prior`, parameters of another fit in the same unit of
    time, the logarithms of the parameters are drawn towards its own as if they were normal around them with a standard
    deviation of `prior_spread`; the fit is the mode of the posterior then, and asks for no least number of customers.
    """

    first_order_may_be_last: ClassVar[int] = 0  # 1 where a customer may leave right after the first purchase too
    k: int = 1
    """Steps from one purchase to the next: the more, the more regular."""

    time = (False, True, False, False)
    start = (0.6, 0.25, 0.74, 2.7)

    @classmethod
    def from_params(cls, r: float, alpha: float, a: float, b: float) -> Self:
        """A model with known parameters, fitted to nobody: no standard errors, a log-likelihood of nan."""
        return cls()._known(BetaGeometricParameters(float(r), float(alpha), float(a), float(b)))

    def _made(self, values: FloatArray) -> BetaGeometricParameters:
        return BetaGeometricParameters(*values.tolist())

    def _started(self) -> FloatArray:
        return np.array(self.start) / (1, self.k, 1, 1)

    def _likelihood(self, history: PurchaseHistory, parameters: FloatArray) -> tuple[float, FloatArray]:
        return _log_likelihood(history, parameters, self.first_order_may_be_last, self.k)

    def _leaves(self) -> float:
        return self.params_.a / (self.params_.a + self.params_.b)

    def probability_alive(self, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> FloatArray:
        """The probability, 0 to 1, that the customer is still active at T. A BG/NBD customer with x = 0 always is."""
        from scipy.special import expit

        x, t_x, age = columns(frequency, recency, T)
        p, chances = self.params_, x + self.first_order_may_be_last
        may_have_left, events = chances > 0, p.r + self.k * x
        log_odds = np.log(p.a) - np.log(np.where(may_have_left, p.b + chances - 1, 1.0))
        log_odds = log_odds + events * np.log((p.alpha + age) / (p.alpha + t_x))
        if self.k > 1:
            log_odds = log_odds - np.log(sum(_silent_steps(events, t_x, age, p.alpha, self.k)))
        return np.asarray(expit(np.where(may_have_left, -log_odds, np.inf)))

    def expected_purchases(self, t: ArrayLike, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> FloatArray:
        """How many purchases to expect within the next `t` units of time, given the customer's history."""
        x, t_x, age, ahead = columns(frequency, recency, T, t)
        p = self.params_
        active = self.probability_alive(x, t_x, age)
        if self.k == 1:
            stays = p.b + x + self.first_order_may_be_last
            return active * _expected_if_active(ahead, p.r + x, p.alpha + age, p.a, stays)
        return active * self._ahead(ahead, x, t_x, age).expected()

    def expected_purchases_new(self, t: ArrayLike) -> FloatArray:
        """How many repeat purchases to expect within `t` units of time of the first purchase of a new customer."""
        zero = np.zeros_like(columns(t)[0])
        return self.expected_purchases(t, zero, zero, zero)

    def probability_of_purchases(
        self, most: int, t: ArrayLike, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike
    ) -> FloatArray:
        """The distribution of the number of purchases within the next `t` units of time: one row per customer, with
        the probabilities of 0, 1 ... `most` purchases. What is missing to 1 is the probability of more.
        """
        x, t_x, age, ahead = np.broadcast_arrays(*columns(frequency, recency, T, t))
        at_least = self._ahead(ahead, x, t_x, age).at_least(most + 1)
        active = self.probability_alive(x, t_x, age)[..., None]
        return np.concatenate((1 - active * at_least[..., :1], -active * np.diff(at_least)), axis=-1)

    def probability_of_no_purchase(
        self, t: ArrayLike, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike
    ) -> FloatArray:
        """The probability that the customer buys nothing within the next `t` units of time, given their history.

        An active customer can only leave at a purchase, and their rate is Gamma(r + x, alpha + T), so the next purchase
        comes later than t with probability ((alpha + T) / (alpha + T + t)) ** (r + x); one who left buys nothing.
        """
        x, t_x, age, ahead = columns(frequency, recency, T, t)
        p = self.params_
        if self.k == 1:
            buys_if_active = -np.expm1(-(p.r + x) * np.log1p(ahead / (p.alpha + age)))
        else:
            buys_if_active = self._ahead(ahead, x, t_x, age).at_least(1)[..., 0]
        return 1.0 - self.probability_alive(x, t_x, age) * buys_if_active

    def _ahead(self, t: FloatArray, x: FloatArray, t_x: FloatArray, age: FloatArray) -> Steps:
        """What lies ahead of customers who are active now: how many steps they have taken since their last purchase."""
        p = self.params_
        events = p.r + self.k * x
        weights = np.array(np.broadcast_arrays(*_silent_steps(events, t_x, age, p.alpha, self.k)))
        stays = p.b + x + self.first_order_may_be_last
        return Steps(weights / weights.sum(axis=0), events, t / (p.alpha + age + t), p.a, stays)


def _expected_if_active(
    t: FloatArray, shape: FloatArray, rate: FloatArray | float, a: float, stays: FloatArray | float
) -> FloatArray:
    """Expected purchases in t of a customer active now, whose rate ~ Gamma(shape, rate) and drop-out ~ Beta(a, stays).

    The papers' formula after Euler's transformation of 2F1, which takes the purchase count out of the exponents, so
    that hundreds of purchases neither over- nor underflow. It is 0/0 at a = 1 and at a + stays = 1, and SciPy's 2F1
    overflows where shape - a is a whole number: next to these points, the mean of both sides.
    """
    near, whole = 1e-5, np.rint(shape - a)
    awkward = (np.abs(a - 1) < near) | (np.abs(a + stays - 1) < near) | (np.abs(shape - a - whole) < near)
    if not np.any(awkward):
        return _expected_off_the_points(t, shape, rate, a, stays)
    both = [_expected_off_the_points(t, shape, rate, a + shift, stays) for shift in (-2 * near, 2 * near)]
    mean = np.asarray((both[0] + both[1]) / 2)
    # Each by itself: what a customer is worth does not depend on who else is asked about.
    return mean if np.all(awkward) else np.where(awkward, mean, _expected_off_the_points(t, shape, rate, a, stays))


def _expected_off_the_points(
    t: FloatArray, shape: FloatArray, rate: FloatArray | float, a: float, stays: FloatArray | float
) -> FloatArray:
    from scipy.special import hyp2f1

    c, z = a + stays - 1, t / (rate + t)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        rest = np.exp((1 - a) * np.log1p(t / rate)) * hyp2f1(c - shape, a - 1, c, z)
        if not np.all(np.isfinite(rest)):  # a or shape in the hundreds: the untransformed series, or nothing is left
            untransformed = np.exp(-shape * np.log1p(t / rate)) * hyp2f1(shape, stays, c, z)
            rest = np.where(np.isfinite(rest), rest, np.where(np.isfinite(untransformed), untransformed, 0.0))
    return np.asarray(c / (a - 1) * (1 - rest))


def _silent_steps(
    events: FloatArray, t_x: FloatArray, age: FloatArray, alpha: float, k: int
) -> list[FloatArray | float]:
    """How likely each number of steps since the last purchase is, 0 to k - 1, against none: q^j (events)_j / j!"""
    q = (age - t_x) / (alpha + age)
    terms: list[FloatArray | float] = [np.ones_like(q + events)]
    for j in range(k - 1):
        terms.append(terms[-1] * q * (events + j) / (j + 1))
    return terms


def _log_likelihood(
    history: PurchaseHistory, parameters: FloatArray, first: int, k: int = 1
) -> tuple[float, FloatArray]:
    """Log-likelihood and gradient (r, alpha, a, b); `first` is 1 where the first order may be the last one.

    A customer with n = x + first chances to leave either stayed at all of them and is active at T, as if nobody ever
    left, or stayed at n - 1 and left at t_x. Of k steps to the next purchase the active one may have taken some: S is
    the sum over them (1 for k = 1), and both ways together multiply the first by S + odds of having left.

    What the lengths of gaps add for k > 1 is the same for all parameters and is left out: (k - 1) log gap - log (k-1)!
    """
    r, alpha, a, b = parameters
    value, of_purchases = nobody_leaves_term(history, r, alpha, k, silent=False)
    n = history.customers_by_frequency
    by_chances = n if first == 0 else np.concatenate(([0.0], n))
    reached = np.cumsum(by_chances[:0:-1])[::-1]  # customers with more than i chances to leave
    b_i = b + np.arange(len(reached))
    value -= reached @ np.log1p(a / b_i)
    of_staying = [-(reached @ (1 / (a + b_i))), reached @ (a / (b_i * (a + b_i)))]
    left, of_leaving = _left_term(history, parameters, first, k)
    return float(value + left), np.concatenate((of_purchases, of_staying)) + of_leaving


def _left_term(history: PurchaseHistory, parameters: FloatArray, first: int, k: int) -> tuple[float, FloatArray]:
    """The sum of log(S + odds of having left by T), and its gradient: the only work per row."""
    r, alpha, a, b = parameters
    chances = np.arange(len(history.customers_by_frequency)) + first
    stays = np.where(chances > 0, b + chances - 1, 1.0)
    leaves, inverse_stays = np.log(a / stays), 1 / stays
    log_age, log_recency = np.log(alpha + history.ages), np.log(alpha + history.recencies)
    inverse_age, inverse_recency = 1 / (alpha + history.ages), 1 / (alpha + history.recencies)
    sums = np.zeros(5)
    one = np.ones(1), np.zeros(1), np.zeros(1)
    begin = 0 if first or k > 1 else history.repeating.start
    for start in range(begin, len(history.weights), BLOCK):
        rows = slice(start, start + BLOCK)
        x, w = history.frequency[rows], history.weights[rows]
        age, recency = history.age_index[rows], history.recency_index[rows]
        events = k * x + r
        silence = log_age[age] - log_recency[recency]
        log_odds = leaves[x] + events * silence
        bounded = np.minimum(log_odds, 700.0)  # above that log(1 + odds) is log odds, and exp would soon overflow
        odds = np.exp(bounded)
        if k > 1 and not first:
            odds = np.where(x > 0, odds, 0.0)
        silent = history.ages[age] - history.recencies[recency]
        steps, by_events, by_alpha = one if k == 1 else steps_term(events, silent, inverse_age[age], k)
        either = odds + steps
        left = w * odds / either
        stayed = w / either
        sums += (
            w @ (np.log(either) + (log_odds - bounded) * (odds > 0)),
            left @ silence + np.sum(stayed * by_events),
            (left * events) @ (inverse_age[age] - inverse_recency[recency]) + np.sum(stayed * by_alpha),
            left.sum() / a,
            -(left @ inverse_stays[x]),
        )
    return float(sums[0]), sums[1:]
