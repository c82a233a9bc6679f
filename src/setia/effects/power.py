"""Before a programme starts: what it could show, how many customers it needs, how many to hold out.

Two pairs answer "how small an effect" and "how many customers". `smallest_detectable_effect` and `customers_needed`
are the textbook's: a normal approximation, as every calculator gives it. With few held-out successes it promises far
too much: 500 customers, a tenth held out, a base rate of 2 %, and the effect promised four times in five is shown one
time in four. `smallest_effect_shown` and `customers_to_show` keep the promise; proposals and results use these.

Two-sided throughout. Shares are the held-out part of the audience; effects are differences of rates (0.02 is two
percentage points).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, inf, sqrt
from statistics import NormalDist

from setia.effects.holdout import checked_share
from setia.kernel.errors import SetiaError
from setia.kernel.statistics import square_and_add

ALPHA = 0.05
POWER = 0.8
USUAL_SHARE_PERCENT = 10
LARGEST_SHARE_PERCENT = 50

_HALVINGS = 24  # to a hundred-thousandth of a percentage point


class NotPlannableError(SetiaError):
    """No plan can be made: {what}."""

    code = "effects.plan"


@dataclass(frozen=True, slots=True)
class ShareProposal:
    """The share to hold out, the smallest effect it can show, and whether that is enough for the expected one."""

    share: float
    smallest_effect: float
    enough: bool


def smallest_detectable_effect(
    audience: float, share: float, base_rate: float, alpha: float = ALPHA, power: float = POWER
) -> float:
    """The difference of rates that would be shown with probability `power`; infinite where an arm is empty.

    Both arms are given the spread of the base rate. A base rate of 0 or 1 is taken as half a customer away from it.
    Where the answer passes 1 - `base_rate`, no rise can be shown at all.
    """
    base_rate = _checked_rate(base_rate)
    checked_share(share)
    if audience <= 0 or share in (0, 1):
        return inf
    half_a_customer = min(0.5, 0.5 / audience)
    base_rate = min(max(base_rate, half_a_customer), 1 - half_a_customer)
    return _reach(alpha, power) * sqrt(base_rate * (1 - base_rate) / (audience * share * (1 - share)))


def customers_needed(base_rate: float, effect: float, share: float, alpha: float = ALPHA, power: float = POWER) -> int:
    """How many customers, both arms together, show `effect` with probability `power`.

    Each arm has the spread of its own rate. Raises `NotPlannableError` for an effect of zero or an empty arm.
    """
    base_rate = _checked_rate(base_rate)
    if effect == 0 or checked_share(share) in (0, 1):
        raise NotPlannableError(what=f"an effect of {effect} with a share of {share} held out")
    treated = min(max(base_rate + effect, 0.0), 1.0)
    spread = treated * (1 - treated) / (1 - share) + base_rate * (1 - base_rate) / share
    return max(2, ceil(_reach(alpha, power) ** 2 * spread / effect**2))


def smallest_effect_shown(
    audience: float, share: float, base_rate: float, alpha: float = ALPHA, power: float = POWER
) -> float:
    """The smallest rise that our interval shows with probability `power`; infinite where no rise can be.

    It is the rise at which the interval about the expected rates, stretched by the reach of `power`, just leaves
    out zero.
    """
    _checked_rate(base_rate)
    low, high, reach = 0.0, 1 - base_rate, _reach(alpha, power)
    if checked_share(share) in (0, 1) or not _shows(high, audience, share, base_rate, reach):
        return inf
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _shows(middle, audience, share, base_rate, reach):
            high = middle
        else:
            low = middle
    return high


def customers_to_show(base_rate: float, effect: float, share: float, alpha: float = ALPHA, power: float = POWER) -> int:
    """How many customers, both arms together, our interval needs to show `effect` with probability `power`.

    A fall is shown a little less often than promised where few are held out (three times in four at a tenth).
    An effect past 0 or 100 % is taken as far as it goes. Raises `NotPlannableError` where nothing is left of it.
    """
    _checked_rate(base_rate)
    if checked_share(share) in (0, 1) or min(max(base_rate + effect, 0.0), 1.0) == base_rate:
        raise NotPlannableError(what=f"an effect of {effect} on {base_rate} with a share of {share} held out")
    reach = _reach(alpha, power)
    enough = 2
    while not _shows(effect, enough, share, base_rate, reach):
        enough *= 2
    too_few = enough // 2
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        if _shows(effect, middle, share, base_rate, reach):
            enough = middle
        else:
            too_few = middle
    return enough


def propose_share(audience: float, base_rate: float, expected_effect: float) -> ShareProposal:
    """10 % where that shows the expected effect, else as many whole percent as it takes, at most 50 %.

    `enough` is False where even half the audience cannot show it: pool several sends, or wait for more customers.
    """
    _checked_rate(base_rate)
    reach = _reach(ALPHA, POWER)
    for percent in range(USUAL_SHARE_PERCENT, LARGEST_SHARE_PERCENT + 1):
        share = percent / 100
        if _shows(expected_effect, audience, share, base_rate, reach):
            return ShareProposal(share, smallest_effect_shown(audience, share, base_rate), enough=True)
    return ShareProposal(share, smallest_effect_shown(audience, share, base_rate), enough=False)


def _shows(effect: float, audience: float, share: float, base_rate: float, reach: float) -> bool:
    """Whether zero lies outside the interval that reaches so far about the expected rates."""
    if audience <= 0 or effect == 0:
        return False
    treated = min(max(base_rate + effect, 0.0), 1.0)
    interval = square_and_add(treated, audience * (1 - share), base_rate, audience * share, reach)
    return interval.low > 0 or interval.high < 0


def _reach(alpha: float, power: float) -> float:
    return NormalDist().inv_cdf(1 - alpha / 2) + NormalDist().inv_cdf(power)


def _checked_rate(rate: float) -> float:
    if not 0 <= rate <= 1:
        raise NotPlannableError(what=f"a base rate of {rate}, where one between 0 and 1 is meant")
    return rate
