"""Exact arithmetic on amounts that gives the same on every engine."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

TEN_THOUSANDTHS = 10_000
MOST = Decimal(10) ** 12
"""Amounts beyond it have no place in 64 bits once they are multiplied."""
_BILLION = 10**9


def times_ratio(amount: Any, numerator: Any, denominator: Any) -> Any:
    """An amount times a ratio of positive whole numbers, rounded to four places, halves away from zero; a decimal.

    Numerator below 100, denominator below a million; null for amounts beyond `MOST`. Engines divide decimals in
    different ways; whole ten-thousandths they all divide alike.
    """
    import ibis

    kind = "decimal(18, 4)"
    size = amount.abs()
    inside = (size <= ibis.literal(MOST, kind)).ifelse(size, ibis.null(kind))
    small = (inside.cast("decimal(19, 4)") * ibis.literal(Decimal(TEN_THOUSANDTHS), kind)).cast("int64")
    rounded = quotient(2 * small * numerator + denominator, 2 * denominator)
    whole, rest = quotient(rounded, TEN_THOUSANDTHS).cast(kind), (rounded % TEN_THOUSANDTHS).cast(kind)
    exact = whole + (rest * ibis.literal(Decimal("0.0001"), kind)).cast(kind)
    # Ibis takes the sum to be of this kind already; Spark makes it a wider one.
    return ibis.ifelse(amount < 0, -exact, exact).cast("decimal(19, 4)").cast(kind)


def quotient(number: Any, divisor: Any) -> Any:
    """How often a divisor below a million goes into a whole number from 0 to 2^63.

    Ibis divides whole numbers as floating-point ones, which are exact to 2^53 alone; so in two steps, as on paper.
    """
    upper = ((number - number % _BILLION) / _BILLION).round().cast("int64")
    high = (upper / divisor).floor().cast("int64")
    lower = (upper - high * divisor) * _BILLION + number % _BILLION
    return high * _BILLION + (lower / divisor).floor().cast("int64")
