"""Traits, scores and stages: counted by hand, at their edges, and as of another day."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace
from decimal import Decimal

import ibis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setia.customers import stages
from setia.customers.rfm import GROUPS, MAP, with_rfm
from setia.customers.traits import TRAITS, WORDS
from setia.history.scope import Scope
from setia.settings import CustomerSettings, StageSettings

APRIL = dt.date(2024, 4, 1)
SCOPE = Scope(APRIL, "USD", "UTC")
USUAL = StageSettings()
ORDERS = """\
order_id,customer_id,placed_at,total,cancelled_at,is_test
o1,A,2024-01-05 12:00:00Z,100,,false
o2,A,2024-02-10 12:00:00Z,50,,false
o3,A,2024-02-10 18:00:00Z,30,,false
o4,B,2024-01-20 12:00:00Z,80,,false
o5,B,2024-03-15 12:00:00Z,40,,false
o6,C,2024-02-01 03:30:00Z,60,,false
o7,D,2024-02-14 12:00:00Z,20,2024-02-14 13:00:00Z,false
o8,,2024-02-20 12:00:00Z,25,,false
o9,E,2024-03-02 12:00:00Z,70,,false
o10,E,2024-03-30 12:00:00Z,70,,true
"""
RETURNS = """\
return_id,order_id,customer_id,amount,returned_at
r1,o4,B,80,2024-01-25 12:00:00Z
r2,o5,B,10,2024-03-20 12:00:00Z
"""
CUSTOMERS = """\
customer_id,email,country,email_consent_at,email_optout_at
A,a@example.com,US,2024-01-05 12:00:00Z,
B,b@example.com,US,2024-01-05 12:00:00Z,2024-02-05 12:00:00Z
Z,,ID,,
"""


def imported(shop, folder, **files):
    """The shop after importing CSV texts named for their fact tables."""
    paths = [folder / f"{name}.csv" for name in files]
    for path, text in zip(paths, files.values(), strict=True):
        path.write_text(text, encoding="utf-8")
    shop.import_files(paths)
    return shop


def rows(shop):
    """The traits by customer; nothing in them may be infinite or not a number."""
    found = {row["customer_id"]: row for row in shop.sql("from traits").to_pylist()}
    for row in found.values():
        assert list(row) == list(TRAITS)
        for name, value in row.items():
            assert not isinstance(value, float | Decimal) or math.isfinite(value), name
            assert TRAITS[name].kind != "share" or value is None or 0 <= value <= 1, name
            assert TRAITS[name].kind != "integer" or value is None or isinstance(value, int), name
    return found


@pytest.fixture
def tiny(make_shop, tmp_path):
    shop = make_shop(currency="USD", time_zone="America/New_York")
    return imported(shop, tmp_path, orders=ORDERS, returns=RETURNS, customers=CUSTOMERS)


def test_counted_by_hand(tiny):
    """Five people bought or are known; the gaps are 36 and 55 days ended, 16, 29, 50 and 60 open: median 55."""
    done = tiny.refresh(as_of=APRIL)
    found = rows(tiny)
    assert done.customers == len(found)
    assert set(found) == {"A", "B", "C", "E", "Z"}
    assert done.shop_gap_days == pytest.approx(55 / math.log(2))
    a = found["A"]
    assert (a["orders"], a["purchase_days"], a["recency"], a["days_since_last_order"]) == (3, 2, 36, 50)
    assert (a["first_day"], a["last_day"]) == (dt.date(2024, 1, 5), dt.date(2024, 2, 10))
    assert (a["gross_revenue"], a["average_order_value"], a["repeat_value"]) == (180, 60, 80)
    assert a["usual_gap_days"] == pytest.approx((2 * 55 / math.log(2) + 36) / 3)
    b = found["B"]
    assert (b["gross_revenue"], b["returned_revenue"], b["net_revenue"]) == (120, 90, 30)
    assert found["C"]["first_day"] == dt.date(2024, 1, 31), "half past ten in the evening in New York"
    assert found["C"]["repeat_value"] is None
    consent = {name: (row["has_email"], row["email_consent"]) for name, row in found.items()}
    assert consent == {"A": (True, True), "B": (True, False), "C": (False, False), "E": (False, False),
                       "Z": (False, False)}  # fmt: skip
    scores = {name: (row["rfm_recency"], row["rfm_frequency"], row["rfm_value"]) for name, row in found.items()}
    assert scores == {"A": (2, 5, 5), "B": (5, 5, 1), "C": (1, 1, 2), "E": (4, 1, 4), "Z": (None, None, None)}
    assert {name: row["stage"] for name, row in found.items()} == {
        "A": "retention", "B": "retention", "C": "activation", "E": "activation", "Z": "acquisition",
    }  # fmt: skip
    assert (found["Z"]["orders"], found["Z"]["net_revenue"], found["Z"]["country"]) == (0, 0, "ID")
    assert done.card.reason.startswith("A purchase model needs at least 30 customers")


def test_as_of_a_day_only_what_had_happened(tiny, make_shop, tmp_path):
    tiny.refresh(as_of=dt.date(2024, 2, 15))
    then = rows(tiny)
    assert (then["A"]["days_since_last_order"], then["B"]["orders"], then["B"]["returned_revenue"]) == (4, 1, 80)
    assert "E" not in then, "E had not bought yet"
    earlier = make_shop(currency="USD", time_zone="America/New_York")
    later = ("o5", "o8", "o9", "o10")
    early_orders = "".join(line for line in ORDERS.splitlines(keepends=True) if not line.startswith(later))
    early_returns = "".join(line for line in RETURNS.splitlines(keepends=True) if not line.startswith("r2"))
    imported(earlier, tmp_path, orders=early_orders, returns=early_returns, customers=CUSTOMERS)
    earlier.refresh(as_of=dt.date(2024, 2, 15))
    assert rows(earlier) == then


def test_twice_is_the_same(tiny):
    first = tiny.refresh(as_of=APRIL)
    found = rows(tiny)
    second = tiny.refresh(as_of=APRIL)
    assert rows(tiny) == found
    assert (first.card, first.customers) == (second.card, second.customers)


def people(*, count: int, orders: int, total: str, days: str) -> str:
    """A CSV of so many customers with so many orders each; `total` and `days` are DuckDB expressions of i and k."""
    import duckdb

    lines = duckdb.execute(
        f"select concat_ws(',', i || '-' || k, 'c' || i, (date '2025-01-01' + ({days})::int)::varchar, {total}) "
        f"from range({count}) p(i), range({orders}) o(k) order by i, k"
    ).fetchall()
    return "order_id,customer_id,placed_at,total\n" + "".join(f"{line}\n" for (line,) in lines)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("orders", "fitted"),
    [
        pytest.param(people(count=60, orders=3, total="0", days="i + k * 40"), True, id="everything is free"),
        pytest.param(people(count=60, orders=3, total="-5 * k", days="(i + k * 40) % 300"), True, id="below zero"),
        pytest.param(people(count=60, orders=3, total="10 + i", days="5"), False, id="all on one day"),
        pytest.param(people(count=1, orders=1, total="10", days="0"), False, id="one order"),
        pytest.param(people(count=1, orders=5000, total="10 + k % 7", days="k // 14"), False, id="one busy customer"),
        pytest.param(
            people(count=60, orders=400, total="10 + k % 7", days="k * (i % 2) + i % 9"), True, id="daily buyers"
        ),
        pytest.param(
            people(count=60, orders=2, total="99999999999.99", days="i + k * (i + 3)"), True, id="enormous amounts"
        ),
    ],
)
def test_odd_shops(shop, tmp_path, orders, fitted):
    done = imported(shop, tmp_path, orders=orders).refresh()
    assert (done.card.parameters is not None) == fitted or done.card.reason is not None
    found = rows(shop)
    assert len(found) == done.customers > 0
    if done.card.parameters is not None:
        assert all(row["expected_value_365d"] >= 0 for row in found.values())
    assert all(row["usual_gap_days"] > 0 for row in found.values())


def test_orders_from_the_future(shop, tmp_path):
    """One order dated 2099 by mistake does not make lost customers of everybody else."""
    orders = people(count=40, orders=2, total="10", days="i + k * 300") + "x,typo,2099-01-01,10\n"
    done = imported(shop, tmp_path, orders=orders).refresh(as_of=dt.date(2026, 3, 2))
    found = rows(shop)
    assert "typo" not in found
    assert {row["stage"] for row in found.values()} != {"lost"}
    assert done.shop_gap_days == pytest.approx(300 / math.log(2))


# Scores and stages at their edges.


def judged(table, column):
    return [row[column] for row in ibis.duckdb.connect().to_pyarrow(table).to_pylist()]


def stage_of(own=USUAL, **known):
    """The stage of one customer with a usual gap of 10 days; what is not said is null."""
    row = {"orders": 1, "purchase_days": 1, "usual_gap_days": 10.0, **known}
    if "days" in row:
        row["gaps_of_silence"] = row.pop("days") / row["usual_gap_days"]
    types = {"text": "string", "flag": "boolean", "day": "date", "number": "float64"}
    columns = {name: ibis.literal(row.get(name)).cast(types[kind]) for name, kind in WORDS.traits.items()}
    table = ibis.memtable([{"one": 1}]).select(**columns)
    return judged(table.select(stage=stages.stage(table, stages.rules(own, WORDS), SCOPE)), "stage")[0]


@pytest.mark.parametrize(
    ("days", "purchase_days", "expected"),
    [
        (0, 1, "activation"),
        (16, 1, "activation"),
        (17, 1, "dormant"),
        (16, 2, "retention"),
        (16, 3, "retention"),
        (16, 4, "loyalty"),
        (17, 4, "dormant"),
        (48, 9, "dormant"),
        (49, 9, "lost"),
    ],
)
def test_the_edges_of_stages(days, purchase_days, expected):
    assert stage_of(days=days, purchase_days=purchase_days) == expected
    assert expected in stages.STAGES


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"orders": 0, "purchase_days": 0}, "acquisition"),
        # Back after 17 days where 10 were usual; and back after 16, which was no silence.
        ({"purchase_days": 5, "days": 1, "last_gap": 17, "gap_before_last": 10.0}, "reactivation"),
        ({"purchase_days": 5, "days": 1, "last_gap": 16, "gap_before_last": 10.0}, "loyalty"),
        ({"purchase_days": 5, "days": 17, "last_gap": 17, "gap_before_last": 10.0}, "dormant"),
        # Whoever pays for a subscription is not silent, whatever they bought beside it.
        ({"days": 300, "subscription": "running", "days_subscribed": 10}, "activation"),
        ({"days": 300, "subscription": "running", "days_subscribed": 60}, "retention"),
        ({"orders": 0, "purchase_days": 0, "subscription": "running", "days_subscribed": 365}, "loyalty"),
        (
            {"orders": 0, "purchase_days": 0, "subscription": "ended", "days_since_subscription_ended": 90},
            "dormant",
        ),
        ({"orders": 0, "purchase_days": 0, "subscription": "ended", "days_since_subscription_ended": 91}, "lost"),
        # A subscription that ended says nothing against somebody who goes on buying.
        ({"purchase_days": 3, "days": 5, "subscription": "ended", "days_since_subscription_ended": 200}, "retention"),
    ],
)
def test_subscribers_and_those_who_are_back(known, expected):
    assert stage_of(**known) == expected


def test_a_shop_replaces_a_rule():
    own = StageSettings(loyalty="purchase_days >= 2 and gap_spread < 0.3")
    assert stage_of(own, purchase_days=2, days=1, gap_spread=0.1) == "loyalty"
    assert stage_of(own, purchase_days=9, days=1, gap_spread=0.5) == "retention"
    with pytest.raises(stages.BadStage, match="did you mean `purchase_days`"):
        stage_of(StageSettings(loyalty="purchase_day >= 2"))
    with pytest.raises(stages.BadStage, match="asks what somebody did"):
        stage_of(StageSettings(loyalty="count_orders(30) > 2"))


def test_every_stage_can_be_reached_and_four_in_five_come_back_before_dormancy():
    assert 1 - math.exp(-stages.SILENT_AFTER) == pytest.approx(0.8, abs=0.005)
    assert set(stages.STAGES) == set(stages.RULES) == set(stages.ACTIONS) == set(StageSettings.model_fields)


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 30), st.integers(1, 6), st.integers(-20, 50)),
        min_size=1,
        max_size=30,
    )
)
@settings(max_examples=25)
def test_scores_are_fifths_and_ties_share(people):
    buyers = [{"orders": o, "days_since_last_order": d, "purchase_days": n, "net_revenue": v} for o, d, n, v in people]
    found = ibis.duckdb.connect().to_pyarrow(with_rfm(ibis.memtable(buyers), SCOPE)).to_pylist()
    bought = [row for row in buyers if row["orders"] > 0]
    for row in found:
        if row["orders"] == 0:
            assert row["rfm_recency"] is row["rfm_frequency"] is row["rfm_value"] is None
            continue
        for score, value in (
            ("rfm_recency", lambda row: -row["days_since_last_order"]),
            ("rfm_frequency", lambda row: row["purchase_days"]),
            ("rfm_value", lambda row: row["net_revenue"]),
        ):
            others = [value(other) for other in bought if value(other) != value(row)]
            lower = sum(each < value(row) for each in others)
            assert row[score] == (min(1 + 5 * lower // len(others), 5) if others else 3)


def test_cuts_of_the_shops_own():
    own = CustomerSettings(rfm_days=(30, 60, 90, 120), rfm_purchase_days=(2, 3, 4, 5), rfm_revenue=(10, 20, 30, 40))
    days, often, much = (0, 30, 31, 90, 120, 121), (1, 2, 4, 5, 9, 3), (9, 10, 20, 39, 40, -5)
    buyers = [
        {"orders": 1, "days_since_last_order": d, "purchase_days": n, "net_revenue": v}
        for d, n, v in zip(days, often, much, strict=True)
    ]
    table = with_rfm(ibis.memtable(buyers), replace(SCOPE, rules=own)).order_by("days_since_last_order")
    assert judged(table, "rfm_recency") == [5, 5, 4, 3, 2, 1]
    assert judged(table, "rfm_frequency") == [1, 2, 4, 5, 5, 3]
    assert judged(table, "rfm_value") == [1, 2, 3, 4, 5, 1]


def test_eleven_names_and_each_place_has_one():
    """The places that shops' own maps agree on; how often and how much together are their mean, halves upwards."""
    assert {name for row in MAP.values() for name in row} == set(GROUPS)
    assert len(GROUPS) == 11
    own = CustomerSettings(rfm_days=(10, 20, 30, 40), rfm_purchase_days=(2, 3, 4, 5), rfm_revenue=(2, 3, 4, 5))
    places = [(r, f, v) for r in range(1, 6) for f in range(1, 6) for v in range(1, 6)]
    buyers = [
        {"orders": 1, "days_since_last_order": 55 - 10 * r, "purchase_days": f, "net_revenue": v} for r, f, v in places
    ]
    rows = ibis.duckdb.connect().to_pyarrow(with_rfm(ibis.memtable(buyers), replace(SCOPE, rules=own))).to_pylist()
    found = {(row["rfm_recency"], row["rfm_frequency"], row["rfm_value"]): row["rfm_group"] for row in rows}
    assert len(found) == 125
    expected = {
        (5, 5, 5): "champions", (5, 1, 1): "new", (4, 1, 1): "promising", (1, 1, 1): "lost", (1, 5, 5): "cannot_lose",
        (2, 4, 3): "at_risk", (3, 3, 3): "need_attention", (3, 1, 2): "about_to_sleep", (1, 2, 2): "hibernating",
        (5, 2, 3): "potential_loyalists", (3, 5, 4): "loyal", (5, 4, 3): "champions",
    }  # fmt: skip
    assert {place: found[place] for place in expected} == expected
