"""Times in any writing that can only mean one moment, one value at a time: thorough, and slower than one format."""

from __future__ import annotations

from typing import Literal

from setia.sources.files.values import zones
from setia.sources.files.values.months import ANY_MONTH, DAY_NAME, NUMBERED
from setia.sources.files.values.sql import let, matches, rewritten
from setia.warehouse.duck import literal

Order = Literal["day", "month"]
"""Which comes first where both are numbers."""

_LETTERS = (
    (DAY_NAME, ""),
    (r"(\d)t(\d)", r"\1 \2"),
    (r"(?:^|[, ]+)(?:pukul|pkl\.?|jam|at)(?: |$)", " "),
    (r" ?(?:a\.? ?m\.?|pg\.?|pagi)$", " am"),
    (r" ?(?:p\.? ?m\.?|ptg\.?|petang|sore)$", " pm"),
    # An hour that says it itself needs no word beside it.
    (r" (1[3-9]|2[0-3])([:.][^ ]+) pm$| (00?)([:.][^ ]+) am$", r" \1\3\2\4"),
    (r" 12((?:[:.][^ ]+)? [ap]m)$", r" 0\1"),
    (r"^([a-z]+\.?,? ?\d{1,2}|\d{1,2})(?:st|nd|rd|th)\b", r"\1"),
    (rf"^(\d{{1,2}})({ANY_MONTH})(\d{{2,4}})\b", r"\1 \2 \3"),
    *NUMBERED,
    (r"^(\d{1,2})[-/., ]+m(\d\d)[-/., ]+(\d{4}|\d\d)\b[, ]*", r"\3-\2-\1 "),
    (r"^m(\d\d)[-/., ]+(\d{1,2})[-/., ]+(\d{4}|\d\d)\b[, ]*", r"\3-\1-\2 "),
    (r"^(\d{4})[-/., ]+m(\d\d)[-/., ]+(\d{1,2})\b[, ]*", r"\1-\2-\3 "),
)
"""Of texts with letters: what says nothing goes, and the date becomes year-month-day."""

_DAY, _MONTH = r"(0?[1-9]|[12]\d|3[01])", r"(0?[1-9]|1[0-2])"
_BETWEEN, _YEAR = r"[-/. ]+", r"(\d{4}|\d\d)\b[, ]*"
_DAY_FIRST = (rf"^{_DAY}{_BETWEEN}{_MONTH}{_BETWEEN}{_YEAR}", r"\3-\2-\1 ")
_MONTH_FIRST = (rf"^{_MONTH}{_BETWEEN}{_DAY}{_BETWEEN}{_YEAR}", r"\3-\1-\2 ")
_NUMBERS = {"day": (_DAY_FIRST, _MONTH_FIRST), "month": (_MONTH_FIRST, _DAY_FIRST)}

_DIGITS = (
    (r"^(\d{4})[/.](\d{1,2})[/.](\d{1,2})\b", r"\1-\2-\3"),
    (r"^(\d{4})(\d\d)(\d\d)(?: ?(\d\d):?(\d\d)(?::?(\d\d))?)?$", r"\1-\2-\3 \4.\5.\6"),
    (r"[ .]+$", ""),
    # Two digits of a year as POSIX reads them: 69 to 99 are of the last century.
    (r"^([0-5]\d|6[0-8])-", r"20\1-"),
    (r"^(\d\d)-", r"19\1-"),
    (r"(?:,| [-–|@])? +(?:[-–|@] )?", " "),
    (r" (\d{1,2})([ap]m| [ap]m)$", r" \1:00 \2"),
    (r" (\d{1,2})[:.](\d\d)(?:[:.](\d\d)(?:[.,](\d{1,6})\d*)?)?([ap]m| [ap]m)?$", r" \1:\2:0\3.\4\5"),
    (r":0(\d\d)\.", r":\1."),
)
"""Of all texts: the date written as year-month-day, the clock as hours:minutes:seconds."""

_STRICT = r"^\d{4}-\d{1,2}-\d{1,2}(?: (?:\d|[01]\d|2[0-3]):[0-5]\d:[0-5]?\d\.\d*)?$"


def local(column: str, order: Order | None, zone: str) -> str:
    """The wall-clock time in the zone (IANA name), as a DuckDB expression; null where the value cannot be read.

    A value such as 22/01/2026 can only be read one way, whatever the order; 03/01/2026 follows it, and is not read
    where there is none.
    """
    named = f"timezone({literal(zone)}, {_zoned(order)})"
    return _with_zone(column, f"if(its_zone = '', {_naive('its_text', order)}, {named})")


def instant(column: str, order: Order | None, zone: str) -> str:
    """The moment, as a DuckDB expression."""
    own = f"timezone({literal(zone)}, {_naive('its_text', order)})"
    return _with_zone(column, f"if(its_zone = '', {own}, {_zoned(order)})")


def _with_zone(column: str, body: str) -> str:
    text = rewritten(f"lower({column})", [(r"[\s\p{Zs}]+", " ")], everywhere=True)
    zone = f"regexp_extract(its_text, {literal(zones.AT_END)}, 2)"
    return let("text", text, let("zone", zone, body))


def _zoned(order: Order | None) -> str:
    naive = _naive(rewritten("its_text", [(zones.AT_END, r"\1")]), order)
    return f"timezone('UTC', {naive} - to_minutes({zones.minutes('its_zone')}))"


def _naive(text: str, order: Order | None) -> str:
    named = f"if({matches('its_plain', '[a-z]')}, {rewritten('its_plain', _LETTERS)}, its_plain)"
    steps = _NUMBERS[order] if order else ((_either_way(), ""), *_NUMBERS["day"])
    dated = rewritten(let("plain", rewritten(text, ((r"^ +| +$", ""),)), named), (*steps, *_DIGITS))
    bare = rewritten("its_dated", ((r"( (?:0?\d|1[01]):[^ ]+) ?[ap]m$| +$", r"\1"),))
    later = "if(ends_with(its_dated, 'pm'), interval 12 hour, interval 0 hour)"
    moment = let("bare", bare, f"if({matches('its_bare', _STRICT)}, try_cast(its_bare as timestamp), null)")
    return let("dated", dated, f"{moment} + {later}")


def _either_way() -> str:
    """Two different numbers that could both be the month."""
    others = {n: "|".join(str(m) for m in range(1, 13) if m != n) for n in range(1, 13)}
    pairs = "|".join(f"0?{n}{_BETWEEN}0?(?:{rest})" for n, rest in others.items())
    return rf"^(?:{pairs}){_BETWEEN}\d{{2,4}}\b.*"
