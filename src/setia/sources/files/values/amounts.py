"""Amounts: which marks stand between thousands and before decimals."""

from __future__ import annotations

from dataclasses import dataclass, replace

from setia.sources.files.values.sql import Count, matches, where
from setia.warehouse.duck import literal

_SPACES = " \u00a0\u2009\u202f"
"""Plain, non-breaking, thin and narrow."""
_APOSTROPHES = "'’"
_NOTHING = r"^(?i:\W*(?:rp|rm|[a-z]{3})?\W*[-–—]+\W*|gratis|free|percuma)$"
"""A dash alone, as accounting formats print zero, and words for what costs nothing."""
_SPREADSHEET = r"^[-−]?\d(?:[.,]\d+)?E[+-]\d\d$"
"""A large number as spreadsheets shorten it."""
_NEGATIVE = r"^\D*[-−]\D*\d|\d\s*-$|\([^()]*\d[^()]*\)\D*$"
"""A minus in front or directly behind, or brackets."""


@dataclass(frozen=True, slots=True)
class AmountStyle:
    """How amounts are written. Both marks empty: as DuckDB reads numbers itself."""

    name: str
    thousands: str = ""
    decimal: str = ""
    percent: bool = False
    """Most amounts are percents: 10% reads as 10."""
    ambiguous: bool = False
    """Nothing in the column tells whether the only mark stands between thousands or before decimals."""

    def parsed(self, column: str) -> str:
        """The amount as decimal(18,4), null where it cannot be read; `-`, gratis, free and percuma are 0."""
        number = f"coalesce({self.number(column)}, case when {matches(column, _NOTHING)} then 0 end)"
        return f"cast({number} as decimal(18,4))"

    def number(self, column: str) -> str:
        """The amount where it is written in figures."""
        if not self.decimal:
            # What can be read one way only is also read among plain numbers: RM 1,234.50, 5-, (500).
            marked = f"case when {matches(column, _ONE_WAY)} then {_marked(WITH_POINT, column)} end"
            return f"coalesce(try_cast({column} as decimal(18,4)), {marked})"
        short = f"try_cast(replace({column}, {literal(self.decimal)}, '.') as decimal(18,4))"
        return f"coalesce({_marked(self, column)}, case when {matches(column, _SPREADSHEET)} then {short} end)"


def _grouped(thousands: str, decimal: str) -> str:
    """A number with one kind of mark between its thousands (in the Indian way or by three), or none."""
    groups = [rf"\d{{1,3}}(?:{mark}\d{{2,3}})*{mark}\d{{3}}" for mark in (f"[{thousands}]", f"[{_APOSTROPHES}]")]
    spaced = rf"\d{{1,3}}(?:[{_SPACES}]\d{{3}})+"
    return rf"(?:{'|'.join([*groups, spaced])}|\d+)(?:[{decimal}]\d+)?"


def _marked(style: AmountStyle, column: str) -> str:
    # One number with anything but digits around it. What begins with a mark (.50) could be meant either way and is
    # not read.
    number = rf"^\D*?({_grouped(style.thousands, style.decimal)})\D*$"
    text = rf"if(regexp_matches({column}, '^\W*[.,]\d'), null, {column})"
    digits = f"replace(regexp_extract({text}, {literal(number)}, 1), {literal(style.thousands)}, '')"
    digits = f"replace({digits}, {literal(style.decimal)}, '.')"
    digits = f"if({matches(digits, '^[0-9.]*$')}, {digits}, regexp_replace({digits}, '[^0-9.]', '', 'g'))"
    return f"try_cast(if({matches(column, _NEGATIVE)}, '-', '') || {digits} as decimal(18,4))"


PLAIN = AmountStyle("1234.56")
WITH_POINT = AmountStyle("1,234.56", ",", ".")
WITH_COMMA = AmountStyle("1.234,56", ".", ",")

_AROUND = r"[^\w.,]*[A-Za-z]{0,3}[^\w.,]*"
_ONE_WAY = rf"^{_AROUND}(?:\d+|\d+\.\d{{1,2}}|\d{{1,3}}(?:,\d{{2,3}})*,\d{{3}}\.\d{{1,2}}){_AROUND}$"
_ONLY_POINT_BY_THREE = r"^-?[1-9]\d{0,2}\.\d{3}$"
_COMMA_DECIMAL = r",\d{1,2}\D*$|\.\d{3}(?:\.|\D*$)"
_POINT_DECIMAL = r"\.\d{1,2}\D*$|,\d{3}(?:,|\D*$)"
_PROVES_COMMA = r"(?:^|[^\d.,])(?:\d*,(?:\d{1,2}|\d{4,})|0,\d{3})\D*$|\.\d{3}[.,]\d"
_PROVES_POINT = r"(?:^|[^\d.,])(?:\d*\.(?:\d{1,2}|\d{4,})|0\.\d{3})\D*$|,\d{3}[.,]\d"
_NO_MARK = r"^\D*[1-9]\d*\D*$"
_ONE_MARK = r"^[^\d.,]*\d{1,3}[.,]\d{3}[^\d.,]*$"
_PERCENT = r"\d\s*%$"


def amount_style(column: str, sample: Count, *, money: bool = True, whole: Count | None = None) -> AmountStyle | None:
    """The style that reads most of a column; None when nothing reads half of the sample.

    Where the only mark in the sample has three figures behind it everywhere, the whole column decides whether it
    stands between thousands. If it cannot: a comma does, and so does the point of money, as rupiah are written.
    """
    filled = sample(column) - sample(where(matches(column, _NOTHING)))
    if filled <= 0:
        return None
    three = sample(where(matches(column, _ONLY_POINT_BY_THREE)))
    by_three = money and three > 0 and three == sample(where(f"contains({column}, '.')"))
    plain = 0 if by_three else sample(PLAIN.number(column))
    as_cast = 0 if by_three else sample(f"try_cast({column} as decimal(18,4))")
    percent = sample(where(matches(column, _PERCENT))) >= 0.5 * filled
    if plain == filled and as_cast >= 0.5 * filled:
        return PLAIN
    style, doubtful = _with_marks(column, sample, whole)
    marked = sample(style.number(column))
    if max(plain, marked) < 0.5 * filled:
        return None
    if marked <= as_cast:
        style, doubtful = PLAIN, False
    if percent or doubtful:
        style = replace(style, percent=percent, ambiguous=doubtful)
    return style


def _with_marks(column: str, sample: Count, whole: Count | None) -> tuple[AmountStyle, bool]:
    """The marks of most amounts, and whether nothing proves them."""
    comma, point = (sample(where(matches(column, pattern))) for pattern in (_COMMA_DECIMAL, _POINT_DECIMAL))
    style = WITH_COMMA if comma > point else WITH_POINT
    by_sample = _proven(column, sample)
    if by_sample is not None:
        return by_sample, False
    # Who writes three decimals writes them everywhere, so a number without them shows that the mark parts thousands.
    doubtful = sample(where(matches(column, _ONE_MARK))) > 0 and sample(where(matches(column, _NO_MARK))) == 0
    if whole is None or not doubtful:
        return style, False
    by_whole = _proven(column, whole)
    return (style, True) if by_whole is None else (by_whole, False)


def _proven(column: str, count: Count) -> AmountStyle | None:
    comma, point = (count(where(matches(column, pattern))) for pattern in (_PROVES_COMMA, _PROVES_POINT))
    if comma == point:
        return None
    return WITH_COMMA if comma > point else WITH_POINT
