"""Costs and messages: from files and from programmes, and what is not known."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from setia.history.scope import Scope
from setia.segments.breakdown import Membership

from .building import ask, at, bought, buyers, day, order

SCOPE = Scope(day("06-29"), "USD", "UTC")


def test_a_hundred_for_each_customer_kept(reader_of):
    """100,000 spent for 1,000 retained customers is 100 each."""
    parts = (
        buyers("old", range(0, 1), "2023-01-01"),
        buyers("b", range(0, 1200), "2024-02-02"),
        buyers("n", range(0, 1000), "2024-05-05"),
    )
    orders = " union all ".join(parts)
    costs = [
        {"cost_id": "1", "category": "loyalty", "amount": 60_000, "day": day("05-01")},
        {"cost_id": "2", "category": "sweets", "programme": "welcome", "amount": 40_000, "day": day("05-01")},
        {"cost_id": "3", "category": "advertising", "amount": 7, "day": day("05-01")},
        {"cost_id": "4", "category": "loyalty", "amount": 9, "day": day("03-01")},
    ]
    answer = ask(reader_of(orders=orders, costs=costs), "retention_cost")
    assert (answer.figures["cost"], answer.figures["retained"], answer.value) == (100_000, 1000, 100)
    assert ask(reader_of(orders=orders), "retention_cost").reason == "no_costs", "what nobody recorded is not nought"


def test_what_programmes_spend(reader_of):
    """Messages cost what they cost to send; a voucher the part of the discount that the shop bears."""
    sent = [
        {
            "message_id": "1",
            "programme": "win-back",
            "code": "K1",
            "cost": Decimal("0.05"),
            "offer_cost": Decimal("9.00"),
            "channel": "email",
            "state": "accepted",
            "day": day("05-01"),
            "sent_at": at("05-01 09:00"),
        },
        {
            "message_id": "2",
            "programme": "win-back",
            "code": "K2",
            "cost": Decimal("0.05"),
            "offer_cost": Decimal("4.00"),
            "channel": "email",
            "state": "accepted",
            "day": day("05-01"),
            "sent_at": at("05-01 09:00"),
        },
        {
            "message_id": "3",
            "programme": "win-back",
            "cost": Decimal("5.00"),
            "channel": "email",
            "state": "rejected",
            "day": day("05-01"),
            "sent_at": at("05-01 09:00"),
        },
    ]
    orders = [
        order("1", "a", "05-02", 20, code="K1", discount=3, platform_discount=1),
        order("2", "b", "05-02", 20, code="K2"),
        order("3", "b", "05-02", 20, code="SPRING", discount=7),
    ]
    answer = ask(reader_of(orders=orders, messages=sent), "costs", SCOPE)
    assert [(r["purpose"], r["category"], r["programme"], r["amount"]) for r in answer.rows()] == [
        ("keeping", "rewards", "win-back", 6),
        ("keeping", "messages", "win-back", Decimal("0.1")),
    ]
    assert answer.figures["keeping"] == Decimal("6.1")


def message(n: int, **more: Any) -> dict[str, Any]:
    return {
        "message_id": str(n),
        "channel": "email",
        "state": "accepted",
        "day": day("06-10"),
        "sent_at": at("06-10 09:00"),
        **more,
    }


def test_health_of_messages(reader_of):
    """Ten sent, eight arrived (a click proves it), four opened, one clicked, one opted out."""
    rows = [message(n, delivered_at=at("06-10 09:01")) for n in range(6)] + [message(n) for n in (8, 9)]
    rows += [
        message(6, clicked_at=at("06-11 09:00")),
        message(7, opened_at=at("06-11 09:00"), unsubscribed_at=at("06-11 10:00")),
    ]
    rows[0] |= {"opened_at": at("06-10 10:00")}
    rows[1] |= {"opened_at": at("06-10 10:00")}
    rows[2] |= {"opened_at": at("07-10 10:00")}  # after the day as of which we look
    reader = reader_of(messages=rows)
    rates = {
        name: ask(reader, name, SCOPE).value
        for name in ("delivery_rate", "open_rate", "click_rate", "unsubscribe_rate", "complaint_rate")
    }
    assert rates == {
        "delivery_rate": 0.8,
        "open_rate": 0.5,
        "click_rate": 0.125,
        "unsubscribe_rate": 0.125,
        "complaint_rate": 0,
    }


def test_what_no_tool_told_is_not_nought(reader_of):
    answer = ask(reader_of(messages=[message(1), message(2)]), "open_rate", SCOPE)
    assert (answer.value, answer.reason) == (None, "not_tracked")


def test_who_can_be_reached(reader_of):
    people = [
        {"customer_id": "a", "email": "a@example.com", "email_consent_at": at("01-01 09:00"), "city": "Bandung"},
        {
            "customer_id": "b",
            "email": "b@example.com",
            "email_consent_at": at("01-01 09:00"),
            "email_optout_at": at("02-01 09:00"),
        },
        {"customer_id": "c", "phone": "+628111", "city": "Bandung"},
        {"customer_id": "d", "email": "d@example.com", "email_consent_at": at("07-01 09:00")},  # not yet
    ]
    consents = [
        {
            "consent_id": "1",
            "customer_id": "c",
            "channel": "whatsapp",
            "state": "given",
            "decided_at": at("01-01 09:00"),
        },
        {
            "consent_id": "2",
            "customer_id": "b",
            "channel": "whatsapp",
            "state": "given",
            "decided_at": at("01-01 09:00"),
        },  # no number
    ]
    reader = reader_of(customers=people, consents=consents, orders=bought("e", "03-03"))
    answer = ask(reader, "reachable", SCOPE)
    assert {row["channel"]: row["reachable"] for row in answer.rows()} == {
        "any": 2,
        "email": 1,
        "whatsapp": 1,
        "sms": 0,
    }
    assert (answer.figures["customers"], answer.value) == (5, 0.4)
    rows = ask(reader, "reachable", SCOPE, by="city").rows()
    assert [(r["group"], r["customers"], r["reachable"]) for r in rows if r["channel"] == "any"] == [
        ("Bandung", 2, 2),
        (None, 3, 0),
    ]


def voucher(**more: Any) -> dict[str, Any]:
    return {
        "message_id": "1",
        "programme": "win-back",
        "code": "K1",
        "offer_cost": Decimal(9),
        "state": "accepted",
        "day": day("05-01"),
        "sent_at": at("05-01 09:00"),
        **more,
    }


def rewards(reader: Any) -> list[Any]:
    rows = ask(reader, "costs", SCOPE, window_days=180).rows()
    return [row["amount"] for row in rows if row["category"] == "rewards"]


def test_what_an_offer_costs_is_in_the_shops_currency(reader_of):
    """Whatever the customer paid in."""
    rates = [{"day": day("01-01"), "from_currency": "SGD", "to_currency": "USD", "rate": "0.5"}]
    orders = [order("1", "a", "05-02", 50, code="K1", currency="SGD")]
    assert rewards(reader_of(orders=orders, messages=[voucher()], rates=rates)) == [9]
    told = [{**orders[0], "discount": Decimal(4)}]
    assert rewards(reader_of(orders=told, messages=[voucher()], rates=rates)) == [2]


def test_a_voucher_of_unknown_value_is_no_missing_rate(reader_of):
    orders = [order("1", "a", "05-02", 50, code="K1")]
    reader = reader_of(orders=orders, messages=[voucher(offer_cost=None)])
    assert rewards(reader) == []
    assert not ask(reader, "retention_cost", SCOPE).notes


def test_nobody_is_in_no_segment(reader_of):
    costs = [{"cost_id": "1", "category": "loyalty", "amount": 70, "day": day("05-05")}]
    reader = reader_of(orders=bought("a", "02-06", "05-06"), costs=costs)
    rows = ask(reader, "retention_cost", SCOPE, by=Membership.of("orders >= 1")).rows()
    assert {row["group"]: row["cost"] for row in rows} == {"in": 0, None: 70}


def test_a_code_that_nobody_was_sent_in_time_costs_the_programme_nothing(reader_of):
    orders = [order("1", "a", "05-01 08:00", 50, code="K1")]
    assert rewards(reader_of(orders=orders, messages=[voucher()])) == []
    assert (
        rewards(reader_of(orders=[order("1", "a", "05-02", 50, code="K1")], messages=[voucher(state="rejected")])) == []
    )


def test_costs_of_nobody_are_said_where_a_figure_is_broken_down(reader_of):
    costs = [{"cost_id": "1", "category": "advertising", "amount": 70, "day": day("05-05")}]
    reader = reader_of(orders=bought("a", "05-06"), costs=costs)
    assert not ask(reader, "acquisition_cost", SCOPE).notes
    assert "stand in no group" in ask(reader, "acquisition_cost", SCOPE, by="channel").notes[0]
