"""Subscribers' risks: what was known by hand, nothing known too early, and shops whose true chances are known."""

from __future__ import annotations

import calendar
import datetime as dt
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from setia.history.scope import Scope
from setia.predictions.stretches import COVARIATES, Payers, Stretches, _terms
from setia.predictions.subscribers import FORECASTS, OutOfReach, _months, _payments, judge, subscriber_risks
from setia.simulate import ShopSettings, SimulatedShop

SCOPE = Scope(dt.date(2025, 7, 1), "USD", "Asia/Jakarta")
Facts = dict[str, list[dict[str, Any]]]


def at(day: str, clock: str = "12:00") -> dt.datetime:
    return dt.datetime.fromisoformat(f"{day} {clock}+07:00")


def subscription(number: str, who: str, begins: str, amount: float = 10, **more: Any) -> dict[str, Any]:
    return {"subscription_id": number, "customer_id": who, "started_at": at(begins), "amount": amount,
            "currency": "USD", **more}  # fmt: skip


def done(who: str, day: str, **more: Any) -> dict[str, Any]:
    return {"customer_id": who, "day": dt.date.fromisoformat(day), **more}


BY_HAND: Facts = {
    "subscriptions": [
        subscription("1", "a", "2025-01-15", period_months=1, ended_at=at("2025-05-20")),
        subscription("1", "a", "2025-05-20", 12, period_months=1),
        subscription("2", "b", "2024-03-10", 240, period_months=12, cancelled_at=at("2025-06-25")),
        subscription("3", "b", "2024-01-01", 3, period_weeks=1),
        subscription("4", "free", "2025-01-01", 0),
        subscription("5", "trial", "2025-06-20", trial_ends_at=at("2025-07-20")),
        subscription("6", "gone", "2025-01-01", ended_at=at("2025-05-01")),
        subscription("7", "back", "2023-01-01", ended_at=at("2024-01-01")),
        subscription("8", "back", "2025-06-30", 15, period_weeks=2, ended_at=at("2025-07-15")),
    ],
    "events": [
        done("x", "2023-01-01", event_id="0", name="Product Viewed"),
        done("x", "2023-01-01", event_id="00", name="Payment Failed"),
        *(done("a", day, event_id=day, name="Product Viewed") for day in ("2025-06-30", "2025-06-01", "2025-05-31")),
        done("a", "2025-06-30", event_id="again", name="Product Added"),
        done("a", "2025-06-20", event_id="f1", name="Payment Failed"),
        done("a", "2025-04-20", event_id="f2", name="Payment Failed"),
        done("a", "2025-01-20", event_id="f3", name="Payment Failed"),
        done("a", "2025-07-01", event_id="later", name="Payment Failed"),
    ],
    "cases": [done("a", "2025-05-01", case_id="1"), done("b", "2025-06-10", case_id="2")],
    "answers": [
        done("a", "2025-05-20", answer_id="1", survey="nps", score=8, answered_at=at("2025-05-20")),
        done("a", "2025-05-10", answer_id="2", survey="csat", score=1, scale=5, answered_at=at("2025-05-10")),
        done("b", "2025-06-20", answer_id="3", survey="csat", score=4, scale=5, answered_at=at("2025-06-20")),
        done("back", "2024-06-20", answer_id="4", survey="nps", score=1, answered_at=at("2024-06-20")),
    ],
    "orders": [
        done("a", "2025-05-02", order_id="1", cancelled_at=at("2025-06-01")),
        done("a", "2025-06-30", order_id="2", is_test=True),
        done("x", "2023-01-01", order_id="0"),
    ],
}  # fmt: skip


def test_what_is_known_on_a_day_by_hand(reader_of):
    stretches = Stretches(reader_of(**BY_HAND), SCOPE)
    now = stretches.payers(0)
    assert stretches.customers[now.who].tolist() == ["a", "b", "back"]
    assert now.monthly == pytest.approx([12, 20 + 13, 32.5])
    assert stretches.period(now, 0).tolist() == [166 // 30 + 1, 477 // 30 + 1, 1]
    told = dict(zip(COVARIATES, stretches.covariates(now, 0).T, strict=True))
    for name, expected in {
        "log_price": np.log([12, 33, 32.5]),
        "log_term_months": np.log([1, 12, 24 / 52]),
        "renewal_due": [1, 0, 1],
        "asked_to_end": [0, 0, 0],
        "asked_to_end_later": [0, 1, 0],
        "subscribed_before": [0, 1, 1],
        "payment_failures_30d": np.log1p([1, 0, 0]),
        "payment_failures_90d": np.log1p([2, 0, 0]),
        "cases_30d": [np.nan] * 3,
        "cases_90d": [np.nan] * 3,
        "last_score": [0.8, 0.75, np.nan],
        "visit_days_30d": np.log1p([2, 0, 0]),
        "visit_days_30d_before": np.log1p([1, 0, 0]),
        "orders_30d": [0, 0, 0],
        "orders_90d": np.log1p([1, 0, 0]),
    }.items():
        # The oldest case is of 1 May: two whole stretches before the first of July are on record, and no three.
        expected = np.log1p([0, 1, 0]) if name == "cases_30d" else expected
        assert told[name] == pytest.approx(np.array(expected, dtype=float), nan_ok=True), name
    # Renewals of the next year: of a on the 15th of each month, whatever the price did.
    assert sum(stretches.renewals(now, -k) for k in range(12)).tolist() == [12, 1, 360 // 14]
    assert stretches.renewals(now, -8).tolist() == [1, 1, 2]
    later = dict(zip(COVARIATES, stretches.covariates(now, -8).T, strict=True))
    assert later["asked_to_end"].tolist() == [0, 1, 0]
    assert later["asked_to_end_later"].tolist() == [0, 0, 0]
    for name in COVARIATES:
        if name not in ("renewal_due", "asked_to_end", "asked_to_end_later"):
            assert later[name] == pytest.approx(told[name], nan_ok=True), name
    # One in ten goes in each stretch; a pays in each of the twelve, b once, in the ninth.
    staying = np.tile(0.9 ** np.arange(14), (3, 1))
    paid = [12 * 0.9 ** (k + 1) * 1.1 ** (-(30 * k + 15) / 365) for k in range(12)]
    by_hand = [sum(paid), 33 * 12 * 0.9**9 * 1.1 ** (-255 / 365)]
    assert _payments(stretches, now, staying, 0.1)[:2] == pytest.approx(by_hand)
    ends = 0.9 ** np.array([*range(13), 365 / 30])
    months = sum((ends[k] + ends[k + 1]) / 2 * 30 for k in range(12)) + (ends[12] + ends[13]) / 2 * 5
    assert _months(staying) == pytest.approx([months * 12 / 365] * 3)
    then = stretches.payers(3)
    assert stretches.customers[then.who].tolist() == ["a", "b", "gone"]
    assert then.monthly[0] == 10
    assert dict(zip(COVARIATES, stretches.covariates(then, 3).T, strict=True))["asked_to_end_later"].tolist() == [0] * 3


@given(
    minutes=st.integers(0, 2 * 366 * 24 * 60), days=st.integers(1, 1500),
    months=st.sampled_from([0, 1, 2, 3, 6, 12]), weeks=st.integers(1, 6),
)  # fmt: skip
def test_terms_against_counting_on_the_calendar(minutes, days, months, weeks):
    anchor = dt.datetime(2020, 1, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=minutes)

    def renewal(number: int) -> dt.datetime:
        if not months:
            return anchor + dt.timedelta(weeks=weeks * number)
        year, month = divmod(anchor.year * 12 + anchor.month - 1 + months * number, 12)
        return anchor.replace(year=year, month=month + 1, day=min(anchor.day, calendar.monthrange(year, month + 1)[1]))

    before = anchor.replace(hour=0, minute=0, second=0, microsecond=0) + dt.timedelta(days=days)
    count = 0
    while renewal(count + 1) < before:
        count += 1
    one = np.array([anchor.replace(tzinfo=None)], dtype="M8[us]")
    number, nothing = np.zeros(1, dtype=np.intp), np.zeros(1, dtype=bool)
    payers = Payers(0, number, number + 1.0, np.array([float(months)]), np.array([0.0 if months else weeks]), one, one,
                    nothing, nothing)  # fmt: skip
    assert _terms(payers, np.datetime64(before.replace(tzinfo=None), "us")).tolist() == [count]


def months_on(moment: dt.datetime, months: int) -> dt.datetime:
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    return moment.replace(year=year, month=month + 1, day=min(moment.day, 28))


def shop(people: int, seed: int, base: float = 0.05, failed: float = 0.4, failing: float = 0.1) -> Facts:
    """Monthly subscribers who end with one chance at each renewal, and with another after a payment that failed three
    days into the month; some ask for it a week before. Other things happen by chance. To the end of 2025."""
    draw = np.random.default_rng(seed)
    subscriptions, events, cases, answers, orders = [], [], [], [], []
    for n in range(people):
        who, start = f"c{n:04}", at("2023-06-01") + dt.timedelta(days=float(draw.uniform(0, 900)))
        price, ended, asked = float(draw.choice([9, 19, 29])), None, None
        for month in range(40):
            begins, ends = months_on(start, month), months_on(start, month + 1)
            if begins >= at("2026-01-01"):
                break
            moment = begins + dt.timedelta(days=float(draw.uniform(0, 28)))
            told = {"customer_id": who, "day": moment.date()}
            fails = draw.random() < failing
            if fails:
                day = begins + dt.timedelta(days=3)
                events.append({"event_id": f"f{n}-{month}", "customer_id": who, "name": "Payment Failed",
                               "occurred_at": day, "day": day.date()})  # fmt: skip
            events.append({"event_id": f"v{n}-{month}", "name": "Product Viewed", "occurred_at": moment, **told})
            match draw.integers(8):
                case 0:
                    cases.append({"case_id": f"{n}-{month}", "opened_at": moment, **told})
                case 1:
                    answers.append({"answer_id": f"{n}-{month}", "survey": "nps", "score": int(draw.integers(11)),
                                    "answered_at": moment, **told})  # fmt: skip
                case 2:
                    orders.append({"order_id": f"{n}-{month}", "total": 5, "currency": "USD", **told})
            if draw.random() < (failed if fails else base):
                ended, asked = ends, ends - dt.timedelta(days=7) if draw.random() < 0.3 else None
                break
        subscriptions.append({"subscription_id": f"s{n}", "customer_id": who, "started_at": start, "amount": price,
                              "currency": "USD", "ended_at": ended, "cancelled_at": asked})  # fmt: skip
    return {"subscriptions": subscriptions, "events": events, "cases": cases, "answers": answers, "orders": orders}


def known_on(facts: Facts, day: dt.date) -> Facts:
    """The facts without anything that happened on a day or later."""
    midnight = at(day.isoformat(), "00:00")
    kept = {
        name: [row for row in rows if row.get("day", day - dt.timedelta(days=1)) < day] for name, rows in facts.items()
    }
    kept["subscriptions"] = [
        {name: None if name in ("ended_at", "cancelled_at") and value and value >= midnight else value
         for name, value in row.items()}
        for row in facts["subscriptions"] if row["started_at"] < midnight
    ]  # fmt: skip
    return kept


@pytest.fixture(scope="module")
def facts() -> Facts:
    return shop(600, seed=1)


def test_nothing_that_comes_later_changes_anything(reader_of, facts):
    """Neither what happens on `as_of` or after it, nor, in a row of the past, what happened after its landmark."""
    known = known_on(facts, SCOPE.as_of)
    assert all(len(known[name]) < len(rows) for name, rows in facts.items())
    assert sum(row["ended_at"] is not None for row in facts["subscriptions"]) > 200
    reader = reader_of(**facts)
    whole, other = (subscriber_risks(each, SCOPE) for each in (reader, reader_of(**known)))
    assert whole.table.equals(other.table)
    assert whole.model.get_params() == other.model.get_params()
    stretches = Stretches(reader, SCOPE)
    for k in (1, 14):
        then = SCOPE.at(SCOPE.as_of - dt.timedelta(days=30 * k))
        past = Stretches(reader_of(**known_on(facts, then.as_of)), then)
        one, same = stretches.payers(k), past.payers(0)
        assert stretches.customers[one.who].tolist() == past.customers[same.who].tolist()
        assert len(one.who) > 100
        for ahead in (0, 1, 2):
            assert stretches.covariates(one, k - ahead) == pytest.approx(past.covariates(same, -ahead), nan_ok=True)
            assert (stretches.period(one, k - ahead) == past.period(same, -ahead)).all()


def test_the_truth_is_found(reader_of, facts):
    """Two in five end at the renewal after a failed payment, one in twenty otherwise."""
    found = subscriber_risks(reader_of(**facts), SCOPE)
    assert found.reason is None
    assert found.table.column_names == ["customer_id", *FORECASTS]
    assert found.table["customer_id"].to_pylist() == sorted(found.table["customer_id"].to_pylist())
    rows = found.table.to_pylist()
    assert found.subscribers == len(rows) > 200
    recent = {row["customer_id"] for row in facts["events"]
              if row["name"] == "Payment Failed" and dt.date(2025, 6, 4) <= row["day"] < SCOPE.as_of}  # fmt: skip
    asked = {row["customer_id"] for row in facts["subscriptions"]
             if row["cancelled_at"] and row["cancelled_at"] < at("2025-07-01", "00:00")}  # fmt: skip

    def mean(name: str, chosen: set[str]) -> float:
        return float(np.mean([row[name] for row in rows if row["customer_id"] in chosen]))

    quiet = {row["customer_id"] for row in rows} - recent - asked
    assert mean("chance_of_ending_30d", quiet) == pytest.approx(0.05, abs=0.025)
    assert mean("chance_of_ending_30d", recent - asked) == pytest.approx(0.35, abs=0.12)
    assert all(row["chance_of_ending_30d"] > 0.7 for row in rows if row["customer_id"] in asked)
    # Beyond what is known today everybody is alike: 0.9 × 0.05 + 0.1 × 0.4 a month.
    each = 0.9 * 0.05 + 0.1 * 0.4
    assert mean("chance_of_ending_90d", quiet) == pytest.approx(1 - 0.95 * (1 - each) ** 2, abs=0.05)
    assert found.ended == pytest.approx(each * found.periods, rel=0.15)
    for row in rows:
        assert 0 <= row["chance_of_ending_30d"] <= row["chance_of_ending_90d"] <= 1
        assert 0 <= row["expected_months_365d"] <= 12
        assert 0 <= row["subscriber_value_365d"] <= 12 * 29


def test_a_constant_chance_by_formula(reader_of):
    """One in ten at each renewal: closed forms; and a currency fifteen thousand times as small changes no chance."""
    plain = {"subscriptions": shop(800, seed=2, base=0.1, failing=0.0)["subscriptions"]}
    for row in plain["subscriptions"]:
        row["cancelled_at"] = None
    found = subscriber_risks(reader_of(**plain), SCOPE, discount=0.2)
    told = {name: found.table[name].to_numpy() for name in FORECASTS}
    assert told["chance_of_ending_30d"].mean() == pytest.approx(0.1, abs=0.015)
    assert told["chance_of_ending_90d"].mean() == pytest.approx(1 - 0.9**3, abs=0.03)
    ends = 0.9 ** (np.array([*range(0, 361, 30), 365]) / 30.4)
    months = ((ends[1:] + ends[:-1]) / 2 * [*[30] * 12, 5]).sum() * 12 / 365
    assert told["expected_months_365d"].mean() == pytest.approx(months, abs=0.5)
    price = {row["customer_id"]: row["amount"] for row in plain["subscriptions"]}
    prices = np.array([price[who] for who in found.table["customer_id"].to_pylist()])
    factor = 0.9 * 1.2 ** (-1 / 12)
    paid = factor * (1 - factor**12) / (1 - factor)
    assert (told["subscriber_value_365d"] / prices).mean() == pytest.approx(paid, rel=0.08)
    dear = {"subscriptions": [{**row, "amount": 15_000 * row["amount"]} for row in plain["subscriptions"]]}
    other = subscriber_risks(reader_of(**dear), SCOPE, discount=0.2).table
    for name in FORECASTS[:3]:
        assert other[name].to_numpy() == pytest.approx(told[name], rel=1e-6)
    assert other["subscriber_value_365d"].to_numpy() == pytest.approx(15_000 * told["subscriber_value_365d"], rel=1e-6)


def test_the_forecast_of_ninety_days_ago_is_judged(reader_of, facts):
    """By hand from the table of that day, of those who had not asked to end by then."""
    reader = reader_of(**facts)
    then = SCOPE.at(SCOPE.as_of - dt.timedelta(days=90))
    found = judge(reader, SCOPE)
    table = subscriber_risks(reader, then).table.to_pylist()
    told = {row["customer_id"]: row for row in facts["subscriptions"]}
    asked = [row for row in table if (told[row["customer_id"]]["cancelled_at"] or SCOPE.until) < then.until]
    rows = [row for row in table if row not in asked]
    chance = np.array([row["chance_of_ending_90d"] for row in rows])
    ended = np.array([(told[row["customer_id"]]["ended_at"] or SCOPE.until) < SCOPE.until for row in rows])
    assert (found.day, found.horizon_days, found.asked) == (then.as_of, 90, len(asked))
    assert len(asked) > 0
    assert (found.subscribers, found.ended) == (len(rows), ended.sum())
    assert found.auc == pytest.approx(roc_auc_score(ended, chance))
    assert found.brier == pytest.approx(((chance - ended) ** 2).mean())
    assert found.brier_of_share == pytest.approx(ended.mean() * (1 - ended.mean()))
    assert found.brier < found.brier_of_share
    assert judge(reader, SCOPE, 30).auc > 0.6
    assert [fifth.subscribers for fifth in found.fifths] == [len(part) for part in np.array_split(chance, 5)]
    assert sum(fifth.subscribers * fifth.ended for fifth in found.fifths) == pytest.approx(ended.sum())
    order = np.sort(chance)
    assert found.fifths[-1].forecast == pytest.approx(order[-found.fifths[-1].subscribers :].mean())
    assert abs(chance.mean() - ended.mean()) < 3 * np.sqrt(ended.mean() * (1 - ended.mean()) / len(ended))


def test_several_subscriptions_are_one_subscriber(reader_of):
    """They end when none runs any more; another price, or another plan in the place of one, is no ending."""
    rows = [
        subscription("1", "price", "2025-01-05", 10, ended_at=at("2025-06-15")),
        subscription("1", "price", "2025-06-15", 12),
        subscription("2", "plan", "2025-01-05", 10, ended_at=at("2025-06-15")),
        subscription("3", "plan", "2025-06-15", 30),
        subscription("4", "two", "2025-01-05", 10, ended_at=at("2025-06-15")),
        subscription("5", "two", "2025-02-05", 4),
        subscription("6", "none", "2025-01-05", 10, ended_at=at("2025-06-15")),
    ]
    stretches = Stretches(reader_of(subscriptions=rows), SCOPE)
    before, after = stretches.payers(1), stretches.payers(0)
    assert stretches.customers[before.who].tolist() == ["none", "plan", "price", "two"]
    assert stretches.customers[~stretches.pays(0)].tolist() == ["none"]
    assert before.monthly.tolist() == [10, 10, 10, 14]
    assert after.monthly.tolist() == [30, 12, 4]
    assert after.before.tolist() == [True, False, True]
    assert stretches.period(after, 0).tolist() == [1, 6, 5]


def test_too_little_history_is_said(reader_of):
    for given_facts, people in (({}, []), (BY_HAND, ["a", "b", "back"])):
        reader = reader_of(**given_facts)
        found = subscriber_risks(reader, SCOPE)
        assert found.table["customer_id"].to_pylist() == people
        assert found.model is None
        assert "endings at least" in found.reason
        assert found.table.column_names == ["customer_id", *FORECASTS]
        assert found.subscribers == len(found.table)
        assert all(found.table[name].null_count == len(found.table) for name in FORECASTS)
    check = judge(reader, SCOPE)
    assert "endings at least" in check.reason
    assert (check.auc, check.brier, check.fifths) == (None, None, ())


def test_forecasts_reach_a_year(reader_of):
    for days in (0, 366):
        with pytest.raises(OutOfReach, match=f"asked for were {days} days"):
            judge(reader_of(), SCOPE, days)
    with pytest.raises(OutOfReach, match=r"discount of -0\.1"):
        subscriber_risks(reader_of(), SCOPE, -0.1)


def test_a_simulated_shop(reader_of, tmp_path):
    """Its subscribers ask to end after 260 days on the mean, whatever they do, and stay until their month is over."""
    settings = ShopSettings(seed=5, customers=900, weeks_of_history=100, subscription_share=1.0, events_per_order=0.5)
    files = {path.stem: path for path in SimulatedShop(settings).history(tmp_path / "shop")}

    def rows(name: str, moment: str) -> str:
        return f"select *, substr({moment}, 1, 10) as day from read_csv('{files[name]}', all_varchar = true)"

    reader = reader_of(
        subscriptions=f"select * from read_csv('{files['subscriptions']}', all_varchar = true)",
        events=rows("events", "occurred_at"), orders=rows("orders", "placed_at"), cases=rows("cases", "opened_at"),
        answers=rows("answers", "answered_at"),
    )  # fmt: skip
    scope = Scope(settings.start + dt.timedelta(weeks=100), "IDR", "Asia/Jakarta")
    found = subscriber_risks(reader, scope)
    assert found.reason is None
    chances = found.table["chance_of_ending_30d"].to_numpy()
    # Half a month before a renewal, on the mean, of those who have not asked; all of those who have.
    asked = chances > 0.5
    assert chances[~asked].mean() == pytest.approx(1 - np.exp(-15 / 260), abs=0.02)
    assert asked.mean() == pytest.approx(1 - np.exp(-15 / 260), abs=0.03)
    check = judge(reader, scope)
    forecast = sum(fifth.subscribers * fifth.forecast for fifth in check.fifths) / check.subscribers
    share = check.ended / check.subscribers
    assert abs(forecast - share) < 3 * np.sqrt(share * (1 - share) / check.subscribers)
