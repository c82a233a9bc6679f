"""How the values of a column are written: dates and amounts, decided from the column and said aloud."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from setia.warehouse.duck import literal

_DAY_FIRST = ("%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d/%m/%y")
_MONTH_FIRST = ("%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y")
_OTHERS = ("%Y%m%d", "%Y/%m/%d", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%d-%b-%Y")
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")

Count = Callable[[str], int]
"""How many values of the column a DuckDB expression reads."""


@dataclass(frozen=True, slots=True)
class TimeStyle:
    """How moments are written. `formats` empty: ISO 8601; with an offset the values name their own zone."""

    formats: tuple[str, ...] = ()
    offset: bool = False
    ambiguous: bool = False
    """Day and month could be the other way round in every single value."""

    def described(self) -> str:
        """The style in words."""
        return " or ".join(self.formats) if self.formats else "ISO 8601"

    def local(self, column: str, zone: ZoneInfo) -> str:
        """The shop's wall-clock time, as a DuckDB expression."""
        return f"timezone({literal(zone.key)}, {self._with_zone(column)})" if self.offset else self._naive(column)

    def instant(self, column: str, zone: ZoneInfo) -> str:
        """The moment, as a DuckDB expression."""
        return self._with_zone(column) if self.offset else f"timezone({literal(zone.key)}, {self._naive(column)})"

    def parsed(self, column: str) -> str:
        """The value as read, null where it cannot be read."""
        return self._with_zone(column) if self.offset else self._naive(column)

    def _naive(self, column: str) -> str:
        if not self.formats:
            return f"try_cast({column} as timestamp)"
        return f"try_strptime({column}, [{', '.join(literal(f) for f in self.formats)}])"

    def _with_zone(self, column: str) -> str:
        return f"try_cast({column} as timestamptz)"


def time_style(column: str, sample: Count, whole: Count) -> TimeStyle | None:
    """The style that reads most of a column; None when nothing reads half of the sample.

    Where day and month could change places in the sample, the whole column decides; where it cannot, the day is
    taken to come first and the style says so.
    """
    filled = sample(column)
    iso = TimeStyle()
    if filled == 0:
        return None
    if sample(iso.parsed(column)) >= 0.9 * filled:
        marked = f"case when regexp_matches({column}, '\\d:\\d\\d.*(Z|[+-]\\d\\d:?\\d*)$') then {column} end"
        return TimeStyle(offset=sample(marked) >= 0.9 * filled)
    day_first, month_first = _best(column, _DAY_FIRST, sample), _best(column, _MONTH_FIRST, sample)
    other = _best(column, _OTHERS, sample)
    best = max((day_first, month_first, other), key=lambda found: found[1])
    if best[1] < 0.5 * filled:
        return None
    if best is other or day_first[1] != month_first[1]:
        return best[0]
    by_day, by_month = whole(day_first[0].parsed(column)), whole(month_first[0].parsed(column))
    if by_day != by_month:
        return day_first[0] if by_day > by_month else month_first[0]
    return TimeStyle(day_first[0].formats, ambiguous=True)


def _best(column: str, dates: tuple[str, ...], sample: Count) -> tuple[TimeStyle, int]:
    found = []
    for date in dates:
        style = TimeStyle(tuple(date + clock for clock in _CLOCKS))
        found.append((style, sample(style.parsed(column))))
    return max(found, key=lambda pair: pair[1])


@dataclass(frozen=True, slots=True)
class AmountStyle:
    """How amounts are written."""

    name: str
    clean: str
    """A DuckDB expression with `{column}` for the text that a decimal cast then reads."""

    def parsed(self, column: str) -> str:
        """The amount as decimal(18,4), null where it cannot be read."""
        return f"try_cast({self.clean.format(column=column)} as decimal(18,4))"


PLAIN = AmountStyle("1234.56", "{column}")
WITH_POINT = AmountStyle("1,234.56", "regexp_replace({column}, '[^0-9.eE+-]', '', 'g')")
WITH_COMMA = AmountStyle("1.234,56", "replace(regexp_replace({column}, '[^0-9,+-]', '', 'g'), ',', '.')")


def amount_style(column: str, sample: Count) -> AmountStyle | None:
    """The style that reads most of a column; None when nothing reads half of the sample."""
    filled = sample(column)
    if filled == 0:
        return None
    if sample(PLAIN.parsed(column)) >= 0.99 * filled:
        return PLAIN
    looks_comma = sample(f"case when regexp_matches({column}, ',\\d{{1,2}}\\D*$|\\.\\d{{3}}(\\.|\\D*$)') then 1 end")
    looks_point = sample(f"case when regexp_matches({column}, '\\.\\d{{1,2}}\\D*$|,\\d{{3}}(,|\\D*$)') then 1 end")
    style = WITH_COMMA if looks_comma > looks_point else WITH_POINT
    return style if sample(style.parsed(column)) >= 0.5 * filled else None
