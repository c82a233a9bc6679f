"""Money: exact, at its currency's precision."""

from __future__ import annotations

from decimal import Decimal

import pytest

from setia.kernel.money import exponent, rounded, shown_digits


@pytest.mark.parametrize(
    ("currency", "kept", "shown"),
    [("IDR", 2, 0), ("MYR", 2, 2), ("GBP", 2, 2), ("JPY", 0, 0), ("KWD", 3, 3), ("XXZ", 2, 2)],
)
def test_digits(currency, kept, shown):
    assert (exponent(currency), shown_digits(currency)) == (kept, shown)


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("0.125", "MYR", "0.12"),
        ("0.135", "MYR", "0.14"),
        ("-0.125", "MYR", "-0.12"),
        ("2.5", "JPY", "2"),
        ("3.5", "JPY", "4"),
        ("1.0005", "KWD", "1.000"),
        ("99999999999999.995", "IDR", "100000000000000.00"),
        ("7", "GBP", "7.00"),
    ],
)
def test_halves_go_to_the_even_neighbour(amount, currency, expected):
    assert str(rounded(Decimal(amount), currency)) == expected
