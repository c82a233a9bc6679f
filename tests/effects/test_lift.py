"""One programme's result: gates, verdicts, money, and what to do next."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from setia.effects.holdout import ImpossibleShareError
from setia.effects.lift import Method, Verdict, measure
from setia.effects.power import propose_share, smallest_effect_shown
from setia.kernel.statistics import ImpossibleCountsError, Proportion, newcombe

# The MineThatData e-mail test of 20 March 2008: buyers among the mailed and among those who got nothing.
MENS, WOMENS, NOBODY = Proportion(267, 21307), Proportion(189, 21387), Proportion(122, 21306)

arms = st.integers(1, 2_000).flatmap(lambda n: st.builds(Proportion, st.integers(0, n), st.just(n)))


def hillstrom(mailed, **facts):
    return measure(mailed, NOBODY, planned_share=0.5, cost=mailed.n * Decimal("0.10"), **facts)


@pytest.mark.parametrize(
    ("mailed", "attributed", "kept", "cost"),
    [
        (MENS, 267, (144.99, 106.84, 184.11), ("14.70", "11.57", "19.94")),
        (WOMENS, 189, (66.54, 32.12, 101.49), ("32.14", "21.07", "66.59")),
    ],
)
def test_published_mailings(mailed, attributed, kept, cost):
    """Crediting every mailed buyer counts 267 where 145 are due to the mail; at ten cents a mail 14.70 each."""
    lift = hillstrom(mailed)
    assert (lift.verdict, lift.reason, lift.method) == (Verdict.WORKS, "interval_above_zero", Method.NEWCOMBE)
    assert lift.attributed == attributed
    found = (lift.incremental, lift.incremental_interval.low, lift.incremental_interval.high)
    assert found == pytest.approx(kept, abs=0.006)
    each = lift.cost_per_incremental
    assert tuple(round(amount, 2) for amount in (each.value, each.low, each.high)) == tuple(map(Decimal, cost))
    assert lift.srm_p > 0.6
    assert lift.more_customers_needed is lift.weeks_to_wait is lift.target_effect is None


@pytest.mark.parametrize(("mailed", "relative"), [(MENS, 1.188422), (WOMENS, 0.543313)])
def test_relative_lift_is_an_aside(mailed, relative):
    lift = hillstrom(mailed)
    assert lift.relative_lift == pytest.approx(relative, abs=1e-6)
    assert 0 < lift.relative_interval.low < relative < lift.relative_interval.high


def test_relative_lift_is_hidden_where_its_base_is_noise():
    lift = measure(Proportion(200, 1_000), Proportion(9, 111), planned_share=0.1)
    assert lift.verdict is Verdict.WORKS
    assert lift.relative_lift is lift.relative_interval is None


def test_a_running_programme_gets_the_wider_interval():
    running, mature = hillstrom(WOMENS, mature=False, planned_total=42_693), hillstrom(WOMENS)
    assert (running.method, mature.method) == (Method.ALWAYS_VALID, Method.NEWCOMBE)
    wider = (running.interval.high - running.interval.low) / (mature.interval.high - mature.interval.low)
    assert wider == pytest.approx(1.5486, abs=0.02)
    assert running.verdict is Verdict.WORKS


def test_the_first_looks_claim_nothing():
    lift = measure(Proportion(9, 9), Proportion(0, 9), planned_share=0.5, mature=False)
    assert lift.verdict is Verdict.NOT_SHOWN


def test_harm_is_said():
    lift = measure(NOBODY, MENS, planned_share=0.5, cost=Decimal(100))
    assert (lift.verdict, lift.reason) == (Verdict.HARMS, "interval_below_zero")
    assert lift.incremental < 0
    each = lift.cost_per_incremental
    assert each.value is each.low is each.high is None


def test_not_shown_is_unbounded_in_cost_and_says_what_to_do():
    lift = measure(
        Proportion(110, 900),
        Proportion(10, 100),
        planned_share=0.1,
        cost=Decimal(900),
        weekly_entries=150,
        expected_effect=0.05,
    )
    assert (lift.verdict, lift.reason) == (Verdict.NOT_SHOWN, "interval_spans_zero")
    assert lift.cost_per_incremental.value == pytest.approx(Decimal(45), abs=Decimal("1e-9"))
    assert lift.cost_per_incremental.low > 0
    assert lift.cost_per_incremental.high is None
    assert lift.target_effect == 0.05
    needed = 1_000 + lift.more_customers_needed
    base_rate = 121 / 1_002
    assert smallest_effect_shown(needed, 0.1, base_rate) <= 0.05 < smallest_effect_shown(needed - 10, 0.1, base_rate)
    assert lift.weeks_to_wait == -(-lift.more_customers_needed // 150)
    assert lift.sends_to_pool == -(-needed // 1_000)
    assert lift.better_share == propose_share(1_000, base_rate, 0.05).share > 0.1
    assert lift.smallest_detectable_effect == smallest_effect_shown(1_000, 0.1, base_rate) > 0.05


def test_without_an_expectation_the_observed_difference_is_the_target():
    lift = measure(Proportion(110, 900), Proportion(10, 100), planned_share=0.1)
    assert lift.target_effect == lift.difference
    assert lift.more_customers_needed > 0
    assert lift.weeks_to_wait is None


def test_no_target_no_advice():
    lift = measure(Proportion(90, 900), Proportion(10, 100), planned_share=0.1, weekly_entries=5)
    assert lift.verdict is Verdict.NOT_SHOWN
    assert lift.target_effect is lift.more_customers_needed is lift.weeks_to_wait is None


def test_a_speck_of_difference_is_no_target():
    """Rates that are equal but for the last bit, or an expected effect nobody could mean."""
    assert measure(Proportion(3, 30), Proportion(1, 10), planned_share=0.25).target_effect is None
    lift = measure(Proportion(30, 90), Proportion(3, 10), planned_share=0.1, expected_effect=5e-324)
    assert lift.target_effect is lift.more_customers_needed is None


def test_enough_were_asked():
    """An expected effect this large would have shown: the answer is not more customers."""
    lift = measure(Proportion(2_030, 10_000), Proportion(2_000, 10_000), planned_share=0.5, expected_effect=0.1)
    assert (lift.verdict, lift.more_customers_needed, lift.better_share) == (Verdict.NOT_SHOWN, 0, None)


@pytest.mark.parametrize(
    ("treated", "held_out", "share", "crossed_over", "reason"),
    [
        (Proportion(900, 9_600), Proportion(10, 400), 0.05, 0, "sample_ratio"),
        (Proportion(900, 9_500), Proportion(10, 500), 0.05, 26, "crossover"),
        (Proportion(5, 500), Proportion(0, 0), 0.1, 0, "sample_ratio"),
        (Proportion(5, 500), Proportion(0, 1), 0.0, 0, "sample_ratio"),
    ],
)
def test_a_broken_comparison_has_no_figures(treated, held_out, share, crossed_over, reason):
    lift = measure(treated, held_out, planned_share=share, crossed_over=crossed_over, cost=Decimal(1))
    assert (lift.verdict, lift.reason) == (Verdict.BROKEN, reason)
    assert lift.difference is lift.interval is lift.incremental is lift.cost_per_incremental is None
    assert lift.relative_lift is lift.smallest_detectable_effect is None
    assert lift.attributed == treated.successes


def test_a_little_crossover_is_reported_not_refused():
    lift = measure(Proportion(900, 9_500), Proportion(10, 500), planned_share=0.05, crossed_over=25)
    assert lift.verdict is Verdict.WORKS
    assert lift.crossover_share == 0.05


@pytest.mark.parametrize(
    ("treated", "held_out", "share", "reason"),
    [
        (Proportion(2, 20), Proportion(0, 0), 0.1, "no_held_out"),
        (Proportion(2, 2_000), Proportion(0, 0), 0.0, "no_held_out"),
        (Proportion(0, 0), Proportion(1, 2), 0.5, "no_treated"),
        (Proportion(0, 0), Proportion(1, 2_000), 1.0, "no_treated"),
        (Proportion(0, 0), Proportion(0, 0), 0.1, "no_customers"),
    ],
)
@pytest.mark.parametrize("mature", [True, False])
def test_an_empty_arm_shows_nothing(treated, held_out, share, reason, mature):
    lift = measure(treated, held_out, planned_share=share, mature=mature, expected_effect=0.02, cost=Decimal(1))
    assert (lift.verdict, lift.reason) == (Verdict.NOT_SHOWN, reason)
    assert lift.difference is lift.interval is lift.cost_per_incremental is None


def test_without_a_holdout_the_advice_is_to_hold_out():
    lift = measure(Proportion(400, 2_000), Proportion(0, 0), planned_share=0.0, expected_effect=0.08)
    assert lift.better_share == propose_share(2_000, 401 / 2_002, 0.08).share


@given(arms, arms, st.booleans(), st.none() | st.floats(-0.5, 0.5), st.none() | st.integers(1, 50_000))
@settings(max_examples=100, deadline=None)
def test_what_always_holds(treated, held_out, mature, expected, planned_total):
    total = treated.n + held_out.n
    lift = measure(
        treated,
        held_out,
        planned_share=held_out.n / total,
        cost=Decimal(10),
        mature=mature,
        weekly_entries=7,
        planned_total=planned_total,
        expected_effect=expected,
    )
    assert lift.srm_p > 0.99
    assert lift.interval.low <= lift.difference <= lift.interval.high
    fixed = newcombe(treated, held_out)
    if mature:
        assert lift.interval == fixed
    else:
        assert lift.interval.low <= fixed.low
        assert fixed.high <= lift.interval.high
    claim = {Verdict.WORKS: lift.interval.low > 0, Verdict.HARMS: lift.interval.high < 0}
    assert claim.get(lift.verdict, lift.interval.low <= 0 <= lift.interval.high)
    each = lift.cost_per_incremental
    amounts = [amount for amount in (each.low, each.value, each.high) if amount is not None]
    assert amounts == sorted(amounts)
    assert (each.high is not None) == (lift.verdict is Verdict.WORKS)
    if lift.more_customers_needed is not None:
        assert (lift.weeks_to_wait - 1) * 7 < lift.more_customers_needed <= lift.weeks_to_wait * 7
        assert lift.verdict is Verdict.NOT_SHOWN


@given(arms, arms)
@settings(max_examples=50, deadline=None)
def test_swapping_the_arms_swaps_works_and_harms(a, b):
    share = b.n / (a.n + b.n)
    one, other = measure(a, b, planned_share=share), measure(b, a, planned_share=1 - share)
    swapped = {Verdict.WORKS: Verdict.HARMS, Verdict.HARMS: Verdict.WORKS}
    assume(min(abs(one.interval.low), abs(one.interval.high)) > 1e-12)
    assert other.verdict is swapped.get(one.verdict, one.verdict)


@pytest.mark.parametrize("facts", [{"crossed_over": 11}, {"crossed_over": -1}, {"planned_total": 0}, {"cost": -1}])
def test_impossible_facts_are_refused(facts):
    with pytest.raises(ImpossibleCountsError):
        measure(Proportion(1, 90), Proportion(1, 10), **{"planned_share": 0.1, **facts})


def test_an_impossible_share_is_refused():
    with pytest.raises(ImpossibleShareError):
        measure(Proportion(1, 90), Proportion(1, 10), planned_share=10)
