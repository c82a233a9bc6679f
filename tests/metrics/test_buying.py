"""Buying: counted by hand, and the traps of revenue."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from setia.history.scope import Scope

from .building import JULY, ask, at, bought, buyers, day, order


def test_a_second_purchase_in_time(reader_of):
    """Orders of the first day are one purchase; the second must come within 90 days, and all must have had them."""
    orders = [
        *(order("a1", "a", "01-05 09:00"), order("a2", "a", "01-05 18:00")),  # the same day is no second purchase
        *bought("b", "01-06", "04-05"),  # 90 days later
        *bought("c", "01-06", "04-06"),  # 91 days later
        *bought("d", "06-01", "06-02"),  # not in the window: the cohort is not old enough
    ]
    answer = ask(reader_of(orders=orders), "repurchase")
    assert (answer.figures["period_from"], answer.figures["period_until"]) == (day("01-01"), day("03-31"))
    assert (answer.figures["customers"], answer.figures["again"]) == (3, 1)
    rows = ask(reader_of(orders=orders), "repurchase", every="month", last=6).rows()
    assert {row["period_from"].month: row["mature"] for row in rows} == {
        1: True,
        2: True,
        3: False,
        4: False,
        5: False,
        6: False,
    }


def test_an_order_stands_until_it_is_cancelled(reader_of):
    """Cancelled at eight in the morning of 10 March in Jakarta: on the 10th not yet gone, as of the 11th gone."""
    orders = [order("1", "a", "03-01", cancelled_at=at("03-10 01:00"))]
    reader = reader_of(orders=orders)
    counts = {
        n: ask(reader, "order_value", Scope(dt.date(2024, 3, n), "IDR", "Asia/Jakarta")).figures["orders"]
        for n in (9, 10, 11)
    }
    assert counts == {9: 1, 10: 1, 11: 0}


def test_corrections_and_returns_change_the_value_and_are_no_orders(reader_of):
    reader = reader_of(
        orders=[order("1", "a", "01-05", 100), order("2", None, "03-05", -7, is_adjustment=True)],
        returns=[{"return_id": "r", "day": day("02-05"), "amount": 40}],
    )
    rows = {row["period_from"].month: row for row in ask(reader, "order_value", every="month", last=6).rows()}
    assert [rows[month]["net"] for month in (1, 2, 3)] == [100, -40, -7]
    assert rows[2]["value"] is None
    figures = ask(reader, "order_value").figures
    assert (figures["orders"], figures["net"], figures["gross"]) == (1, 53, 100)


def test_no_fan_out(reader_of):
    """Several lines and several returns of one order count the order once, and each amount once."""
    reader = reader_of(
        orders=[order("1", "a", "05-05", 100), order("2", "b", "05-06", 50)],
        order_lines=[
            {"order_id": "1", "document_id": "1", "product_id": "p", "quantity": 2, "amount": 60},
            {"order_id": "1", "document_id": "1", "product_id": "q", "quantity": 1, "amount": 40},
            {"order_id": "2", "document_id": "2", "product_id": "p", "quantity": 1, "amount": 50},
        ],
        returns=[
            {"return_id": "r1", "order_id": "1", "day": day("05-09"), "quantity": 1, "amount": 30},
            {"return_id": "r2", "order_id": "1", "day": day("05-10"), "quantity": 1, "amount": 40},
        ],
    )
    figures = ask(reader, "order_value").figures
    assert (figures["orders"], figures["gross"], figures["net"], figures["value"]) == (2, 150, 80, 40)
    units = ask(reader, "product_returns", Scope(day("08-01"), "USD", "UTC")).figures
    assert (units["sold"], units["returned"], units["value"]) == (4, 2, 0.5)
    value = ask(reader, "returned_value", Scope(day("08-01"), "USD", "UTC")).figures
    assert (value["orders"], value["sold"], value["returned"]) == (2, 150, 70)


def test_returns_belong_to_the_month_of_the_sale(reader_of):
    """Half of January's units come back in February, when twice as much is sold: 50 % and 0 %, not 0 % and 25 %."""
    lines = [
        {"order_id": n, "document_id": n, "product_id": "p", "quantity": q, "amount": q}
        for n, q in (("1", 10), ("2", 20))
    ]
    reader = reader_of(
        orders=[order("1", "a", "01-20", 10), order("2", "a", "02-20", 20)],
        order_lines=lines,
        returns=[{"return_id": "r", "order_id": "1", "day": day("02-10"), "quantity": 5, "amount": 5}],
    )
    rows = ask(reader, "product_returns", every="month", last=6).rows()
    assert {r["period_from"].month: r["value"] for r in rows if r["sold"]} == {1: 0.5, 2: 0.0}
    early = ask(reader, "product_returns", Scope(day("02-15"), "USD", "UTC"), every="month", last=2).rows()
    assert [row["reason"] for row in early] == ["not_over", "not_over"], "thirty days must have passed"


def test_revenue_by_acquaintance(reader_of):
    orders = [
        order("1", "old", "01-05", 40),
        order("2", "old", "05-05", 60),
        order("3", "new", "05-06", 30),
        order("4", "new", "05-20", 20),
        order("5", None, "05-21", 10),
    ]
    figures = ask(reader_of(orders=orders), "returning_revenue").figures
    shares = {name: figures[name] for name in ("revenue", "new_revenue", "returning_revenue", "guest_revenue")}
    assert shares == {"revenue": 120, "new_revenue": 50, "returning_revenue": 60, "guest_revenue": 10}
    assert figures["value"] == 0.5


def test_concentration(reader_of):
    """Eleven customers: the best tenth are two of them, the best fifth three."""
    orders = [order(str(n), f"c{n:02}", "05-05", 100 if n < 2 else 10 if n < 5 else 1) for n in range(11)]
    figures = ask(reader_of(orders=orders), "concentration").figures
    assert (figures["customers"], figures["revenue"]) == (11, 236)
    assert (figures["top_10"], figures["top_20"]) == (200, 210)
    assert figures["value"] == pytest.approx(200 / 236)


def test_currencies_without_a_rate_are_said(reader_of):
    """They count in no average, neither above nor below the line."""
    orders = [
        order("1", "a", "05-05", 100),
        order("2", "a", "05-06", 7, currency="SGD"),
        order("3", "a", "05-07", 5, currency="EUR"),
    ]
    rates = [
        {"day": day("01-01"), "from_currency": "SGD", "to_currency": "USD", "rate": "0.75"},
        {"day": day("05-07"), "from_currency": "SGD", "to_currency": "USD", "rate": "9"},
    ]
    answer = ask(reader_of(orders=orders, rates=rates), "order_value")
    assert (answer.figures["orders"], answer.figures["unpriced"]) == (2, 1)
    assert answer.value == Decimal("52.6250")
    assert "1 amounts are in a currency without a rate" in answer.notes[0]
    alone = ask(reader_of(orders=orders[2:]), "order_value")
    assert (alone.value, alone.reason) == (None, "no_priced_orders")


def test_a_median_that_is_not_reached_is_said(reader_of):
    orders = buyers("march", range(300), "2024-03-05") + " union all " + buyers("again", range(100), "2024-04-04")
    answer = ask(reader_of(orders=orders), "time_between_purchases", Scope(day("05-01"), "USD", "UTC"))
    assert (answer.value, answer.reason) == (None, "median_not_reached")
    assert answer.figures["within_30"] == pytest.approx(1 / 3)
    assert answer.figures["quarter_days"] == 30
    assert "100 of 400 have got there so far" in answer.notes[0]


def test_chance_of_another_order(reader_of):
    """Four customers; two buy again, one of them a third time. Open gaps count for as long as they have been seen."""
    orders = (
        bought("a", "01-01", "01-11", "01-31")
        + bought("b", "01-01", "03-01")
        + bought("c", "01-01")
        + bought("d", "06-20")
    )
    answer = ask(reader_of(orders=orders), "next_order")
    first, second, third = answer.rows()
    assert [row["customers"] for row in answer.rows()] == [4, 2, 1]
    assert [row["bought_again"] for row in answer.rows()] == [2, 1, 0]
    assert first["within_90"] == pytest.approx(1 - 2 / 3 * 1 / 2), "d had only eight days and left the risk set"
    assert second["within_90"] == pytest.approx(0.5)
    assert (third["within_90"], third["median_days"]) == (0, None)


def test_first_visit_to_first_order(reader_of):
    events = [
        {"event_id": "1", "customer_id": "a", "day": day("05-01"), "name": "Page Viewed"},
        {"event_id": "2", "customer_id": "a", "day": day("05-03"), "name": "Page Viewed"},
        {"event_id": "3", "customer_id": "b", "day": day("05-01"), "name": "Page Viewed"},
        {"event_id": "4", "customer_id": "c", "day": day("06-01"), "name": "Page Viewed"},
    ]
    orders = bought("a", "05-05") + bought("c", "05-20")
    figures = ask(reader_of(orders=orders, events=events), "time_to_first_order").figures
    assert (figures["watched"], figures["completed"], figures["value"]) == (2, 1, 4), (
        "c ordered before any recorded visit"
    )


def test_activation_by_the_shops_own_definition(reader_of):
    from setia.settings import MetricSettings

    events = [
        {"event_id": "1", "customer_id": "a", "day": day("03-10"), "name": "Brew Guide Opened"},
        {"event_id": "2", "customer_id": "b", "day": day("03-09"), "name": "Brew Guide Opened"},
        {"event_id": "3", "customer_id": "b", "day": day("04-30"), "name": "Brew Guide Opened"},
    ]
    orders = bought("a", "03-10") + bought("b", "03-10", "03-12") + bought("c", "03-11")
    reader = reader_of(orders=orders, events=events)
    scope = Scope(day("05-10"), "USD", "UTC", MetricSettings(activation_event="Brew Guide Opened", activation_days=30))
    assert (
        ask(reader, "activation", scope).figures["customers"],
        ask(reader, "activation", scope).figures["activated"],
    ) == (3, 1)
    assert ask(reader, "time_to_activation", scope).figures["completed"] == 2
    second_purchase = ask(reader, "activation", Scope(day("05-10"), "USD", "UTC"))
    assert second_purchase.figures["activated"] == 1, "b bought again after two days"


def test_the_customers_behind_a_cell(reader_of):
    from setia.metrics.catalogue import METRICS
    from setia.metrics.measure import Measure

    orders = bought("a", "03-10", "05-01") + bought("b", "02-10") + bought("c", "05-03") + bought("z", "01-01")
    retention, window = METRICS["retention"], None
    assert isinstance(retention, Measure)
    (window,) = retention.shown(JULY, None, None, None)
    reader = reader_of(orders=orders)
    behind = {part.name: retention.customers(reader, JULY, part.name, window) for part in retention.parts}
    assert behind == {
        "start": ["b", "z"],
        "retained": [],
        "lost": ["b", "z"],
        "new": ["c"],
        "returned": [],
        "end": ["a", "c"],
    } or (behind["start"] == ["a", "b", "z"] and behind["retained"] == ["a"])
    for part, names in behind.items():
        assert len(names) == ask(reader, "retention").figures[part]


def test_amounts_as_large_as_a_rupiah_shop_has_them(reader_of):
    """A billion dollars at 16,250.12345678 rupiah each; a product that has no place is left out and said."""
    rates = [{"day": day("01-01"), "from_currency": "USD", "to_currency": "IDR", "rate": "16250.12345678"}]
    orders = [order("1", "a", "05-05", 10**9, currency="USD"), order("2", "b", "05-05", 7 * 10**12)]
    figures = ask(reader_of(orders=orders, rates=rates), "order_value", Scope(day("06-29"), "IDR", "UTC")).figures
    assert figures["gross"] == Decimal("16250123456780") + 7 * 10**12
    beyond = [order("3", "a", "05-06", 9 * 10**13, currency="USD")]
    answer = ask(reader_of(orders=[*orders, *beyond], rates=rates), "order_value", Scope(day("06-29"), "IDR", "UTC"))
    assert (answer.figures["orders"], answer.figures["unpriced"], len(answer.notes)) == (2, 1, 1)


def back(number: str, of: str | None, on: str, amount: object, **more: Any) -> dict[str, Any]:
    return {"return_id": number, "document_id": number, "order_id": of, "day": day(on), "amount": amount, **more}


def test_the_refund_of_an_order_that_does_not_count_counts_as_little(reader_of):
    """Cancelled and paid back: nothing was sold and nothing lost."""
    orders = [
        order("1", "a", "05-05", 100),
        order("2", "a", "05-06", 60, cancelled_at=at("05-07 00:00")),
        order("3", "a", "05-06", 80, is_test=True),
    ]
    returns = [back("r2", "2", "05-07", 60), back("r3", "3", "05-07", 80), back("r?", None, "05-08", 1)]
    figures = ask(reader_of(orders=orders, returns=returns), "order_value").figures
    assert (figures["returned"], figures["net"]) == (1, 99)


def test_a_return_belongs_to_the_order_of_its_own_source(reader_of):
    """Two sources have an order of the same number, and a return without a currency has its order's."""
    rates = [{"day": day("01-01"), "from_currency": "MYR", "to_currency": "USD", "rate": "0.2"}]
    orders = [
        order("100", "a", "05-05", 50, document_id="shopify:100"),
        order("100", "b", "02-05", 500, document_id="shopee:100", currency="MYR"),
        order("7", "c", "05-05", 50, document_id="shopify:7"),
    ]
    returns = [
        back("1", "100", "05-20", 100, document_id="shopee:1"),
        back("2", "7", "05-20", 5),
        back("3", "7", "05-20", 1, document_id="shopee:3"),
    ]
    reader = reader_of(orders=orders, returns=returns, rates=rates)
    shown = ask(reader, "returned_value", every="month", last=5).rows()
    assert [(row["sold"], row["returned"]) for row in shown if row["orders"]] == [(100, 20), (100, 5)]


def test_orders_of_one_document_have_each_their_own_returns(reader_of):
    """As where a file has no numbers, and all that one customer bought at one time is one document."""
    orders = [order("1", "a", "02-05", 100, document_id="D"), order("2", "a", "02-05", 200, document_id="D")]
    lines = [
        {"order_id": n, "document_id": "D", "product_id": "p", "quantity": q, "day": day("02-05")}
        for n, q in (("1", 1), ("2", 2))
    ]
    returns = [back("r", "1", "02-20", 40, document_id="D", quantity=1)]
    reader = reader_of(orders=orders, order_lines=lines, returns=returns)
    value, units = ask(reader, "returned_value", window_days=150), ask(reader, "product_returns", window_days=150)
    assert (value.figures["sold"], value.figures["returned"]) == (300, 40)
    assert (units.figures["sold"], units.figures["returned"]) == (3, 1)


def test_of_two_orders_of_one_number_the_return_is_of_the_one_that_counts(reader_of):
    orders = [
        order("1", "a", "02-05", 100, document_id="d1"),
        order("1", "b", "02-06", 100, document_id="d2", cancelled_at=at("02-07 00:00")),
    ]
    reader = reader_of(orders=orders, returns=[back("r", "1", "02-20", 40)])
    assert ask(reader, "returned_value", window_days=150).figures["returned"] == 40


def test_a_return_without_a_customer_is_of_the_orders(reader_of):
    reader = reader_of(orders=bought("a", "01-05", total=100), returns=[back("r", "a-0", "02-20", 40)])
    assert ask(reader, "lifetime_value").rows()[-1]["cumulative"] == 60


def test_without_any_returns_their_rate_is_not_known(reader_of):
    answer = ask(reader_of(orders=bought("a", "02-02")), "returned_value")
    assert (answer.value, answer.reason) == (None, "no_returns")


def test_the_best_tenth_of_each_group(reader_of):
    """Within a group the best are the best of that group: a share is never above one."""
    people = [{"customer_id": f"{c}{n}", "source": c} for c in "ab" for n in range(10)]
    orders = [order(f"a{n}", f"a{n}", "05-05", 100) for n in range(10)]
    orders += [order(f"b{n}", f"b{n}", "05-05", 1 + 90 * (n == 0)) for n in range(10)]
    answer = ask(reader_of(orders=orders, customers=people), "concentration", by="source")
    assert {row["group"]: row["value"] for row in answer.rows()} == {"a": 0.1, "b": 0.91}
    assert answer.value == pytest.approx(200 / 1100)
