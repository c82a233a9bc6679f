"""Targets and alerts: a break is seen, a season is none, and false alarms are few."""

from __future__ import annotations

import datetime as dt
from random import Random

import pytest

from setia.history.calendar import Calendar
from setia.history.scope import Scope
from setia.history.windows import Window
from setia.metrics.catalogue import METRICS, UnknownMetric
from setia.metrics.measure import Measure
from setia.metrics.watch import LOG_ODDS, SCALES, Point, Watched, judge, targets, watch

from .building import JULY, bought, order

CONVERSION, VALUE = METRICS["conversion"], METRICS["order_value"]
assert isinstance(CONVERSION, Measure)
assert isinstance(VALUE, Measure)
PLAIN = Scope(dt.date(2025, 10, 6), "IDR", "Asia/Jakarta")
INDONESIAN = Scope(dt.date(2025, 10, 6), "IDR", "Asia/Jakarta", calendar=Calendar("ID"))


def weeks(values: list[float | None], until: dt.date = PLAIN.as_of, error: float = 0.0) -> list[Point]:
    ends = [until - dt.timedelta(days=7 * n) for n in reversed(range(len(values)))]
    return [Point(Window.ending(end, 7), value, error) for end, value in zip(ends, values, strict=True)]


def noisy(count: int, seed: int = 1, level: float = 0.1, spread: float = 0.005) -> list[float]:
    draw = Random(seed)
    return [draw.gauss(level, spread) for _ in range(count)]


def test_a_break_is_seen_and_said_which_way():
    past = noisy(40)
    assert judge(CONVERSION, PLAIN, weeks([*past, 0.1])).judgement == "expected"
    fell = judge(CONVERSION, PLAIN, weeks([*past, 0.05]))
    assert (fell.judgement, fell.alerts, fell.bad) == ("below", True, True)
    rose = judge(CONVERSION, PLAIN, weeks([*past, 0.15]))
    assert (rose.judgement, rose.alerts, rose.bad) == ("above", True, False)
    assert fell.low is not None
    assert fell.high is not None
    assert 0 < fell.low < 0.1 < fell.high < 1


def test_growth_alone_is_no_alarm():
    past = [100 * 1.01**n for n in range(41)]
    assert judge(VALUE, PLAIN, weeks(past)).judgement == "expected"
    assert judge(VALUE, PLAIN, weeks([*past[:-1], past[-1] * 1.3])).judgement == "above"


def test_too_little_history_expects_nothing():
    assert judge(CONVERSION, PLAIN, weeks(noisy(20))).judgement == "unknown"
    assert judge(CONVERSION, PLAIN, weeks([*noisy(21)])).judgement == "expected"
    assert judge(CONVERSION, PLAIN, []).judgement == "unknown"
    assert judge(CONVERSION, PLAIN, weeks([*noisy(30), None])).judgement == "unknown"


def test_chance_alone_widens_the_range():
    """The same fall among few visits says nothing."""
    many, few = (judge(CONVERSION, PLAIN, weeks([*noisy(40), 0.06], error=error)) for error in (0.001, 0.03))
    assert (many.judgement, few.judgement) == ("below", "expected")


def test_a_feast_is_compared_with_the_feast_of_the_year_before():
    """The week of 11.11 sells three times as much every year: expected. Half of it is not."""
    until = dt.date(2025, 11, 16)
    scope = Scope(until, "IDR", "Asia/Jakarta", calendar=Calendar("ID"))
    past = weeks([100.0 + n % 3 for n in range(60)], until)
    busy = [
        Point(p.window, 300.0 if p.window.since <= dt.date(p.window.since.year, 11, 11) < p.window.until else p.value)
        for p in past
    ]
    usual = judge(VALUE, scope, busy)
    assert (usual.judgement, usual.occasions) == ("expected", ("11.11",))
    assert judge(VALUE, scope, [*busy[:-1], Point(busy[-1].window, 150.0)]).judgement == "below"
    assert judge(VALUE, scope, busy[8:]).judgement == "unknown", "its first 11.11 cannot be judged"
    elsewhere = Scope(until, "GBP", "Europe/London")
    assert judge(VALUE, elsewhere, busy).judgement == "above", "without the calendar it is a surprise"


def test_busy_weeks_teach_nothing_about_ordinary_ones():
    """Ramadan lies among the weeks before: the level is that of the others."""
    until = dt.date(2025, 5, 5)
    scope = Scope(until, "IDR", "Asia/Jakarta", calendar=Calendar("ID"))
    points = weeks([100.0 + n % 4 for n in range(60)], until)
    feast = (dt.date(2025, 2, 24), dt.date(2025, 4, 8))
    points = [Point(p.window, 500.0 if feast[0] <= p.window.since < feast[1] else p.value) for p in points]
    assert judge(VALUE, scope, points).judgement == "expected"


@pytest.mark.parametrize("unit", list(SCALES))
def test_scales_go_there_and_back(unit):
    scale = SCALES[unit]
    for value in (0.01, 0.3, 0.9):
        assert scale.back(scale.there(value)) == pytest.approx(value)
    assert LOG_ODDS.error(0.5, 0.01) == pytest.approx(0.04)


def test_false_alarms_on_steady_shops():
    """Two thousand weeks in which nothing happened: at most one in a hundred raises an alarm."""
    alarms = looks = 0
    for seed in range(100):
        series = noisy(60, seed)
        for n in range(40, 60):
            alarms += judge(CONVERSION, PLAIN, weeks(series[: n + 1])).alerts
            looks += 1
    assert looks == 2000
    assert 0 < alarms <= 0.012 * looks


def test_targets(reader_of):
    orders = [order("1", "a", "05-05", 100), order("2", "a", "05-06", 50), *bought("b", "05-07")]
    reader = reader_of(orders=orders)
    found = {
        each.metric: each for each in targets(reader, JULY, {"order_value": 50, "repeat_purchase": 0.6, "nps": 40})
    }
    assert (found["order_value"].value, found["order_value"].reached) == (pytest.approx(160 / 3), True)
    assert found["repeat_purchase"].reached is False
    assert (found["nps"].reached, found["nps"].reason) == (None, "no_answers")
    assert targets(reader, JULY, {"churn": 0.1})[0].reached is None
    with pytest.raises(UnknownMetric, match="Did you mean order_value"):
        targets(reader, JULY, {"order_valu": 1})


def test_only_what_the_shop_has_facts_for_is_watched(reader_of):
    names = {each.metric for each in watch(reader_of(orders=bought("a", "05-05")), JULY)}
    assert names == {"order_value", "purchase_frequency", "returning_revenue"}
    assert not any(each.alerts for each in watch(reader_of(orders=bought("a", "05-05")), JULY))
    assert Watched("order_value", Window(JULY.as_of, JULY.as_of), 1.0, None, None, "unknown").alerts is False
