"""What customers did, as conditions ask it: against plain Python, and against what cannot be asked."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from setia.conditions.behaviour import with_behaviour
from setia.conditions.condition import BadCondition, Condition
from setia.customers.traits import WORDS, observed
from setia.history.scope import Scope

SCOPE = Scope(dt.date(2024, 7, 1), "USD", "UTC")
FIRST = dt.datetime(2024, 6, 1, tzinfo=dt.UTC)
NAMES = ("Product Viewed", "Product Added", "Order Completed")


def event(number: int, who: str, hours: int, name: str, device: str | None = None) -> dict[str, Any]:
    at = FIRST + dt.timedelta(hours=hours)
    return {"event_id": f"{number:03}", "customer_id": who, "name": name, "occurred_at": at, "day": at.date(),
            "device": device}  # fmt: skip


def order(number: int, who: str, day: dt.date, total: int, channel: str | None = None) -> dict[str, Any]:
    return {"order_id": str(number), "customer_id": who, "day": day, "total": total, "channel": channel}


def members(reader: Any, text: str, scope: Scope = SCOPE) -> set[str]:
    condition = Condition.parse(text, WORDS)
    known = with_behaviour(reader, scope, observed(reader, scope, 30.0, condition.traits), condition.behaviours)
    found = reader.arrow(known.filter(condition.on(known, scope)).select("customer_id")).to_pylist()
    return {row["customer_id"] for row in found}


@pytest.fixture
def reader(reader_of):
    return reader_of(
        events=[
            event(1, "ani", 0, "Product Viewed", "mobile"),
            event(2, "ani", 700, "Product Viewed", "desktop"),
            event(3, "ani", 701, "Product Added"),
            event(4, "budi", 100, "Product Added"),
            event(5, "budi", 120, "Order Completed"),
            event(6, "citra", 100, "Product Added"),
            event(7, "citra", 100 + 7 * 24 + 1, "Order Completed"),
        ],
        orders=[
            order(1, "ani", dt.date(2024, 6, 30), 10, "app"),
            order(2, "ani", dt.date(2024, 1, 1), 500, "web"),
            order(3, "dewi", dt.date(2024, 6, 2), 90, "app"),
        ],
        customers=[{"customer_id": "eka"}],
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("count_events('Product Viewed') >= 2", {"ani"}),
        ("count_events('Product Viewed', 7) = 1", {"ani"}),
        ("COUNT_EVENTS('Product Viewed', 30, device = 'mobile') = 1", {"ani"}),
        ("count_events('Product Viewed') = 0", {"budi", "citra", "dewi", "eka"}),
        ("days_since_event('Product Added') < 3", {"ani"}),
        ("days_since_event('Product Added') is null", {"dewi", "eka"}),
        ("days_since_first_event('Product Viewed') = 29", {"ani"}),
        ("not_followed('Product Added', 'Order Completed', 7)", {"citra"}),
        ("not_followed('Product Added', 'Order Completed', 8)", set()),
        ("not_followed('Product Added', 'Product Added', 7)", {"budi", "citra"}),
        ("count_orders() = 2 and sum_orders(30) = 10", {"ani"}),
        ("sum_orders(365, channel = 'web' or total > 400) = 500", {"ani"}),
        ("count_orders(30, day >= days_ago(1)) = 1", {"ani"}),
        ("days_since_order(channel = 'web') > 100", {"ani"}),
        ("days_since_first_order_with(total < 100) between 0 and 0", {"ani"}),
        ("last_day >= days_ago(1)", {"ani"}),
        ("last_day >= days_ago(1) and last_day < days_ahead(1)", {"ani"}),
        ("last_day < days_ago(1) and orders > 0", {"dewi"}),
        ("orders > 0 and not count_events('Product Viewed', 90) > 0", {"dewi"}),
    ],
)
def test_by_hand(reader, text, expected):
    assert members(reader, text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("count_event('Product Viewed') > 1", "did you mean `count_events`"),
        ("read_csv('/etc/passwd') = 1", "is not part of the condition language"),
        ("pg_sleep(9) = 1", "there is no function `pg_sleep`"),
        ("count_events() > 1", "the event comes first, in quotation marks"),
        ("count_events(30) > 1", "the event comes first"),
        ("count_events('A', 'B') > 1", "after that comes a number of days"),
        ("count_events('A', 0) > 1", "from 1 to 36,525"),
        ("count_events('A', 30, 40) > 1", "a number of days"),
        ("count_events('A', 30, devise = 'mobile') > 1", "did you mean `device`"),
        ("count_events('A', 30, orders > 1) > 1", "there is no column `orders`"),
        ("count_events('A', 30, device) > 1", "is not true or false"),
        ("count_events('A', 30, count_orders() > 1) > 1", "there is no function `count_orders`"),
        ("not_followed('A', 7)", "two events come first"),
        ("not_followed('A', 'B')", "it needs a number of days"),
        ("count_events('A')", "is not true or false by itself"),
        ("last_day > days_ago('x')", "write `days_ago\\(30\\)`"),
        ("last_day > days_ahead()", "write `days_ahead\\(30\\)`"),
        ("days_since_order(30) > 1", "a condition at most"),
    ],
)
def test_what_cannot_be_asked(text, said):
    with pytest.raises(BadCondition, match=said):
        Condition.parse(text, WORDS)


def test_names_are_never_part_of_the_query(reader_of):
    hostile = "x'; drop table orders; --"
    reader = reader_of(events=[event(1, "ani", 0, hostile)])
    quoted = hostile.replace("'", "''")
    assert members(reader, f"count_events('{quoted}') = 1") == {"ani"}


def test_one_question_asked_twice_is_one_column():
    texts = ("count_events('A', 30) > 1", "Count_Events('A',30) < 5", "count_events('A', 31) > 1")
    asked = [next(iter(Condition.parse(text, WORDS).behaviours)) for text in texts]
    assert asked[0] == asked[1]
    assert asked[0].column != asked[2].column


happenings = st.lists(
    st.tuples(st.sampled_from(["ani", "budi"]), st.integers(0, 720), st.sampled_from(NAMES)), max_size=25
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(done=happenings, days=st.integers(1, 30), age=st.integers(0, 35))
def test_as_plain_python_counts(reader_of, done, days, age):
    rows = [event(n, who, hours, name) for n, (who, hours, name) in enumerate(done)]
    as_of = (FIRST + dt.timedelta(days=age)).date()
    scope = Scope(as_of, "USD", "UTC")
    reader = reader_of(events=rows)
    known = [row for row in rows if row["day"] < as_of]
    people = {row["customer_id"] for row in known}

    def of(who: str, *names: str) -> list[dict[str, Any]]:
        own = [row for row in known if row["customer_id"] == who and row["name"] in names]
        return sorted(own, key=lambda row: (row["occurred_at"], row["event_id"]))

    recent = dt.timedelta(days=days)
    for least in (1, 2):
        counted = {
            who for who in people
            if sum((as_of - row["day"]).days <= days for row in of(who, NAMES[0])) >= least
        }  # fmt: skip
        assert members(reader, f"count_events('{NAMES[0]}', {days}) >= {least}", scope) == counted
    for first, second in ((NAMES[1], NAMES[2]), (NAMES[1], NAMES[1])):
        alone = set()
        for who in people:
            own = of(who, first, second)
            for n, row in enumerate(own):
                after = [later for later in own[n + 1 :] if later["name"] == second]
                soon = any(later["occurred_at"] - row["occurred_at"] <= recent for later in after)
                if row["name"] == first and row["occurred_at"] + recent <= scope.until and not soon:
                    alone.add(who)
        assert members(reader, f"not_followed('{first}', '{second}', {days})", scope) == alone
