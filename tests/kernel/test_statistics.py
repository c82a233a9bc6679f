"""Formulas against published figures, textbook examples and statsmodels."""

from __future__ import annotations

from math import inf, isclose, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setia.kernel.statistics import (
    ImpossibleCountsError,
    Interval,
    Mean,
    Proportion,
    always_valid_critical_value,
    always_valid_interval,
    critical_value,
    difference_interval,
    newcombe,
    ratio_interval,
    sample_ratio_p_value,
    welch,
)

# The MineThatData e-mail test of 20 March 2008: n, sums of visit and conversion, sum and sum of squares of spend.
HILLSTROM = {
    "mens": (21307, 3894, 267, 30311.69, 6759024.4973),
    "womens": (21387, 3238, 189, 23038.11, 4911446.5763),
    "none": (21306, 2262, 122, 13908.33, 2870050.3621),
}

brisk = settings(max_examples=50, deadline=None)
proportions = st.integers(1, 3_000).flatmap(lambda n: st.builds(Proportion, st.integers(0, n), st.just(n)))


@pytest.mark.data
def test_the_published_counts_need_every_row_of_the_file(data_set):
    """Customers have no id in it, and 6,562 of the rows are like another: whoever drops those loses customers."""
    import duckdb

    rows = duckdb.read_parquet(str(data_set("hillstrom.parquet")))
    sums = "count(*), sum(visit), sum(conversion), round(sum(spend), 2), round(sum(spend * spend), 4)"
    counted = rows.aggregate(f"segment, {sums}", "segment").fetchall()
    arms = {"Mens E-Mail": "mens", "Womens E-Mail": "womens", "No E-Mail": "none"}
    assert {arms[segment]: tuple(map(float, figures)) for segment, *figures in counted} == HILLSTROM
    assert len(rows) == 64_000
    assert len(rows.distinct()) == 64_000 - 6_562


def mean_of(arm, metric):
    n, visits, conversions, spend, squares = HILLSTROM[arm]
    return {
        "visit": Mean(n, visits, visits),
        "conversion": Mean(n, conversions, conversions),
        "spend": Mean(n, spend, squares),
    }[metric]


def ends(interval):
    return (interval.low, interval.high)


@pytest.mark.parametrize(
    ("first", "metric", "difference", "error", "low", "high", "p"),
    [
        ("mens", "visit", 0.07658956, 0.00338589, 0.06995315, 0.08322598, 1.364e-112),
        ("mens", "conversion", 0.00680501, 0.00092087, 0.00500007, 0.00860994, 1.502e-13),
        ("mens", "spend", 0.76982716, 0.14524656, 0.48513973, 1.05451458, 1.164e-07),
        ("womens", "visit", 0.04523311, 0.00323446, 0.03889349, 0.05157272, 2.432e-44),
        ("womens", "conversion", 0.00311106, 0.00082268, 0.00149859, 0.00472352, 1.560e-04),
        ("womens", "spend", 0.42441222, 0.13033286, 0.16895679, 0.67986764, 1.129e-03),
    ],
)
def test_welch_gives_the_published_figures(first, metric, difference, error, low, high, p):
    result = welch(mean_of(first, metric), mean_of("none", metric))
    assert (result.estimate, result.standard_error, *ends(result.interval)) == pytest.approx(
        (difference, error, low, high), abs=1e-8
    )
    assert result.p_value == pytest.approx(p, rel=5e-4)


@pytest.mark.parametrize(
    ("metric", "difference", "error", "low", "high", "p"),
    [
        ("visit", 0.06088196, 0.00277729, 0.05543844, 0.06632547, 5.1e-106),
        ("conversion", 0.00495457, 0.00071745, 0.00354837, 0.00636077, 5.0e-12),
        ("spend", 0.59679607, 0.11255621, 0.37618527, 0.81740686, 1.148e-07),
    ],
)
def test_means_add_up(metric, difference, error, low, high, p):
    result = welch(mean_of("mens", metric) + mean_of("womens", metric), mean_of("none", metric))
    assert (result.estimate, result.standard_error, *ends(result.interval)) == pytest.approx(
        (difference, error, low, high), abs=1e-8
    )
    assert result.p_value == pytest.approx(p, rel=1e-2)


def test_welch_between_two_mailings():
    result = welch(mean_of("mens", "spend"), mean_of("womens", "spend"))
    assert result.estimate == pytest.approx(0.34541494, abs=1e-8)
    assert ends(result.interval) == pytest.approx((0.03256145, 0.65826843), abs=1e-8)
    assert result.p_value == pytest.approx(3.047e-02, rel=5e-4)


def test_welch_on_small_arms():
    """Published test vector of an experimentation library: 0.29 [0.04538, 0.53462], p 0.02016."""
    result = welch(Mean(3461, 2422.7, 134698.29), Mean(3407, 1396.87, 52377.9767))
    assert (result.estimate, result.standard_error) == pytest.approx((0.29, 0.12478), abs=1e-5)
    assert ends(result.interval) == pytest.approx((0.04538, 0.53462), abs=1e-5)
    assert result.p_value == pytest.approx(0.02016, abs=1e-5)


@given(
    st.lists(st.integers(-1_000, 1_000), min_size=2, max_size=30),
    st.lists(st.integers(-1_000, 1_000), min_size=2, max_size=30),
    st.sampled_from([0.8, 0.95, 0.99]),
)
@brisk
def test_welch_agrees_with_statsmodels(first, second, confidence):
    from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

    result = welch(*(Mean(len(v), sum(v), sum(x * x for x in v)) for v in (first, second)), confidence)
    if result is None:
        assert len(set(first)) == len(set(second)) == 1
        return
    oracle = CompareMeans(DescrStatsW(first), DescrStatsW(second))
    close = {"rel": 1e-6, "abs": 1e-12}
    assert ends(result.interval) == pytest.approx(oracle.tconfint_diff(1 - confidence, usevar="unequal"), **close)
    assert result.p_value == pytest.approx(oracle.ttest_ind(usevar="unequal")[1], **close)


def test_nothing_is_said_where_nothing_varies():
    assert welch(Mean(1, 3, 9), Mean(9, 3, 9)) is None
    assert welch(Mean(0, 0, 0), Mean(9, 3, 9)) is None
    assert welch(Mean(5, 0, 0), Mean(9, 0, 0)) is None
    assert Mean(0, 0, 0).mean is None
    assert Mean(1, 2, 4).variance is None
    assert Proportion(0, 0).rate is None
    assert Proportion(0, 0).wilson() == Interval(0, 1)


def test_an_arm_of_zeros_still_has_a_test():
    result = welch(Mean(1000, 30, 30), Mean(100, 0, 0))
    assert result.interval.low > 0
    assert 0 < result.p_value < 1e-6


@pytest.mark.parametrize(
    ("arm", "low", "high"),
    [
        ("mens", 0.01112289, 0.01411504),
        ("womens", 0.00766806, 0.01018264),
        ("none", 0.00479821, 0.00683217),
    ],
)
def test_wilson_of_published_rates(arm, low, high):
    n, _, conversions, *_ = HILLSTROM[arm]
    assert ends(Proportion(conversions, n).wilson()) == pytest.approx((low, high), abs=1e-8)


def test_wilson_and_newcombe_of_the_papers():
    """81/263 and 56/70 against 48/80 are the examples of Newcombe (1998)."""
    assert ends(Proportion(81, 263).wilson()) == pytest.approx((0.255289, 0.366210), abs=1e-6)
    assert ends(newcombe(Proportion(56, 70), Proportion(48, 80))) == pytest.approx((0.052431, 0.333873), abs=1e-6)


def test_newcombe_with_zeros():
    assert ends(newcombe(Proportion(0, 100), Proportion(3, 1000))) == pytest.approx((-0.008783, 0.034046), abs=1e-6)
    assert ends(newcombe(Proportion(0, 10), Proportion(0, 10))) == pytest.approx((-0.277533, 0.277533), abs=1e-6)
    assert newcombe(Proportion(0, 0), Proportion(1, 10)) is None
    assert newcombe(Proportion(1, 10), Proportion(0, 0)) is None


@pytest.mark.parametrize(
    ("arm", "kept", "low", "high"), [("mens", 144.99, 106.84, 184.11), ("womens", 66.54, 32.12, 101.49)]
)
def test_newcombe_in_customers(arm, kept, low, high):
    n, _, conversions, *_ = HILLSTROM[arm]
    interval = newcombe(Proportion(conversions, n), Proportion(122, 21306))
    assert (n * (conversions / n - 122 / 21306), n * interval.low, n * interval.high) == pytest.approx(
        (kept, low, high), abs=0.006
    )


@given(proportions, st.sampled_from([0.5, 0.9, 0.95, 0.999]))
@brisk
def test_wilson_agrees_with_statsmodels(proportion, confidence):
    from statsmodels.stats.proportion import proportion_confint

    oracle = proportion_confint(proportion.successes, proportion.n, 1 - confidence, method="wilson")
    assert ends(proportion.wilson(confidence)) == pytest.approx(oracle, abs=1e-9)


@given(proportions, proportions, st.sampled_from([0.9, 0.95, 0.99]))
@brisk
def test_newcombe_agrees_with_statsmodels(treated, held_out, confidence):
    from statsmodels.stats.proportion import confint_proportions_2indep

    counts = (treated.successes, treated.n, held_out.successes, held_out.n)
    oracle = confint_proportions_2indep(*counts, method="newcomb", compare="diff", alpha=1 - confidence)
    assert ends(newcombe(treated, held_out, confidence)) == pytest.approx(oracle, abs=1e-9)


@pytest.mark.parametrize(
    ("treated", "held_out"),
    [((90, 900), (14, 100)), ((500, 1_000), (60, 150)), ((260, 300), (140, 310)), ((600, 3_000), (150, 1_000))],
)
def test_score_intervals_are_near(treated, held_out):
    """The score intervals of difference (Miettinen and Nurminen) and ratio (Koopman) follow another road."""
    from statsmodels.stats.proportion import confint_proportions_2indep

    counts = (*treated, *held_out)
    treated, held_out = Proportion(*treated), Proportion(*held_out)
    ratio_ours = ratio_interval(treated, held_out, critical_value())
    for ours, compare in ((newcombe(treated, held_out), "diff"), (ratio_ours, "ratio")):
        low, high = confint_proportions_2indep(*counts, method="score", compare=compare)
        assert ends(ours) == pytest.approx((low, high), abs=(high - low) / 10)


@given(proportions, proportions)
@brisk
def test_swapping_the_arms_turns_the_interval_round(a, b):
    one, other = newcombe(a, b), newcombe(b, a)
    assert ends(one) == pytest.approx((-other.high, -other.low), abs=1e-12)


@given(proportions, proportions, st.floats(0.5, 0.99), st.floats(0.5, 0.99))
@brisk
def test_intervals_hold_their_estimate_and_grow_with_confidence(a, b, one, other):
    less, more = sorted((one, other))
    narrow, wide = newcombe(a, b, less), newcombe(a, b, more)
    assert -1 <= wide.low <= narrow.low + 1e-12
    assert narrow.low <= a.rate - b.rate + 1e-12
    assert a.rate - b.rate <= narrow.high + 1e-12
    assert narrow.high - 1e-12 <= wide.high <= 1
    assert a.wilson(less).low <= a.rate <= a.wilson(less).high


@given(proportions, proportions, st.integers(2, 50))
@brisk
def test_more_of_the_same_is_narrower(a, b, times):
    once = newcombe(a, b)
    often = newcombe(Proportion(a.successes * times, a.n * times), Proportion(b.successes * times, b.n * times))
    assert often.high - often.low < once.high - once.low


@given(proportions, proportions)
@brisk
def test_one_more_success_moves_the_interval_up(a, b):
    if a.successes < a.n:
        more = newcombe(Proportion(a.successes + 1, a.n), b)
        assert more.low > newcombe(a, b).low
        assert more.high > newcombe(a, b).high


@given(proportions, proportions, st.floats(0.5, 12))
@brisk
def test_ratio_and_difference_never_contradict_each_other(a, b, z):
    difference, ratio = difference_interval(a, b, z), ratio_interval(a, b, z)
    if ratio is None:
        assert b.successes == 0
        return
    assert 0 <= ratio.low <= a.rate / b.rate * (1 + 1e-9)
    assert a.rate / b.rate <= ratio.high * (1 + 1e-9)
    if min(abs(difference.low), abs(difference.high)) > 1e-9:
        assert (ratio.low > 1) == (difference.low > 0)
        assert (ratio.high < 1) == (difference.high < 0)


@pytest.mark.parametrize(
    ("counts", "shares", "p"),
    [
        ((821588, 815482), (0.5, 0.5), 1.8218e-06),
        ((1000, 1100), (0.5, 0.5), 0.0290963),
        ((9600, 400), (0.95, 0.05), 4.468e-06),
        ((9500, 500), (0.95, 0.05), 1.0),
        ((21307, 21306, 21387), (1, 1, 1), 0.9036930),
        ((21307 + 21387, 21306), (2, 1), 0.8187158),
        ((500, 600, 0), (0.5, 0.5, 0), 0.00257),
    ],
)
def test_sample_ratio(counts, shares, p):
    assert sample_ratio_p_value(counts, shares) == pytest.approx(p, rel=1e-3)


def test_nobody_belongs_in_an_arm_of_weight_zero():
    assert sample_ratio_p_value((500, 500, 1), (0.5, 0.5, 0)) == 0.0
    assert sample_ratio_p_value((0, 10), (1, 0)) == 0.0


def test_sample_ratio_with_nothing_to_compare():
    assert sample_ratio_p_value((0, 0), (0.1, 0.9)) == 1.0
    assert sample_ratio_p_value((70, 0), (1, 0)) == 1.0


@pytest.mark.parametrize(
    ("counts", "shares"), [((1, 2), (1,)), ((-1, 2), (1, 1)), ((1, 2), (-1, 2)), ((1, 2), (0, 0)), ((), ())]
)
def test_impossible_arms_are_refused(counts, shares):
    with pytest.raises(ImpossibleCountsError):
        sample_ratio_p_value(counts, shares)


@pytest.mark.parametrize(("successes", "n"), [(-1, 5), (6, 5), (0, -1)])
def test_impossible_proportions_are_refused(successes, n):
    with pytest.raises(ImpossibleCountsError, match=f"{successes} of {n}"):
        Proportion(successes, n)


@pytest.mark.parametrize(
    ("planned", "low", "high"), [(5_000, 0.30206564, 1.23758868), (42_613, 0.32897349, 1.21068082)]
)
def test_always_valid_interval_of_published_spend(planned, low, high):
    fixed = welch(mean_of("mens", "spend"), mean_of("none", "spend"))
    interval = always_valid_interval(fixed.estimate, fixed.standard_error, 42_613, planned_total=planned)
    assert ends(interval) == pytest.approx((low, high), abs=1e-8)


def test_what_looking_costs():
    """At the planned total 1.5486 times the width of a fixed interval; 1.6431 at 8.5 times a plan of 5,000."""
    assert always_valid_critical_value(5_000, 5_000) / critical_value() == pytest.approx(1.5486, abs=1e-4)
    assert always_valid_critical_value(42_613, 5_000) / critical_value() == pytest.approx(1.6431, abs=1e-4)
    assert always_valid_interval(0.1, 0.0, 0) == Interval(-inf, inf)


@given(st.integers(10, 10**6), st.integers(100, 10**6), st.sampled_from([0.9, 0.95, 0.99]))
@brisk
def test_the_width_is_smallest_about_the_plan(n, planned, confidence):
    def width(total):
        return always_valid_critical_value(total, planned, confidence) / sqrt(total)

    assert always_valid_critical_value(n, planned, confidence) > critical_value(confidence)
    assert width(2 * n) < width(n)
    here = always_valid_critical_value(n, planned, confidence)
    best = always_valid_critical_value(n, n, confidence)
    assert here >= best or isclose(here, best, rel_tol=1e-3)
