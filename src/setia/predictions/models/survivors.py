"""How long subscribers stay: the shifted-beta-geometric and the beta-discrete-Weibull model, fitted to cohorts.

At each renewal a subscriber leaves with a probability of their own; these vary as a beta (alpha, beta), so that a
cohort thins out fast at first and ever more slowly as those who were going to leave have left. In the second model the
chances of one subscriber may fall or rise with the number of renewals (shape `c`; 1 is the first model).

Sources: Fader and Hardie (2007), How to Project Customer Retention, Journal of Interactive Marketing 21(1), 76-90;
Fader, Hardie, Liu, Davin and Steenburgh (2018), "How to Project Customer Retention" Revisited, the same 43, 1-16.
Discounted lifetime: Fader and Hardie (2010), Customer-Base Valuation in a Contractual Setting, Marketing Science 29(1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from setia.kernel.errors import SetiaError
from setia.predictions.models.purchases import SHAPE, FloatArray, maximise

LEAST_LEFT = 10
LONGEST = 100_000
"""Renewals that a discounted lifetime looks ahead, at most; it stops where what is left no longer counts."""


class BadSurvivors(SetiaError):
    """Cohort {cohort}, counted from 0, cannot be: {reason}."""

    code = "predictions.bad_survivors"


class TooFewLeft(SetiaError):
    """A model of staying needs cohorts that were watched for {periods} renewals at least, and {least} subscribers who
    left; here are {left}. Wait for more renewals."""

    code = "predictions.too_few_left"


@dataclass(frozen=True)
class StayingParameters:
    """Probability of leaving at a renewal ~ Beta(`alpha`, `beta`); `c` is the shape of time, 1 without any."""

    alpha: float
    beta: float
    c: float = 1.0


class BetaDiscreteWeibull:
    """Staying of subscribers by number of renewals, for cohorts of any ages together.

    After `fit`: `params_`; `standard_errors_` (same shape, None where the likelihood is too flat); `log_likelihood_`,
    in the numbers that were given; `subscribers_`. Times are renewals: whole numbers from 0.
    """

    shaped = True

    params_: StayingParameters
    standard_errors_: StayingParameters | None
    log_likelihood_: float
    subscribers_: float

    @classmethod
    def from_params(cls, alpha: float, beta: float, c: float = 1.0) -> Self:
        """A model with known parameters, fitted to nobody."""
        model = cls()
        model.params_ = StayingParameters(float(alpha), float(beta), float(c))
        model.standard_errors_ = None
        model.log_likelihood_ = float("nan")
        model.subscribers_ = 0.0
        return model

    def get_params(self) -> dict[str, float]:
        """The fitted parameters by name."""
        return asdict(self.params_)

    def fit(self, cohorts: Sequence[ArrayLike]) -> Self:
        """Find the parameters of highest likelihood.

        Each cohort tells how many of it were there at the start, after the first renewal, the second and so on: numbers
        that never rise. Raises BadSurvivors, TooFewLeft, NoConvergence.
        """
        told = [_checked(number, np.asarray(cohort, dtype=np.float64)) for number, cohort in enumerate(cohorts)]
        periods = max((len(cohort) - 1 for cohort in told), default=0)
        left, stayed = np.zeros(periods), np.zeros(periods + 1)
        for cohort in told:
            left[: len(cohort) - 1] += cohort[:-1] - cohort[1:]
            stayed[len(cohort) - 1] += cohort[-1]
        needed = 3 if self.shaped else 2
        if periods < needed or left.sum() < LEAST_LEFT:
            raise TooFewLeft(periods=needed, least=LEAST_LEFT, left=round(float(left.sum())))
        subscribers = float(left.sum() + stayed.sum())

        def objective(parameters: FloatArray) -> tuple[float, FloatArray]:
            shape = parameters if self.shaped else np.append(parameters, 1.0)
            value, gradient = _log_likelihood(shape, left, stayed)
            return value / subscribers, gradient[: len(parameters)] / subscribers

        start = np.array([1.0, 3.0, 1.0] if self.shaped else [1.0, 3.0])
        best = maximise(objective, start, [SHAPE] * len(start), subscribers)
        errors = best.standard_errors
        self.params_ = StayingParameters(*best.parameters.tolist())
        self.standard_errors_ = None if errors is None else StayingParameters(*[*errors.tolist(), 0.0][:3])
        self.log_likelihood_ = best.mean_log_likelihood * subscribers
        self.subscribers_ = subscribers
        return self

    def survival(self, renewals: ArrayLike) -> FloatArray:
        """The share of a cohort that is still there after so many renewals."""
        p = self.params_
        times = np.asarray(renewals, dtype=np.float64)
        return np.exp(_log_survival(times, p.alpha, p.beta, p.c))

    def retention_rate(self, renewal: ArrayLike) -> FloatArray:
        """Of those who were there before a renewal (from 1 on), the share who stay at it."""
        times = np.asarray(renewal, dtype=np.float64)
        return np.asarray(self.survival(times) / self.survival(times - 1))

    def discounted_lifetime(self, discount: float) -> float:
        """Payments to expect of a new subscriber, the first included, each discounted by `discount` a period.

        Without a discount it may have no end. Raises BadSurvivors for a discount of none or less.
        """
        return 1.0 + float(self.discounted_remaining(0, discount))

    def discounted_remaining(self, age: int, discount: float) -> float:
        """Payments to expect of one who has stayed at `age` renewals, from the next one on, discounted to now."""
        if discount <= 0:
            raise BadSurvivors(cohort=0, reason=f"a discount of {discount} a period; it has to be above 0")
        ahead = np.arange(1, min(LONGEST, int(np.ceil(40 / np.log1p(discount)))) + 1)
        p = self.params_
        logs = _log_survival(age + ahead.astype(np.float64), p.alpha, p.beta, p.c)
        now = _log_survival(np.array([float(age)]), p.alpha, p.beta, p.c)[0]
        return float(np.exp(logs - now - ahead * np.log1p(discount)).sum())


class ShiftedBetaGeometric(BetaDiscreteWeibull):
    """The model without a shape of its own: a subscriber's chance of leaving is the same at every renewal."""

    shaped = False


def _checked(number: int, cohort: FloatArray) -> FloatArray:
    demands = {
        "it needs a start and one renewal at least": cohort.ndim == 1 and len(cohort) > 1,
        "its numbers must be finite, 0 or more": bool(np.all(np.isfinite(cohort)) and np.all(cohort >= 0)),
        "its numbers may never rise": cohort.ndim == 1 and bool(np.all(np.diff(cohort) <= 0)),
    }
    for reason, met in demands.items():
        if not met:
            raise BadSurvivors(cohort=number, reason=reason)
    return cohort


def _log_survival(times: FloatArray, alpha: float, beta: float, c: float) -> FloatArray:
    from scipy.special import betaln

    return np.asarray(betaln(alpha, beta + times**c) - betaln(alpha, beta))


def _slopes(times: FloatArray, alpha: float, beta: float, c: float) -> FloatArray:
    """Derivatives of the log of survival by alpha, beta and c: one row each."""
    from scipy.special import digamma

    passed = times**c
    whole = digamma(alpha + beta + passed)
    by_time = digamma(beta + passed) - whole
    logs = np.log(np.where(times > 0, times, 1.0))
    return np.array(
        [
            digamma(alpha + beta) - whole,
            by_time - (digamma(beta) - digamma(alpha + beta)),
            by_time * passed * logs,
        ]
    )


def _log_likelihood(parameters: FloatArray, left: FloatArray, stayed: FloatArray) -> tuple[float, FloatArray]:
    """Log-likelihood, gradient (alpha, beta, c): `left[t]` went at renewal t + 1, `stayed[t]` were last seen at t."""
    alpha, beta, c = parameters
    times = np.arange(len(stayed), dtype=np.float64)
    survival, slopes = _log_survival(times, alpha, beta, c), _slopes(times, alpha, beta, c)
    before, after = np.exp(survival[:-1]), np.exp(survival[1:])
    gone = before - after
    by_gone = (before * slopes[:, :-1] - after * slopes[:, 1:]) / gone
    value = left @ np.log(gone) + stayed @ survival
    return float(value), by_gone @ left + slopes @ stayed
