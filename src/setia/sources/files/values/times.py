"""Moments: which of the ways of writing them a column follows."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal
from zoneinfo import ZoneInfo

from setia.kernel.i18n import N_
from setia.sources.files.values import written
from setia.sources.files.values.months import ANY_MONTH
from setia.sources.files.values.sql import Count, matches, where, within
from setia.sources.files.values.written import Order
from setia.warehouse.duck import literal

_NUMBERED: dict[Order, dict[str, str]] = {
    "day": {"%d/%m/%Y": N_("day/month/year"), "%d-%m-%Y": N_("day-month-year"), "%d.%m.%Y": N_("day.month.year"),
            "%d/%m/%y": N_("day/month/year in two digits"), "%d-%m-%y": N_("day-month-year in two digits")},
    "month": {"%m/%d/%Y": N_("month/day/year"), "%m-%d-%Y": N_("month-day-year"),
              "%m/%d/%y": N_("month/day/year in two digits")},
}  # fmt: skip
_OTHERS = {
    "%Y-%m-%d": N_("year-month-day"), "%Y/%m/%d": N_("year/month/day"), "%Y.%m.%d": N_("year.month.day"),
    "%Y%m%d": N_("yearmonthday"), "%Y%m%d%H%M": N_("yearmonthday"), "%Y%m%d%H%M%S": N_("yearmonthday"),
    "%d %b %Y": N_("day, name of the month, year"), "%d %B %Y": N_("day, name of the month, year"),
    "%b %d, %Y": N_("name of the month, day, year"), "%B %d, %Y": N_("name of the month, day, year"),
    "%d-%b-%Y": N_("day, name of the month, year"), "%d-%b-%y": N_("day, name of the month, year in two digits"),
}  # fmt: skip
_SAID = {**_NUMBERED["day"], **_NUMBERED["month"], **_OTHERS}
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H.%M", " %H.%M.%S", " %I:%M %p", " %I:%M:%S %p")

Numbers = Literal["", "serial", "seconds", "milliseconds", "microseconds"]
_NUMBERS: dict[Numbers, tuple[str, str, str]] = {
    "serial": (
        r"^[2-7]\d{4}(?:[.,]\d+)?$",
        N_("days since 1900, as spreadsheets count them"),
        "epoch_ms(round((try_cast(replace({0}, ',', '.') as double) - 25569) * 86400000)::bigint)",
    ),
    "seconds": (
        r"^1\d{9}(?:\.\d+)?$",
        N_("seconds since 1970"),
        "make_timestamp((try_cast({0} as decimal(20,6)) * 1000000)::bigint)",
    ),
    "milliseconds": (r"^1\d{12}$", N_("milliseconds since 1970"), "epoch_ms(try_cast({0} as bigint))"),
    "microseconds": (r"^1\d{15}$", N_("microseconds since 1970"), "make_timestamp(try_cast({0} as bigint))"),
}
"""How a number that stands for a moment looks, what it counts, and the time that it means."""

_CLOCK = r" %[HI].*"
_PLAIN_ISO = r"^\d{4}[-/]\d\d?[-/]\d\d?(?:[ Tt]\d\d?:\d\d(?::\d\d(?:\.\d+)?)?)?$"
_ZONED_ISO = r"^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?\s*(?:Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)$"
_NAMES_ZONE = r"\d[:.]\d\d.*?\s*(?:Z|UTC|GMT|WIB|WITA|WIT|MYT|SGT|[+-]\d\d:?\d*)\)?$"
_TWO_NUMBERS = r"^\D*\d\d?[-/. ]+\d\d?[-/. ]+(?:\d{4}|\d\d)(?:\D|$)"
_PROVEN: dict[Order, str] = {
    "day": r"^\D*(?:1[3-9]|2\d|3[01])[-/. ]+(?:0?[1-9]|1[0-2])[-/. ]+(?:\d{4}|\d\d)(?:\D|$)",
    "month": r"^\D*(?:0?[1-9]|1[0-2])[-/. ]+(?:1[3-9]|2\d|3[01])[-/. ]+(?:\d{4}|\d\d)(?:\D|$)",
}
_NAMED_MONTH = rf"(?i)(?:^|[^a-z]){ANY_MONTH}(?:[^a-z]|$)"


@dataclass(frozen=True, slots=True)
class TimeStyle:
    """How moments are written. `formats` empty: ISO 8601; `offset`: some values name their own zone.

    Where it is `loose`, a value that the style does not read is read in any other writing that can only mean one
    moment: a long expression, so only where values need it. A time that
    the clocks of the zone skip moves on by what they skip (02:30 is 03:30), and one that comes twice is the second.
    """

    formats: tuple[str, ...] = ()
    offset: bool = False
    ambiguous: bool = False
    """Day and month could be the other way round in every single value."""
    order: Order | None = None
    """Which comes first where both are numbers; None: the column has no such values to tell from."""
    mixed: bool = False
    """Some values prove that the day comes first and some the month; the others follow the more frequent."""
    numbers: Numbers = ""
    """What is counted since when, where moments are numbers."""
    named: bool = False
    """Some months have names."""
    iso: bool = True
    """Where `formats` is empty: most values are ISO 8601."""
    loose: bool = False

    def described(self) -> str:
        """The style in words."""
        if self.numbers:
            return _NUMBERS[self.numbers][1]
        said = [
            words
            for date, words in _SAID.items()
            if any(re.fullmatch(re.escape(date) + _CLOCK, f) for f in self.formats)
        ]
        if self.iso and not self.formats:
            said.append("year-month-day")
        if self.order and not any(date in words for words in said for date in ("day/", "day-m", "day.m")):
            said.append("day/month/year" if self.order == "day" else "month/day/year")
        if self.named and not any("name" in words for words in said):
            said.append(N_("dates with the month's name"))
        words = " or ".join(dict.fromkeys(said)) or "year-month-day"
        if not self.mixed:
            return words
        return f"{words} ({'month/day' if self.order == 'day' else 'day/month'} where a date can only be that)"

    def local(self, column: str, zone: ZoneInfo) -> str:
        """The shop's wall-clock time, as a DuckDB expression."""
        name = literal(zone.key)
        read = self._naive(column) if self._is_local() else f"timezone({name}, timezone('UTC', {self._naive(column)}))"
        if self.offset:
            read = f"coalesce(timezone({name}, {_zoned(column)}), {read})"
        return self._or_any(read, column, lambda: written.local(column, self.order, zone.key))

    def instant(self, column: str, zone: ZoneInfo) -> str:
        """The moment, as a DuckDB expression."""
        name = literal(zone.key if self._is_local() else "UTC")
        read = f"timezone({name}, {self._naive(column)})"
        if self.offset:
            read = f"coalesce({_zoned(column)}, {read})"
        return self._or_any(read, column, lambda: written.instant(column, self.order, zone.key))

    def _or_any(self, read: str, column: str, any_writing: Callable[[], str]) -> str:
        if not self.loose:
            return within(read)
        return within(f"coalesce({read}, case when {column} is not null then {any_writing()} end)")

    def parsed(self, column: str) -> str:
        """The value as read, in UTC where it names its own zone; null where it cannot be read."""
        return self.local(column, ZoneInfo("UTC"))

    def read_quickly(self, column: str) -> str:
        """The value where it follows the style itself, without the other writings."""
        return within(self._naive(column))

    def _is_local(self) -> bool:
        return self.numbers in ("", "serial")

    def _naive(self, column: str) -> str:
        if self.numbers:
            pattern, _, moment = _NUMBERS[self.numbers]
            return f"case when {matches(column, pattern)} then {moment.format(column)} end"
        if self.formats:
            return _read(column, self.formats)
        if not self.iso:
            return "null::timestamp"
        # DuckDB's cast overlooks what stands behind a time (PM, WIB, +07), so the two usual lengths alone pass quickly.
        usual = f"case length({column}) when 19 then {column}[17] = ':' when 10 then true else false end"
        return f"if({usual} or {matches(column, _PLAIN_ISO)}, try_cast({column} as timestamp), null)"


def _read(column: str, formats: tuple[str, ...]) -> str:
    return f"try_strptime({column}, [{', '.join(map(literal, formats))}])"


def _zoned(column: str) -> str:
    # DuckDB wants the offset to follow the time directly.
    moment = f"try_cast(regexp_replace({column}, '\\s+([+-])', '\\1') as timestamptz)"
    return f"case when {matches(column, _ZONED_ISO)} then {moment} end"


def time_style(column: str, sample: Count, whole: Count) -> TimeStyle | None:
    """The style that reads most of a column; None when nothing reads half of the sample.

    Where day and month could change places in the sample, the whole column decides; where it cannot, the day is
    taken to come first and the style says so.
    """
    filled = sample(column)
    if filled == 0:
        return None
    offset = sample(where(matches(column, _NAMES_ZONE))) > 0
    iso = TimeStyle(offset=offset)
    by_iso = sample(within(f"coalesce({iso._naive(column)}, {_zoned(column)}::timestamp)"))
    if by_iso == filled:
        return iso
    numbers = _as_numbers(column, sample, filled)
    if numbers is not None:
        return numbers
    order, ambiguous, mixed = _order(column, sample, whole)
    if by_iso >= 0.9 * filled:
        return TimeStyle((), offset, ambiguous, order, mixed, loose=True)
    formats = _formats(column, order, sample, filled)
    named = sample(where(matches(column, _NAMED_MONTH))) > 0
    style = TimeStyle(formats, offset, ambiguous, order, mixed, named=named, iso=by_iso > 0)
    if sample(style.parsed(column)) == filled:
        return style
    style = replace(style, loose=True)
    return style if sample(style.parsed(column)) >= 0.5 * filled else None


def _as_numbers(column: str, sample: Count, filled: int) -> TimeStyle | None:
    for numbers, (pattern, _, _) in _NUMBERS.items():
        if sample(where(matches(column, pattern))) == filled:
            return TimeStyle(numbers=numbers, iso=False)
    return None


def _order(column: str, sample: Count, whole: Count) -> tuple[Order | None, bool, bool]:
    """Which of day and month comes first, whether that is but taken to be so, and whether values contradict it."""
    if sample(where(matches(column, _TWO_NUMBERS))) == 0:
        return None, False, False
    for count in (sample, whole):
        day, month = (count(where(matches(column, _PROVEN[order]))) for order in ("day", "month"))
        if day != month:
            return "day" if day > month else "month", False, min(day, month) > 0
    return "day", day == 0, day > 0


def _formats(column: str, order: Order | None, sample: Count, filled: int) -> tuple[str, ...]:
    """The date that reads most of the sample and its clocks, the most frequent first; none where few follow one."""
    counts = {
        date: sample(TimeStyle(tuple(date + clock for clock in _CLOCKS)).read_quickly(column))
        for date in (_NUMBERED[order] if order else _OTHERS)
    }
    date = max(counts, key=lambda one: counts[one])
    if counts[date] < 0.3 * filled:
        return ()
    clocks = {clock: sample(TimeStyle((date + clock,)).read_quickly(column)) for clock in _CLOCKS}
    return tuple(date + clock for clock in sorted(_CLOCKS, key=lambda one: -clocks[one]) if clocks[clock])
