"""Exact money: amounts are decimals, and the digits after the point are known, never guessed."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

SHOWN_WITHOUT_DECIMALS = frozenset({"IDR"})
"""Currencies that ISO 4217 gives two digits but that nobody writes with them."""


def exponent(currency: str) -> int:
    """Digits after the point in ISO 4217: 2 for IDR and MYR, 0 for JPY. Unknown codes get 2."""
    from babel.core import get_global

    fractions = get_global("currency_fractions")
    # Babel follows CLDR, which prints the rupiah without decimals in cash but keeps ISO's two in accounts.
    return int(fractions.get(currency, fractions["DEFAULT"])[0]) if currency != "IDR" else 2


def shown_digits(currency: str) -> int:
    """Digits after the point on screen."""
    return 0 if currency in SHOWN_WITHOUT_DECIMALS else exponent(currency)


def rounded(amount: Decimal, currency: str) -> Decimal:
    """The amount at its currency's precision, halves to even."""
    return amount.quantize(Decimal(1).scaleb(-exponent(currency)), rounding=ROUND_HALF_EVEN)
