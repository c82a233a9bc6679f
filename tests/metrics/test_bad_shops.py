"""Shops without anything to count, or with what cannot be: a null with its reason or a clear sentence, never a nan."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import Any

import pytest

from setia.history.calendar import UnknownOccasion
from setia.history.scope import Scope
from setia.metrics.catalogue import METRICS
from setia.metrics.measure import Measure
from setia.metrics.reasons import REASONS
from setia.metrics.watch import watch
from setia.segments.breakdown import Membership, NoWindowBegins, PredictedThen, TooManyStarts

from .building import JULY, ask, at, bought, day, order


def numbers(value: Any) -> list[float]:
    """Every number anywhere in an answer."""
    if isinstance(value, dict):
        return [n for each in value.values() for n in numbers(each)]
    if isinstance(value, list | tuple):
        return [n for each in value for n in numbers(each)]
    return [float(value)] if isinstance(value, int | float | Decimal) else []


SHOPS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "one order": {"orders": bought("a", "05-05")},
    "one guest": {"orders": [order("1", None, "05-05")]},
    "one customer": {"orders": bought("a", "01-01", "02-02", "03-03", "05-05", "06-06")},
    "one day": {"orders": [order(str(n), f"c{n % 7}", f"05-05 {n % 24:02}:00") for n in range(40)]},
    "only tomorrow": {"orders": [order("1", "a", "12-24")]},
    "only cancelled": {"orders": [order("1", "a", "05-05", cancelled_at=at("05-06 09:00"))]},
    "only trials": {"orders": [order("1", "a", "05-05", is_test=True)]},
    "nought and below": {"orders": [order("1", "a", "05-05", 0), order("2", "b", "05-06", -5), order("3", "b", "06-06", 0)]},
    "no rate": {"orders": [order("1", "a", "02-05", 9, currency="XAU"), order("2", "a", "05-05", 9, currency="XAU")]},
    "before the account": {
        "customers": [{"customer_id": "a", "created_at": at("06-01 09:00"), "birth_date": dt.date(2024, 12, 31)}],
        "orders": bought("a", "05-05", "06-06"),
    },
    "returns of nothing": {"returns": [{"return_id": "r", "order_id": "x", "customer_id": "z", "day": day("05-05"), "amount": 5}]},
    "costs alone": {"costs": [{"cost_id": "1", "category": "advertising", "amount": 5, "day": day("05-05")}]},
    "ends before it begins": {
        "subscriptions": [
            {"subscription_id": "s", "customer_id": "a", "amount": 5, "started_at": at("05-05 09:00"), "ended_at": at("05-01 09:00")}
        ]
    },
    "negative price": {
        "subscriptions": [{"subscription_id": "s", "customer_id": "a", "amount": -5, "started_at": at("01-01 09:00")}]
    },
    "nameless everywhere": {
        "events": [{"event_id": "1", "day": day("06-05"), "occurred_at": at("06-05 09:00"), "name": "Product Added"}],
        "answers": [{"answer_id": "1", "survey": "nps", "score": 11, "day": day("06-05"), "answered_at": at("06-05 09:00")}],
        "messages": [{"message_id": "1", "channel": "email", "state": "accepted", "day": day("06-05"), "sent_at": at("06-05 09:00")}],
        "cases": [{"case_id": "1", "opened_at": at("06-05 09:00"), "day": day("06-05"), "first_response_at": at("06-04 09:00")}],
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", SHOPS)
def test_every_metric_answers(reader_of, kind):
    reader = reader_of(**SHOPS[kind])
    for metric in METRICS.values():
        answers = [metric.ask(reader, JULY)]
        if isinstance(metric, Measure) and kind in ("nothing", "one customer", "nameless everywhere"):
            answers += [metric.ask(reader, JULY, every="month", last=3), metric.ask(reader, JULY, by="source")]
        for answer in answers:
            assert all(math.isfinite(number) for number in numbers([answer.figures, answer.rows()])), (
                metric.name,
                answer,
            )
            assert answer.reason is None or answer.reason in REASONS, answer.reason
            if metric.name != "leaving_reasons":
                assert (answer.value is None) == (answer.reason is not None), (metric.name, answer.figures)
            for row in answer.rows():
                assert row.get("reason") is None or row["reason"] in REASONS or metric.name == "leaving_reasons"
    assert not any(each.alerts for each in watch(reader, JULY))


def test_before_the_first_order_nothing_had_happened(reader_of):
    early = Scope(day("01-01"), "USD", "UTC")
    reader = reader_of(orders=bought("a", "05-05", "06-06"))
    assert ask(reader, "retention", early).reason == "history_too_short"
    assert ask(reader, "order_value", early).reason == "history_too_short"
    assert ask(reader, "cohorts", early).reason == "no_customers"
    assert ask(reader, "lifetime_value", early).reason == "no_customers"


def test_the_future_is_left_out(reader_of):
    reader = reader_of(orders=[*bought("a", "05-05"), order("2", "a", "12-24", 1000)])
    assert ask(reader, "order_value").figures["gross"] == 10


def test_a_customer_with_very_many_orders(reader_of):
    many = (
        "select 'o' || i as order_id, 'a' as customer_id, date '2024-01-01' + (i % 150)::int as day, "
        "timestamptz '2024-01-01 00:00:00+00' + to_minutes(i) as placed_at, 10 as total from range(100000) t(i)"
    )
    reader = reader_of(orders=many)
    assert ask(reader, "purchase_frequency").value == 100_000
    assert ask(reader, "time_between_purchases").value == 1
    assert ask(reader, "concentration").value == 1.0


def test_a_segment_needs_windows_and_no_foresight(reader_of):
    reader = reader_of(orders=bought("a", "01-05", "05-05"))
    with pytest.raises(NoWindowBegins):
        ask(reader, "cohorts", by=Membership.of("orders >= 1"))
    with pytest.raises(PredictedThen, match="chance_active"):
        Membership.of("chance_active > 0.5")
    nobody = ask(reader, "repeat_purchase", by=Membership.of("orders > 100")).rows()
    assert [row["group"] for row in nobody] == ["out"]


def test_a_segment_over_many_periods(reader_of):
    """Each customer stands where they stood when the week began, whichever of 20 it is."""
    reader = reader_of(orders=bought("a", *(f"0{m}-0{d}" for m in range(1, 7) for d in (3, 9))) + bought("b", "06-02"))
    again = Membership.of("orders >= 2")
    rows = ask(reader, "repeat_purchase", by=again, every="week", last=20).rows()
    june = {(row["period_from"], row["group"]): row["customers"] for row in rows if row["period_from"] >= day("05-27")}
    assert {cell for cell, customers in june.items() if customers} == {(day("05-27"), "out"), (day("06-03"), "in")}
    with pytest.raises(TooManyStarts, match="are the most"):
        ask(reader, "repeat_purchase", by=again, every="day", last=200)


def test_an_occasion_that_the_calendar_does_not_have(reader_of):
    with pytest.raises(UnknownOccasion, match="no occasion"):
        ask(reader_of(orders=bought("a", "05-05")), "order_value", shift=JULY.calendar.aligned("lebaran"))
