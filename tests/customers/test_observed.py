"""Traits from every kind of fact: worked examples, what lies at their edges, and as of another day."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from setia.customers import traits
from setia.customers.traits import OBSERVED, TRAITS, observed
from setia.history.scope import Scope

SCOPE = Scope(dt.date(2024, 7, 1), "USD", "UTC", margin=Decimal("0.25"))


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(f"2024-{text}").replace(tzinfo=dt.UTC)


def row(number: int, who: str | None, when: str, **more: Any) -> dict[str, Any]:
    """A fact at a moment of 2024, with its key under every name that keys have."""
    keys = ("order_id", "document_id", "return_id", "event_id", "message_id", "answer_id", "case_id", "subscription_id")
    times = ("placed_at", "returned_at", "occurred_at", "sent_at", "answered_at", "opened_at", "started_at")
    moment = at(when)
    return {**dict.fromkeys(keys, str(number)), **dict.fromkeys(times, moment), "customer_id": who,
            "day": moment.date(), **more}  # fmt: skip


@pytest.fixture
def known(reader_of):
    """Asks for the traits of everybody, by customer, from facts with more columns than each table has."""

    def ask(scope: Scope = SCOPE, names: Any = OBSERVED, **facts: Any) -> dict[str, dict[str, Any]]:
        from setia.facts import FACTS

        own = {
            name: [{c: v for c, v in each.items() if c in {f.name for f in FACTS[name].fields}} for each in rows]
            for name, rows in facts.items()
        }
        reader = reader_of(**own)
        found = reader.arrow(observed(reader, scope, 50.0, names)).to_pylist()
        assert len({each["customer_id"] for each in found}) == len(found)
        return {each["customer_id"]: each for each in found}

    return ask


def test_every_trait_is_declared_once_and_made():
    assert len(TRAITS) == sum(len(group) for group in traits.GROUPS.values()) > 60
    assert [name for name, trait in TRAITS.items() if not trait.meaning] == []


def test_bought(known):
    orders = [
        row(1, "a", "01-01 10:00", total=100, discount=10, code="K", channel="web"),
        row(2, "a", "03-01 10:00", total=50, channel="app"),
        row(3, "a", "03-01 12:00", total=30, channel="app"),
        row(4, "a", "06-29 10:00", total=20, channel="web"),
    ]
    returns = [row(9, "a", "06-30 10:00", order_id="4", amount=20)]
    a = known(orders=orders, returns=returns)["a"]
    assert (a["orders"], a["orders_90d"], a["purchase_days"]) == (4, 1, 3)
    assert (a["gross_revenue"], a["returned_revenue"], a["net_revenue"], a["net_margin"]) == (200, 20, 180, 45)
    assert (a["returns"], a["returned_share"]) == (1, pytest.approx(0.1))
    assert (a["orders_with_voucher"], a["voucher_share"], a["discounts"]) == (1, 0.25, 10)
    assert a["favourite_channel"] == "app", "of two channels with two orders each the first by alphabet"
    # Gaps of 60 and 120 days: mean 90, standard deviation 30.
    assert a["gap_spread"] == pytest.approx(30 / 90)
    assert a["usual_gap_days"] == pytest.approx((2 * 50 + 180) / 4)
    assert a["gaps_of_silence"] == pytest.approx(1 / 70)


def test_favourites_are_what_most_was_paid_for(known):
    orders = [
        row(1, "a", "01-01 10:00", total=100),
        row(2, "a", "02-01 10:00", total=100, cancelled_at=at("02-02 00:00")),
    ]
    lines = [
        row(1, None, "01-01 10:00", product_id="beans", quantity=9, amount=30),
        row(1, None, "01-01 10:00", product_id="mill", quantity=1, amount=70),
        row(2, None, "02-01 10:00", product_id="beans", quantity=9, amount=100),
    ]
    products = [{"product_id": "beans", "category": "coffee"}, {"product_id": "mill", "category": "tools"}]
    a = known(orders=orders, order_lines=lines, products=products)["a"]
    assert (a["favourite_product"], a["favourite_category"]) == ("mill", "tools")


def test_person_and_reach(known):
    people = [
        {
            "customer_id": "a",
            "email": "a@example.com",
            "birth_date": dt.date(1990, 7, 1),
            "email_consent_at": at("01-01 00:00"),
        },
        {"customer_id": "b", "phone": "+62811", "birth_date": dt.date(1990, 6, 30)},
        {"customer_id": "c", "birth_date": dt.date(1992, 2, 29)},
        {"customer_id": "later", "created_at": at("07-01 00:00")},
    ]
    consents = [
        {
            "consent_id": "1",
            "customer_id": "b",
            "channel": "whatsapp",
            "state": "given",
            "decided_at": at("01-01 00:00"),
        }
    ]
    found = known(customers=people, consents=consents)
    assert set(found) == {"a", "b", "c"}, "who had no account yet is nobody yet"
    ages = {name: (each["age"], each["days_to_birthday"]) for name, each in found.items()}
    assert ages == {"a": (33, 0), "b": (34, 364), "c": (32, 243)}, "in a year without 29 February it is 1 March"
    reach = {n: (e["reachable_email"], e["reachable_whatsapp"], e["reachable_sms"]) for n, e in found.items()}
    assert reach == {"a": (True, False, False), "b": (False, True, False), "c": (False, False, False)}
    assert {each["stage"] for each in found.values()} == {"acquisition"}


def test_visits_and_messages(known):
    events = [
        row(1, "a", "06-30 10:00", name="Product Viewed"),
        row(2, "a", "06-30 10:10", name="Product Viewed"),  # the same visit
        row(3, "a", "06-10 10:00", name="Product Viewed"),
        row(4, "a", "05-10 10:00", name="Product Viewed"),
        row(5, "b", "01-10 10:00", name="Product Viewed"),
    ]
    messages = [
        row(1, "a", "06-20 10:00", channel="email", state="accepted", opened_at=at("06-21 10:00")),
        row(2, "a", "06-25 10:00", channel="email", state="accepted", opened_at=at("07-01 10:00")),
        row(3, "a", "06-26 10:00", channel="email", state="rejected", opened_at=None),
    ]
    found = known(events=events, messages=messages)
    a, b = found["a"], found["b"]
    assert (a["visits_7d"], a["visits_30d"], a["visits_90d"], a["visits_30d_before"]) == (1, 2, 3, 1)
    assert (a["visit_trend"], a["days_since_last_visit"]) == (2, 0)
    assert (b["visits_90d"], b["visit_trend"], b["days_since_last_visit"]) == (0, None, 172)
    assert (a["messages_90d"], a["opened_90d"], a["days_since_last_message"]) == (2, 1, 5)
    assert b["messages_90d"] == 0


def test_answers_cases_and_subscriptions(known):
    answers = [
        row(1, "a", "05-01 10:00", survey="nps", score=3),
        row(2, "a", "06-01 10:00", survey="nps", score=9),
        row(3, "a", "06-02 10:00", survey="nps", score=99),
        row(4, "a", "06-02 10:00", survey="csat", score=4, scale=5),
    ]
    cases = [
        row(1, "a", "06-01 10:00", resolved_at=at("06-02 10:00")),
        row(2, "a", "01-01 10:00"),
    ]
    subscriptions = [
        row(1, "a", "01-01 00:00", amount=120, period_months=12),
        row(2, "a", "02-01 00:00", amount=10, period_months=1, ended_at=at("03-01 00:00")),
        row(3, "b", "01-01 00:00", amount=10, period_months=1, ended_at=at("06-30 00:00")),
        row(4, "trial", "06-25 00:00", amount=10, trial_ends_at=at("07-25 00:00")),
    ]
    orders = [row(1, "trial", "06-01 10:00", total=1)]
    found = known(answers=answers, cases=cases, subscriptions=subscriptions, orders=orders)
    a, b = found["a"], found["b"]
    assert (a["last_nps"], a["days_since_nps"], a["last_csat"]) == (9, 29, 4)
    assert (a["cases_90d"], a["open_cases"]) == (1, 1)
    assert (a["subscription"], a["subscription_a_month"], a["days_subscribed"]) == ("running", 10, 182)
    assert a["days_since_subscription_ended"] is None
    assert (b["subscription"], b["subscription_a_month"], b["days_since_subscription_ended"]) == ("ended", 0, 1)
    assert (found["trial"]["subscription"], found["trial"]["subscription_a_month"]) == (None, 0)


def test_only_what_is_asked_for_and_the_same(known):
    facts: dict[str, Any] = {"orders": [row(n, "ab"[n % 2], f"0{n}-01 10:00", total=10 * n) for n in range(1, 7)]}
    whole = known(**facts)
    groups = [[trait.name for trait in group if trait.name in OBSERVED] for group in traits.GROUPS.values()]
    for names in (*groups, ["net_margin"], ["stage"], ["rfm_value"], ["visit_trend"]):
        for who, each in known(names=names, **facts).items():
            assert each == {"customer_id": who} | {name: whole[who][name] for name in names}, names


def test_what_was_not_known_then_does_not_show(known):
    orders = [row(1, "a", "01-01 10:00", total=10), row(2, "a", "06-01 10:00", total=10)]
    events = [row(1, "new", "06-05 10:00", name="Product Viewed")]
    then = known(Scope(dt.date(2024, 3, 1), "USD", "UTC"), orders=orders, events=events)
    assert set(then) == {"a"}
    assert then["a"]["orders"] == 1
    assert then["a"]["days_since_last_order"] == 59
