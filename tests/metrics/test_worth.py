"""Value: lifetime value by age, payback, and what if."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setia.history.scope import Scope
from setia.metrics.what_if import Economics, economics, months_kept, retention_over

from .building import ask, bought, day, order


def test_lifetime_value_by_age(reader_of):
    """Two customers of January bring 100, then 60 less 20 returned, then nothing: 50, 70, 70 each."""
    orders = [
        order("1", "a", "01-10", 70),
        order("2", "b", "01-20", 30),
        order("3", "a", "02-10", 60),
        order("4", "c", "02-11", 10),
    ]
    returns = [{"return_id": "r", "customer_id": "a", "day": day("02-20"), "amount": 20}]
    answer = ask(reader_of(orders=orders, returns=returns), "lifetime_value", Scope(day("04-01"), "USD", "UTC"))
    january = [row for row in answer.rows() if row["cohort"] == day("01-01")]
    assert [row["per_customer"] for row in january] == [50, 70, 70]
    assert [row["mature"] for row in january] == [True, True, True]
    assert (answer.value, answer.figures["months"]) == (70, 3), "after three months, of the two who are old enough"
    assert answer.figures["after_12"] is None
    margin = ask(
        reader_of(orders=orders, returns=returns), "lifetime_value", Scope(day("04-01"), "USD", "UTC"), what="margin"
    )
    assert margin.value == Decimal("28.0000")


def test_a_month_under_way_is_open(reader_of):
    answer = ask(reader_of(orders=bought("a", "01-10", "02-10")), "lifetime_value", Scope(day("02-15"), "USD", "UTC"))
    assert [row["mature"] for row in answer.rows()] == [True, False]
    assert (answer.value, answer.reason) == (None, "history_too_short")


def test_payback(reader_of):
    """100 spent for four customers is 25 each; they bring a margin of 16 in the first month and 12 in the second."""
    orders = [order(f"{c}1", c, "01-10", 40) for c in "abcd"] + [order(f"{c}2", c, "02-10", 30) for c in "abcd"]
    costs = [{"cost_id": "1", "category": "advertising", "channel": "meta", "amount": 100, "day": day("01-05")}]
    people = [{"customer_id": c, "source": "Meta"} for c in "abc"]
    reader = reader_of(orders=orders, costs=costs, customers=people)
    scope = Scope(day("04-01"), "USD", "UTC", margin=Decimal("0.4"))
    answer = ask(reader, "payback", scope)
    assert (answer.figures["cac"], answer.value) == (25, 2)
    (row,) = answer.rows()
    assert (row["margin"], row["value_to_cost"]) == (28, pytest.approx(28 / 25))
    channels = {row["channel"]: row for row in ask(reader, "payback", scope, by_channel=True).rows()}
    assert channels["meta"]["cac"] == Decimal("33.3333")
    assert (channels["meta"]["months_to_payback"], channels[None]["cac"]) == (None, None)
    young = ask(reader, "payback", Scope(day("02-05"), "USD", "UTC"))
    assert (young.value, young.reason) == (None, "never_paid_back")


def test_acquisition_cost_by_channel(reader_of):
    costs = [
        {"cost_id": "1", "category": "advertising", "channel": "Meta", "amount": 90, "day": day("05-05")},
        {"cost_id": "2", "category": "rent", "channel": "Meta", "amount": 1000, "day": day("05-05")},
    ]
    people = [
        {"customer_id": "a", "source": "meta"},
        {"customer_id": "b", "source": "meta"},
        {"customer_id": "c", "source": "friend"},
    ]
    orders = bought("a", "05-06") + bought("b", "05-07") + bought("c", "05-08") + bought("old", "01-01", "05-08")
    reader = reader_of(orders=orders, costs=costs, customers=people)
    assert ask(reader, "acquisition_cost").value == 30
    rows = {row["group"]: (row["value"], row["reason"]) for row in ask(reader, "acquisition_cost", by="channel").rows()}
    assert rows == {"meta": (45, None), "friend": (None, "no_costs")}


def test_fifty_a_month_for_ten_months_is_five_hundred():
    assert Economics(1, order_value=50, orders_per_month=1, months_kept=10).per_customer == 500


def test_two_months_longer_for_a_thousand_customers():
    """Kept 12 months instead of 10 they are worth 100,000 more over their lives."""
    ten = Economics(1000, order_value=50, orders_per_month=1, months_kept=10)
    twelve = Economics(1000, order_value=50, orders_per_month=1, months_kept=12)
    assert twelve.total - ten.total == 100_000


def test_points_and_per_cent_are_two_things():
    """From 40 % kept, five points more are 45 %; five per cent more orders are 105 instead of 100."""
    own = Economics(100, order_value=10, orders_per_month=1, months_kept=months_kept(0.40), margin=0.5)
    assert own.changed(retention_points=5).months_kept == pytest.approx(months_kept(0.45))
    assert own.changed(frequency_percent=5).orders_per_month == pytest.approx(1.05)
    assert own.changed(margin_points=5).margin == pytest.approx(0.55)
    assert own.changed(value_percent=-10).total == pytest.approx(own.total * 0.9)


@given(st.floats(0, 0.99), st.floats(-60, 60))
def test_what_cannot_be_is_not_computed(retention, points):
    own = Economics(10, 5, 1, months_kept(retention), 0.3).changed(retention_points=points, margin_points=points)
    assert 0 <= own.margin <= 1
    assert 0 < own.months_kept <= months_kept(0.99) + 1e-9
    assert retention_over(months_kept(retention)) == pytest.approx(retention)


def test_the_shops_own_numbers(reader_of):
    orders = [order(f"{c}-{n}", c, on, 20) for c in "abcd" for n, on in enumerate(("02-10", "05-10", "05-20"))]
    orders += bought("z", "01-01")
    own = economics(reader_of(orders=orders), Scope(dt.date(2024, 6, 29), "USD", "UTC", margin=Decimal("0.25")))
    assert own is not None
    assert (own.customers, own.order_value, own.margin) == (4, 20, 0.25)
    assert own.orders_per_month == pytest.approx(2 / 90 * 365 / 12)
    assert own.months_kept == pytest.approx(months_kept(4 / 5))
    assert economics(reader_of(orders=bought("a", "06-01")), Scope(dt.date(2024, 6, 29), "USD", "UTC")) is None


def test_cheap_old_cohorts_do_not_pay_for_dear_new_ones(reader_of):
    """January cost 5 and brought 10 in a month; May cost 1,000 and is one month old: back only where it has come back."""
    costs = [
        {"cost_id": "1", "category": "advertising", "amount": 5, "day": day("01-05")},
        {"cost_id": "2", "category": "advertising", "amount": 1000, "day": day("05-05")},
    ]
    orders = bought("a", "01-06", "02-06", "03-06") + bought("b", "05-06")
    scope = Scope(dt.date(2024, 6, 29), "USD", "UTC", margin=Decimal(1))
    answer = ask(reader_of(orders=orders, costs=costs), "payback", scope)
    assert (answer.value, answer.figures["payback_customers"]) == (2, 1)
    rows = {row["cohort"].month: row["months_to_payback"] for row in answer.rows()}
    assert (rows[1], rows[5]) == (1, None)


def test_what_won_nobody_is_to_come_back_too(reader_of):
    """An invoice of February for the customers of March."""
    costs = [{"cost_id": "1", "category": "advertising", "amount": 30, "day": day("02-05")}]
    scope = Scope(dt.date(2024, 6, 29), "USD", "UTC", margin=Decimal(1))
    few = ask(reader_of(orders=bought("a", "03-06"), costs=costs), "payback", scope)
    assert (few.value, few.reason) == (None, "never_paid_back")
    enough = ask(reader_of(orders=bought("a", "03-06", "04-06", "05-06"), costs=costs), "payback", scope)
    assert (enough.value, enough.figures["cac"]) == (3, 30)


def test_as_many_months_as_are_asked_for(reader_of):
    dates = [dt.date(2020 + n // 12, n % 12 + 1, 5) for n in range(48)]
    orders = [{"order_id": str(n), "customer_id": str(n), "day": on, "total": 1} for n, on in enumerate(dates)]
    costs = [{"cost_id": str(n), "category": "advertising", "amount": 10, "day": on} for n, on in enumerate(dates)]
    answer = ask(reader_of(orders=orders, costs=costs), "payback", Scope(dt.date(2024, 1, 1), "USD", "UTC"), months=48)
    assert (answer.figures["customers"], answer.figures["cost"], answer.figures["cac"]) == (48, 480, 10)


def test_what_was_spent_without_winning_anybody_is_shown(reader_of):
    costs = [{"cost_id": "1", "category": "advertising", "amount": 5, "day": day("03-05")}]
    rows = ask(reader_of(orders=bought("a", "01-06", "06-01"), costs=costs), "payback").rows()
    assert {row["cohort"].month: (row["customers"], row["cost"]) for row in rows} == {1: (1, 0), 3: (0, 5)}
