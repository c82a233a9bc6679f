"""Keeping: the textbook's figures, the tiny shop counted by hand, and what is no denominator."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from setia.history.scope import Scope
from setia.history.windows import Window
from setia.metrics.keeping import yearly_churn

from .building import JULY, ask, bought, buyers

APRIL = Scope(dt.date(2024, 4, 1), "USD", "America/New_York")

TINY_ORDERS = """\
order_id,customer_id,placed_at,total,cancelled_at,is_test
o1,A,2024-01-05 12:00:00Z,100,,false
o2,A,2024-02-10 12:00:00Z,50,,false
o3,A,2024-02-10 18:00:00Z,30,,false
o4,B,2024-01-20 12:00:00Z,80,,false
o5,B,2024-03-15 12:00:00Z,40,,false
o6,C,2024-02-01 03:30:00Z,60,,false
o7,D,2024-02-14 12:00:00Z,20,2024-02-14 13:00:00Z,false
o8,,2024-02-20 12:00:00Z,25,,false
o9,E,2024-03-02 12:00:00Z,70,,false
o10,E,2024-03-30 12:00:00Z,70,,true
"""
TINY_RETURNS = """\
return_id,order_id,customer_id,amount,returned_at
r1,o4,B,80,2024-01-25 12:00:00Z
r2,o5,B,10,2024-03-20 12:00:00Z
"""


def shop_of_two_periods(before: range, *after: range, long_ago: range = range(0)) -> str:
    """Buyers of January to March, those of April to June, and some of the year before."""
    parts = [buyers("old", long_ago, "2023-05-05"), buyers("first", range(0, 1), "2023-01-01")]
    parts += [buyers("before", before, "2024-02-02")]
    parts += [buyers(f"a{n}-", people, "2024-05-05") for n, people in enumerate(after)]
    return " union all ".join(parts)


def test_the_textbook_formula_and_the_set_of_customers(reader_of):
    """S = 750, E = 950, N = 625: (E − N) ÷ S = 43.33 %. Of those 325, 25 had left earlier and came back.

    The set-based rate leaves them out: 300 ÷ 750 = 40 %.
    """
    orders = shop_of_two_periods(
        range(1, 751), range(451, 751), range(2001, 2026), range(3001, 3626), long_ago=range(2001, 2026)
    )
    reader = reader_of(orders=orders)
    figures = ask(reader, "retention").figures
    counts = {name: figures[name] for name in ("start", "end", "new", "retained", "returned", "lost")}
    assert counts == {"start": 750, "end": 950, "new": 625, "retained": 300, "returned": 25, "lost": 450}
    assert figures["by_formula"] == pytest.approx(0.4333, abs=5e-5)
    assert (figures["value"], figures["churn"]) == (0.4, 0.6)
    back = ask(reader, "reactivation").figures
    assert (back["dormant"], back["returned"]) == (26, 25), "the one who bought long ago did not come back"


def test_churn_is_the_lost_share_of_the_start_set(reader_of):
    """1,000 at the start, 50 of them lost, 490 new: 5 % churn; over the mean of start and end it would be 4.1 %."""
    orders = shop_of_two_periods(range(1, 1001), range(51, 1001), range(2001, 2491))
    figures = ask(reader_of(orders=orders), "churn").figures
    assert (figures["start"], figures["lost"], figures["end"]) == (1000, 50, 1440)
    assert figures["value"] == pytest.approx(0.05)


def test_a_year_of_churn_is_not_twelve_months_of_it():
    """3 % a month are 30.6 % a year, not 36 %."""
    month = Window(dt.date(2024, 4, 1), dt.date(2024, 5, 1), "month")
    assert yearly_churn(0.03, month) == pytest.approx(0.3062, abs=5e-5)
    assert yearly_churn(0.5, Window.ending(dt.date(2024, 5, 1), 365)) == 0.5
    assert yearly_churn(None, month) is None


def test_retention_by_formula_can_pass_one_hundred_percent(reader_of):
    orders = shop_of_two_periods(range(1, 11), range(1, 11), range(20, 25), long_ago=range(20, 25))
    figures = ask(reader_of(orders=orders), "retention").figures
    assert (figures["value"], figures["by_formula"]) == (1.0, 1.5)


def test_the_movement_always_sums(reader_of):
    orders = shop_of_two_periods(range(1, 400), range(100, 600), range(900, 950), long_ago=range(880, 930))
    answer = ask(reader_of(orders=orders), "retention", last=5, window_days=60)
    assert answer.table.num_rows == 5
    for row in answer.rows():
        assert row["start"] + row["new"] + row["returned"] - row["lost"] == row["end"]
    assert [row["start"] for row in answer.rows()][1:] == [row["end"] for row in answer.rows()][:-1]


def test_the_interval_is_wilsons(reader_of):
    """81 of 263: 25.5289 % to 36.6210 %."""
    orders = shop_of_two_periods(range(1, 264), range(1, 82))
    figures = ask(reader_of(orders=orders), "retention").figures
    assert (figures["low"], figures["high"]) == pytest.approx((0.255289, 0.366210), abs=5e-7)


def test_over_time_and_by_month_a_period_under_way_has_no_value(reader_of):
    orders = bought("a", "01-10", "02-10", "03-10") + bought("b", "01-10", "03-12")
    rows = ask(reader_of(orders=orders), "retention", Scope(dt.date(2024, 3, 15), "USD", "UTC"), every="month", last=3)
    january, february, march = rows.rows()
    assert (january["value"], january["reason"]) == (None, "history_too_short")
    assert (february["value"], february["start"], february["retained"]) == (None, 2, 1), (
        "1 January lies before the history"
    )
    assert (march["value"], march["mature"], march["reason"]) == (None, False, "not_over")
    later = ask(reader_of(orders=orders), "retention", Scope(dt.date(2024, 4, 1), "USD", "UTC"), every="month", last=1)
    assert (later.value, later.figures["start"], later.figures["previous"]) == (1.0, 1, None)


def test_the_headline_of_periods_is_the_newest_complete_one(reader_of):
    orders = bought("a", "01-01", "01-10", "02-10", "03-10") + bought("b", "01-10", "03-12")
    answer = ask(reader_of(orders=orders), "retention", Scope(dt.date(2024, 3, 15), "USD", "UTC"), every="month")
    assert answer.figures["period_from"] == dt.date(2024, 2, 1)
    assert answer.value == 0.5


def test_compared_with_the_window_before_and_the_year_before(reader_of):
    """Only windows that the history reaches back to are compared."""
    days = ["2022-12-15", "2023-03-15", "2023-06-15", "2023-09-15", "2023-12-15", "2024-03-15", "2024-06-15"]
    parts = [buyers(f"w{n}-", range(0, 10 + n), on) for n, on in enumerate(days)]
    figures = ask(reader_of(orders=" union all ".join(parts)), "retention").figures
    assert figures["value"] == 1.0
    assert figures["previous"] == 1.0
    assert figures["year_before"] == 1.0
    young = ask(reader_of(orders=" union all ".join(parts[3:])), "retention").figures
    assert (young["previous"], young["year_before"]) == (1.0, None)


@pytest.fixture
def tiny(make_shop, tmp_path):
    shop = make_shop(currency="USD", time_zone="America/New_York")
    (tmp_path / "orders.csv").write_text(TINY_ORDERS, encoding="utf-8")
    (tmp_path / "returns.csv").write_text(TINY_RETURNS, encoding="utf-8")
    report = shop.import_files([tmp_path / "orders.csv", tmp_path / "returns.csv"])
    assert report.rejects is None
    return shop


def test_the_tiny_shop(tiny):
    """Ten orders, counted by hand in a shop five hours behind UTC."""
    value = tiny.metrics.order_value(as_of=APRIL.as_of)
    assert value.value == Decimal("45.6250")
    expected = {"orders": 8, "gross": 455, "net": 365, "returned": 90, "gross_per_order": Decimal("56.8750")}
    assert {name: value.figures[name] for name in expected} == expected
    months = {
        row["period_from"].month: row for row in tiny.metrics.order_value(as_of=APRIL.as_of, every="month").rows()
    }
    assert {month: months[month]["orders"] for month in (1, 2, 3)} == {1: 3, 2: 3, 3: 2}
    assert (months[1]["gross"], months[1]["returned"], months[1]["net"]) == (240, 80, 160)
    repeat = tiny.metrics.repeat_purchase(as_of=APRIL.as_of)
    assert (repeat.figures["customers"], repeat.figures["repeat_customers"], repeat.value) == (4, 2, 0.5)
    assert tiny.metrics.purchase_frequency(as_of=APRIL.as_of).value == 7 / 4
    cohorts = tiny.metrics.cohorts(as_of=APRIL.as_of)
    cells = {(row["cohort"].month, row["age"]): row["customers"] for row in cohorts.rows()}
    assert cells == {(1, 0): 3, (1, 1): 1, (1, 2): 1, (3, 0): 1}, "in UTC, C would first buy in February"
    gaps = tiny.metrics.time_between_purchases(as_of=APRIL.as_of, gap="first")
    assert gaps.figures["completed"] == 2
    assert {row["days"] for row in gaps.rows() if row["ended"]} == {36, 55}
    back = tiny.metrics.returned_value(as_of=dt.date(2024, 5, 1), window_days=121)
    assert back.value == pytest.approx(90 / 455), "19.78 %, by the day of the sale"
    assert tiny.metrics.customers("retention", "end", as_of=APRIL.as_of) == ["A", "B", "C", "E"]
    assert tiny.metrics.customers("repeat_purchase", "repeat_customers", as_of=APRIL.as_of) == ["A", "B"]


def test_by_default_the_figures_go_to_the_last_recorded_day(tiny):
    assert tiny.metrics.order_value().scope.as_of == dt.date(2024, 3, 31)


def test_answers_are_tables_and_json(tiny):
    import json

    answers = tiny.metrics.all()
    assert len(answers) > 40
    for answer in answers:
        assert len(answer.to_pandas()) == answer.table.num_rows
        assert json.loads(json.dumps(answer.as_dict(), default=str))["metric"] == answer.metric


def test_no_denominator_no_figure(reader_of):
    guests = "select 'g' as order_id, date '2024-02-02' as day, 10 as total"
    reader = reader_of(orders=guests)
    retention = ask(reader, "retention")
    assert (retention.value, retention.reason) == (None, "history_too_short")
    repeat = ask(reader, "repeat_purchase")
    assert (repeat.value, repeat.figures["customers"], repeat.reason) == (None, 0, "no_customers")
    assert ask(reader, "time_between_purchases").reason == "no_customers"
    assert ask(reader, "cohorts").reason == "no_customers"
    assert ask(reader, "order_value").figures["orders"] == 1, "a guest's order has a value"
    nothing = ask(reader_of(), "order_value")
    assert (nothing.value, nothing.figures["net"], nothing.reason) == (None, 0, "no_orders")


def test_a_period_without_buyers_before_it(reader_of):
    answer = ask(reader_of(orders=shop_of_two_periods(range(0), range(1, 11))), "retention")
    assert (answer.figures["start"], answer.figures["new"], answer.value) == (0, 10, None)
    assert answer.reason == "no_customers"


def test_history_must_reach_over_the_period_before(reader_of):
    reader = reader_of(orders=buyers("a", range(0, 5), "2024-03-01"))
    too_short = ask(reader, "retention", window_days=61)
    assert (too_short.reason, too_short.value) == ("history_too_short", None)
    reaches = ask(reader, "retention", window_days=60)
    assert (reaches.reason, reaches.figures["start"], reaches.value) == (None, 5, 0.0)


def test_by_segment_as_it_stood_when_the_window_began(reader_of):
    """Somebody who becomes a regular within the window was none when it began."""
    from setia.segments.breakdown import Membership

    orders = bought("old", "01-02", "01-20", "04-10") + bought("new", "03-01", "04-10", "05-10", "06-10")
    reader = reader_of(orders=orders + bought("first", "01-01"))
    rows = ask(reader, "retention", by=Membership.of("orders >= 2"), window_days=89).rows()
    assert {row["group"]: row["end"] for row in rows} == {"in": 1, "out": 1}
    assert JULY.as_of - dt.timedelta(days=89) == dt.date(2024, 4, 1)
