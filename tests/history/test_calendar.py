"""The shop's calendar: official feasts, paydays, sale days, own events, and years laid over each other by them."""

from __future__ import annotations

import datetime as dt

import pytest

from setia.history.calendar import Calendar, UnknownOccasion
from setia.history.windows import Window
from setia.settings import OwnEvent
from setia.simulate.calendar import lebaran

INDONESIA = Calendar("ID")


def named(calendar: Calendar, name: str, year: int) -> list[tuple[str, str]]:
    found = calendar.between(dt.date(year, 1, 1), dt.date(year + 1, 1, 1))
    return [(each.since.isoformat(), each.until.isoformat()) for each in found if each.name == name]


def test_official_days():
    """Eid al-Fitr of 2023 to 2026 and the Lunar New Year, as decreed."""
    feasts = {2023: "2023-04-22", 2024: "2024-04-10", 2025: "2025-03-31", 2026: "2026-03-21"}
    for year, first in feasts.items():
        for country in ("ID", "MY", "SG"):
            assert [since for since, _until in named(Calendar(country), "lebaran", year)] == [first], (country, year)
        (ramadan,) = named(INDONESIA, "ramadan", year)
        assert ramadan[1] == first, "Ramadan ends with the feast"
        assert (dt.date.fromisoformat(first) - dt.date.fromisoformat(ramadan[0])).days in (29, 30)
    new_years = {2024: dt.date(2024, 2, 10), 2025: dt.date(2025, 1, 29), 2026: dt.date(2026, 2, 17)}
    for year, first_day in new_years.items():
        (around,) = named(INDONESIA, "lunar_new_year", year)
        assert around == (
            (first_day - dt.timedelta(days=14)).isoformat(),
            (first_day + dt.timedelta(days=3)).isoformat(),
        )


@pytest.mark.parametrize("year", range(2015, 2035))
def test_feasts_agree_with_the_tabular_calendar(year):
    """An independent reckoning, a day off at most; some years have two feasts."""
    ours = [dt.date.fromisoformat(since) for since, _until in named(INDONESIA, "lebaran", year)]
    tabular = lebaran(year)
    assert len(ours) == len(tabular)
    assert all(abs((one - other).days) <= 1 for one, other in zip(ours, tabular, strict=True))


def test_sale_days_and_paydays():
    assert named(INDONESIA, "11.11", 2025) == [("2025-11-11", "2025-11-12")]
    assert named(INDONESIA, "12.12", 2025) == [("2025-12-12", "2025-12-13")]
    assert len(named(INDONESIA, "payday", 2025)) == 12


def test_paydays_mark_short_windows_alone():
    month, week = Window(dt.date(2025, 8, 1), dt.date(2025, 9, 1)), Window(dt.date(2025, 8, 25), dt.date(2025, 9, 1))
    assert [each.name for each in INDONESIA.marks(month)] == []
    assert [each.name for each in INDONESIA.marks(week)] == ["payday"]


def test_own_events_and_foreign_countries():
    own = OwnEvent(name="Kenaikan harga", first_day=dt.date(2025, 6, 1), last_day=dt.date(2025, 6, 3))
    calendar = Calendar("GB", (own,))
    (found,) = calendar.between(dt.date(2025, 1, 1), dt.date(2026, 1, 1))
    assert (found.name, found.since, found.until) == ("Kenaikan harga", dt.date(2025, 6, 1), dt.date(2025, 6, 4))


def test_years_laid_over_each_other_by_a_feast():
    """The week before Lebaran 2026 beside the week before Lebaran 2025, ten days later in the year."""
    align = INDONESIA.aligned("lebaran")
    week = Window(dt.date(2026, 3, 14), dt.date(2026, 3, 21))
    assert align(week) == Window(dt.date(2025, 3, 24), dt.date(2025, 3, 31))
    after = Window(dt.date(2026, 4, 1), dt.date(2026, 5, 1), "month")
    assert align(after) == Window(dt.date(2025, 4, 11), dt.date(2025, 5, 11))
    assert INDONESIA.aligned("11.11")(Window(dt.date(2025, 11, 8), dt.date(2025, 11, 15))).since == dt.date(2024, 11, 8)


def test_an_occasion_that_is_not_there():
    with pytest.raises(UnknownOccasion, match=r"ramadan, payday|lebaran"):
        INDONESIA.aligned("thanksgiving")(Window(dt.date(2026, 3, 1), dt.date(2026, 4, 1)))
