"""What a programme caused: the treated against the held out, by intention to treat.

The gates come before any figure, and the answer is one of four words. A difference that may be chance is
*not shown*, never *no effect*, and comes with what it would take to show it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from math import ceil

from setia.effects.holdout import checked_share
from setia.effects.power import customers_to_show, propose_share, smallest_effect_shown
from setia.kernel.statistics import (
    DEFAULT_PLANNED_TOTAL,
    ImpossibleCountsError,
    Interval,
    Proportion,
    always_valid_critical_value,
    critical_value,
    difference_interval,
    ratio_interval,
    sample_ratio_p_value,
)

SAMPLE_RATIO_LIMIT = 0.001
"""Below this p-value the arms were not drawn as planned."""

CROSSOVER_LIMIT = 0.05
"""Above this share of held-out customers reached after all, the comparison is worthless."""

FEWEST_FOR_RELATIVE = 10
"""With fewer held-out successes the denominator's standard error passes 30 %, and a relative lift says nothing."""

SMALLEST_TARGET = 1e-6
"""A difference of rates below one customer in a million is rounding: no plan can be made to show it."""


class Verdict(StrEnum):
    """What may be claimed."""

    WORKS = "works"
    HARMS = "harms"
    NOT_SHOWN = "not_shown"
    BROKEN = "broken"


class Method(StrEnum):
    """How the interval was made: for the one look at maturity, or for any number of looks while running."""

    NEWCOMBE = "newcombe"
    ALWAYS_VALID = "always_valid"


@dataclass(frozen=True, slots=True)
class CostPerIncremental:
    """Cost of each customer kept beyond those who would have stayed anyway, in the cost's currency, unrounded.

    None is unbounded: that end of the interval keeps nobody. `low` None means that none is kept even at best.
    """

    value: Decimal | None
    low: Decimal | None
    high: Decimal | None


@dataclass(frozen=True, slots=True)
class Lift:
    """One programme's result.

    Rates and differences are fractions; `incremental` counts the treated customers kept because of the programme.
    `reason` is a stable code: sample_ratio, crossover, no_customers, no_treated, no_held_out, interval_above_zero,
    interval_below_zero, interval_spans_zero. Figures are None where a gate closed or an arm is empty; relative ones
    also where too few held-out customers succeeded.

    The last five are known where the verdict is not shown: what would show an effect of `target_effect` (the
    expected one, else the observed difference) with four chances in five. `more_customers_needed` counts both arms;
    0 says that enough were asked, so an effect of that size would probably have shown. `sends_to_pool` counts sends
    of this size, this one included. `better_share` is what to hold out another time, where that is more than now.
    """

    treated: Proportion
    held_out: Proportion
    verdict: Verdict
    reason: str
    method: Method
    srm_p: float
    crossover_share: float
    attributed: int
    cost: Decimal | None
    difference: float | None = None
    interval: Interval | None = None
    relative_lift: float | None = None
    relative_interval: Interval | None = None
    incremental: float | None = None
    incremental_interval: Interval | None = None
    cost_per_incremental: CostPerIncremental | None = None
    smallest_detectable_effect: float | None = None
    target_effect: float | None = None
    more_customers_needed: int | None = None
    weeks_to_wait: int | None = None
    sends_to_pool: int | None = None
    better_share: float | None = None


def measure(
    treated: Proportion,
    held_out: Proportion,
    *,
    planned_share: float,
    cost: Decimal | None = None,
    crossed_over: int = 0,
    mature: bool = True,
    weekly_entries: float | None = None,
    planned_total: int | None = None,
    expected_effect: float | None = None,
) -> Lift:
    """The programme's lift at 95 % confidence.

    `planned_share` is the share meant to be held out, `crossed_over` how many of the held out were reached after
    all, `cost` everything the programme cost. `mature` says that every customer counted has had the whole outcome
    window and that this is the one planned look; until then the wider interval is used that stays right however
    often one looks. `planned_total` (both arms, fixed at the start) says where that one is narrowest, and is the
    size at which `smallest_detectable_effect` (the smallest rise shown four times in five) is judged.

    Raises `ImpossibleShareError` and `ImpossibleCountsError`.
    """
    if not 0 <= crossed_over <= held_out.n:
        raise ImpossibleCountsError(what=f"{crossed_over} of {held_out.n} held-out customers reached")
    if planned_total is not None and planned_total <= 0:
        raise ImpossibleCountsError(what=f"a planned total of {planned_total}")
    if cost is not None and cost < 0:
        raise ImpossibleCountsError(what=f"a cost of {cost}")
    lift = Lift(
        treated,
        held_out,
        verdict=Verdict.NOT_SHOWN,
        reason="interval_spans_zero",
        method=Method.NEWCOMBE if mature else Method.ALWAYS_VALID,
        srm_p=sample_ratio_p_value((held_out.n, treated.n), (checked_share(planned_share), 1 - planned_share)),
        crossover_share=crossed_over / held_out.n if held_out.n else 0.0,
        attributed=treated.successes,
        cost=cost,
    )
    if broken := _broken(lift):
        return replace(lift, verdict=Verdict.BROKEN, reason=broken)
    lift = _with_figures(lift, planned_total or DEFAULT_PLANNED_TOTAL)
    audience = max(treated.n + held_out.n, planned_total or 0)
    if audience:
        lift = _with_power(lift, audience, planned_share, expected_effect, weekly_entries)
    return lift


def _broken(lift: Lift) -> str | None:
    """The gate that closes: no figure may be read off this comparison."""
    if lift.srm_p < SAMPLE_RATIO_LIMIT:
        return "sample_ratio"
    if lift.crossover_share > CROSSOVER_LIMIT:
        return "crossover"
    return None


def _with_figures(lift: Lift, planned_total: int) -> Lift:
    treated, held_out = lift.treated, lift.held_out
    total = treated.n + held_out.n
    # While running, Newcombe's interval is stretched: with the usual standard error a held-out group without a
    # single success has no spread at all, and a third of idle programmes would be claimed.
    z = critical_value() if lift.method is Method.NEWCOMBE else always_valid_critical_value(total, planned_total)
    interval = difference_interval(treated, held_out, z) if treated.n and held_out.n else None
    if interval is None or treated.rate is None or held_out.rate is None:
        missing = "no_customers" if not total else "no_held_out" if not held_out.n else "no_treated"
        return replace(lift, reason=missing)
    difference = treated.rate - held_out.rate
    incremental = Interval(treated.n * interval.low, treated.n * interval.high)
    verdict, reason = Verdict.NOT_SHOWN, "interval_spans_zero"
    if interval.low > 0:
        verdict, reason = Verdict.WORKS, "interval_above_zero"
    elif interval.high < 0:
        verdict, reason = Verdict.HARMS, "interval_below_zero"
    lift = replace(
        lift,
        verdict=verdict,
        reason=reason,
        difference=difference,
        interval=interval,
        incremental=treated.n * difference,
        incremental_interval=incremental,
        cost_per_incremental=_cost_per_incremental(lift.cost, treated.n * difference, incremental),
    )
    ratio = ratio_interval(treated, held_out, z)
    if ratio is None or held_out.successes < FEWEST_FOR_RELATIVE:
        return lift
    relative = Interval(ratio.low - 1, ratio.high - 1)
    return replace(lift, relative_lift=difference / held_out.rate, relative_interval=relative)


def _cost_per_incremental(cost: Decimal | None, kept: float, interval: Interval) -> CostPerIncremental | None:
    if cost is None:
        return None

    def per(kept: float) -> Decimal | None:
        return cost / Decimal(kept) if kept > 0 else None

    return CostPerIncremental(per(kept), low=per(interval.high), high=per(interval.low))


def _with_power(
    lift: Lift, audience: int, planned_share: float, expected_effect: float | None, weekly_entries: float | None
) -> Lift:
    """What an audience of this size can show and, where nothing was shown, what it would take."""
    total = lift.treated.n + lift.held_out.n
    base_rate = (lift.treated.successes + lift.held_out.successes + 1) / (total + 2)
    if 0 < planned_share < 1:
        smallest = smallest_effect_shown(audience, planned_share, base_rate)
        lift = replace(lift, smallest_detectable_effect=smallest)
    target = lift.difference if expected_effect is None else expected_effect
    if lift.verdict is not Verdict.NOT_SHOWN or target is None or abs(target) < SMALLEST_TARGET:
        return lift
    proposal = propose_share(audience, base_rate, target)
    better_share = proposal.share if proposal.share > planned_share else None
    lift = replace(lift, target_effect=target, better_share=better_share)
    if planned_share in (0, 1):
        return lift
    needed = customers_to_show(base_rate, target, planned_share)
    more = max(0, needed - total)
    return replace(
        lift,
        more_customers_needed=more,
        weeks_to_wait=ceil(more / weekly_entries) if weekly_entries and weekly_entries > 0 else None,
        sends_to_pool=ceil(needed / audience),
    )
