"""Two engines, one answer: every metric under DuckDB and under Spark, over the same files of one small shop."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from setia.conditions.behaviour import with_behaviour
from setia.conditions.condition import Condition
from setia.customers.traits import WORDS, observed
from setia.history.calendar import Calendar
from setia.history.scope import Scope
from setia.metrics.attributes import ATTRIBUTES
from setia.metrics.catalogue import METRICS
from setia.metrics.claims import claims
from setia.metrics.measure import Measure
from setia.metrics.variants import VARIANTS, variants
from setia.metrics.views import VIEWS
from setia.metrics.watch import watch
from setia.metrics.what_if import economics
from setia.segments.breakdown import Membership
from setia.simulate import ShopSettings, SimulatedShop

pytestmark = [pytest.mark.java, pytest.mark.slow]


@pytest.fixture
def shop(make_shop: Callable[..., Any], tmp_path: Any) -> Any:
    """A simulated shop with amounts in two currencies, vouchers, messages and consents beside what it simulates."""
    source = SimulatedShop(ShopSettings(seed=3, customers=160, weeks_of_history=60, events_per_order=1.0))
    files = source.history(tmp_path / "facts")
    more = {
        "rates": "day,from_currency,to_currency,rate\n2024-01-01,USD,IDR,15500.25\n2025-06-01,USD,IDR,16250.75",
        "orders": "order_id,customer_id,placed_at,total,currency,code,discount\n"
        "usd-1,C000001,2025-08-08 10:00:00+07:00,12.3456,USD,K1,1.5\nsgd-1,C000002,2025-08-09 10:00:00+07:00,9.99,SGD,,",
        "messages": "message_id,customer_id,programme,channel,state,code,cost,offer_cost,survey,sent_at,delivered_at,clicked_at\n"
        "m1,C000001,win-back,email,accepted,K1,50,9000,nps,2025-08-01 09:00:00+07:00,2025-08-01 09:01:00+07:00,\n"
        "m2,C000002,win-back,email,accepted,K2,50,9000,,2026-02-20 09:00:00+07:00,,2026-02-21 09:00:00+07:00\n",
        "consents": "consent_id,customer_id,channel,state,decided_at\n"
        "1,C000001,whatsapp,given,2025-03-03 09:00:00+07:00\n2,C000002,email,withdrawn,2025-03-03 09:00:00+07:00\n",
    }
    opened = make_shop(clock=lambda: source.now)
    opened.import_files(files)
    for name, text in more.items():
        path = tmp_path / f"{name}.csv"
        path.write_text(text, encoding="utf-8")
        opened.import_files([path])
    return opened


def same(one: Any, other: Any) -> bool:
    """Equal, floating-point numbers to their last digits."""
    if isinstance(one, float) and isinstance(other, float):
        return one == pytest.approx(other, rel=1e-12, abs=1e-12)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def asked(metric: Any) -> Iterator[dict[str, Any]]:
    """Ways to ask a metric: as it is, over time, by what can change with the window."""
    yield {}
    options = metric.options()
    if isinstance(metric, Measure):
        yield {"every": "month", "last": 6}
        yield from ({"by": name} for name in metric.own)
    if metric.name == "cohorts":
        yield from ({"kind": "on_or_after"}, {"kind": "bracket"}, {"clock": "since_first"}, {"most_cohorts": 70})
        yield from ({"every": every, "most_cohorts": 12} for every in ("day", "week", "quarter", "year"))
    if metric.name in ("lifetime_value", "time_between_purchases", "reachable"):
        yield {"by": "source"}
    if "by_channel" in options:
        yield {"by_channel": True}
    if metric.name in ("first_response", "resolution"):
        yield {"by": "reason"}


def test_every_number_is_the_same(spark_session: Any, shop: Any) -> None:
    from setia.warehouse.reader import pinned
    from setia.warehouse.spark import SparkReader

    scope = Scope(dt.date(2026, 3, 1), "IDR", "Asia/Jakarta", calendar=Calendar("ID"))
    with shop.reading() as duck, pinned(shop.store) as listed:
        spark = SparkReader(spark_session, shop.folder / "data", listed)
        other = []
        for metric in METRICS.values():
            for options in asked(metric):
                here, there = metric.ask(duck, scope, **options), metric.ask(spark, scope, **options)
                if not same([here.figures, here.rows(), here.reason], [there.figures, there.rows(), there.reason]):
                    other.append((metric.name, options))
        retention = METRICS["retention"]
        segment = Membership.of("orders >= 3 and rfm_value > 2 and stage <> 'lost'")
        for by in (*ATTRIBUTES, segment):
            here, there = retention.ask(duck, scope, by=by), retention.ask(spark, scope, by=by)
            if not same(here.rows(), there.rows()):
                other.append(("retention", {"by": by}))
            assert here.table.num_rows >= 1
        assert other == []
        for name in VARIANTS:
            assert variants(name, duck, scope) == variants(name, spark, scope), name
        assert claims(duck, scope) == claims(spark, scope)
        assert watch(duck, scope, ("order_value", "conversion")) == watch(spark, scope, ("order_value", "conversion"))
        assert economics(duck, scope) == economics(spark, scope)
        for name, view in VIEWS.items():
            rows = [sorted(map(str, each.arrow(view.rows(each, scope)).to_pylist())) for each in (duck, spark)]
            assert rows[0] == rows[1], name
        spark.close()


def test_every_trait_and_behaviour_is_the_same(spark_session: Any, shop: Any) -> None:
    from setia.warehouse.reader import pinned
    from setia.warehouse.spark import SparkReader

    scope = Scope(dt.date(2026, 3, 1), "IDR", "Asia/Jakarta", calendar=Calendar("ID"))
    # All families are joined; as broadcasts together they would not fit the test's own driver.
    spark_session.conf.set("spark.sql.autoBroadcastJoinThreshold", -1)
    with shop.reading() as duck, pinned(shop.store) as listed:
        spark = SparkReader(spark_session, shop.folder / "data", listed)
        asked = Condition.parse(
            "count_events('Product Viewed', 60, device = 'mobile') > 0 and sum_orders(90, day >= days_ago(60)) > 1 "
            "or days_since_order(channel = 'web') < 9 or not_followed('Product Added', 'Product Viewed', 3) "
            "or count_events('Product Viewed', property('list') = 'home') > 1 or count_orders_of(200, quantity > 1) > 1 "
            "or sum_products(category = 'x') > 5",
            WORDS,
        )
        here, there = (
            {
                row["customer_id"]: row
                for row in each.arrow(
                    with_behaviour(each, scope, observed(each, scope, 40.0), asked.behaviours)
                ).to_pylist()
            }
            for each in (duck, spark)
        )
        spark.close()
    assert here.keys() == there.keys()
    assert len(here) > 100
    other = {
        (name, who): (value, there[who][name])
        for who, row in here.items()
        for name, value in row.items()
        if not same([value], [there[who][name]])
    }
    assert other == {}


def test_asked_through_the_shop(spark_session: Any, shop: Any) -> None:
    spark = shop.metrics_on(spark_session)
    assert spark.retention(by="source").rows() == shop.metrics.retention(by="source").rows()
    assert spark.customers("retention", "lost") == shop.metrics.customers("retention", "lost")


def test_a_session_set_otherwise_is_refused(spark_session: Any, shop: Any) -> None:
    from setia.warehouse.spark import SparkSetOtherwise

    spark_session.conf.set("spark.sql.session.timeZone", "Asia/Jakarta")
    try:
        with pytest.raises(SparkSetOtherwise, match="Asia/Jakarta"):
            shop.metrics_on(spark_session).retention()
    finally:
        spark_session.conf.set("spark.sql.session.timeZone", "UTC")


def test_one_person_is_one_on_both(spark_session: Any, shop: Any, tmp_path: Any) -> None:
    from setia.warehouse.reader import pinned
    from setia.warehouse.spark import SparkReader

    more = {
        "customers": "customer_id,email,phone,name,created_at,known_at\n"
        "X1,same@example.com,,Ayu,2025-03-01T00:00:00Z,2025-05-01T00:00:00Z\n"
        "X2,same@example.com,+62811,Ayu Lestari,2025-02-01T00:00:00Z,2025-04-01T00:00:00Z\n",
        "exposures": "exposure_id,customer_id,programme,measurement,version,arm,bucket,exposed_at\n"
        "1,X1,w,w-1,1,treated,1,2025-06-02T00:00:00Z\n2,X2,w,w-1,1,held_out,2,2025-06-01T00:00:00Z\n"
        "3,C000003,w,w-1,1,held_out,2,2025-06-01T00:00:00Z\n",
    }
    for name, text in more.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
        shop.import_files([tmp_path / f"{name}.csv"])
    shop.refresh()
    with shop.reading() as duck, pinned(shop.store) as listed:
        spark = SparkReader(spark_session, shop.folder / "data", listed)
        for name in ("customers", "orders", "events", "exposures", "traits"):
            here, there = (sorted(map(str, each.arrow(each.table(name)).to_pylist())) for each in (duck, spark))
            assert len(here) == len(there)
            assert [a for a, b in zip(here, there, strict=True) if a != b] == [], name
        spark.close()
    (ayu,) = shop.sql("select * from customers where customer_id in ('X1', 'X2')").to_pylist()
    assert (ayu["name"], ayu["phone"], ayu["created_at"]) == (
        "Ayu", "+62811", dt.datetime(2025, 2, 1, tzinfo=dt.UTC),
    )  # fmt: skip
    arms = shop.sql("select customer_id, arm from exposures order by 1").to_pylist()
    assert [row["arm"] for row in arms] == ["held_out", "held_out"]
