"""Cohorts: pooled over what is complete, in every variant, by either clock, on both paths."""

from __future__ import annotations

import datetime as dt

import pytest

from setia.history.scope import Scope
from setia.metrics.options import BadOption

from .building import JULY, ask, at, bought, buyers, day, order

COHORTS = " union all ".join(
    [
        buyers("jan", range(0, 1000), "2024-01-10"),
        buyers("jan-again", range(0, 500), "2024-02-10"),
        buyers("feb", range(5000, 5500), "2024-02-15"),
        buyers("feb-again", range(5000, 5400), "2024-03-15"),
        buyers("jan-later", range(0, 600), "2024-03-20"),
        buyers("march", range(8000, 8300), "2024-03-05"),
        buyers("march-again", range(8000, 8001), "2024-04-01"),
    ]
)


def test_pooled_over_what_is_complete(reader_of):
    """500 of 1,000, 400 of 500 and an open month: pooled 900 ÷ 1,500 = 60 %.

    A mean of the rates would say 65 %, and weighing twice by size 56 %.
    """
    scope = Scope(dt.date(2024, 4, 2), "USD", "UTC")
    answer = ask(reader_of(orders=COHORTS), "cohorts", scope)
    assert (answer.figures["age_1"], answer.figures["age_1_customers"]) == (0.6, 1500)
    rows = {(row["cohort"].month, row["age"]): row for row in answer.rows()}
    assert rows[3, 1] == {
        "cohort": dt.date(2024, 3, 1),
        "age": 1,
        "size": 300,
        "customers": 1,
        "share": None,
        "mature": False,
    }
    assert [rows[1, age]["share"] for age in range(3)] == [1.0, 0.5, 0.6], "retention is no funnel"
    assert answer.figures["age_6"] is None
    closed = ask(reader_of(orders=COHORTS), "cohorts", Scope(dt.date(2024, 5, 1), "USD", "UTC"))
    assert closed.figures["age_1_customers"] == 1800, "the day after its end a month is complete"


def test_only_the_newest_cohorts(reader_of):
    rows = ask(reader_of(orders=COHORTS), "cohorts", most_cohorts=4).rows()
    assert {row["cohort"] for row in rows} == {dt.date(2024, 3, 1)}, "four months back from June"


@pytest.mark.parametrize("most", [10, 80], ids=["masks", "distinct"])
def test_on_and_on_or_after(reader_of, most):
    """Bought on days 0, 1, 2, 5, 5 and 6: PostHog's first rows of the two kinds."""
    orders = bought("p1", "06-10", "06-11", "06-12", "06-15", "06-15", "06-16")
    scope = Scope(dt.date(2024, 6, 19), "USD", "UTC")
    on = ask(reader_of(orders=orders), "cohorts", scope, every="day", most_cohorts=most).rows()
    assert [row["customers"] for row in on] == [1, 1, 1, 0, 0, 1, 1, 0, 0]
    after = ask(reader_of(orders=orders), "cohorts", scope, every="day", kind="on_or_after", most_cohorts=most).rows()
    assert [row["customers"] for row in after] == [1, 1, 1, 1, 1, 1, 1, 0, 0]


@pytest.mark.parametrize("most", [60, 90], ids=["masks", "distinct"])
def test_brackets(reader_of, most):
    """Back on days 2 and 3 count once in the bracket 1–3, day 8 in 8–14; 15–30 is open."""
    orders = bought("a", "06-01", "06-03", "06-04", "06-09") + bought("b", "06-01", "06-20")
    rows = ask(
        reader_of(orders=orders),
        "cohorts",
        Scope(dt.date(2024, 6, 22), "USD", "UTC"),
        every="day",
        kind="bracket",
        brackets=((0, 0), (1, 3), (4, 7), (8, 14), (15, 30)),
        most_cohorts=most,
    ).rows()
    found = {(row["age"], row["age_until"]): (row["customers"], row["mature"]) for row in rows}
    assert found == {(0, 0): (2, True), (1, 3): (1, True), (4, 7): (0, True), (8, 14): (1, True), (15, 30): (1, False)}


@pytest.mark.parametrize(
    ("first", "second", "every", "calendar", "since_first"),
    [
        ("02-05 20:00", "02-06 06:00", "day", 1, 0),
        ("12-01 17:59", "12-02 17:00", "day", 1, 0),
        ("12-01 17:59", "12-02 17:59", "day", 1, 1),
        ("03-01 12:00", "03-04 12:00", "week", 1, 0),
        ("02-25 12:00", "03-03 12:00", "month", 1, 0),
    ],
)
def test_two_clocks(reader_of, first, second, every, calendar, since_first):
    """A night is a calendar day and no day of 24 hours; Friday to Monday is a calendar week."""
    orders = [order("1", "a", first), order("2", "a", second)]
    scope = Scope(at(second).date() + dt.timedelta(days=40), "USD", "UTC")
    for clock, age in (("calendar", calendar), ("since_first", since_first)):
        rows = ask(reader_of(orders=orders), "cohorts", scope, every=every, clock=clock, most_cohorts=60).rows()
        ages = [row["age"] for row in rows if row["customers"]]
        assert ages == sorted({0, age}), clock


def test_since_first_is_complete_once_the_last_of_the_cohort_has_had_the_time(reader_of):
    """The cohort of June is complete at age 0 thirty days after its last day."""
    reader = reader_of(orders=bought("a", "06-01") + bought("b", "06-30"))

    def mature(text: str) -> bool:
        scope = Scope(dt.date.fromisoformat(text), "USD", "UTC")
        return bool(ask(reader, "cohorts", scope, clock="since_first").rows()[0]["mature"])

    assert (mature("2024-07-30"), mature("2024-07-31")) == (False, True)


def test_broken_down_by_what_stood_at_the_entry(reader_of):
    """First on the web and back in the app: the return belongs to the web."""
    orders = [
        order("1", "a", "01-10", channel="web"),
        order("2", "a", "02-10", channel="app"),
        order("3", "b", "01-11", channel="app"),
    ]
    rows = ask(reader_of(orders=orders), "cohorts", Scope(dt.date(2024, 3, 1), "USD", "UTC"), by="first_channel").rows()
    assert {row["group"]: row["share"] for row in rows if row["age"] == 1} == {"web": 1.0, "app": 0.0}


@pytest.mark.parametrize(
    "options",
    [
        {"every": "hour"},
        {"kind": "rolling"},
        {"clock": "lunar"},
        {"kind": "bracket", "brackets": ((3, 1),)},
        {"brackets": ()},
    ],
)
def test_what_is_no_cohort_table_is_refused(reader_of, options):
    with pytest.raises(BadOption, match=next(iter(reversed(options)))):
        ask(reader_of(), "cohorts", JULY, **options)


def test_brackets_that_begin_alike(reader_of):
    """Each has its own count, and none is taken for the period of its first age."""
    reader = reader_of(orders=bought("a", "01-10", "02-10") + bought("b", "01-10", "03-10"))
    answer = ask(reader, "cohorts", kind="bracket", brackets=((1, 1), (1, 2)))
    rows = {(row["age"], row["age_until"]): row["customers"] for row in answer.rows() if row["cohort"] == day("01-01")}
    assert rows == {(1, 1): 1, (1, 2): 2}
    assert answer.value == 0.5
    wide = ask(reader, "cohorts", kind="bracket", brackets=((1, 2),))
    assert (wide.value, wide.reason) == (None, "brackets_have_none")


def test_on_or_after_says_what_it_favours(reader_of):
    reader = reader_of(orders=bought("a", "01-10", "04-10") + bought("b", "01-10", "03-10"))
    answer = ask(reader, "cohorts", kind="on_or_after")
    assert {row["age"]: row["customers"] for row in answer.rows()} == {0: 2, 1: 2, 2: 2, 3: 1, 4: 0, 5: 0}
    assert "have had more time" in answer.notes[0]
