"""The Pareto/NBD model: how often each customer will buy, and whether they have left, which may be at any time.

While active, a customer buys at random at their own rate, and leaves at random at a rate of their own, whether they
buy or not. Purchase rates vary between customers as a gamma (r, alpha), rates of leaving as a gamma (s, beta).

Sources: Schmittlein, Morrison and Colombo (1987), Counting Your Customers, Management Science 33(1), 1-24; Fader and
Hardie (2005), A Note on Deriving the Pareto/NBD Model and Related Expressions, brucehardie.com.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from setia.predictions.models.purchase_model import PurchaseModel, columns, nobody_leaves_term
from setia.predictions.models.purchases import FloatArray, PurchaseHistory

BLOCK = 1_024  # rows worked on at a time: with their nodes they stay in the cache
NODES = 24  # with these the log-likelihood of a customer is good to nine digits after the point, whatever parameters
NEGLIGIBLE = 34.0  # below exp(-34) of its height at t_x the integrand is not worth a node


@dataclass(frozen=True)
class ParetoParameters:
    """Purchase rate ~ Gamma(shape `r`, rate `alpha`), rate of leaving ~ Gamma(`s`, `beta`); rates in units of time."""

    r: float
    alpha: float
    s: float
    beta: float


class ParetoNBD(PurchaseModel[ParetoParameters]):
    """Purchases and drop-out of customers who may leave at any time.

    Methods and their arguments are those of `BGNBD`, but for the distribution of purchases, which is not here.

    After `fit`: `params_`; `standard_errors_` (same shape, None when the likelihood is too flat to give them);
    `log_likelihood_` (sum over customers, as in the paper: it moves with the unit of time); `customers_`; and
    `dropout_identified_`: whether the purchases show at all that customers leave. It is False when the mean
    probability of leaving before the next purchase is below 0.001, or when the NBD model, in which nobody ever leaves,
    fits as well (its log-likelihood is lower by less than 2.996: the likelihood-ratio test at 5% with two degrees of
    freedom). The criterion does not depend on the unit of time.

    The unit of time is yours; use the same in every call. Methods take arrays (or numbers) and broadcast. A `prior`
    works as in `BGNBD`.
    """

    time = (False, True, False, True)
    start = (0.6, 0.3, 0.6, 0.35)

    @classmethod
    def from_params(cls, r: float, alpha: float, s: float, beta: float) -> Self:
        """A model with known parameters, fitted to nobody: no standard errors, a log-likelihood of nan."""
        return cls()._known(ParetoParameters(float(r), float(alpha), float(s), float(beta)))

    def _made(self, values: FloatArray) -> ParetoParameters:
        return ParetoParameters(*values.tolist())

    def _likelihood(self, history: PurchaseHistory, parameters: FloatArray) -> tuple[float, FloatArray]:
        return _log_likelihood(history, parameters)

    def _leaves(self) -> float:
        return _leaves_first(self.params_)

    def probability_alive(self, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> FloatArray:
        """The probability, 0 to 1, that the customer is still active at T."""
        from scipy.special import expit

        x, t_x, age = columns(frequency, recency, T)
        p = self.params_
        return np.asarray(expit(-log_odds_of_having_left(p.r + x, p.alpha, p.s, p.beta, t_x, age)))

    def expected_purchases(self, t: ArrayLike, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> FloatArray:
        """How many purchases to expect within the next `t` units of time, given the customer's history."""
        x, t_x, age, ahead = columns(frequency, recency, T, t)
        p = self.params_
        rate = (p.r + x) / (p.alpha + age)
        return self.probability_alive(x, t_x, age) * rate * _expected_active_time(ahead, p.s, p.beta + age)

    def expected_purchases_new(self, t: ArrayLike) -> FloatArray:
        """How many repeat purchases to expect within `t` units of time of the first purchase of a new customer."""
        (ahead,) = columns(t)
        p = self.params_
        return p.r / p.alpha * _expected_active_time(ahead, p.s, p.beta)

    def probability_of_no_purchase(
        self, t: ArrayLike, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike
    ) -> FloatArray:
        """The probability that the customer buys nothing within the next `t` units of time, given their history.

        An active customer is as a new one whose rates are Gamma(r + x, alpha + T) and Gamma(s, beta + T): they buy
        nothing when they stay without buying until t, or leave earlier and have not bought until then.
        """
        x, t_x, age, ahead = columns(frequency, recency, T, t)
        p = self.params_
        shape, alpha, beta = p.r + x, p.alpha + age, p.beta + age
        left = log_odds_of_having_left(shape, alpha, p.s, beta, 0.0, ahead)
        log_stays = -shape * np.log1p(ahead / alpha) - p.s * np.log1p(ahead / beta)
        buys_if_active = np.clip(-np.expm1(log_stays + np.logaddexp(0.0, left)), 0.0, 1.0)
        return np.asarray(1.0 - self.probability_alive(x, t_x, age) * buys_if_active)


def _expected_active_time(t: FloatArray, s: float, beta: FloatArray | float) -> FloatArray:
    """How long, of the next t, a customer stays who is active now and whose rate of leaving ~ Gamma(s, beta).

    The paper's beta / (s - 1) (1 - (beta / (beta + t)) ** (s - 1)), written so that s = 1 is no exception.
    """
    from scipy.special import exprel

    passed = np.log1p(t / beta)
    return np.asarray(beta * passed * exprel((1 - s) * passed))


def _leaves_first(p: ParetoParameters) -> float:
    """The mean over all customers of the probability of leaving before the next purchase, mu / (lambda + mu)."""
    late = 1e4 * max(p.alpha, p.beta)
    log_neither = -p.r * np.log1p(late / p.alpha) - p.s * np.log1p(late / p.beta)
    left = log_odds_of_having_left(p.r, p.alpha, p.s, p.beta, 0.0, late)
    # Of those who do neither until late, purchase and leaving come first in the proportion of r to s.
    return float(np.exp(log_neither + np.logaddexp(left, np.log(p.s / (p.r + p.s)))))


def log_odds_of_having_left(
    events: ArrayLike, alpha: ArrayLike, s: ArrayLike, beta: ArrayLike, t_x: ArrayLike, T: ArrayLike
) -> FloatArray:
    """The log of the odds that a customer, last seen at t_x, has left by T; everything broadcasts."""
    spread = np.broadcast_arrays(*columns(events, alpha, s, beta, t_x, T))
    flat = [column.ravel() for column in spread]
    log_odds = np.empty(len(flat[0]))
    for start in range(0, len(log_odds), BLOCK):
        rows = slice(start, start + BLOCK)
        log_odds[rows] = having_left(*(column[rows] for column in flat))[0]
    return log_odds.reshape(spread[0].shape)


def having_left(
    events: FloatArray,
    alpha: FloatArray | float,
    s: FloatArray | float,
    beta: FloatArray | float,
    t_x: FloatArray,
    T: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Per row the log of the odds of having left by T, and its slopes by r, alpha, s and beta (one row of them each).

    `events` is r + x. The odds are the integral over tau, the time of leaving, from t_x to T of
    s / (beta + tau) ((alpha + T) / (alpha + tau)) ** events ((beta + T) / (beta + tau)) ** s. It is taken over
    u = log((small + tau) / (small + t_x)), `small` the lesser of alpha and beta, in which the integrand has no sharp
    corner, by Gauss and Legendre. The limits do not depend on parameters, so the slopes are means, over the same
    nodes, of the integrand's own slopes.
    """
    alpha_first = alpha <= beta
    small, large = np.minimum(alpha, beta), np.maximum(alpha, beta)
    power, other = np.where(alpha_first, events, s + 1) - 1, np.where(alpha_first, s + 1, events)
    share = (small + t_x) / (large + t_x)
    end = _end(power, other, share, np.log((small + T) / (small + t_x)))
    places, log_weights = _nodes()
    u = places * end
    grown = np.exp(u)
    large_grown = 1 + share * (grown - 1)  # (large + tau) / (large + t_x)
    log_large_grown = np.log(large_grown)
    mass = np.exp(log_weights - power * u - other * log_large_grown)
    total = mass.sum(axis=0)
    of_small, of_large = (mass * u).sum(axis=0) / total, (mass * log_large_grown).sum(axis=0) / total
    per_small = (mass / grown).sum(axis=0) / (total * (small + t_x))
    per_large = (mass / large_grown).sum(axis=0) / (total * (large + t_x))
    silence, stay = np.log((alpha + T) / (alpha + t_x)), np.log((beta + T) / (beta + t_x))
    height = np.log(s * (small + t_x) / (beta + t_x)) + events * silence + s * stay
    log_odds = height + np.log(np.maximum(total * end, 1e-300))  # of no time at all: odds of nothing
    slopes = np.stack(
        (
            silence - np.where(alpha_first, of_small, of_large),
            events * (1 / (alpha + T) - np.where(alpha_first, per_small, per_large)),
            1 / s + stay - np.where(alpha_first, of_large, of_small),
            s / (beta + T) - (s + 1) * np.where(alpha_first, per_large, per_small),
        )
    )
    return log_odds, slopes


def _end(power: FloatArray, other: FloatArray, share: FloatArray, end: FloatArray) -> FloatArray:
    """How far to integrate: to the end, or to where the integrand has become negligible.

    Its logarithm falls by power u + other log(1 + share (exp(u) - 1)): a convex function, so that the first slope and
    Newton's steps all stop behind the point they look for, and nothing that counts is cut off.
    """
    slope = power + other * share
    end = np.where(slope * end > NEGLIGIBLE, NEGLIGIBLE / np.maximum(slope, 1e-300), end)
    for _ in range(2):
        grown = share * np.expm1(end)
        excess = power * end + other * np.log1p(grown) - NEGLIGIBLE
        slope = power + other * (share + grown) / (1 + grown)
        end = np.where(excess > 0, end - excess / np.where(excess > 0, slope, 1.0), end)
    return end


@cache
def _nodes() -> tuple[FloatArray, FloatArray]:
    """Places between 0 and 1 and the logs of their weights, in a column."""
    places, weights = np.polynomial.legendre.leggauss(NODES)
    return (places[:, None] + 1) / 2, np.log(weights[:, None] / 2)


def _log_likelihood(history: PurchaseHistory, parameters: FloatArray) -> tuple[float, FloatArray]:
    """Log-likelihood and gradient (r, alpha, s, beta).

    A customer either is active at T, as in the NBD model, or left before: that adds log(1 + odds of having left).
    """
    r, alpha, s, beta = parameters.tolist()
    value, of_purchases = nobody_leaves_term(history, r, alpha)
    n, age = history.customers_by_age, beta + history.ages
    log_stays = np.sum(n * np.log(beta / age))  # not `@`: for many distinct ages BLAS would wake other threads
    value += s * log_stays
    gradient = np.array([*of_purchases, log_stays, s * np.sum(n * (1 / beta - 1 / age))])
    for start in range(0, len(history.weights), BLOCK):
        rows = slice(start, start + BLOCK)
        t_x, T = history.recencies[history.recency_index[rows]], history.ages[history.age_index[rows]]
        log_odds, slopes = having_left(history.frequency[rows] + r, alpha, s, beta, t_x, T)
        either = np.logaddexp(0.0, log_odds)
        value += history.weights[rows] @ either
        gradient += slopes @ (history.weights[rows] * np.exp(log_odds - either))
    return float(value), gradient
