"""Worked examples: textbook figures, a tiny shop counted by hand, and the traps of retention tables."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from setia.metrics import buying, keeping
from setia.metrics.answer import Scope

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


def buyers(name: str, people: range, day: str) -> str:
    """One order each by the people of these numbers."""
    return (
        f"select 'c' || i as customer_id, '{name}' || i as order_id, date '{day}' as day, 10 as total "
        f"from range({people.start}, {people.stop}) t(i)"
    )


def shop_of_two_periods(before: range, *after: range, long_ago: range = range(0)) -> str:
    """Buyers of January to March, those of April to June, and some of the year before."""
    parts = [buyers("old", long_ago, "2023-05-05"), buyers("first", range(0, 1), "2023-01-01")]
    parts += [buyers("before", before, "2024-02-02"), *(buyers(f"a{n}-", people, "2024-05-05") for n, people in
                                                       enumerate(after))]  # fmt: skip
    return " union all ".join(parts)


JULY = Scope(dt.date(2024, 6, 29), "USD", "UTC")


def test_the_textbook_formula_and_the_set_of_customers(reader_of):
    """S = 750, E = 950, N = 625: (E − N) ÷ S = 43.33 %. Of those 325, 25 had left earlier and came back.

    The set-based rate leaves them out: 300 ÷ 750 = 40 %.
    """
    orders = shop_of_two_periods(range(1, 751), range(451, 751), range(2001, 2026), range(3001, 3626),
                                 long_ago=range(2001, 2026))  # fmt: skip
    figures = keeping.retention(reader_of(orders=orders), JULY).figures
    counts = {name: figures[name] for name in ("start", "end", "new", "retained", "returned", "lost")}
    assert counts == {"start": 750, "end": 950, "new": 625, "retained": 300, "returned": 25, "lost": 450}
    assert figures["retention_by_formula"] == pytest.approx(0.4333, abs=5e-5)
    assert figures["retention"] == 0.4
    assert figures["churn"] == 0.6


def test_churn_is_the_lost_share_of_the_start_set(reader_of):
    """1,000 at the start, 50 of them lost, 490 new: 5 % churn, not 50 over the mean of start and end."""
    orders = shop_of_two_periods(range(1, 1001), range(51, 1001), range(2001, 2491))
    figures = keeping.retention(reader_of(orders=orders), JULY).figures
    assert (figures["start"], figures["lost"], figures["end"]) == (1000, 50, 1440)
    assert figures["churn"] == pytest.approx(0.05)
    assert figures["retention"] == pytest.approx(0.95)


def test_retention_by_formula_can_pass_one_hundred_percent(reader_of):
    orders = shop_of_two_periods(range(1, 11), range(1, 11), range(20, 25), long_ago=range(20, 25))
    figures = keeping.retention(reader_of(orders=orders), JULY).figures
    assert (figures["retention"], figures["retention_by_formula"]) == (1.0, 1.5)


@pytest.fixture
def tiny(make_shop, tmp_path):
    shop = make_shop(currency="USD", time_zone="America/New_York")
    (tmp_path / "orders.csv").write_text(TINY_ORDERS, encoding="utf-8")
    (tmp_path / "returns.csv").write_text(TINY_RETURNS, encoding="utf-8")
    report = shop.import_files([tmp_path / "orders.csv", tmp_path / "returns.csv"])
    assert report.rejects is None
    return shop


def test_the_tiny_shop(tiny):
    value = tiny.metrics.order_value(as_of=APRIL.as_of)
    assert value.figures == {
        "orders": 8,
        "gross": Decimal(455),
        "net": Decimal(365),
        "gross_per_order": Decimal("56.875"),
        "net_per_order": Decimal("45.625"),
    }
    months = {row["month"].month: row for row in value.table.to_pylist()}
    assert {month: row["orders"] for month, row in months.items()} == {1: 3, 2: 3, 3: 2}
    assert (months[1]["gross"], months[1]["returned"], months[1]["net"]) == (240, 80, 160)
    repeat = tiny.metrics.repeat_purchase(as_of=APRIL.as_of)
    assert (repeat.figures["customers"], repeat.figures["repeat_customers"]) == (4, 2)
    assert repeat.figures["rate"] == 0.5
    assert repeat.figures["orders_per_customer"] == 7 / 4
    cohorts = tiny.metrics.cohorts(as_of=APRIL.as_of)
    cells = {(row["cohort"].month, row["age"]): row["customers"] for row in cohorts.table.to_pylist()}
    assert cells == {(1, 0): 3, (1, 1): 1, (1, 2): 1, (3, 0): 1}, "in UTC, C would first buy in February"
    gaps = tiny.metrics.time_between_purchases(as_of=APRIL.as_of, gap="first")
    assert gaps.figures["completed"] == 2
    assert {row["days"] for row in gaps.table.to_pylist() if row["bought_again"]} == {36, 55}


def test_by_default_the_figures_go_to_the_last_recorded_day(tiny):
    assert tiny.metrics.order_value().scope == Scope(dt.date(2024, 3, 31), "USD", "America/New_York")


def test_answers_are_tables_and_json(tiny):
    import json

    for answer in tiny.metrics.all():
        assert len(answer.to_pandas()) == answer.table.num_rows
        assert json.loads(json.dumps(answer.as_dict(), default=str))["metric"] == answer.metric


COHORTS = " union all ".join(
    [
        buyers("jan", range(0, 1000), "2024-01-10"),
        buyers("jan-again", range(0, 500), "2024-02-10"),
        buyers("feb", range(5000, 5500), "2024-02-15"),
        buyers("feb-again", range(5000, 5400), "2024-03-15"),
        buyers("jan-later", range(0, 600), "2024-03-20"),
        buyers("march", range(8000, 8300), "2024-03-05"),
        buyers("march-again", range(8000, 8001), "2024-04-01"),
    ]
)


def test_pooled_over_what_is_complete(reader_of):
    """500 of 1,000, 400 of 500 and an open month: pooled 900 ÷ 1,500 = 60 %, not the mean of 50 % and 80 %."""
    scope = Scope(dt.date(2024, 4, 2), "USD", "UTC")
    answer = keeping.cohorts(reader_of(orders=COHORTS), scope)
    assert (answer.figures["month_1"], answer.figures["month_1_customers"]) == (0.6, 1500)
    rows = {(row["cohort"].month, row["age"]): row for row in answer.table.to_pylist()}
    assert rows[3, 1] == {
        "cohort": dt.date(2024, 3, 1), "age": 1, "size": 300, "customers": 1, "share": None, "mature": False,
    }  # fmt: skip
    assert [rows[1, age]["share"] for age in range(3)] == [1.0, 0.5, 0.6], "retention is no funnel"
    assert answer.figures["month_6"] is None
    closed = keeping.cohorts(reader_of(orders=COHORTS), Scope(dt.date(2024, 5, 1), "USD", "UTC"))
    assert closed.figures["month_1_customers"] == 1800, "the day after its end a month is complete"


def test_only_the_newest_cohorts(reader_of):
    rows = keeping.cohorts(reader_of(orders=COHORTS), JULY, most_cohorts=1).table.to_pylist()
    assert {row["cohort"] for row in rows} == {dt.date(2024, 3, 1)}


def test_no_denominator_no_figure(reader_of):
    guests = "select 'g' as order_id, date '2024-02-02' as day, 10 as total"
    reader = reader_of(orders=guests)
    retention = keeping.retention(reader, JULY)
    assert (retention.figures["retention"], retention.reason) == (None, "history_too_short")
    repeat = buying.repeat_purchase(reader, JULY)
    assert (repeat.figures["rate"], repeat.figures["orders_per_customer"]) == (None, None)
    assert (repeat.figures["customers"], repeat.reason) == (0, "no_customers")
    assert buying.time_between_purchases(reader, JULY).reason == "no_customers"
    assert keeping.cohorts(reader, JULY).reason == "no_customers"
    assert buying.order_value(reader, JULY).figures["orders"] == 1, "a guest's order has a value"
    nothing = buying.order_value(reader_of(), JULY)
    assert (nothing.figures["net_per_order"], nothing.figures["net"], nothing.reason) == (None, 0, "no_orders")


def test_a_period_without_buyers_before_it(reader_of):
    orders = shop_of_two_periods(range(0), range(1, 11))
    answer = keeping.retention(reader_of(orders=orders), JULY)
    assert (answer.figures["start"], answer.figures["new"], answer.figures["retention"]) == (0, 10, None)
    assert answer.reason == "no_customers"


def test_history_must_reach_over_the_period_before(reader_of):
    reader = reader_of(orders=buyers("a", range(0, 5), "2024-03-01"))
    too_short = keeping.retention(reader, JULY, period_days=61)
    assert (too_short.reason, too_short.table.num_rows) == ("history_too_short", 0)
    reaches = keeping.retention(reader, JULY, period_days=60)
    assert (reaches.reason, reaches.figures["start"], reaches.figures["retention"]) == (None, 5, 0.0)


def test_a_median_that_is_not_reached_is_said(reader_of):
    orders = buyers("march", range(300), "2024-03-05") + " union all " + buyers("again", range(100), "2024-04-04")
    answer = buying.time_between_purchases(reader_of(orders=orders), Scope(dt.date(2024, 5, 1), "USD", "UTC"))
    assert (answer.figures["median_days"], answer.reason) == (None, "median_not_reached")
    assert answer.figures["again_within_30"] == pytest.approx(1 / 3)
    assert answer.figures["quarter_days"] == 30


def test_a_month_of_returns_alone_and_of_corrections_alone(reader_of):
    reader = reader_of(
        orders=[
            {"order_id": "1", "customer_id": "a", "day": dt.date(2024, 1, 5), "total": 100},
            {"order_id": "2", "day": dt.date(2024, 3, 5), "total": -7, "is_adjustment": True},
        ],
        returns=[{"return_id": "r", "day": dt.date(2024, 2, 5), "amount": 40}],
    )
    answer = buying.order_value(reader, JULY)
    rows = {row["month"].month: row for row in answer.table.to_pylist()}
    assert [rows[month]["net"] for month in (1, 2, 3)] == [100, -40, -7]
    assert rows[2]["net_per_order"] is None
    assert (answer.figures["orders"], answer.figures["net"], answer.figures["gross"]) == (1, 53, 100)


def test_an_order_stands_until_it_is_cancelled(reader_of):
    """Cancelled at eight in the morning of 10 March in Jakarta: on the 10th not yet gone, as of the 11th gone."""
    cancelled = dt.datetime(2024, 3, 10, 1, tzinfo=dt.UTC)
    order = {"order_id": "1", "customer_id": "a", "day": dt.date(2024, 3, 1), "total": 10, "cancelled_at": cancelled}
    reader = reader_of(orders=[order])
    orders = {
        day: buying.order_value(reader, Scope(dt.date(2024, 3, day), "IDR", "Asia/Jakarta")).figures["orders"]
        for day in (9, 10, 11)
    }
    assert orders == {9: 1, 10: 1, 11: 0}
