"""The back-test against figures measured elsewhere on CDNOW, worked rankings, a past that knows no future."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setia.customers.traits import observed
from setia.history.scope import Scope
from setia.predictions.backtest import TooLittleHistory, backtest
from setia.predictions.candidates import BLEND, CANDIDATES, LEARNED, NAIVE
from setia.predictions.forecast import Forecast
from setia.predictions.past import Windows, read
from setia.predictions.scoring import Ranking, calibration_error, deviance, explained, score

CDNOW = "select row_number() over () as n, * from read_parquet('{file}')"


def cdnow(reader_of: Any, data_set: Any) -> Any:
    file = data_set("cdnow_master.parquet")
    return reader_of(
        orders=f"select n::varchar as order_id, n::varchar as document_id, customer_id::varchar as customer_id, "
        f"date::date as day, spend as total, 'USD' as currency from ({CDNOW.format(file=file)})"
    )


@pytest.mark.data
@pytest.mark.slow
def test_cdnow_as_measured_elsewhere(reader_of, data_set):
    """Order bias, revenue bias, mean absolute error, Gini and top decile of both windows, to the printed digits."""
    measured = {
        ("repeated", "1997-10-01"): (-0.02, -0.03, 15.0, 0.527, 0.503),
        ("repeated", "1998-04-01"): (0.18, 0.24, 11.7, 0.600, 0.572),
        ("lifetime_rate", "1997-10-01"): (0.31, 0.25, 16.9, 0.641, 0.501),
        ("bg_nbd", "1997-10-01"): (-0.14, -0.19, 14.5, 0.640, 0.512),
        ("bg_nbd", "1998-04-01"): (0.11, 0.15, 11.1, 0.770, 0.614),
        ("mbg_nbd", "1997-10-01"): (-0.17, -0.22, 14.2, 0.643, 0.513),
        ("mbg_nbd", "1998-04-01"): (0.08, 0.12, 10.9, 0.773, 0.614),
    }
    reader = cdnow(reader_of, data_set)
    scope = Scope(dt.date(1998, 7, 1), "USD", "UTC")
    pasts = {day: read(reader, scope, dt.date.fromisoformat(day), 91) for day in ("1997-10-01", "1998-04-01")}
    for (name, day), expected in measured.items():
        past = pasts[day]
        found = score(name, past, CANDIDATES[name][1](past).ahead(91))
        told = (found.days_bias, found.revenue_bias, found.revenue_error, found.gini, found.top_tenth)
        assert told == pytest.approx(expected, abs=0.06, rel=0.02), (name, day)


@pytest.mark.data
@pytest.mark.slow
def test_the_best_is_chosen_and_every_candidate_is_shown(reader_of, data_set):
    found = backtest(cdnow(reader_of, data_set), Scope(dt.date(1998, 7, 1), "USD", "UTC"))
    assert found.failed == {}
    assert {each.candidate for each in found.scores} == set(CANDIDATES)
    assert found.chosen not in NAIVE
    learned = {each.day for each in found.scores if each.candidate in LEARNED}
    plain = {e.candidate: [] for e in found.scores}
    for each in found.scores:
        if each.correction == "none" and each.day in learned:
            plain[each.candidate].append(each.explained)
    means = {name: np.mean(shares) for name, shares in plain.items()}
    best = max(means, key=means.get)
    assert found.chosen in (best, BLEND)
    if found.chosen != best:
        (told,) = (each for each in found.against if each.candidate == best)
        assert told.low <= 0 <= told.high, "the mean of two is taken where the best cannot be told from it"
    assert means["mbg_nbd"] > means["repeated"]
    for each in found.against:
        assert each.low <= each.difference <= each.high, "the interval holds what was found"
    for each in found.of_chosen()[1:]:
        assert each.coverage_orders > 0.8, "made to hold four in five"
        assert each.calibration_error < 0.06


def test_deviance_agrees_with_scikit_style_formula_and_the_mean_is_best():
    """The Tweedie deviance as it is defined for powers between 1 and 2, and that the mean makes it smallest."""
    draw = np.random.default_rng(2)
    y = np.where(draw.random(200) < 0.4, draw.gamma(2, 30, 200), 0.0)
    mu = draw.uniform(1, 60, 200)
    p = 1.5
    by_definition = 2 * (y ** (2 - p) / ((1 - p) * (2 - p)) - y * mu ** (1 - p) / (1 - p) + mu ** (2 - p) / (2 - p))
    assert deviance(mu, y) == pytest.approx(by_definition)
    means = np.linspace(0.5, 1.5, 101) * y.mean()
    assert means[int(np.argmin([deviance(np.full(200, m), y).mean() for m in means]))] == pytest.approx(y.mean())
    assert explained(y, y) > 0.9, "but for the little that is expected of everybody"
    assert explained(np.full(200, y.mean()), y) == pytest.approx(0)
    assert explained(y, np.zeros(200)) is None


def test_rankings_by_hand():
    actual = np.array([10.0, 0.0, 30.0, 0.0])
    assert Ranking(actual, actual).gini == pytest.approx(1)
    assert Ranking(-actual, actual).gini == pytest.approx(-1)
    assert Ranking(np.ones(4), actual).gini == pytest.approx(0), "all alike is chance"
    # The order 30, 0, 10, 0: areas 0.375·¼ … against 30, 10, 0, 0.
    found = Ranking(np.array([2.0, 3.0, 4.0, 1.0]), actual)
    curve = (0.75 / 2 + (0.75 + 0.75) / 2 + (0.75 + 1) / 2 + 1) / 4
    best = (0.75 / 2 + (0.75 + 1) / 2 + 1 + 1) / 4
    assert found.gini == pytest.approx((curve - 0.5) / (best - 0.5))
    assert found.share_of_top(0.25) == 0.75
    assert Ranking(actual, np.zeros(4)).gini is None
    assert Ranking(actual, np.zeros(4)).share_of_top(0.1) is None


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), min_size=2, max_size=40))
@settings(max_examples=100)
def test_no_ranking_is_better_than_the_truth(rows):
    expected, actual = (np.array(column) for column in zip(*rows, strict=True))
    gini = Ranking(expected, actual).gini
    assert gini is None or -1 - 1e-9 <= gini <= 1 + 1e-9
    again = Ranking(3 * expected + 7, actual).gini
    assert gini is None or len(set(3 * expected + 7)) != len(set(expected)) or again == pytest.approx(gini)


def orders(seed: int, people: int = 400, days: int = 500) -> list[dict[str, Any]]:
    r = random.Random(seed)
    found = []
    for who in range(people):
        gap, day, usual = r.choice([9, 25, 60]), r.randrange(120), r.choice([10, 30, 90])
        while day < days and r.random() > 0.07:
            found.append({"order_id": str(len(found)), "customer_id": f"c{who:03}", "total": usual * r.randint(5, 15),
                          "currency": "USD", "day": dt.date(2024, 1, 1) + dt.timedelta(days=day)})  # fmt: skip
            day += 1 + int(r.expovariate(1 / gap))
    return found


SCOPE = Scope(dt.date(2025, 5, 15), "USD", "UTC")


def test_what_followed_is_not_known(reader_of):
    """Other orders after a day change nothing of what was known on it, and no candidate's forecast."""
    rows = orders(1)
    day = dt.date(2024, 11, 13)
    kept = [row for row in rows if row["day"] < day]
    one, other = (read(reader_of(orders=each), SCOPE, day, 91) for each in (rows, kept))
    assert one.next_revenue.sum() > 0
    assert other.next_revenue.sum() == 0
    for name, (_title, candidate) in CANDIDATES.items():
        if name not in LEARNED:
            assert candidate(one).ahead(91).revenue == pytest.approx(candidate(other).ahead(91).revenue), name


def test_what_followed_is_not_learned(reader_of):
    """Boosted trees learn from the window before, with the traits as they stood: nothing after the day enters."""
    rows = orders(6)
    day = dt.date(2024, 11, 13)
    kept = [row for row in rows if row["day"] < day]

    def forecast(facts):
        def traits(then):
            return observed(facts, then, 30.0, ("orders", "orders_90d", "usual_gap_days"))

        windows = Windows(facts, SCOPE.at(day + dt.timedelta(days=91)), 91, traits)
        return CANDIDATES["boosted"][1](windows.past(1)).ahead(91)

    one, other = forecast(reader_of(orders=rows)), forecast(reader_of(orders=kept))
    assert one.revenue.sum() > 0
    assert one.revenue == pytest.approx(other.revenue)
    assert one.chance == pytest.approx(other.chance)


def test_windows_do_not_overlap_and_levels_come_from_the_one_before(reader_of):
    found = backtest(reader_of(orders=orders(2)), SCOPE, 91)
    days = sorted({each.day for each in found.scores})
    assert days == [SCOPE.as_of - dt.timedelta(days=91 * k) for k in (3, 2, 1)]
    plain = {(e.candidate, e.day): e for e in found.scores if e.correction == "none"}
    levels = [each for each in found.scores if each.correction == "level"]
    for each in levels:
        before = plain.get((each.candidate, each.day - dt.timedelta(days=91)))
        if before is not None:
            assert each.factor == pytest.approx(min(max(1 / (1 + before.revenue_bias), 0.5), 2))
            raised = each.factor * (1 + plain[each.candidate, each.day].revenue_bias)
            assert 1 + each.revenue_bias == pytest.approx(raised)
    assert levels


def test_a_rule_that_is_right_wins(reader_of):
    """Customers like clockwork: the last days repeated are the next ones."""
    rows = [
        {"order_id": f"{who}-{n}", "customer_id": f"c{who}", "total": 10 + who, "currency": "USD",
         "day": dt.date(2024, 1, 1) + dt.timedelta(days=who % 7 + 7 * n)}
        for who in range(40) for n in range(80)
    ]  # fmt: skip
    found = backtest(reader_of(orders=rows), Scope(dt.date(2025, 6, 30), "USD", "UTC"))
    assert found.chosen in ("repeated", "lifetime_rate", "recency_cut")


def test_units_of_money_change_nothing(reader_of):
    reader = reader_of(orders=orders(3))
    past = read(reader, SCOPE, dt.date(2025, 2, 13), 91)
    dear = replace(past, **{name: 15_000 * getattr(past, name) for name in
                            ("repeat_value", "mean_value", "recent_revenue", "next_revenue")})  # fmt: skip
    for name, (_title, candidate) in CANDIDATES.items():
        if name in LEARNED:
            continue
        one, other = (score(name, each, candidate(each).ahead(91)) for each in (past, dear))
        assert other.revenue_error == pytest.approx(15_000 * one.revenue_error, rel=1e-4), name
        assert (other.gini, other.revenue_bias) == pytest.approx((one.gini, one.revenue_bias), rel=1e-3), name


def test_too_little_is_said(reader_of):
    with pytest.raises(TooLittleHistory, match="needs 90 days of orders before them, and 30 customers"):
        backtest(reader_of(orders=orders(4, people=5)), SCOPE)
    with pytest.raises(TooLittleHistory):
        backtest(reader_of(), SCOPE)


def test_a_season_that_comes_again_is_corrected_for(reader_of):
    """Everybody buys more often in the last quarter of each year: the year before tells it, the window before not."""
    r = random.Random(7)
    rows = []
    for who in range(300):
        day = dt.date(2022, 1, 3) + dt.timedelta(days=r.randrange(300))
        while day < dt.date(2025, 1, 1):
            rows.append(
                {"order_id": str(len(rows)), "customer_id": f"c{who:03}", "total": 20, "currency": "USD", "day": day}
            )
            gap = 12 if day.month >= 10 else 40
            day += dt.timedelta(days=1 + int(r.expovariate(1 / gap)))
    facts = reader_of(orders=rows)
    before_it = backtest(facts, Scope(dt.date(2024, 9, 30), "USD", "UTC"), 91, candidates=("mbg_nbd",))
    assert before_it.correction == "season", "though none of the three newest windows is the last quarter of a year"
    scope = Scope(dt.date(2024, 12, 30), "USD", "UTC")
    found = backtest(facts, scope, 91, 4, candidates=("mbg_nbd",))
    assert found.correction == "season"
    autumn = {e.correction: e for e in found.scores if e.day == dt.date(2024, 9, 30)}
    assert abs(autumn["season"].revenue_bias) < 0.15 < abs(autumn["level"].revenue_bias)
    assert autumn["none"].revenue_bias < -0.3


def test_calibration_error_by_hand():
    chance = np.repeat([0.2, 0.8], 50)
    bought = np.concatenate((np.repeat([1.0, 0.0], [20, 30]), np.repeat([1.0, 0.0], [40, 10])))
    assert calibration_error(chance, bought) == pytest.approx((0.2 + 0) / 2), (
        "0.4 bought where 0.2 were to, 0.8 as said"
    )
    assert calibration_error(bought, bought) == 0


def test_chances_grow_as_those_of_more_tries():
    once = Forecast(np.array([0.5]), np.array([10.0]), np.array([0.3]))
    twice = once.times(2.0)
    assert (twice.days[0], twice.revenue[0]) == (1, 20)
    assert twice.chance[0] == pytest.approx(1 - 0.7**2)


@pytest.mark.slow
def test_chances_by_the_rank_sum(reader_of):
    """The area under the curve is the Mann-Whitney statistic over the number of pairs."""
    from scipy.stats import mannwhitneyu

    past = read(reader_of(orders=orders(3)), SCOPE, dt.date(2025, 2, 13), 91)
    forecast = CANDIDATES["mbg_nbd"][1](past).ahead(91)
    bought = past.next_days > 0
    statistic = mannwhitneyu(forecast.chance[bought], forecast.chance[~bought]).statistic
    pairs = bought.sum() * (~bought).sum()
    assert score("mbg_nbd", past, forecast).auc == pytest.approx(statistic / pairs)


def test_what_came_back_is_no_revenue(reader_of):
    """A customer's purchases are worth what they kept; a return after the day belongs to what followed."""
    rows = [
        {"order_id": f"{who}-{n}", "customer_id": f"c{who}", "total": 100, "currency": "USD",
         "day": dt.date(2024, 1, 1) + dt.timedelta(days=30 * n)}
        for who in range(2) for n in range(6)
    ]  # fmt: skip
    back = [
        {"return_id": "r1", "order_id": "0-1", "customer_id": "c0", "amount": 100, "currency": "USD",
         "day": dt.date(2024, 2, 10)},
        {"return_id": "r2", "order_id": "0-5", "customer_id": "c0", "amount": 70, "currency": "USD",
         "day": dt.date(2024, 6, 10)},
    ]  # fmt: skip
    past = read(reader_of(orders=rows, returns=back), Scope(dt.date(2024, 8, 1), "USD", "UTC"), dt.date(2024, 5, 1), 91)
    assert past.mean_value.tolist() == [80, 100], "five orders of 100, of which one came back"
    assert past.repeat_value.tolist() == [80, 100]
    assert past.recent_revenue.tolist() == [300, 400], "four orders since 31 January, less what came back since"
    assert past.next_revenue.tolist() == [30, 100]
