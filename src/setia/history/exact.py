"""Exact arithmetic on amounts that gives the same on every engine."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

TEN_THOUSANDTHS = 10_000


def times_ratio(amount: Any, numerator: Any, denominator: Any) -> Any:
    """An amount times a ratio of positive whole numbers, rounded to four places, halves away from zero; a decimal.

    Engines divide decimals in different ways; whole ten-thousandths they all divide alike.
    """
    import ibis

    kind = "decimal(18, 4)"
    small = (amount * ibis.literal(Decimal(TEN_THOUSANDTHS), kind)).cast("int64")
    size = ibis.ifelse(small < 0, -small, small)
    rounded = (2 * size * numerator + denominator) // (2 * denominator)
    whole, rest = (rounded // TEN_THOUSANDTHS).cast(kind), (rounded % TEN_THOUSANDTHS).cast(kind)
    exact = whole + (rest * ibis.literal(Decimal("0.0001"), kind)).cast(kind)
    return ibis.ifelse(small < 0, -exact, exact).cast(kind)
