"""The predictions of a whole shop: published parameters through the front door, units, and what cannot be fitted."""

from __future__ import annotations

import datetime as dt
import math

import duckdb
import pytest

from setia.predictions.service import SCORES, predict

# Sixty people with one to seven purchase days in a year, from whole-number arithmetic alone.
HISTORIES = """
    select 'c' || i as customer_id, 1 + (i * 7) % 5 * (i % 2) as purchase_days,
        if((1 + (i * 7) % 5 * (i % 2)) > 1, 20 + (i * 37) % 250, 0) as recency, 300 + i as days_since_first_order,
        {money} * (10 + (i * 13) % 40) as repeat_value, {money} * (20 + (i * 29) % 90) as gross_revenue
    from range(60) t(i)"""


def predicted(histories: str, model: str = "mbg_nbd"):
    """The card, and the scores by customer."""
    connection = duckdb.connect()
    connection.execute(f"create table traits as {histories}")
    card = predict(connection, "traits", model)
    rows = connection.sql("select * from predicted order by customer_id").to_arrow_table().to_pylist()
    return card, {row.pop("customer_id"): row for row in rows}


def sane(scores: dict[str, dict]) -> None:
    """Assert that chances are chances and expectations are finite and not below 0."""
    for row in scores.values():
        for name in SCORES:
            assert math.isfinite(row[name]), name
            assert row[name] >= 0, name
        assert row["chance_active"] <= 1
        assert row["chance_of_order_90d"] <= 1
        assert row["chance_of_order_90d"] <= row["expected_orders_90d"] + 1e-9, "Markov's inequality"
        assert row["expected_orders_90d"] <= row["expected_orders_365d"]
        assert row["expected_value_365d"] == pytest.approx(row["expected_orders_365d"] * row["expected_order_value"])


def test_every_buyer_is_scored():
    card, scores = predicted(HISTORIES.format(money=1))
    assert (card.customers, card.repeat_customers, len(scores)) == (60, 24, 60)
    assert card.reason is None
    sane(scores)


def test_the_currency_changes_values_only():
    _, dollars = predicted(HISTORIES.format(money=1))
    _, rupiah = predicted(HISTORIES.format(money=15_000))
    for name, row in dollars.items():
        for score in SCORES:
            factor = 15_000 if "value" in score else 1
            assert rupiah[name][score] == pytest.approx(row[score] * factor, rel=1e-6), score


def test_who_has_not_bought_is_not_scored():
    histories = f"{HISTORIES.format(money=1)} union all select 'nobody', 0, null, null, null, 0"
    card, scores = predicted(histories)
    assert card.customers == 60
    assert "nobody" not in scores


def test_too_little_to_fit_says_so():
    card, scores = predicted(f"select * from ({HISTORIES.format(money=1)}) limit 20")
    assert card.parameters is None
    assert card.reason is not None
    assert "at least 30 customers" in card.reason
    assert all(value is None for row in scores.values() for value in row.values())
    assert len(scores) == 20


def test_repeat_orders_worth_nothing_or_less():
    """Free repeat orders and refunds booked as orders neither break the value model nor give negative values."""
    histories = f"select * replace (if(customer_id < 'c3', -5000, repeat_value) as repeat_value, " \
                f"if(customer_id < 'c3', -500, gross_revenue) as gross_revenue) " \
                f"from ({HISTORIES.format(money=1)})"  # fmt: skip
    _, scores = predicted(histories)
    sane(scores)
    _, scores = predicted(
        f"select * replace (0 as repeat_value, 0 as gross_revenue) from ({HISTORIES.format(money=1)})"
    )
    assert {row["expected_value_365d"] for row in scores.values()} == {0.0}


def test_one_price_for_everything():
    prices = f"select * replace (50 as repeat_value, 50 * purchase_days as gross_revenue) from ({HISTORIES})"
    _, scores = predicted(prices.format(money=1))
    sane(scores)
    assert all(row["expected_order_value"] == pytest.approx(50, rel=0.01) for row in scores.values())


@pytest.mark.data
@pytest.mark.slow
def test_cdnow(make_shop, data_set, tmp_path):
    """23,570 people who first bought in early 1997, 39 weeks: the parameters others found on the same log."""
    orders = tmp_path / "orders.csv"
    duckdb.execute(f"copy (from read_parquet('{data_set('cdnow_master.parquet')}')) to '{orders}' (header)")
    shop = make_shop(currency="USD", time_zone="America/New_York")
    shop.import_files([orders])
    as_of = dt.date(1997, 10, 1)
    card = shop.refresh(as_of=as_of).card
    assert (card.customers, card.repeat_customers) == (23_570, 9_451)
    assert list(card.parameters.values()) == pytest.approx([0.63714, 51.1720, 0.80747, 1.22839], rel=2e-4)
    assert card.log_likelihood == pytest.approx(-142_694.574, abs=0.01)
    assert card.dropout_identified is True
    assert list(card.value_parameters.values()) == pytest.approx([6.27536, 3.62445, 14.98369], rel=1e-3)
    sane({row["customer_id"]: row for row in shop.sql("from traits").to_pylist()})
    bg = shop.refresh(as_of=as_of, model="bg_nbd").card
    assert list(bg.parameters.values()) == pytest.approx([0.25162, 33.5226, 0.72343, 2.16109], rel=2e-4)
    assert bg.log_likelihood == pytest.approx(-142_726.059, abs=0.01)
    with shop.reading() as reader:
        _the_unit_of_time_changes_nothing(reader.duck)


def _the_unit_of_time_changes_nothing(connection):
    """The same histories with every time in hours: parameters move with the unit, who is still active does not."""
    shape = "customer_id, purchase_days, repeat_value, gross_revenue"
    days = predict(connection, f"(select {shape}, recency, days_since_first_order from traits)")
    connection.execute("create temp table by_day as from predicted")
    hours = predict(
        connection,
        f"(select {shape}, recency * 24 as recency, days_since_first_order * 24 as days_since_first_order from traits)",
    )
    for name, factor in zip(days.parameters, (1, 24, 1, 1), strict=True):
        assert hours.parameters[name] == pytest.approx(days.parameters[name] * factor, rel=1e-4), name
    ((apart,),) = connection.execute(
        "select max(abs(p.chance_active - d.chance_active)) from predicted p join by_day d using (customer_id)"
    ).fetchall()
    assert apart < 1e-4


@pytest.mark.data
@pytest.mark.slow
def test_online_retail_does_not_show_that_anybody_leaves(make_shop, data_set, tmp_path):
    invoices = tmp_path / "invoices.csv"
    duckdb.execute(f"copy (from read_parquet('{data_set('online_retail.parquet')}')) to '{invoices}' (header)")
    shop = make_shop(currency="GBP", time_zone="Europe/London")
    shop.import_files([invoices])
    done = shop.refresh()
    assert done.as_of == dt.date(2011, 12, 10)
    assert done.card.dropout_identified is False
    rows = shop.sql("from traits where orders > 0").to_pylist()
    assert len(rows) == done.card.customers
    sane({row["customer_id"]: row for row in rows})
