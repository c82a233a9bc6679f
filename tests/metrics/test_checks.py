"""Every metric agrees with the query that was written for it by hand, on random small shops and on real ones."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from setia.metrics import buying, keeping
from setia.metrics.answer import Scope
from setia.metrics.catalogue import METRICS

ZONE = "Asia/Jakarta"
FIRST = dt.date(2024, 1, 1)
one_reader = settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def order_logs(draw):
    """Orders, returns and rates of a few people over 14 months, with everything in them that must not count."""
    person = st.sampled_from(["ani", "budi", "citra", "dewi", None])
    rare = st.sampled_from([None, False, False, False, True])
    currency = st.sampled_from([None, "IDR", "IDR", "USD", "SGD"])

    def order(number: int) -> dict:
        day = FIRST + dt.timedelta(days=draw(st.integers(0, 420)))
        noon = dt.datetime.combine(day, dt.time(5), dt.UTC)
        cancelled = draw(st.sampled_from([None, None, None, 0, 40]))
        return {
            "order_id": f"o{number}",
            "document_id": f"o{number}",
            "customer_id": draw(person),
            "placed_at": noon,
            "day": day,
            "total": Decimal(draw(st.integers(-500, 5000))) / 100,
            "cancelled_at": None if cancelled is None else noon + dt.timedelta(days=cancelled),
            "currency": draw(currency),
            "is_test": draw(rare),
            "is_staff": draw(rare),
            "is_adjustment": draw(rare),
        }

    def back(number: int) -> dict:
        day = FIRST + dt.timedelta(days=draw(st.integers(0, 420)))
        amount = Decimal(draw(st.integers(1, 3000))) / 100
        person_and_money = {"customer_id": draw(person), "amount": amount, "currency": draw(currency)}
        return {"return_id": f"r{number}", "day": day, **person_and_money}

    def rate(number: int) -> dict:
        day = FIRST + dt.timedelta(days=60 * number)
        value = Decimal(draw(st.integers(1, 2_000_000))) / 100
        return {"day": day, "from_currency": "USD", "to_currency": "IDR", "rate": value}

    orders = [order(number) for number in range(draw(st.integers(0, 40)))]
    returns = [back(number) for number in range(draw(st.integers(0, 4)))]
    return {"orders": orders, "returns": returns, "rates": [rate(n) for n in range(draw(st.integers(0, 3)))]}


def agree(reader, scope, check, period_days):
    """Assert that all metrics equal their checks for one scope."""
    _retention(reader, scope, check, period_days)
    _cohorts(reader, scope, check)
    repeat = buying.repeat_purchase(reader, scope, window_days=period_days).figures
    (expected,) = check(reader, "repeat_purchase", scope, window_days=period_days)
    assert {name: repeat[name] for name in expected} == expected
    assert repeat["rate"] == (expected["repeat_customers"] / repeat["customers"] if repeat["customers"] else None)
    value = buying.order_value(reader, scope, months=1000)
    (expected,) = check(reader, "order_value", scope)
    assert {name: value.figures[name] for name in expected} == expected
    rows = value.table.to_pylist()
    assert sum(row["net"] for row in rows) == value.figures["net"]
    assert [row["month"] for row in rows] == sorted({row["month"] for row in rows})
    _gaps(reader, scope, check)


def _retention(reader, scope, check, period_days):
    answer = keeping.retention(reader, scope, period_days=period_days, periods=20)
    rows = answer.table.to_pylist()
    for row in rows:
        until = Scope(row["period_until"], scope.currency, scope.time_zone)
        (expected,) = check(reader, "retention", until, until=scope.until, period_days=period_days)
        assert {name: row[name] for name in expected} == expected
        assert row["start"] + row["new"] + row["returned"] - row["lost"] == row["end"]
        assert min(row[name] for name in ("start", "retained", "lost", "new", "returned", "end")) >= 0
        assert row["retention"] == (row["retained"] / row["start"] if row["start"] else None)
        assert row["start"] == 0 or row["retention"] + row["churn"] == pytest.approx(1)
    assert (answer.reason is None) == (answer.figures["retention"] is not None)
    if rows:
        assert answer.figures == {"period_days": period_days, **rows[-1]}
    else:
        assert answer.reason == "history_too_short"


def _cohorts(reader, scope, check):
    answer = keeping.cohorts(reader, scope, most_cohorts=1000)
    cells = {(row["cohort"], row["age"]): row for row in answer.table.to_pylist()}
    expected = {(row["cohort"], row["age"]): row["customers"] for row in check(reader, "cohorts", scope)}
    assert {key: row["customers"] for key, row in cells.items() if row["customers"]} == expected
    for (cohort, _age), row in cells.items():
        assert row["size"] == expected[cohort, 0]
        assert row["mature"] == (row["share"] is not None)
    assert (answer.reason is None) == bool(cells)


def _gaps(reader, scope, check):
    answer = buying.time_between_purchases(reader, scope)
    expected = check(reader, "time_between_purchases", scope)
    rows = answer.table.to_pylist()
    assert [(row["days"], row["at_risk"]) for row in rows] == [(row["days"], row["at_risk"]) for row in expected]
    assert [row["survival"] for row in rows] == pytest.approx([row["survival"] for row in expected], abs=1e-9)
    median = next((row["days"] for row in expected if row["survival"] <= 0.5 + 1e-9), None)
    assert answer.figures["median_days"] == median


@pytest.mark.slow
@one_reader
@given(log=order_logs(), age=st.integers(-10, 430), period_days=st.integers(1, 120))
def test_random_shops(reader_of, check, log, age, period_days):
    reader = reader_of(**log)
    agree(reader, Scope(FIRST + dt.timedelta(days=age), "IDR", ZONE), check, period_days)


@pytest.mark.slow
@one_reader
@given(log=order_logs(), age=st.integers(0, 430))
def test_the_future_does_not_show(reader_of, log, age):
    """As of a day, the figures are those of a shop that knows only what had happened until then."""
    scope = Scope(FIRST + dt.timedelta(days=age), "IDR", ZONE)
    past = [
        {**row, "cancelled_at": row["cancelled_at"] if (row["cancelled_at"] or scope.until) < scope.until else None}
        for row in log["orders"]
        if row["day"] < scope.as_of
    ]
    all_of_it = reader_of(**log)
    returned = [row for row in log["returns"] if row["day"] < scope.as_of]
    known_then = reader_of(orders=past, returns=returned, rates=log["rates"])
    for metric in (
        keeping.retention,
        keeping.cohorts,
        buying.repeat_purchase,
        buying.order_value,
        buying.time_between_purchases,
    ):
        now, then = metric(all_of_it, scope), metric(known_then, scope)
        assert (now.figures, now.reason, now.table.to_pylist()) == (then.figures, then.reason, then.table.to_pylist())


def test_every_metric_is_declared(reader_of):
    reader, scope = reader_of(), Scope(FIRST, "IDR", ZONE)
    answers = (
        keeping.retention(reader, scope),
        keeping.cohorts(reader, scope),
        buying.repeat_purchase(reader, scope),
        buying.order_value(reader, scope),
        buying.time_between_purchases(reader, scope),
    )
    assert {answer.metric for answer in answers} | {"churn"} == set(METRICS)


@pytest.mark.data
@pytest.mark.slow
def test_cdnow(reader_of, check, data_set):
    path = data_set("cdnow_master.parquet")
    reader = reader_of(
        orders=f"select row_number() over ()::varchar as order_id, customer_id, date as day, spend as total "
        f"from read_parquet('{path}')"
    )
    scope = Scope(dt.date(1998, 7, 1), "USD", "America/New_York")
    agree(reader, scope, check, 90)
    value = buying.order_value(reader, scope)
    assert value.figures["orders"] == 69_659
    assert value.figures["gross"] == Decimal("2500315.6300")
    cohorts = keeping.cohorts(reader, scope).table.to_pylist()
    assert sum(row["size"] for row in cohorts if row["age"] == 0) == 23_570
    assert {row["cohort"].month for row in cohorts} == {1, 2, 3}, "all of them first bought in the first quarter"


@pytest.mark.data
@pytest.mark.slow
def test_online_retail(make_shop, check, data_set, tmp_path):
    import duckdb

    invoices = tmp_path / "online_retail.csv"
    source = data_set("online_retail.parquet")
    duckdb.connect().execute(f"copy (from read_parquet('{source}')) to '{invoices}' (header)")
    shop = make_shop(currency="GBP", time_zone="Europe/London")
    shop.import_files([invoices])
    with shop.reading() as reader:
        scope = shop.scope(reader)
        assert scope.as_of == dt.date(2011, 12, 10)
        agree(reader, scope, check, 90)
        agree(reader, shop.scope(reader, dt.date(2011, 6, 1)), check, 30)
        net = buying.order_value(reader, scope).figures["net"]
        assert net == pytest.approx(Decimal("9747747.934"), abs=Decimal("0.01"))
