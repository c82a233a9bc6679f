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
_MARK = r"\d:\d\d.*?\s*(Z|UTC|GMT|[+-]\d\d:?\d*)$"
"""A time that names its own zone."""
EARLIEST, LATEST = "1900-01-01", "2200-01-01"
"""No fact lies outside; a date that does was not meant."""

Count = Callable[[str], int]
"""How many values of the column a DuckDB expression reads."""


@dataclass(frozen=True, slots=True)
class TimeStyle:
    """How moments are written. `formats` empty: ISO 8601; `offset`: some values name their own zone."""

    formats: tuple[str, ...] = ()
    offset: bool = False
    ambiguous: bool = False
    """Day and month could be the other way round in every single value."""

    def described(self) -> str:
        """The style in words."""
        return " or ".join(self.formats) if self.formats else "ISO 8601"

    def local(self, column: str, zone: ZoneInfo) -> str:
        """The shop's wall-clock time, as a DuckDB expression."""
        naive = within(self._naive(column))
        if not self.offset:
            return naive
        return f"case when {_marked(column)} then timezone({literal(zone.key)}, {_zoned(column)}) else {naive} end"

    def instant(self, column: str, zone: ZoneInfo) -> str:
        """The moment, as a DuckDB expression."""
        naive = f"timezone({literal(zone.key)}, {within(self._naive(column))})"
        return f"case when {_marked(column)} then {_zoned(column)} else {naive} end" if self.offset else naive

    def parsed(self, column: str) -> str:
        """The value as read, null where it cannot be read."""
        return within(self._naive(column))

    def _naive(self, column: str) -> str:
        if not self.formats:
            # A value that names its own zone, where the column does not, is refused and not moved by hours.
            named = f"(length({column}) > 19 or ends_with({column}, 'Z')) and {_marked(column)}"
            return f"if({named}, null, try_cast({column} as timestamp))"
        return f"try_strptime({column}, [{', '.join(literal(f) for f in self.formats)}])"


def within(moment: str) -> str:
    """A time or day, as a DuckDB expression; null where it is nobody's."""
    return f"case when {moment} > '{EARLIEST}' and {moment} < '{LATEST}' then {moment} end"


def _marked(column: str) -> str:
    return f"regexp_matches({column}, {literal(_MARK)})"


def _zoned(column: str) -> str:
    # DuckDB wants the offset to follow the time directly.
    return within(f"try_cast(regexp_replace({column}, '\\s+([+-])', '\\1') as timestamptz)")


def time_style(column: str, sample: Count, whole: Count) -> TimeStyle | None:
    """The style that reads most of a column; None when nothing reads half of the sample.

    Where day and month could change places in the sample, the whole column decides; where it cannot, the day is
    taken to come first and the style says so.
    """
    filled = sample(column)
    if filled == 0:
        return None
    iso = TimeStyle(offset=sample(f"case when {_marked(column)} then 1 end") > 0)
    by_iso = sample(within(f"try_cast({column} as timestamp)"))
    if by_iso >= 0.9 * filled:
        return iso
    day_first, month_first = _best(column, _DAY_FIRST, sample), _best(column, _MONTH_FIRST, sample)
    other = _best(column, _OTHERS, sample)
    best = max(((iso, by_iso), other, day_first, month_first), key=lambda found: found[1])
    if best[1] < 0.5 * filled:
        return None
    if best[0] in (iso, other[0]):
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
    """How amounts are written. Both marks empty: as DuckDB reads numbers itself."""

    name: str
    thousands: str = ""
    decimal: str = ""

    def parsed(self, column: str) -> str:
        """The amount as decimal(18,4), null where it cannot be read."""
        if not self.decimal:
            return f"try_cast({column} as decimal(18,4))"
        # One number with anything but digits around it; a minus in front or directly behind, or brackets, negate it.
        # What begins with a mark (.50) could be meant either way and is not read.
        many, mark = f"[{self.thousands}]", f"[{self.decimal}]"
        number = rf"^\D*?(\d{{1,3}}(?:{many}\d{{2,3}})*{many}\d{{3}}(?:{mark}\d+)?|\d+(?:{mark}\d+)?)\D*$"
        text = rf"if(regexp_matches({column}, '^\W*[.,]\d'), null, {column})"
        digits = f"replace(regexp_extract({text}, {literal(number)}, 1), {literal(self.thousands)}, '')"
        sign = rf"if(regexp_matches({column}, '^\D*[-−]\D*\d|\d-$|^\(.*\)$'), '-', '')"
        return f"try_cast({sign} || replace({digits}, {literal(self.decimal)}, '.') as decimal(18,4))"


PLAIN = AmountStyle("1234.56")
WITH_POINT = AmountStyle("1,234.56", ",", ".")
WITH_COMMA = AmountStyle("1.234,56", ".", ",")


def amount_style(column: str, sample: Count, *, money: bool = True) -> AmountStyle | None:
    """The style that reads most of a column; None when nothing reads half of the sample.

    Money with three places behind every point there is, is rupiah with points between the thousands.
    """
    filled = sample(column)
    if filled == 0:
        return None
    three = sample(f"case when regexp_matches({column}, '^-?\\d{{1,3}}\\.\\d{{3}}$') then 1 end")
    pointed = sample(f"case when contains({column}, '.') then 1 end")
    plain = sample(PLAIN.parsed(column)) if not (money and three and three == pointed) else 0
    if plain == filled:
        return PLAIN
    looks_comma = sample(f"case when regexp_matches({column}, ',\\d{{1,2}}\\D*$|\\.\\d{{3}}(\\.|\\D*$)') then 1 end")
    looks_point = sample(f"case when regexp_matches({column}, '\\.\\d{{1,2}}\\D*$|,\\d{{3}}(,|\\D*$)') then 1 end")
    style = WITH_COMMA if looks_comma > looks_point else WITH_POINT
    marked = sample(style.parsed(column))
    if max(plain, marked) < 0.5 * filled:
        return None
    return style if marked > plain else PLAIN
