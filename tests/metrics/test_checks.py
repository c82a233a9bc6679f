"""Every metric agrees with the query that was written for it by hand, on random small shops and on real ones."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from setia.history.scope import Scope
from setia.metrics.catalogue import METRICS
from setia.metrics.measure import Measure
from setia.settings import MetricSettings

from .agreeing import LISTINGS, listings_agree, measures_agree, windows_of
from .shops import FIRST, ZONE, facts

one_reader = settings(max_examples=6, suppress_health_check=list(HealthCheck))


def test_every_metric_has_a_check_that_is_compared():
    for metric in METRICS.values():
        assert metric.check_query().startswith("-- "), metric.name
        assert isinstance(metric, Measure) or metric.name in LISTINGS, metric.name


@pytest.mark.slow
@one_reader
@given(shop=facts(), age=st.integers(-10, 430), event=st.sampled_from([None, "Signed In"]))
def test_random_shops(reader_of, check, shop, age, event):
    reader = reader_of(**shop)
    choices = MetricSettings(activation_event=event)
    scope = Scope(FIRST + dt.timedelta(days=age), "IDR", ZONE, choices)
    measures_agree(reader, scope, check, windows_of(scope))
    listings_agree(reader, scope, check)


@pytest.mark.slow
@settings(max_examples=4, suppress_health_check=list(HealthCheck))
@given(shop=facts(25), age=st.integers(0, 430))
def test_the_future_does_not_show(reader_of, shop, age):
    """As of a day, the figures are those of a shop that knows only what had happened until then."""
    scope = Scope(FIRST + dt.timedelta(days=age), "IDR", ZONE)
    all_of_it, known_then = reader_of(**shop), reader_of(**_until(shop, scope))
    for metric in METRICS.values():
        now, then = metric.ask(all_of_it, scope), metric.ask(known_then, scope)
        if (now.reason or "").startswith("no_") or (then.reason or "").startswith("no_"):
            continue  # an empty table is said to be empty only once nothing is in it
        assert (now.figures, now.reason, now.rows()) == (then.figures, then.reason, then.rows()), metric.name


def _until(shop, scope):
    """What had happened before `as_of`; states that came later are not known yet."""

    def known(row):
        return {name: None if isinstance(v, dt.datetime) and v >= scope.until else v for name, v in row.items()}

    days = ("orders", "returns", "events", "answers", "messages", "costs", "cases")
    past = {name: [known(row) for row in shop[name] if row["day"] < scope.as_of] for name in days}
    begun = [known(row) for row in shop["subscriptions"] if row["started_at"] < scope.until]
    # A trial under way is known with its end, which lies ahead.
    for row, whole in zip(begun, (r for r in shop["subscriptions"] if r["started_at"] < scope.until), strict=True):
        row["trial_ends_at"] = whole["trial_ends_at"]
    decided = [row for row in shop["consents"] if row["decided_at"] < scope.until]
    return {
        **shop,
        **past,
        "subscriptions": begun,
        "consents": decided,
        "customers": [known(r) for r in shop["customers"]],
    }


@pytest.mark.slow
@settings(max_examples=2, suppress_health_check=list(HealthCheck), phases=(Phase.generate,))
@given(shop=facts())
def test_groups_add_up(reader_of, shop):
    """Whatever a measure is broken down by, the parts of the groups sum to those of everybody; but for the best of each."""
    reader, scope = reader_of(**shop), Scope(FIRST + dt.timedelta(days=400), "IDR", ZONE)
    windows = windows_of(scope)
    for metric in METRICS.values():
        if not isinstance(metric, Measure):
            continue
        added = [part.name for part in metric.parts if not part.name.startswith("top_")]
        whole = {
            window: {name: parts[name] for name in added}
            for (window, _all), parts in metric.sums(reader, scope, windows).items()
        }
        for by in (*metric.own, "first_channel", "source"):
            sums: dict[int, dict[str, object]] = {}
            for (window, _group), parts in metric.sums(reader, scope, windows, by).items():
                known = sums.setdefault(window, metric.nothing())
                sums[window] = {name: known[name] + parts[name] for name in added}
            assert sums == whole, (metric.name, by)


@pytest.mark.data
@pytest.mark.slow
def test_cdnow(reader_of, check, data_set):
    path = data_set("cdnow_master.parquet")
    reader = reader_of(
        orders=f"select row_number() over ()::varchar as order_id, customer_id, date as day, spend as total "
        f"from read_parquet('{path}')"
    )
    scope = Scope(dt.date(1998, 7, 1), "USD", "America/New_York")
    measures_agree(reader, scope, check, windows_of(scope))
    listings_agree(reader, scope, check)
    value = METRICS["order_value"].ask(reader, scope, window_days=600)
    assert value.figures["orders"] == 69_659
    assert value.figures["gross"] == Decimal("2500315.6300")
    cohorts = METRICS["cohorts"].ask(reader, scope).rows()
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
        measures_agree(reader, scope, check, windows_of(scope))
        listings_agree(reader, scope, check)
        net = METRICS["order_value"].ask(reader, scope, window_days=400).figures["net"]
        assert net == pytest.approx(Decimal("9747747.934"), abs=Decimal("0.01"))
