from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from setia.simulate.calendar import DAY, Calendar, lebaran, season_factor

JAKARTA = Calendar(date(2025, 1, 6), "Asia/Jakarta")


@pytest.mark.parametrize("observed", [date(2022, 5, 2), date(2024, 4, 10), date(2025, 3, 31), date(2026, 3, 21)])
def test_lebaran_is_within_a_day_of_the_holiday_as_held_in_indonesia(observed: date) -> None:
    assert [abs((day - observed).days) <= 1 for day in lebaran(observed.year)] == [True]


def test_a_gregorian_year_may_hold_two_feasts() -> None:
    assert len(lebaran(2000)) == 2


def test_busy_and_quiet_days() -> None:
    assert season_factor(date(2025, 11, 11)) == 3.0
    assert season_factor(date(2025, 12, 12)) == 3.0
    assert season_factor(date(2025, 3, 24)) == 1.9
    assert season_factor(date(2025, 3, 31)) == 0.45
    assert season_factor(date(2025, 8, 26)) == 1.25
    assert season_factor(date(2025, 8, 12)) == 1.0
    assert season_factor(date(2025, 1, 20)) == 0.85


def test_season_days_of_a_day_are_its_factor_and_of_a_span_their_sum() -> None:
    days = [date(2025, 1, 6) + timedelta(days=k) for k in range(800)]
    at = JAKARTA.season_days(np.arange(801) * DAY)
    assert np.diff(at) == pytest.approx([season_factor(day) for day in days])


@given(st.integers(0, 900 * DAY))
def test_the_inverse_finds_the_second_again(second: int) -> None:
    assert abs(int(JAKARTA.at_season_days(JAKARTA.season_days(second))) - second) <= 1
    assert abs(int(JAKARTA.later(second, 5)) - second - 5 * DAY) <= 1


def test_text_and_instants_are_local() -> None:
    assert JAKARTA.text([0, -1]) == ["2025-01-06T00:00:00+07:00", ""]
    assert JAKARTA.second(datetime(2025, 1, 5, 17, 30, tzinfo=UTC)) == 1800
    assert JAKARTA.moment(DAY) == datetime(2025, 1, 7, tzinfo=ZoneInfo("Asia/Jakarta"))
    with pytest.raises(TypeError, match="time zone"):
        JAKARTA.second(datetime(2025, 1, 6))  # noqa: DTZ001


def test_a_zone_with_summer_time_keeps_its_hours() -> None:
    berlin = Calendar(date(2025, 3, 29), "Europe/Berlin", season=False)
    assert berlin.text([36 * 3600, 60 * 3600]) == ["2025-03-30T13:00:00+02:00", "2025-03-31T13:00:00+02:00"]
    seconds = np.arange(10 * DAY)[::600]
    assert [berlin.moment(int(second)).isoformat() for second in seconds] == berlin.text(seconds)
    busiest = np.diff(berlin.waking_days(np.arange(72, 97) * 3600)).argmax()
    assert berlin.moment((72 + int(busiest)) * 3600).hour == 20
