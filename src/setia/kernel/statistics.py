"""Intervals and tests from sufficient statistics: counts, sums, sums of squares.

Every function is closed form. p-values come from survival functions, so that a very small one is small and not
zero. SciPy is imported only where a distribution beyond the normal is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, inf, isfinite, log, sqrt
from statistics import NormalDist
from typing import Self

from setia.kernel.errors import SetiaError

CONFIDENCE = 0.95
DEFAULT_PLANNED_TOTAL = 5_000


class ImpossibleCountsError(SetiaError):
    """These counts cannot be: {what}."""

    code = "effects.counts"


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval, both ends included, in the unit of its estimate."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Proportion:
    """So many of `n` did it. Raises `ImpossibleCountsError` unless 0 <= successes <= n."""

    successes: int
    n: int

    def __post_init__(self) -> None:
        if not 0 <= self.successes <= self.n:
            raise ImpossibleCountsError(what=f"{self.successes} of {self.n}")

    @property
    def rate(self) -> float | None:
        """The share from 0 to 1; None where there is nobody."""
        return self.successes / self.n if self.n else None

    def wilson(self, confidence: float = CONFIDENCE) -> Interval:
        """The score interval of the share (Wilson 1927); 0 to 1 where there is nobody."""
        return score_interval(self.rate or 0.0, self.n, critical_value(confidence))


@dataclass(frozen=True, slots=True)
class Mean:
    """Sufficient statistics of a quantity over `n` customers. Add two to pool them."""

    n: int
    sum: float
    sum_of_squares: float

    def __add__(self, other: Self) -> Mean:
        return Mean(self.n + other.n, self.sum + other.sum, self.sum_of_squares + other.sum_of_squares)

    @property
    def mean(self) -> float | None:
        """None where there is nobody."""
        return self.sum / self.n if self.n else None

    @property
    def variance(self) -> float | None:
        """The sample variance (divisor n - 1), never negative; None for fewer than two customers."""
        if self.n < 2:
            return None
        return max(0.0, (self.sum_of_squares - self.sum * self.sum / self.n) / (self.n - 1))


@dataclass(frozen=True, slots=True)
class Difference:
    """First mean minus second, with the standard error, the interval and the two-sided p-value."""

    estimate: float
    standard_error: float
    interval: Interval
    p_value: float


def critical_value(confidence: float = CONFIDENCE) -> float:
    """How many standard errors a two-sided interval reaches each way: 1.96 for 0.95."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def score_interval(rate: float, n: float, z: float) -> Interval:
    """The Wilson interval of a rate seen in `n` customers that reaches `z` standard errors each way."""
    if n == 0:
        return Interval(0.0, 1.0)
    weight = z * z / n
    centre = (rate + weight / 2) / (1 + weight)
    reach = sqrt(weight * (rate * (1 - rate) + weight / 4)) / (1 + weight)
    return Interval(max(0.0, centre - reach) if rate > 0 else 0.0, min(1.0, centre + reach) if rate < 1 else 1.0)


def square_and_add(p: float, of_p: float, q: float, of_q: float, z: float) -> Interval:
    """The interval of `p - q`, rates seen in so many customers, that reaches `z` standard errors each way.

    Newcombe (1998), Statistics in Medicine 17:873, method 10. The textbook interval (Wald) is wrong up to five
    times too often, in our favour, where the held-out group is small and the outcome rare; this one is not.
    """
    a, b = score_interval(p, of_p, z), score_interval(q, of_q, z)
    return Interval(p - q - hypot(p - a.low, b.high - q), p - q + hypot(a.high - p, q - b.low))


def difference_interval(treated: Proportion, held_out: Proportion, z: float) -> Interval | None:
    """Treated minus held out by `square_and_add`; None where an arm is empty."""
    p, q = treated.rate, held_out.rate
    return None if p is None or q is None else square_and_add(p, treated.n, q, held_out.n, z)


def ratio_interval(treated: Proportion, held_out: Proportion, z: float) -> Interval | None:
    """Treated over held out, `z` standard errors each way; None for an empty arm or a held-out rate of zero.

    Donner and Zou (2012), Statistical Methods in Medical Research 21:347, on Wilson limits: it leaves out 1 exactly
    when `difference_interval` leaves out 0, so the two never contradict each other.
    """
    p, q = treated.rate, held_out.rate
    if p is None or not q:
        return None
    a, b = score_interval(p, treated.n, z), score_interval(q, held_out.n, z)
    down, up = a.low * (2 * p - a.low), a.high * (2 * p - a.high)
    by_down, by_up = b.low * (2 * q - b.low), b.high * (2 * q - b.high)
    low = down / (p * q + sqrt(p * p * q * q - down * by_up)) if p else 0.0
    return Interval(low, (p * q + sqrt(p * p * q * q - up * by_down)) / by_down)


def newcombe(treated: Proportion, held_out: Proportion, confidence: float = CONFIDENCE) -> Interval | None:
    """Treated minus held out at a moment fixed beforehand; None where an arm is empty."""
    return difference_interval(treated, held_out, critical_value(confidence))


def welch(a: Mean, b: Mean, confidence: float = CONFIDENCE) -> Difference | None:
    """Mean of `a` minus mean of `b`, variances unequal (Welch 1947).

    None where an arm has fewer than two customers, or where neither arm varies at all: nothing then says how
    far chance reaches.
    """
    from scipy.special import stdtr, stdtrit

    if a.mean is None or b.mean is None or a.variance is None or b.variance is None:
        return None
    of_a, of_b = a.variance / a.n, b.variance / b.n
    if of_a + of_b == 0:
        return None
    estimate, standard_error = a.mean - b.mean, sqrt(of_a + of_b)
    freedom = (of_a + of_b) ** 2 / (of_a**2 / (a.n - 1) + of_b**2 / (b.n - 1))
    reach = float(stdtrit(freedom, (1 + confidence) / 2)) * standard_error
    p_value = 2 * float(stdtr(freedom, -abs(estimate) / standard_error))
    return Difference(estimate, standard_error, Interval(estimate - reach, estimate + reach), p_value)


def sample_ratio_p_value(counts: Sequence[int], shares: Sequence[float]) -> float:
    """How likely chance alone splits the arms at least as unevenly as `counts`, were they drawn by `shares`.

    Pearson's chi-square; `shares` are relative weights. 0.0 where an arm of weight zero holds anybody, 1.0 where
    there is nothing to compare. Raises `ImpossibleCountsError` for negative counts or weights that sum to nothing.
    """
    from scipy.special import chdtrc

    if len(counts) != len(shares) or min(counts, default=0) < 0 or min(shares, default=0) < 0 or sum(shares) <= 0:
        raise ImpossibleCountsError(what=f"counts {list(counts)} for shares {list(shares)}")
    if any(count and not share for count, share in zip(counts, shares, strict=True)):
        return 0.0
    arms = [(count, share / sum(shares) * sum(counts)) for count, share in zip(counts, shares, strict=True) if share]
    if sum(counts) == 0 or len(arms) < 2:
        return 1.0
    return float(chdtrc(len(arms) - 1, sum((count - expected) ** 2 / expected for count, expected in arms)))


def always_valid_critical_value(n: int, planned_total: int, confidence: float = CONFIDENCE) -> float:
    """How many standard errors an interval must reach to hold at every look at once; infinite for nobody.

    Waudby-Smith and others, "Time-uniform central limit theory and asymptotic confidence sequences", equation 9.
    It is narrowest about `planned_total` customers (both arms), which must not change once data have been seen;
    there it is 1.55 times as wide as a fixed interval.
    """
    if n <= 0:
        return inf
    alpha = 1 - confidence
    growth = n * (-2 * log(alpha) + log(1 - 2 * log(alpha))) / planned_total
    return sqrt(2 * (growth + 1) / growth * log(sqrt(growth + 1) / alpha))


def always_valid_interval(
    estimate: float,
    standard_error: float,
    n: int,
    *,
    planned_total: int = DEFAULT_PLANNED_TOTAL,
    confidence: float = CONFIDENCE,
) -> Interval:
    """The interval of a mean's difference that may be looked at as often as one likes; `n` counts both arms."""
    z = always_valid_critical_value(n, planned_total, confidence)
    reach = z * standard_error if isfinite(z) else inf
    return Interval(estimate - reach, estimate + reach)
