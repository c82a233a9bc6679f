"""One value as text: in full for tables, short for axes."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

from setia.kernel.figure import Column, Kind
from setia.kernel.i18n import N_, Speaker
from setia.metrics.metric import Unit

POINTS = N_("percentage points")


def is_missing(value: Any) -> bool:
    """Whether there is no value: None, or what is no finite number."""
    return value is None or (isinstance(value, float | Decimal) and not math.isfinite(value))


def formatted(kind: Kind, value: Any, speaker: Speaker) -> str:
    """The value as a table shows it, in the speaker's language; a dash where there is none."""
    if is_missing(value):
        return speaker.missing
    return str(value) if kind == "text" else str(getattr(speaker, kind)(value))


def of_unit(unit: Unit, value: Any, speaker: Speaker) -> str:
    """A metric's value in the unit it is declared in; a dash where there is none."""
    if is_missing(value):
        return speaker.missing
    match unit:
        case "share":
            return speaker.percent(value)
        case "money":
            return speaker.money(value)
        case "days":
            return speaker.days(value)
        case "hours":
            return speaker.many("{n} hour", "{n} hours", value, 1)
        case "months":
            return speaker.many("{n} month", "{n} months", value)
        case "score":
            return speaker.number(value, 0)
        case _:
            return speaker.number(value, 2)


KINDS: dict[Unit, Kind] = {
    "share": "percent", "money": "money", "days": "days", "hours": "number", "months": "count", "score": "count",
    "orders": "number", "ratio": "number", "table": "number",
}  # fmt: skip
"""How a column of such values is formatted."""


def headed(column: Column, speaker: Speaker) -> str:
    """A column's title; percentage points have their unit here, not in each cell."""
    return f"{column.title} ({speaker(POINTS)})" if column.kind == "points" else column.title


def celled(column: Column, value: Any, speaker: Speaker) -> str:
    """The value below a column's head, which says its unit."""
    if column.kind != "points" or is_missing(value):
        return formatted(column.kind, value, speaker)
    return _signed(value, speaker, 1)


def short(kind: Kind, value: Any, speaker: Speaker) -> str:
    """The value as an axis shows it: the unit stands in the axis title, large amounts are in thousands or millions."""
    if is_missing(value):
        return speaker.missing
    if kind == "money":
        # The sign comes from the speaker, so that axis and table never differ in it.
        sign = speaker.money(0).rstrip("0.,")
        return ("-" if value < 0 else "") + sign + _compact(abs(value), speaker)
    if kind == "percent":
        return speaker.percent(value, _digits(float(value) * 100))
    if kind == "points":
        return _signed(value, speaker, _digits(float(value) * 100))
    if kind in ("count", "number", "days"):
        return _compact(value, speaker) if abs(value) >= 100_000 else speaker.number(value, _digits(float(value)))
    return formatted(kind, value, speaker)


def _signed(value: Any, speaker: Speaker, digits: int) -> str:
    mark = "+" if value > 0 else "−" if value < 0 else ""
    return mark + speaker.number(abs(value) * 100, digits)


def _compact(value: Any, speaker: Speaker) -> str:
    from babel.numbers import format_compact_decimal

    if value < 1000:
        return speaker.number(value, _digits(float(value)))
    locale = {"en": "en_GB", "id": "id_ID", "ms": "ms_MY"}[speaker.language]
    return format_compact_decimal(value, locale=locale, fraction_digits=1)


def _digits(value: float) -> int:
    """As few digits after the point as show the value, two at most."""
    return next((n for n in (0, 1) if math.isclose(value, round(value, n), abs_tol=1e-9)), 2)
