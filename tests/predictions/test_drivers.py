"""What drives retention: statsmodels, simulated shops without and with an effect, a hand-made shop, no leakage."""

from __future__ import annotations

import datetime as dt
import hashlib
import random
import string
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setia.history.scope import Scope
from setia.kernel.i18n import Sentence
from setia.metrics.options import BadOption
from setia.predictions.drivers import early_days as reading
from setia.predictions.drivers.adjusting import Groups, false_discovery, fit, independent, products, standardised
from setia.predictions.drivers.comparing import _joined_months
from setia.predictions.drivers.drivers import TooLittleToCompare, drivers, first_week
from setia.predictions.drivers.early_days import early_days
from setia.predictions.drivers.factors import FACTORS

ZONE = ZoneInfo("Asia/Jakarta")
START = dt.datetime(2024, 3, 1, tzinfo=ZONE)
SCOPE = Scope(dt.date(2024, 12, 1), "IDR", "Asia/Jakarta")


def groups(flags: np.ndarray, stayed: np.ndarray) -> Groups:
    ones = np.ones(len(stayed))
    return Groups(np.column_stack([ones, flags]).astype(np.uint8), ones, stayed.astype(float))


def grouped(single: Groups) -> Groups:
    rows, which = np.unique(single.flags, axis=0, return_inverse=True)
    return Groups(rows, np.bincount(which).astype(float), np.bincount(which, weights=single.stayed))


def draw(seed: int, n: int = 1200) -> tuple[np.ndarray, np.ndarray]:
    """Six flags, the first two alike, and an outcome that depends on some of them."""
    r = np.random.default_rng(seed)
    common = r.random(n)
    flags = np.column_stack([r.random(n) < 0.2 + 0.5 * common, r.random(n) < common, *(r.random((4, n)) < 0.25)])
    score = -1.2 + flags @ np.array([0.8, 0.5, -0.6, 0.0, 0.3, 0.0])
    return flags, r.random(n) < 1 / (1 + np.exp(-score))


def oracle(flags: np.ndarray, stayed: np.ndarray) -> Any:
    from statsmodels.api import Logit

    design = np.column_stack([np.ones(len(stayed)), flags]).astype(float)
    return Logit(stayed.astype(float), design).fit(disp=0, cov_type="HC0", tol=1e-12)


def test_coefficients_and_robust_errors_are_those_of_statsmodels():
    flags, stayed = draw(1)
    single, expected = groups(flags, stayed), oracle(flags, stayed)
    for given_ in (single, grouped(single)):
        found = fit(given_, range(7), ridge=0)
        assert found.coefficients == pytest.approx(expected.params, rel=1e-8, abs=1e-10)
        assert found.covariance == pytest.approx(expected.cov_params(), rel=1e-6, abs=1e-10)
    light = fit(single, range(7))
    assert light.coefficients == pytest.approx(expected.params, abs=1e-4), "the ridge is light"
    assert np.sqrt(np.diag(light.covariance)) == pytest.approx(expected.bse, rel=1e-4)


def test_adjusted_differences_are_the_marginal_effects_of_statsmodels():
    flags, stayed = draw(2)
    single = grouped(groups(flags, stayed))
    expected = oracle(flags, stayed).get_margeff(at="overall", dummy=True)
    fitted = fit(single, range(7), ridge=0)
    for column in range(1, 7):
        found = standardised(single, fitted, [{column: 1}, {column: 0}]).contrast([1, -1])
        assert found.value == pytest.approx(expected.margeff[column - 1], rel=1e-7)
        assert found.standard_error == pytest.approx(expected.margeff_se[column - 1], rel=1e-5)


def test_several_columns_among_some_by_brute_force():
    """One level of three against the other two as they occurred, of the customers with the fifth flag."""
    flags, stayed = draw(3)
    flags[:, 1] &= ~flags[:, 0]
    single, expected = groups(flags, stayed), oracle(flags, stayed)
    among = flags[:, 4].astype(bool)
    sizes = [float((among & flags[:, 1]).sum()), float((among & ~flags[:, 0] & ~flags[:, 1]).sum())]
    weights = [1, -sizes[0] / sum(sizes), -sizes[1] / sum(sizes)]
    ways = [(1, 0), (0, 1), (0, 0)]

    def effect(coefficients: np.ndarray) -> float:
        total = 0.0
        for weight, (first, second) in zip(weights, ways, strict=True):
            design = np.column_stack([np.ones(len(stayed)), flags]).astype(float)[among]
            design[:, 1], design[:, 2] = first, second
            total += weight * (1 / (1 + np.exp(-design @ coefficients))).mean()
        return total

    slope = np.array([
        (effect(expected.params + step) - effect(expected.params - step)) / 2e-6 for step in 1e-6 * np.eye(7)
    ])  # fmt: skip
    found = standardised(single, fit(single, range(7), ridge=0), [{1: a, 2: b} for a, b in ways], among)
    told = found.contrast(weights)
    assert told.value == pytest.approx(effect(expected.params), rel=1e-7)
    assert told.standard_error == pytest.approx(np.sqrt(slope @ expected.cov_params() @ slope), rel=1e-5)


def confounded(seed: int, effect: float, n: int = 1200) -> tuple[np.ndarray, np.ndarray]:
    """Those who are keen do it often and stay often; doing it changes the score of staying by `effect`."""
    r = np.random.default_rng(seed)
    keen, month = r.random(n) < 0.4, r.random(n) < 0.5
    does = r.random(n) < np.where(keen, 0.7, 0.15)
    score = -1.5 + 2 * keen + 0.3 * month + effect * does
    return np.column_stack([does, keen, month]), r.random(n) < 1 / (1 + np.exp(-score))


@pytest.mark.parametrize("effect", [0.0, 0.6])
def test_what_is_confounded_is_told_from_what_works(effect):
    flags, _ = confounded(0, effect, 400_000)
    base = -1.5 + flags[:, 1] * 2 + flags[:, 2] * 0.3
    true = float((1 / (1 + np.exp(-base - effect)) - 1 / (1 + np.exp(-base))).mean())
    raw, found = [], []
    for seed in range(1, 201):
        flags, stayed = confounded(seed, effect)
        raw.append(stayed[flags[:, 0]].mean() - stayed[~flags[:, 0]].mean())
        single = grouped(groups(flags, stayed))
        ways = standardised(single, fit(single, range(4)), [{1: 1}, {1: 0}])
        found.append(ways.contrast([1, -1]))
    values, errors = (np.array([getattr(each, name) for each in found]) for name in ("value", "standard_error"))
    assert min(raw) > true + 0.1, "the raw difference is far too large, every time"
    assert 182 <= (np.abs(values - true) < 1.96 * errors).sum() <= 198, "19 of 20 intervals hold the truth"
    assert values.mean() == pytest.approx(true, abs=3 * values.std() / np.sqrt(200))
    assert errors.mean() == pytest.approx(values.std(), rel=0.12)
    assert (values > 1.96 * errors).mean() < 0.06 if effect == 0 else (values > 1.96 * errors).mean() > 0.8


@given(st.integers(0, 10_000), st.integers(1, 9), st.integers(2, 60))
@settings(max_examples=60)
def test_what_is_left_of_columns_is_independent_and_can_be_fitted(seed, width, n):
    r = np.random.default_rng(seed)
    flags = r.random((n, width)) < r.random(width)
    flags = np.column_stack([flags, flags[:, 0], ~flags[:, -1]])
    stayed = np.arange(n) % 2 == 0
    single = groups(flags, stayed)
    kept = independent(products(single), range(single.flags.shape[1]))
    design = single.flags.astype(float)
    assert len(kept) == np.linalg.matrix_rank(design) == np.linalg.matrix_rank(design[:, kept])
    earlier = [place for place in range(1, design.shape[1]) if place not in kept]
    assert all(
        np.linalg.matrix_rank(design[:, :place]) == np.linalg.matrix_rank(design[:, : place + 1]) for place in earlier
    )
    fitted = fit(single, kept)
    assert np.isfinite(fitted.coefficients).all(), "the ridge ends the search where something cannot be estimated"
    found = standardised(single, fitted, [dict.fromkeys(kept[1:], 1), dict.fromkeys(kept[1:], 0)]).contrast([1, -1])
    assert -1 <= found.value <= 1
    assert np.isfinite(found.standard_error)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
@settings(max_examples=60)
def test_false_discoveries_as_scipy_controls_them(p_values):
    from scipy.stats import false_discovery_control

    assert false_discovery(p_values) == pytest.approx(false_discovery_control(p_values))


def test_months_of_few_are_joined():
    customers, stayed = np.array([60.0, 10, 60, 200, 20, 60]), np.array([20.0, 9, 2, 50, 3, 1])
    assert _joined_months(customers, stayed).tolist() == [0, 1, 1, 2, 2, 2]
    assert _joined_months(np.array([3.0, 4]), np.array([1.0, 1])).tolist() == [0, 0]


# From facts.


def moment(days: float) -> dt.datetime:
    return START + dt.timedelta(days=days)


def order(who: str, days: float, **more: Any) -> dict[str, Any]:
    return {"order_id": f"{who}-{days}", "customer_id": who, "placed_at": moment(days), "day": moment(days).date(),
            "total": 10, "currency": "IDR", **more}  # fmt: skip


def event(who: str | None, days: float, name: str = "Product Viewed", **more: Any) -> dict[str, Any]:
    return {"event_id": f"{who}-{days}-{name}-{more.get('visitor')}", "customer_id": who, "name": name,
            "occurred_at": moment(days), "day": moment(days).date(), **more}  # fmt: skip


def message(who: str, days: float, opened: float | None = None, clicked: float | None = None, **more: Any) -> Any:
    return {"message_id": f"{who}-{days}", "customer_id": who, "channel": "email", "state": "accepted",
            "sent_at": moment(days), "day": moment(days).date(), "opened_at": opened and moment(opened),
            "clicked_at": clicked and moment(clicked), **more}  # fmt: skip


def case(who: str, days: float, answered: float | None = None, settled: float | None = None, **more: Any) -> Any:
    return {"case_id": f"{who}-{days}", "customer_id": who, "opened_at": moment(days), "day": moment(days).date(),
            "first_response_at": answered and moment(answered), "resolved_at": settled and moment(settled),
            **more}  # fmt: skip


def answer(who: str, days: float, score: int, survey: str = "nps", scale: int | None = None) -> dict[str, Any]:
    return {"answer_id": f"{who}-{days}", "customer_id": who, "survey": survey, "score": score, "scale": scale,
            "answered_at": moment(days), "day": moment(days).date()}  # fmt: skip


def plan(who: str, since: float, until: float | None = None, **more: Any) -> dict[str, Any]:
    return {"subscription_id": f"{who}-{since}", "customer_id": who, "amount": 5, "currency": "IDR",
            "period_months": 1, "started_at": moment(since), "ended_at": until and moment(until), **more}  # fmt: skip


def known(reader: Any) -> dict[str, Any]:
    """What is set of each customer."""
    found = early_days(reader, SCOPE, 7, 90, least=1, most_events=10)
    said = {f"event_{n}": name for n, name in enumerate(found.events)}
    return {
        row["customer_id"]: {said.get(name, name): value for name, value in row.items() if value not in (None, False)}
        for row in reader.arrow(found.rows).to_pylist()
    }


AT_TEN = 10 / 24
MARCH = dt.date(2024, 3, 1)


Story = tuple[dict[str, list[dict[str, Any]]], dict[str, set[str]]]
"""Facts, and the flags that are on in the end of each customer in them."""


def purchases() -> Story:
    orders = {
        "nothing": [0],
        "in both": [0, 3, 50],
        "the last first day": [0, 6.99],
        "the first day of the horizon": [0, 7],
        "its last day": [0, 96.99],
        "a day too late": [0, 97],
        "twice on one day": [0, 0.2],
    }
    rows = [order(who, AT_TEN + day if day < 1 else day) for who, days in orders.items() for day in days]
    rows += [
        order("cancelled at once", 0, cancelled_at=moment(6.9)),
        order("cancelled at once", 20, channel="app"),
        order("cancelled later", 0, cancelled_at=moment(7)),
        order("cancelled later", 5, cancelled_at=moment(6)),
        order("given back in time", 0),
        order("given back in time", 40, cancelled_at=moment(96)),
        order("given back late", 0),
        order("given back late", 40, cancelled_at=moment(97)),
        order("on trial", 0),
        order("on trial", 40, is_test=True),
        order("young", 275 - 97, channel="web"),
        order("too young", 275 - 96),
    ]
    return {"orders": rows}, {
        "nothing": set(),
        "in both": {"bought_again", "stayed"},
        "the last first day": {"bought_again"},
        "the first day of the horizon": {"stayed"},
        "its last day": {"stayed"},
        "a day too late": set(),
        "twice on one day": set(),
        "cancelled at once": set(),
        "cancelled later": set(),
        "given back in time": set(),
        "given back late": {"stayed"},
        "on trial": set(),
        "young": set(),
    }


def subscribers() -> Story:
    plans = [
        plan("stays", -40), plan("leaves", -40, 60), plan("leaves and buys", 2, 60), plan("comes later", 30),
        plan("comes and goes", 30, 60), plan("was one", -40, 3), plan("free", -40, 60, amount=0),
        plan("tries", 1, trial_ends_at=moment(8)), plan("changes price", -40, 50), plan("changes price", 50, amount=9),
    ]  # fmt: skip
    people = sorted({each["customer_id"] for each in plans})
    rows = [order(who, 0) for who in people] + [order("leaves and buys", 40), order("free", 40)]
    return {"orders": rows, "subscriptions": plans}, {
        "stays": {"subscribed", "stayed"},
        "leaves": {"subscribed"},
        "leaves and buys": {"subscribed"},
        "comes later": {"stayed"},
        "comes and goes": set(),
        "was one": set(),
        "free": {"stayed"},
        "tries": {"stayed"},
        "changes price": {"subscribed", "stayed"},
    }


def visits() -> Story:
    viewed = "Product Viewed"
    events = [
        event("before it", AT_TEN - 0.1), event("goes on", AT_TEN + 0.015, "Product Added to Wishlist"),
        event("thanks", AT_TEN + 0.001, "Order Completed"), event("comes back", AT_TEN + 0.2), event("last", 6.99),
        event("too late", 7), event("in the app", 3, platform="app"), event("on and on", AT_TEN + 0.02),
        event("on and on", AT_TEN + 0.035), event("on and on", AT_TEN + 0.05),
        # Whose device it is must be known by the end of the first days, and that it is nobody else's.
        event("signed in before", -5, "Signed In", visitor="v1"), event(None, 2, visitor="v1"),
        event("signs in later", 7, "Signed In", visitor="v2"), event(None, 2, visitor="v2"),
        event("signs in then", 6.9, "Signed In", visitor="v3"), event(None, 2, visitor="v3"),
        event("shares", -1, "Signed In", visitor="v4"), event("one more", -1, "Signed In", visitor="v4"),
        event(None, 2, visitor="v4"), event("shares later", -1, "Signed In", visitor="v5"),
        event("one more", 7, "Signed In", visitor="v5"), event(None, 2, visitor="v5"), event(None, 3),
    ]  # fmt: skip
    people = sorted({each["customer_id"] for each in events} - {None})
    return {"orders": [order(who, AT_TEN) for who in people], "events": events}, {
        "before it": set(),
        "goes on": {"Product Added to Wishlist"},
        "thanks": set(),
        "comes back": {"visited", viewed},
        "last": {"visited", viewed},
        "too late": set(),
        "in the app": {"visited", "used_app", viewed},
        "on and on": {viewed},
        "signed in before": {"visited", viewed},
        "signs in later": set(),
        "signs in then": {"visited", viewed, "Signed In"},
        "shares": set(),
        "one more": set(),
        "shares later": {"visited", viewed},
    }


def service() -> Story:
    messages = [
        message("opens", 2, 3), message("opens too late", 2, 7), message("clicks unseen", 2, None, 4),
        message("clicks late", 2, 3, 8), message("before", -1, 2, 2), message("rejected", 2, state="rejected"),
    ]  # fmt: skip
    cases = [
        case("soon", 1, 2, 6.9, reason="size"), case("late answer", 1, 2.1, 7), case("waits", 6, 7.1),
        case("asked before", -1, 1, 2), case("asks twice", 2, 2.5, reason="late"), case("asks twice", 1, reason="size"),
    ]  # fmt: skip
    answers = [
        answer("nine", 1, 9), answer("six", 1, 6), answer("seven", 1, 7), answer("changes", 1, 9),
        answer("changes", 2, 3), answer("changes", 8, 10), answer("eleven", 1, 11),
        answer("four of five", 1, 4, "csat"), answer("four of seven", 1, 4, "csat", 7),
    ]  # fmt: skip
    people = sorted({each["customer_id"] for each in (*messages, *cases, *answers)})
    orders = [order(who, 0) for who in people]
    return {"orders": orders, "messages": messages, "cases": cases, "answers": answers}, {
        "opens": {"messaged", "opened"},
        "opens too late": {"messaged"},
        "clicks unseen": {"messaged", "opened", "clicked"},
        "clicks late": {"messaged", "opened"},
        "before": set(),
        "rejected": set(),
        "soon": {"asked", "answered_fast", "settled"},
        "late answer": {"asked"},
        "waits": {"asked"},
        "asked before": set(),
        "asks twice": {"asked"},
        "nine": {"gave_nps", "promoter"},
        "six": {"gave_nps", "detractor"},
        "seven": {"gave_nps"},
        "changes": {"gave_nps", "detractor"},
        "eleven": set(),
        "four of five": {"gave_csat", "satisfied"},
        "four of seven": {"gave_csat"},
    }


def goods() -> Story:
    lines = [("buys two", "tea", 5), ("buys two", "pot", 9), ("buys what is gone", "gone", 5)]
    rows = [{"order_id": f"{who}-0", "document_id": f"{who}-0", "customer_id": who, "product_id": what, "quantity": 1,
             "amount": paid, "placed_at": moment(0), "day": MARCH} for who, what, paid in lines]  # fmt: skip
    products = [{"product_id": "tea", "name": "Tea", "category": "Drinks"}, {"product_id": "pot", "name": "Pot"}]
    people = [{"customer_id": "buys two", "source": "friend"}]
    orders = [order("buys two", 0, channel="web"), order("buys what is gone", 0)]
    facts = {"orders": orders, "order_lines": rows, "products": products, "customers": people}
    return facts, {"buys two": set(), "buys what is gone": set()}


def test_a_hand_made_shop(reader_of):
    facts: dict[str, list[dict[str, Any]]] = {}
    expected: dict[str, set[str]] = {}
    for rows, flags in (purchases(), subscribers(), visits(), service(), goods()):
        for name in rows:
            facts.setdefault(name, []).extend(rows[name])
        assert not expected.keys() & flags.keys()
        expected |= flags
    found = known(reader_of(**facts))
    assert {who: {name for name, value in row.items() if value is True} for who, row in found.items()} == expected
    assert (moment(275).date(), moment(0).date()) == (SCOPE.as_of, MARCH)
    assert found["cancelled at once"]["first_channel"] == "app"
    assert found["young"] == {"customer_id": "young", "month": dt.date(2024, 8, 1), "first_channel": "web"}
    assert [found[who].get("asked_about") for who in ("soon", "asks twice", "waits")] == ["size", "size", None]
    bought = {"first_product": "Pot", "first_channel": "web", "source": "friend", "month": MARCH}
    assert found["buys two"] == {"customer_id": "buys two", **bought}
    assert found["buys what is gone"]["first_product"] == "gone"


def shop(seed: int, people: int = 400, after: bool = False) -> dict[str, list[dict[str, Any]]]:
    """A shop by lot; with `after`, all that happens after the first days of each customer is another."""
    r, later = random.Random(seed), random.Random(seed + 1000 * after)
    facts: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("orders", "events", "messages", "cases", "answers", "subscriptions", "customers")
    }
    for number in range(people):
        who, first = f"c{number:04}", r.randrange(150) + 0.4
        keen = r.random() < 0.5
        orders, events, messages, cases, answers, plans, customers = facts.values()
        gone = first + later.choice([8, 50, 120])
        orders.append(order(who, first, channel=r.choice(["web", "app"])))
        if r.random() < 0.1:
            orders[-1]["cancelled_at"] = moment(gone)
        customers.append({"customer_id": who, "source": r.choice(["ads", "friend", "search"])})
        if r.random() < (0.6 if keen else 0.2):
            at = first + r.uniform(0.1, 6)
            events.append(event(who, at, r.choice(["Product Viewed", "Product Added"]), visitor=f"v{number}"))
            events.append(event(None, at + 0.1, visitor=f"v{number}"))
        if r.random() < 0.3:
            events.append(event(None, first + 2, visitor=f"w{number}"))
        if r.random() < 0.15:
            orders.append(order(who, first + 2))
        if r.random() < 0.5:
            messages.append(message(who, first + 1, first + later.uniform(8, 60), None))
        if r.random() < 0.4:
            cases.append(case(who, first + 1, first + 2.5, first + later.uniform(8, 60), reason=r.choice("xy")))
        if r.random() < 0.1:
            plans.append(plan(who, first - 20, first + later.uniform(8, 120)))
        # And from here on nothing but what comes after them.
        if later.random() < (0.5 if keen else 0.25):
            orders.append(order(who, first + later.randrange(8, 80)))
        for _ in range(later.randrange(3)):
            events.append(event(who, first + later.uniform(8, 60), "Signed In", visitor=f"w{number}"))
            events.append(event(f"c{later.randrange(people):04}", 270, "Signed In", visitor=f"v{number}"))
            answers.append(answer(who, first + later.uniform(8, 60), later.randrange(11)))
    return facts


def test_what_comes_after_the_first_days_tells_nothing_of_them(reader_of):
    one, other = (known(reader_of(**shop(5, after=after))) for after in (False, True))
    assert sum("stayed" in each for each in one.values()) != sum("stayed" in each for each in other.values())
    for each in (*one.values(), *other.values()):
        each.pop("stayed", None)
    assert one == other
    for name in ("visited", "asked", "messaged", "bought_again", "subscribed", "Product Viewed"):
        assert 10 < sum(name in each for each in one.values()) < 390, name


def with_later_facts(facts: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """The same and more, all of it from `as_of` on."""
    as_of = (SCOPE.as_of - START.date()).days
    more = {name: list(rows) for name, rows in facts.items()}
    for who in [each["customer_id"] for each in facts["customers"]][::2]:
        more["orders"].append(order(who, as_of + 1))
        more["events"] += [event(who, as_of + 1, "Video Watched", visitor="w" + who[1:].lstrip("0")), event(who, as_of)]
        more["messages"].append(message(who, as_of))
        more["cases"].append(case(who, as_of, reason="z"))
        more["answers"].append(answer(who, as_of, 10))
        more["subscriptions"].append(plan(who, as_of))
    more["orders"] = [{**each, "cancelled_at": each.get("cancelled_at") or moment(as_of)} for each in more["orders"]]
    return more


def test_every_figure_against_the_rows_and_statsmodels(reader_of):
    facts = shop(7, people=900)
    reader = reader_of(**facts)
    found = drivers(reader, SCOPE)
    early = early_days(reader, SCOPE, 7, 90, least=50, most_events=10)
    rows = reader.arrow(early.rows.order_by("customer_id")).to_pylist()
    assert (found.customers, found.stayed) == (len(rows), sum(row["stayed"] for row in rows)) == (900, found.stayed)
    assert found.months == len({row["month"] for row in rows}) == 5
    column = {"event": {name: f"event_{number}" for number, name in enumerate(early.events)}}
    within = {each.name: each.within for each in FACTORS}
    for driver in found.rows:
        name = column["event"][driver.level] if driver.name == "event" else driver.name
        base = [row for row in rows if within.get(name) is None or row[within[name]]]
        has = [row[name] == driver.level if driver.level and driver.name != "event" else row[name] for row in base]
        stays = [[row["stayed"] for row, own in zip(base, has, strict=True) if own is with_] for with_ in (True, False)]
        assert (driver.customers_with, driver.customers_without) == (len(stays[0]), len(stays[1])), driver
        assert driver.stayed_with == pytest.approx(np.mean(stays[0]))
        assert driver.stayed_without == pytest.approx(np.mean(stays[1]))
        assert driver.raw_difference == pytest.approx(driver.stayed_with - driver.stayed_without)
        assert driver.low < driver.adjusted_difference < driver.high
    assert {row.name for row in found.rows} == {
        "bought_again", "visited", "event", "messaged", "asked", "asked_about", "first_channel", "source",
    }  # fmt: skip
    # The design by hand. What is a part of a visit is not in the one for visits.
    months = sorted({row["month"] for row in rows})
    names = ["subscribed", "bought_again", "visited", "messaged", "asked"]
    levels = [("asked_about", "y"), ("first_channel", "app"), ("source", "ads"), ("source", "friend")]
    design = np.array([
        [*(row["month"] == month for month in months[1:]), *(row[name] for name in names),
         *(row[name] == level for name, level in levels)]
        for row in rows
    ], dtype=float)  # fmt: skip
    stayed = np.array([row["stayed"] for row in rows])
    expected = oracle(design, stayed).get_margeff(at="overall", dummy=True)
    place = len(months) - 1 + names.index("visited")
    driver = next(row for row in found.rows if row.name == "visited")
    assert driver.adjusted_difference == pytest.approx(expected.margeff[place], rel=1e-3)
    reach = (driver.high - driver.low) / 2
    assert reach == pytest.approx(1.959964 * expected.margeff_se[place], rel=1e-3)
    # A level against the others as they occurred, from the whole design.
    told = [column["event"][row.level] for row in found.rows if row.name == "event"]
    assert len(told) == 1, "the other event is done in every visit and tells nothing else"
    whole = np.column_stack([design, [row[told[0]] for row in rows]])
    coefficients = oracle(whole, stayed).params
    means = {}
    for source, flags in (("ads", (1, 0)), ("friend", (0, 1)), ("search", (0, 0))):
        whole[:, design.shape[1] - 2 : design.shape[1]] = flags
        means[source] = float((1 / (1 + np.exp(-coefficients[0] - whole @ coefficients[1:]))).mean())
    for driver in (row for row in found.rows if row.name == "source"):
        others = {name: sum(row["source"] == name for row in rows) for name in means if name != driver.level}
        mixed = sum(means[name] * size for name, size in others.items()) / sum(others.values())
        assert driver.adjusted_difference == pytest.approx(means[driver.level] - mixed, rel=1e-3)
    driver = next(row for row in found.rows if row.name == "visited")
    assert driver.raw_difference > 0.05, "the keen visit, and stay"
    assert drivers(reader_of(**with_later_facts(facts)), SCOPE) == found, "what comes after as_of changes nothing"
    week = first_week(reader, SCOPE)
    assert {row.name for row in week.rows} == {"bought_again", "visited", "event", "asked"}
    assert list(week.rows) == [row for row in found.rows if row.early]
    nearest = [max(row.low, -row.high) for row in found.rows]
    assert nearest == sorted(nearest, reverse=True)


def test_two_of_a_kind_and_a_sample_are_told(reader_of, monkeypatch):
    """Whoever orders in the app came by a friend: which of the two it is cannot be known."""
    facts = shop(8, people=800)
    friends = {each["customer_id"] for each in facts["orders"] if each.get("channel") == "app"}
    for each in facts["customers"]:
        each["source"] = "friend" if each["customer_id"] in friends else "ads"
    monkeypatch.setattr(reading, "MOST_CUSTOMERS", 500)
    reader = reader_of(**facts)
    found = drivers(reader, SCOPE)
    assert {row.name for row in found.rows} >= {"first_channel", "visited"}
    assert "source" not in {row.name for row in found.rows}
    lowest = format(500 * 16**8 // 800, "08x")
    people = {f"c{number:04}" for number in range(800)}
    hashed = {who for who in people if hashlib.md5(f"drivers:{who}".encode()).hexdigest() < lowest}
    assert known(reader).keys() == hashed
    assert found.customers == len(hashed)
    assert found.notes[0] == f"A sample by lot of {len(hashed)} of 800 customers; the same ones every time."
    assert any(
        note.startswith("Cannot be told apart") and note.facts["what"] in ("ads", "friend") for note in found.notes
    )
    assert all(isinstance(note, Sentence) for note in found.notes)


def test_too_little_is_said(reader_of):
    with pytest.raises(TooLittleToCompare, match="needs 300 customers at least whose first order is 97 days old"):
        drivers(reader_of(), SCOPE)
    silent = reader_of(orders=[order(f"c{number}", 0.4) for number in range(400)])
    with pytest.raises(TooLittleToCompare, match=r"30 of whom stayed and 30 did not\. Here are 400, of whom 0 stayed"):
        drivers(silent, SCOPE)
    for options in ({"window_days": 0}, {"horizon_days": 1.5}):
        with pytest.raises(BadOption, match="a whole number from 1 to"):
            drivers(silent, SCOPE, **options)


def test_each_has_its_words_and_its_test():
    for each in FACTORS:
        assert each.title[0].isupper()
        assert "half" in each.test or "by lot" in each.test
        assert not list(filter(None, (field for _, field, _, _ in string.Formatter().parse(each.title + each.test))))
        assert each.within is None or each.within in {other.column for other in FACTORS}
        assert set(each.apart) <= {other.name for other in FACTORS} | {"event"}
