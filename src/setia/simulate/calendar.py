"""The shop's time: seconds since its first midnight, the season, and the hours at which people buy.

The intensity of orders is a factor of the day times a profile of the hour, so its integral is piecewise
linear and every probability over a window is exact. It is measured in *season days*: a day of factor 1 is
worth one.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

Numbers = float | list[int] | NDArray[np.float64] | NDArray[np.int64]

DAY = 86_400
_HOUR = 3_600
_PROFILE = np.array([1, 0.5, 0.5, 0.5, 1, 2, 3, 5, 7, 9, 10, 11, 12, 10, 9, 9, 9, 9, 10, 13, 14, 13, 9, 4], dtype=float)
_PROFILE /= _PROFILE.sum()


def lebaran(year: int) -> tuple[date, ...]:
    """Days of Eid al-Fitr in a Gregorian year, by the tabular Islamic calendar (within a day of the observed)."""
    first = round((year - 622) * 33 / 32) - 1
    days = []
    for hijri in range(first, first + 4):
        julian_day = (11 * hijri + 3) // 30 + 354 * hijri + 30 * 10 - (10 - 1) // 2 + 1 + 1_948_440 - 385
        days.append(date.fromordinal(julian_day - 1_721_425))
    return tuple(day for day in days if day.year == year)


@lru_cache(maxsize=4096)
def season_factor(day: date) -> float:
    """How busy a day is: 1 on an ordinary one.

    The weeks before Lebaran, the single days of 11.11 and 12.12, and the days after pay are busy; the holiday
    itself and the weeks after New Year are quiet.
    """
    factor = 1.25 if 25 <= day.day <= 28 else 1.0
    if (1, 8) <= (day.month, day.day) <= (2, 14):
        factor *= 0.85
    if (day.month, day.day) in ((11, 11), (12, 12)):
        factor *= 3.0
    elif (day.month, day.day) in ((11, 10), (11, 12), (12, 11), (12, 13)):
        factor *= 1.4
    for feast in lebaran(day.year):
        after = (day - feast).days
        if -21 <= after < -9:
            factor *= 1.35
        elif -9 <= after < -2:
            factor *= 1.9
        elif -2 <= after < 6:
            factor *= 0.45
    return factor


class Calendar:
    """Turns instants into seconds since local midnight of the first day, and those into season days."""

    def __init__(self, start: date, time_zone: str, *, season: bool = True) -> None:
        self._start = start
        self._zone = ZoneInfo(time_zone)
        self._epoch = datetime.combine(start, time(), self._zone)
        self._season = season
        self._build(52 * 7 * 24)

    def second(self, moment: datetime) -> float:
        """Seconds since the epoch. Raises TypeError for an instant without a time zone."""
        if moment.tzinfo is None:
            raise TypeError("an instant needs a time zone")
        return moment.timestamp() - self._epoch.timestamp()

    def moment(self, second: int) -> datetime:
        """The instant, in the shop's time zone."""
        return datetime.fromtimestamp(self._epoch.timestamp() + second, self._zone)

    def season_days(self, second: Numbers) -> NDArray[np.float64]:
        """Integral of the intensity of orders since the epoch."""
        self._reach(second)
        return np.asarray(np.interp(np.asarray(second, np.float64), self._hours, self._busy))

    def waking_days(self, second: Numbers) -> NDArray[np.float64]:
        """Integral of the profile of the hours alone: each whole day is worth one."""
        self._reach(second)
        return np.asarray(np.interp(np.asarray(second, np.float64), self._hours, self._awake))

    def at_season_days(self, value: Numbers) -> NDArray[np.int64]:
        """The whole second at which `season_days` reaches a value."""
        while np.max(value, initial=0.0) >= self._busy[-1]:
            self._build(2 * len(self._hours))
        return np.floor(np.interp(np.asarray(value, np.float64), self._busy, self._hours)).astype(np.int64)

    def at_waking_days(self, value: Numbers) -> NDArray[np.int64]:
        """The whole second at which `waking_days` reaches a value."""
        while np.max(value, initial=0.0) >= self._awake[-1]:
            self._build(2 * len(self._hours))
        return np.floor(np.interp(np.asarray(value, np.float64), self._awake, self._hours)).astype(np.int64)

    def later(self, second: Numbers, days: Numbers) -> NDArray[np.int64]:
        """So many days later, by the clock of waking hours: whole days keep the hour."""
        return self.at_waking_days(self.waking_days(second) + np.asarray(days))

    def text(self, second: Numbers) -> list[str]:
        """ISO 8601 with the local offset; empty for a negative number (not known, not yet)."""
        seconds = np.asarray(second, dtype=np.int64)
        if not seconds.size:
            return []
        self._reach(seconds)
        offset = self._offset[np.maximum(seconds, 0) // _HOUR]
        local = np.datetime_as_string((round(self._epoch.timestamp()) + seconds + offset).astype("datetime64[s]"))
        kinds = {int(value): self._offset_text(int(value)) for value in np.unique(offset)}
        suffixes = [kinds[value] for value in offset.tolist()]
        known = (seconds >= 0).tolist()
        return [
            stamp + suffix if there else ""
            for stamp, suffix, there in zip(local.tolist(), suffixes, known, strict=True)
        ]

    @staticmethod
    def _offset_text(seconds: int) -> str:
        hours, minutes = divmod(abs(seconds) // 60, 60)
        return f"{'-' if seconds < 0 else '+'}{hours:02d}:{minutes:02d}"

    def _reach(self, second: Numbers) -> None:
        while np.max(second, initial=0.0) >= self._hours[-1]:
            self._build(2 * len(self._hours))

    def _build(self, hours: int) -> None:
        """Lay the hourly grid anew, longer; its beginning stays the same."""
        first = self._epoch.timestamp()
        nothing = timedelta()
        offsets = [
            (datetime.fromtimestamp(first + hour * _HOUR, self._zone).utcoffset() or nothing).total_seconds()
            for hour in range(hours + 1)
        ]
        self._offset = np.array(offsets, dtype=np.int64)
        self._hours = np.arange(hours + 1, dtype=np.float64) * _HOUR
        local = np.arange(hours) + (self._offset[:-1] - self._offset[0]) // _HOUR
        profile = _PROFILE[local % 24]
        days = self._start.toordinal() + np.arange(int(local.max()) // 24 + 2)
        factors = np.array([season_factor(date.fromordinal(int(day))) if self._season else 1.0 for day in days])
        self._awake = np.concatenate([[0.0], np.cumsum(profile)])
        self._busy = np.concatenate([[0.0], np.cumsum(profile * factors[np.maximum(local // 24, 0)])])
