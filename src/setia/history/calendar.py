"""The shop's calendar: feasts, paydays and sale days by which its figures rise and fall, and what happened to it alone.

Feasts are the official days of the shop's country; those of years to come are estimates, a day off at most.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

from setia.history.windows import Window, same_day
from setia.kernel.errors import SetiaError
from setia.kernel.i18n import N_
from setia.settings import OwnEvent

COUNTRIES = ("ID", "MY", "SG", "BN")
"""Countries whose feasts, paydays and sale days are known."""
JOHOR = "01"
"""Its first day of Ramadan is a public holiday, so that the day is on record."""
LEBARAN_DAYS, LUNAR_NEW_YEAR_BEFORE, LUNAR_NEW_YEAR_AFTER = 7, 14, 3
PAYDAYS = (25, 28)
HALF_A_YEAR = 183
LUNAR, LUNAR_YEAR = ("ramadan", "lebaran", "lunar_new_year"), 354


class UnknownOccasion(SetiaError):
    """The calendar has no {name} near the window. It has {choices}; `[[calendar]]` in setia.toml adds your own."""

    code = "history.unknown_occasion"


@dataclass(frozen=True, slots=True, order=True)
class Occasion:
    """Days on which a shop is not as on others. `title` is an English sentence to be translated, or the shop's own."""

    since: dt.date
    until: dt.date
    name: str
    title: str
    anchor: dt.date
    """The day by which two years of it are laid over each other."""

    def touches(self, window: Window) -> bool:
        """Whether some of its days lie in a window."""
        return self.since < window.until and window.since < self.until


@dataclass(frozen=True, slots=True)
class Calendar:
    """The occasions of one shop. Without a country that is known, only its own."""

    country: str | None = None
    own: tuple[OwnEvent, ...] = ()

    def between(self, since: dt.date, until: dt.date) -> list[Occasion]:
        """All occasions that touch a stretch of days, in order."""
        after = dt.timedelta(days=1)
        found = [Occasion(e.first_day, e.last_day + after, e.name, e.name, e.first_day) for e in self.own]
        if self.country in COUNTRIES:
            for year in range(since.year - 1, until.year + 2):
                found += _of_year(self.country, year)
        stretch = Window(since, until)
        return sorted(occasion for occasion in found if occasion.touches(stretch))

    def marks(self, window: Window) -> list[Occasion]:
        """What makes a window unlike others of its length: paydays only where it is shorter than a month."""
        found = self.between(window.since, window.until)
        return [occasion for occasion in found if occasion.name != "payday" or window.days <= 14]

    def aligned(self, name: str) -> Callable[[Window], Window]:
        """From a window to the one of the year before at the same distance from an occasion. Raises UnknownOccasion."""

        def a_year_before(window: Window) -> Window:
            near = self._nearest(name, window.since)
            then = near - dt.timedelta(days=LUNAR_YEAR) if name in LUNAR else same_day(near, near.year - 1)
            return window.moved((self._nearest(name, then) - near).days)

        return a_year_before

    def _nearest(self, name: str, day: dt.date) -> dt.date:
        half = dt.timedelta(days=HALF_A_YEAR)
        around = self.between(day - half, day + half)
        anchors = [occasion.anchor for occasion in around if occasion.name == name]
        if not anchors:
            raise UnknownOccasion(name=name, choices=", ".join(sorted({each.name for each in around})) or "no occasion")
        return min(anchors, key=lambda anchor: abs(anchor - day))


def _of_year(country: str, year: int) -> Iterable[Occasion]:
    day, days = dt.date, dt.timedelta
    ramadans, feasts, new_years = _feasts(country, year)
    for first in ramadans:
        feast = next((each for each in (*feasts, *_feasts(country, year + 1)[1]) if each > first), first + days(30))
        yield Occasion(first, feast, "ramadan", N_("Ramadan"), feast)
    for feast in feasts:
        yield Occasion(feast, feast + days(LEBARAN_DAYS), "lebaran", N_("Eid al-Fitr (Lebaran, Hari Raya)"), feast)
    for new_year in new_years:
        since, until = new_year - days(LUNAR_NEW_YEAR_BEFORE), new_year + days(LUNAR_NEW_YEAR_AFTER)
        yield Occasion(since, until, "lunar_new_year", N_("Lunar New Year"), new_year)
    for month in range(1, 13):
        first, last = (day(year, month, number) for number in PAYDAYS)
        yield Occasion(first, last + days(1), "payday", N_("Payday"), first)
    for month, title in ((11, N_("11.11")), (12, N_("12.12"))):
        sale = day(year, month, month)
        yield Occasion(sale, sale + days(1), f"{month}.{month}", title, sale)


def _is(title: str, names: tuple[str, ...]) -> bool:
    """Whether a holiday is one of these, and not a day off granted beside it."""
    return "additional" not in title and any(title.startswith(name) for name in names)


@cache
def _feasts(country: str, year: int) -> tuple[tuple[dt.date, ...], ...]:
    """First days of Ramadan, of Eid al-Fitr and of the lunar year within a Gregorian year; some years have two."""
    import holidays

    def named(where: holidays.HolidayBase, *names: str) -> tuple[dt.date, ...]:
        days = {day for day, titles in where.items() for title in titles.split("; ") if _is(title, names)}
        # The second day of a feast is a holiday too.
        return tuple(sorted(day for day in days if day - dt.timedelta(days=1) not in days))

    own = holidays.country_holidays(country, years=year, language="en_US", observed=False)
    johor = holidays.country_holidays("MY", subdiv=JOHOR, years=year, language="en_US", observed=False)
    return (
        named(johor, "Beginning of Ramadan"),
        named(own, "Eid al-Fitr"),
        named(own, "Chinese New Year", "Lunar New Year"),
    )
