"""The health of subscriptions: worked by hand; weights learned from a past that is known."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import replace
from typing import Any

import ibis
import pytest

from setia.customers.health import HEALTH, PARTS, with_health
from setia.customers.health_weights import TooFewEndings, _auc, _fitted, learn
from setia.history.scope import Scope
from setia.settings import CustomerSettings, HealthSettings

SCOPE = Scope(dt.date(2025, 1, 1), "USD", "UTC")
NAMES = HEALTH[0].needs
TYPES = {"subscription": "string", **{name: "int64" for name in NAMES if name != "subscription"}}


def health(scope: Scope = SCOPE, **known: Any) -> dict[str, Any]:
    row = {"subscription": "running", "visits_30d": 0, "visits_30d_before": 0, "cases_90d": 0, "open_cases": 0,
           "payment_failures_90d": 0, **known}  # fmt: skip
    one = ibis.memtable([{"one": 1}])
    table = one.select(**{name: ibis.literal(row.get(name)).cast(kind) for name, kind in TYPES.items()})
    return ibis.duckdb.connect().to_pyarrow(with_health(table, scope)).to_pylist()[0]


@pytest.mark.parametrize(
    ("known", "expected", "reason"),
    [
        ({}, 100, None),
        # Visits fell from 9 to 1: usage is 1/9. No answer, so the weights 0.4, 0.2 and 0.2 count: 1 - 0.4·8/9/0.8.
        ({"visits_30d": 1, "visits_30d_before": 9, "days_since_last_visit": 3}, 56, "usage"),
        ({"visits_30d": 9, "visits_30d_before": 1, "days_since_last_visit": 3}, 100, None),
        # Two cases, one of them open: 1 - 3/4 of support, which is half of what is known.
        ({"cases_90d": 2, "open_cases": 1}, 63, "support"),
        ({"last_nps": 4, "days_since_nps": 10}, 80, "answers"),
        ({"last_nps": 4, "days_since_nps": 365}, 100, None),
        ({"last_nps": 10, "days_since_nps": 1, "last_csat": 1, "last_csat_of": 5, "days_since_csat": 1}, 87, "answers"),
        ({"payment_failures_90d": 1}, 75, "payments"),
        ({"payment_failures_90d": 9}, 50, "payments"),
    ],
)
def test_by_hand(known, expected, reason):
    found = health(**known)
    assert (found["health"], found["health_reason"]) == (expected, reason)


def test_only_subscribers_have_one():
    for state in ("ended", None):
        found = health(subscription=state)
        assert {found[trait.name] for trait in HEALTH} == {None}


def test_weights_by_hand():
    own = CustomerSettings(health=HealthSettings(usage=0, support=0, answers=0, payments=1))
    found = health(replace(SCOPE, rules=own), payment_failures_90d=1, cases_90d=9)
    assert (found["health"], found["health_reason"]) == (50, "payments")
    with pytest.raises(ValueError, match="one weight at least"):
        HealthSettings(usage=0, support=0, answers=0, payments=0)


def test_nothing_known_is_no_health():
    own = CustomerSettings(health=HealthSettings(usage=1, support=0, answers=0, payments=0))
    assert health(replace(SCOPE, rules=own))["health"] is None


def test_fit_and_auc_agree_with_statsmodels_and_by_hand():
    import numpy as np
    import statsmodels.api as sm

    draw = np.random.default_rng(1)
    x = draw.random((4000, 4))
    y = draw.random(4000) < 1 / (1 + np.exp(-(-2 + 3 * x[:, 0] + 1 * x[:, 3])))
    found = _fitted(x, y)
    other = sm.Logit(y.astype(float), sm.add_constant(x)).fit(disp=0).params[1:]
    shares = np.maximum(other, 0) / np.maximum(other, 0).sum()
    assert found == pytest.approx(shares, abs=0.02)
    assert _auc(np.array([3.0, 1.0, 2.0, 2.0]), np.array([True, False, True, False])) == pytest.approx(3.5 / 4)


def shop_of(r: random.Random, people: int) -> dict[str, list[dict[str, Any]]]:
    """Subscribers who leave within weeks of a payment that failed, and hardly otherwise."""
    start = dt.datetime(2023, 1, 1, tzinfo=dt.UTC)
    subscriptions, events = [], []
    for n in range(people):
        who, fails = f"c{n}", r.random() < 0.4
        failed = start + dt.timedelta(days=r.randint(200, 700))
        leaves = fails and r.random() < 0.8
        ended = failed + dt.timedelta(days=r.randint(5, 40)) if leaves else None
        subscriptions.append({"subscription_id": who, "customer_id": who, "started_at": start, "amount": 10,
                              "currency": "USD", "period_months": 1, "ended_at": ended})  # fmt: skip
        if fails:
            events.append({"event_id": f"f{n}", "customer_id": who, "name": "Payment Failed", "occurred_at": failed,
                           "day": failed.date()})  # fmt: skip
    return {"subscriptions": subscriptions, "events": events}


def test_weights_are_learned_from_who_has_left(reader_of):
    found = learn(reader_of(**shop_of(random.Random(3), 600)), SCOPE)
    assert sum(found.weights.values()) == pytest.approx(1, abs=0.01)
    assert max(PARTS, key=lambda name: found.weights[name]) == "payments"
    assert found.auc is not None
    assert found.auc > 0.55
    assert len(found.days) == 4
    assert found.days[-1] == dt.date(2024, 10, 3)


def test_too_little_to_learn_from_is_said(reader_of):
    with pytest.raises(TooFewEndings, match="weights are learned from 30 of each on"):
        learn(reader_of(**shop_of(random.Random(3), 20)), SCOPE)
    with pytest.raises(TooFewEndings, match="0 subscriptions ended and 0 went on"):
        learn(reader_of(), SCOPE)
