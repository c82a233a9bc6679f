"""Subscriptions: every class of movement reachable, the sum, and who counts where."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setia.history.scope import Scope
from setia.metrics.catalogue import METRICS
from setia.metrics.subscribing import MOVEMENT

from .building import ask, at, day

MAY = Scope(day("05-01"), "USD", "UTC")


def price(who: str, amount: object, start: str, end: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "subscription_id": more.pop("id", f"s-{who}"),
        "customer_id": who,
        "amount": amount,
        "period_months": 1,
        "started_at": at(start),
        "ended_at": at(end) if end else None,
        **more,
    }


def april(reader: Any, name: str = "mrr") -> Any:
    return ask(reader, name, MAY, every="month", last=1)


def test_the_textbook_month(reader_of):
    """10,000 at the start, +500, −200, −300, 900 new, 100 back: 11,000; GRR 95 %, NRR 100 %, quick ratio 3."""
    reader = reader_of(
        subscriptions=[
            price("grows", 1000, "01-01", "04-10"),
            price("grows", 1500, "04-10"),
            price("shrinks", 700, "01-01", "04-10"),
            price("shrinks", 500, "04-10"),
            price("leaves", 300, "01-01", "04-20"),
            price("stays", 8000, "01-01"),
            price("new", 900, "04-05"),
            price("back", 250, "01-01", "02-01"),
            price("back", 100, "04-25"),
        ]
    )
    figures = april(reader).figures
    expected = {
        "start": 10_000,
        "new": 900,
        "expansion": 500,
        "contraction": 200,
        "churned": 300,
        "reactivation": 100,
        "end": 11_000,
        "subscribers_start": 4,
        "subscribers_new": 1,
        "subscribers_back": 1,
        "subscribers_lost": 1,
        "subscribers_end": 5,
    }
    assert {name: figures[name] for name in expected} == expected
    assert april(reader, "gross_revenue_retention").value == 0.95
    net = april(reader, "net_revenue_retention")
    assert (net.value, net.figures["with_reactivation"]) == (1.0, 1.01)
    quick = april(reader, "quick_ratio")
    assert (quick.value, quick.figures["without_reactivation"]) == (3.0, 2.8)
    assert april(reader, "logo_churn").value == 0.25


def test_gross_and_net_churn_of_a_hundred(reader_of):
    """100 at the start, 10 churned, 10 less, 10 more: 20 % gross, 10 % net."""
    reader = reader_of(
        subscriptions=[
            price("a", 10, "01-01", "04-10"),
            price("b", 30, "01-01", "04-10"),
            price("b", 20, "04-10"),
            price("c", 60, "01-01", "04-10"),
            price("c", 70, "04-10"),
        ]
    )
    assert 1 - april(reader, "gross_revenue_retention").value == pytest.approx(0.2)
    assert 1 - april(reader, "net_revenue_retention").value == pytest.approx(0.1)


def test_who_joins_and_leaves_within_the_month_is_not_seen(reader_of):
    reader = reader_of(subscriptions=[price("brief", 50, "04-05", "04-20"), price("stays", 10, "01-01")])
    figures = april(reader).figures
    assert (figures["new"], figures["churned"], figures["end"]) == (0, 0, 10)


def test_a_second_plan_that_ends_is_contraction(reader_of):
    """All plans of a customer count together: one less is no lost subscriber."""
    reader = reader_of(subscriptions=[price("a", 10, "01-01", id="one"), price("a", 5, "01-01", "04-10", id="two")])
    figures = april(reader).figures
    assert (figures["contraction"], figures["churned"], figures["subscribers_lost"]) == (5, 0, 0)


def test_brought_to_a_month(reader_of):
    """A year is a twelfth, a week 52 twelfths, both to four places."""
    reader = reader_of(
        subscriptions=[
            price("year", 100, "01-01", period_months=12),
            price("week", 10, "01-01", period_months=None, period_weeks=1),
            price("unknown", 7, "01-01", period_months=None),
        ]
    )
    assert april(reader).figures["end"] == Decimal("8.3333") + Decimal("43.3333") + 7


def test_trials_count_nothing_until_they_are_paid(reader_of):
    reader = reader_of(
        subscriptions=[
            price("trial", 20, "04-20", trial_ends_at=at("05-04")),
            price("gone", 20, "04-01", "04-10", trial_ends_at=at("04-15")),
            price("paid", 20, "03-20", trial_ends_at=at("04-03")),
        ]
    )
    figures = april(reader).figures
    assert (figures["start"], figures["new"], figures["end"], figures["subscribers_end"]) == (0, 20, 20, 1)


def test_the_first_moment_of_a_month_belongs_to_it(reader_of):
    """Midnight in Jakarta on 1 April is 17:00 UTC the day before."""
    jakarta = Scope(day("05-01"), "IDR", "Asia/Jakarta")
    reader = reader_of(subscriptions=[price("a", 10, "03-31 17:00"), price("b", 5, "01-01", "04-30 17:00")])
    figures = ask(reader, "mrr", jakarta, every="month", last=1).figures
    assert (figures["start"], figures["new"], figures["churned"], figures["end"]) == (5, 10, 0, 15)


def test_rates_of_the_first_day_of_the_window(reader_of):
    """A change of the rate within the month moves nothing."""
    rates = [
        {"day": day("01-01"), "from_currency": "SGD", "to_currency": "USD", "rate": "0.75"},
        {"day": day("04-15"), "from_currency": "SGD", "to_currency": "USD", "rate": "0.80"},
    ]
    reader = reader_of(subscriptions=[price("a", 100, "01-01", currency="SGD")], rates=rates)
    figures = april(reader).figures
    assert (figures["start"], figures["end"], figures["expansion"]) == (75, 75, 0)
    alone = april(reader_of(subscriptions=[price("a", 100, "01-01", currency="EUR")]))
    assert (alone.figures["end"], alone.figures["unpriced"]) == (0, 1)
    assert alone.notes


def test_nothing_lost_is_no_infinite_ratio(reader_of):
    answer = april(reader_of(subscriptions=[price("a", 10, "01-01"), price("b", 5, "04-05")]), "quick_ratio")
    assert (answer.value, answer.reason) == (None, "no_loss")


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(1, 99), st.integers(0, 200), st.sampled_from([None, 5, 30, 70])),
        max_size=12,
    )
)
def test_start_and_movements_are_the_end(rows):
    """In every window and for every history of prices, and each subscriber is in one class."""
    from setia.metrics.subscribing import recurring

    assert recurring is METRICS["mrr"].rows
    prices = {}
    for number, (who, amount, start, length) in enumerate(rows):
        begun = dt.datetime(2024, 1, 1, tzinfo=dt.UTC) + dt.timedelta(days=start)
        prices[number] = (who, amount, begun, begun + dt.timedelta(days=length) if length else None)
    for month in range(1, 8):
        opens, closes = (dt.datetime(2024, n, 1, tzinfo=dt.UTC) for n in (month, month + 1))
        sums = dict.fromkeys(("start", "new", "expansion", "contraction", "churned", "reactivation", "end"), 0)
        for who in "abc":
            own = [p for p in prices.values() if p[0] == who and p[2] < closes]
            start = sum(a for _w, a, b, e in own if b < opens and (e is None or e >= opens))
            end = sum(a for _w, a, b, e in own if e is None or e >= closes)
            before = any(b < opens for _w, _a, b, _e in own)
            moved = {
                "new": end if not start and not before else 0,
                "reactivation": end if not start and before else 0,
                "expansion": max(end - start, 0) if start else 0,
                "contraction": max(start - end, 0) if start and end else 0,
                "churned": start if start and not end else 0,
            }
            assert sum(1 for amount in moved.values() if amount) <= 1
            for name, amount in {**moved, "start": start, "end": end}.items():
                sums[name] += amount
        assert (
            sums["start"]
            + sums["new"]
            + sums["expansion"]
            + sums["reactivation"]
            - sums["contraction"]
            - sums["churned"]
            == sums["end"]
        )


def test_movements_sum_on_a_simulated_shop(reader_of):
    """The same of the code itself: 300 subscribers whose prices change, end and begin again."""
    rows = []
    for n in range(300):
        begun = dt.datetime(2024, 1, 1, tzinfo=dt.UTC) + dt.timedelta(days=n * 7 % 150)
        for k in range(n % 4):
            start = begun + dt.timedelta(days=40 * k + n % 9)
            end = start + dt.timedelta(days=40 if n % 3 else 20)
            rows.append(
                {
                    "subscription_id": f"s{n}",
                    "customer_id": f"c{n}",
                    "amount": 10 + n * (k + 1) % 7,
                    "started_at": start,
                    "ended_at": end,
                    "period_months": 1,
                }
            )
    answer = ask(reader_of(subscriptions=rows), "mrr", Scope(day("09-01"), "USD", "UTC"), every="month", last=8)
    seen = set()
    for row in answer.rows():
        gained = row["new"] + row["expansion"] + row["reactivation"]
        assert row["start"] + gained - row["contraction"] - row["churned"] == row["end"]
        seen |= {part.name for part in MOVEMENT if part.kind == "money" and row[part.name]}
    assert seen == {part.name for part in MOVEMENT if part.kind == "money"}, "every class is reached"
    starts = [row["start"] for row in answer.rows()]
    assert [row["end"] for row in answer.rows()][:-1] == starts[1:], "one month's end is the next one's start"


def test_who_had_it_for_nothing_is_new_once_they_pay(reader_of):
    reader = reader_of(subscriptions=[price("a", 0, "01-01", "04-10"), price("a", 20, "04-10")])
    figures = april(reader).figures
    assert (figures["new"], figures["reactivation"], figures["subscribers_new"]) == (20, 0, 1)


def test_a_length_of_no_months_is_a_month(reader_of):
    reader = reader_of(subscriptions=[price("a", 20, "01-01", period_months=0)])
    assert april(reader).figures["end"] == 20


def test_prices_as_large_as_they_come(reader_of):
    """A twelfth of a trillion is exact to four places; beyond that nothing is guessed."""
    yearly = [price("a", 10**12, "01-01", period_months=12), price("b", 2 * 10**12, "01-01", "02-01")]
    answer = april(reader_of(subscriptions=yearly))
    assert answer.figures["end"] == Decimal("83333333333.3333")
    assert answer.figures["unpriced"] == 0, "what ended long ago is missing from no figure"


def test_without_a_rate_there_is_no_figure(reader_of):
    answer = april(reader_of(subscriptions=[price("a", 20, "01-01", currency="SGD")]))
    assert (answer.value, answer.reason) == (None, "no_rate")
    ended = april(reader_of(subscriptions=[price("a", 20, "01-01", "04-10", currency="SGD")]))
    assert (ended.value, ended.reason) == (0, None), "what ended is missing from the start alone"
