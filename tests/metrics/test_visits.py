"""Visits: where one ends, whose order is in it, and who comes back."""

from __future__ import annotations

from typing import Any

import pytest

from setia.history.scope import Scope

from .building import ask, at, day, order

SCOPE = Scope(day("03-01"), "USD", "UTC")


def event(number: int, who: str | None, when: str, name: str = "Product Viewed", **more: Any) -> dict[str, Any]:
    happened = at(when)
    return {
        "event_id": str(number),
        "customer_id": who,
        "occurred_at": happened,
        "day": happened.date(),
        "name": name,
        **more,
    }


@pytest.fixture
def reader(reader_of):
    return reader_of(
        events=[
            event(1, "a", "02-10 09:00", device="mobile", platform="app"),
            event(2, "a", "02-10 09:20", "Product Added", device="mobile", platform="app"),
            event(3, "a", "02-10 09:50", device="mobile", platform="app"),  # thirty minutes: the same visit
            event(
                4, "a", "02-10 10:26", "Product Added", device="desktop", platform="web"
            ),  # thirty-one after the order
            event(5, None, "02-10 10:00", "Product Added", visitor="v1", device="mobile", platform="web"),
            event(6, None, "02-12 10:00", visitor="v1", device="mobile", platform="web"),
            event(7, "b", "02-20 10:00", device="desktop", platform="web"),
        ],
        orders=[
            order("1", "a", "02-10 09:55", 50),  # within the first visit
            order("2", "b", "01-05", 10),  # long before b's visit
            order("3", "b", "02-20 12:00", 99),  # without a visit
        ],
    )


def test_what_visits_lead_to(reader):
    found = {
        name: ask(reader, name, SCOPE)
        for name in ("conversion", "add_to_cart", "revenue_per_visit", "cart_abandonment")
    }
    assert (found["conversion"].figures["visits"], found["conversion"].figures["with_order"]) == (5, 1)
    assert found["add_to_cart"].value == 3 / 5
    assert found["revenue_per_visit"].value == 10
    assert (found["cart_abandonment"].figures["abandoned"], found["cart_abandonment"].figures["with_cart"]) == (2, 3)


def test_by_device_platform_and_acquaintance(reader):
    def by(name: str) -> dict[Any, Any]:
        return {row["group"]: row["visits"] for row in ask(reader, "conversion", SCOPE, by=name).rows()}

    assert by("device") == {"mobile": 3, "desktop": 2}
    assert by("platform") == {"app": 1, "web": 4}
    assert by("kind") == {"new": 3, "returning": 2}, "a had bought before the second visit, b in January"


def test_who_comes_back(reader):
    early = Scope(day("04-10"), "USD", "UTC")
    answer = ask(reader, "return_visits", early, window_days=60)
    assert (answer.figures["visitors"], answer.figures["back"]) == (3, 1), "a came twice on one day"
    assert ask(reader, "return_visits", SCOPE, every="month", last=1).reason == "not_over"


def test_without_events_there_is_a_reason(reader_of):
    assert ask(reader_of(orders=[order("1", "a", "02-10")]), "conversion", SCOPE).reason == "no_events"


def test_signing_in_splits_no_visit(reader_of):
    """Looked around without a name, signed in, bought: one visit, with its cart and its order."""
    events = [
        event(1, None, "02-10 09:00", "Product Added", visitor="v1"),
        event(2, "a", "02-10 09:05", "Signed In", visitor="v1"),
        event(3, None, "02-10 09:10", visitor="v2"),
        event(4, "b", "02-10 09:12", visitor="v2"),
        event(5, "c", "02-10 09:14", visitor="v2"),
    ]
    reader = reader_of(events=events, orders=[order("1", "a", "02-10 09:10")])
    found = ask(reader, "cart_abandonment", SCOPE)
    assert (found.figures["with_cart"], found.figures["abandoned"]) == (1, 0)
    visits = ask(reader, "conversion", SCOPE).figures["visits"]
    assert visits == 4, "a device of two customers is nobody's: a visit of its own beside theirs"


def test_a_customer_and_a_device_of_one_name_are_two(reader_of):
    events = [event(1, "x", "02-10 09:00"), event(2, None, "02-10 09:05", visitor="x")]
    assert ask(reader_of(events=events), "conversion", SCOPE).figures["visits"] == 2


def test_orders_without_a_rate_are_said(reader_of):
    events = [event(1, "a", "02-10 09:00")]
    reader = reader_of(events=events, orders=[order("1", "a", "02-10 09:01", currency="SGD")])
    answer = ask(reader, "revenue_per_visit", SCOPE)
    assert (answer.figures["unpriced"], len(answer.notes)) == (1, 1)
