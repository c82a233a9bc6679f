"""What is expected of everybody: published parameters through the front door, sane figures, refusals, successors."""

from __future__ import annotations

import datetime as dt
import json
import math
from dataclasses import asdict
from typing import Any

import duckdb
import numpy as np
import pytest
from tests.predictions.shops import SCOPE, orders

from setia.history.scope import Scope
from setia.predictions import candidates
from setia.predictions.backtest import backtest
from setia.predictions.correcting import Factor, Spread, factors, needed
from setia.predictions.drift import drift
from setia.predictions.expecting import _corrected
from setia.predictions.forecast import Forecast
from setia.predictions.horizon import BadHorizon, value_until
from setia.predictions.models.purchases import NoConvergence
from setia.predictions.next_order import Rhythm, coverage
from setia.predictions.outlook import NUMBERS, outlook
from setia.predictions.past import Windows


def looked(facts: Any, *ranking: str, scope: Scope = SCOPE, margin: float = 0.4, rate: float = 0.1, **more: Any) -> Any:
    return outlook(Windows(facts, scope, 90), ranking or ("mbg_nbd",), "none", margin, rate, **more)


def rows(found: Any) -> list[dict[str, Any]]:
    return found.table().to_pylist()


def sane(found: list[dict[str, Any]], day: dt.date) -> None:
    """Chances are chances, expectations are finite and not below 0, later is more, days lie ahead."""
    for row in found:
        for name in NUMBERS:
            if row[name] is not None:
                assert math.isfinite(row[name]), name
                assert row[name] >= 0, name
        assert row["chance_active"] is None or row["chance_active"] <= 1
        assert (
            row["chance_of_order_30d"] <= row["chance_of_order_60d"] + 1e-9 <= row["chance_of_order_90d"] + 2e-9 <= 1.1
        )
        assert row["chance_of_order_90d"] <= row["expected_orders_90d"] + 1e-9, "Markov's inequality"
        assert row["expected_orders_90d"] <= row["expected_orders_365d"] + 1e-9
        assert row["customer_value_365d"] <= 0.4 * row["expected_value_365d"] + 1e-9, "discounted margin"
        ahead = [row[name] for name in ("next_order_from", "next_order_day", "next_order_until") if row[name]]
        assert ahead == sorted(ahead)
        assert all(each >= day for each in ahead)


def test_learned_forecasts_are_sane_at_every_horizon(reader_of):
    found = looked(reader_of(orders=orders(people=900)), "boosted")
    assert found.card.model == "boosted"
    assert found.card.active_by == "mbg_nbd"
    sane(rows(found), SCOPE.as_of)


def test_goods_that_come_back_are_not_expected(reader_of):
    """Four in ten orders come back whole: no candidate expects their money."""
    everything = orders(people=900)
    back = [
        {"return_id": f"r{row['order_id']}", "order_id": row["order_id"], "customer_id": row["customer_id"],
         "amount": row["total"], "currency": "USD", "day": row["day"]}
        for row in everything if int(row["order_id"]) % 5 < 2
    ]  # fmt: skip
    found = backtest(reader_of(orders=everything, returns=back), SCOPE, candidates=("mbg_nbd", "boosted"))
    for each in found.scores:
        if each.correction == "none":
            assert abs(each.revenue_bias - each.days_bias) < 0.15, each.candidate


def test_prices_that_rise_inflate_no_orders(reader_of):
    first = dt.date(2024, 1, 1)
    dearer = [{**row, "total": row["total"] * 1.15 ** ((row["day"] - first).days / 90)} for row in orders(people=900)]
    found = backtest(reader_of(orders=dearer), SCOPE, candidates=("mbg_nbd",))
    apart = {
        kind: [e.revenue_bias - e.days_bias for e in found.scores if e.correction == kind] for kind in ("none", "level")
    }
    assert np.mean(apart["none"]) < -0.06, "yesterday's prices are too low for today"
    assert abs(np.mean(apart["level"])) < abs(np.mean(apart["none"])) / 2, "each is corrected by its own"


def test_all_alike_can_be_kept(reader_of):
    """A box shop in which everybody spends the same: nothing that JSON cannot keep."""
    found = [
        {"order_id": f"{who}-{n}", "customer_id": f"c{who}", "currency": "USD", "total": 10,
         "day": dt.date(2024, 1, 1) + dt.timedelta(days=30 * n)}
        for who in range(60) for n in range(16)
    ]  # fmt: skip
    test = backtest(reader_of(orders=found), SCOPE, candidates=("repeated", "lifetime_rate", "mbg_nbd"))
    json.dumps(asdict(test), default=str, allow_nan=False)


@pytest.mark.parametrize(
    "name", ["repeated", "lifetime_rate", "recency_cut", "mbg_nbd", "bg_nbd", "mbg_cnbd", "pareto_nbd"]
)
def test_every_candidate_says_something_sane(reader_of, name):
    found = looked(reader_of(orders=orders()), name)
    assert found.card.model == name
    assert found.card.customers == len(rows(found)) == 300
    if name not in candidates.NAIVE:
        sane(rows(found), SCOPE.as_of)
    assert found.card.active_by in (name, "mbg_nbd"), "whoever knows of none asks a purchase model"


def test_the_currency_changes_values_only(reader_of):
    dollars, rupiah = (rows(looked(reader_of(orders=orders(money=money)))) for money in (1, 15_000))
    for one, other in zip(dollars, rupiah, strict=True):
        for name in NUMBERS:
            factor = 15_000 if "value" in name else 1
            assert other[name] == pytest.approx(one[name] * factor, rel=1e-3), name


def test_intervals_hold_what_they_say(reader_of):
    """Made from the window before last, held against the last one; made now, they are those of the last window."""
    facts = reader_of(orders=orders(people=900))
    windows = Windows(facts, SCOPE, 90)
    past, before = windows.past(1), windows.past(2)
    fit = candidates.CANDIDATES["mbg_nbd"][1]
    then, now = fit(before).ahead(90), fit(past).ahead(90)
    held = Spread.of(then.days, before.next_days).coverage(now.days, past.next_days)
    assert held > 0.75
    found = rows(looked(facts))
    assert all(row["expected_orders_90d_from"] <= row["expected_orders_90d_to"] for row in found)
    assert sum(row["expected_orders_90d_to"] > 0 for row in found) > 100


def test_spread_by_hand():
    expected = np.repeat([1.0, 10.0], 100)
    actual = np.concatenate((np.arange(1, 101), 100 + np.arange(1, 101)))
    low, high = Spread.of(expected, actual).around(np.array([0.5, 1.0, 10.0, 20.0]))
    # Equals stay together: two groups of 100, of each the tenth from below and from above.
    assert low.tolist() == [10, 10, 110, 220], "in proportion beyond the last group"
    assert high.tolist() == [90, 90, 190, 380]
    assert Spread.of(expected, actual).coverage(expected, actual) == pytest.approx(0.81)
    nobody = Spread.of(np.zeros(0), np.zeros(0)).around(np.array([3.0]))
    assert [end.tolist() for end in nobody] == [[0.0], [0.0]]


def test_factors_by_hand():
    ratios = {1: Factor(1.0, 1.2), 4: Factor(0.8, 0.5), 5: Factor(0.8, 0.6)}
    found = factors(ratios, 0, 4)
    assert found["level"] == Factor(1.0, 1.2), "prices rose, orders did not"
    assert found["season"] == Factor(0.8, 0.5)
    assert (found["both"].days, found["both"].revenue) == pytest.approx((1.0, 0.5 * 1.2 / 0.6))
    assert factors({1: Factor(9.0, 0.1)}, 0, 4) == {"none": Factor(), "level": Factor(2.0, 0.5)}, "within bounds"
    assert factors({}, 0, None) == {"none": Factor()}
    assert needed("both", 1, 4) == {2, 5, 6}
    assert needed("season", 0, None) == set()


def test_a_year_has_an_interval_where_one_has_passed(reader_of):
    found = rows(looked(reader_of(orders=orders(people=600, days=800)), scope=SCOPE.at(dt.date(2026, 3, 1))))
    assert all(row["expected_value_365d_from"] <= row["expected_value_365d_to"] for row in found)
    assert sum(row["expected_orders_365d_to"] > row["expected_orders_90d_to"] for row in found) > 50
    short = looked(reader_of(orders=orders()), scope=SCOPE.at(dt.date(2024, 12, 1)))
    assert "no_year_interval" in short.card.limits
    assert all(row["expected_value_365d_to"] is None for row in rows(short))


def test_the_season_of_a_window_is_not_that_of_a_year():
    three, year = (Forecast(np.array([n]), np.array([10 * n]), np.array([0.5])) for n in (3.0, 12.0))
    ahead = {90.0: three, 365.0: year}
    quarter, whole = (_corrected(days, ahead, 90.0, Factor(2.0, 3.0)) for days in (90.0, 365.0))
    assert (quarter.days[0], quarter.revenue[0]) == (6, 90)
    assert (whole.days[0], whole.revenue[0]) == (15, 180)


def test_a_change_of_rhythm_is_followed(reader_of):
    """From every month to every week half a year ago: what is expected lies between both, and nobody seems to leave."""
    found = []
    for who in range(60):
        day = dt.date(2024, 1, 1) + dt.timedelta(days=who % 28)
        while day < SCOPE.as_of:
            number = str(len(found))
            found.append({"order_id": number, "customer_id": f"c{who}", "currency": "USD", "total": 10, "day": day})
            day += dt.timedelta(days=28 if day < dt.date(2024, 11, 15) else 7)
    for name in ("mbg_nbd", "mbg_cnbd", "pareto_nbd", "repeated"):
        told = looked(reader_of(orders=found), name)
        expected = [row["expected_orders_90d"] for row in rows(told)]
        assert all(90 / 28 < each < 1.1 * 90 / 7 for each in expected), name
        assert told.card.parameters is not None


def test_too_little_says_so(reader_of):
    found = looked(reader_of(orders=orders(people=12)))
    assert found.card.parameters is None
    assert "at least 30 customers" in found.card.reason
    assert len(rows(found)) == 12
    assert all(row[name] is None for row in rows(found) for name in NUMBERS)
    assert looked(reader_of()).card.customers == 0


def test_one_day_one_customer_no_repeats(reader_of):
    """Shops that no model fits get a reason, not a failure."""
    day = {"currency": "USD", "total": 5, "day": dt.date(2025, 5, 14)}
    everybody = [{"order_id": f"{n}", "customer_id": f"c{n}", **day} for n in range(100)]
    for shop in (everybody, everybody[:1], [{**each, "day": dt.date(2024, 3, 1)} for each in everybody]):
        found = looked(reader_of(orders=shop), "mbg_cnbd", "pareto_nbd")
        assert found.card.parameters is None
        assert found.card.reason


def test_nothing_or_less_than_nothing_spent(reader_of):
    """Free orders, refunds booked as orders: no negative values, no failure."""
    found = [{**row, "total": 0} for row in orders()]
    assert {row["expected_value_365d"] for row in rows(looked(reader_of(orders=found)))} == {0.0}
    found = [{**row, "total": -row["total"] if row["customer_id"] < "c020" else row["total"]} for row in orders()]
    sane(rows(looked(reader_of(orders=found))), SCOPE.as_of)


def test_the_next_candidate_takes_over(reader_of, monkeypatch):
    def never(_past: Any) -> Any:
        raise NoConvergence(slope=1, steps=9)

    monkeypatch.setitem(candidates.CANDIDATES, "mbg_cnbd", ("Never", never))
    found = looked(reader_of(orders=orders()), "mbg_cnbd", "bg_nbd")
    assert found.card.model == "bg_nbd"
    assert "found no best fit" in found.card.passed_over["mbg_cnbd"]


def test_a_customer_of_a_hundred_thousand_orders_disturbs_nobody(reader_of):
    """As many orders as the day grain allows, many a day."""
    whale = [
        {"order_id": f"w{n}", "customer_id": "whale", "currency": "USD", "total": 1,
         "day": dt.date(2024, 1, 1) + dt.timedelta(days=n % 500)}
        for n in range(100_000)
    ]  # fmt: skip
    found = rows(looked(reader_of(orders=[*orders(), *whale]), "mbg_cnbd"))
    sane(found, SCOPE.as_of)
    (own,) = (row for row in found if row["customer_id"] == "whale")
    assert 60 < own["expected_orders_90d"] <= 90, "one order a day, less the chance that they leave"


def test_value_until_a_day_adds_up(reader_of):
    facts = reader_of(orders=orders())
    windows = Windows(facts, SCOPE, 90)

    def value(until: dt.date, margin: float, rate: float) -> Any:
        return value_until(windows, ("mbg_nbd",), until, margin, rate)

    year = SCOPE.as_of + dt.timedelta(days=365)
    plain = value(year, 1.0, 0.0)
    assert plain["value"].to_pylist() == pytest.approx(plain["expected_revenue"].to_pylist())
    by_customer = {row["customer_id"]: row for row in rows(looked(facts, margin=1.0, rate=0.0))}
    for row in plain.to_pylist():
        assert row["value"] == pytest.approx(by_customer[row["customer_id"]]["expected_value_365d"])
    # By hand: what comes in each of the five stretches, discounted from its middle.
    fitted = candidates.CANDIDATES["mbg_nbd"][1](windows.past(0))
    ends = np.linspace(0, 365, 6)
    comes = np.diff([np.zeros(300), *(fitted.ahead(end).revenue for end in ends[1:])], axis=0)
    by_hand = sum(c / 1.2 ** ((a + b) / 2 / 365) for c, a, b in zip(comes, ends[:-1], ends[1:], strict=True))
    assert value(year, 0.5, 0.2)["value"].to_pylist() == pytest.approx((0.5 * by_hand).tolist())
    costs = value(year, -0.1, 0.0)["value"].to_pylist()
    assert max(costs) <= 0, "who buys at a loss costs"
    for wrong in (SCOPE.as_of, dt.date(2060, 1, 1)):
        with pytest.raises(BadHorizon, match="takes a day after 2025-05-15"):
            value(wrong, 1, 0)


def test_rhythm_recovers_and_its_shares_come_true():
    """Spreads within and between are found; of those silent for 15 days, shares come by their day."""
    rng = np.random.default_rng(3)
    own, n = rng.normal(3.2, 0.5, 20_000), rng.poisson(2, 20_000)
    logs = [rng.normal(mean, 0.4, count) for mean, count in zip(own, n, strict=True)]
    known = n.astype(float), np.array([each.sum() for each in logs])
    rhythm = Rhythm.of(*known, np.array([(each**2).sum() for each in logs]))
    assert (rhythm.mean, rhythm.within, rhythm.between) == pytest.approx((3.2, 0.4, 0.5), abs=0.01)
    following, silence = np.exp(rng.normal(own, 0.4)), np.full(20_000, 15.0)
    for share in (0.1, 0.5, 0.9):
        days = rhythm.days(share, *known, silence)
        assert (following <= days)[following > 15].mean() == pytest.approx(share, abs=0.012)
        assert rhythm.share_by(days, *known, silence) == pytest.approx(np.full(20_000, share))


def test_next_orders_of_a_real_shop_hold(reader_of):
    found = Windows(reader_of(orders=orders(people=900)), SCOPE, 90).past(1)
    assert coverage(found) == pytest.approx(0.8, abs=0.08)


def test_drift_tells_a_shop_that_changed(reader_of):
    """The same shop goes on as it was: nothing to say. Half of its customers stop: the prediction is off."""
    made = dt.date(2025, 2, 1)
    everything = orders(people=900)
    stopped = [row for row in everything if row["day"] < made or row["customer_id"] >= "c700"]
    card = looked(reader_of(orders=everything), scope=SCOPE.at(made)).card
    test = backtest(reader_of(orders=everything), SCOPE.at(made), candidates=("mbg_nbd",))
    told = looked(reader_of(orders=everything), scope=SCOPE.at(made), found=test).card
    assert told.windows >= 2
    kept = {
        "model": "mbg_nbd",
        "totals": [dict(each) for each in told.totals],
        "error": told.error,
        "windows": told.windows,
    }
    same, other = (drift(reader_of(orders=each), SCOPE, made, kept) for each in (everything, stopped))
    assert card.totals == told.totals
    assert not same.drifted
    assert other.drifted
    assert other.actual < other.low
    days = {row["customer_id"] for row in everything if row["day"] < made}
    came = {
        (r["customer_id"], r["day"]) for r in everything if made <= r["day"] < SCOPE.as_of and r["customer_id"] in days
    }
    assert same.actual == len([each for each in came if (each[1] - made).days < same.days])
    assert drift(reader_of(orders=everything), SCOPE.at(made + dt.timedelta(days=3)), made, kept) is None, "too young"


@pytest.mark.data
@pytest.mark.slow
def test_cdnow(make_shop, data_set, tmp_path):
    """23,570 people who first bought in early 1997, 39 weeks: the parameters others found on the same log."""
    log = tmp_path / "orders.csv"
    duckdb.execute(f"copy (from read_parquet('{data_set('cdnow_master.parquet')}')) to '{log}' (header)")
    shop = make_shop(currency="USD", time_zone="America/New_York")
    shop.import_files([log])
    as_of = dt.date(1997, 10, 1)
    card = shop.refresh(as_of=as_of).card
    assert (card.customers, card.repeat_customers) == (23_570, 9_451)
    assert list(card.parameters.values()) == pytest.approx([0.63714, 51.1720, 0.80747, 1.22839], rel=2e-4)
    assert card.log_likelihood == pytest.approx(-142_694.574, abs=0.01)
    assert card.dropout_identified is True
    assert list(card.value_parameters.values()) == pytest.approx([6.27536, 3.62445, 14.98369], rel=1e-3)
    sane(shop.sql("from traits").to_pylist(), as_of)
    bg = shop.refresh(as_of=as_of, model="bg_nbd").card
    assert list(bg.parameters.values()) == pytest.approx([0.25162, 33.5226, 0.72343, 2.16109], rel=2e-4)
    assert bg.log_likelihood == pytest.approx(-142_726.059, abs=0.01)


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
    assert "dropout" in done.card.limits
    found = shop.sql("from traits where orders > 0").to_pylist()
    assert len(found) == done.card.customers
    sane(found, done.as_of)
