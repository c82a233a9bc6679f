"""Windows: calendar periods, what stands before them and a year before."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setia.history.windows import EVERY, UnknownPeriod, Window, months_on, period_of, periods

DAYS = st.dates(dt.date(2000, 1, 1), dt.date(2040, 12, 31))


def window(since: str, until: str, every: str | None = None) -> Window:
    return Window(dt.date.fromisoformat(since), dt.date.fromisoformat(until), every)  # type: ignore[arg-type]


@given(DAYS, st.sampled_from(EVERY))
def test_every_day_lies_in_one_period_and_periods_leave_no_gap(day, every):
    period = period_of(day, every)
    assert period.since <= day < period.until
    assert period.before().until == period.since
    assert period_of(period.until, every).before() == period


def test_periods_end_with_the_one_that_holds_the_day():
    found = periods(dt.date(2024, 3, 15), "month", 3)
    assert [(w.since.month, w.days) for w in found] == [(1, 31), (2, 29), (3, 31)]
    assert period_of(dt.date(2024, 2, 29), "week") == window("2024-02-26", "2024-03-04", "week")
    assert period_of(dt.date(2024, 5, 31), "quarter") == window("2024-04-01", "2024-07-01", "quarter")
    with pytest.raises(UnknownPeriod, match="fortnight"):
        periods(dt.date(2024, 3, 15), "fortnight", 3)  # type: ignore[arg-type]


def test_a_year_before():
    """Months with months, weeks with the same days of the week, other windows by their last date."""
    assert window("2024-03-01", "2024-04-01", "month").a_year_before() == window("2023-03-01", "2023-04-01", "month")
    assert window("2024-02-26", "2024-03-04", "week").a_year_before() == window("2023-02-27", "2023-03-06", "week")
    assert window("2024-01-31", "2024-02-29").a_year_before() == window("2023-01-30", "2023-02-28")
    assert window("2024-01-01", "2024-03-31").before() == window("2023-10-03", "2024-01-01")


@given(st.dates(dt.date(2000, 1, 1), dt.date(2040, 1, 1)), st.integers(-40, 40))
def test_months_on(day, months):
    first = day.replace(day=1)
    assert months_on(months_on(first, months), -months) == first
